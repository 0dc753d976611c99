"""The job's road to the database: gathered writes, a cancel that is heard, no word from an old attempt."""

import os
import signal
import threading
import time

import pytest
from sqlalchemy import update

from db import alerts, jobs, processes, sample_answers, session
from db.enums import AlertKind, JobStatus, ProcessRole, StopMode
from db.tables import Job
from tests.trainer.conftest import job_of, metrics_of
from trainer import run
from trainer.context import Cancelled, JobContext
from trainer.models import checkpoints


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


def test_what_a_person_wants_left_is_heard_and_the_later_wish_counts(claimed, studio):
    context = claimed()
    assert context.stop_mode() is None
    for mode in (StopMode.SAVE, StopMode.DISCARD):
        with session.write() as s:
            jobs.request_cancel(s, studio[0], context.job_id, mode)
        until(lambda mode=mode: context.stop_mode() is mode)


def test_alerts_and_samples_are_kept_one_of_a_kind_and_one_a_prompt(claimed):
    context = claimed()
    context.alert(3, AlertKind.PLATEAU, "The loss has not fallen for 50 steps.")
    context.alert(9, AlertKind.PLATEAU, "The loss has not fallen for 60 steps.")
    context.alert(9, AlertKind.DIVERGED, "The loss doubled.")
    for answer in ("Red.", "It is red."):  # a resumed run says it anew
        context.sample(5, 0, "Which colour?", answer)
    context.sample(5, 1, "Which fruit?", "A plum.")
    context.finish({})
    with session.read() as s:
        told = [(alert.kind, alert.step) for alert in alerts.list_alerts(s, context.job_id)]
        said = [(one.number, one.answer) for one in sample_answers.list_answers(s, context.job_id)]
    assert told == [(AlertKind.PLATEAU, 3), (AlertKind.DIVERGED, 9)]
    assert said == [(0, "It is red."), (1, "A plum.")]


def test_one_process_of_several_speaks_for_all(claimed, settings, monkeypatch):
    main = claimed()
    monkeypatch.setenv("RANK", "1")
    other = JobContext(settings, main.job_id, main.attempt)
    assert (main.is_main, other.is_main) == (True, False)
    other.metrics(1, loss=9.0)
    other.alert(1, AlertKind.PLATEAU, "Not heard.")
    other.finish({"seconds": 1.0})
    assert job_of(main.job_id).status is JobStatus.RUNNING
    main.metrics(1, loss=1.0)
    main.finish({})
    assert metrics_of(main.job_id, "loss") == [(1, 1.0)]


def test_a_machine_that_shuts_down_lets_the_run_save_and_leaves_it_interrupted(settings, queue):
    job_id = queue(max_steps=2000)
    with session.write() as s:
        job = jobs.claim_next(s, processes.register(s, ProcessRole.WORKER).id)
    ended = threading.Event()

    def shut_down() -> None:
        until(lambda: ended.is_set() or job_of(job_id).step >= 3, seconds=120)
        if not ended.is_set():
            os.kill(os.getpid(), signal.SIGTERM)

    before = signal.getsignal(signal.SIGTERM)
    machine = threading.Thread(target=shut_down)
    machine.start()
    try:
        assert run.main(settings, job_id, job.attempt) == 0
    finally:
        ended.set()
        machine.join()
        signal.signal(signal.SIGTERM, before)
    job = job_of(job_id)
    assert (job.status, job.error[:11]) == (JobStatus.INTERRUPTED, "The machine")
    saved = checkpoints.last_valid(settings.jobs_dir / str(job_id) / "checkpoints")
    assert checkpoints.step_of(saved) == job.step >= 3
