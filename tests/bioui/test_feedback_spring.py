"""What a reviewer of a corrected answer is shown of the vote that it came with."""

import json

import pytest

from bioui.components.feedback_spring import feedback_value
from db import instructions, rounds, rubric, votes
from db.content import Content
from db.enums import Choice
from db.session import read, write
from tests.db.compared import compare
from tests.db.compared import sides as sides


@pytest.fixture
def asked(people, project_id, sides):
    return compare(people.trainer, project_id, {sides.base: "Amoxicillin.", sides.tuned: "Cefalexin."})


def shown(people, project_id, asked, **given) -> dict:
    id, (one, other) = asked
    with write() as session:
        vote = votes.cast(
            session, people.clinician, id, one, other, Choice.ONE, corrected_answer="Nitrofurantoin.",
            rubric={other: {"correct": "no"}}, **given,
        )  # fmt: skip
        return feedback_value(session, instructions.get_instruction(session, vote.instruction_id))


def test_rater_choice_rubric_and_link_are_told(people, project_id, asked):
    value = shown(people, project_id, asked, comment="Resistance is common.")
    assert (value["rater"], value["said"]) == ("Clinician", "preferred Base")
    assert value["href"] == f"/playground?project={project_id}&comparison={asked[0]}"
    assert value["comment"] == "Resistance is common."
    assert value["answers"] == [
        {"name": "Base", "items": [], "text": "Amoxicillin."},
        {"name": "Tuned", "items": [{"title": "Correct", "value": "no"}], "text": "Cefalexin."},
    ]


def test_in_an_open_round_neither_the_sides_nor_the_comparison_are_told(people, project_id, asked):
    with write() as session:
        round_id = rounds.create(
            session, people.trainer, project_id, title="R", rubric=rubric.DEFAULT, pairs=[tuple(asked[1])],
            rater_ids=[people.clinician.id],
        ).id  # fmt: skip
    value = shown(people, project_id, asked, round_id=round_id, first_id=asked[1][1], is_blind=True)
    assert value["said"] == "preferred Answer B, without knowing which was which"
    told = json.dumps({name: held for name, held in value.items() if name != "number"})
    assert not any(name in told for name in ("Base", "Tuned", "/playground"))


def test_other_records_have_none(people, project_id):
    with write() as session:
        written = Content("Ask?", output="Say.", task="qa")
        id = instructions.create_instruction(session, people.author, project_id, written).id
    with read() as session:
        assert feedback_value(session, instructions.get_instruction(session, id)) is None
