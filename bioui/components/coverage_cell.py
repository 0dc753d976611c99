"""The panel beside the matrix: one square in full, the widest gaps, and how a target was changed.

Events: of the panel close and narrow(difficulty); of the gaps open(task, specialty, difficulty); of the word
about a change undo.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

from bioui.components.view import View
from bioui.present import counted, status_chip
from db.coverage import UNDER_WAY, Cell, Gap, Place, Target
from db.enums import InstructionStatus

SHOWN_GAPS = 12

PANEL = Path(__file__).with_name("coverage_panel.hbs").read_text(encoding="utf-8")
PANEL_ON_LOAD = """
element.addEventListener('click', (event) => {
  if (event.target.closest('[data-close]')) trigger('close', {});
  const narrow = event.target.closest('button[data-difficulty]');
  if (narrow) trigger('narrow', {difficulty: Number(narrow.dataset.difficulty)});
});
watch('value', () => {
  const panel = element.querySelector('.cell-panel'), place = panel ? panel.dataset : {};
  for (const name of ['task', 'specialty']) studio.setParam(name, place[name] || null);
});
"""
NO_CELL: dict = {"title": ""}

GAPS = Path(__file__).with_name("coverage_gaps.hbs").read_text(encoding="utf-8")
GAPS_ON_LOAD = """
element.addEventListener('click', (event) => {
  const gap = event.target.closest('.gap');
  if (!gap) return;
  const {task, specialty, difficulty} = gap.dataset;
  trigger('open', {task, specialty, difficulty: Number(difficulty)});
});
"""
CHANGED = """
{{#if value.text}}<div class="notice notice-approved" role="status"><p>{{value.text}}</p>{{#if value.undo}}
  <button type="button" class="quiet-btn" data-undo>{{value.undo}}</button>{{/if}}</div>{{/if}}
"""
CHANGED_ON_LOAD = """
element.addEventListener('click', (event) => {
  if (event.target.closest('[data-undo]')) trigger('undo', {});
});
"""
NOT_CHANGED = {"text": "", "undo": ""}


@dataclass(frozen=True)
class OpenCell:
    """The square that the panel shows. `specialty` None: the whole task; "": records that name none."""

    task: str = ""
    specialty: str | None = None
    difficulty: int | None = None
    is_open: bool = False

    @property
    def can_have_target(self) -> bool:
        """A target needs a task, and an empty specialty means all of them."""
        return self.is_open and bool(self.task) and self.specialty != ""

    @property
    def place(self) -> Place:
        return self.task, self.specialty or "", self.difficulty


def cell_panel() -> View:
    return View(PANEL, NO_CELL, on_load=PANEL_ON_LOAD, elem_classes="cell-view")


def gap_list() -> View:
    return View(GAPS, {"rows": [], "empty": ""}, on_load=GAPS_ON_LOAD, elem_classes="gaps-view")


def change_notice() -> View:
    return View(CHANGED, NOT_CHANGED, on_load=CHANGED_ON_LOAD, elem_classes="notice-area")


def place_words(task: str, specialty: str, difficulty: int | None) -> str:
    """`relation extraction, oncology, difficulty 2`."""
    parts = [task.replace("_", " "), specialty, f"difficulty {difficulty}" if difficulty else ""]
    return ", ".join(part for part in parts if part)


def cell_value(
    cells: Sequence[Cell], targets: Sequence[Target], here: OpenCell, *, project_id: int, may_write: bool
) -> dict:
    """The open square in full; nothing where none is open."""
    if not here.is_open:
        return NO_CELL
    inside = [c for c in cells if c.task == here.task and here.specialty in (None, c.specialty)]
    counts: Counter = Counter()
    for cell in inside:
        if here.difficulty in (None, cell.difficulty):
            counts.update(cell.counts)
    wanted = {target.place: target.count for target in targets}
    target = wanted.get(here.place) if here.can_have_target else None
    links = _Links(here, project_id)
    level = f"difficulty {here.difficulty}" if here.difficulty else "any difficulty"
    return {
        "title": here.task.replace("_", " ") or "no task",
        "task": here.task,
        "specialty": here.specialty or "",
        "difficulty": here.difficulty or 0,
        "place": f"{_specialty(here.specialty)} · {level}",
        "sentence": _sentence(counts, target),
        "statuses": [
            _status(status, counts[status], links) for status in InstructionStatus if counts[status]
        ],
        "difficulties": [_difficulty(inside, wanted, here, level) for level in (None, 1, 2, 3, 4, 5)],
        "write_href": links.write if may_write and here.task else "",
        "records_href": links.records() if counts and here.task else "",
        "records_word": "Open the records" if here.specialty != "" else "Open the task's records",
    }


@dataclass(frozen=True)
class _Links:
    """Where the page of Curate shows the records of a square, or a new one for it."""

    here: OpenCell
    project_id: int

    def records(self, **more: str) -> str:
        asked = {"project": self.project_id, "task": self.here.task, "specialty": self.here.specialty or ""}
        return "/curate?" + urlencode({name: value for name, value in {**asked, **more}.items() if value})

    @property
    def write(self) -> str:
        return self.records(new="1", difficulty=str(self.here.difficulty or ""))


def gaps_value(gaps: Sequence[Gap], *, are_wanted: bool) -> dict:
    """The widest gaps; `are_wanted`: the project has targets at all."""
    left = len(gaps) - SHOWN_GAPS
    return {
        "rows": [_gap(gap) for gap in gaps[:SHOWN_GAPS]],
        "more": f"{counted(left, 'gap')} more, each narrower." if left > 0 else "",
        "empty": "Every target is reached." if are_wanted else "No targets yet. An admin sets how many "
        "approved records a task, or a square of the matrix, should have; what is missing stands here.",
    }  # fmt: skip


def changed_value(place: Place, before: Target | None, after: Target | None) -> dict:
    """What was done to a target, and that it can be undone."""
    where = place_words(*place)
    if after is None:
        return {"text": f"The target of {where} is removed.", "undo": "Undo"}
    was = f", {before.count:,} before" if before else ""
    return {"text": f"The target of {where} is {after.count:,}{was}.", "undo": "Undo"}


def _specialty(specialty: str | None) -> str:
    return "all specialties" if specialty is None else specialty or "no specialty"


def _sentence(counts: Counter, target: int | None) -> str:
    approved, under_way = counts[InstructionStatus.APPROVED], sum(counts[status] for status in UNDER_WAY)
    if target is None:
        return f"{approved:,} approved, {under_way:,} under way. No target of its own."
    if approved >= target:
        return f"{approved:,} approved of {target:,} wanted: the target is reached."
    to_write = max(0, target - approved - under_way)
    return f"{approved:,} approved of {target:,} wanted; {under_way:,} under way, {to_write:,} to write."


def _status(status: InstructionStatus, count: int, links: _Links) -> dict:
    word, hue = status_chip(status)
    is_linked = links.here.task and links.here.specialty != "" and links.here.difficulty is None
    href = links.records(status=status) if is_linked else ""
    return {
        "word": word,
        "hue": hue,
        "count": f"{count:,}",
        "href": href,
    }


def _difficulty(inside: list[Cell], wanted: dict[Place, int], here: OpenCell, level: int | None) -> dict:
    cells = [cell for cell in inside if level in (None, cell.difficulty)]
    target = wanted.get((here.task, here.specialty or "", level)) if here.can_have_target else None
    return {
        "value": level or 0,
        "name": str(level) if level else "any",
        "approved": f"{sum(cell.approved for cell in cells):,}",
        "under_way": f"{sum(cell.counts.get(status, 0) for cell in cells for status in UNDER_WAY):,}",
        "target": f"{target:,}" if target else "–",
        "current": level == here.difficulty,
    }


def _gap(gap: Gap) -> dict:
    target = gap.target
    done = 100 * gap.approved / target.count
    return {
        "task": target.task,
        "specialty": target.specialty,
        "difficulty": target.difficulty or 0,
        "name": target.task.replace("_", " "),
        "place": place_words("", target.specialty or "all specialties", target.difficulty),
        "missing": f"−{gap.missing:,}",
        "done": round(done, 1),
        "way": round(min(100 - done, 100 * gap.under_way / target.count), 1),
        "sentence": f"{gap.approved:,} of {target.count:,} approved, {gap.under_way:,} under way, "
        f"{gap.to_write:,} to write",
    }
