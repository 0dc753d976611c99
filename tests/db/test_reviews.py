import pytest

from db import instructions, projects, reviews
from db.content import Content
from db.enums import Decision, InstructionStatus
from db.policy import PolicyError
from db.session import read, write

COMPLETE = Content("Which organ does hepatitis inflame?", output="The liver.", task="qa")


@pytest.fixture
def submitted_id(people, project_id) -> int:
    with write() as session:
        row = instructions.create_instruction(session, people.author, project_id, COMPLETE)
        return instructions.submit_for_review(session, people.author, row.id, version=1).id


def decide(actor, instruction_id, decision, *, version=1, comment=""):
    with write() as session:
        reviews.review_instruction(session, actor, instruction_id, decision, version=version, comment=comment)


def test_approval_puts_the_reviewed_revision_in_force(people, submitted_id):
    decide(people.reviewer, submitted_id, Decision.APPROVE)
    with read() as session:
        stored = instructions.get_instruction(session, submitted_id)
        assert (stored.status, stored.approved_version) == (InstructionStatus.APPROVED, 1)


def test_an_edit_after_approval_goes_back_to_draft_while_the_approved_text_stays_in_force(
    people, submitted_id
):
    decide(people.reviewer, submitted_id, Decision.APPROVE)
    changed = Content("Which organ does hepatitis inflame?", output="The liver, often by a virus.", task="qa")
    with write() as session:
        stored = instructions.edit_instruction(session, people.author, submitted_id, changed, version=1)
        assert (stored.status, stored.version, stored.approved_version) == (InstructionStatus.DRAFT, 2, 1)


@pytest.mark.parametrize("decision", [Decision.REQUEST_CHANGES, Decision.REJECT])
def test_a_refusal_needs_a_reason(people, submitted_id, decision):
    with pytest.raises(ValueError, match="^comment:"):
        decide(people.reviewer, submitted_id, decision)
    decide(people.reviewer, submitted_id, decision, comment="Name the commonest cause.")


def test_nobody_approves_their_own_work(people, project_id):
    with write() as session:
        row = instructions.create_instruction(session, people.reviewer, project_id, COMPLETE)
        instructions.submit_for_review(session, people.reviewer, row.id, version=1)
        own_id = row.id
    with pytest.raises(PolicyError, match="your own"):
        decide(people.reviewer, own_id, Decision.APPROVE)


def test_who_edited_the_submission_may_not_approve_it_either(people, submitted_id):
    changed = Content("Which organ does hepatitis inflame?", output="Liver.", task="qa")
    with write() as session:
        instructions.edit_instruction(session, people.reviewer, submitted_id, changed, version=1)
        instructions.submit_for_review(session, people.reviewer, submitted_id, version=2)
    with pytest.raises(PolicyError):
        decide(people.reviewer, submitted_id, Decision.APPROVE, version=2)
    decide(people.other_reviewer, submitted_id, Decision.APPROVE, version=2)


def test_a_solo_project_lets_one_approve_ones_own_and_records_it_so(people, project_id):
    with write() as session:
        projects.set_solo(session, people.admin, project_id, solo=True)
        row = instructions.create_instruction(session, people.reviewer, project_id, COMPLETE)
        instructions.submit_for_review(session, people.reviewer, row.id, version=1)
        review = reviews.review_instruction(session, people.reviewer, row.id, Decision.APPROVE, version=1)
        assert review.is_solo


def test_a_review_of_an_older_version_is_refused(people, submitted_id):
    changed = Content("Which organ does hepatitis inflame?", output="Liver.", task="qa")
    with write() as session:
        instructions.edit_instruction(session, people.author, submitted_id, changed, version=1)
        instructions.submit_for_review(session, people.author, submitted_id, version=2)
    with pytest.raises(ValueError, match="newer version"):
        decide(people.reviewer, submitted_id, Decision.APPROVE, version=1)


def test_an_author_may_not_review(people, submitted_id):
    with pytest.raises(PolicyError, match="reviewer"):
        decide(people.other_author, submitted_id, Decision.APPROVE)
