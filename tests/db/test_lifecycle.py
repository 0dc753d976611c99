"""The one table of statuses, walked at random: whatever people try, nothing is approved without a review."""

import os
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from db import disagreements, double_review, instructions, lifecycle, projects, reviews, withdrawals
from db.content import Content
from db.double_review import ReviewSettings
from db.enums import Decision, InstructionStatus, Reason
from db.lifecycle import TABLE, Move
from db.policy import PolicyError
from db.session import read, write
from db.settings import REPOSITORY
from db.tables import Instruction, Project, Review, Revision

S = InstructionStatus
WALKS = int(os.environ.get("STUDIO_WALKS", "20"))  # more of them find rarer ways
REFUSALS = (PolicyError, LookupError, ValueError)
WHO = st.sampled_from(["author", "other_author", "reviewer", "other_reviewer", "admin", "clinician"])


def test_only_a_decision_or_the_shipped_library_approves_and_only_what_is_retired_comes_back():
    assert {move: step.starts for move, step in TABLE.items() if step.end is S.APPROVED} == {
        Move.APPROVE: {S.IN_REVIEW},
        Move.SHIP: {S.DRAFT},
        Move.REINSTATE: {S.RETIRED},
    }
    assert {move for move, step in TABLE.items() if step.end is S.IN_REVIEW} == {Move.SUBMIT}
    assert set(TABLE) == set(Move)


def test_no_function_of_db_sets_a_status_past_the_table():
    files = [
        path for path in (REPOSITORY / "db").glob("*.py") if path.name not in ("lifecycle.py", "jobs.py")
    ]
    past = [
        f"{path.name}: {line.strip()}"
        for path in files
        for line in path.read_text(encoding="utf-8").splitlines()
        if ".status = " in line or "values(status=" in line or '"status": InstructionStatus' in line
    ]
    assert past == []


@pytest.mark.parametrize("status", S)
@pytest.mark.parametrize("move", Move)
def test_a_record_and_a_row_move_alike(people, project_id, status, move):
    with write() as session:
        row = instructions.create_instruction(session, people.author, project_id, Content("Which organ?"))
        row.status, row.approved_version = status, 1
        session.flush()
        allowed = status in TABLE[move].starts
        assert lifecycle.can_move(row, move) is allowed
        if move is not Move.EDIT:
            moved = lifecycle.move_all(session, move, [Instruction.id == row.id])
            assert [found.id for found in moved] == [row.id] * allowed
            session.refresh(row)
        elif allowed:
            lifecycle.move(row, move)
        assert row.status is (TABLE[move].end if allowed else status)


def test_a_move_that_the_table_lacks_says_where_the_record_is(people, project_id):
    with write() as session:
        row = instructions.create_instruction(session, people.author, project_id, Content("Which organ?"))
        with pytest.raises(ValueError, match=r"^status: it is draft; nothing waits for a review here\.$"):
            lifecycle.move(row, Move.APPROVE)
        with pytest.raises(ValueError, match="^status: it is draft; only a record with an approved text"):
            lifecycle.move(row, Move.RETIRE)


class Curation(RuleBasedStateMachine):
    """Six people do as they like with a few records of a project, through the functions that pages call."""

    def __init__(self, people, is_solo: bool) -> None:
        super().__init__()
        self.people, self.is_solo, self.ids, self.texts = people, is_solo, [], 0
        self.seen: dict[int, InstructionStatus] = {}
        self.went: set[tuple[InstructionStatus, InstructionStatus]] = set()
        with write() as session:
            project = Project(name=f"Walk {uuid4()}", is_solo=is_solo)
            session.add(project)
            session.flush()
            self.project_id = project.id

    def attempt(
        self, who: str, moves: set[Move], function, place: int, *args, stale: bool = False, **options
    ):
        """Call a function of db on a record as somebody; a refusal is an answer too, and changes nothing."""
        if not self.ids:
            return
        id = self.ids[place % len(self.ids)]
        try:
            with write() as session:
                record = instructions.get_instruction(session, id)
                version = record.version - stale
                function(session, getattr(self.people, who), id, *args, version=version, **options)
        except REFUSALS:
            moves = set()
        self.follow(moves)

    def follow(self, moves: set[Move]) -> None:
        """Every status stayed, or went where one of the moves goes."""
        with read() as session:
            for record in session.query(Instruction).filter_by(project_id=self.project_id):
                before = self.seen.get(record.id, S.DRAFT)
                ways = {TABLE[move].end for move in moves if before in TABLE[move].starts}
                assert record.status is before or record.status in ways, (before, record.status, moves)
                self.seen[record.id] = record.status
                self.went.add((before, record.status))

    def text(self) -> Content:
        self.texts += 1
        return Content(f"Which organ does number {self.texts} concern?", output="The liver.", task="qa")

    @initialize()
    def begin(self):
        """One way through that must go, so that a walk on which everything is refused fails."""
        self.create("author")
        self.submit("author", 0)
        self.review("reviewer", 0, Decision.APPROVE, False)
        self.edit("author", 0, False)
        self.create("reviewer")
        self.submit("reviewer", 1)

    @precondition(lambda self: len(self.ids) < 3)
    @rule(who=WHO)
    def create(self, who):
        try:
            with write() as session:
                actor = getattr(self.people, who)
                row = instructions.create_instruction(session, actor, self.project_id, self.text())
        except PolicyError:
            return
        self.ids.append(row.id)
        self.follow(set())

    @rule(who=WHO, place=st.integers(0, 2), stale=st.booleans())
    def edit(self, who, place, stale):
        self.attempt(who, {Move.EDIT}, instructions.edit_instruction, place, self.text(), stale=stale)

    @rule(who=WHO, place=st.integers(0, 2))
    def submit(self, who, place):
        self.attempt(who, {Move.SUBMIT}, instructions.submit_for_review, place)

    @rule(who=WHO)
    def submit_all(self, who):
        try:
            with write() as session:
                instructions.submit_matching(
                    session, getattr(self.people, who), [Instruction.project_id == self.project_id]
                )
        except REFUSALS:
            return
        self.follow({Move.SUBMIT})

    @rule(who=WHO, place=st.integers(0, 2), decision=st.sampled_from(Decision), stale=st.booleans())
    def review(self, who, place, decision, stale):
        reasons = () if decision is Decision.APPROVE else (Reason.WRONG,)
        self.attempt(
            who, {Move(decision)}, reviews.review_instruction, place, decision, reasons=reasons, stale=stale
        )

    @rule(who=WHO)
    def approve_all_shown(self, who):
        try:
            with write() as session:
                actor = getattr(self.people, who)
                shown = [(row.id, row.version) for row in session.query(Instruction)]
                reviews.approve_shown(session, actor, self.project_id, shown)
        except REFUSALS:
            return
        self.follow({Move.APPROVE})

    @rule(who=WHO, place=st.integers(0, 2), decision=st.sampled_from(Decision))
    def adjudicate(self, who, place, decision):
        reasons = () if decision is Decision.APPROVE else (Reason.UNSAFE,)
        self.attempt(who, {Move(decision)}, disagreements.adjudicate, place, decision, reasons=reasons)

    @rule(who=WHO, place=st.integers(0, 2))
    def withdraw(self, who, place):
        self.attempt(who, {Move.WITHDRAW}, withdrawals.withdraw_submission, place)

    @rule(who=WHO, place=st.integers(0, 2))
    def retire(self, who, place):
        self.attempt(who, {Move.RETIRE}, withdrawals.retire, place, reasons=[Reason.UNSAFE])

    @rule(who=WHO, place=st.integers(0, 2))
    def reinstate(self, who, place):
        self.attempt(who, {Move.REINSTATE, Move.RESUME}, withdrawals.reinstate, place)

    @rule(share=st.sampled_from([0.0, 0.5, 1.0]))
    def draw_for_double_review(self, share):
        with write() as session:
            double_review.set_review_settings(
                session, self.people.admin, self.project_id, ReviewSettings(share)
            )

    @invariant()
    def what_is_in_force_was_approved_by_someone_who_did_not_write_it(self):
        with read() as session:
            for record in session.query(Instruction).filter_by(project_id=self.project_id):
                if record.status is S.APPROVED:
                    assert record.approved_version == record.version
                if record.approved_version is None:
                    continue
                numbers = {revision.number for revision in record.revisions}
                assert record.approved_version in numbers
                approvals = [
                    review
                    for review in record.reviews
                    if review.version == record.approved_version and review.decision is Decision.APPROVE
                ]
                assert approvals
                for review in approvals:
                    assert self.is_solo or not (review.is_solo or self.wrote(session, record, review))

    @staticmethod
    def wrote(session, record: Instruction, review: Review) -> bool:
        wrote_it = session.query(Revision).filter_by(
            instruction_id=record.id, number=review.version, author_id=review.reviewer_id
        )
        return review.reviewer_id == record.author_id or wrote_it.count() > 0


@pytest.mark.parametrize("is_solo", [False, True])
def test_no_walk_reaches_approval_without_a_review_by_another(people, is_solo):
    went: set[tuple[InstructionStatus, InstructionStatus]] = set()

    def walk():
        machine = Curation(people, is_solo)
        machine.went = went
        return machine

    run_state_machine_as_test(
        walk,
        settings=settings(
            max_examples=WALKS,
            stateful_step_count=40,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
    on_the_way = {(S.DRAFT, S.IN_REVIEW), (S.IN_REVIEW, S.APPROVED), (S.APPROVED, S.DRAFT)}
    assert went >= on_the_way, "the walk went nowhere: nothing was shown"


def test_a_retired_text_comes_back_as_it_was(people, project_id):
    with write() as session:
        row = approved(session, people, project_id)
        withdrawals.retire(session, people.reviewer, row.id, version=1, comment="The dose is out of date.")
        assert (row.status, row.approved_version) == (S.RETIRED, 1)
        withdrawals.reinstate(session, people.other_reviewer, row.id, version=1)
        assert (row.status, row.approved_version) == (S.APPROVED, 1)


def test_an_edit_of_a_retired_text_does_not_bring_it_back_in_force(people, project_id):
    with write() as session:
        row = approved(session, people, project_id)
        withdrawals.retire(session, people.reviewer, row.id, version=1, reasons=[Reason.UNSAFE])
        better = Content("Which organ does hepatitis inflame?", output="The liver, acutely.", task="qa")
        instructions.edit_instruction(session, people.author, row.id, better, version=1)
        assert (row.status, row.approved_version) == (S.DRAFT, None)


def test_a_text_in_force_can_be_retired_while_it_is_rewritten_and_then_resumed(people, project_id):
    with write() as session:
        row = approved(session, people, project_id)
        better = Content("Which organ does hepatitis inflame?", output="The liver, acutely.", task="qa")
        instructions.edit_instruction(session, people.author, row.id, better, version=1)
        withdrawals.retire(session, people.reviewer, row.id, version=2, reasons=[Reason.UNSAFE])
        assert row.status is S.RETIRED
        withdrawals.reinstate(session, people.reviewer, row.id, version=2)
        assert (row.status, row.version, row.approved_version) == (S.DRAFT, 2, 1)


def test_retiring_needs_a_reviewer_and_a_reason(people, project_id):
    with write() as session:
        row = approved(session, people, project_id)
        with pytest.raises(PolicyError):
            withdrawals.retire(session, people.author, row.id, version=1, reasons=[Reason.UNSAFE])
        with pytest.raises(ValueError, match="^comment:"):
            withdrawals.retire(session, people.reviewer, row.id, version=1)


def approved(session, people, project_id) -> Instruction:
    content = Content("Which organ does hepatitis inflame?", output="The liver.", task="qa")
    row = instructions.create_instruction(session, people.author, project_id, content)
    instructions.submit_for_review(session, people.author, row.id, version=1)
    reviews.review_instruction(session, people.reviewer, row.id, Decision.APPROVE, version=1)
    assert projects.get_project(session, project_id).is_solo is False
    return row
