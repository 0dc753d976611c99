"""What the tests of votes and rounds share: a base and adapters in the database, and answers of theirs."""

from dataclasses import dataclass

import pytest

from db import comparisons, registry
from db.compare_spec import Sampling, SideSpec
from db.comparisons import AnswerText
from db.session import write
from db.tables import Answer, BaseModel

QUESTION = "Which antibiotic suits a simple cystitis in early pregnancy?"


@dataclass(frozen=True)
class Sides:
    """A base and two adapters on it."""

    base: SideSpec
    tuned: SideSpec
    other: SideSpec


@pytest.fixture
def sides(project_id) -> Sides:
    with write() as session:
        base = BaseModel(name="Base", location="/nowhere", description="")
        session.add(base)
        session.flush()
        adapters = [
            registry.register_adapter(
                session, project_id=project_id, name=name, path="/nowhere", adapter_hash=name,
                base_model_id=base.id, base_revision="", template_hash="", data_hash="", seed=0, spec={},
                packages={},
            )
            for name in ("Tuned", "Other")
        ]  # fmt: skip
        session.flush()
        tuned, other = (SideSpec(adapter_id=adapter.id) for adapter in adapters)
        return Sides(SideSpec(base_model_id=base.id), tuned, other)


def compare(
    actor, project_id, said, *, instruction=QUESTION, input="", system="", finish="stop", **links
) -> tuple[int, list[int]]:
    """Record a comparison of {side: text}; its id and those of the answers, in that order."""
    answers = [AnswerText(side, text, finish, tokens=len(text.split())) for side, text in said.items()]
    with write() as session:
        made = comparisons.record(
            session, actor, project_id, instruction=instruction, input=input, system=system,
            sampling=Sampling(), answers=answers, **links,
        )  # fmt: skip
        session.flush()
        return made.id, [answer.id for answer in made.answers]


def pairs(actor, project_id, sides: Sides, count: int) -> list[tuple[int, int]]:
    """That many comparisons of base and tuned, each of its own prompt; their pairs of answer ids."""
    found = []
    for number in range(count):
        said = {sides.base: f"Base says {number}", sides.tuned: f"Tuned says {number}"}
        _, ids = compare(actor, project_id, said, instruction=f"{QUESTION} Case {number}.")
        found.append((ids[0], ids[1]))
    return found


def side_at(session, answer_id: int) -> str:
    """base or tuned, whichever gave the answer."""
    return "base" if session.get_one(Answer, answer_id).base_model_id else "tuned"
