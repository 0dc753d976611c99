import pytest
from sqlalchemy import select

from db import content, feedback, instructions, reviews, rounds, rubric, votes
from db.enums import Choice, Decision, InstructionStatus, Origin, Provenance
from db.session import read, write
from db.tables import AuditLine, DuplicateWaiver, Instruction, PrivacyFlag, Prompt, PromptVersion, Vote
from tests.db.compared import QUESTION, compare
from tests.db.compared import sides as sides

CORRECTION = "Nitrofurantoin, except near term; or cefalexin."


@pytest.fixture
def asked(people, project_id, sides):
    return compare(people.trainer, project_id, {sides.base: "Base.", sides.tuned: "Tuned."})


def cast(actor, asked, correction=CORRECTION, choice=Choice.BOTH_BAD, **said) -> Vote:
    id, (one, other) = asked
    with write() as session:
        return votes.cast(session, actor, id, one, other, choice, corrected_answer=correction, **said)


def waiting(session, project_id) -> list[Instruction]:
    found = select(Instruction).where(
        Instruction.project_id == project_id, Instruction.status == InstructionStatus.IN_REVIEW,
        Instruction.deleted_at.is_(None),
    )  # fmt: skip
    return list(session.scalars(found.order_by(Instruction.id)))


def test_a_correction_waits_for_a_review_as_an_instruction_of_origin_feedback(people, project_id, asked):
    vote = cast(people.clinician, asked)
    with read() as session:
        [made] = waiting(session, project_id)
        assert (made.id, made.comparison_id) == (vote.instruction_id, asked[0])
        assert (made.origin, made.provenance) == (Origin.FEEDBACK, Provenance.NATIVE)
        assert (made.instruction, made.output) == (QUESTION, CORRECTION)
        assert (made.author_id, made.source) == (people.clinician.id, f"Comparison {asked[0]}")
        assert reviews.count_waiting(session, people.reviewer, project_id) == 1
        done = [line.action for line in session.scalars(select(AuditLine).order_by(AuditLine.id))]
        assert done[-2:] == ["submitted", "voted"]


def test_it_takes_its_labels_from_the_prompt_of_the_shelf(people, project_id, sides):
    with write() as session:
        version = PromptVersion(
            number=1, category="QA", task="drug_information", specialty="obstetrics", instruction=QUESTION,
            tags=["safety"],
        )  # fmt: skip
        session.add(Prompt(project_id=project_id, title="Cystitis", versions=[version]))
        session.flush()
        version_id = version.id
    asked = compare(
        people.trainer, project_id, {sides.base: "Base.", sides.tuned: "Tuned."}, prompt_version_id=version_id
    )
    cast(people.clinician, asked)
    with read() as session:
        [made] = waiting(session, project_id)
        labels = (made.category, made.task, made.specialty, made.tags)
        assert labels == ("QA", "drug_information", "obstetrics", ["safety", "feedback"])


def test_a_later_change_revises_it_until_somebody_has_decided(people, project_id, asked):
    id = cast(people.clinician, asked).instruction_id
    assert cast(people.clinician, asked, "Nitrofurantoin.").instruction_id == id
    assert cast(people.clinician, asked, "Nitrofurantoin.", comment="Said so.").instruction_id == id
    with write() as session:
        [made] = waiting(session, project_id)
        assert (made.output, made.version) == ("Nitrofurantoin.", 2)
        reviews.review_instruction(session, people.reviewer, id, Decision.APPROVE, version=2)
    assert cast(people.clinician, asked, "Amoxicillin.").instruction_id == id
    with read() as session:
        made = instructions.get_instruction(session, id)
        assert (made.output, made.status) == ("Nitrofurantoin.", InstructionStatus.APPROVED)


def test_what_a_reviewer_has_rewritten_is_left_alone(people, project_id, asked):
    id = cast(people.clinician, asked).instruction_id
    with write() as session:
        held = instructions.get_instruction(session, id)
        better = content.Content(**{**vars(content.content_of(held)), "output": "Cefalexin."})
        instructions.edit_instruction(session, people.reviewer, id, better, version=held.version)
    cast(people.clinician, asked, "")
    with read() as session:
        assert instructions.get_instruction(session, id).output == "Cefalexin."


def test_a_correction_that_is_taken_out_takes_its_instruction_with_it(people, project_id, asked):
    cast(people.clinician, asked)
    assert cast(people.clinician, asked, "").instruction_id is None
    with read() as session:
        assert waiting(session, project_id) == []


def test_corrections_of_one_prompt_by_several_raters_stand_beside_each_other(people, project_id, asked):
    first = cast(people.clinician, asked).instruction_id
    second = cast(people.trainer, asked, "Fosfomycin as one dose.").instruction_id
    with read() as session:
        assert [made.id for made in waiting(session, project_id)] == [first, second]
        [waiver] = session.scalars(select(DuplicateWaiver))
        assert (waiver.instruction_id, waiver.near_id) == (second, first)
        assert "same prompt" in waiver.reason


def test_a_near_copy_of_a_stored_text_stays_a_draft_at_the_gate(people, project_id, asked):
    with write() as session:
        stored = content.Content(QUESTION, output="Ask a colleague.", task="qa")
        instructions.create_instruction(session, people.author, project_id, stored)
    vote = cast(people.clinician, asked)
    with read() as session:
        assert waiting(session, project_id) == []
        made = instructions.get_instruction(session, vote.instruction_id)
        assert (made.status, made.origin) == (InstructionStatus.DRAFT, Origin.FEEDBACK)


def test_what_looks_like_patient_data_is_flagged_for_the_reviewers(people, project_id, asked):
    vote = cast(people.clinician, asked, "Call Mrs Miller on 0171-5550199 and mail anna.miller@example.org.")
    with read() as session:
        flags = session.scalars(
            select(PrivacyFlag).where(PrivacyFlag.instruction_id == vote.instruction_id)
        ).all()
        assert "e-mail address" in {flag.kind for flag in flags}


def test_a_correction_in_a_conversation_carries_what_was_said_before(people, project_id, sides, asked):
    turn = compare(
        people.trainer, project_id, {sides.base: "Five days.", sides.tuned: "A week."},
        instruction="For how long?", system="Answer in one line.", follows_id=asked[0],
    )  # fmt: skip
    cast(people.clinician, turn, "Three to seven days.", Choice.OTHER)
    with read() as session:
        [made] = waiting(session, project_id)
    assert made.instruction == "Answer in one line.\n\nFor how long?"
    assert made.input == f"User: {QUESTION}\n\nAssistant: Tuned."


def test_reviewers_are_told_the_rater_the_rubric_and_the_comparison(people, project_id, asked):
    said = {asked[1][0]: {"correct": "no", "harm": "moderate"}}
    vote = cast(people.clinician, asked, choice=Choice.OTHER, rubric=said, comment="Dose was wrong.")
    with read() as session:
        told = feedback.about(session, instructions.get_instruction(session, vote.instruction_id))
    assert (told.comparison_id, told.rater, told.comment) == (asked[0], "Clinician", "Dose was wrong.")
    assert [(answer.name, answer.is_preferred) for answer in told.answers] == [
        ("Base", False),
        ("Tuned", True),
    ]
    assert told.answers[0].rubric == (("Correct", "no"), ("Harm if followed", "moderate"))


def test_while_the_round_is_open_reviewers_are_not_told_which_side_said_what(people, project_id, asked):
    with write() as session:
        round = rounds.create(
            session, people.trainer, project_id, title="R", rubric=rubric.DEFAULT, pairs=[tuple(asked[1])],
            rater_ids=[people.clinician.id],
        )  # fmt: skip
        round_id = round.id
    vote = cast(people.clinician, asked, round_id=round_id, first_id=asked[1][1], is_blind=True)
    with write() as session:
        made = instructions.get_instruction(session, vote.instruction_id)
        told = feedback.about(session, made)
        assert [(answer.name, answer.text) for answer in told.answers] == [
            ("Answer A", "Tuned."), ("Answer B", "Base."),
        ]  # fmt: skip
        assert told.is_open
        rounds.close(session, people.trainer, round_id)
        assert [answer.name for answer in feedback.about(session, made).answers] == ["Tuned", "Base"]
