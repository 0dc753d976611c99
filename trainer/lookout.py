"""What the worker watches a live run for: signs of life, steps, and room on the disk."""

import shutil
import time
from collections.abc import Hashable
from pathlib import Path

from db.enums import AlertKind
from db.heartbeats import Heartbeats
from db.tables import Job

SILENT = 120.0  # seconds without a heartbeat while the process lives
STUCK = 1800.0  # seconds in training without a step
ROOM = 2**30  # bytes; below it a disk counts as nearly full


class Lookout:
    """Remembers, by its own clock, when each run last told of itself and last made a step."""

    def __init__(self) -> None:
        self._beats, self._steps = Heartbeats(), Heartbeats()

    def alerts(self, job: Job, checkpoints: Path, *, now: float | None = None) -> list[tuple[AlertKind, str]]:
        """What a person should know now of a job whose process lives."""
        now = time.monotonic() if now is None else now
        told = [self._silence(job, now), _room(checkpoints)]
        return [alert for alert in told if alert is not None]

    def forget_others(self, keys: set[Hashable]) -> None:
        for seen in (self._beats, self._steps):
            seen.forget_others(keys)

    def _silence(self, job: Job, now: float) -> tuple[AlertKind, str] | None:
        key = (job.id, job.attempt)
        silent = self._beats.silence(key, job.heartbeat_at, now=now) or 0.0
        stuck = self._steps.silence(key, (job.phase, job.step), now=now) or 0.0
        if silent > SILENT:
            return AlertKind.SILENT, (
                f"No sign of life for {silent / 60:.0f} minutes, though the process is there; the machine "
                "may be short of memory. Look at the log, or cancel."
            )
        if stuck > STUCK and job.phase == "training":
            return AlertKind.SILENT, (
                f"No step for {stuck / 60:.0f} minutes; the run may hang. Look at the log, or cancel."
            )
        return None


def _room(checkpoints: Path) -> tuple[AlertKind, str] | None:
    """An alert when the disk has not room for two more checkpoints, or less than ROOM."""
    try:
        home = next(path for path in (checkpoints, *checkpoints.parents) if path.exists())
        free = shutil.disk_usage(home).free
        needed = 2 * _size_of_newest(checkpoints)
    except OSError:  # it is just being removed
        return None
    if free >= max(ROOM, needed):
        return None
    wanted = f"two checkpoints take {_size(needed)}" if needed else "a checkpoint may take as much"
    return AlertKind.DISK, (
        f"The disk is nearly full: {_size(free)} are left, {wanted}. Make room, or the run stops at a save."
    )


def _size_of_newest(folder: Path) -> int:
    """Bytes of the checkpoint written last, 0 without one."""
    found = max(folder.glob("checkpoint-*"), key=lambda path: path.stat().st_mtime, default=None)
    return sum(path.stat().st_size for path in found.rglob("*") if path.is_file()) if found else 0


def _size(size: int) -> str:
    return f"{size / 1e9:.1f} GB" if size >= 1e8 else f"{size / 1e6:.1f} MB"
