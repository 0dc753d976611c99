"""The job queue and what jobs tell: claim, heartbeat, progress, metrics, cancel, finish.

A worker writes with the number of its attempt. Once another attempt has begun, an older one's writes are
refused (`FencedError`), so a worker that comes back from the dead cannot spoil a job that was resumed.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from db import audit, processes, specs
from db.enums import JobKind, JobStatus
from db.policy import Actor, Right, require
from db.tables import Attempt, Job, Metric, Process
from db.tables.base import utc_now

LEASE = timedelta(seconds=30)
_RIGHTS = {JobKind.GENERATE: Right.RUN_FACTORY, JobKind.CONVERT: Right.RUN_FACTORY}


class FencedError(LookupError):
    """This attempt no longer owns the job."""


@dataclass(frozen=True)
class Progress:
    """Where a job stands; the page reckons the rest."""

    phase: str
    step: int
    total_steps: int


def enqueue(
    session: Session,
    actor: Actor,
    project_id: int,
    kind: JobKind,
    spec,
    *,
    name: str,
    request_key: str | None = None,
) -> Job:
    """Queue a job. The same `request_key` again (a double click) returns the job it made the first time."""
    require(actor, right_to(kind))
    if request_key is not None:
        known = session.scalar(select(Job).where(Job.request_key == request_key))
        if known is not None:
            return known
    job = Job(
        project_id=project_id,
        kind=kind,
        name=name,
        spec=specs.to_json(spec),
        request_key=request_key,
        created_by_id=actor.id,
    )
    session.add(job)
    audit.record(session, actor, "queued", job, kind=kind)
    return job


def request_cancel(session: Session, actor: Actor, job_id: int) -> Job:
    """Ask an open job to stop; one still queued is cancelled at once. Raises ValueError for a closed one."""
    job = get_job(session, job_id)
    require(actor, right_to(job.kind))
    if not job.status.is_open:
        raise ValueError(f"job: it is already {job.status}; there is nothing to cancel.")
    job.cancel_requested_at = utc_now()
    if job.status is JobStatus.QUEUED:
        job.status, job.finished_at = JobStatus.CANCELLED, utc_now()
    audit.record(session, actor, "cancel_requested", job)
    return job


def requeue(session: Session, actor: Actor, job_id: int, *, more_to_do: bool = False) -> Job:
    """Put a job that stopped early back in the queue; it resumes from its last valid checkpoint.

    A finished one goes back too, where there is `more_to_do` than when it finished.
    """
    job = get_job(session, job_id)
    require(actor, right_to(job.kind))
    if job.status.is_open or (job.status is JobStatus.FINISHED and not more_to_do):
        raise ValueError(f"job: it is {job.status}; only one that stopped early can be resumed.")
    job.status, job.error, job.finished_at, job.cancel_requested_at = JobStatus.QUEUED, "", None, None
    audit.record(session, actor, "requeued", job)
    return job


def right_to(kind: JobKind) -> Right:
    """The right to queue, stop and resume jobs of that kind."""
    return _RIGHTS.get(kind, Right.TRAIN)


def get_job(session: Session, job_id: int) -> Job:
    job = session.get(Job, job_id)
    if job is None:
        raise LookupError(f"There is no job number {job_id}.")
    return job


def list_jobs(session: Session, project_id: int, kind: JobKind, *, limit: int = 50) -> list[Job]:
    """The latest jobs of a kind, newest first."""
    query = (
        select(Job).where(Job.project_id == project_id, Job.kind == kind).order_by(Job.id.desc()).limit(limit)
    )
    return list(session.scalars(query))


def count_open(session: Session) -> int:
    """How many jobs, of all projects, are queued or running."""
    return (
        session.scalar(select(func.count()).where(Job.status.in_((JobStatus.QUEUED, JobStatus.RUNNING)))) or 0
    )


def list_metrics(session: Session, job_id: int, *, after_id: int = 0) -> list[Metric]:
    """The metrics newer than `after_id`, oldest first."""
    query = select(Metric).where(Metric.job_id == job_id, Metric.id > after_id).order_by(Metric.id)
    return list(session.scalars(query))


def last_values(session: Session, job_ids: Collection[int], name: str) -> dict[int, float]:
    """The latest value of one metric for each of the jobs that have any."""
    newest = select(func.max(Metric.id)).where(Metric.job_id.in_(job_ids), Metric.name == name)
    query = select(Metric.job_id, Metric.value).where(Metric.id.in_(newest.group_by(Metric.job_id)))
    return dict(session.execute(query).all())


# The worker's side ----------------------------------------------------------------------------------


def has_queued(session: Session, kinds: Collection[JobKind] = tuple(JobKind)) -> bool:
    """True while a job of `kinds` waits: asked before claiming, an idle worker takes no write lock."""
    query = select(Job.id).where(Job.status == JobStatus.QUEUED, Job.kind.in_(kinds)).limit(1)
    return session.scalar(query) is not None


def claim_next(
    session: Session,
    process_id: int,
    kinds: Collection[JobKind] = tuple(JobKind),
    *,
    now: datetime | None = None,
) -> Job | None:
    """Take the next queued job of `kinds`, or None. One statement, so no two workers get the same."""
    now = now or utc_now()
    following = (
        select(Job.id)
        .where(Job.status == JobStatus.QUEUED, Job.kind.in_(kinds))
        .order_by(Job.priority.desc(), Job.id)
        .limit(1)
        .scalar_subquery()
    )
    claim = (
        update(Job)
        .where(Job.id == following, Job.status == JobStatus.QUEUED)
        .values(
            status=JobStatus.RUNNING,
            attempt=Job.attempt + 1,
            process_id=process_id,
            started_at=now,
            finished_at=None,
            heartbeat_at=now,
            error="",
            phase="starting",
        )
        .returning(Job)
        .execution_options(synchronize_session=False, populate_existing=True)
    )
    job = session.scalar(claim)
    if job is not None:
        session.add(Attempt(job_id=job.id, number=job.attempt, process_id=process_id, started_at=now))
    return job


def note_child(session: Session, job_id: int, attempt: int, *, pid: int, started: float) -> None:
    """Remember which process carries the attempt out."""
    row = _get_attempt(session, job_id, attempt)
    row.child_pid, row.child_started = pid, started


def beat(session: Session, job_id: int, attempt: int, *, now: datetime | None = None) -> None:
    _owned(session, job_id, attempt).heartbeat_at = now or utc_now()


def cancel_requested(session: Session, job_id: int, attempt: int) -> bool:
    return _owned(session, job_id, attempt).cancel_requested_at is not None


def require_owned(session: Session, job_id: int, attempt: int) -> None:
    """Raise FencedError when the attempt does not, or no longer, own the job. Loads nothing but that."""
    owned = select(Job.id).where(Job.id == job_id, Job.attempt == attempt, Job.status == JobStatus.RUNNING)
    if session.scalar(owned) is None:
        raise FencedError(f"Attempt {attempt} no longer owns job {job_id}.")


def record_progress(session: Session, job_id: int, attempt: int, progress: Progress) -> None:
    job = _owned(session, job_id, attempt)
    job.phase, job.step, job.total_steps = progress.phase, progress.step, progress.total_steps


def record_metrics(session: Session, job_id: int, attempt: int, step: int, values: dict[str, float]) -> None:
    _owned(session, job_id, attempt)
    session.add_all(
        Metric(job_id=job_id, attempt=attempt, step=step, name=name, value=value)
        for name, value in values.items()
    )


def close(
    session: Session,
    job_id: int,
    attempt: int,
    status: JobStatus,
    *,
    error: str = "",
    result: dict | None = None,
    exit_code: int | None = None,
) -> Job:
    """End an attempt with its outcome."""
    job = _owned(session, job_id, attempt)
    job.status, job.error, job.finished_at = status, error, utc_now()
    if result is not None:
        job.result = result
    row = _get_attempt(session, job_id, attempt)
    row.ended_at, row.exit_code = utc_now(), exit_code
    return job


def record_result(session: Session, job_id: int, attempt: int, **result) -> None:
    """Add to the job's result while it runs."""
    job = _owned(session, job_id, attempt)
    job.result = {**job.result, **result}


def sweep(session: Session, *, now: datetime | None = None) -> list[Job]:
    """Mark running jobs whose worker and child are both gone as interrupted; returns them."""
    now = now or utc_now()
    running = session.scalars(select(Job).where(Job.status == JobStatus.RUNNING)).all()
    lost = [job for job in running if _is_lost(session, job, now)]
    for job in lost:
        cancelled = job.cancel_requested_at is not None
        error = (
            ""
            if cancelled
            else "The machine or its worker stopped; resume to go on from the last checkpoint."
        )
        status = JobStatus.CANCELLED if cancelled else JobStatus.INTERRUPTED
        close(session, job.id, job.attempt, status, error=error)
    return lost


def running_children(session: Session, *, boot: str) -> list[tuple[Job, Attempt]]:
    """The running jobs of this boot of this machine whose child process is known."""
    query = (
        select(Job, Attempt)
        .join(Attempt, (Attempt.job_id == Job.id) & (Attempt.number == Job.attempt))
        .join(Process, Process.id == Attempt.process_id)
        .where(Job.status == JobStatus.RUNNING, Process.boot == boot, Attempt.child_pid.is_not(None))
    )
    return [tuple(row) for row in session.execute(query)]


def _is_lost(session: Session, job: Job, now: datetime) -> bool:
    worker = session.get(Process, job.process_id)
    attempt = _get_attempt(session, job.id, job.attempt)
    if worker is not None and processes.is_alive(worker, now=now):
        return False
    if worker is not None and worker.boot == processes.boot_id() and attempt.child_pid:
        return not processes.is_running(attempt.child_pid, attempt.child_started)
    return now - job.heartbeat_at > LEASE


def _owned(session: Session, job_id: int, attempt: int) -> Job:
    job = get_job(session, job_id)
    if job.attempt != attempt or job.status is not JobStatus.RUNNING:
        raise FencedError(
            f"Attempt {attempt} no longer owns job {job_id} (attempt {job.attempt}, {job.status})."
        )
    return job


def _get_attempt(session: Session, job_id: int, number: int) -> Attempt:
    return session.scalars(select(Attempt).where(Attempt.job_id == job_id, Attempt.number == number)).one()
