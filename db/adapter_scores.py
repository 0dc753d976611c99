"""The part of an adapter's card that says what it scored: a table of its tasks, and the gate's word.

Only figures and gains that are kept are told; nothing is reckoned for a card.
"""

from sqlalchemy.orm import Session

from db import gains, gates, leaks
from db.evaluations import WITHOUT_LEAKS, level_of
from db.gains import OverBase
from db.markdown import plain
from db.metrics import measures
from db.metrics.measures import Measure
from db.tables import Adapter, Evaluation

_HEADER = "| task | measure | rows | base | tuned | gain | p (Holm) | overlap with the train rows |"


def evaluated(session: Session, adapter: Adapter) -> str:
    """Markdown: a row a task and way, in the headline measure, and the gate's word."""
    if adapter.id is None:
        return "Not measured yet: it was written before any evaluation."
    own = [one for one in gains.newest(session, adapter.project_id) if one.adapter_id == adapter.id]
    if not own:
        return "Not measured yet."
    over = {
        one.evaluation.id: one
        for one in gains.gains_against_base(session, adapter.project_id, adapter_id=adapter.id)
    }
    own.sort(key=lambda one: (one.task_version.category, one.task_version.name.casefold(), one.way))
    levels = sorted({level_of(session, one) for one in own})
    lines = [_HEADER, "|---|---|--:|--:|--:|--:|--:|---|"]
    for one in own:
        lines.append(_line(one, over.get(one.id), leaks.badge_of(session, one).sentence))
        if one.measure + WITHOUT_LEAKS in one.figures:
            lines.append(_line_without(one))
    return "\n".join([*lines, "", _legend(levels), "", _gate(gates.verdict(session, adapter))])


def _line(one: Evaluation, over: OverBase | None, leaked: str) -> str:
    measure = measures.get(one.measure)
    base = _figure(measure, over.base.figures[over.measure]) if over else "not measured"
    gain, p = "", ""
    if over and over.gain:
        gain = _figure(measure, vars(over.gain.absolute), sign="+")
        p = "" if over.p_holm is None else _p(over.p_holm)
    figure = _figure(measure, one.figures[one.measure])
    name = f"{plain(one.task_version.name)} ({one.way.value})"
    return f"| {name} | {measure.title} | {one.rows:,} | {base} | {figure} | {gain} | {p} | {plain(leaked)} |"


def _line_without(one: Evaluation) -> str:
    figure = one.figures[one.measure + WITHOUT_LEAKS]
    measure = measures.get(one.measure)
    return (
        f"| the same without those rows | {measure.title} | {figure['n']:,} | | {_figure(measure, figure)} "
        "| | | |"
    )


def _legend(levels: list[float]) -> str:
    named = " and ".join(f"{100 * level:g} %" for level in levels)
    return (
        f"In brackets: {named} intervals by bootstrap over documents. Gains are over the base on the same "
        "rows with the same prompts, in points of a hundred; p is of a paired test, corrected over the tasks "
        "by Holm."
    )


def _gate(verdict: gates.Verdict) -> str:
    return f"Regression gate. {plain(verdict.sentence)}"


def _figure(measure: Measure, figure: dict, sign: str = "") -> str:
    """`71.2 (68.0 to 74.1)`, in per cent where the measure is a share; with sign "+" as a gain."""
    if figure["value"] is None:
        return "none"
    scale, digits = (100, 1) if measure.unit == "share" else (1, 2)
    said = [
        f"{scale * figure[name]:{sign}.{digits}f}"
        for name in ("value", "low", "high")
        if figure[name] is not None
    ]
    return f"{said[0]} ({said[1]} to {said[2]})" if len(said) == 3 else said[0]


def _p(value: float) -> str:
    return "< 0.001" if value < 0.001 else f"{value:.3f}"
