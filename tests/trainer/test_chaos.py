"""Everything that can die is killed, the disk fills, clocks are set: no run is lost, none is run twice.

Real processes throughout: the studio's own app, workers and children, ended by SIGKILL.
"""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
import torch
from safetensors.torch import load_file
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from db import conversions, jobs, processes, registry, session
from db.convert_spec import ConvertSpec, Source
from db.corpora.files import keep
from db.enums import JobStatus, ProcessRole, StopMode
from db.settings import REPOSITORY
from db.tables import Attempt, Process
from tests.trainer.conftest import job_of, metrics_of
from tests.trainer.small_disk import start_on_a_small_disk
from trainer import launch, run
from trainer.children import marker_of
from trainer.models import checkpoints

RUN = {
    "max_steps": 80,
    "save_every": 10,
    "evaluate_every": 80,
    "dropout": 0.1,
    "precision": "fp32",
    "learning_rate": 3e-3,
}
HOUR = 3600
PATIENCE = 240.0  # seconds for anything, on a busy machine


@pytest.fixture
def start(settings):
    """start(*command, before=(), **environment) -> a process of the studio; all are killed with the test."""
    started = []

    def go(*command, before=(), **environment) -> subprocess.Popen:
        env = {**os.environ, **settings.environment(), **environment}
        with (settings.logs_dir / "chaos.log").open("ab") as log:
            process = subprocess.Popen(
                [*before, sys.executable, *command],
                cwd=REPOSITORY, env=env, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
        started.append(process)
        return process

    yield go
    for process in started:
        process.kill()
        process.wait()
    with session.read() as s:
        workers = list(s.scalars(select(Process).where(Process.role == ProcessRole.WORKER)))
        attempts = list(s.scalars(select(Attempt).where(Attempt.child_pid.is_not(None))))
    for worker in workers:  # those that the app started
        launch.signal_group(worker.pid, worker.started, signal.SIGKILL)
    for attempt in attempts:
        launch.signal_group(attempt.child_pid, attempt.child_started, signal.SIGKILL)


@pytest.fixture
def left_alone(claimed):
    """left_alone(**settings) -> the weights of a run that nothing happens to."""

    def carry_out(**settings) -> dict[str, torch.Tensor]:
        context = claimed(**settings)
        assert run.carry_out(context) == 0
        with session.write() as s:  # this very process was its worker
            for process in processes.list_alive(s, ProcessRole.WORKER):
                processes.sign_off(s, process.id)
        return weights_of(context.job_id)

    return carry_out


def free_port() -> str:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return str(found.getsockname()[1])


def weights_of(job_id) -> dict[str, torch.Tensor]:
    with session.read() as s:
        path = registry.get_adapter(s, job_of(job_id).result["adapter_id"]).path
    return load_file(Path(path) / "adapter_model.safetensors")


def assert_equal(found, wanted):
    assert found.keys() == wanted.keys()
    assert max(float((found[name] - wanted[name]).abs().max()) for name in wanted) <= 1e-6


def until(done, *, pause=0.05):
    """What `done()` gives once it is true."""
    end = time.monotonic() + PATIENCE
    while not (found := done()):
        assert time.monotonic() < end, f"still waiting after {PATIENCE} s"
        time.sleep(pause)
    return found


def worker_of(settings) -> Process | None:
    with session.read() as s:
        return processes.find_alive(s, ProcessRole.WORKER, here=True)


def child_of(job_id) -> psutil.Process | None:
    """The process of the job's latest attempt while it lives."""
    with session.read() as s:
        job = jobs.get_job(s, job_id)
        if not job.attempt:
            return None
        attempt = jobs.get_attempt(s, job_id, job.attempt)
    if attempt.child_pid is None or not processes.is_running(attempt.child_pid, attempt.child_started):
        return None
    return psutil.Process(attempt.child_pid)


def kill(*found) -> None:
    """SIGKILL, and wait for the end."""
    for process in found:
        os.kill(process.pid, signal.SIGKILL)
    for process in found:
        until(lambda pid=process.pid: _is_gone(pid), pause=0.01)


def _is_gone(pid) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def whole_in(folder) -> list[Path]:
    """The whole checkpoints, the oldest first."""
    found = sorted(folder.glob("checkpoint-*"), key=checkpoints.step_of)
    return [path for path in found if checkpoints.fault(path) is None]


def stop_at(child: psutil.Process, done):
    """Freeze the child as soon as `done()`, which is looked at as often as can be; what that gave."""

    def look():
        assert child.is_running(), "the run ended before it was caught"
        found = done()
        if found:
            child.suspend()
        return found

    return until(look, pause=0)


def stop_in_save(child: psutil.Process, folder: Path) -> Path:
    """Freeze the child while it saves; the half checkpoint."""
    while True:
        known = set(folder.glob("checkpoint-*"))
        stop_at(child, lambda known=known: set(folder.glob("checkpoint-*")) - known)
        half = max(folder.glob("checkpoint-*"), key=checkpoints.step_of)
        if checkpoints.fault(half) is not None:
            return half
        child.resume()


def left_of(settings, job_id) -> list[int]:
    """The processes of all attempts at the job that still live."""
    markers = {
        marker_of(settings.data_dir, job_id, number) for number in range(1, job_of(job_id).attempt + 1)
    }
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if process.environ().get(launch.MARKER) in markers:
                found.append(process.pid)
    return found


def stop_between_writes(process) -> None:
    """Halt a process while it does not hold the database: what is stopped in a write keeps all others out."""
    while True:
        os.kill(process.pid, signal.SIGSTOP)
        try:
            with session.write():
                return
        except OperationalError:
            os.kill(process.pid, signal.SIGCONT)


def test_killed_in_every_state_a_run_ends_with_the_weights_of_one_left_alone(
    settings, queue, start, left_alone, studio
):
    wanted = left_alone(**RUN)

    # Queued: the studio and its worker die while the run waits.
    ui = start("app.py", "--port", free_port())
    worker = until(lambda: worker_of(settings))
    stop_between_writes(worker)
    job_id = queue(**RUN)
    folder = settings.jobs_dir / str(job_id) / "checkpoints"
    kill(ui, worker)
    assert (job_of(job_id).status, job_of(job_id).attempt) == (JobStatus.QUEUED, 0)

    # Starting: the worker dies as soon as it has claimed, then the child before it has read a row.
    worker = start("-m", "trainer", "worker")
    until(lambda: job_of(job_id).attempt == 1, pause=0.005)
    kill(worker)
    worker = start("-m", "trainer", "worker")
    child = until(lambda: child_of(job_id), pause=0.01)
    assert job_of(job_id).phase == "starting"
    kill(child)

    # Training: it went on by itself; then all die at once, as with the power, and the newest checkpoint rots.
    child = until(lambda: (found := child_of(job_id)) and found.pid != child.pid and found)
    stop_at(child, lambda: len(whole_in(folder)) == 2)
    older, newest = whole_in(folder)
    kill(worker, child)
    optimizer = newest / "optimizer.pt"
    optimizer.write_bytes(optimizer.read_bytes()[:-100])
    start("app.py", "--port", free_port())  # brings its own worker
    child = until(lambda: child_of(job_id))

    # Saving: the child dies with half a checkpoint written; a person resumes the run, sooner than it would.
    half = stop_in_save(child, folder)
    kill(child)
    until(lambda: job_of(job_id).status is JobStatus.INTERRUPTED)
    assert job_of(job_id).error.startswith("The job's process was killed from outside; resume to go on")
    assert checkpoints.fault(half) is not None
    log = (settings.jobs_dir / str(job_id) / "log.txt").read_text(encoding="utf-8")
    assert f"resuming from {older.name}\n" in log
    assert f"resuming from {newest.name}\n" not in log
    with session.write() as s:
        jobs.requeue(s, studio[0], job_id)
    until(lambda: not job_of(job_id).status.is_open)

    assert job_of(job_id).status is JobStatus.FINISHED, job_of(job_id).error
    assert_equal(weights_of(job_id), wanted)
    until(lambda: left_of(settings, job_id) == [])


def test_a_disk_that_fills_in_a_save_stops_the_run_and_room_lets_it_go_on(
    settings, queue, start, left_alone, studio
):
    short = {**RUN, "max_steps": 40}
    wanted = left_alone(**short)
    job_id = queue(**short)
    worker, quota = start_on_a_small_disk(settings, start)
    child = until(lambda: child_of(job_id))
    folder = quota.root(worker) / str(job_id) / "checkpoints"
    stop_at(child, lambda: whole_in(folder))
    with quota.used_up(worker, child):
        child.resume()
        until(lambda: quota.was_met(job_id))
    until(lambda: not job_of(job_id).status.is_open)
    job = job_of(job_id)
    assert job.status is JobStatus.FAILED
    assert job.error.startswith("disk: it is full"), job.error
    assert whole_in(folder)

    with session.write() as s:
        jobs.requeue(s, studio[0], job_id)
    until(lambda: not job_of(job_id).status.is_open)
    assert job_of(job_id).status is JobStatus.FINISHED, job_of(job_id).error
    assert metrics_of(job_id, "loss")[-1][0] == 40
    assert_equal(weights_of(job_id), wanted)


def test_two_machines_whose_clocks_are_hours_apart_run_every_job_once_and_lose_none(
    settings, queue, start, studio, tmp_path, clock
):
    alpha = start("-m", "trainer", "worker", STUDIO_MACHINE="alpha", **clock("alpha", 0))
    beta = start("-m", "trainer", "worker", STUDIO_MACHINE="beta", **clock("beta", 5 * HOUR))
    until(lambda: {row.host for row in workers()} == {"alpha", "beta"})
    training = queue(epochs=1000, save_every=5)
    quick = [convert(settings, studio, tmp_path, number) for number in range(4)]

    folder = settings.jobs_dir / str(training) / "checkpoints"
    until(lambda: whole_in(folder))
    clock("alpha", -72 * HOUR)  # while the run goes on
    seen = beats()
    for _ in range(2):  # each sweeps at least once after it
        until(lambda seen=seen: all(beats()[host] != seen[host] for host in seen))
        seen = beats()
    until(lambda: all(job_of(job_id).status is JobStatus.FINISHED for job_id in quick))
    assert (alpha.poll(), beta.poll()) == (None, None)
    assert job_of(training).status is JobStatus.RUNNING
    step = job_of(training).step
    until(lambda: job_of(training).step > step)

    with session.write() as s:
        jobs.request_cancel(s, studio[0], training, StopMode.DISCARD)
    until(lambda: job_of(training).status is JobStatus.CANCELLED and not left_of(settings, training))
    until(lambda: not folder.exists())
    with session.read() as s:
        hosts = dict(s.execute(select(Attempt.job_id, Process.host).join(Process)).all())
        assert s.scalars(select(Attempt.number)).all() == [1] * 5
    assert set(hosts.values()) == {"alpha", "beta"}


def workers() -> list[Process]:
    with session.read() as s:
        return list(s.scalars(select(Process).where(Process.role == ProcessRole.WORKER)))


def beats() -> dict:
    return {row.host: row.heartbeat_at for row in workers()}


# Loaded before libc: seconds in the file CLOCK_OFFSET names are added to the wall clock, and to no other.
CLOCK_C = """
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>
static long offset(void) {
    long seconds = 0;
    FILE *file = fopen(getenv("CLOCK_OFFSET"), "r");
    if (file) { if (fscanf(file, "%ld", &seconds) != 1) seconds = 0; fclose(file); }
    return seconds;
}
int clock_gettime(clockid_t id, struct timespec *t) {
    int (*real)(clockid_t, struct timespec *) = dlsym(RTLD_NEXT, "clock_gettime");
    int failed = real(id, t);
    if (!failed && (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE)) t->tv_sec += offset();
    return failed;
}
int gettimeofday(struct timeval *t, void *zone) {
    struct timespec now;
    int failed = clock_gettime(CLOCK_REALTIME, &now);
    if (!failed) { t->tv_sec = now.tv_sec; t->tv_usec = now.tv_nsec / 1000; }
    return failed;
}
time_t time(time_t *t) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (t) *t = now.tv_sec;
    return now.tv_sec;
}
"""


@pytest.fixture
def clock(tmp_path):
    """clock(name, seconds) -> the environment of a process whose wall clock is off by so many seconds; called
    again, the clock is set while it runs."""
    if shutil.which("cc") is None:
        pytest.fail(
            "this test sets clocks by a library it compiles: run `apt-get install gcc`, and try again"
        )
    library = tmp_path / "clock.so"
    build = ["cc", "-shared", "-fPIC", "-o", str(library), "-x", "c", "-", "-ldl"]
    subprocess.run(build, input=CLOCK_C, text=True, check=True)

    def put(name, seconds) -> dict[str, str]:
        offset = tmp_path / f"{name}.clock"
        fresh = offset.with_suffix(".new")
        fresh.write_text(str(seconds))
        fresh.replace(offset)
        environment = {"LD_PRELOAD": str(library), "CLOCK_OFFSET": str(offset)}
        told = subprocess.run(
            [sys.executable, "-c", "import time; print(time.time())"],
            env={**os.environ, **environment}, capture_output=True, text=True, check=True,
        )  # fmt: skip
        assert abs(float(told.stdout) - time.time() - seconds) < 600, "the clock was not set"
        return environment

    return put


def convert(settings, studio, tmp_path, number) -> int:
    """A quick job with a child of its own."""
    path = tmp_path / f"{number}.tsv"
    path.write_text(f"Patient\tO\nx{number}\tO\nhas\tO\ngout\tB-Disease\n\n")
    kept = keep(settings.data_dir, path)
    source = Source("NCBI", kept, "iob", "medtuned-ncbi-disease", options={"type": "Disease"})
    with session.write() as s:
        return conversions.start(s, studio[0], studio[1], ConvertSpec((source,))).id
