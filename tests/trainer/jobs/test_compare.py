"""A batch answers as the model server does, and after a stop or a kill only what is missing."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace

import pytest
from starlette.testclient import TestClient

from db import batches, comparisons, endpoints, jobs, session
from db.batch_prompts import BatchPrompt
from db.compare_spec import CompareSpec, SideSpec
from db.endpoints import Offer
from db.enums import JobKind, JobStatus, Role
from tests.scripted_endpoint import Act, ScriptedEndpoint, in_turn
from tests.trainer.conftest import claim, go_on, job_of
from tests.trainer.jobs.conftest import answers_of
from trainer.context import JobContext
from trainer.jobs import compare
from trainer.run import carry_out
from trainer.serve.app import create_app
from trainer.serve.engine import Engine

TOKEN = "a token"


@pytest.fixture
def run(settings):
    """run(job, attempt=None) -> the job, carried out in this very process."""

    def carry(job_id: int, attempt: int | None = None):
        carry_out(JobContext(settings, job_id, attempt or claim(job_id)))
        return job_of(job_id)

    return carry


@pytest.fixture
def ask(settings):
    """ask(sides, row, max_tokens) -> the texts of the model server itself, in the order of the sides."""
    engine = Engine()
    client = TestClient(create_app(engine, tokens=[TOKEN]), headers={"Authorization": f"Bearer {TOKEN}"})

    def texts(sides, row, max_tokens):
        body = {
            "sides": [{name: value for name, value in vars(side).items() if value} for side in sides],
            "messages": comparisons.messages(
                [], 0, system=row.system, instruction=row.instruction, input=row.input
            ),
            "max_tokens": max_tokens,
        }
        with client.stream("POST", "/v1/compare", json=body) as reply:
            events = [json.loads(line[6:]) for line in reply.iter_lines() if line.startswith("data: {")]
        said = [""] * len(sides)
        for event in events:
            assert event["type"] != "error", event
            if event["type"] == "delta":
                said[event["position"]] += event["text"]
        return said

    yield texts
    engine.stop_all()
    engine.close()


def test_a_batch_answers_as_the_model_server_does(start, run, ask, trial):
    sides = (trial.base, trial.first, trial.second)
    job_id = start(*sides, rows=3, max_tokens=12)
    job = run(job_id)
    assert (job.status, job.result["answers"], job.result["cut"]) == (JobStatus.FINISHED, 9, 9)
    assert (job.step, job.total_steps) == (9, 9)
    with session.read() as s:
        rows = batches.list_rows(s, job_id)
    for row in rows:
        texts = [answer.text for answer in row.answers]
        assert texts == ask(sides, row, 12)
        assert len(set(texts)) == 3  # the weights differ, so do the answers
        base, first, _ = row.answers
        assert base.provenance["adapter"] is None
        assert first.provenance["adapter"]["id"] == trial.first.adapter_id
        assert base.provenance["batch"]["rows"] == 3
        assert base.tokens == 12


def test_a_killed_batch_goes_on_with_what_is_missing_and_says_the_same(start, run, settings, studio, trial):
    job_id = start(trial.base, trial.first, rows=16, max_tokens=40)
    attempt = claim(job_id)
    child = subprocess.Popen(
        [sys.executable, "-m", "trainer", "run", str(job_id), str(attempt)],
        env={**os.environ, "STUDIO_DATA_DIR": str(settings.data_dir), "DATABASE_URL": settings.url},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    while len(answers_of(job_id)) < 2 and child.poll() is None:
        time.sleep(0.01)
    child.send_signal(signal.SIGKILL)
    assert child.wait() == -signal.SIGKILL, "it was done before it could be killed"
    before = answers_of(job_id)
    assert 2 <= len(before) < 32
    assert len(before) % 2 == 0  # a row's answers are stored together, or not at all

    job = run(job_id, go_on(studio, job_id))
    after = answers_of(job_id)
    assert (job.status, job.result["answers"]) == (JobStatus.FINISHED, 32 - len(before))
    assert len(after) == 32
    assert {place: after[place] for place in before} == before  # neither asked nor written again

    whole = start(trial.base, trial.first, rows=16, max_tokens=40)
    run(whole)
    assert {at: text for at, (_, text) in answers_of(whole).items()} == {
        at: text for at, (_, text) in after.items()
    }


def test_a_prompt_that_does_not_fit_is_told_on_its_row_and_the_others_go_on(start, run, trial):
    long = BatchPrompt("Say it.", "very " * 3_500, key="long")
    short = BatchPrompt("Which colour is the apple?", key="short")
    job_id = start(trial.base, prompts=[long, short], max_tokens=4)
    job = run(job_id)
    assert (job.status, job.result["refused"]) == (JobStatus.FINISHED, 1)
    with session.read() as s:
        first, second = (row.answers[0] for row in batches.list_rows(s, job_id))
    assert (first.text, first.finish_reason) == ("", "cancelled")
    assert "tokens long" in first.provenance["refused"]
    assert second.text


def test_a_stop_keeps_whole_rows_and_resume_goes_on(start, settings, studio, trial, run):
    job_id = start(trial.base, trial.first, rows=3)
    context = JobContext(settings, job_id, claim(job_id))
    with session.write() as s:
        jobs.request_cancel(s, studio[0], job_id)
    carry_out(context)
    assert job_of(job_id).status is JobStatus.CANCELLED
    kept = len(answers_of(job_id))
    assert kept % 2 == 0
    assert run(job_id, go_on(studio, job_id)).status is JobStatus.FINISHED
    assert len(answers_of(job_id)) == 6


def _endpoint(studio, scripted, **offer) -> SideSpec:
    admin = replace(studio[0], roles=studio[0].roles | {Role.ADMIN})
    with session.write() as s:
        entered = Offer(**{"name": "scripted", "base_url": scripted.url, "model": "m", **offer})
        endpoint = endpoints.add(s, admin, entered, private=True)
        s.flush()
        return SideSpec(endpoint_id=endpoint.id)


def test_an_endpoint_answers_beside_the_base_and_nothing_is_asked_twice(start, run, studio, trial):
    acts = (Act.GOOD, Act.BROKEN, Act.GOOD, Act.NO_KEY, Act.GOOD)
    with ScriptedEndpoint(in_turn(*acts), write=lambda key, rows: f"said {key}") as scripted:
        side = _endpoint(studio, scripted, concurrency=1)
        job_id = start(trial.base, side, rows=3)
        job = run(job_id)
        assert job.status is JobStatus.FAILED  # somebody has to mend the key
        assert "key" in job.error.lower()
        assert set(answers_of(job_id)) == {("1", 0), ("2", 0), ("3", 0), ("1", 1), ("2", 1)}
        job = run(job_id, go_on(studio, job_id))
        assert job.status is JobStatus.FINISHED
        assert [one.key[-3:] for one in scripted.received] == ["1-1", "2-1", "2-1", "3-1", "3-1"]
    with session.read() as s:
        answers = [row.answers[1] for row in batches.list_rows(s, job_id)]
    assert [one.text for one in answers] == [f"said batch-{job_id}-{one.comparison_id}-1" for one in answers]
    assert all(answer.provenance["endpoint"]["model"] == "m" for answer in answers)


def test_a_batch_without_prompts_says_so(settings, studio, trial):
    with session.write() as s:
        spec = CompareSpec((trial.base,))
        job_id = jobs.enqueue(s, studio[0], trial.project_id, JobKind.COMPARE, spec, name="empty").id
    context = JobContext(settings, job_id, claim(job_id))
    with pytest.raises(ValueError, match=r"^prompts: this batch has none"):
        compare.run(context)
    context.fall_silent()
