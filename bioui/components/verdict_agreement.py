"""How far raters of the same answers agree: on the vote, and on every item of the rubric."""

from collections.abc import Sequence

from bioui.components.interval_chart import Interval, intervals, intervals_value
from bioui.components.view import View
from db.verdicts import Agreed, AxisFigures

NO_AGREEMENT: dict = {"rows": [], "head": "", "ticks": []}
HELP = (
    "Krippendorff's alpha for categories: 1 is full agreement, 0 what chance would give, below 0 less than "
    "that. From 0.8 on figures can be relied on, below 0.667 hardly (Krippendorff 2019). Intervals are "
    "percentiles of a bootstrap over what was rated."
)


def agreement_view() -> View:
    return intervals()


def agreement_value(preference: Agreed, axes: Sequence[AxisFigures] = ()) -> dict:
    """The value of `agreement_view`: alpha of the vote and of each axis, and how often raters agree."""
    rows = [("The vote", preference), *((axis.title, axis.agreed) for axis in axes)]
    return intervals_value("Alpha of", [_row(name, agreed) for name, agreed in rows])


def _row(name: str, agreed: Agreed) -> Interval:
    alpha = agreed.alpha
    share = "" if agreed.percent.value is None else f"raters agree in {100 * agreed.percent.value:.0f} %"
    note = ". ".join(part.rstrip(".") for part in (share, alpha.note) if part)
    return Interval(name, alpha.value, alpha.low, alpha.high, alpha.n, note)
