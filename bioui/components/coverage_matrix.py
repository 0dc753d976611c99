"""The matrix of task by specialty as a heat map: approved counts, targets, and where a target is not reached.

Event of the returned View: open(task, specialty) when a cell is chosen; of a row's total specialty is null.
Arrow keys walk the cells, Enter opens one.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from bioui.components import empty
from bioui.components.empty import empty_state
from bioui.components.view import View
from bioui.present import counted
from db.coverage import Cell, Target

TEMPLATE = Path(__file__).with_suffix(".hbs").read_text(encoding="utf-8").replace("@empty", empty.TEMPLATE)
LEVELS = 5
MOST_ROWS, MOST_COLUMNS = 80, 48  # a wider picture is no picture; what is left out is said
WAITING = {"rows": [], "waiting": True}

ON_LOAD = """
const cells = () => [...element.querySelectorAll('.cell')];
const walk = (from, key) => {
  const row = from.closest('tr'), place = [...row.children].indexOf(from.parentElement);
  const step = {ArrowRight: [0, 1], ArrowLeft: [0, -1], ArrowDown: [1, 0], ArrowUp: [-1, 0]}[key];
  const rows = [...row.parentElement.children], there = rows[rows.indexOf(row) + step[0]];
  return there && there.children[place + step[1]] && there.children[place + step[1]].querySelector('.cell');
};
element.addEventListener('click', (event) => {
  const cell = event.target.closest('.cell');
  if (!cell) return;
  const row = cell.closest('tr'), at = [...row.children].indexOf(cell.parentElement);
  const specialty = at === 1 ? null : element.querySelectorAll('thead th')[at].dataset.specialty;
  trigger('open', {task: row.dataset.task, specialty});
});
element.addEventListener('keydown', (event) => {
  const cell = event.target.closest('.cell');
  if (!cell || !event.key.startsWith('Arrow')) return;
  const next = walk(cell, event.key);
  if (!next) return;
  event.preventDefault();
  for (const each of cells()) each.tabIndex = -1;
  next.tabIndex = 0;
  next.focus();
});
const begin = () => {
  const all = cells(), open = element.querySelector('.cell[aria-pressed=true]') || all[0];
  for (const each of all) each.tabIndex = each === open ? 0 : -1;
};
watch('value', () => {
  begin();
  const picture = element.querySelector('[data-difficulty]');
  if (picture) studio.setParam('difficulty', picture.dataset.difficulty);
});
begin();
"""


@dataclass
class Square:
    """What one square of the picture stands for, all its difficulties together or one of them."""

    approved: int = 0
    records: int = 0
    target: int | None = None  # its own
    missing: int = 0
    wanted: int = 0  # by the targets that `missing` counts

    def wants(self, count: int, missing: int) -> None:
        self.wanted, self.missing = self.wanted + count, self.missing + missing


def coverage_matrix() -> View:
    return View(TEMPLATE, WAITING, on_load=ON_LOAD, elem_classes="matrix-view")


def squares(
    cells: Iterable[Cell], targets: Sequence[Target], difficulty: int | None
) -> dict[tuple[str, str | None], Square]:
    """(task, specialty) -> its square; (task, None) -> the whole task's.

    Without a difficulty a square is short by its own target, else by those of its difficulties together.
    """
    found: dict[tuple[str, str | None], Square] = defaultdict(Square)
    approved: Counter = Counter()
    for cell in cells:
        approved[cell.task, cell.specialty, cell.difficulty] += cell.approved
        approved[cell.task, "", cell.difficulty] += cell.approved if cell.specialty else 0
        if difficulty in (None, cell.difficulty):
            for place in ((cell.task, cell.specialty), (cell.task, None)):
                found[place].approved += cell.approved
                found[place].records += sum(cell.counts.values())
    own = {(each.task, each.specialty or None): each for each in targets if each.difficulty == difficulty}
    for place, target in own.items():
        square = found[place]
        square.target = target.count
        square.wants(target.count, max(0, target.count - square.approved))
    for each in targets if difficulty is None else ():
        place = (each.task, each.specialty or None)
        if each.difficulty and place not in own:
            found[place].wants(
                each.count, max(0, each.count - approved[each.task, each.specialty, each.difficulty])
            )
    return found


def matrix_value(
    cells: Sequence[Cell],
    targets: Sequence[Target],
    *,
    difficulty: int | None = None,
    is_open: tuple[str, str | None] | None = None,
    project_id: int,
) -> dict:
    """The picture; `is_open` is the square that the panel shows."""
    found = squares(cells, targets, difficulty)
    if not found:
        shown = {"rows": [], "waiting": False, "difficulty": difficulty or ""}
        return {**shown, "empty": _empty(project_id, difficulty)}
    columns, more_columns = _ordered({s for _, s in found if s is not None}, found, 1, MOST_COLUMNS)
    rows, more_rows = _ordered({task for task, _ in found}, found, 0, MOST_ROWS)
    bounds = _bounds(max((q.approved for (_, s), q in found.items() if s is not None), default=0))
    blank = Square()
    return {
        "waiting": False,
        "difficulty": difficulty or "",
        "columns": [{"name": name or "no specialty", "specialty": name} for name in columns],
        "rows": [
            {
                "task": task,
                "name": task.replace("_", " ") or "no task",
                "total": _shown(found.get((task, None), blank), (), is_open == (task, None)),
                "cells": [_shown(found.get((task, s), blank), bounds, is_open == (task, s)) for s in columns],
            }
            for task in rows
        ],
        "legend": _legend(bounds),
        "sum": _sum(found),
        "more": _more(more_rows, more_columns),
    }


def _ordered(names: set[str], found: dict, side: int, most: int) -> tuple[list[str], int]:
    """Those with the most records or wishes first, the unnamed last; and how many were left out."""
    weight: Counter = Counter()
    for place, square in found.items():
        weight[place[side]] += square.records + square.missing
    ordered = sorted(names, key=lambda name: (not name, -weight[name], name))
    return ordered[:most], max(0, len(ordered) - most)


def _bounds(most: int) -> tuple[int, ...]:
    """Where each of the levels begins: by equal factors, from 1 to `most`."""
    steps = sorted({max(1, round(max(1, most) ** (level / LEVELS))) for level in range(LEVELS)})
    return tuple(step for step in steps if step <= most)


def _shown(square: Square, bounds: tuple[int, ...], pressed: bool) -> dict:
    told = {
        "n": f"{square.approved:,}" if square.approved or square.wanted or square.records else "",
        "of": f"{square.target:,}" if square.target is not None else "",
        "level": _level(sum(square.approved >= bound for bound in bounds), bounds),
        "short": round(100 * square.missing / square.wanted) if square.wanted else 0,
        "open": pressed,
    }
    return {name: value for name, value in told.items() if value}  # thousands are sent: only what is there


def _level(reached: int, bounds: tuple[int, ...]) -> int:
    """The hue, 0 to 5, of the bounds reached: the strongest for the most, however few levels there are."""
    return -(-reached * LEVELS // len(bounds)) if bounds else 0


def _legend(bounds: tuple[int, ...]) -> list[dict]:
    ends = [*(bound - 1 for bound in bounds[1:]), None][: len(bounds)]
    return [
        {
            "level": _level(level + 1, bounds),
            "label": f"{low:,}" if end == low else f"{low:,} to {end:,}" if end else f"{low:,} or more",
        }
        for level, (low, end) in enumerate(zip(bounds, ends, strict=True))
    ]


def _sum(found: dict) -> str:
    whole = [square for (_, specialty), square in found.items() if specialty is None]
    approved, records = sum(square.approved for square in whole), sum(square.records for square in whole)
    return f"{approved:,} approved of {counted(records, 'record')}"


def _more(rows: int, columns: int) -> str:
    left = [
        counted(rows, "task") if rows else "",
        counted(columns, "specialty", "specialties") if columns else "",
    ]
    return " and ".join(part for part in left if part)


def _empty(project_id: int, difficulty: int | None) -> dict:
    if difficulty:
        return empty_state(
            f"Nothing of difficulty {difficulty} yet.", "Records and targets of that difficulty appear here."
        )
    return empty_state(
        "Nothing to map yet.",
        "Each record with a task and a specialty colours a square here, and each target marks one.",
        href=f"/curate?project={project_id}",
        link="Write the first instruction",
    )
