"""A disk that fills under a run: a small one of its own, or, where nothing may be mounted, a limit."""

import contextlib
import resource
import shutil
import subprocess
from pathlib import Path

import psutil

from tests.trainer.conftest import job_of


class SmallDisk:
    """The jobs' folder on a disk of its own, seen by the worker and its children alone."""

    def root(self, worker) -> Path:
        return Path(f"/proc/{worker.pid}/root{self.jobs_dir}")

    def __init__(self, jobs_dir: Path) -> None:
        self.jobs_dir = jobs_dir

    @contextlib.contextmanager
    def used_up(self, worker, _child):
        filler = self.root(worker) / "filler"
        filler.write_bytes(bytes(shutil.disk_usage(self.root(worker)).free - 20_000))
        yield
        filler.unlink()

    def was_met(self, job_id) -> bool:
        return not job_of(job_id).status.is_open


class FileLimit:
    """Where nothing may be mounted: no file of the child may grow beyond a few pages (RLIMIT_FSIZE)."""

    def __init__(self, jobs_dir: Path) -> None:
        self.jobs_dir = jobs_dir

    def root(self, _worker) -> Path:
        return self.jobs_dir

    @contextlib.contextmanager
    def used_up(self, _worker, child):
        _, most = child.rlimit(resource.RLIMIT_FSIZE)
        child.rlimit(resource.RLIMIT_FSIZE, (16_384, most))
        yield
        with contextlib.suppress(psutil.Error):
            child.rlimit(resource.RLIMIT_FSIZE, (most, most))  # or it could not even tell the database

    def was_met(self, job_id) -> bool:
        return "unexpected error" in (self.jobs_dir / str(job_id) / "log.txt").read_text()


def start_on_a_small_disk(settings, start):
    """A worker whose jobs' folder can be filled, and what fills it."""
    alone = ("unshare", "--mount", "--map-root-user")
    if shutil.which("unshare") and subprocess.run([*alone, "true"], capture_output=True).returncode == 0:
        mount = f'mount -t tmpfs -o size=64m tmpfs "{settings.jobs_dir}" && exec "$@"'
        before = (*alone, "sh", "-c", mount, "sh")
        return start("-m", "trainer", "worker", before=before), SmallDisk(settings.jobs_dir)
    return start("-m", "trainer", "worker"), FileLimit(settings.jobs_dir)
