"""A job's process as the worker sees it: started or adopted, pressed to end, explained, cleared up after."""

import os
import re
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path

from db import processes
from db.enums import JobKind, JobStatus, StopMode
from trainer import launch
from trainer.launch_command import first_failure

GRACE = 20.0  # seconds for a child to stop by itself, then TERM
SAVING_GRACE = 300.0  # the same where it is to save: a step and a save of a large model take their time
LAST_GRACE = 10.0  # after TERM, then KILL
_SAVING = (JobKind.TRAIN, JobKind.TRAIN_ENCODER)  # they write a checkpoint when they are stopped


@dataclass
class Child:
    """A process that carries out an attempt. `popen` is None for one a former worker started."""

    job_id: int
    attempt: int
    kind: JobKind
    pid: int
    started: float  # seconds after the boot
    marker: str  # in the environment of all it starts
    places: tuple[str, ...] = ()
    log: Path | None = None  # where a launcher of several processes says how they ended
    popen: subprocess.Popen | None = None
    oom_kills: int | None = None  # of the machine, when it began
    unwanted_since: float | None = None  # monotonic
    signalled: signal.Signals | None = None

    def exit_code(self) -> int | None:
        """None while it runs; negative for a signal; 0 for an adopted one that is gone, code unknown."""
        if self.popen is not None:
            return self.popen.poll()
        return None if processes.is_running(self.pid, self.started) else 0

    def outcome(self, code: int) -> tuple[JobStatus, str]:
        """Status and sentence of one that ended without a word of its own."""
        if self.log is not None and (first := first_failure(self.log)) is not None:
            code = first
        before, after = self.oom_kills, count_oom_kills()
        return explain(code, out_of_memory=None if before is None or after is None else after > before)

    def press(self, now: float, grace: float) -> signal.Signals | None:
        """Ask an unwanted child to end, ever more firmly: by itself, then TERM, then KILL.

        Returns the signal just sent, if any.
        """
        if self.unwanted_since is None:
            self.unwanted_since = now
        waited = now - self.unwanted_since
        if waited < grace:
            return None
        firm = signal.SIGKILL if waited >= grace + LAST_GRACE else signal.SIGTERM
        if self.signalled is firm:
            return None
        self.signalled = firm
        launch.signal_group(self.pid, self.started, firm)
        return firm

    def clear_up(self) -> bool:
        """After its end: kill what it started and left behind. True once nothing of it is left."""
        left = launch.list_left(self.pid, self.started, self.marker)
        for process in left:
            launch.kill(process)
        return not left


def grace_of(child: Child, mode: StopMode | None, *, has_steps: bool) -> float:
    """Seconds an unwanted child gets: many to save what it has done, few where there is nothing to save."""
    saves = mode is StopMode.SAVE and child.kind in _SAVING and has_steps
    return SAVING_GRACE if saves else GRACE


def explain(code: int, *, out_of_memory: bool | None = None) -> tuple[JobStatus, str]:
    """Status and one sentence for a child that ended without a word of its own.

    Interrupted are those that someone or the machine stopped: they go on by themselves. Failed are those that
    would only fail again. A KILL is told apart by the kernel's own count: it is `out_of_memory` when the
    count of processes killed for memory rose while the child lived; None, where it cannot be read, counts
    as that.
    """
    resume = "resume to go on from what was kept last."
    if code in (-signal.SIGTERM, -signal.SIGINT, -signal.SIGHUP, 0):
        return JobStatus.INTERRUPTED, f"The job's process was stopped from outside; {resume}"
    if code == -signal.SIGKILL and out_of_memory is False:
        return JobStatus.INTERRUPTED, f"The job's process was killed from outside; {resume}"
    if code == -signal.SIGKILL:
        sure = "as memory ran out" if out_of_memory else "out of memory?"
        return JobStatus.FAILED, (
            f"The job's process was killed by the system ({sure}); if memory was short in training, "
            f"lower the batch size or the longest row; else {resume}"
        )
    if code < 0:
        name = signal.Signals(-code).name
        return JobStatus.FAILED, f"The job's process crashed ({name}); the log tells more, or {resume}"
    return JobStatus.FAILED, f"The job's process ended with exit code {code}; the log tells why."


def count_oom_kills() -> int | None:
    """How many processes the kernel has killed for want of memory: of this control group where it tells,
    else of the machine. None where neither does (not Linux)."""
    for path in (_group_events(), Path("/proc/vmstat")):
        try:
            counted = re.search(r"^oom_kill (\d+)$", path.read_text(), re.MULTILINE)
        except OSError:
            continue
        if counted is not None:
            return int(counted[1])
    return None


def _group_events() -> Path:
    try:
        group = re.search(r"^0::(/.*)$", Path("/proc/self/cgroup").read_text(), re.MULTILINE)
    except OSError:
        group = None
    return Path("/sys/fs/cgroup") / (group[1].lstrip("/") if group else "") / "memory.events"


def marker_of(data_dir: Path, job_id: int, attempt: int) -> str:
    return f"{job_id}.{attempt}@{os.fspath(data_dir)}"
