"""What raters said of each side by the rubric: shares with intervals, differences, what was never seen."""

from collections.abc import Sequence
from pathlib import Path

from bioui.components.result_figures import p_words
from bioui.components.verdict import Hues, share_place, share_ticks, share_words
from bioui.components.view import View
from db.verdicts import AxisFigures

TEMPLATE = Path(__file__).with_suffix(".hbs").read_text(encoding="utf-8")
METHOD = (
    "Intervals are Wilson's, clustered by prompt and rater where that is wider. Differences are of ratings "
    "of both answers by one rater: exact McNemar test where each prompt was rated once, else randomisation "
    "by prompt; p is corrected for the number of items (Holm). Where nothing was seen, the bound is the "
    "exact one behind the rule of three; an answer counts once, whoever rated it."
)
NOTHING = "No answer is rated by the rubric yet."
NO_AXES: dict = {"rows": [], "empty": ""}


def axes_view() -> View:
    return View(TEMPLATE, NO_AXES, elem_classes="verdict-axes-view")


def axes_value(found: Sequence[AxisFigures], *, level: float = 0.95, hues: Hues | None = None) -> dict:
    """The value of `axes_view`; the first side is drawn as tuned, others as base, unless told."""
    rated = [axis for axis in found if any(side.share.n for side in axis.sides)]
    if not rated:
        return {"rows": [], "empty": NOTHING}
    return {
        "is_pair": len(rated[0].sides) == 2,
        "level": f"{100 * level:g} %",
        "ticks": share_ticks(),
        "rows": [_axis(axis, hues or _hues(axis)) for axis in rated],
        "method": METHOD,
    }


def _hues(axis: AxisFigures) -> dict[str, str]:
    names = [side.name for side in axis.sides]
    return dict.fromkeys(names, "tuned") | ({names[1]: "base"} if len(names) == 2 else {})


def _axis(axis: AxisFigures, hues: Hues) -> dict:
    return {
        "title": axis.title,
        "question": axis.question,
        "seen": f"share of {axis.seen}",
        "span": len(axis.sides),
        "gain": _gain(axis),
        "test": axis.gain.test if axis.gain else "",
        "p": p_words(axis.p),
        "sides": [
            {
                "name": side.name,
                "hue": hues.get(side.name, "tuned"),
                "is_first": at == 0,
                "words": side.words,
                "spread": _spread(side.counts),
                "ratings": f"{side.share.n:,}",
                "figure": share_words(side.share.value, side.share.low, side.share.high),
                **share_place(side.share.value, side.share.low, side.share.high),
            }
            for at, side in enumerate(axis.sides)
        ],
    }


def _spread(counts) -> str:
    """`19 mild, 2 severe` of a choice; "" of yes and no, which the share tells already."""
    if set(counts) == {"yes", "no"}:
        return ""
    return ", ".join(f"{count:,} {value}" for value, count in list(counts.items())[1:] if count)


def _gain(axis: AxisFigures) -> str:
    """`+17 (+8 to +25)`."""
    if axis.gain is None or axis.gain.absolute.value is None:
        return "–"
    found = axis.gain.absolute
    told = _points(found.value)
    if found.low is None or found.high is None:
        return told
    return f"{told} ({_points(found.low)} to {_points(found.high)})"


def _points(share: float) -> str:
    text = f"{100 * share:+.0f}"
    return text if text.strip("+-0") else "0"
