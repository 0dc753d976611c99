"""Where a correction came from, for whoever reviews it: the rater, what they said of each answer, the link.

The answers are a model's text, and are shown as text.
"""

from pathlib import Path

from bioui.present import shortened
from db import feedback
from db.enums import Choice
from db.feedback import Feedback, Rated
from db.session import Session
from db.tables import Instruction

# For inclusion where `this` holds feedback_value(...), which may be None.
TEMPLATE = Path(__file__).with_suffix(".hbs").read_text(encoding="utf-8")
LONGEST = 4_000  # characters of an answer
_SAID = {
    Choice.TIE: "found both answers equally good",
    Choice.BOTH_BAD: "found both answers bad",
}


def feedback_value(session: Session, record: Instruction) -> dict | None:
    """None for what did not come from a vote."""
    told = feedback.about(session, record)
    if told is None:
        return None
    query = f"?project={record.project_id}"
    return {
        "rater": told.rater,
        "said": _said(told),
        "comment": told.comment,
        "href": "" if told.is_open else f"/playground{query}&comparison={told.comparison_id}",
        "number": told.comparison_id,
        "round_href": f"/rounds{query}&round={told.round_id}" if told.round_id else "",
        "answers": [_answer(answer) for answer in told.answers],
    }


def _said(told: Feedback) -> str:
    preferred = next((answer.name for answer in told.answers if answer.is_preferred), "")
    said = f"preferred {preferred}" if preferred else _SAID[told.choice]
    return f"{said}, without knowing which was which" if told.is_blind else said


def _answer(answer: Rated) -> dict:
    return {
        "name": answer.name,
        "items": [{"title": title, "value": value} for title, value in answer.rubric],
        "text": shortened(answer.text, LONGEST),
    }
