"""The worker with real children: claim, watch, cancel, survive its own end, account for a child that died."""

import os
import signal
import subprocess
import sys
import time

import pytest
from sqlalchemy import select

from db import jobs, processes, session
from db.enums import JobKind, JobStatus, ProcessRole
from db.settings import REPOSITORY
from db.tables import Attempt
from db.tables.base import utc_now
from tests.trainer.conftest import job_of, metrics_of
from trainer import worker as workers
from trainer.models import checkpoints
from trainer.worker import Worker

LONG = {"epochs": 1000}  # more than any test waits for


@pytest.fixture
def new_worker(settings):
    """new_worker() -> a worker in this process; children left at the end of the test are killed."""
    made = []

    def make() -> Worker:
        made.append(Worker(settings))
        return made[-1]

    yield make
    for worker in made:
        for child in worker.children.values():
            workers.launch.signal_group(child.pid, child.started, signal.SIGKILL)
            if child.popen is not None:
                child.popen.wait()


def loop_until(worker, done, *, seconds=120.0):
    """Go round until `done()`; fails with what the child printed when it takes too long."""
    end = time.monotonic() + seconds
    while not done():
        worker.loop(utc_now())
        if time.monotonic() > end:
            logs = [path.read_text() for path in worker.settings.jobs_dir.glob("*/log.txt")]
            pytest.fail(f"still waiting after {seconds} s; the children printed: {logs}")
        time.sleep(0.05)


def wait_for(done, *, seconds=60.0):
    end = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < end, f"still waiting after {seconds} s"
        time.sleep(0.1)


@pytest.fixture
def start_worker(settings):
    """start_worker() -> a real `python -m trainer worker`, ended with the test."""
    started = []

    def start() -> subprocess.Popen:
        command = [sys.executable, "-m", "trainer", "worker", "--data-dir", str(settings.data_dir)]
        with (settings.logs_dir / "worker.log").open("ab") as log:
            started.append(subprocess.Popen(command, cwd=REPOSITORY, stdout=log, stderr=log))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.wait()


def child_of(job_id):
    """The pid of the process that carries the job out, or None."""
    with session.read() as s:
        return s.scalar(select(Attempt.child_pid).where(Attempt.job_id == job_id))


def worker_row():
    """The number of the live worker, or None."""
    with session.read() as s:
        found = processes.find_alive(s, ProcessRole.WORKER)
        return found and found.id


def is_closed(job_id):
    return lambda: not job_of(job_id).status.is_open


def test_a_queued_run_is_carried_out_by_a_child_and_a_report_beside_it(new_worker, queue, settings):
    training, report = queue(epochs=3), queue(JobKind.DATA_REPORT, epochs=3)
    worker = new_worker()
    worker.loop(utc_now())
    assert {child.job_id for child in worker.children.values()} == {training, report}

    loop_until(worker, lambda: not worker.children)

    job = job_of(training)
    assert job.status is JobStatus.FINISHED, job.error
    assert job.result["adapter_id"] == 1
    assert len(metrics_of(training, "loss")) == 24
    assert "step 24 of 24" in (settings.jobs_dir / str(training) / "log.txt").read_text()
    foretold = job_of(report)
    assert foretold.status is JobStatus.FINISHED, foretold.error
    assert foretold.result["steps"] == job.result["steps"] == 24
    assert foretold.result["tokens"] * 3 == job.result["tokens"]


def test_a_killed_run_fails_in_one_sentence_and_resumes_from_its_last_whole_checkpoint(
    new_worker, queue, settings, studio
):
    job_id = queue(epochs=100)
    folder = settings.jobs_dir / str(job_id) / "checkpoints"
    worker = new_worker()
    loop_until(worker, lambda: len(list(folder.glob("checkpoint-*/trainer_state.json"))) == 2)
    os.kill(worker.children["training"].pid, signal.SIGKILL)
    loop_until(worker, is_closed(job_id))
    job = job_of(job_id)
    assert job.status is JobStatus.FAILED
    assert job.error.startswith("The job's process was killed by the system (out of memory?)")

    newest = checkpoints.last_valid(folder)
    weights = newest / "adapter_model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-100])
    older = checkpoints.last_valid(folder)
    assert older not in (None, newest)

    with session.write() as s:
        jobs.requeue(s, studio[0], job_id)
    before = len(metrics_of(job_id, "loss"))
    loop_until(worker, lambda: len(metrics_of(job_id, "loss")) > before)
    first_step = metrics_of(job_id, "loss")[before][0]
    assert first_step == int(older.name.split("-")[1]) + 1

    with session.write() as s:
        jobs.request_cancel(s, studio[0], job_id)
    loop_until(worker, lambda: not worker.children)
    assert job_of(job_id).status is JobStatus.CANCELLED
    assert list(settings.adapters_dir.iterdir()) == []


def test_a_run_outlives_its_killed_worker_and_the_next_worker_takes_it_up(
    new_worker, queue, settings, studio, start_worker
):
    job_id = queue(**LONG)
    first = start_worker()
    wait_for(lambda: child_of(job_id) is not None)
    first.kill()
    first.wait()
    pid = child_of(job_id)
    assert processes.is_running(pid, workers.launch.started_at(pid))

    second = new_worker()
    assert [(c.job_id, c.pid) for c in second.children.values()] == [(job_id, pid)]
    with session.write() as s:
        jobs.request_cancel(s, studio[0], job_id)
    loop_until(second, lambda: not second.children)
    assert job_of(job_id).status is JobStatus.CANCELLED


def test_a_child_that_does_not_heed_a_cancel_is_ended_by_signals(new_worker, queue, studio):
    job_id = queue(**LONG)
    worker = new_worker()
    worker.loop(utc_now())
    child = worker.children["training"]
    os.kill(child.pid, signal.SIGSTOP)  # as deaf as a process can be
    with session.write() as s:
        jobs.request_cancel(s, studio[0], job_id)
    worker.loop(utc_now())
    worker.loop(utc_now() + workers.GRACE)
    assert child.signalled is signal.SIGTERM
    worker.loop(utc_now() + workers.GRACE + workers.LAST_GRACE)
    assert child.signalled is signal.SIGKILL
    loop_until(worker, lambda: not worker.children)
    assert job_of(job_id).status is JobStatus.CANCELLED


def test_a_second_worker_of_the_same_folder_ends_at_once_and_a_signal_ends_the_first(settings, start_worker):
    first = start_worker()
    wait_for(lambda: worker_row() is not None)
    second = start_worker()
    assert second.wait(30) == 0
    assert first.poll() is None
    first.terminate()
    assert first.wait(30) == 0
    assert worker_row() is None


def test_a_child_of_a_worker_that_is_gone_leaves_its_job_interrupted(new_worker, queue):
    job_id = queue()
    with session.write() as s:
        gone = processes.register(s, ProcessRole.WORKER)
        job = jobs.claim_next(s, gone.id)
        jobs.note_child(s, job_id, job.attempt, pid=os.getpid(), started=1.0)
        processes.sign_off(s, gone.id)
    new_worker()
    job = job_of(job_id)
    assert job.status is JobStatus.INTERRUPTED
    assert "resume" in job.error


@pytest.mark.parametrize(
    ("code", "status", "says"),
    [
        (-9, JobStatus.FAILED, "killed by the system (out of memory?)"),
        (-11, JobStatus.FAILED, "crashed (SIGSEGV)"),
        (-15, JobStatus.INTERRUPTED, "stopped from outside"),
        (1, JobStatus.FAILED, "exit code 1"),
    ],
)
def test_every_way_a_child_can_die_has_its_sentence(code, status, says):
    assert workers.explain(code)[0] is status
    assert says in workers.explain(code)[1]
