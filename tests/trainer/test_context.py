"""The job's road to the database: gathered writes, a cancel that is heard, no word from an old attempt."""

import time

import pytest
from sqlalchemy import update

from db import jobs, session
from db.enums import JobStatus
from db.tables import Job
from tests.trainer.conftest import job_of, metrics_of
from trainer import run
from trainer.context import Cancelled, JobContext


def until(done, seconds=10.0):
    end = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_metrics_and_progress_arrive_while_the_job_runs(claimed):
    context = claimed()
    for step in range(1, 101):
        context.metrics(step, loss=1 / step)
        context.progress("training", step, 100)
    until(lambda: len(metrics_of(context.job_id, "loss")) == 100)
    assert metrics_of(context.job_id, "loss")[-1] == (100, 0.01)
    assert job_of(context.job_id).step == 100
    context.finish({"seconds": 1.0})
    assert job_of(context.job_id).result == {"seconds": 1.0}


def test_what_was_told_last_is_written_with_the_end(claimed):
    context = claimed()
    context.metrics(7, loss=0.5)
    context.fail("rank: too large.")
    assert metrics_of(context.job_id, "loss") == [(7, 0.5)]
    assert (job_of(context.job_id).status, job_of(context.job_id).error) == (
        JobStatus.FAILED,
        "rank: too large.",
    )


def test_a_cancel_in_the_database_stops_the_job_at_its_next_step(claimed, studio):
    context = claimed()
    context.require_wanted()
    with session.write() as s:
        jobs.request_cancel(s, studio[0], context.job_id)
    with pytest.raises(Cancelled):
        until(lambda: context.require_wanted())


def test_an_attempt_that_was_overtaken_writes_nothing(claimed):
    context = claimed()
    with session.write() as s:
        s.execute(update(Job).values(attempt=2))
    assert run.carry_out(context) == 3
    assert job_of(context.job_id).status is JobStatus.RUNNING
    assert list(context.settings.adapters_dir.iterdir()) == []
    with pytest.raises(jobs.FencedError):
        JobContext(context.settings, context.job_id, 1)
