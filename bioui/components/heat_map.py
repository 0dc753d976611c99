"""A study's figure on a page: a heat map of gains with an interval in each cell, or curves; and a table twin.

Blue gains, orange losses, colour as strong as the change is large; what is missing says where it stands.
Curves are the very drawing that the export writes, shown as a picture, in the colours of the page.
"""

from base64 import b64encode
from pathlib import Path

from bioui.components import empty
from bioui.components.view import View
from db import study_svg
from db.study_figures import GAIN, KIND_WORDS, RELATIVE, SCORE, SHOWS, FigureCell, FigureRow, StudyFigure

TEMPLATE = Path(__file__).with_suffix(".hbs").read_text(encoding="utf-8") + empty.TEMPLATE + "{{/if}}"
UNITS = {GAIN: "Gain (points)", RELATIVE: "Gain (%)", SCORE: "Score (%)"}
HEADS = {"Category transfer": "Tuned on", "Composition": "Composition", "Experts": "Adapter"}
STRONGEST = 62  # per cent of the hue in the cell of the largest change
# The twin stays open when the figure is drawn again.
ON_LOAD = """
let open = false;
element.addEventListener('click', (event) => {
  const summary = event.target.closest('.twin > summary');
  if (summary) open = !summary.parentElement.open;
});
watch('value', () => {
  const twin = element.querySelector('.twin');
  if (twin) twin.open = open;
});
"""


def no_figure(title: str = "", sentence: str = "") -> dict:
    return {"rows": [], "empty": empty.empty_state(title, sentence)}


def heat_map() -> View:
    return View(TEMPLATE, no_figure(), on_load=ON_LOAD, elem_classes="heat-view")


def heat_value(figure: StudyFigure) -> dict:
    """What the view shows of a figure."""
    words = KIND_WORDS[figure.kind]
    has_colours = figure.show in (GAIN, RELATIVE)
    drawn = _drawn(figure) if figure.is_curve else {"light": "", "dark": ""}
    return {
        **drawn,
        "caption": f"{SHOWS[figure.show]}, on {figure.base}. With {100 * figure.level:g} % intervals.",
        "head": HEADS.get(words, words),
        "unit": UNITS[figure.show],
        "spoken": " ".join((f"{words}, {figure.title}.", *figure.shows)),
        "columns": [
            {"title": column.title, "note": f"{column.measure}, n = {column.rows:,}"}
            for column in figure.columns
        ],
        "rows": [_row(figure, row) for row in figure.rows],
        "edge": f"{100 * figure.largest:.0f}" if has_colours else "",
        "relates": any(cell.is_related for row in figure.rows for cell in row.cells),
        "sentences": list(figure.shows),
        "lacks": list(figure.lacks),
        "flat": [line for row in figure.rows for line in _lines(figure, row)],
    }


def _row(figure: StudyFigure, row: FigureRow) -> dict:
    note = "score of the untuned base" if row.is_base else f"{row.rows:,} rows" if row.rows else "merged"
    return {
        "label": row.label,
        "note": note,
        "base": row.is_base,
        "cells": [_cell(figure, row, cell) for cell in row.cells],
    }


def _cell(figure: StudyFigure, row: FigureRow, cell: FigureCell) -> dict:
    if cell.is_missing:
        why = cell.note or "missing"
        return {"value": "", "why": why, "hue": "", "share": 0, "title": why, "related": False}
    signed = not row.is_base and figure.show in (GAIN, RELATIVE)
    value = f"{100 * cell.value:{'+' if signed else ''}.1f}"
    sure = cell.low is not None and cell.high is not None
    interval = f"{100 * cell.low:.1f} to {100 * cell.high:.1f}" if sure else "no interval"
    return {
        "value": value,
        "interval": interval,
        "why": "",
        "hue": ("heat-gain" if cell.value >= 0 else "heat-loss") if signed else "",
        "share": round(STRONGEST * min(1.0, abs(cell.value) / figure.largest), 1) if signed else 0,
        "title": " ".join(filter(None, (f"{value} ({interval}), {cell.n:,} test rows.", cell.note))),
        "related": cell.is_related and not row.is_base,
    }


def _lines(figure: StudyFigure, row: FigureRow) -> list[list[dict]]:
    """The row in the table twin, a line a column."""
    return [
        [
            {"text": row.label, "kind": ""},
            {"text": f"{column.title} (score)" if row.is_base else column.title, "kind": ""},
            *({"text": text, "kind": "col-num"} for text in _numbers(cell)),
            {"text": f"{cell.n:,}", "kind": "col-num"},
            {"text": f"{row.rows:,}", "kind": "col-num"},
        ]
        for column, cell in zip(figure.columns, row.cells, strict=True)
    ]


def _numbers(cell: FigureCell) -> list[str]:
    return ["" if value is None else f"{100 * value:.2f}" for value in (cell.value, cell.low, cell.high)]


def _drawn(figure: StudyFigure) -> dict[str, str]:
    """The drawing as a picture for each colour mode: a picture runs no script and fetches nothing."""
    bare = {mode: study_svg.to_svg(figure, mode, notes=False) for mode in ("light", "dark")}
    return {
        mode: f"data:image/svg+xml;base64,{b64encode(text.encode()).decode()}" for mode, text in bare.items()
    }
