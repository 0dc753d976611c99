import pytest
from sqlalchemy import select

from db import comparisons
from db import sides as sides_of
from db.compare_spec import Sampling, SideSpec
from db.comparisons import AnswerText
from db.policy import PolicyError
from db.session import read, write
from db.tables import AuditLine, Project
from tests.db.compared import QUESTION, compare
from tests.db.compared import sides as sides


def test_a_comparison_keeps_its_answers_in_their_columns_with_figures_and_settings(people, project_id, sides):
    answers = [
        AnswerText(sides.tuned, "Nitrofurantoin.", "stop", 3, 6.5, 0.2, {"seed": 4}),
        AnswerText(SideSpec(adapter_id=sides.tuned.adapter_id, step=40), "Amoxicillin.", "length"),
        AnswerText(sides.base, "Any.", "cancelled"),
    ]
    with write() as session:
        id = comparisons.record(
            session, people.clinician, project_id, instruction=f" {QUESTION} ", system="Be brief.",
            sampling=Sampling(50, 0.5, 7), answers=answers,
        ).id  # fmt: skip
    with read() as session:
        kept = comparisons.get(session, project_id, id)
        assert (kept.instruction, kept.system) == (QUESTION, "Be brief.")
        assert kept.sampling == {"max_tokens": 50, "temperature": 0.5, "seed": 7}
        assert [sides_of.of_answer(answer) for answer in kept.answers] == [given.side for given in answers]
        first = kept.answers[0]
        figures = (first.tokens, first.tokens_per_second, first.first_token_seconds)
        assert (*figures, first.provenance) == (3, 6.5, 0.2, {"seed": 4})
        line = session.scalars(select(AuditLine).order_by(AuditLine.id.desc())).first()
        assert (line.action, line.detail) == ("compared", {"sides": 3})


def test_no_text_of_a_prompt_or_an_answer_gets_into_the_audit_lines(people, project_id, sides):
    compare(people.clinician, project_id, {sides.base: "Amoxicillin."})
    with read() as session:
        told = [str(line.detail) for line in session.scalars(select(AuditLine))]
    assert not any("antibiotic" in line or "Amoxicillin" in line for line in told)


def test_comparisons_are_refused_to_who_may_not_compare_and_to_other_projects(people, project_id, sides):
    with pytest.raises(PolicyError, match="compare answers"):
        compare(people.author, project_id, {sides.base: "Yes."})
    id, _ = compare(people.clinician, project_id, {sides.base: "Yes."})
    with write() as session:
        other = Project(name="Ward 8")
        session.add(other)
        session.flush()
        with pytest.raises(LookupError, match="in this project"):
            comparisons.get(session, other.id, id)
    with pytest.raises(LookupError, match="in this project"):
        compare(people.clinician, other.id, {sides.base: "Yes."}, follows_id=id)
    with pytest.raises(LookupError, match="no prompt version number 99"):
        compare(people.clinician, project_id, {sides.base: "Yes."}, prompt_version_id=99)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"instruction": " "}, "instruction: write what the sides are asked"),
        ({"instruction": "x" * 20_001}, "instruction: 20,001 characters"),
        ({"finish": "exploded"}, "finish reason: 'exploded'"),
    ],
)
def test_what_cannot_be_recorded_is_named(people, project_id, sides, given, sentence):
    with pytest.raises(ValueError, match=sentence):
        compare(people.clinician, project_id, {sides.base: "Yes."}, **given)


def test_each_side_of_a_conversation_goes_on_from_its_own_answers(people, project_id, sides):
    first, _ = compare(
        people.clinician, project_id, {sides.base: "Nitrofurantoin.", sides.tuned: "Cefalexin."}, system="S"
    )
    second, _ = compare(
        people.clinician, project_id, {sides.base: "Five days.", sides.tuned: "A week."},
        instruction="For how long?", input="She is allergic.", system="S", follows_id=first,
    )  # fmt: skip
    with read() as session:
        turns = comparisons.turns_of(session, comparisons.get(session, project_id, second))
        assert [turn.id for turn in turns] == [first, second]
        asked = comparisons.messages(turns, 1, system="S", instruction="And then?", input="")
        again = comparisons.messages_of(session, turns[-1], 0)
    assert asked == [
        {"role": "system", "content": "S"},
        {"role": "user", "content": QUESTION},
        {"role": "assistant", "content": "Cefalexin."},
        {"role": "user", "content": "For how long?\n\nShe is allergic."},
        {"role": "assistant", "content": "A week."},
        {"role": "user", "content": "And then?"},
    ]
    assert [one["content"] for one in again[1:]] == [
        QUESTION, "Nitrofurantoin.", "For how long?\n\nShe is allergic.",
    ]  # fmt: skip


def test_a_conversation_goes_on_with_its_own_sides_and_not_after_an_empty_answer(people, project_id, sides):
    first, _ = compare(people.clinician, project_id, {sides.base: " ", sides.tuned: "Cefalexin."})
    with pytest.raises(ValueError, match="goes on with the sides it began with"):
        compare(
            people.clinician, project_id, {sides.tuned: "A week.", sides.base: "Five days."}, follows_id=first
        )
    with read() as session:
        turns = comparisons.turns_of(session, comparisons.get(session, project_id, first))
        with pytest.raises(ValueError, match="answer 1 to an earlier turn is empty"):
            comparisons.messages(turns, 0, system="", instruction="And then?", input="")


def test_the_recent_ones_come_newest_first(people, project_id, sides):
    ids = [compare(people.clinician, project_id, {sides.base: "Yes."})[0] for _ in range(3)]
    with read() as session:
        recent = comparisons.list_recent(session, project_id, limit=2)
        assert [one.id for one in recent] == [ids[2], ids[1]]
        assert comparisons.count(session, project_id) == 3
