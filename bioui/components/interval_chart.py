"""Figures with intervals on one axis: a dot for the value, a line from low to high, the numbers beside."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import floor
from pathlib import Path

from bioui.components.view import View

TEMPLATE = Path(__file__).with_suffix(".hbs").read_text(encoding="utf-8")


@dataclass(frozen=True)
class Interval:
    """A named figure; None where it is not defined, and `note` says why."""

    name: str
    value: float | None
    low: float | None
    high: float | None
    items: int
    note: str = ""


def intervals() -> View:
    return View(TEMPLATE, NO_INTERVALS, elem_classes="intervals")


NO_INTERVALS: dict = {"rows": [], "head": "", "ticks": []}


def intervals_value(head: str, rows: Sequence[Interval]) -> dict:
    """The axis ends at 1 and begins at 0, or lower where a figure does."""
    lows = [bound for row in rows for bound in (row.value, row.low) if bound is not None]
    start = min(0.0, floor(min(lows, default=0.0) * 2) / 2)
    place = lambda value: round((value - start) / (1 - start) * 100, 2)  # noqa: E731
    apart = 0.25 if start > -1 else 0.5
    steps = [start + step * apart for step in range(round((1 - start) / apart) + 1)]
    return {
        "head": head,
        "ticks": [{"label": f"{step:.2f}".rstrip("0").rstrip("."), "at": place(step)} for step in steps],
        "rows": [
            {
                "name": row.name,
                "note": row.note,
                "items": f"{row.items:,}",
                "figure": _figure(row),
                "has_value": row.value is not None,
                "at": place(row.value) if row.value is not None else 0,
                "has_range": row.low is not None and row.high is not None,
                "left": place(row.low) if row.low is not None else 0,
                "width": round(place(row.high) - place(row.low), 2) if None not in (row.low, row.high) else 0,
            }
            for row in rows
        ],
    }


def _figure(row: Interval) -> str:
    if row.value is None:
        return "not defined"
    if row.low is None or row.high is None:
        return _number(row.value)
    return f"{_number(row.value)} ({_number(row.low)} to {_number(row.high)})"


def _number(value: float) -> str:
    return f"{round(value, 2) + 0.0:.2f}"  # no minus before what rounds to 0
