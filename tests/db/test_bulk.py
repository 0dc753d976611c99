"""Many records at once: a preview that is true, an apply that does just that, an undo that loses nothing."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from db import bulk, bulk_plan, duplicates, handing_in, imports, instructions, reviews, search
from db.bulk import Action, Change
from db.content import Content, content_of
from db.enums import Decision, InstructionStatus
from db.policy import PolicyError
from db.search import InstructionQuery
from db.session import read, write
from db.tables import AuditLine, BulkChange, Instruction, Lease, PrivacyFlag, Revision
from db.tables.base import utc_now

S = InstructionStatus
EVERYTHING = InstructionQuery()
TAG = Change(Action.TAG, ("Ward 7", " ward 7 "))


def complete(n: int) -> Content:
    return Content(f"Which organ is number {n}?", output="The liver.", task="qa", tags=("organ",))


@pytest.fixture
def ids(people, project_id) -> list[int]:
    """Two drafts, one in review, one approved, one draft without answer, one of another author."""
    with write() as session:
        own = imports.import_contents(session, people.author, project_id, [complete(n) for n in range(4)]).ids
        own += imports.import_contents(session, people.author, project_id, [Content("Why?")]).ids
        others = imports.import_contents(session, people.other_author, project_id, [complete(9)]).ids
        for id in own[2:4]:
            instructions.submit_for_review(session, people.author, id, version=1)
        reviews.review_instruction(session, people.reviewer, own[3], Decision.APPROVE, version=1)
        return own + others


def do(actor, project_id, change, picked=EVERYTHING) -> int:
    """Preview, then apply what it said; the id of the change."""
    with read() as session:
        count = bulk.preview(session, actor, project_id, change, picked).count
    with write() as session:
        return bulk.apply(session, actor, project_id, change, picked, count=count).id


def take_back(actor, change_id) -> bulk.Undone:
    with write() as session:
        return bulk.undo(session, actor, change_id)


def stored(ids) -> dict[int, Instruction]:
    with read() as session:
        return {row.id: row for row in session.scalars(select(Instruction).where(Instruction.id.in_(ids)))}


def test_a_preview_says_what_changes_what_does_not_and_why(people, project_id, ids):
    with read() as session:
        seen = bulk.preview(session, people.author, project_id, TAG, EVERYTHING)
        assert (seen.matched, seen.count) == (6, 4)
        assert seen.skipped == {"approved: a reviewer may tag it": 1, "someone else's": 1}
        assert (seen.rows[0].before, seen.rows[0].after) == ("organ", "organ, ward 7")
        seen = bulk.preview(session, people.author, project_id, Change(Action.SUBMIT), [*ids, 999])
        assert seen.skipped == {
            "not a draft": 2,
            "incomplete: output or task is missing": 1,
            "someone else's": 1,
            "not in this project, or deleted": 1,
        }
        assert [row.after for row in seen.rows] == ["in_review", "in_review"]


def test_tagging_writes_a_revision_of_each_and_throws_nothing_out_of_force(people, project_id, ids):
    before = stored(ids)
    do(people.reviewer, project_id, TAG)
    after = stored(ids)
    for id in ids:
        assert after[id].tags == [*before[id].tags, "ward 7"]
        assert (after[id].status, after[id].version) == (before[id].status, 2)
    assert after[ids[3]].approved_version == 2
    with read() as session:
        last = instructions.get_instruction(session, ids[3]).revisions
        assert [row.tags for row in last] == [["organ"], ["organ", "ward 7"]]
        assert content_of(last[1]) == content_of(after[ids[3]])
        assert "ward 7" in last[1].reason
        tagged = InstructionQuery(tags=("ward 7",))
        assert search.search_instructions(session, project_id, tagged).total == len(ids)


def test_who_tagged_what_waits_may_still_review_it(people, project_id, ids):
    do(people.reviewer, project_id, TAG, [ids[2]])
    with write() as session:
        reviews.review_instruction(session, people.reviewer, ids[2], Decision.APPROVE, version=2)


def test_a_privacy_flag_stays_on_a_record_that_is_tagged(people, project_id, ids):
    with write() as session:
        session.add(
            PrivacyFlag(
                instruction_id=ids[0],
                version=1,
                field="output",
                span_start=0,
                span_end=3,
                kind="MRN",
                score=0.9,
            )
        )
    do(people.author, project_id, TAG, ids[:2])
    with read() as session:
        page = search.search_instructions(session, project_id, InstructionQuery(is_flagged=True))
        assert [row.id for row in page.rows] == [ids[0]]


def test_what_someone_is_reviewing_is_not_tagged_under_their_hands(people, project_id, ids):
    with write() as session:
        until = utc_now() + timedelta(minutes=5)
        session.add(Lease(instruction_id=ids[2], user_id=people.other_reviewer.id, expires_at=until))
    with read() as session:
        seen = bulk.preview(session, people.reviewer, project_id, TAG, [ids[2]])
        assert seen.skipped == {"someone is reviewing it now": 1}


def test_untagging_takes_the_tag_from_those_that_have_it(people, project_id, ids):
    do(people.author, project_id, Change(Action.UNTAG, ("organ",)), ids[:2])
    assert [row.tags for row in stored(ids[:2]).values()] == [[], []]
    with read() as session:
        seen = bulk.preview(session, people.author, project_id, Change(Action.UNTAG, ("organ",)), ids[:2])
        assert (seen.count, seen.skipped) == (0, {"does not have the tags": 2})


def test_an_apply_is_refused_when_the_preview_is_no_longer_true(people, project_id, ids):
    with read() as session:
        count = bulk.preview(session, people.author, project_id, TAG, EVERYTHING).count
    with write() as session:
        instructions.create_instruction(session, people.author, project_id, complete(7))
    with pytest.raises(ValueError, match="^count: 5 records"), write() as session:
        bulk.apply(session, people.author, project_id, TAG, EVERYTHING, count=count)
    assert all("ward 7" not in row.tags for row in stored(ids).values())


def test_an_apply_is_refused_when_as_many_but_other_records_would_change(people, project_id, ids):
    with read() as session:
        seen = bulk.preview(session, people.author, project_id, TAG, EVERYTHING)
    with write() as session:
        instructions.delete_instruction(session, people.author, ids[0])
        instructions.create_instruction(session, people.author, project_id, complete(7))
    with pytest.raises(ValueError, match="^preview:"), write() as session:
        bulk.apply(session, people.author, project_id, TAG, EVERYTHING, count=seen.count, mark=seen.mark)
    assert all("ward 7" not in row.tags for row in stored(ids[1:]).values())


def test_what_undo_left_alone_is_remembered_and_who_may_undo_is_told(people, project_id, ids):
    change_id = do(people.author, project_id, TAG, ids[:2])
    with read() as session:
        [(change, _)] = bulk.list_changes(session, project_id)
        assert bulk.may_undo(people.author, change)
        assert bulk.may_undo(people.admin, change)
        assert not bulk.may_undo(people.other_reviewer, change)
    with write() as session:
        instructions.delete_instruction(session, people.author, ids[0])
    take_back(people.author, change_id)
    with read() as session:
        [(change, _)] = bulk.list_changes(session, project_id)
        assert (change.detail["kept"], change.detail["kept_count"]) == ([ids[0]], 1)
        assert not bulk.may_undo(people.author, change)


@pytest.mark.parametrize(
    "change",
    [TAG, Change(Action.UNTAG, ("organ",)), Change(Action.SUBMIT), Change(Action.RETIRE), Action.ASSIGN],
    ids=lambda change: getattr(change, "action", change),
)
def test_undo_puts_every_record_back_as_it_was(people, project_id, ids, change):
    if change is Action.ASSIGN:
        change = Change(Action.ASSIGN, assignee_id=people.other_reviewer.id)
    before = stored(ids)
    change_id = do(people.reviewer, project_id, change)
    changed = [id for id, row in stored(ids).items() if _told(row) != _told(before[id])]
    assert changed
    undone = take_back(people.reviewer, change_id)
    assert (undone.restored, undone.kept) == (len(changed), [])
    assert {id: _told(row) for id, row in stored(ids).items()} == {
        id: _told(row) for id, row in before.items()
    }
    with read() as session:
        head = (Revision.instruction_id == Instruction.id) & (Revision.number == Instruction.version)
        for row, revision in session.execute(select(Instruction, Revision).join(Revision, head)):
            assert content_of(row) == content_of(revision)


def _told(row: Instruction) -> tuple:
    in_force = row.approved_version == row.version
    return row.status, row.tags, row.assignee_id, row.submitted_at, in_force, content_of(row)


def test_undo_leaves_alone_what_changed_since_and_names_it(people, project_id, ids):
    change_id = do(people.author, project_id, TAG, ids[:2])
    with write() as session:
        edited = replace(complete(0), output="The spleen.")
        instructions.edit_instruction(session, people.author, ids[0], edited, version=2)
    undone = take_back(people.author, change_id)
    assert (undone.restored, undone.kept) == (1, [ids[0]])
    after = stored(ids)
    assert (after[ids[0]].output, after[ids[1]].tags) == ("The spleen.", ["organ"])


def test_a_submission_that_was_decided_on_is_not_taken_back(people, project_id, ids):
    change_id = do(people.author, project_id, Change(Action.SUBMIT))
    with write() as session:
        reviews.review_instruction(session, people.reviewer, ids[0], Decision.APPROVE, version=1)
    assert take_back(people.author, change_id).kept == [ids[0]]
    assert [row.status for row in stored(ids[:2]).values()] == [S.APPROVED, S.DRAFT]


def test_undo_is_for_who_did_it_or_an_admin_and_once(people, project_id, ids):
    change_id = do(people.author, project_id, TAG, ids[:1])
    with pytest.raises(PolicyError):
        take_back(people.other_author, change_id)
    take_back(people.admin, change_id)
    with pytest.raises(ValueError, match="^change:"):
        take_back(people.author, change_id)
    with pytest.raises(LookupError):
        take_back(people.author, 999)


@pytest.mark.parametrize("change", [Change(Action.RETIRE), Change(Action.ASSIGN)])
def test_authors_neither_retire_nor_assign(people, project_id, ids, change):
    with pytest.raises(PolicyError), read() as session:
        bulk.preview(session, people.author, project_id, change, EVERYTHING)


def test_records_are_assigned_only_to_people_who_can_work_on_them(people, project_id, ids):
    for stranger in (people.clinician.id, 999):
        change = Change(Action.ASSIGN, assignee_id=stranger)
        with pytest.raises(ValueError, match="^assignee_id:"), read() as session:
            bulk.preview(session, people.reviewer, project_id, change, EVERYTHING)


# The duplicate gate -----------------------------------------------------------------------------------

SUBMIT = Change(Action.SUBMIT)
APPENDIX = Content("Where in the abdomen lies the appendix?", output="At the right, below.", task="qa")


def store(actor, project_id, instruction) -> int:
    with write() as session:
        content = replace(APPENDIX, instruction=instruction)
        return instructions.create_instruction(session, actor, project_id, content).id


def test_a_submission_leaves_out_what_the_duplicate_gate_stops(people, project_id, ids):
    near = store(people.other_author, project_id, APPENDIX.instruction)
    copy = store(people.author, project_id, "Where in the abdomen lies the appendix now?")
    with read() as session:
        seen = bulk.preview(session, people.author, project_id, SUBMIT, [ids[0], copy])
        assert handing_in.find_copies(session, project_id, [ids[0], copy]) == {copy: near}
    assert (seen.matched, seen.count, seen.copies) == (2, 1, (copy,))
    assert seen.skipped == {bulk_plan.NEAR_COPY: 1}
    do(people.author, project_id, SUBMIT, [ids[0], copy])
    assert [row.status for row in stored([ids[0], copy]).values()] == [S.IN_REVIEW, S.DRAFT]
    with pytest.raises(ValueError, match=f"near copy of number {near}"), write() as session:
        handing_in.hand_in(session, people.author, copy, version=1)


def test_of_two_drafts_near_to_each_other_both_wait_for_a_person(people, project_id, ids):
    one = store(people.author, project_id, APPENDIX.instruction)
    other = store(people.author, project_id, "Where in the abdomen lies the appendix now?")
    with read() as session:
        assert bulk.preview(session, people.author, project_id, SUBMIT, [one, other]).copies == (one, other)
    with write() as session:
        instructions.delete_instruction(session, people.author, other)
    with read() as session:
        assert bulk.preview(session, people.author, project_id, SUBMIT, [one]).count == 1


def test_a_near_copy_that_was_waived_is_submitted_until_its_text_changes(people, project_id, ids):
    near = store(people.other_author, project_id, APPENDIX.instruction)
    copy = store(people.author, project_id, "Where in the abdomen lies the appendix now?")
    with write() as session:
        duplicates.waive(session, people.author, copy, near, version=1, reason="Asked twice in the exam.")
    with read() as session:
        assert bulk.preview(session, people.author, project_id, SUBMIT, [copy]).count == 1
    edited = replace(APPENDIX, instruction="Where in the abdomen lies the appendix today?")
    with write() as session:
        instructions.edit_instruction(session, people.author, copy, edited, version=1)
    with read() as session:
        assert bulk.preview(session, people.author, project_id, SUBMIT, [copy]).copies == (copy,)


def test_a_copy_written_after_the_preview_stops_the_apply(people, project_id, ids):
    one = store(people.author, project_id, APPENDIX.instruction)
    with read() as session:
        seen = bulk.preview(session, people.author, project_id, SUBMIT, [ids[0], one])
    store(people.other_author, project_id, "Where in the abdomen lies the appendix now?")
    with read() as session:
        copies = bulk.find_copies(session, people.author, project_id, SUBMIT, [ids[0], one])
    with pytest.raises(ValueError, match="^count: 1 records"), write() as session:
        bulk.apply(
            session, people.author, project_id, SUBMIT, [ids[0], one],
            count=seen.count, mark=seen.mark, copies=copies,
        )  # fmt: skip
    assert stored([ids[0]])[ids[0]].status is S.DRAFT


def test_the_gate_reports_as_it_goes_and_is_asked_for_submissions_alone(people, project_id, ids):
    told = []
    with read() as session:
        bulk.preview(session, people.author, project_id, SUBMIT, EVERYTHING, report=told.append)
        assert told == [1, 2]
        bulk.preview(session, people.author, project_id, TAG, EVERYTHING, report=told.append)
        assert bulk.find_copies(session, people.author, project_id, TAG, EVERYTHING) == frozenset()
    assert told == [1, 2]


# Many ---------------------------------------------------------------------------------------------------


def test_every_changed_record_has_its_audit_line_without_text(people, project_id, ids):
    change_id = do(people.reviewer, project_id, TAG)
    with read() as session:
        lines = list(session.scalars(select(AuditLine).where(AuditLine.action == "tagged")))
        assert {line.subject_id for line in lines} == set(ids)
        assert all(line.detail == {"bulk": change_id} for line in lines)
        [(change, name)] = bulk.list_changes(session, project_id)
        assert (change.id, name) == (change_id, "Reviewer")


def test_ten_thousand_records_are_changed_and_put_back(people, project_id):
    """Beyond what one statement may name; that it takes seconds is for the bench to say."""
    with write() as session:
        imports.import_contents(session, people.author, project_id, [complete(n) for n in range(10_000)])
    told = []
    with write() as session:
        done = bulk.apply(
            session, people.author, project_id, TAG, EVERYTHING, count=10_000, report=told.append
        )
        change_id = done.id
    assert told == sorted(set(told))
    assert (len(told) > 3, told[-1]) == (True, 10_000)
    with read() as session:
        assert bulk.size_of(session, change_id) == 10_000
        assert session.scalar(select(func.count()).select_from(Revision)) == 20_000
        assert len(session.get(BulkChange, change_id).before) == 10_000
    assert take_back(people.author, change_id).restored == 10_000


def test_a_change_names_what_is_wrong_with_it():
    with pytest.raises(ValueError, match="^tags:"):
        Change(Action.TAG, (" ",))
