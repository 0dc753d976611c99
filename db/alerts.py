"""Alerts: what a person should look at in a run that goes on. One of a kind an attempt."""

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from db import jobs
from db.enums import AlertKind
from db.tables import Alert


def record(
    session: Session, job_id: int, attempt: int, step: int, kind: AlertKind, sentence: str
) -> Alert | None:
    """Keep the alert, or None when the attempt already has one of its kind. Raises FencedError."""
    jobs.require_owned(session, job_id, attempt)
    known = select(Alert.id).where(Alert.job_id == job_id, Alert.attempt == attempt, Alert.kind == kind)
    if session.scalar(known) is not None:
        return None
    alert = Alert(job_id=job_id, attempt=attempt, step=step, kind=kind, sentence=sentence)
    session.add(alert)
    return alert


def list_alerts(session: Session, job_id: int) -> list[Alert]:
    """The alerts of all attempts, the oldest first."""
    return list(session.scalars(select(Alert).where(Alert.job_id == job_id).order_by(Alert.id)))


def count(session: Session, job_id: int) -> int:
    return session.scalar(select(func.count()).where(Alert.job_id == job_id)) or 0
