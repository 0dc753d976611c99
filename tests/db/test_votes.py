import pytest
from sqlalchemy import func, select

from db import registry, votes
from db.enums import Choice
from db.policy import PolicyError
from db.session import read, write
from db.tables import AuditLine, Vote
from tests.db.compared import QUESTION, compare
from tests.db.compared import sides as sides


@pytest.fixture
def asked(people, project_id, sides):
    """(comparison id, [base's answer, the tuned one's, the other adapter's])."""
    return compare(
        people.trainer, project_id, {sides.base: "Base.", sides.tuned: "Tuned.", sides.other: "Other."}
    )


def cast(actor, asked, one, other, choice, **said) -> int:
    id, answers = asked
    with write() as session:
        return votes.cast(session, actor, id, answers[one], answers[other], choice, **said).id


def test_voting_again_replaces_the_earlier_vote_whatever_the_order_of_the_answers(people, asked):
    first = cast(people.clinician, asked, 0, 1, Choice.ONE)
    assert cast(people.clinician, asked, 1, 0, Choice.ONE, comment=" Clearer. ") == first
    with read() as session:
        vote = session.get_one(Vote, first)
        assert (vote.choice, vote.one_id, vote.other_id) == (Choice.OTHER, *asked[1][:2])
        assert (vote.comment, vote.is_blind) == ("Clearer.", False)
        assert votes.own(session, people.clinician, [asked[0]])[asked[0]].id == first
        assert votes.own(session, people.trainer, [asked[0]]) == {}


def test_votes_on_other_pairs_of_one_comparison_stand_beside_each_other(people, asked, project_id):
    for one, other in ((0, 1), (0, 2), (1, 2)):
        cast(people.clinician, asked, one, other, Choice.OTHER)
    with read() as session:
        told = [(ballot.one, ballot.other, ballot.choice) for ballot in votes.ballots(session, project_id)]
    assert told == [
        (*pair, Choice.OTHER) for pair in (("Base", "Tuned"), ("Base", "Other"), ("Tuned", "Other"))
    ]


def test_a_ballot_tells_who_said_what_of_which_side(people, asked, project_id):
    said = {asked[1][0]: {"correct": "no", "harm": "mild"}, asked[1][1]: {"correct": "yes"}}
    cast(people.clinician, asked, 0, 1, Choice.OTHER, rubric=said, is_blind=True, seconds=41.5)
    with read() as session:
        [ballot] = votes.ballots(session, project_id)
    assert (ballot.rater, ballot.comparison, ballot.is_blind) == (people.clinician.id, asked[0], True)
    assert ballot.rubric == {"Base": {"correct": "no", "harm": "mild"}, "Tuned": {"correct": "yes"}}


def test_equal_prompts_are_one_cluster_and_so_are_the_turns_of_a_conversation(people, project_id, sides):
    said = {sides.base: "Base.", sides.tuned: "Tuned."}
    first = compare(people.trainer, project_id, said)
    again = compare(people.trainer, project_id, said)
    turn = compare(people.trainer, project_id, said, instruction="For how long?", follows_id=first[0])
    other = compare(people.trainer, project_id, said, instruction="Something else?")
    for asked in (first, again, turn, other):
        cast(people.clinician, asked, 0, 1, Choice.TIE)
    with read() as session:
        prompts = [ballot.prompt for ballot in votes.ballots(session, project_id)]
    assert len(set(prompts[:3])) == 1
    assert prompts[3] != prompts[0]
    assert not any(QUESTION in prompt for prompt in prompts)


def test_the_votes_of_a_removed_adapter_stay(people, asked, project_id, sides):
    cast(people.clinician, asked, 0, 1, Choice.OTHER)
    with write() as session:
        registry.delete_adapter(session, people.trainer, sides.tuned.adapter_id)
    with read() as session:
        [ballot] = votes.ballots(session, project_id)
    assert (ballot.one, ballot.other) == ("Base", "Tuned (removed)")


def test_a_vote_is_refused_with_what_is_wrong(people, asked, project_id, sides):
    elsewhere = compare(people.trainer, project_id, {sides.base: "Base."})
    with pytest.raises(PolicyError, match="compare answers"):
        cast(people.author, asked, 0, 1, Choice.ONE)
    with pytest.raises(ValueError, match="a vote is between two of them"):
        cast(people.clinician, asked, 0, 0, Choice.ONE)
    with pytest.raises(LookupError, match="not two answers of comparison"):
        cast(people.clinician, (asked[0], [asked[1][0], elsewhere[1][0]]), 0, 1, Choice.ONE)
    with pytest.raises(ValueError, match="no answer to harm; choose none, mild, moderate, severe"):
        cast(people.clinician, asked, 0, 1, Choice.ONE, rubric={asked[1][0]: {"harm": "fatal"}})
    with pytest.raises(ValueError, match="an answer that the vote is not about"):
        cast(people.clinician, asked, 0, 1, Choice.ONE, rubric={asked[1][2]: {"correct": "yes"}})
    with pytest.raises(ValueError, match="first: name one of the two"):
        cast(people.clinician, asked, 0, 1, Choice.ONE, first_id=asked[1][2])
    with pytest.raises(LookupError, match="no round number 9"):
        cast(people.clinician, asked, 0, 1, Choice.ONE, round_id=9)
    with pytest.raises(PolicyError, match="lead blind rounds"):
        cast(people.clinician, asked, 0, 1, Choice.ONE, settles=True)
    with read() as session:
        assert session.scalar(select(func.count()).select_from(Vote)) == 0


def test_every_vote_has_its_audit_line_without_a_word_of_the_rater(people, asked):
    cast(people.clinician, asked, 0, 1, Choice.TIE, comment="Mrs Miller took both.")
    with read() as session:
        line = session.scalars(select(AuditLine).where(AuditLine.action == "voted")).one()
        assert (line.actor_id, line.subject, line.subject_id) == (
            people.clinician.id,
            "comparisons",
            asked[0],
        )
        assert line.detail == {"choice": "tie"}


def test_a_vote_changed_later_counts_as_the_newest_of_a_comparison(people, asked):
    cast(people.clinician, asked, 0, 1, Choice.ONE)
    newest = cast(people.clinician, asked, 0, 2, Choice.ONE)
    with read() as session:
        assert votes.own(session, people.clinician, [asked[0]])[asked[0]].id == newest
