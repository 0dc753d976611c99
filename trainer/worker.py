"""The worker: claims jobs, starts a child process for each, watches, and says how a child that died died.

One a data folder and machine; those of several machines share a database. It imports no torch, so it starts
at once and weighs little. When it leaves, its children work on (each tells for itself that it lives), and the
next worker takes them up again. It reckons by the monotonic clock alone: a wall clock may be set.
"""

import fcntl
import logging
import re
import shutil
import signal
import time
from collections.abc import Sequence
from pathlib import Path
from typing import IO

from sqlalchemy.exc import OperationalError

from db import alerts, jobs, processes, queue, recovery, retention
from db.enums import AlertKind, JobStatus, ProcessRole
from db.heartbeats import Heartbeats
from db.jobs import FencedError
from db.session import read, write
from db.settings import Settings, machine_name
from db.tables import Attempt, Job
from trainer import lanes, launch, machine, slurm_child
from trainer.children import Child, count_oom_kills, grace_of, marker_of
from trainer.courier import Courier
from trainer.launch_command import processes_of
from trainer.lookout import Lookout
from trainer.room import Room
from trainer.slurm import Unreachable
from trainer.slurm_child import SlurmChild

logger = logging.getLogger("trainer.worker")

PAUSE = 0.5  # seconds between two rounds
BEAT = 5.0  # seconds between two signs of life
TIDY = 3600.0  # seconds between two looks for texts that are no longer kept
AWAY = 600.0  # seconds for which a machine that fell silent is still reckoned with


class Worker:
    """State of one worker process. `loop(now)` is one round; nothing in it waits. `now` is monotonic."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.machine = machine.look()
        self.children: dict[str, Child | SlurmChild] = {}  # by lane
        self.stopping = False
        self.heartbeats, self.lookout, self.room = Heartbeats(), Lookout(), Room()
        self.rests: dict[tuple[int, int], float] = {}  # interrupted (job, attempt) -> when it goes on
        self.cleared: set[int] = set()  # jobs of which nothing was to be kept, and nothing is left
        self.beaten, self.tidied = time.monotonic(), -TIDY
        with write() as s:
            self.process_id = processes.register(s, ProcessRole.WORKER, **self.machine.detail()).id
        self._adopt()
        self._adopt_from_slurm()
        self._sweep(self.beaten)

    def run(self, *, once: bool = False) -> None:
        """Go round until told to stop; with `once`, until nothing here is left to do."""
        while not self.stopping:
            try:
                worked = self.loop(time.monotonic())
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

    def loop(self, now: float) -> bool:
        """One round; returns whether there was, or still is, anything to do."""
        if now - self.beaten >= BEAT:
            self._beat(now)
        for lane in list(self.children):
            self._watch(lane, now)
        self._go_on(now)
        claimed = self._claim_training(now) + self._claim_others()
        return bool(claimed or self.children or self.rests)

    # Every few seconds ------------------------------------------------------------------------------

    def _beat(self, now: float) -> None:
        with write() as s:
            processes.beat(s, self.process_id, jobs=[c.job_id for c in self.children.values()])
        self._adopt_from_slurm()
        self._sweep(now)
        self._look_out(now)
        self._tidy(now)
        self.beaten = now

    def _sweep(self, now: float) -> None:
        """Close what died with its machine, note what is to go on, remove what was not to be kept."""
        with write() as s:
            for job in recovery.sweep(s, self.heartbeats, now=now):
                logger.info("job %d is %s", job.id, job.status)
        with read() as s:
            interrupted = recovery.list_interrupted(s)
            discarded = set(recovery.list_discarded(s)) - self.cleared
        self.rests = {
            (job.id, job.attempt): self.rests.get(
                (job.id, job.attempt), now + recovery.pause_before(job.resumed)
            )
            for job in interrupted
        }
        for job_id in discarded:
            shutil.rmtree(self._checkpoints(job_id), ignore_errors=True)
            self.cleared.add(job_id)

    def _look_out(self, now: float) -> None:
        """Alert people to live runs that are silent, or short of disk."""
        self.lookout.forget_others({(c.job_id, c.attempt) for c in self.children.values()})
        for child in self.children.values():
            with read() as s:
                job = jobs.get_job(s, child.job_id)
            if job.attempt != child.attempt or job.kind not in lanes.KINDS:
                continue
            for kind, sentence in self.lookout.alerts(job, self._checkpoints(job.id), now=now):
                self._alert(child, job.step, kind, sentence)

    def _tidy(self, now: float) -> None:
        """Once an hour, empty the texts of the playground that their projects no longer keep."""
        if now - self.tidied < TIDY:
            return
        self.tidied = now
        with read() as s:
            is_due = retention.is_due(s)
        if is_due:
            with write() as s:
                emptied = retention.empty_old(s)
            logger.info("texts of %d comparisons are no longer kept", sum(emptied.values()))

    def _alert(self, child: Child, step: int, kind: AlertKind, sentence: str) -> None:
        try:
            with write() as s:
                told = alerts.record(s, child.job_id, child.attempt, step, kind, sentence)
        except FencedError:  # it ended meanwhile
            return
        if told is not None:
            logger.warning("job %d: %s", child.job_id, sentence)

    def _adopt(self) -> None:
        """Take up the children of a former worker of this machine that still run.

        One that was started and not yet noted is found by its marker, or else was never started.
        """
        with write() as s:
            for job, attempt in recovery.running_children(s, boot=processes.boot_id()):
                marker = marker_of(self.settings.data_dir, job.id, attempt.number)
                pid, started = attempt.child_pid, attempt.child_started
                if pid is None and (found := launch.find_child(marker)) is not None:
                    pid, started = found.pid, processes.started_at(found.pid)
                if pid is None or not processes.is_running(pid, started):
                    recovery.give_up(s, job)
                    logger.info("job %d is %s", job.id, job.status)
                    continue
                recovery.adopt(s, job, self.process_id, pid=pid, started=started)
                child = self._child(job, pid, started, _places_of(job, attempt))
                self.children[lanes.lane_of(job, child.places)] = child
                logger.info("job %d still runs as process %d", job.id, pid)

    def _adopt_from_slurm(self) -> None:
        if self.machine.has_slurm:
            for child in slurm_child.adopt(self.settings, self.process_id):
                self.children[f"slurm {child.job_id}"] = child

    # The queue --------------------------------------------------------------------------------------

    def _go_on(self, now: float) -> None:
        """Put interrupted runs whose rest is over back in the queue."""
        for key in [key for key, due in self.rests.items() if due <= now]:
            del self.rests[key]
            with write() as s:
                job = jobs.go_on(s, key[0])
            if job is not None:
                logger.info("job %d goes on by itself, for time %d", job.id, job.resumed)

    def _claim_training(self, now: float) -> int:
        """Start what the free places allow; returns how many runs were claimed, or wait for room."""
        with read() as s:  # an idle worker takes no write lock
            if not jobs.has_queued(s, lanes.KINDS):
                return 0
            waiting = queue.list_waiting(s, kinds=lanes.KINDS)
            others = processes.list_others(s, ProcessRole.WORKER, within=AWAY)
        taken = [place for child in self.children.values() for place in child.places]
        starts = lanes.plan(waiting, self.machine, taken, [other.detail for other in others])
        named = {job.id: job for job in waiting}
        return sum(
            self._claim(start)
            if start.refusal or self.room.is_made(named[start.job_id], start.places, now)
            else True
            for start in starts
        )

    def _claim_others(self) -> int:
        free = {lane: kinds for lane, kinds in lanes.OTHERS.items() if lane not in self.children}
        with read() as s:
            wanted = [kinds for kinds in free.values() if jobs.has_queued(s, kinds)]
        claimed = 0
        for kinds in wanted:
            with write() as s:
                job = jobs.claim_next(s, self.process_id, kinds)
            if job is not None:
                self._launch(job, ())
                claimed += 1
        return claimed

    def _claim(self, start: lanes.Start) -> bool:
        with write() as s:
            device = ",".join(start.places)
            job = jobs.claim_next(s, self.process_id, job_id=start.job_id, device=device)
            if job is not None and start.refusal:
                jobs.close(s, job.id, job.attempt, JobStatus.FAILED, error=start.refusal)
        if job is None:
            return False
        if not start.refusal:
            self._launch(job, start.places)
        return True

    def _launch(self, job: Job, places: Sequence[str]) -> None:
        logger.info("job %d %r: attempt %d %s", job.id, job.name, job.attempt, ",".join(places))
        if job.kind in lanes.KINDS and lanes.is_for_slurm(job.spec):
            self._submit(job)
            return
        marker = marker_of(self.settings.data_dir, job.id, job.attempt)
        oom_kills = count_oom_kills()
        try:
            count = processes_of(job.kind, job.spec)
            popen = launch.start_child(
                self.settings, job.id, job.attempt, devices=places, marker=marker, processes=count
            )
        except OSError as error:
            logger.exception("job %d could not be started", job.id)
            reason = (
                f"The process could not be started ({error.strerror}); check the data folder and its disk."
            )
            with write() as s:
                jobs.close(s, job.id, job.attempt, JobStatus.FAILED, error=reason)
            return
        child = self._child(job, popen.pid, processes.started_at(popen.pid), places)
        child.popen, child.oom_kills = popen, oom_kills
        self.children[lanes.lane_of(job, places)] = child
        try:
            with write() as s:
                jobs.note_child(s, job.id, job.attempt, pid=child.pid, started=child.started)
        except FencedError:
            logger.info("job %d ended before it was noted", job.id)

    def _submit(self, job: Job) -> None:
        """Hand a claimed job to Slurm, or close it with the reason why it cannot be."""
        status = JobStatus.FAILED
        try:
            self.children[lanes.lane_of(job, ())] = slurm_child.start(self.settings, job)
            return
        except ValueError as error:
            reason = str(error)
        except Unreachable as error:
            status = JobStatus.INTERRUPTED
            reason = f"launcher: Slurm does not answer ({error}); resume later."
        except OSError as error:
            reason = f"disk: the job's script could not be written ({error.strerror}); check the data folder."
        logger.warning("job %d: %s", job.id, reason)
        with write() as s:
            jobs.close(s, job.id, job.attempt, status, error=reason)

    # A child ----------------------------------------------------------------------------------------

    def _watch(self, lane: str, now: float) -> None:
        child = self.children[lane]
        code = child.exit_code()
        if code is not None:
            if child.clear_up():  # till then its GPU is not free
                self._account_for(child, code)
                del self.children[lane]
                self._sweep(now)
            return
        grace = self._grace(child)
        if grace is not None and (sent := child.press(now, grace)) is not None:
            logger.info("job %d does not end by itself: %s", child.job_id, sent.name)

    def _grace(self, child: Child) -> float | None:
        """Seconds a child gets to end by itself, once its job was cancelled, closed or taken over; None while
        it is wanted."""
        with read() as s:
            try:
                mode = jobs.stop_mode(s, child.job_id, child.attempt)
            except LookupError:
                return grace_of(child, None, has_steps=False)
            job = jobs.get_job(s, child.job_id)
        if mode is None:
            return None
        return grace_of(child, mode, has_steps=job.total_steps > 0 and job.phase != "starting")

    def _account_for(self, child: Child, code: int) -> None:
        """Close the job of a child that is gone, unless the child itself did."""
        try:
            with write() as s:
                cancelled = jobs.stop_mode(s, child.job_id, child.attempt) is not None
                status, error = (JobStatus.CANCELLED, "") if cancelled else child.outcome(code)
                jobs.close(s, child.job_id, child.attempt, status, error=error, exit_code=code)
            logger.info("job %d is %s: %s", child.job_id, status, error)
        except FencedError:
            logger.info("job %d ended", child.job_id)

    def _child(self, job: Job, pid: int, started: float, places: Sequence[str]) -> Child:
        marker = marker_of(self.settings.data_dir, job.id, job.attempt)
        log = self.settings.jobs_dir / str(job.id) / "log.txt"
        several = processes_of(job.kind, job.spec) > 1
        return Child(
            job.id, job.attempt, job.kind, pid, started, marker, tuple(places), log if several else None
        )

    def _checkpoints(self, job_id: int) -> Path:
        return self.settings.jobs_dir / str(job_id) / "checkpoints"


def take_lock(data_dir: Path) -> IO[str] | None:
    """The lock that makes this the one worker of a data folder and machine, or None when there is one.

    Held until the returned file is closed; children do not inherit it.
    """
    name = re.sub(r"[^A-Za-z0-9.-]", "-", machine_name())
    file = (data_dir / f"worker.{name}.lock").open("a")
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
        worker, courier = Worker(settings), Courier(settings.address)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, worker.stop)
        logger.info("worker of %s, process %d", settings.data_dir, worker.process_id)
        courier.start()
        worker.run(once=once)
        courier.stop()
        worker.shutdown()
    return 0


def _places_of(job: Job, attempt: Attempt) -> tuple[str, ...]:
    if job.kind not in lanes.KINDS or lanes.is_for_slurm(job.spec):
        return ()
    return tuple(attempt.device.split(","))
