"""Audit lines: written in the same transaction as what they tell of. Ids and settings, never text."""

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from db.policy import Actor
from db.tables import AuditLine, Base


def record(session: Session, actor: Actor | None, action: str, subject: Base, **detail) -> None:
    """Note that `actor` did `action` to `subject`, a row that already has, or will get, an id."""
    session.flush()
    session.add(
        AuditLine(
            actor_id=actor.id if actor else None,
            action=action,
            subject=subject.__tablename__,
            subject_id=getattr(subject, "id", None),
            detail=detail,
        )
    )


def record_each(
    session: Session,
    actor: Actor,
    action: str,
    kind: type[Base],
    subjects: Sequence[tuple[int, dict[str, Any]]],
) -> None:
    """One line for each (id, detail) of a table's rows, in one statement: for work on thousands at once."""
    lines = [
        {
            "actor_id": actor.id,
            "action": action,
            "subject": kind.__tablename__,
            "subject_id": id,
            "detail": detail,
        }
        for id, detail in subjects
    ]
    if lines:
        session.execute(insert(AuditLine), lines)


def list_lines(
    session: Session,
    *,
    before_id: int | None = None,
    about: Collection[str] | None = None,
    limit: int = 50,
) -> list[AuditLine]:
    """The newest lines first, from just below `before_id`; `about` keeps those on rows of these tables."""
    query = select(AuditLine).order_by(AuditLine.id.desc()).limit(limit)
    if before_id is not None:
        query = query.where(AuditLine.id < before_id)
    if about is not None:
        query = query.where(AuditLine.subject.in_(about))
    return list(session.scalars(query))
