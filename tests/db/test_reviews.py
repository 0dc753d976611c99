import pytest

from db import audit, imports, instructions, projects, reviews, search
from db.content import Content
from db.enums import Decision, InstructionStatus
from db.policy import PolicyError
from db.search import InstructionQuery
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


# Many at once ---------------------------------------------------------------------------------------


def import_rows(actor, project_id, count=3) -> list[int]:
    rows = [Content(f"Question {number}?", output=f"Answer {number}.", task="qa") for number in range(count)]
    with write() as session:
        return imports.import_contents(session, actor, project_id, rows, submit=True).ids


def approve_import(actor, project_id, *, count, comment="Read 3 of 3."):
    with write() as session:
        (batch,) = reviews.list_imports(session, actor, project_id)
        return reviews.approve_import(
            session, actor, project_id, batch.author_id, batch.at, count=count, comment=comment
        )


def test_an_import_is_approved_as_one_with_a_review_and_an_audit_line_each(people, project_id, submitted_id):
    ids = import_rows(people.author, project_id)
    assert approve_import(people.reviewer, project_id, count=3) == 3
    with read() as session:
        for id in ids:
            stored = instructions.get_instruction(session, id)
            assert (stored.status, stored.approved_version) == (InstructionStatus.APPROVED, 1)
            (review,) = stored.reviews
            assert (review.reviewer_id, review.comment, review.is_solo) == (
                people.reviewer.id,
                "Read 3 of 3.",
                False,
            )
        lines = [line.subject_id for line in audit.list_lines(session) if line.action == Decision.APPROVE]
        assert sorted(lines) == ids
        other = instructions.get_instruction(session, submitted_id)
        assert other.status is InstructionStatus.IN_REVIEW


@pytest.mark.parametrize(("count", "comment", "field"), [(2, "Read all.", "number"), (3, " ", "checked")])
def test_an_import_is_approved_only_with_its_number_typed_and_a_comment(
    people, project_id, count, comment, field
):
    import_rows(people.author, project_id)
    with pytest.raises(ValueError, match=f"^{field}:"):
        approve_import(people.reviewer, project_id, count=count, comment=comment)


def test_two_imports_of_one_author_stay_apart(people, project_id):
    import_rows(people.author, project_id, 3)
    import_rows(people.author, project_id, 2)
    with read() as session:
        waiting = reviews.list_imports(session, people.reviewer, project_id)
        assert [batch.rows for batch in waiting] == [3, 2]
        sample = reviews.sample_import(session, people.reviewer, project_id, waiting[0], size=2)
        assert [row.instruction for row in sample] == ["Question 0?", "Question 1?"]


def test_ones_own_import_is_not_offered_except_in_a_solo_project(people, project_id):
    import_rows(people.reviewer, project_id)
    with read() as session:
        assert reviews.list_imports(session, people.reviewer, project_id) == []
    with write() as session:
        projects.set_solo(session, people.admin, project_id, solo=True)
    assert approve_import(people.reviewer, project_id, count=3) == 3
    with read() as session:
        found = search.search_instructions(session, project_id, InstructionQuery())
        assert all(row.reviews[0].is_solo for row in found.rows)


def test_a_row_of_the_import_that_the_reviewer_edited_is_left_for_someone_else(people, project_id):
    first, *_ = import_rows(people.author, project_id)
    changed = Content("Question 0?", output="Better.", task="qa")
    with write() as session:
        instructions.edit_instruction(session, people.reviewer, first, changed, version=1)
        instructions.submit_for_review(session, people.reviewer, first, version=2)
    assert approve_import(people.reviewer, project_id, count=2) == 2
    with read() as session:
        assert instructions.get_instruction(session, first).status is InstructionStatus.IN_REVIEW


def test_approving_what_was_shown_leaves_what_changed_since(people, project_id):
    ids = import_rows(people.author, project_id)
    changed = Content("Question 1?", output="Changed.", task="qa")
    with write() as session:
        instructions.edit_instruction(session, people.author, ids[1], changed, version=1)
        instructions.submit_for_review(session, people.author, ids[1], version=2)
    with write() as session:
        shown = [(id, 1) for id in ids]
        assert reviews.approve_shown(session, people.reviewer, project_id, shown) == 2
    with read() as session:
        statuses = [instructions.get_instruction(session, id).status for id in ids]
        assert statuses == [
            InstructionStatus.APPROVED,
            InstructionStatus.IN_REVIEW,
            InstructionStatus.APPROVED,
        ]


def test_an_author_may_not_approve_many(people, project_id):
    ids = import_rows(people.author, project_id)
    with pytest.raises(PolicyError), write() as session:
        reviews.approve_shown(session, people.other_author, project_id, [(ids[0], 1)])


# The queue ------------------------------------------------------------------------------------------


def test_the_queue_is_oldest_first_and_pages_without_gap_or_repeat(people, project_id, submitted_id):
    ids = import_rows(people.author, project_id, 4)
    seen, after = [], None
    with read() as session:
        while True:
            page = reviews.list_queue(session, people.reviewer, project_id, after=after, limit=2)
            seen += [row.id for row in page.rows]
            after = page.next_after
            if after is None:
                break
    assert seen == [submitted_id, *ids]


def test_what_one_wrote_or_edited_stands_apart_from_the_queue(people, project_id, submitted_id):
    changed = Content("Which organ does hepatitis inflame?", output="Liver.", task="qa")
    with write() as session:
        instructions.edit_instruction(session, people.reviewer, submitted_id, changed, version=1)
        instructions.submit_for_review(session, people.reviewer, submitted_id, version=2)
    with read() as session:
        assert reviews.count_waiting(session, people.reviewer, project_id) == 0
        assert reviews.count_own_waiting(session, people.reviewer, project_id) == 1
        own = reviews.list_queue(session, people.reviewer, project_id, own=True)
        assert [row.id for row in own.rows] == [submitted_id]
        assert reviews.count_waiting(session, people.other_reviewer, project_id) == 1
