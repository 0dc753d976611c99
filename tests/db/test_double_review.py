"""Blind double review: drawn at a rate, the first decision sealed, equal ones settle the record."""

import pytest

from db import (
    audit,
    disagreements,
    double_review,
    imports,
    instructions,
    projects,
    ratings,
    remarks,
    reviews,
    withdrawals,
)
from db.content import Content
from db.double_review import ReviewSettings
from db.enums import Decision, InstructionStatus, Reason
from db.policy import PolicyError
from db.session import read, write

COMPLETE = Content("Which organ does hepatitis inflame?", output="The liver.", task="qa")
S = InstructionStatus


@pytest.fixture
def drawn_id(people, project_id) -> int:
    """A submission that two people review."""
    set_share(people, project_id, 1.0)
    with write() as session:
        row = instructions.create_instruction(session, people.author, project_id, COMPLETE)
        return instructions.submit_for_review(session, people.author, row.id, version=1).id


def set_share(people, project_id, share):
    with write() as session:
        double_review.set_review_settings(session, people.admin, project_id, ReviewSettings(share))


def decide(actor, id, decision, comment="The dose is wrong.", version=1, how=reviews.review_instruction):
    with write() as session:
        how(session, actor, id, decision, version=version, comment=comment)


def status(id) -> InstructionStatus:
    with read() as session:
        return instructions.get_instruction(session, id).status


def shown(id, actor=None) -> list[Decision]:
    with read() as session:
        record = instructions.get_instruction(session, id)
        return [review.decision for review in reviews.list_reviews(session, record, actor)]


def test_the_first_decision_changes_nothing_and_is_shown_to_nobody_else(people, project_id, drawn_id):
    decide(people.reviewer, drawn_id, Decision.REJECT)
    with write() as session:
        remarks.add_remark(session, people.reviewer, drawn_id, "The dose is wrong.")
        remarks.add_remark(session, people.author, drawn_id, "Taken from the label.")
    assert status(drawn_id) is S.IN_REVIEW
    assert shown(drawn_id) == shown(drawn_id, people.other_reviewer) == []
    assert shown(drawn_id, people.reviewer) == [Decision.REJECT]
    with read() as session:
        said = [body.first.body for body in remarks.list_remarks(session, drawn_id, people.other_reviewer)]
        assert said == ["Taken from the label."]
        assert len(remarks.list_remarks(session, drawn_id, people.reviewer)) == 2
        lines = [line for line in audit.list_lines(session) if line.subject_id == drawn_id]
        assert "reject" not in str([(line.action, line.detail) for line in lines])
    decide(people.other_reviewer, drawn_id, Decision.REJECT)
    assert shown(drawn_id) == [Decision.REJECT, Decision.REJECT]
    with read() as session:
        assert len(remarks.list_remarks(session, drawn_id)) == 2


@pytest.mark.parametrize(
    ("decision", "end"),
    [
        (Decision.APPROVE, S.APPROVED),
        (Decision.REQUEST_CHANGES, S.CHANGES_REQUESTED),
        (Decision.REJECT, S.REJECTED),
    ],
)
def test_two_equal_decisions_settle_it(people, drawn_id, decision, end):
    decide(people.reviewer, drawn_id, decision)
    decide(people.other_reviewer, drawn_id, decision)
    assert status(drawn_id) is end


def test_the_first_reviewer_has_done_their_part(people, project_id, drawn_id):
    decide(people.reviewer, drawn_id, Decision.APPROVE)
    with read() as session:
        assert reviews.count_waiting(session, people.reviewer, project_id) == 0
        assert reviews.list_queue(session, people.reviewer, project_id).rows == []
        assert reviews.count_waiting(session, people.other_reviewer, project_id) == 1
    with pytest.raises(ValueError, match="you have decided on this version"):
        decide(people.reviewer, drawn_id, Decision.APPROVE)


def test_different_decisions_wait_for_a_third_person_who_settles_them(people, project_id, drawn_id):
    decide(people.reviewer, drawn_id, Decision.APPROVE)
    with pytest.raises(ValueError, match="do not disagree"):
        decide(people.admin, drawn_id, Decision.APPROVE, how=disagreements.adjudicate)
    decide(people.other_reviewer, drawn_id, Decision.REJECT)
    assert status(drawn_id) is S.IN_REVIEW
    with read() as session:
        assert reviews.count_waiting(session, people.admin, project_id) == 0
        assert disagreements.count_disagreements(session, project_id) == 1
        (case,) = disagreements.list_disagreements(session, people.admin, project_id)
        assert (case.instruction.id, case.may_settle) == (drawn_id, True)
        assert [review.decision for review in case.reviews] == [Decision.APPROVE, Decision.REJECT]
        (case,) = disagreements.list_disagreements(session, people.reviewer, project_id)
        assert not case.may_settle
    with pytest.raises(PolicyError, match="third person"):
        decide(people.reviewer, drawn_id, Decision.APPROVE, how=disagreements.adjudicate)
    with pytest.raises(PolicyError, match="reviewer"):
        decide(people.author, drawn_id, Decision.APPROVE, how=disagreements.adjudicate)
    with pytest.raises(ValueError, match="waits among the disagreements"):
        decide(people.admin, drawn_id, Decision.APPROVE)
    decide(people.admin, drawn_id, Decision.APPROVE, how=disagreements.adjudicate)
    with read() as session:
        record = instructions.get_instruction(session, drawn_id)
        assert (record.status, record.approved_version) == (S.APPROVED, 1)
        assert [review.is_adjudication for review in record.reviews] == [False, False, True]
        assert disagreements.count_disagreements(session, project_id) == 0


def test_who_wrote_the_text_may_not_settle_it(people, project_id, drawn_id):
    changed = Content("Which organ does hepatitis inflame?", output="Liver.", task="qa")
    with write() as session:
        instructions.edit_instruction(session, people.admin, drawn_id, changed, version=1)
        instructions.submit_for_review(session, people.admin, drawn_id, version=2)
    decide(people.reviewer, drawn_id, Decision.APPROVE, version=2)
    decide(people.other_reviewer, drawn_id, Decision.REJECT, version=2)
    with read() as session:
        (case,) = disagreements.list_disagreements(session, people.admin, project_id)
        assert not case.may_settle
    with pytest.raises(PolicyError, match="your own"):
        decide(people.admin, drawn_id, Decision.APPROVE, version=2, how=disagreements.adjudicate)


def test_a_new_hand_in_begins_with_no_decisions(people, drawn_id):
    decide(people.reviewer, drawn_id, Decision.REJECT)
    with write() as session:
        withdrawals.withdraw_submission(session, people.author, drawn_id, version=1)
        instructions.submit_for_review(session, people.author, drawn_id, version=1)
    decide(people.other_reviewer, drawn_id, Decision.APPROVE)
    assert status(drawn_id) is S.IN_REVIEW
    decide(people.reviewer, drawn_id, Decision.APPROVE)
    assert status(drawn_id) is S.APPROVED


def test_a_solo_project_draws_nothing_and_settles_what_was_drawn_before(people, project_id, drawn_id):
    decide(people.reviewer, drawn_id, Decision.REJECT)
    with write() as session:
        projects.set_solo(session, people.admin, project_id, solo=True)
        row = instructions.create_instruction(session, people.author, project_id, COMPLETE)
        assert instructions.submit_for_review(session, people.author, row.id, version=1).overlap == 1
    decide(people.reviewer, drawn_id, Decision.APPROVE)
    assert status(drawn_id) is S.APPROVED


def test_what_is_drawn_is_about_the_rate_and_always_the_same(people, project_id):
    set_share(people, project_id, 0.3)
    rows = [Content(f"Question {n}?", output="Answer.", task="qa") for n in range(400)]
    with write() as session:
        ids = imports.import_contents(session, people.author, project_id, rows, submit=True).ids
    with read() as session:
        drawn = {id for id in ids if instructions.get_instruction(session, id).overlap == 2}
    assert 80 <= len(drawn) <= 160  # 120 expected; 4.4 standard deviations either way
    assert drawn == {id for id in ids if double_review.is_drawn(0.3, project_id, id, 1)}
    assert not any(double_review.is_drawn(0.0, project_id, id, 1) for id in ids)
    assert all(double_review.is_drawn(1.0, project_id, id, 1) for id in ids)


def test_an_import_is_approved_whole_but_for_what_two_people_are_to_read(people, project_id):
    set_share(people, project_id, 0.5)
    rows = [Content(f"Question {n}?", output="Answer.", task="qa") for n in range(20)]
    with write() as session:
        ids = imports.import_contents(session, people.author, project_id, rows, submit=True).ids
        drawn = [id for id in ids if double_review.is_drawn(0.5, project_id, id, 1)]
        assert 0 < len(drawn) < 20
        (batch,) = reviews.list_imports(session, people.reviewer, project_id)
        assert batch.rows == 20 - len(drawn)
        done = reviews.approve_import(
            session,
            people.reviewer,
            project_id,
            batch.author_id,
            batch.at,
            count=batch.rows,
            comment="Read 5.",
        )
        assert done == batch.rows
    assert {id for id in ids if status(id) is S.IN_REVIEW} == set(drawn)
    with write() as session:  # shown in full on a page, each is a decision of its own
        pairs = [(id, 1) for id in drawn]
        assert reviews.approve_shown(session, people.reviewer, project_id, pairs) == len(drawn)
    assert {status(id) for id in drawn} == {S.IN_REVIEW}
    with write() as session:
        assert reviews.approve_shown(session, people.other_reviewer, project_id, pairs) == len(drawn)
    assert {status(id) for id in drawn} == {S.APPROVED}


@pytest.mark.parametrize("share", [-0.1, 1.1, float("nan"), "half", True])
def test_an_impossible_share_is_refused(share):
    with pytest.raises(ValueError, match="^double_share:"):
        ReviewSettings(share)


def test_only_who_manages_the_project_sets_the_share_and_other_settings_stay(people, project_id):
    with write() as session:
        projects.get_project(session, project_id).settings = {"other": 1}
    with pytest.raises(PolicyError), write() as session:
        double_review.set_review_settings(session, people.reviewer, project_id, ReviewSettings(0.5))
    set_share(people, project_id, 0.5)
    with read() as session:
        assert double_review.get_review_settings(session, project_id) == ReviewSettings(0.5)
        assert projects.get_project(session, project_id).settings["other"] == 1


# Agreement of a project -------------------------------------------------------------------------------


def test_ratings_are_the_independent_decisions_without_adjudications_solo_and_single_ones(
    people, project_id, drawn_id
):
    decide(people.reviewer, drawn_id, Decision.APPROVE)
    with read() as session:
        assert ratings.read_ratings(session, project_id) == []  # the first one is sealed
    decide(people.other_reviewer, drawn_id, Decision.REJECT)
    decide(people.admin, drawn_id, Decision.APPROVE, how=disagreements.adjudicate)
    with read() as session:
        (item,) = ratings.read_ratings(session, project_id)
    assert item == {people.reviewer.id: Decision.APPROVE, people.other_reviewer.id: Decision.REJECT}


def test_a_text_handed_in_again_unchanged_is_not_rated_twice_by_one_pair(people, project_id):
    with write() as session:
        row = instructions.create_instruction(session, people.author, project_id, COMPLETE)
        instructions.submit_for_review(session, people.author, row.id, version=1)
        reviews.review_instruction(
            session, people.reviewer, row.id, Decision.REQUEST_CHANGES, version=1, reasons=[Reason.UNCLEAR]
        )
        instructions.submit_for_review(session, people.author, row.id, version=1)
    decide(people.other_reviewer, row.id, Decision.APPROVE)
    with read() as session:
        assert ratings.read_ratings(session, project_id) == []  # the second one had read the first


def test_a_project_is_measured_overall_and_pair_by_pair(people, project_id):
    set_share(people, project_id, 1.0)
    rows = [Content(f"Question {n}?", output="Answer.", task="qa") for n in range(10)]
    with write() as session:
        ids = imports.import_contents(session, people.author, project_id, rows, submit=True).ids
    for place, id in enumerate(ids):
        second = Decision.REJECT if place in (0, 1, 2) else Decision.APPROVE
        decide(people.reviewer, id, Decision.REJECT if place in (0, 1) else Decision.APPROVE)
        decide(people.other_reviewer, id, second)
    with read() as session:
        measured = ratings.measure_agreement(session, people.reviewer, project_id)
        (pair,) = measured.pairs
    assert (measured.items, measured.percent.value) == (10, pytest.approx(0.9))
    assert {pair.first, pair.second} == {"Reviewer", "Other Reviewer"}
    # p_o = 0.9, p_e = 0.2 * 0.3 + 0.8 * 0.7 = 0.62
    assert pair.kappa.value == pytest.approx((0.9 - 0.62) / (1 - 0.62))
    assert measured.fleiss.value == pytest.approx((0.9 - 0.625) / 0.375)
    assert measured.alpha.n == 10
    with read() as session, pytest.raises(PolicyError):
        ratings.measure_agreement(session, people.author, project_id)


def test_a_project_without_shared_work_has_no_figures_and_says_why(people, project_id):
    with read() as session:
        measured = ratings.measure_agreement(session, people.reviewer, project_id)
    assert (measured.alpha.value, measured.pairs) == (None, ())
    assert measured.alpha.note
