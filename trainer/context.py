"""The only road from a job to the database: its spec and rows in; log, metrics, progress and the end out.

A thread of its own writes what has gathered, tells that the job lives, and asks whether someone wants it
stopped, so a training step never waits for the database. Every write carries the attempt's number.
"""

import logging
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from db import datasets, jobs, registry, specs
from db.enums import JobStatus, Split
from db.jobs import FencedError, Progress
from db.session import read, write
from db.settings import Settings
from db.tables import BaseModel, DatasetRow, DatasetVersion
from db.tables.base import utc_now

logger = logging.getLogger("trainer")

TICK = 0.5  # seconds between two writes at most
BEAT = 5.0  # seconds between two signs of life


class Cancelled(Exception):
    """Someone asked for the job to be stopped."""


class JobContext:
    """One attempt at one job, as the job's own code sees it."""

    def __init__(self, settings: Settings, job_id: int, attempt: int) -> None:
        """Raises FencedError when this attempt does not, or no longer, own the job."""
        self.settings, self.job_id, self.attempt = settings, job_id, attempt
        with write() as s:
            jobs.beat(s, job_id, attempt)
            job = jobs.get_job(s, job_id)
        self.project_id, self.name, self.kind = job.project_id, job.name, job.kind
        self._claimed_at = job.started_at
        self.spec = specs.from_json(job.kind, job.spec)
        self.folder: Path = settings.jobs_dir / str(job_id)
        self._metrics: list[tuple[int, Mapping[str, float]]] = []
        self._progress: Progress | None = None
        self._beaten = time.monotonic()
        self._cancel, self._lost, self._stop = threading.Event(), threading.Event(), threading.Event()
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._write_on, name="context", daemon=True)
        self._thread.start()

    # What the job is given --------------------------------------------------------------------------

    def base_model(self) -> BaseModel:
        with read() as s:
            return registry.get_base_model(s, self.spec.base_model_id)

    def dataset_version(self) -> DatasetVersion:
        with read() as s:
            return datasets.get_version(s, self.spec.dataset_version_id)

    def rows(self) -> dict[Split, list[DatasetRow]]:
        """The frozen rows by split. Raises ValueError when they are no longer what was frozen."""
        with read() as s:
            version = datasets.get_version(s, self.spec.dataset_version_id)
            rows = datasets.list_rows(s, version.id)
        if datasets.hash_rows(rows) != version.content_hash:
            raise ValueError(
                "dataset: its rows no longer have the hash they were frozen with; freeze a new version."
            )
        return {split: [row for row in rows if row.split is split] for split in Split}

    def elapsed(self) -> float:
        """Seconds since a worker took the job, the start of this process included."""
        return (utc_now() - self._claimed_at).total_seconds()

    # What the job tells -----------------------------------------------------------------------------

    def log(self, line: str) -> None:
        logger.info(line)

    def metrics(self, step: int, **values: float) -> None:
        """Keep measured values of a step; they are written together, twice a second at most."""
        with self._lock:
            self._metrics.append((step, values))

    def progress(self, phase: str, step: int = 0, total_steps: int = 0) -> None:
        with self._lock:
            self._progress = Progress(phase, step, total_steps)

    def require_wanted(self) -> None:
        """Raise Cancelled when someone asked to stop, FencedError when a later attempt owns the job."""
        if self._lost.is_set():
            raise FencedError(f"Attempt {self.attempt} no longer owns job {self.job_id}.")
        if self._cancel.is_set():
            raise Cancelled

    def finish(self, result: dict, *, adapter: Mapping | None = None) -> None:
        """End well. `adapter` holds the columns of an adapter to register in the same transaction."""

        def end(s: Session) -> None:
            found = dict(result)
            if adapter is not None:
                row = registry.register_adapter(s, **adapter, project_id=self.project_id, job_id=self.job_id)
                s.flush()
                found["adapter_id"] = row.id
            jobs.close(s, self.job_id, self.attempt, JobStatus.FINISHED, result=found, exit_code=0)

        self._end(end)

    def fail(self, error: str, status: JobStatus = JobStatus.FAILED, exit_code: int = 1) -> None:
        """End early, with one sentence for people."""
        self._end(
            lambda s: jobs.close(s, self.job_id, self.attempt, status, error=error, exit_code=exit_code)
        )

    def fall_silent(self) -> None:
        """Write no more. A job that ends without `finish` or `fail` is found dead by its silence."""
        self._stop.set()
        self._thread.join()

    # The thread -------------------------------------------------------------------------------------

    def _write_on(self) -> None:
        while not self._stop.wait(TICK):
            try:
                self._tick()
            except LookupError:  # fenced, or the job is gone altogether
                self._lost.set()
                return
            except OperationalError as error:  # a busy database: what gathered is kept for the next round
                logger.warning("database: %s", error.orig)

    def _tick(self) -> None:
        if self._metrics or self._progress or time.monotonic() - self._beaten >= BEAT:
            with write() as s:
                jobs.beat(s, self.job_id, self.attempt)
                taken = self._flush(s)
            self._beaten = time.monotonic()
            self._forget(*taken)
        with read() as s:
            if jobs.cancel_requested(s, self.job_id, self.attempt):
                self._cancel.set()

    def _flush(self, session) -> tuple[int, Progress | None]:
        """Write what has gathered; returns how much that was, to be forgotten once committed."""
        with self._lock:
            metrics, progress = list(self._metrics), self._progress
        for step, values in metrics:
            jobs.record_metrics(session, self.job_id, self.attempt, step, dict(values))
        if progress is not None:
            jobs.record_progress(session, self.job_id, self.attempt, progress)
        return len(metrics), progress

    def _forget(self, count: int, progress: Progress | None) -> None:
        with self._lock:
            del self._metrics[:count]
            if self._progress is progress:
                self._progress = None

    def _end(self, close: Callable[[Session], object]) -> None:
        """Write what is left and the end, in one transaction; a busy database is asked again."""
        self.fall_silent()
        for patience in (1, 5, 15, 30, 0):
            try:
                with write() as s:
                    self._flush(s)
                    close(s)
                return
            except OperationalError as error:
                if not patience:
                    raise
                logger.warning("database: %s; trying again in %d seconds", error.orig, patience)
                time.sleep(patience)
