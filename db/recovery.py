"""Runs whose process or machine died: found by their silence, closed as interrupted, sent on their way again.

Whether a run lives is asked of its process where that is on this machine, and of its heartbeat, as seen by
this process's own clock, where it is not. So no clock that is set makes a live run lost.
"""

from sqlalchemy import select
from sqlalchemy.orm import Session

from db import jobs, processes
from db.enums import JobKind, JobStatus, StopMode
from db.heartbeats import Heartbeats
from db.settings import machine_name
from db.tables import Attempt, Job, Process

LEASE = 30.0  # seconds of silence after which a run of another machine counts as dead
_LOST = "The machine or its worker stopped; resume to go on from the last checkpoint."


def sweep(session: Session, heartbeats: Heartbeats, *, now: float | None = None) -> list[Job]:
    """Close the running jobs whose worker and child are both gone; returns them, interrupted or cancelled.

    `now` is of the monotonic clock.
    """
    running = session.scalars(select(Job).where(Job.status == JobStatus.RUNNING)).all()
    heartbeats.forget_others({(job.id, job.attempt) for job in running})
    lost = [job for job in running if _is_lost(session, job, heartbeats, now)]
    for job in lost:
        give_up(session, job)
    return lost


def give_up(session: Session, job: Job) -> None:
    """Close the latest attempt of a running job, whose process is gone."""
    cancelled = job.cancel_requested_at is not None
    status = JobStatus.CANCELLED if cancelled else JobStatus.INTERRUPTED
    jobs.close(session, job.id, job.attempt, status, error="" if cancelled else _LOST)


def running_children(session: Session, *, boot: str) -> list[tuple[Job, Attempt]]:
    """The running jobs that workers of this machine took since it booted, with their attempts; without those
    that were handed to Slurm."""
    query = (
        select(Job, Attempt)
        .join(Attempt, (Attempt.job_id == Job.id) & (Attempt.number == Job.attempt))
        .join(Process, Process.id == Attempt.process_id)
        .where(Job.status == JobStatus.RUNNING, Process.boot == boot, Process.host == machine_name())
    )
    return [(job, attempt) for job, attempt in session.execute(query) if not _is_for_slurm(job)]


def running_at_slurm(session: Session) -> list[tuple[Job, Attempt, Process]]:
    """The running jobs that were handed to Slurm, or were about to be, with attempt and worker."""
    query = (
        select(Job, Attempt, Process)
        .join(Attempt, (Attempt.job_id == Job.id) & (Attempt.number == Job.attempt))
        .join(Process, Process.id == Attempt.process_id)
        .where(Job.status == JobStatus.RUNNING)
    )
    return [tuple(row) for row in session.execute(query) if _is_for_slurm(row[0])]


def adopt_outside(session: Session, job: Job, process_id: int, number: str) -> None:
    """A worker takes over following the job's latest attempt, which a scheduler carries out as `number`."""
    attempt = jobs.get_attempt(session, job.id, job.attempt)
    attempt.external_id, attempt.process_id = number, process_id
    job.process_id = process_id


def adopt(session: Session, job: Job, process_id: int, *, pid: int, started: float) -> None:
    """A worker takes over the child that carries out the job's latest attempt."""
    jobs.note_child(session, job.id, job.attempt, pid=pid, started=started)
    job.process_id = jobs.get_attempt(session, job.id, job.attempt).process_id = process_id


def list_interrupted(session: Session) -> list[Job]:
    """The interrupted jobs that are to go on by themselves."""
    interrupted = session.scalars(select(Job).where(Job.status == JobStatus.INTERRUPTED).order_by(Job.id))
    return [job for job in interrupted if jobs.goes_on(job)]


def pause_before(resumed: int) -> float:
    """Seconds before an interrupted run goes on for time number `resumed` + 1, so that one that dies at
    once does not go round and round: 2, 8, 32, ... 600."""
    return min(2.0 * 4 ** min(resumed, 10), 600.0)


def list_discarded(session: Session) -> list[int]:
    """The jobs that were stopped with nothing to be kept."""
    query = select(Job.id).where(Job.status == JobStatus.CANCELLED, Job.stop_mode == StopMode.DISCARD)
    return list(session.scalars(query))


def _is_lost(session: Session, job: Job, heartbeats: Heartbeats, now: float | None) -> bool:
    silence = heartbeats.silence((job.id, job.attempt), job.heartbeat_at, now=now) or 0.0
    worker = session.get_one(Process, job.process_id)
    attempt = jobs.get_attempt(session, job.id, job.attempt)
    if processes.is_alive(worker):  # it watches over its child itself
        return False
    if attempt.external_id:  # it may wait there for days: a worker that can ask Slurm tells
        return False
    if processes.is_here(worker) and attempt.child_pid:
        return not processes.is_running(attempt.child_pid, attempt.child_started)
    return silence > LEASE or (worker.host == machine_name() and worker.boot != processes.boot_id())


def _is_for_slurm(job: Job) -> bool:
    return job.kind is JobKind.TRAIN and job.spec.get("launcher") == "slurm"
