"""The worker: claims jobs, starts a child process for each, watches, and says how a child that died died.

One a data folder and machine. It imports no torch, so it starts at once and weighs little. When it leaves,
its children work on (each tells for itself that it lives), and the next worker takes them up again.
"""

import fcntl
import logging
import signal
import subprocess
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import IO

from sqlalchemy.exc import OperationalError

from db import jobs, processes
from db.enums import JobKind, JobStatus, ProcessRole
from db.jobs import FencedError
from db.session import read, write
from db.settings import Settings
from db.tables import Job
from db.tables.base import utc_now
from trainer import launch

logger = logging.getLogger("trainer.worker")

LOCK = "worker.lock"
LANES: dict[str, tuple[JobKind, ...]] = {
    "training": (JobKind.TRAIN,),
    "factory": (JobKind.GENERATE,),  # waits for an endpoint most of its time
    "corpora": (JobKind.CONVERT,),  # minutes; no reason to wait for an endpoint
    "reports": (JobKind.DATA_REPORT,),  # quick, so they do not queue behind hours of training
}
PAUSE = 0.5  # seconds between two rounds
BEAT = timedelta(seconds=5)
GRACE = timedelta(seconds=20)  # for a child to stop by itself, then TERM
LAST_GRACE = timedelta(seconds=10)  # after TERM, then KILL


@dataclass
class Child:
    """A process that carries out an attempt. `popen` is None for one a former worker started."""

    job_id: int
    attempt: int
    pid: int
    started: float  # seconds since the epoch
    popen: subprocess.Popen | None = None
    unwanted_since: datetime | None = None
    signalled: signal.Signals | None = None

    def exit_code(self) -> int | None:
        """None while it runs; negative for a signal; 0 for an adopted one that is gone, code unknown."""
        if self.popen is not None:
            return self.popen.poll()
        return None if processes.is_running(self.pid, self.started) else 0


class Worker:
    """State of one worker process. `loop(now)` is one round; nothing in it waits."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.children: dict[str, Child] = {}
        self.stopping = False
        self.beaten = utc_now()
        with write() as s:
            self.process_id = processes.register(s, ProcessRole.WORKER).id
        self._adopt()

    def run(self, *, once: bool = False) -> None:
        """Go round until told to stop; with `once`, until nothing is queued and no child is left."""
        while not self.stopping:
            try:
                worked = self.loop(utc_now())
            except OperationalError as error:  # a busy or restarting database
                logger.warning("database: %s", error.orig)
                worked = True
            if once and not worked:
                break
            time.sleep(PAUSE)

    def stop(self, *_signal) -> None:
        """The signal handler: only a flag."""
        self.stopping = True

    def shutdown(self) -> None:
        with write() as s:
            processes.sign_off(s, self.process_id)
        for child in self.children.values():
            logger.info("job %d goes on without a worker", child.job_id)

    def loop(self, now: datetime) -> bool:
        """One round; returns whether there was, or still is, anything to do."""
        if now - self.beaten >= BEAT:
            self._beat_and_sweep(now)
        for lane in list(self.children):
            self._watch(lane, now)
        free = [lane for lane in LANES if lane not in self.children]
        claimed = [self._claim(lane, LANES[lane], now) for lane in free]
        return any(claimed) or bool(self.children)

    def _beat_and_sweep(self, now: datetime) -> None:
        with write() as s:
            processes.beat(s, self.process_id, now=now, jobs=[c.job_id for c in self.children.values()])
            for job in jobs.sweep(s, now=now):
                logger.info("job %d is %s", job.id, job.status)
        self.beaten = now

    def _adopt(self) -> None:
        """Take up the children of a former worker that still run; close the jobs of those that do not."""
        with write() as s:
            for job, attempt in jobs.running_children(s, boot=processes.boot_id()):
                if processes.is_running(attempt.child_pid, attempt.child_started):
                    child = Child(job.id, attempt.number, attempt.child_pid, attempt.child_started)
                    self.children[_lane_of(job.kind)] = child
                    logger.info("job %d still runs as process %d", job.id, child.pid)
            jobs.sweep(s)

    def _claim(self, lane: str, kinds: tuple[JobKind, ...], now: datetime) -> bool:
        with read() as s:  # an idle worker takes no write lock
            if not jobs.has_queued(s, kinds):
                return False
        with write() as s:
            job = jobs.claim_next(s, self.process_id, kinds, now=now)
        if job is None:
            return False
        logger.info("job %d %r: attempt %d", job.id, job.name, job.attempt)
        self._launch(lane, job)
        return True

    def _launch(self, lane: str, job: Job) -> None:
        try:
            popen = launch.start_child(self.settings, job.id, job.attempt)
        except OSError as error:
            logger.exception("job %d could not be started", job.id)
            reason = (
                f"The process could not be started ({error.strerror}); check the data folder and its disk."
            )
            with write() as s:
                jobs.close(s, job.id, job.attempt, JobStatus.FAILED, error=reason)
            return
        child = Child(job.id, job.attempt, popen.pid, launch.started_at(popen.pid), popen)
        self.children[lane] = child
        try:
            with write() as s:
                jobs.note_child(s, job.id, job.attempt, pid=child.pid, started=child.started)
        except FencedError:
            logger.info("job %d ended before it was noted", job.id)

    def _watch(self, lane: str, now: datetime) -> None:
        child = self.children[lane]
        code = child.exit_code()
        if code is not None:
            self._account_for(child, code)
            del self.children[lane]
        elif not self._is_wanted(child):
            child.unwanted_since = child.unwanted_since or now
            _press(child, now)

    def _is_wanted(self, child: Child) -> bool:
        """False once the job was cancelled, closed, or taken over by a later attempt."""
        with read() as s:
            try:
                return not jobs.cancel_requested(s, child.job_id, child.attempt)
            except LookupError:
                return False

    def _account_for(self, child: Child, code: int) -> None:
        """Close the job of a child that is gone, unless the child itself did."""
        try:
            with write() as s:
                cancelled = jobs.cancel_requested(s, child.job_id, child.attempt)
                status, error = (JobStatus.CANCELLED, "") if cancelled else explain(code)
                jobs.close(s, child.job_id, child.attempt, status, error=error, exit_code=code)
            logger.info("job %d is %s: %s", child.job_id, status, error)
        except FencedError:
            logger.info("job %d ended", child.job_id)


def explain(code: int) -> tuple[JobStatus, str]:
    """Status and one sentence for a child that ended without a word of its own."""
    resume = "resume to go on from what was kept last."
    if code in (-signal.SIGTERM, -signal.SIGINT, -signal.SIGHUP, 0):
        return JobStatus.INTERRUPTED, f"The job's process was stopped from outside; {resume}"
    if code == -signal.SIGKILL:
        return JobStatus.FAILED, (
            "The job's process was killed by the system (out of memory?); if memory was short in training, "
            f"lower the batch size or the longest row; else {resume}"
        )
    if code < 0:
        name = signal.Signals(-code).name
        return JobStatus.FAILED, f"The job's process crashed ({name}); the log tells more, or {resume}"
    return JobStatus.FAILED, f"The job's process ended with exit code {code}; the log tells why."


def take_lock(data_dir: Path) -> IO[str] | None:
    """The lock that makes this the one worker of a data folder, or None when there is one already.

    Held until the returned file is closed; children do not inherit it.
    """
    file = (data_dir / LOCK).open("a")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        return None
    return file


def main(settings: Settings, *, once: bool = False) -> int:
    """Work until a signal. Returns the exit code; 0 also when another worker is at it already."""
    settings.make_folders()
    lock = take_lock(settings.data_dir)
    if lock is None:
        logger.info("a worker already runs for %s; this one ends", settings.data_dir)
        return 0
    with lock:
        worker = Worker(settings)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, worker.stop)
        logger.info("worker of %s, process %d", settings.data_dir, worker.process_id)
        worker.run(once=once)
        worker.shutdown()
    return 0


def _press(child: Child, now: datetime) -> None:
    """Ask an unwanted child to end, ever more firmly: first by itself, then TERM, then KILL."""
    waited = now - child.unwanted_since
    if waited < GRACE:
        return
    firm = signal.SIGKILL if waited >= GRACE + LAST_GRACE else signal.SIGTERM
    if child.signalled is not firm:
        logger.info("job %d does not end by itself: %s", child.job_id, firm.name)
        launch.signal_group(child.pid, child.started, firm)
        child.signalled = firm


def _lane_of(kind: JobKind) -> str:
    return next(lane for lane, kinds in LANES.items() if kind in kinds)
