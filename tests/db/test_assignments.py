from dataclasses import asdict
from datetime import timedelta

import pytest
from sqlalchemy import select

from db import assignments, instructions, rounds, rubric, votes
from db.enums import Choice
from db.policy import PolicyError
from db.session import read, write
from db.tables import Answer, Assignment, AuditLine, Vote
from tests.db.compared import compare, pairs
from tests.db.compared import sides as sides


@pytest.fixture
def round_id(people, project_id, sides) -> int:
    """Six pairs, each before the clinician and the reviewer."""
    made = pairs(people.trainer, project_id, sides, 6)
    return make(people, project_id, made)


def make(people, project_id, made) -> int:
    with write() as session:
        return rounds.create(
            session, people.trainer, project_id, title="R", rubric=rubric.DEFAULT, pairs=made,
            rater_ids=[people.clinician.id, people.reviewer.id], seed=5,
        ).id  # fmt: skip


def begin(actor, round_id) -> int | None:
    with write() as session:
        following = assignments.next_assignment(session, actor, round_id)
        return following and assignments.open_assignment(session, actor, following.id).id


def vote(actor, assignment_id, left_right, **said) -> int:
    with write() as session:
        return assignments.vote_on(session, actor, assignment_id, left_right, **said).id


def test_a_rater_goes_through_their_pairs_in_their_own_order_once(people, project_id, round_id):
    seen = []
    while (id := begin(people.clinician, round_id)) is not None:
        vote(people.clinician, id, "tie")
        seen.append(id)
    with read() as session:
        own = assignments.list_own(session, people.clinician, round_id)
        assert [one.id for one in own] == seen
        way = {one.name: (one.voted, one.left) for one in rounds.progress(session, round_id)}
        assert way == {"Clinician": (6, 0), "Reviewer": (0, 6)}
        assert rounds.list_open_for(session, people.clinician, project_id) == []


def test_left_and_right_mean_the_answers_that_stood_there(people, round_id):
    """Of every pair, and for both raters, the text on the left is that of the answer voted for."""
    for actor in (people.clinician, people.reviewer):
        while (id := begin(actor, round_id)) is not None:
            with read() as session:
                laid = assignments.lay_out(session, actor, id)
            given = vote(actor, id, "left", rubric={"left": {"correct": "yes"}, "right": {"correct": "no"}})
            with read() as session:
                held = session.get_one(Vote, given)
                preferred, other = held.one_id, held.other_id
                if held.choice is Choice.OTHER:
                    preferred, other = other, preferred
                assert session.get_one(Answer, preferred).text == laid.left
                assert session.get_one(Answer, other).text == laid.right
                assert held.rubric == {str(preferred): {"correct": "yes"}, str(other): {"correct": "no"}}
                assert held.first_id == preferred
                pressed = assignments.to_left_right(
                    held.choice, is_flipped=session.scalars(
                        select(Assignment.is_flipped).where(Assignment.id == id)
                    ).one(),
                )  # fmt: skip
                assert pressed == "left"
    with read() as session:
        flips = set(session.scalars(select(Assignment.is_flipped)))
    assert flips == {True, False}


def test_what_is_laid_out_tells_nothing_of_the_sides(people, project_id, round_id, sides):
    id = begin(people.clinician, round_id)
    with read() as session:
        laid = asdict(assignments.lay_out(session, people.clinician, id))
    texts = {laid.pop("left")[:4], laid.pop("right")[:4]}
    assert texts == {"Base", "Tune"}  # the answers' own words, as recorded by these tests
    assert not any(word in str(laid) for word in ("Base", "Tuned", "adapter", "position"))


def test_a_conversation_is_laid_out_with_what_each_side_said_before(people, project_id, sides):
    first, _ = compare(people.trainer, project_id, {sides.base: "B1", sides.tuned: "T1"}, instruction="One?")
    _, ids = compare(
        people.trainer, project_id, {sides.base: "B2", sides.tuned: "T2"}, instruction="Two?",
        follows_id=first, finish="length",
    )  # fmt: skip
    round_id = make(people, project_id, [(ids[0], ids[1])])
    id = begin(people.clinician, round_id)
    with read() as session:
        laid = assignments.lay_out(session, people.clinician, id)
    [turn] = laid.before
    assert (turn.asked, laid.instruction, laid.left_is_cut) == ("One?", "Two?", True)
    assert (turn.left[0], turn.right[0]) == (laid.left[0], laid.right[0])


def test_which_is_which_is_told_after_the_vote_and_not_before(people, round_id):
    id = begin(people.clinician, round_id)
    with write() as session, pytest.raises(PolicyError, match="before your vote"):
        assignments.reveal(session, people.clinician, id)
    with read() as session:
        laid = assignments.lay_out(session, people.clinician, id)
    vote(people.clinician, id, "both_bad")
    with write() as session:
        told = assignments.reveal(session, people.clinician, id)
        assert (told.left, told.right) == (laid.left.split()[0], laid.right.split()[0])


def test_a_vote_is_blind_until_the_rater_was_told(people, round_id, project_id):
    id = begin(people.clinician, round_id)
    first = vote(people.clinician, id, "left")
    assert vote(people.clinician, id, "right") == first  # a slip, mended before the reveal
    with write() as session:
        assert session.get_one(Vote, first).is_blind
        assignments.reveal(session, people.clinician, id)
    vote(people.clinician, id, "left")
    with read() as session:
        assert not session.get_one(Vote, first).is_blind
        assert votes.ballots(session, project_id, round_id=round_id, blind_only=True) == []


def test_a_vote_after_one_in_the_open_is_not_blind(people, round_id, project_id):
    id = begin(people.clinician, round_id)
    with write() as session:
        pair = session.get_one(Assignment, id).pair
        votes.cast(session, people.clinician, pair.comparison_id, pair.one_id, pair.other_id, Choice.ONE)
    blind = vote(people.clinician, id, "left")
    with read() as session:
        assert not session.get_one(Vote, blind).is_blind
        assert len(votes.list_votes(session, project_id)) == 2  # the round's vote beside the open one
        assert len(votes.ballots(session, project_id)) == 1  # one person counts once


def test_time_is_taken_from_the_first_opening(people, round_id):
    id = begin(people.clinician, round_id)
    with write() as session:
        opened = session.get_one(Assignment, id).opened_at
        assignments.open_assignment(session, people.clinician, id, now=opened + timedelta(seconds=20))
    given = vote(people.clinician, id, "tie", now=opened + timedelta(seconds=30))
    with read() as session:
        assert session.get_one(Vote, given).seconds == 30


def test_undo_takes_back_the_last_vote_with_its_correction_and_then_the_one_before(people, round_id):
    first = begin(people.clinician, round_id)
    vote(people.clinician, first, "tie")
    second = begin(people.clinician, round_id)
    given = vote(people.clinician, second, "both_bad", corrected_answer="Cefalexin.")
    with read() as session:
        made = session.get_one(Vote, given).instruction_id
    for expected in (second, first):
        with write() as session:
            assert assignments.undo(session, people.clinician, round_id).id == expected
    with write() as session:
        assert assignments.undo(session, people.clinician, round_id) is None
        assert session.get(Vote, given) is None
        with pytest.raises(LookupError):
            instructions.get_instruction(session, made)
        assert assignments.next_assignment(session, people.clinician, round_id).id == first


def test_a_skipped_pair_is_done_without_a_vote_and_undo_brings_it_back(people, round_id):
    id = begin(people.clinician, round_id)
    with write() as session:
        assignments.skip(session, people.clinician, id, "Not my field.")
        assert session.get_one(Assignment, id).skipped == "Not my field."
        assert [one.skipped for one in rounds.progress(session, round_id)] == [1, 0]
        assert assignments.undo(session, people.clinician, round_id).id == id
        vote_id = assignments.vote_on(session, people.clinician, id, "tie").id
        with pytest.raises(ValueError, match="undo the vote first"):
            assignments.skip(session, people.clinician, id)
        assert session.get_one(Assignment, id).vote_id == vote_id


def test_a_closed_round_takes_nothing_more_and_still_shows_what_one_did(people, round_id):
    id = begin(people.clinician, round_id)
    vote(people.clinician, id, "tie")
    with write() as session:
        rounds.close(session, people.trainer, round_id)
    for deed in (
        lambda session: assignments.vote_on(session, people.clinician, id, "left"),
        lambda session: assignments.skip(session, people.clinician, id),
        lambda session: assignments.undo(session, people.clinician, round_id),
        lambda session: assignments.open_assignment(session, people.clinician, id),
    ):
        with write() as session, pytest.raises(ValueError, match="it is closed"):
            deed(session)
    with write() as session:
        assignments.lay_out(session, people.clinician, id)
        assignments.reveal(session, people.clinician, id)


def test_assignments_of_others_are_none_and_roles_count(people, round_id):
    id = begin(people.clinician, round_id)
    for deed in (assignments.open_assignment, assignments.lay_out, assignments.reveal, assignments.skip):
        with write() as session, pytest.raises(LookupError, match="of yours"):
            deed(session, people.reviewer, id)
    with write() as session, pytest.raises(LookupError, match="of yours"):
        assignments.vote_on(session, people.trainer, id, "left")
    with read() as session, pytest.raises(PolicyError, match="compare answers"):
        assignments.next_assignment(session, people.author, round_id)
    with write() as session, pytest.raises(ValueError, match="vote: 'middle' is not one of left, right"):
        assignments.vote_on(session, people.clinician, id, "middle")
    with write() as session, pytest.raises(ValueError, match="say it of the left and the right"):
        assignments.vote_on(session, people.clinician, id, "left", rubric={"one": {"correct": "yes"}})


def test_audit_lines_of_a_round_tell_neither_the_choice_nor_the_sides(people, round_id):
    id = begin(people.clinician, round_id)
    vote(people.clinician, id, "left", comment="Better.")
    with read() as session:
        told = session.scalars(select(AuditLine).where(AuditLine.actor_id == people.clinician.id)).all()
    assert [line.action for line in told][-2:] == ["opened", "voted"]
    assert told[-1].detail == {"blind": True, "round": round_id}
