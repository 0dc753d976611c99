"""A study's figure as files: CSV, a Markdown table, an SVG that needs nothing else.

All text is escaped for where it goes: names of studies and tasks are people's own words.
"""

import csv
import io
import re

from db.study_figures import GAIN, KIND_WORDS, RELATIVE, SHOWS, FigureCell, StudyFigure

_FORMULA = ("=", "+", "-", "@", "\t", "\r")  # a spreadsheet would run these


def to_csv(figure: StudyFigure) -> str:
    """One line an arm and column: value, interval, test rows, train rows; shares from 0 to 1."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(
        [
            "arm",
            "column",
            "measure",
            "shows",
            "value",
            "low",
            "high",
            "level",
            "test_rows",
            "train_rows",
            "note",
        ]
    )
    for row in figure.rows:
        for column, cell in zip(figure.columns, row.cells, strict=True):
            shown = "score" if row.is_base else figure.show
            names = [_safe(text) for text in (row.label, column.title, column.measure)]
            numbers = [_plain(value) for value in (cell.value, cell.low, cell.high)]
            writer.writerow([*names, shown, *numbers, figure.level, cell.n, row.rows, _safe(cell.note)])
    return out.getvalue()


def to_markdown(figure: StudyFigure) -> str:
    """A table with the figure in each cell, and under it what it shows and what it does not."""
    heads = [f"{column.title} ({column.measure}, {column.rows:,} rows)" for column in figure.columns]
    lines = [
        f"**{_md(figure.title)}**: {KIND_WORDS[figure.kind].lower()} on {_md(figure.base)}. "
        f"{SHOWS[figure.show]} ({100 * figure.level:g} % interval); of the untuned base its score.",
        "",
        f"| Arm | Train rows | {' | '.join(map(_md, heads))} |",
        f"|---|--:|{'--:|' * len(heads)}",
    ]
    for row in figure.rows:
        cells = [in_words(cell, "score" if row.is_base else figure.show) for cell in row.cells]
        lines.append(f"| {_md(row.label)} | {row.rows or '–'} | {' | '.join(map(_md, cells))} |")
    lines += ["", *(f"{_md(sentence)}" for sentence in (*figure.shows, *figure.lacks))]
    return "\n".join(lines) + "\n"


def in_words(cell: FigureCell, show: str) -> str:
    """`+12.3 (8.1 to 16.0)`, in points or per cent; why it is missing where it is."""
    if cell.is_missing:
        return cell.note or "missing"
    sign = "+" if show in (GAIN, RELATIVE) else ""
    value = f"{100 * cell.value:{sign}.1f}"
    if cell.low is None or cell.high is None:
        return value
    return f"{value} ({100 * cell.low:.1f} to {100 * cell.high:.1f})"


def file_name(figure: StudyFigure, ending: str) -> str:
    slug = re.sub(r"[^a-z0-9]+", "-", figure.title.lower()).strip("-")[:60] or "study"
    return f"{slug}.{ending}"


def _plain(value: float | None) -> str:
    return "" if value is None else f"{value:.6f}"


def _safe(text: str) -> str:
    return f"'{text}" if text.startswith(_FORMULA) else text


def _md(text: str) -> str:
    """Text that stays in its cell and is no markup."""
    flat = " ".join(text.split())
    return re.sub(r"([\\`*_\[\]<>|])", r"\\\1", flat)
