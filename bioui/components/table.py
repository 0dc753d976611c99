"""A paged table of our own: rows open by click or Enter, pages turn by keyset, text is never cut by force.

Events of the returned View, each wired with `page.on(table_html.open, ...)`:
  open   a row was chosen; `row_id(event)` is its id
  older  the next page is wanted;  newer  the page before
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import gradio as gr

from bioui.components import empty
from bioui.components.view import View
from bioui.present import counted

TEMPLATE = Path(__file__).with_suffix(".hbs").read_text(encoding="utf-8").replace("@empty", empty.TEMPLATE)

ON_LOAD = """
const open = (row) => {
  if (PARAM) studio.setParam(PARAM, row.dataset.id);
  trigger('open', {id: Number(row.dataset.id)});
};
element.addEventListener('click', (event) => {
  const turn = event.target.closest('[data-turn]');
  if (turn) { turn.dataset.turn === 'older' ? trigger('older', {}) : trigger('newer', {}); return; }
  const row = event.target.closest('tr[data-id]');
  if (row && !event.target.closest('a')) open(row);
});
element.addEventListener('keydown', (event) => {
  const row = event.target.closest('tr[data-id]');
  if (!row) return;
  const step = {ArrowDown: 'nextElementSibling', ArrowUp: 'previousElementSibling'}[event.key];
  if (step && row[step]) { event.preventDefault(); row[step].focus(); }
  if (event.key === 'Enter' || event.key === ' ') { event.preventDefault(); open(row); }
});
"""


@dataclass(frozen=True)
class Column:
    label: str
    kind: str = "text"  # text, num, mono, status, time, long (takes the width that is left)


@dataclass(frozen=True)
class Trail:
    """Where a reader is in a keyset-paged list: the key that each page up to this one begins after."""

    before: tuple[int | str | None, ...] = (None,)

    @property
    def before_id(self) -> int | str | None:
        return self.before[-1]

    def older(self, next_before_id: int | str | None) -> "Trail":
        return self if next_before_id is None else Trail((*self.before, next_before_id))

    def newer(self) -> "Trail":
        return Trail(self.before[:-1] or (None,))


def table(caption: str, *, param: str = "", empty_value: dict | None = None) -> View:
    """An empty table. `param` names the URL parameter that follows the opened row, "" for none."""
    start = table_value([], [], empty=empty_value or empty.empty_state("", ""))
    on_load = f"const PARAM = {param!r};" + ON_LOAD
    return View(TEMPLATE, start, on_load=on_load, elem_classes="table-view", caption=caption)


def table_value(
    columns: Sequence[Column],
    rows: Sequence[dict],
    *,
    empty: dict,
    total: int | None = None,
    trail: Trail = Trail(),
    page_rows: int = 50,
    next_before_id: int | None = None,
    current_id: int | None = None,
    turns: tuple[str, str] = ("Newer", "Older"),
) -> dict:
    """The value of a table. A row is {"id", "cells": [cell(...), ...]} and, where it opens, "opens": True."""
    first = (len(trail.before) - 1) * page_rows + 1
    last = first + len(rows) - 1
    is_paged = len(trail.before) > 1 or next_before_id is not None
    of = f" of {total:,}" if total is not None else ""
    return {
        **grid(columns, rows, current_id),
        "range": f"{first:,}–{last:,}{of}" if is_paged else counted(len(rows), "row"),
        "pages": is_paged,
        "has_newer": len(trail.before) > 1,
        "has_older": next_before_id is not None,
        "newer_word": turns[0],
        "older_word": turns[1],
        "empty": empty,
    }


def grid(columns: Sequence[Column], rows: Sequence[dict], current_id: int | None) -> dict:
    """The `columns` and `rows` of a list's value: each cell of its column's kind, the open row marked."""
    return {
        "columns": [{"label": column.label, "kind": f"col-{column.kind}"} for column in columns],
        "rows": [
            {
                **row,
                "current": row["id"] == current_id,
                "cells": [
                    {**shown, "kind": f"col-{column.kind}"}
                    for shown, column in zip(row["cells"], columns, strict=True)
                ],
            }
            for row in rows
        ],
    }


def cell(text: str, *, chip: str = "", note: str = "", title: str = "") -> dict[str, str]:
    """One cell: its text, a chip's hue (draft, review, approved, attention), a second line, a tooltip."""
    return {"text": text, "chip": chip, "note": note, "title": title}


def row_id(event: gr.EventData) -> int:
    """The id of the row that was opened."""
    return int(event.id)
