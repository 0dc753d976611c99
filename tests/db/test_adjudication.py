import pytest

from db import adjudication, assignments, projects, rounds, votes
from db.enums import Choice
from db.policy import PolicyError
from db.session import read, write
from db.tables import Answer, Vote
from tests.db.compared import pairs
from tests.db.compared import sides as sides


@pytest.fixture
def voted(people, project_id, sides):
    """A round of three pairs and its number: agreed on, opposed, and one answer against a tie."""
    made = pairs(people.trainer, project_id, sides, 3)
    with write() as session:
        round = rounds.create(
            session, people.trainer, project_id, title="R", pairs=made,
            rater_ids=[people.clinician.id, people.reviewer.id],
        )  # fmt: skip
        for pair, said in zip(
            round.pairs, ((Choice.ONE, Choice.ONE), (Choice.ONE, Choice.TIE), (Choice.ONE, Choice.OTHER)),
            strict=True,
        ):  # fmt: skip
            for actor, choice in zip((people.clinician, people.reviewer), said, strict=True):
                own = assignments.list_own(session, actor, round.id)
                mine = next(one for one in own if one.pair_id == pair.id)
                pressed = assignments.to_left_right(choice, is_flipped=mine.is_flipped)
                assignments.vote_on(session, actor, mine.id, pressed)
        return round.id


def listed(round_id, **how):
    with read() as session:
        return adjudication.disagreements(session, round_id, **how)


def test_pairs_on_which_raters_differ_are_listed_opposed_ones_first_and_without_the_sides_names(voted):
    found = listed(voted)
    assert [one.is_opposed for one in found] == [True, False]
    opposed = found[0]
    assert {said.left_right for said in opposed.said} == {"left", "right"}
    assert [said.rater for said in opposed.said] == ["Clinician", "Reviewer"]
    with read() as session:
        assert adjudication.count(session, voted) == 2


def test_a_third_person_settles_and_the_vote_means_the_answer_on_that_side(people, project_id, voted):
    opposed = listed(voted)[0]
    with write() as session:
        rounds.close(session, people.trainer, voted)
        given = adjudication.adjudicate(session, people.trainer, opposed.pair_id, "right").id
    with write() as session:
        vote = session.get_one(Vote, given)
        chosen = vote.one_id if vote.choice is Choice.ONE else vote.other_id
        assert session.get_one(Answer, chosen).text == opposed.laid.right
        assert (vote.settles, vote.is_blind) == (True, False)  # the trainer asked for these answers
        assert adjudication.count(session, voted) == 1
        assert len(votes.ballots(session, project_id)) == 6  # the raters' own, not the settling one
        again = adjudication.adjudicate(session, people.trainer, opposed.pair_id, "tie", comment="Equal.")
        assert again.id == given
    settled = listed(voted)[0].settled
    assert (settled.rater, settled.left_right, settled.comment) == ("Trainer", "tie", "Equal.")
    assert [one.pair_id for one in listed(voted, unsettled=True)] != [opposed.pair_id]


def test_raters_settle_nothing_of_their_own_and_clinicians_lead_no_rounds(people, project_id, voted):
    opposed = listed(voted)[0]
    with write() as session, pytest.raises(PolicyError, match="voted on yourself"):
        adjudication.adjudicate(session, people.reviewer, opposed.pair_id, "left")
    with write() as session, pytest.raises(PolicyError, match="lead blind rounds"):
        adjudication.adjudicate(session, people.clinician, opposed.pair_id, "left")
    with write() as session:
        projects.set_solo(session, people.admin, project_id, solo=True)
        adjudication.adjudicate(session, people.reviewer, opposed.pair_id, "left")
    with write() as session, pytest.raises(ValueError, match="Reviewer settled it already"):
        adjudication.adjudicate(session, people.trainer, opposed.pair_id, "left")


def test_what_nobody_disagrees_on_is_not_settled(people, voted):
    opposed = {one.pair_id for one in listed(voted)}
    with write() as session:
        round = rounds.get(session, 1, voted)
        agreed = next(pair.id for pair in round.pairs if pair.id not in opposed)
        with pytest.raises(ValueError, match="do not disagree"):
            adjudication.adjudicate(session, people.trainer, agreed, "left")
        with pytest.raises(LookupError):
            adjudication.adjudicate(session, people.trainer, 99, "left")
