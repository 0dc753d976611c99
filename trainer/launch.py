"""Starting a job's child process on this machine, and ending it; Slurm's: slurm_child.py. Loads no torch."""

import contextlib
import os
import signal
import subprocess
from collections.abc import Iterator, Sequence

import psutil

from db import processes
from db.settings import REPOSITORY, Settings
from trainer import machine
from trainer.launch_command import command_of, environment_for

MARKER = "STUDIO_ATTEMPT"  # in the environment of a child and all it starts: whose they are


def start_child(
    settings: Settings,
    job_id: int,
    attempt: int,
    *,
    devices: Sequence[str] = (),
    marker: str = "",
    processes: int = 1,
) -> subprocess.Popen:
    """Start `python -m trainer run JOB ATTEMPT` in a session of its own, so that it outlives the worker; of
    several `processes` the launcher that starts them.

    They see only `devices`. What they print is appended to the job's log.txt: a pipe would block once nobody
    reads.
    Raises OSError when the log cannot be opened or the process not be started.
    """
    folder = settings.jobs_dir / str(job_id)
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "log.txt").open("ab") as log:
        return subprocess.Popen(
            command_of(job_id, attempt, processes=processes),
            cwd=REPOSITORY,
            env={
                **_environment(settings),
                **machine.environment_for(devices),
                **environment_for(processes, has_gpus=any(devices)),
                MARKER: marker,
            },
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def find_child(marker: str) -> psutil.Process | None:
    """The child of that marker, when it runs: it leads a session. So does each of the processes that a
    launcher starts, after it."""
    leaders = [process for process in _marked(marker) if _session_of(process.pid) == process.pid]
    return min(leaders, key=lambda process: processes.started_at(process.pid), default=None)


def list_left(pid: int, started: float, marker: str) -> list[psutil.Process]:
    """What a child that is gone left running: of its session, or, having left that, with its marker."""
    left = {process.pid: process for process in _marked(marker)}
    if processes.is_running(pid, started) or not psutil.pid_exists(pid):  # else the number is another's now
        for other in psutil.pids():
            if _session_of(other) == pid:
                with contextlib.suppress(psutil.Error):
                    left[other] = psutil.Process(other)
    return [process for process in left.values() if process.pid != os.getpid() and _is_live(process)]


def kill(process: psutil.Process) -> None:
    """KILL it, unless it is gone and its number another's."""
    with contextlib.suppress(psutil.Error):
        process.kill()


def signal_group(pid: int, started: float, number: signal.Signals) -> None:
    """Signal the child and whatever it started, if the pid still is that very child."""
    if pid > 1 and processes.is_running(pid, started):
        with contextlib.suppress(ProcessLookupError):  # it may end between the question and the signal
            os.killpg(pid, number)


def _marked(marker: str) -> Iterator[psutil.Process]:
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):  # ended, or somebody else's
            if marker and process.environ().get(MARKER) == marker:
                yield process


def _session_of(pid: int) -> int:
    try:
        return os.getsid(pid)
    except OSError:
        return 0


def _is_live(process: psutil.Process) -> bool:
    try:
        return process.status() not in (psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD)
    except psutil.Error:
        return False


def _environment(settings: Settings) -> dict[str, str]:
    env = {
        **os.environ,
        "STUDIO_DATA_DIR": str(settings.data_dir),
        "DATABASE_URL": settings.database_url,
        "STUDIO_ARTIFACTS": settings.artifacts,
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
