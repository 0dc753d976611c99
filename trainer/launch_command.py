"""The command line that carries out an attempt: one process, or as many as the spec asks for.

Several are started by `accelerate launch`: one launcher a machine starts that machine's processes, each with
the same entry, `python -m trainer run JOB ATTEMPT`.
"""

import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from db.enums import JobKind

_TAIL = 4096  # bytes of the log: the launcher's closing words are its last
ALONE = ("--num_machines", "1", "--main_process_port", "0")  # 0: a free port, found by the launcher


def command_of(job_id: int, attempt: int, *, processes: int = 1, meeting: Sequence[str] = ALONE) -> list[str]:
    """The command for `processes` in all; `meeting` says on how many machines, and where they meet."""
    entry = ["-m", "trainer", "run", str(job_id), str(attempt)]
    if processes == 1:
        return [sys.executable, *entry]
    # Everything that a person's own accelerate settings could change is said.
    launcher = ("-m", "accelerate.commands.launch", "--multi_gpu", "--gpu_ids", "all")
    formats = ("--mixed_precision", "no", "--dynamo_backend", "no")  # the run has a format of its own
    return [sys.executable, *launcher, "--num_processes", str(processes), *formats, *meeting, *entry]


def processes_of(kind: JobKind, spec: Mapping[str, Any]) -> int:
    """How many processes a machine starts for a job. Only training is shared: its report is not."""
    return spec.get("processes", 1) if kind is JobKind.TRAIN else 1


def environment_for(processes: int, *, has_gpus: bool) -> dict[str, str]:
    """What several processes need to know where there is no GPU for them; accelerate's own --cpu would start
    a single one."""
    return {"ACCELERATE_USE_CPU": "true"} if processes > 1 and not has_gpus else {}


def stop_file(folder: Path, attempt: int) -> Path:
    """Once it is there, the attempt saves and stops: where a signal would reach launchers that kill."""
    return folder / f"stop.{attempt}"


def first_failure(log: Path) -> int | None:
    """How the first of several processes ended that failed, as an exit code, negative for a signal; None when
    the launcher's closing words do not stand at the end of the log."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - _TAIL))
            said = file.read().decode(errors="replace")
    except OSError:
        return None
    found = re.search(r"exitcode\s*: (-?\d+)", said.rpartition("Root Cause (first observed failure)")[2])
    return int(found[1]) if found and "Root Cause" in said else None
