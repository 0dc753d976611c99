"""The job queue and what jobs tell: claim, heartbeat, progress, metrics, cancel, finish.

A worker writes with the number of its attempt. Once another attempt has begun, an older one's writes are
refused (`FencedError`), so a worker that comes back from the dead cannot spoil a job that was resumed.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from db import audit, notices, specs
from db.enums import JobKind, JobStatus, StopMode
from db.policy import Actor, Right, require
from db.tables import Attempt, Job, Metric
from db.tables.base import utc_now

NOTE = 10_000  # characters
ORDER = (Job.priority.desc(), func.coalesce(Job.position, Job.id), Job.id)  # in which queued jobs are taken
_RIGHTS = {
    JobKind.GENERATE: Right.RUN_FACTORY,
    JobKind.CONVERT: Right.RUN_FACTORY,
    JobKind.EVALUATE: Right.EVALUATE,
    JobKind.TRAIN_ENCODER: Right.EVALUATE,
    JobKind.JUDGE: Right.EVALUATE,
    JobKind.STUDY: Right.EVALUATE,
    JobKind.COMPARE: Right.COMPARE,
}


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
    same = select(Job).where(Job.request_key == request_key)
    if request_key is not None and (known := session.scalar(same)) is not None:
        return known
    job = Job(
        project_id=project_id,
        kind=kind,
        name=name,
        spec=specs.to_json(spec),
        request_key=request_key,
        created_by_id=actor.id,
    )
    try:
        with session.begin_nested():
            session.add(job)
    except IntegrityError:  # where two may write at once, the other click came first
        if request_key is None or (known := session.scalar(same)) is None:
            raise
        return known
    audit.record(session, actor, "queued", job, kind=kind)
    return job


def request_cancel(session: Session, actor: Actor, job_id: int, mode: StopMode = StopMode.SAVE) -> Job:
    """Ask an open job to stop; one still queued, or about to go on by itself, is cancelled at once.

    Asked again, the later mode counts: who is tired of waiting for the save discards. Raises ValueError
    for a closed one.
    """
    job = get_job(session, job_id)
    require(actor, right_to(job.kind))
    if not (job.status.is_open or goes_on(job)):
        raise ValueError(f"job: it is already {job.status}; there is nothing to cancel.")
    job.cancel_requested_at = job.cancel_requested_at or utc_now()
    job.stop_mode = mode
    if job.status is not JobStatus.RUNNING:
        job.status, job.finished_at = JobStatus.CANCELLED, utc_now()
    audit.record(session, actor, "cancel_requested", job, mode=mode)
    return job


def requeue(session: Session, actor: Actor, job_id: int, *, more_to_do: bool = False) -> Job:
    """Put a job that stopped early back in the queue, behind those that wait; it resumes from its last valid
    checkpoint.

    A finished one goes back too, where there is `more_to_do` than when it finished.
    """
    job = get_job(session, job_id)
    require(actor, right_to(job.kind))
    if job.status.is_open or (job.status is JobStatus.FINISHED and not more_to_do):
        raise ValueError(f"job: it is {job.status}; only one that stopped early can be resumed.")
    job.position = _last_place(session)
    _back_in_line(job)
    job.resumed = 0
    audit.record(session, actor, "requeued", job)
    return job


def set_note(session: Session, actor: Actor, job_id: int, note: str) -> Job:
    """Keep people's own words about a job. Raises ValueError for more than NOTE characters."""
    job = get_job(session, job_id)
    require(actor, right_to(job.kind))
    note = note.strip()
    if len(note) > NOTE:
        raise ValueError(f"note: it has {len(note):,} characters; {NOTE:,} are the most.")
    job.note = note
    audit.record(session, actor, "noted", job)
    return job


def goes_on(job: Job) -> bool:
    """True for an interrupted job that a worker puts back in the queue by itself."""
    return job.status is JobStatus.INTERRUPTED and job.resumed < job.spec.get("resumes", 0)


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


def list_running(session: Session, kinds: Collection[JobKind] = tuple(JobKind)) -> list[Job]:
    """The jobs of all projects that a worker is at."""
    query = select(Job).where(Job.status == JobStatus.RUNNING, Job.kind.in_(kinds)).order_by(Job.id)
    return list(session.scalars(query))


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
    job_id: int | None = None,
    device: str = "",
) -> Job | None:
    """Take the next queued job of `kinds`, or the very one named, or None when it is gone.

    One statement, so no two workers get the same. `device` is what the attempt is to run on.
    """
    now = now or utc_now()
    if job_id is None:
        queued = select(Job.id).where(Job.status == JobStatus.QUEUED, Job.kind.in_(kinds))
        job_id = queued.order_by(*ORDER).limit(1).scalar_subquery()
    claim = (
        update(Job)
        .where(Job.id == job_id, Job.status == JobStatus.QUEUED)
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
        columns = {"process_id": process_id, "device": device, "started_at": now}
        session.add(Attempt(job_id=job.id, number=job.attempt, **columns))
    return job


def note_child(session: Session, job_id: int, attempt: int, *, pid: int, started: float) -> None:
    """Remember which process carries the attempt out; `started` is that of `processes.started_at`."""
    row = get_attempt(session, job_id, attempt)
    row.child_pid, row.child_started = pid, started


def note_external(session: Session, job_id: int, attempt: int, number: str) -> None:
    """Remember under which number a scheduler of the site (Slurm) carries the attempt out."""
    _owned(session, job_id, attempt)
    get_attempt(session, job_id, attempt).external_id = number


def beat(session: Session, job_id: int, attempt: int, *, now: datetime | None = None) -> None:
    _owned(session, job_id, attempt).heartbeat_at = now or utc_now()


def cancel_requested(session: Session, job_id: int, attempt: int) -> bool:
    return _owned(session, job_id, attempt).cancel_requested_at is not None


def stop_mode(session: Session, job_id: int, attempt: int) -> StopMode | None:
    """What is to become of what the attempt did, once someone asked to stop it; None while nobody has."""
    job = _owned(session, job_id, attempt)
    return None if job.cancel_requested_at is None else job.stop_mode or StopMode.SAVE


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
    row = get_attempt(session, job_id, attempt)
    row.ended_at, row.exit_code = utc_now(), exit_code
    if not goes_on(job):
        notices.put(session, job)
    return job


def record_result(session: Session, job_id: int, attempt: int, **result) -> None:
    """Add to the job's result while it runs."""
    job = _owned(session, job_id, attempt)
    job.result = {**job.result, **result}


def go_on(session: Session, job_id: int) -> Job | None:
    """Put an interrupted job back in the queue by itself; None when it is not to, or somebody was faster."""
    job = get_job(session, job_id)
    if not goes_on(job):
        return None
    _back_in_line(job)
    job.resumed += 1
    audit.record(session, None, "requeued", job, resumed=job.resumed)
    return job


def get_attempt(session: Session, job_id: int, number: int) -> Attempt:
    return session.scalars(select(Attempt).where(Attempt.job_id == job_id, Attempt.number == number)).one()


def _back_in_line(job: Job) -> None:
    job.status, job.error, job.finished_at = JobStatus.QUEUED, "", None
    job.cancel_requested_at = job.stop_mode = None


def _last_place(session: Session) -> float:
    """A position behind all that wait and before the next new job."""
    waiting = select(func.max(func.coalesce(Job.position, Job.id))).where(Job.status == JobStatus.QUEUED)
    newest = session.scalar(select(func.max(Job.id))) or 0
    return (max(session.scalar(waiting) or 0.0, newest) + newest + 1) / 2


def _owned(session: Session, job_id: int, attempt: int) -> Job:
    job = get_job(session, job_id)
    if job.attempt != attempt or job.status is not JobStatus.RUNNING:
        raise FencedError(
            f"Attempt {attempt} no longer owns job {job_id} (attempt {job.attempt}, {job.status})."
        )
    return job
