"""Slurm's own programs: submit a script, ask about a job, cancel it; and what its end states mean for a run.

Only sbatch, scontrol, squeue, scancel and sinfo: a site without accounting has those too. They are given
nothing of the worker's environment but what they need to find their controller, and so a job inherits
nothing either.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from db.enums import JobStatus

PATIENCE = 15.0  # seconds for one of its programs to answer
_KEPT = ("PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "TZ", "SLURM_CONF", "SLURM_CLUSTERS")
_OPEN = {
    "PENDING", "CONFIGURING", "RUNNING", "COMPLETING", "STOPPED", "SUSPENDED", "SIGNALING", "STAGE_OUT",
    "RESIZING", "REQUEUED", "REQUEUE_FED", "REQUEUE_HOLD", "RESV_DEL_HOLD", "SPECIAL_EXIT",
}  # fmt: skip
_WAITING = {"PENDING", "CONFIGURING", "REQUEUED", "REQUEUE_FED", "REQUEUE_HOLD", "RESV_DEL_HOLD"}
_UNKNOWN = "Invalid job id"
_AWAY = ("Unable to contact", "Connection refused", "timed out", "Connection timed out", "Zero Bytes")
_RESUME = "resume to go on from what was kept last."


class Unreachable(OSError):
    """The controller does not answer: nothing is known, and it may be asked again."""


@dataclass(frozen=True)
class SlurmJob:
    """What the controller tells of a job."""

    number: str
    name: str
    state: str
    reason: str = ""
    exit_code: int = 0

    @property
    def is_open(self) -> bool:
        return self.state in _OPEN

    @property
    def is_waiting(self) -> bool:
        return self.state in _WAITING


def require() -> None:
    """Raise ValueError where there is no Slurm."""
    if shutil.which("sbatch") is None:
        raise ValueError(
            "launcher: this worker's machine has no Slurm (sbatch was not found); choose here, or start a "
            "worker where Slurm's programs are."
        )


def submit(script: Path, options: Sequence[str]) -> str:
    """Hand the script over; returns the job's number.

    Raises ValueError with one sentence when Slurm refuses it, Unreachable.
    """
    done = _call("sbatch", "--parsable", *options, str(script))
    if done.returncode != 0:
        words = re.sub(r"^sbatch: (error: )?", "", done.stderr.strip(), flags=re.MULTILINE)
        raise ValueError(f"launcher: Slurm refused the run ({' '.join(words.split())[:300]}).")
    return done.stdout.strip().partition(";")[0]  # with several clusters the cluster's name follows


def ask(number: str) -> SlurmJob | None:
    """What Slurm knows of the job; None once it has forgotten it. Raises Unreachable."""
    done = _call("scontrol", "--oneliner", "show", "job", number)
    if done.returncode != 0:
        if _UNKNOWN in done.stderr:
            return None
        raise Unreachable(done.stderr.strip()[:300])
    return parse(done.stdout)


def find(name: str) -> str | None:
    """The number of the job of that name, while it waits or runs. Raises Unreachable."""
    done = _call("squeue", "--noheader", "--me", "--name", name, "--format", "%i")
    if done.returncode != 0:
        raise Unreachable(done.stderr.strip()[:300])
    return next(iter(done.stdout.split()), None)


def cancel(number: str) -> None:
    """TERM to all of the job, KILL after the site's KillWait; one that waits is taken out of the queue.

    Raises Unreachable.
    """
    done = _call("scancel", number)
    if done.returncode != 0 and _UNKNOWN not in done.stderr:
        raise Unreachable(done.stderr.strip()[:300])


def has_gpus(partition: str = "") -> bool:
    """True when nodes of the partition have GPUs that Slurm deals out. Raises Unreachable."""
    done = _call("sinfo", "--noheader", "--format", "%G", *(["--partition", partition] if partition else []))
    return done.returncode == 0 and re.search(r"\bgpu\b", done.stdout) is not None


def parse(line: str) -> SlurmJob:
    """A job out of one line of `scontrol --oneliner show job`."""

    def field(name: str) -> str:
        found = re.search(rf"(?:^|\s){name}=(\S*)", line)
        return found[1] if found else ""

    code, _, number = field("ExitCode").partition(":")
    return SlurmJob(
        field("JobId"),
        field("JobName"),
        field("JobState"),
        "" if field("Reason") == "None" else field("Reason"),
        -int(number) if number not in ("", "0") else int(code or 0),
    )


def explain(job: SlurmJob | None) -> tuple[JobStatus, str]:
    """Status and one sentence for a run that ended at Slurm without a word of its own.

    Interrupted are those that somebody or the site stopped: they go on by themselves.
    """
    if job is None:
        return JobStatus.INTERRUPTED, f"Slurm no longer knows the run, which had not told its end; {_RESUME}"
    interrupted = {
        "TIMEOUT": "minutes: Slurm's time limit ended the run; give it more minutes, or",
        "DEADLINE": "minutes: Slurm's deadline ended the run;",
        "PREEMPTED": "Slurm took the nodes for a run that goes first;",
        "NODE_FAIL": "A node that Slurm gave the run failed;",
        "BOOT_FAIL": "A node that Slurm gave the run did not start;",
        "COMPLETED": "The run's process ended at Slurm without telling why;",
    }
    if job.state in interrupted:
        return JobStatus.INTERRUPTED, f"{interrupted[job.state]} {_RESUME}"
    if job.state == "CANCELLED":
        return JobStatus.CANCELLED, f"Somebody cancelled the run at Slurm (scancel); {_RESUME}"
    if job.state == "OUT_OF_MEMORY":
        return JobStatus.FAILED, (
            "batch size: the run needed more memory than Slurm gave it; lower the batch size or the longest "
            f"row, or let the site give jobs more; else {_RESUME}"
        )
    told = f"exit code {job.exit_code}" if job.exit_code >= 0 else f"signal {-job.exit_code}"
    return (
        JobStatus.FAILED,
        f"The run's process ended at Slurm with {told} ({job.state}); the log tells why.",
    )


def _call(program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Raises Unreachable when the program is not there or the controller does not answer it."""
    try:
        done = subprocess.run(
            [program, *arguments],
            env=_environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Unreachable(f"{program} does not answer ({type(error).__name__})") from error
    if done.returncode != 0 and any(sign in done.stderr for sign in _AWAY):
        raise Unreachable(done.stderr.strip()[:300])
    return done


def _environment() -> dict[str, str]:
    """A person's defaults for sbatch count, but for what would change what the job inherits or how."""
    kept = {name: value for name, value in os.environ.items() if name in _KEPT}
    defaults = {name: value for name, value in os.environ.items() if name.startswith("SBATCH_")}
    defaults.pop("SBATCH_EXPORT", None)
    return {**defaults, **kept}
