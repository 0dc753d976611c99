"""What a judge's reply says: a winner, or grades. Anything else is no verdict, and is counted as none.

Two orders of one pair make one outcome: a win only when both orders name the same answer (Zheng et al. 2023,
"Judging LLM-as-a-judge"); otherwise a tie, and where the two contradict each other an inconsistent one.
"""

import json
from dataclasses import dataclass
from enum import StrEnum

from db.judging.rubrics import GRADES, Rubric

MAX_REASON = 2_000  # characters kept


class Verdict(StrEnum):
    """Of one reply: which evaluation's answer it prefers."""

    EVALUATION = "evaluation"
    AGAINST = "against"
    TIE = "tie"


class Outcome(StrEnum):
    """Of both orders together."""

    WIN = "win"
    LOSS = "loss"
    TIE = "tie"
    INCONSISTENT = "inconsistent"  # each order prefers another answer: the place decided


class Unreadable(ValueError):
    """A reply without a verdict; the sentence holds none of its words."""


@dataclass(frozen=True)
class Reply:
    """A reply as read: a verdict or grades, and the reason given."""

    reason: str
    verdict: Verdict | None = None
    grades: dict[str, int] | None = None


def read_pair(text: str, order: int) -> Reply:
    """`order` 0: the evaluation's answer stood first; 1: second. Raises Unreadable."""
    values = _object(text)
    better = str(values.get("better", "")).strip().lower().removeprefix("answer").strip()
    by_place = {"1": Verdict.EVALUATION, "2": Verdict.AGAINST, "tie": Verdict.TIE}
    if better not in by_place:
        raise Unreadable("The reply names neither answer, nor a tie.")
    verdict = by_place[better]
    if order == 1 and verdict is not Verdict.TIE:
        verdict = Verdict.AGAINST if verdict is Verdict.EVALUATION else Verdict.EVALUATION
    return Reply(_reason(values), verdict=verdict)


def read_grades(text: str, rubric: Rubric) -> Reply:
    """Raises Unreadable unless every criterion has a whole grade from 1 to 5."""
    values = _object(text)
    grades = {}
    for criterion in rubric.criteria:
        given = values.get(criterion.name)
        given = int(given) if isinstance(given, str) and given.strip().isdigit() else given
        given = int(given) if isinstance(given, float) and given.is_integer() else given
        if isinstance(given, bool) or given not in GRADES:
            raise Unreadable(f"The reply has no grade from 1 to 5 for {criterion.name}.")
        grades[criterion.name] = given
    return Reply(_reason(values), grades=grades)


def outcome(first: Verdict, second: Verdict) -> Outcome:
    """Of the two orders of one pair."""
    if first == second:
        return {
            Verdict.EVALUATION: Outcome.WIN,
            Verdict.AGAINST: Outcome.LOSS,
            Verdict.TIE: Outcome.TIE,
        }[first]
    return Outcome.TIE if Verdict.TIE in (first, second) else Outcome.INCONSISTENT


def _object(text: str) -> dict:
    """The first JSON object in the text, in a code fence or among prose."""
    decoder = json.JSONDecoder()
    for at, letter in enumerate(text):
        if letter == "{":
            try:
                found, _ = decoder.raw_decode(text, at)
            except (ValueError, RecursionError):
                continue
            if isinstance(found, dict):
                return found
    raise Unreadable("The reply holds no JSON object.")


def _reason(values: dict) -> str:
    return str(values.get("reason") or "")[:MAX_REASON]
