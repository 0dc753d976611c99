"""What a batch's answers come to, slice by slice: a row a slice and side, the whole batch first.

Event of the View: `slice` (`chosen_slice(event)`: its name, None for all).
"""

from collections.abc import Sequence
from pathlib import Path

import gradio as gr

from bioui.components.view import View
from bioui.present import counted
from db.batch_figures import Column, Figures, Slice
from db.enums import Side
from db.expected import CAUTION

TEMPLATE = Path(__file__).with_suffix(".hbs").read_text(encoding="utf-8")
ON_LOAD = """
element.addEventListener('click', (event) => {
  const button = event.target.closest('[data-slice]');
  if (button) trigger('slice', {name: button.dataset.slice, all: button.dataset.all === 'true'});
});
"""
NO_SLICES = {"parts": [], "note": ""}


def batch_slices() -> View:
    return View(TEMPLATE, NO_SLICES, on_load=ON_LOAD)


def chosen_slice(event: gr.EventData) -> str | None:
    return None if event.all else str(event.name)


def slices_value(
    figures: Figures, titles: Sequence[str], colours: Sequence[Side], current: str | None
) -> dict:
    """`titles` and `colours` head the columns of answers; `current` is the slice whose rows are shown."""
    if not any(column.answers for column in figures.total.columns):
        return NO_SLICES
    shown = {
        "has_facts": any(column.facts for column in figures.total.columns),
        "has_overlap": len(titles) > 1,
        "has_votes": bool(figures.total.votes),
    }
    parts = [figures.total, *(figures.slices if len(figures.slices) > 1 else [])]
    sides = list(zip(titles, colours, strict=True))
    return {
        **shown,
        "first": titles[0],
        "note": f"Facts: {CAUTION[0].lower()}{CAUTION[1:]}" if shown["has_facts"] else "",
        "parts": [
            _part(part, shown, sides, is_total=part is figures.total, current=current) for part in parts
        ],
    }


def _part(part: Slice, shown: dict, sides: Sequence, *, is_total: bool, current: str | None) -> dict:
    is_current = current is None if is_total else current == part.name
    rows = [
        {**_column(column), **shown, "title": title, "colour": colour.value, "lead": None}
        for column, (title, colour) in zip(part.columns, sides, strict=True)
    ]
    rows[0]["lead"] = {**_lead(part, is_total), "current": is_current}
    return {"current": is_current, "columns": rows}


def _lead(part: Slice, is_total: bool) -> dict:
    votes = f", {counted(part.votes, 'vote')}, {part.undecided:,} undecided" if part.votes else ""
    rows = f"{part.whole:,} of {part.rows:,} rows" if part.whole < part.rows else counted(part.rows, "row")
    return {
        "name": part.name,
        "label": "All rows" if is_total else part.name or "Without a slice",
        "all": "true" if is_total else "false",
        "said": f"{rows}{votes}",
        "span": len(part.columns),
    }


def _column(column: Column) -> dict:
    return {
        "words": _mean(column.words, column.answers, "{:,.0f}"),
        "seconds": _mean(column.seconds, column.timed, "{:,.1f}"),
        "facts": f"{column.found:,} of {column.facts:,}" if column.facts else "–",
        "share": f"{column.found / column.facts:.0%}" if column.facts else "",
        "overlap": _mean(column.overlap, column.compared, "{:.2f}"),
        "cut": f"{column.cut:,}" if column.cut else "–",
        "preferred": f"{column.preferred:,}",
    }


def _mean(total: float, of: int, shape: str) -> str:
    return shape.format(total / of) if of else "–"
