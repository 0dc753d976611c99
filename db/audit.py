"""Audit lines: written in the same transaction as what they tell of. Ids and settings, never text."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Table, and_, insert, or_, select
from sqlalchemy.orm import Session

from db.policy import Actor
from db.tables import AuditLine, Base, Dataset, DatasetVersion


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


def list_lines(session: Session, *, before_id: int | None = None, limit: int = 50) -> list[AuditLine]:
    """Every line of the studio, the newest first, from just below `before_id`."""
    query = select(AuditLine).order_by(AuditLine.id.desc()).limit(limit)
    if before_id is not None:
        query = query.where(AuditLine.id < before_id)
    return list(session.scalars(query))


def list_activity(
    session: Session, project_id: int, *, studio_wide: bool = False, limit: int = 12
) -> list[AuditLine]:
    """The newest lines about a project and what it holds.

    Log-ins, people's own filters and a rater's steps between votes are passed over. With `studio_wide`, also
    about what belongs to no project, such as people and base models.
    """
    owned = _tables_of_projects()
    about = [
        and_(AuditLine.subject == "projects", AuditLine.subject_id == project_id),
        and_(AuditLine.subject == "dataset_versions", _version_is_of(project_id)),
        *(and_(AuditLine.subject == table.name, _row_is_of(table, project_id)) for table in owned),
    ]
    if studio_wide:
        inside = ["projects", "dataset_versions", *(table.name for table in owned)]
        about.append(AuditLine.subject.not_in(inside))
    query = select(AuditLine).where(or_(*about), AuditLine.action.not_in(_PASSED_OVER))
    return list(session.scalars(query.order_by(AuditLine.id.desc()).limit(limit)))


_PASSED_OVER = (
    "logged_in", "saved_filter", "changed_filter", "deleted_filter", "opened", "skipped", "undid", "revealed",
)  # fmt: skip


def _tables_of_projects() -> list[Table]:
    """Those whose rows name their project."""
    return [table for table in Base.metadata.sorted_tables if "project_id" in table.c and "id" in table.c]


def _row_is_of(table: Table, project_id: int) -> ColumnElement[bool]:
    return (
        select(table.c.id)
        .where(table.c.id == AuditLine.subject_id, table.c.project_id == project_id)
        .exists()
    )


def _version_is_of(project_id: int) -> ColumnElement[bool]:
    """A version belongs to its dataset's project."""
    of_line = (DatasetVersion.id == AuditLine.subject_id, Dataset.project_id == project_id)
    return (
        select(DatasetVersion.id)
        .join(Dataset, Dataset.id == DatasetVersion.dataset_id)
        .where(*of_line)
        .exists()
    )
