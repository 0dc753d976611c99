from datetime import timedelta

import pytest
from sqlalchemy import select

from db import assignments, comparisons, projects, retention, rounds, votes
from db.enums import Choice, JobKind, JobStatus
from db.policy import PolicyError
from db.session import read, write
from db.tables import Answer, AuditLine, Comparison, Job, Vote
from db.tables.base import utc_now
from tests.db.compared import compare
from tests.db.compared import sides as sides

NOW = utc_now() + timedelta(days=31)  # what the tests make now is 31 days old then


@pytest.fixture(autouse=True)
def _thirty_days(people, project_id):
    with write() as session:
        retention.set_days(session, people.admin, project_id, 30)


@pytest.fixture
def asked(people, project_id, sides):
    return compare(
        people.trainer, project_id, {sides.base: "Base.", sides.tuned: "Tuned."}, system="Be brief."
    )


def empty(now=NOW) -> dict[int, int]:
    with write() as session:
        return retention.empty_old(session, now=now)


def kept_texts() -> set[int]:
    with read() as session:
        return set(session.scalars(select(Comparison.id).where(Comparison.emptied_at.is_(None))))


def test_old_texts_go_and_votes_and_figures_stay(people, project_id, asked):
    id, (one, other) = asked
    with write() as session:
        votes.cast(
            session, people.clinician, id, one, other, Choice.OTHER, comment="Dose was wrong.",
            rubric={one: {"correct": "no"}},
        )  # fmt: skip
    with read() as session:
        before = votes.ballots(session, project_id)
        voted_at = session.scalars(select(Vote.updated_at)).one()
    assert empty() == {project_id: 1}
    with read() as session:
        row = session.get_one(Comparison, id)
        assert (row.system, row.instruction, row.input, row.emptied_at) == ("", "", "", NOW)
        assert {answer.text for answer in row.answers} == {""}
        assert [answer.tokens for answer in row.answers] == [1, 1]
        vote = session.scalars(select(Vote)).one()
        assert (vote.choice, vote.comment, vote.updated_at) == (Choice.OTHER, "", voted_at)
        assert votes.ballots(session, project_id) == before  # the prompt's cluster too
        line = session.scalars(select(AuditLine).order_by(AuditLine.id.desc())).first()
        assert (line.actor_id, line.action, line.detail) == (None, "emptied_old_texts", {"comparisons": 1})
    assert empty() == {}


def test_what_is_younger_stays_and_without_a_setting_everything_does(people, project_id, asked):
    assert empty(utc_now() + timedelta(days=29)) == {}
    with write() as session:
        retention.set_days(session, people.admin, project_id, None)
    assert empty() == {}
    with read() as session:
        assert not retention.is_due(session, now=NOW)


def test_what_became_an_instruction_stays(people, project_id, asked):
    id, (one, other) = asked
    with write() as session:
        votes.cast(session, people.clinician, id, one, other, Choice.TIE, corrected_answer="Cefalexin.")
    assert empty() == {}


def test_pairs_of_an_open_round_stay_until_it_is_closed(people, project_id, asked):
    with write() as session:
        round_id = rounds.create(
            session, people.trainer, project_id, title="R", pairs=[tuple(asked[1])],
            rater_ids=[people.clinician.id],
        ).id  # fmt: skip
    assert empty() == {}
    with write() as session:
        rounds.close(session, people.trainer, round_id)
    assert empty() == {project_id: 1}
    with write() as session:
        rounds.reopen(session, people.trainer, round_id)
        assert assignments.next_assignment(session, people.clinician, round_id) is None  # nothing to read


def test_a_conversation_stays_until_its_last_turn_is_old(people, project_id, sides, asked):
    said = {sides.base: "Five days.", sides.tuned: "A week."}
    turn, _ = compare(people.trainer, project_id, said, instruction="For how long?", follows_id=asked[0])
    alone, _ = compare(people.trainer, project_id, said)
    with write() as session:
        session.get_one(Comparison, turn).created_at = NOW - timedelta(days=2)
    assert empty() == {project_id: 1}
    assert kept_texts() == {asked[0], turn}
    with read() as session:
        turns = comparisons.turns_of(session, session.get_one(Comparison, turn))
        comparisons.messages(turns, 0, system="", instruction="And then?")
        emptied = [session.get_one(Comparison, alone)]
        with pytest.raises(ValueError, match="no longer kept"):
            comparisons.messages(emptied, 0, system="", instruction="And then?")
    assert empty(NOW + timedelta(days=40)) == {project_id: 2}


@pytest.mark.parametrize(
    ("status", "stays"),
    [(JobStatus.QUEUED, True), (JobStatus.INTERRUPTED, True), (JobStatus.FINISHED, False)],
)
def test_the_rows_of_a_batch_stay_while_it_is_under_way(people, project_id, asked, status, stays):
    with write() as session:
        job = Job(
            project_id=project_id, kind=JobKind.COMPARE, name="B", spec={}, status=status,
            created_by_id=people.trainer.id,
        )  # fmt: skip
        session.add(job)
        session.flush()
        session.get_one(Comparison, asked[0]).job_id = job.id
    assert empty() == ({} if stays else {project_id: 1})


def test_an_emptied_comparison_takes_no_correction(people, project_id, asked):
    empty()
    id, (one, other) = asked
    with write() as session, pytest.raises(ValueError, match="no longer kept"):
        votes.cast(session, people.clinician, id, one, other, Choice.TIE, corrected_answer="Cefalexin.")
    with write() as session, pytest.raises(ValueError, match="no longer kept; leave it out"):
        rounds.create(
            session, people.trainer, project_id, title="R", pairs=[(one, other)],
            rater_ids=[people.clinician.id],
        )  # fmt: skip
    with read() as session:
        assert session.scalars(select(Answer.text)).all() == ["", ""]


def test_only_an_admin_says_how_long_and_only_a_number_of_days(people, project_id):
    with write() as session:
        with pytest.raises(PolicyError):
            retention.set_days(session, people.trainer, project_id, 1)
        with pytest.raises(PolicyError):
            retention.empty_old(session, people.trainer)
        for days in (0, 3_651, True, 1.5):
            with pytest.raises(ValueError, match="days: "):
                retention.set_days(session, people.admin, project_id, days)
        assert retention.days_of(projects.get_project(session, project_id)) == 30
