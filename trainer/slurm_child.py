"""A run that was handed to Slurm, as the worker sees it: submitted or found again, followed, pressed to end.

It has what `children.Child` has for a process of this machine, so the worker treats both alike.
"""

import hashlib
import logging
import signal
import time
from dataclasses import dataclass, field
from pathlib import Path

from db import jobs, processes, recovery
from db.enums import JobKind, JobStatus
from db.jobs import FencedError, Progress
from db.session import read, write
from db.settings import Settings, machine_name
from db.tables import Job
from trainer import slurm, slurm_script
from trainer.children import explain
from trainer.launch_command import first_failure
from trainer.slurm import SlurmJob, Unreachable

logger = logging.getLogger("trainer.worker")

PAUSES = (1.0, 15.0)  # seconds between two questions: soon after a start, and later on
AGAIN = 60.0  # seconds before a job that will not end is cancelled once more


@dataclass
class SlurmChild:
    """An attempt that Slurm carries out, under the number it gave it."""

    job_id: int
    attempt: int
    kind: JobKind
    number: str
    log: Path
    places: tuple[str, ...] = ()  # of this machine: none
    known: SlurmJob | None = None
    unwanted_since: float | None = None  # monotonic
    cancelled_at: float | None = None
    _since: float = field(default_factory=time.monotonic)
    _due: float = 0.0

    def exit_code(self) -> int | None:
        """None while it waits or runs, or nobody can tell; asks Slurm now and then."""
        now = time.monotonic()
        if now < self._due:
            return None
        soonest, latest = PAUSES
        self._due = now + min(max(soonest, (now - self._since) / 10), latest)
        try:
            self.known = slurm.ask(self.number)
        except Unreachable as error:
            self._due = now + latest
            logger.warning("job %d: Slurm does not answer: %s", self.job_id, error)
            return None
        if self.known is None:
            return 0
        if self.known.is_waiting:
            self._tell_wait()
        return None if self.known.is_open else self.known.exit_code

    def outcome(self, code: int) -> tuple[JobStatus, str]:
        """Status and sentence of one that ended without a word of its own."""
        if self.known is not None and self.known.state == "FAILED":
            first = first_failure(self.log)
            if first is not None and first < 0:  # out of memory would be a state of Slurm's own
                return explain(first, out_of_memory=False)
        return slurm.explain(self.known)

    def press(self, now: float, grace: float) -> signal.Signals | None:
        """End it: at once while it waits, after `grace` seconds else, by TERM and, from Slurm, KILL."""
        if self.unwanted_since is None:
            self.unwanted_since = self._since = now
            self._due = 0.0  # it may end soon
        has_begun = self.known is None or not self.known.is_waiting
        if has_begun and now - self.unwanted_since < grace:
            return None
        if self.cancelled_at is not None and now - self.cancelled_at < AGAIN:
            return None
        try:
            slurm.cancel(self.number)
        except Unreachable as error:
            logger.warning("job %d: Slurm does not answer: %s", self.job_id, error)
            return None
        self.cancelled_at, self._since, self._due = now, now, 0.0
        return signal.SIGTERM

    def clear_up(self) -> bool:
        """Slurm leaves nothing of a job running; true once its environment is removed."""
        slurm_script.clear_up(self.log.parent, self.attempt)
        return True

    def _tell_wait(self) -> None:
        """A run that waits there has no process that could tell of it."""
        reason = f" ({self.known.reason})" if self.known.reason else ""
        try:
            with write() as s:
                job = jobs.get_job(s, self.job_id)
                jobs.beat(s, self.job_id, self.attempt)
                told = Progress(f"waiting at Slurm{reason}", job.step, job.total_steps)
                jobs.record_progress(s, self.job_id, self.attempt, told)
        except FencedError:
            pass


def start(settings: Settings, job: Job) -> SlurmChild:
    """Submit a claimed job. Raises ValueError with one sentence, Unreachable, OSError."""
    slurm.require()
    name = name_of(settings, job.id, job.attempt)
    has_gpus = slurm.has_gpus(job.spec.get("partition", ""))
    script = slurm_script.write(settings, job.id, job.attempt, job.spec, has_gpus=has_gpus)
    number = slurm.submit(script, slurm_script.options(script.parent, name, job.spec, has_gpus=has_gpus))
    try:
        with write() as s:
            jobs.note_external(s, job.id, job.attempt, number)
    except FencedError:
        logger.info("job %d ended before it was noted", job.id)
    logger.info("job %d is job %s at Slurm", job.id, number)
    return SlurmChild(job.id, job.attempt, job.kind, number, script.parent / "log.txt")


def adopt(settings: Settings, process_id: int) -> list[SlurmChild]:
    """Take up the runs at Slurm whose worker is gone; those that never got there are given up.

    Of another machine's, only those that this machine's Slurm knows. Nothing where Slurm does not answer.
    """
    taken: list[SlurmChild] = []
    with read() as s:
        orphans = [
            (job.id, job.attempt, job.kind, attempt.external_id, worker.host == machine_name())
            for job, attempt, worker in recovery.running_at_slurm(s)
            if not processes.is_alive(worker)
        ]
    for job_id, attempt, kind, external_id, is_ours in orphans:
        name = name_of(settings, job_id, attempt)
        try:
            number = external_id or slurm.find(name)
            known = slurm.ask(number) if number else None
        except Unreachable as error:
            logger.warning("job %d: Slurm does not answer: %s", job_id, error)
            continue
        if not is_ours and (known is None or known.name != name):
            continue
        with write() as s:
            job = jobs.get_job(s, job_id)
            if job.attempt != attempt or job.status is not JobStatus.RUNNING:
                continue
            if number is None:
                recovery.give_up(s, job)
                logger.info("job %d is %s", job.id, job.status)
                continue
            recovery.adopt_outside(s, job, process_id, number)
        logger.info("job %d is still job %s at Slurm", job_id, number)
        log = settings.jobs_dir / str(job_id) / "log.txt"
        taken.append(SlurmChild(job_id, attempt, kind, number, log))
    return taken


def name_of(settings: Settings, job_id: int, attempt: int) -> str:
    """What Slurm calls the attempt: no other of any studio is called so."""
    studio = hashlib.sha256(settings.url.encode()).hexdigest()[:8]
    return f"studio-{job_id}-{attempt}-{studio}"
