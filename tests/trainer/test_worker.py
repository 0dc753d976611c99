"""The worker with real children: claim, watch, cancel, survive its own end, account for a child that died."""

import os
import signal
import subprocess
import sys
import time

import psutil
import pytest
from sqlalchemy import select

from db import jobs, processes, session
from db.enums import JobKind, JobStatus, ProcessRole, StopMode
from db.settings import REPOSITORY
from db.tables import Attempt
from tests.trainer.conftest import job_of, metrics_of
from trainer import children, launch
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
            launch.signal_group(child.pid, child.started, signal.SIGKILL)
            if child.popen is not None:
                child.popen.wait()


def loop_until(worker, done, *, seconds=120.0):
    """Go round until `done()`; fails with what the child printed when it takes too long."""
    end = time.monotonic() + seconds
    while not done():
        worker.loop(time.monotonic())
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
    worker.loop(time.monotonic())
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


def test_a_run_outlives_its_killed_worker_and_the_next_worker_takes_it_up(
    new_worker, queue, settings, studio, start_worker
):
    job_id = queue(**LONG)
    first = start_worker()
    wait_for(lambda: child_of(job_id) is not None)
    first.kill()
    first.wait()
    pid = child_of(job_id)
    assert processes.is_running(pid, processes.started_at(pid))

    second = new_worker()
    assert [(c.job_id, c.pid) for c in second.children.values()] == [(job_id, pid)]
    with session.write() as s:
        jobs.request_cancel(s, studio[0], job_id)
    loop_until(second, lambda: not second.children)
    assert job_of(job_id).status is JobStatus.CANCELLED


@pytest.fixture
def two_gpus(tmp_path, monkeypatch):
    """A machine whose `nvidia-smi` lists two GPUs."""
    program = tmp_path / "bin" / "nvidia-smi"
    program.parent.mkdir()
    program.write_text(
        '#!/bin/sh\nfor n in 0 1; do echo "GPU $n: NVIDIA H100 80GB HBM3 (UUID: GPU-$n)"; done\n'
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)


def test_each_gpu_has_a_lane_and_the_next_worker_takes_up_both(two_gpus, new_worker, queue):
    first_id, second_id, both_id, small_id = queue(**LONG), queue(**LONG), queue(processes=2), queue()
    first = new_worker()
    first.loop(time.monotonic())
    for child in first.children.values():
        os.kill(child.pid, signal.SIGSTOP)  # what they would do is not looked at here
    lanes = {lane: child.job_id for lane, child in first.children.items()}
    assert lanes == {"training 0": first_id, "training 1": second_id}
    seen = [psutil.Process(child.pid).environ()["CUDA_VISIBLE_DEVICES"] for child in first.children.values()]
    assert seen == ["0", "1"]

    second = new_worker()
    second.loop(time.monotonic())
    assert {lane: child.job_id for lane, child in second.children.items()} == lanes
    with session.read() as s:
        assert processes.find_alive(s, ProcessRole.WORKER).detail["gpus"] == ["NVIDIA H100 80GB HBM3"] * 2
        devices = s.execute(select(Attempt.job_id, Attempt.device).order_by(Attempt.job_id)).all()
    assert [tuple(row) for row in devices] == [(first_id, "0"), (second_id, "1")]

    freed = second.children["training 0"]
    os.kill(freed.pid, signal.SIGKILL)
    first.children["training 0"].popen.wait()
    second.loop(time.monotonic())
    second.loop(time.monotonic())
    assert list(second.children) == ["training 1"]  # the run over both waits, and the small one behind it
    assert {job_of(both_id).status, job_of(small_id).status} == {JobStatus.QUEUED}


def test_a_child_that_does_not_heed_a_cancel_is_ended_by_signals(new_worker, queue, studio):
    job_id = queue(**LONG)
    worker = new_worker()
    worker.loop(time.monotonic())
    child = worker.children["training"]
    os.kill(child.pid, signal.SIGSTOP)  # as deaf as a process can be
    with session.write() as s:
        jobs.request_cancel(s, studio[0], job_id)
    worker.loop(time.monotonic())
    worker.loop(time.monotonic() + children.GRACE)
    assert child.signalled is signal.SIGTERM
    worker.loop(time.monotonic() + children.GRACE + children.LAST_GRACE)
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
    ("code", "memory", "status", "says"),
    [
        (-9, None, JobStatus.FAILED, "killed by the system (out of memory?)"),
        (-9, True, JobStatus.FAILED, "killed by the system (as memory ran out)"),
        (-9, False, JobStatus.INTERRUPTED, "killed from outside"),
        (-11, False, JobStatus.FAILED, "crashed (SIGSEGV)"),
        (-15, False, JobStatus.INTERRUPTED, "stopped from outside"),
        (1, False, JobStatus.FAILED, "exit code 1"),
    ],
)
def test_every_way_a_child_can_die_has_its_sentence(code, memory, status, says):
    found, sentence = children.explain(code, out_of_memory=memory)
    assert found is status
    assert says in sentence


def test_what_a_dead_child_left_behind_is_killed_whatever_it_did_to_hide():
    marker = f"7.1@{os.getpid()}"
    child = subprocess.Popen(
        ["sh", "-c", "sleep 600 & setsid sleep 600 & exec sleep 600"],
        env={**os.environ, launch.MARKER: marker},
        start_new_session=True,
    )
    watched = children.Child(7, 1, JobKind.TRAIN, child.pid, processes.started_at(child.pid), marker)
    wait_for(lambda: len(launch.list_left(child.pid, watched.started, marker)) == 3)
    assert launch.find_child(marker).pid == child.pid
    child.kill()
    child.wait()
    left = launch.list_left(child.pid, watched.started, marker)
    assert len(left) == 2
    wait_for(watched.clear_up)
    assert not any(process.is_running() and process.status() != "zombie" for process in left)


def test_a_run_gets_time_to_save_only_where_there_is_something_to_save():
    child = children.Child(7, 1, JobKind.TRAIN, 0, 0.0, "")
    assert children.grace_of(child, StopMode.SAVE, has_steps=True) == children.SAVING_GRACE
    assert children.grace_of(child, StopMode.SAVE, has_steps=False) == children.GRACE
    assert children.grace_of(child, StopMode.DISCARD, has_steps=True) == children.GRACE


def test_the_kernel_counts_what_it_kills_for_memory():
    assert children.count_oom_kills() >= 0
