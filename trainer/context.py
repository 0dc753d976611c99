"""The only road from a job to the database: its spec and rows in; log, metrics, progress and the end out.

A thread of its own writes what has gathered, tells that the job lives, and asks whether someone wants it
stopped, so a training step never waits for the database. Every write carries the attempt's number.

Where several processes share a run, the one of rank 0 speaks for all: the others read, and write nothing.
"""

import logging
import os
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from db import adapter_cards, alerts, datasets, exports, jobs, registry, sample_answers, specs
from db.enums import AlertKind, JobStatus, Split, StopMode
from db.exchange import hub
from db.jobs import FencedError, Progress
from db.session import read, write
from db.settings import Settings
from db.tables import Adapter, BaseModel, DatasetRow, DatasetVersion
from db.tables.base import utc_now
from trainer.launch_command import stop_file

logger = logging.getLogger("trainer")

TICK = 0.5  # seconds between two writes at most
BEAT = 5.0  # seconds between two signs of life


class Cancelled(Exception):
    """Someone asked for the job to be stopped, or the machine did."""


class JobContext:
    """One attempt at one job, as the job's own code sees it."""

    def __init__(self, settings: Settings, job_id: int, attempt: int) -> None:
        """Raises FencedError when this attempt does not, or no longer, own the job."""
        self.settings, self.job_id, self.attempt = settings, job_id, attempt
        self.is_main = os.environ.get("RANK", "0") == "0"
        with write() if self.is_main else read() as s:
            jobs.require_owned(s, job_id, attempt)
            job = jobs.get_job(s, job_id)
            if self.is_main:
                jobs.beat(s, job_id, attempt)
        self.project_id, self.name, self.kind = job.project_id, job.name, job.kind
        self._claimed = time.monotonic() - max(0.0, (utc_now() - job.started_at).total_seconds())
        self.spec = specs.from_json(job.kind, job.spec)
        self.folder: Path = settings.jobs_dir / str(job_id)
        self._stop_file = stop_file(self.folder, attempt)
        self._told: list[Callable[[Session], None]] = []  # what waits to be written, in order
        self._progress: Progress | None = None
        self._beaten = time.monotonic()
        self._stop_mode: StopMode | None = None
        self.interrupted = False  # the machine asked this process to leave
        self._lost, self._stop = threading.Event(), threading.Event()
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._write_on, name="context", daemon=True)
        if self.is_main:
            self._thread.start()

    # What the job is given --------------------------------------------------------------------------

    def base_model(self) -> BaseModel:
        with read() as s:
            return registry.get_base_model(s, self.spec.base_model_id)

    def adapter(self) -> tuple[Adapter, BaseModel]:
        """The adapter to export, and its base."""
        with read() as s:
            adapter = exports.get_adapter(s, self.project_id, self.spec.adapter_id)
            return adapter, adapter.base_model

    def card_before(self, adapter: Mapping, result: dict) -> str:
        """What the README says of an adapter that `finish` will register."""
        with read() as s:
            return adapter_cards.card_before(s, result, **adapter, project_id=self.project_id)

    def adapter_card(self, adapter_id: int, form: str = "adapter") -> str:
        """What the adapter's README says."""
        with read() as s:
            return adapter_cards.adapter_card(s, adapter_id, form=form)

    def token_variable(self) -> str:
        """The name of the variable with the Hub's token. Raises ValueError when the export must stay."""
        with read() as s:
            adapter = exports.get_adapter(s, self.project_id, self.spec.adapter_id)
            exports.require_leave(s, adapter, self.spec.repository)
            return hub.token_variable(s, self.project_id)

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
        return time.monotonic() - self._claimed

    # What the job tells -----------------------------------------------------------------------------

    def log(self, line: str) -> None:
        if self.is_main:
            logger.info(line)

    def metrics(self, step: int, **values: float) -> None:
        """Keep measured values of a step; they are written together, twice a second at most."""
        self._tell(lambda s: jobs.record_metrics(s, self.job_id, self.attempt, step, values))

    def alert(self, step: int, kind: AlertKind, sentence: str) -> None:
        """Tell people to look at the run. The first of a kind is kept, later ones of this attempt are not."""
        self._tell(lambda s: alerts.record(s, self.job_id, self.attempt, step, kind, sentence))

    def sample(self, step: int, number: int, prompt: str, answer: str) -> None:
        """Keep what the model answers to fixed prompt `number` at a step."""
        self._tell(
            lambda s: sample_answers.record(s, self.job_id, self.attempt, step, number, prompt, answer)
        )

    def progress(self, phase: str, step: int = 0, total_steps: int = 0) -> None:
        with self._lock:
            self._progress = Progress(phase, step, total_steps)

    def stop_mode(self) -> StopMode | None:
        """What is to become of what was done, once someone wants the run stopped; None while it is wanted."""
        return self._stop_mode or (StopMode.SAVE if self.interrupted else None)

    def is_cancelled(self) -> bool:
        """True when a person asked for the stop, by the database's latest word."""
        with read() as s:
            return jobs.cancel_requested(s, self.job_id, self.attempt)

    def require_wanted(self) -> None:
        """Raise Cancelled when someone asked to stop, FencedError when a later attempt owns the job."""
        if self._lost.is_set():
            raise FencedError(f"Attempt {self.attempt} no longer owns job {self.job_id}.")
        if self.stop_mode() is not None:
            raise Cancelled

    def interrupt(self) -> None:
        """Heard from a signal: stop at the next step and save. Only an attribute, for a signal may come at
        any moment, also while this very thread holds a lock."""
        self.interrupted = True

    def finish(
        self, result: dict, *, adapter: Mapping | None = None, base_model: Mapping | None = None
    ) -> None:
        """End well. `adapter` or `base_model` holds the columns of what is registered with it."""

        def end(s: Session) -> None:
            found = dict(result)
            if adapter is not None:
                row = registry.register_adapter(s, **adapter, project_id=self.project_id, job_id=self.job_id)
                s.flush()
                found["adapter_id"] = row.id
            if base_model is not None:
                base = registry.register_base_model(s, **base_model, job_id=self.job_id)
                s.flush()
                found["base_model_id"] = base.id
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
        if self._thread.ident is not None:
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

    def _tell(self, record: Callable[[Session], None]) -> None:
        if self.is_main:
            with self._lock:
                self._told.append(record)

    def _tick(self) -> None:
        if self._stop_file.exists():
            self.interrupt()
        if self._told or self._progress or time.monotonic() - self._beaten >= BEAT:
            with write() as s:
                jobs.beat(s, self.job_id, self.attempt)
                taken = self._flush(s)
            self._beaten = time.monotonic()
            self._forget(*taken)
        with read() as s:
            self._stop_mode = jobs.stop_mode(s, self.job_id, self.attempt)

    def _flush(self, session: Session) -> tuple[int, Progress | None]:
        """Write what has gathered; returns how much that was, to be forgotten once committed."""
        with self._lock:
            told, progress = list(self._told), self._progress
        for record in told:
            record(session)
        if progress is not None:
            jobs.record_progress(session, self.job_id, self.attempt, progress)
        return len(told), progress

    def _forget(self, count: int, progress: Progress | None) -> None:
        with self._lock:
            del self._told[:count]
            if self._progress is progress:
                self._progress = None

    def _end(self, close: Callable[[Session], object]) -> None:
        """Write what is left and the end, in one transaction; a busy database is asked again."""
        self.fall_silent()
        if not self.is_main:
            return
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
