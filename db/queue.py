"""The order in which queued jobs are taken: by priority, then as people put them, then as they came.

A job's place among those of its priority is `position`, or its id where nobody moved it. Positions stay below
the id the next job will get, so a new job always comes last.
"""

from collections.abc import Collection

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from db import audit, jobs
from db.enums import JobKind, JobStatus
from db.policy import Actor, require
from db.tables import Job

PRIORITIES = range(-9, 10)  # higher goes first; 0 unless told
_CLOSEST = 1e-6  # two positions; closer ones are spread anew


def list_waiting(
    session: Session, project_id: int | None = None, kinds: Collection[JobKind] = tuple(JobKind)
) -> list[Job]:
    """The queued jobs in the order they are taken, of one project or of all."""
    query = select(Job).where(Job.status == JobStatus.QUEUED, Job.kind.in_(kinds)).order_by(*jobs.ORDER)
    if project_id is not None:
        query = query.where(Job.project_id == project_id)
    return list(session.scalars(query))


def move(session: Session, actor: Actor, job_id: int, *, before: int | None) -> Job:
    """Put a waiting job right before another one, or, with None, to the end. It takes on the priority there.

    Raises ValueError when either waits no longer, LookupError when there is no such job.
    """
    job = _waiting(session, actor, job_id)
    others = [other for other in list_waiting(session) if other.id != job.id]
    if before is None:
        at = len(others)
    else:
        at = others.index(_waiting(session, actor, before)) if before != job_id else None
    if at is not None and others:
        job.priority = (others[at] if at < len(others) else others[-1]).priority
        _put(session, job, [other for other in others if other.priority == job.priority], before)
    audit.record(session, actor, "moved", job, before=before)
    return job


def set_priority(session: Session, actor: Actor, job_id: int, priority: int) -> Job:
    """Let a waiting job go before, or after, all those of other priorities. Raises ValueError."""
    job = _waiting(session, actor, job_id)
    if isinstance(priority, bool) or priority not in PRIORITIES:
        low, high = PRIORITIES[0], PRIORITIES[-1]
        raise ValueError(f"priority: {priority} cannot be; give a whole number from {low} to {high}.")
    job.priority = int(priority)
    audit.record(session, actor, "prioritised", job, priority=job.priority)
    return job


def _waiting(session: Session, actor: Actor, job_id: int) -> Job:
    job = jobs.get_job(session, job_id)
    require(actor, jobs.right_to(job.kind))
    if job.status is not JobStatus.QUEUED:
        raise ValueError(f"queue: {job.name} is {job.status} and waits no longer; nothing was moved.")
    return job


def _put(session: Session, job: Job, others: list[Job], before: int | None) -> None:
    """Set the position between that of `before` and the one ahead of it; spread all where that is narrow."""
    end = (session.scalar(select(func.max(Job.id))) or 0) + 1.0
    at = next((at for at, other in enumerate(others) if other.id == before), len(others))
    low = _place(others[at - 1]) if at else 0.0
    high = _place(others[at]) if at < len(others) else end
    if high - low < _CLOSEST:
        ordered = [*others[:at], job, *others[at:]]
        for number, other in enumerate(ordered, start=1):
            other.position = number * end / (len(ordered) + 1)
    else:
        job.position = (low + high) / 2


def _place(job: Job) -> float:
    return job.id if job.position is None else job.position
