"""The predictions of one evaluation or of two, a page at a time: what was asked, said, and how it counts.

Events of the returned View: `open` (`event.id`, the position), `older`, `newer`. j and k go down and up
(keys.js turns `.item` links), the arrow keys too while the list has the focus.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bioui.components import empty
from bioui.components.prediction_reading import change, outcome
from bioui.components.table import Trail
from bioui.components.view import View
from bioui.present import shortened

_HERE = Path(__file__)
TEMPLATE = _HERE.with_suffix(".hbs").read_text(encoding="utf-8").replace("@empty", empty.TEMPLATE)
ON_LOAD = _HERE.with_suffix(".js").read_text(encoding="utf-8")
PAGE_ROWS = 50
NO_ROWS = empty.empty_state("No such rows.", "Choose other rows above, or search for other words.")
NO_LIST: dict = {"rows": [], "empty": NO_ROWS}


@dataclass(frozen=True)
class Line:
    """One model's answer in a line."""

    name: str
    hue: str
    answer: str
    is_right: bool
    has_faults: bool
    score: float


@dataclass(frozen=True)
class Listed:
    """A row of the list; with two lines the base's is the first."""

    position: int
    excerpt: str
    lines: Sequence[Line]


def prediction_list() -> View:
    return View(TEMPLATE, NO_LIST, on_load=ON_LOAD, elem_classes="prediction-list")


def list_value(
    rows: Sequence[Listed],
    *,
    query: str,
    trail: Trail,
    following: int | None,
    total: int = 0,
    is_more: bool = False,
    jumped: bool = False,
    files: dict[str, str] | None = None,
    files_words: str = "",
    current: int | None = None,
) -> dict:
    """`query`: the address of this list, to which `&row=` is added; `files`: name -> address to take away."""
    return {
        "rows": [_row(row, query, current) for row in rows],
        "range": _range(rows, trail, f"more than {total:,}" if is_more else f"{total:,}", jumped),
        "pages": len(trail.before) > 1 or following is not None,
        "has_newer": len(trail.before) > 1,
        "has_older": following is not None,
        "files": [{"name": name, "href": href} for name, href in (files or {}).items()],
        "files_words": files_words,
        "empty": NO_ROWS,
    }


def _range(rows: Sequence[Listed], trail: Trail, total: str, jumped: bool) -> str:
    """`51-100 of 120`; where an address named the row to begin at, its number."""
    pages = len(trail.before) - 1
    if pages and jumped and rows:
        return f"From row {rows[0].position + 1:,} on, of {total}"
    return f"{pages * PAGE_ROWS + 1:,}–{pages * PAGE_ROWS + len(rows):,} of {total}"


def _row(row: Listed, query: str, current: int | None) -> dict:
    words, hue = "", ""
    if len(row.lines) > 1:
        before, after = row.lines
        words, hue = change(before.is_right, after.is_right, before.score, after.score)
    return {
        "position": row.position,
        "number": f"{row.position + 1:,}",
        "href": f"{query}&row={row.position}",
        "excerpt": shortened(row.excerpt, 200),
        "sides": [_line(line, is_pair=len(row.lines) > 1) for line in row.lines],
        "change": words,
        "change_hue": hue,
        "current": row.position == current,
    }


def _line(line: Line, *, is_pair: bool) -> dict:
    word, kind = outcome(line.is_right, line.has_faults, line.score)
    return {
        "name": line.name if is_pair else "",
        "hue": line.hue,
        "word": word,
        "outcome": kind,
        "answer": shortened(line.answer, 120) or "said nothing",
    }
