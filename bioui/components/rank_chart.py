"""Named shares, one bar a row, with the number beside it; a mark on the bar may show what to compare with."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bioui.components.view import View

TEMPLATE = Path(__file__).with_suffix(".hbs").read_text(encoding="utf-8")


@dataclass(frozen=True)
class Ranked:
    """One row: a name, its figures as they are to be read, how long its bar is and where its mark stands."""

    name: str
    figures: Sequence[str]
    share: float  # 0 to 1 of the longest bar there can be
    mark: float | None = None
    hue: str = "tuned"


@dataclass(frozen=True)
class RankChart:
    """`head` names the columns before the bar, `axis` the bar and its unit."""

    title: str
    head: Sequence[str]
    axis: str
    rows: Sequence[Ranked]
    sentence: str = ""
    empty: str = ""


def rank_charts(*, elem_classes: str = "") -> View:
    return View(TEMPLATE, {"charts": [], "waiting": True}, elem_classes=f"rank-charts {elem_classes}")


def rank_charts_value(charts: Sequence[RankChart]) -> dict:
    return {"waiting": False, "charts": [_drawn(chart) for chart in charts]}


def _drawn(chart: RankChart) -> dict:
    return {
        "title": chart.title,
        "sentence": chart.sentence,
        "head": list(chart.head),
        "axis": chart.axis,
        "empty": chart.empty,
        "rows": [
            {
                "name": row.name,
                "figures": list(row.figures),
                "width": round(min(1.0, row.share) * 1000, 1),
                "has_mark": row.mark is not None,
                "mark": round(min(1.0, row.mark or 0.0) * 100, 2),
                "hue": row.hue,
            }
            for row in chart.rows
        ],
    }
