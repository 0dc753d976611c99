"""Columns over a named axis: counts by week, records by length. Several small ones share a row.

Python works out heights, ticks and places as plain numbers; the columns are a stretched SVG with the words in
HTML around it, so that text keeps its size at any width. Each chart has a table twin.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bioui.components.curves import number, ticks_around
from bioui.components.view import View

TEMPLATE = Path(__file__).with_suffix(".hbs").read_text(encoding="utf-8")
GAP = 0.16  # of a column's width, between two
LABEL_ROOM = 36  # digits that fit over the columns side by side


@dataclass(frozen=True)
class Bar:
    """One column: its name under the axis ("" for none), how many, and its full name in the table."""

    tick: str
    count: int
    name: str


@dataclass(frozen=True)
class BarChart:
    """A chart's title, its axes with their units, its columns, and a sentence that sums it up.

    `edges`: the ticks stand between the columns, at where each begins, with `end` at the last one's end.
    """

    title: str
    x_name: str
    y_name: str
    bars: Sequence[Bar]
    sentence: str = ""
    hue: str = "tuned"
    edges: bool = False
    end: str = ""
    empty: str = ""


def bar_charts(shapes: int, *, elem_classes: str = "") -> View:
    """A row of charts; `shapes` empty frames until they are there."""
    return View(TEMPLATE, {"charts": [], "shapes": [""] * shapes}, elem_classes=f"bar-charts {elem_classes}")


def bar_charts_value(charts: Sequence[BarChart]) -> dict:
    return {"charts": [_drawn(chart) for chart in charts], "shapes": []}


def _drawn(chart: BarChart) -> dict:
    most = max((bar.count for bar in chart.bars), default=0)
    told = {"title": chart.title, "x_name": chart.x_name, "y_name": chart.y_name, "sentence": chart.sentence}
    if not most:
        return {**told, "bars": [], "empty": chart.empty}
    ticks = [tick for tick in ticks_around(0, most, 3) if tick == round(tick)]
    top, width = max(ticks[-1], most), 1000 / len(chart.bars)
    gap = width * (0.04 if chart.edges else GAP)
    return {
        **told,
        "hue": chart.hue,
        "bars": [
            {
                "x": round(place * width + gap / 2, 1),
                "width": round(width - gap, 1),
                "y": round(1000 - _height(bar.count, top) * 10, 1),
                "height": round(_height(bar.count, top) * 10, 1),
            }
            for place, bar in enumerate(chart.bars)
        ],
        "labels": _labels(chart.bars, most, top),
        "y_ticks": [
            {"label": number(tick), "at": round(tick / top * 100, 2), "y": round(1000 - tick / top * 1000)}
            for tick in ticks
        ],
        "x_ticks": _x_ticks(chart),
        "summary": f"{chart.title}: {chart.sentence or f'at most {most:,}'}",
        "table": [[bar.name, f"{bar.count:,}"] for bar in chart.bars],
    }  # fmt: skip


def _height(count: int, top: float) -> float:
    """Per cent of the plot; what is there at all can be seen."""
    return max(count / top * 100, 0.8) if count else 0.0


def _labels(bars: Sequence[Bar], most: int, top: float) -> list[dict]:
    """Numbers over the columns: all where they fit, else the highest and the last."""
    fits = len(f"{most:,}") * len(bars) < LABEL_ROOM
    last = len(bars) - 1
    highest = next(place for place, bar in enumerate(bars) if bar.count == most)
    return [
        {
            "text": f"{bar.count:,}",
            "left": round((place + 0.5) / len(bars) * 100, 2),
            "at": round(_height(bar.count, top), 2),
        }
        for place, bar in enumerate(bars)
        if bar.count and (fits or place == highest or (place == last and abs(place - highest) > 2))
    ]


def _x_ticks(chart: BarChart) -> list[dict]:
    shift = 0.0 if chart.edges else 0.5
    ticks = [
        {"label": bar.tick, "at": round((place + shift) / len(chart.bars) * 100, 2)}
        for place, bar in enumerate(chart.bars)
        if bar.tick
    ]
    return [*ticks, {"label": chart.end, "at": 100}] if chart.end else ticks
