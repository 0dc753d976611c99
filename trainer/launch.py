"""Starting a job's child process, and ending it. Here: on this machine. Imports no torch."""

import contextlib
import os
import signal
import subprocess
import sys

import psutil

from db import processes
from db.settings import REPOSITORY, Settings


def start_child(settings: Settings, job_id: int, attempt: int) -> subprocess.Popen:
    """Start `python -m trainer run JOB ATTEMPT` in a session of its own, so that it outlives the worker.

    What it prints is appended to the job's log.txt: a pipe would block it once nobody reads.
    Raises OSError when the log cannot be opened or the process not be started.
    """
    folder = settings.jobs_dir / str(job_id)
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "log.txt").open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "trainer", "run", str(job_id), str(attempt)],
            cwd=REPOSITORY,
            env=_environment(settings),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def started_at(pid: int) -> float:
    """When the process began, seconds since the epoch; 0 when it is already gone."""
    try:
        return psutil.Process(pid).create_time()
    except psutil.Error:
        return 0.0


def signal_group(pid: int, started: float, number: signal.Signals) -> None:
    """Signal the child and whatever it started, if the pid still is that very child."""
    if pid > 1 and processes.is_running(pid, started):
        with contextlib.suppress(ProcessLookupError):  # it may end between the question and the signal
            os.killpg(pid, number)


def _environment(settings: Settings) -> dict[str, str]:
    env = {
        **os.environ,
        "STUDIO_DATA_DIR": str(settings.data_dir),
        "DATABASE_URL": settings.database_url,
        "PYTHONUNBUFFERED": "1",
        "PYTHONWARNINGS": "ignore::FutureWarning",  # of one library to another; not for who reads the log
        "HF_HUB_DISABLE_PROGRESS_BARS": "1",  # a bar makes a log of carriage returns
    }
    # Threads that spin while they wait starve each other on a busy machine: beside two other processes on two
    # cores, a step of the starter took 11 s spinning and 0.7 s sleeping. The number of threads stays.
    env.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    # One job, one GPU: seeing several, the Trainer would split each batch between them.
    env.setdefault("CUDA_VISIBLE_DEVICES", "0")
    return env
