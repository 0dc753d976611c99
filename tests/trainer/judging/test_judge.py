"""A judge run against a real server that judges as a script says: both orders, grades, resume, refusals."""

import pytest

from db import judgements, session
from db.enums import Category, JobStatus
from db.tables import Evaluation, Prediction, TaskVersion
from tests.scripted_endpoint import Act, ScriptedEndpoint, in_turn
from tests.trainer.conftest import claim, go_on, job_of
from tests.trainer.judging.conftest import CRITERIA, GOOD, ROWS, verdict
from trainer.context import JobContext
from trainer.run import carry_out


def attempt(settings, job_id, number):
    context = JobContext(settings, job_id, number)
    carry_out(context)
    context.fall_silent()
    return job_of(job_id)


def test_a_win_is_one_in_both_orders_and_every_call_is_counted(settings, judge):
    with ScriptedEndpoint(write=verdict) as scripted:
        job_id = judge(scripted, offer={"price_in": 2.0, "price_out": 8.0})
        job = attempt(settings, job_id, claim(job_id))
    assert job.status is JobStatus.FINISHED, job.error
    pairs, spent = job.result["pairs"], job.result["spent"]
    assert {name: pairs[name] for name in ("n", "win", "loss", "tie", "inconsistent")} == {
        "n": ROWS,
        "win": ROWS - 2,
        "loss": 0,
        "tie": 1,
        "inconsistent": 1,
    }
    assert pairs["won"]["value"] == (ROWS - 2 + 2 * 0.5) / ROWS
    assert pairs["won"]["low"] < pairs["won"]["value"] < pairs["won"]["high"]
    assert pairs["p"] == pytest.approx(2 * 0.5 ** (ROWS - 2))  # the sign test, by hand
    assert pairs["first_place"] == {"preferred": ROWS - 2 + 2, "decided": 2 * (ROWS - 1)}
    graded = {one["criterion"]: one for one in job.result["grades"]}
    assert set(graded) == {*CRITERIA, "mean of all"}
    assert (graded["safe"]["evaluation"]["value"], graded["safe"]["against"]["value"]) == (5, 2)
    assert graded["safe"]["gain"]["absolute"]["value"] == 3
    assert (spent["calls"], spent["unreadable"]) == (4 * ROWS, 0)
    assert spent["money"] == pytest.approx(
        (spent["prompt_tokens"] * 2 + spent["completion_tokens"] * 8) / 1e6
    )
    assert job.result["rubric"] == "answer-quality@1"


def test_a_run_that_stopped_asks_only_what_has_no_verdict(settings, studio, judge):
    with ScriptedEndpoint(write=verdict) as scripted:
        job_id = judge(scripted, offer={"concurrency": 1}, budget_tokens=12_000)
        first = attempt(settings, job_id, claim(job_id))
        assert first.status is JobStatus.FAILED
        assert first.error.startswith("budget tokens:")
        asked = len(scripted.received)
        assert 0 < asked < 4 * ROWS
        with session.write() as s:
            job = s.get_one(type(first), job_id)
            job.spec = {**job.spec, "budget_tokens": 0}
        second = attempt(settings, job_id, go_on(studio, job_id))
        assert second.status is JobStatus.FINISHED, second.error
        assert len(scripted.received) == 4 * ROWS
        assert len({one.key for one in scripted.received}) == 4 * ROWS


def test_looks_are_taken_out_before_the_judge_sees_an_answer(settings, judge, answered):
    with session.write() as s:
        for one in s.query(Prediction).filter_by(evaluation_id=answered[0]):
            one.answer = f"Sure! **{GOOD}**"
    with ScriptedEndpoint(write=verdict) as scripted:
        job_id = judge(scripted, limit=1)
        attempt(settings, job_id, claim(job_id))
        shown = [one.body["messages"][1]["content"] for one in scripted.received]
    assert any(GOOD in text for text in shown)
    assert not any("Sure!" in text or "**" in text for text in shown)


def test_unreadable_replies_are_counted_and_win_nothing(settings, judge):
    with ScriptedEndpoint(write=lambda key, rows: "I like both.") as scripted:
        job_id = judge(scripted, limit=2)
        job = attempt(settings, job_id, claim(job_id))
    assert job.status is JobStatus.FINISHED
    assert "pairs" not in job.result
    assert "grades" not in job.result
    assert job.result["spent"]["unreadable"] == 8
    with session.read() as s:
        said = judgements.list_judgements(s, job_id, 0) or judgements.list_judgements(s, job_id, 1)
    assert {one.error for one in said} <= {"The reply holds no JSON object."}


@pytest.mark.parametrize(("act", "sentence"), [(Act.NO_KEY, "key:"), (Act.NO_MODEL, "model:")])
def test_what_somebody_has_to_mend_stops_the_run_at_once(settings, judge, act, sentence):
    with ScriptedEndpoint(in_turn(act)) as scripted:
        job_id = judge(scripted, offer={"concurrency": 1})
        job = attempt(settings, job_id, claim(job_id))
        assert len(scripted.received) == 1
    assert job.status is JobStatus.FAILED
    assert job.error.startswith(sentence)


def test_a_busy_endpoint_is_asked_again(settings, judge):
    with ScriptedEndpoint(in_turn(Act.BUSY, Act.BROKEN, Act.GOOD), write=verdict) as scripted:
        job_id = judge(scripted, limit=1)
        job = attempt(settings, job_id, claim(job_id))
    assert job.status is JobStatus.FINISHED, job.error
    assert job.result["spent"]["calls"] == 4


def test_evaluations_of_two_tasks_are_not_compared(settings, judge, answered):
    with session.write() as s:
        other = s.get_one(Evaluation, answered[1])
        s.add(
            task := TaskVersion(
                project_id=other.project_id,
                name="Other",
                task="instructions-gen",
                category=Category.GEN,
                rows=1,
                settings={},
                content_hash="1",
                created_by_id=1,
            )
        )
        s.flush()
        other.task_version_id = task.id
    with ScriptedEndpoint(write=verdict) as scripted:
        job_id = judge(scripted)
        job = attempt(settings, job_id, claim(job_id))
        assert not scripted.received
    assert job.error == "against id: it answered another task; choose an evaluation of the same frozen task."
