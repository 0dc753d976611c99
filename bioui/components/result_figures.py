"""The figures of one evaluation or of two: every measure with its interval, drawn and as numbers.

Stored figures are dicts {value, low, high, n, clusters, note}; a share of 0.77 is shown as 77.0 %.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bioui.components import empty
from bioui.components.result_axis import Axis, axis_about_zero, axis_from_zero, bounds
from bioui.components.view import View
from db.metrics.measures import Measure

_HERE = Path(__file__).parent
FIGURES = (_HERE / "result_figures.hbs").read_text(encoding="utf-8").replace("@empty", empty.TEMPLATE)
GAINS = (_HERE / "result_gains.hbs").read_text(encoding="utf-8")
SHARE = "share"
METHOD = (
    "Intervals are BCa bootstraps that draw whole documents, so that rows of one document count together. "
    "Drawn on an axis from 0 to 100 % unless a figure says its own."
)
GAIN_METHOD = (
    "Both models answered the same prompts, so the rows are compared in pairs. An interval that leaves out 0 "
    "is a difference that the sample can show; p is of one measure alone, not corrected for the others."
)
NO_FIGURES: dict = {"rows": [], "empty": empty.empty_state("", "")}
NO_GAINS: dict = {"rows": []}
UNFINISHED = empty.empty_state(
    "No figures yet.", "They are reckoned when every row is scored; the predictions so far can be read."
)


@dataclass(frozen=True)
class Side:
    """One model's figures; `hue` is base or tuned."""

    name: str
    hue: str
    figures: Mapping[str, dict]


@dataclass(frozen=True)
class GainRow:
    """One measure's gain: `absolute` and `relative` are dicts as figures are."""

    measure: Measure
    absolute: dict
    relative: dict
    p: float | None
    test: str
    gained: int
    lost: int


def figures_view() -> View:
    return View(FIGURES, NO_FIGURES, elem_classes="result-figures-view")


def gains_view() -> View:
    return View(GAINS, NO_GAINS, elem_classes="result-gains-view")


def figures_value(
    measures: Sequence[Measure],
    sides: Sequence[Side],
    *,
    title: str = "Figures",
    headline: str = "",
    level: float = 0.95,
) -> dict:
    """One group of rows a measure, the base above the tuned; measures that no side has are left out."""
    known = [measure for measure in measures if any(measure.name in side.figures for side in sides)]
    shares, notes = axis_from_zero([]), _Notes()
    return {
        "rows": [_measure(measure, sides, headline, shares, notes) for measure in known],
        "notes": notes.texts,
        "title": title,
        "is_pair": len(sides) > 1,
        "level": _percent(level),
        "ticks": shares.ticks(_percent),
        "method": METHOD,
        "empty": UNFINISHED,
    }


def gains_value(title: str, sentence: str, rows: Sequence[GainRow], *, level: float = 0.95) -> dict:
    """The gains of one model over another; what is no share is written, not drawn."""
    drawn = [row.absolute for row in rows if row.measure.unit == SHARE]
    axis, notes = axis_about_zero(bounds(drawn)), _Notes()
    return {
        "title": title,
        "sentence": sentence,
        "rows": [_gain(row, axis, notes) for row in rows],
        "notes": notes.texts,
        "level": _percent(level),
        "ticks": axis.ticks(lambda mark: f"{100 * mark:+.3g}" if mark else "0"),
        "method": GAIN_METHOD,
    }


def shown(value: float | None, unit: str = SHARE) -> str:
    """`77.2 %` of a share, `1.30` of a ratio."""
    if value is None:
        return "not defined"
    return f"{100 * value:.1f} %" if unit == SHARE else f"{value:,.2f}"


def with_interval(figure: Mapping, unit: str = SHARE) -> str:
    """`77.2 % (71.0 to 82.3)`."""
    value, low, high = (figure.get(name) for name in ("value", "low", "high"))
    if value is None or low is None or high is None:
        return shown(value, unit)
    return f"{shown(value, unit)} ({_bare(low, unit)} to {_bare(high, unit)})"


def p_words(p: float | None) -> str:
    """`0.031`, `< 0.001`; a dash where there is no test."""
    if p is None:
        return "–"
    return "< 0.001" if p < 0.001 else f"{p:.3f}" if p < 0.0995 else f"{p:.2f}"


def verdict(absolute: Mapping, *, higher_is_better: bool = True) -> tuple[str, str]:
    """(words, hue) of a gain: what its interval shows, or that it shows nothing."""
    low, high = absolute.get("low"), absolute.get("high")
    if low is None or high is None or low <= 0 <= high:
        return "no clear difference", "unsure"
    return ("better", "better") if (low > 0) == higher_is_better else ("worse", "worse")


class _Notes:
    """The notes under a table, each once; `number` is what stands at the figure, "" for none."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def number(self, text: str) -> str:
        if text and text not in self.texts:
            self.texts.append(text)
        return str(self.texts.index(text) + 1) if text else ""


def _measure(measure: Measure, sides: Sequence[Side], headline: str, shares: Axis, notes: _Notes) -> dict:
    there = [side for side in sides if measure.name in side.figures]
    own = None
    if measure.unit != SHARE:
        own = axis_from_zero(bounds(side.figures[measure.name] for side in there))
    return {
        "title": measure.title,
        "help": measure.help,
        "is_headline": measure.name == headline,
        "lower": not measure.higher_is_better,
        "span": len(there),
        "sides": [
            {**_side(measure, side, own or shares, notes), "first": place == 0, "own_axis": _own(own)}
            for place, side in enumerate(there)
        ],
    }


def _side(measure: Measure, side: Side, axis: Axis, notes: _Notes) -> dict:
    figure = side.figures[measure.name]
    return {
        "name": side.name,
        "hue": side.hue,
        "figure": with_interval(figure, measure.unit),
        "note": notes.number(figure.get("note", "")),
        "n": f"{figure.get('n', 0):,}",
        "documents": f"{figure.get('clusters', 0):,}",
        **axis.interval(figure),
    }


def _own(axis: Axis | None) -> str:
    return "" if axis is None else f"axis: 0 to {axis.end:g}"


def _gain(row: GainRow, axis: Axis, notes: _Notes) -> dict:
    words, hue = verdict(row.absolute, higher_is_better=row.measure.higher_is_better)
    is_share = row.measure.unit == SHARE
    return {
        "title": row.measure.title,
        "help": row.measure.help,
        "word": words,
        "hue": hue,
        "absolute": _points(row.absolute, row.measure.unit),
        "note": notes.number(row.absolute.get("note", "")),
        "relative": _relative(row.relative),
        "relative_note": notes.number(row.relative.get("note", "")),
        "p": p_words(row.p),
        "test": row.test,
        "gained": f"{row.gained:,}",
        "lost": f"{row.lost:,}",
        **axis.interval(row.absolute if is_share else {}),
    }


def _points(gain: Mapping, unit: str) -> str:
    value, low, high = (gain.get(name) for name in ("value", "low", "high"))
    if value is None:
        return "not defined"
    told = f"{_signed(value, unit)} points" if unit == SHARE else _signed(value, unit)
    if low is None or high is None:
        return told
    return f"{told} ({_signed(low, unit)} to {_signed(high, unit)})"


def _relative(gain: Mapping) -> str:
    value, low, high = (gain.get(name) for name in ("value", "low", "high"))
    if value is None:
        return "not defined"
    told = f"{_signed(value, SHARE)} %"
    return (
        told if low is None or high is None else f"{told} ({_signed(low, SHARE)} to {_signed(high, SHARE)})"
    )


def _signed(value: float, unit: str) -> str:
    text = f"{100 * value:+.1f}" if unit == SHARE else f"{value:+.2f}"
    return text if text.strip("+-0.") else text.lstrip("+-")


def _bare(value: float, unit: str) -> str:
    return shown(value, unit).removesuffix(" %")


def _percent(share: float) -> str:
    return f"{100 * share:.3g} %"
