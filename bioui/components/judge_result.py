"""What a judge run came to: pairs won and lost, grades, the cost, and one row with the judge's reasons."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bioui.components.job_panel import head_on_load
from bioui.components.view import View
from bioui.present import counted
from db.judgements import ToJudge
from db.judging.rubrics import Rubric
from db.judging.verdicts import Outcome
from db.tables import Judgement

TEMPLATE = Path(__file__).with_suffix(".hbs").read_text(encoding="utf-8")
HEAD_TEMPLATE = Path(__file__).with_name("judge_head.hbs").read_text(encoding="utf-8")
ROW_TEMPLATE = Path(__file__).with_name("judge_row.hbs").read_text(encoding="utf-8")
NO_HEAD: dict = {"id": 0}
NO_RESULT: dict = {"has": False}
NO_ROW: dict = {"number": ""}
_BAR = (
    (Outcome.WIN, "won", "Won in both orders"),
    (Outcome.TIE, "tie", "Tie"),
    (Outcome.INCONSISTENT, "place", "The place decided"),
    (Outcome.LOSS, "lost", "Lost in both orders"),
)


@dataclass(frozen=True)
class AnswerSide:
    """Whose answers: the model's name, and base or tuned."""

    name: str
    side: str


def judge_head() -> View:
    return View(HEAD_TEMPLATE, NO_HEAD, on_load=head_on_load("job"))


def judge_result() -> View:
    return View(TEMPLATE, NO_RESULT)


def judge_row() -> View:
    return View(ROW_TEMPLATE, NO_ROW, elem_classes="judge-row", elem_id="judge-row")


def result_value(result: Mapping[str, Any], ours: AnswerSide, theirs: AnswerSide | None) -> dict:
    """The value of `judge_result`; `result` is of db.judge_figures."""
    spent = result["spent"]
    return {
        "has": True,
        "ours": ours.name,
        "our_side": ours.side,
        "theirs": theirs.name if theirs else "",
        "their_side": theirs.side if theirs else "",
        "pairs": _pairs(result["pairs"]) if "pairs" in result else None,
        "grades": [_grade(one) for one in result.get("grades", [])],
        "spent": _spent(spent),
        "unreadable": _unreadable(spent),
    }


def _pairs(pairs: Mapping[str, Any]) -> dict:
    n, won, first = pairs["n"], pairs["won"], pairs["first_place"]
    share = first["preferred"] / first["decided"] if first["decided"] else None
    return {
        "parts": [
            {
                "name": words,
                "hue": hue,
                "count": f"{pairs[outcome]:,}",
                "width": round(100 * pairs[outcome] / n, 2),
            }
            for outcome, hue, words in _BAR
        ],
        "won": _with_interval(won, percent=True),
        "n": counted(n, "pair"),
        "p": "not defined: no pair was won or lost" if pairs["p"] is None else _p(pairs["p"]),
        "first": ""
        if share is None
        else f"{share:.0%} of {first['decided']:,} verdicts went to what stood first",
    }


def _grade(one: Mapping[str, Any]) -> dict:
    gain = one["gain"]
    return {
        "name": one["criterion"].replace("_", " ").capitalize(),
        "ours": _with_interval(one["evaluation"]),
        "theirs": _with_interval(one["against"]) if one["against"] else "",
        "gain": _with_interval(gain["absolute"], signed=True) if gain else "",
        "p": _p(gain["p"]) if gain and gain["p"] is not None else "",
    }


def _with_interval(found: Mapping[str, Any], *, percent: bool = False, signed: bool = False) -> str:
    form = ("{:+.0%}" if signed else "{:.0%}") if percent else ("{:+.2f}" if signed else "{:.2f}")
    if found["value"] is None:
        return "not defined"
    value = form.format(found["value"])
    if found["low"] is None:
        return value
    return f"{value} ({form.format(found['low'])} to {form.format(found['high'])})"


def _p(p: float) -> str:
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}"


def _spent(spent: Mapping[str, Any]) -> str:
    tokens = spent["prompt_tokens"] + spent["completion_tokens"]
    money = f", {spent['money']:,.4f} at the endpoint's prices" if spent["money"] else ""
    return f"{counted(spent['calls'], 'verdict')} asked for, {tokens:,} tokens{money}."


def _unreadable(spent: Mapping[str, Any]) -> str:
    if not spent["unreadable"]:
        return ""
    return f"{counted(spent['unreadable'], 'reply', 'replies')} held no verdict and count for neither side."


def row_value(
    row: ToJudge, said: Sequence[Judgement], ours: AnswerSide, theirs: AnswerSide | None, rubric: Rubric
) -> dict:
    """The value of `judge_row`."""
    by_order = {one.order: one for one in said}
    answers = [{"name": ours.name, "side": ours.side, "text": row.answer, **_graded(by_order.get(2), rubric)}]
    if theirs:
        answers.append(
            {"name": theirs.name, "side": theirs.side, "text": row.other, **_graded(by_order.get(3), rubric)}
        )
    names = {"evaluation": ours.name, "against": theirs.name if theirs else "", "tie": "a tie"}
    return {
        "number": f"{row.position + 1:,}",
        "prompt": row.prompt,
        "reference": row.reference,
        "answers": answers,
        "orders": [
            {
                "first": (ours if order == 0 else theirs or ours).name,
                "verdict": f"Preferred {names[one.verdict]}" if one.verdict else one.error,
                "reason": one.reason,
            }
            for order, one in sorted(by_order.items())
            if order < 2
        ],
    }


def _graded(one: Judgement | None, rubric: Rubric) -> dict:
    if one is None:
        return {"grades": [], "reason": "", "error": ""}
    grades = [
        {"name": each.name.replace("_", " "), "grade": one.scores[each.name]}
        for each in rubric.criteria
        if each.name in one.scores
    ]
    return {"grades": grades, "reason": one.reason, "error": one.error}
