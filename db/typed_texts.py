"""What people have typed and not yet saved: kept every few seconds, so that a closed tab loses nothing.

A kept text belongs to the person who typed it: nobody else can ask for it. There is one for each person and
record, and one for each person and project for what is no record yet (instruction id 0).

Keeping writes no audit line and logs nothing: it changes no record, it happens every few seconds, and
half-typed text may hold what its author takes out before saving. The revision that follows is what history
tells of.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from db.content import FIELDS
from db.policy import Actor, Right, require
from db.projects import get_project
from db.tables import Instruction, TypedText
from db.tables.base import utc_now

TYPED_FIELDS = (*FIELDS, "reason")
# Ten times what a record may hold: a paste that is too long for saving is kept while its author shortens it.
MAX_TYPED = 200_000  # characters a field


def keep(
    session: Session,
    actor: Actor,
    project_id: int,
    instruction_id: int,
    base_version: int,
    typed: dict[str, Any],
) -> datetime:
    """Keep the form's fields as they stand, in place of what was kept before; the time of it, in UTC.

    `base_version` is the version that the typing began from, 0 for a new record. Raises ValueError naming
    the field for a field or a size that cannot be kept; what was kept before stays.
    """
    require(actor, Right.WRITE)
    get_project(session, project_id)
    _require_place(session, project_id, instruction_id, base_version)
    for field, value in typed.items():
        _require_keepable(field, value)
    kept = find(session, actor, project_id, instruction_id)
    if kept is None:
        kept = TypedText(user_id=actor.id, project_id=project_id, instruction_id=instruction_id)
        session.add(kept)
    kept.base_version, kept.typed, kept.saved_at = base_version, dict(typed), utc_now()
    session.flush()
    return kept.saved_at


def find(session: Session, actor: Actor, project_id: int, instruction_id: int = 0) -> TypedText | None:
    """What the actor typed on that record and has not saved."""
    require(actor, Right.READ)
    return session.scalar(select(TypedText).where(*_whose(actor, project_id, instruction_id)))


def list_kept(session: Session, actor: Actor, project_id: int) -> list[TypedText]:
    """All that the actor has typed in the project and not saved, the latest first."""
    require(actor, Right.READ)
    query = select(TypedText).where(TypedText.user_id == actor.id, TypedText.project_id == project_id)
    return list(session.scalars(query.order_by(TypedText.saved_at.desc(), TypedText.id.desc())))


def drop(session: Session, actor: Actor, project_id: int, instruction_id: int = 0) -> None:
    """Forget what the actor typed there: it was saved as a revision, or thrown away on purpose."""
    require(actor, Right.READ)
    session.execute(delete(TypedText).where(*_whose(actor, project_id, instruction_id)))


def _whose(actor: Actor, project_id: int, instruction_id: int) -> tuple:
    return (
        TypedText.user_id == actor.id,
        TypedText.project_id == project_id,
        TypedText.instruction_id == instruction_id,
    )


def _require_place(session: Session, project_id: int, instruction_id: int, base_version: int) -> None:
    """A deleted record still takes what is typed: the deletion may be undone."""
    if base_version < 0:
        raise ValueError(f"base_version: {base_version} is no version; give 0 or more.")
    if instruction_id:
        instruction = session.get(Instruction, instruction_id)
        if instruction is None or instruction.project_id != project_id:
            raise LookupError(f"There is no instruction number {instruction_id} in this project.")


def _require_keepable(field: str, value: Any) -> None:
    if field not in TYPED_FIELDS:
        raise ValueError(
            f"{field}: not a field of the form; those that are kept are {', '.join(TYPED_FIELDS)}."
        )
    if value is not None and not isinstance(value, str | int):
        raise ValueError(f"{field}: must be text or a number, not {type(value).__name__}.")
    if isinstance(value, str) and len(value) > MAX_TYPED:
        raise ValueError(
            f"{field}: {len(value):,} characters are too many to keep as you type; shorten it to "
            f"{MAX_TYPED:,} at most. What was kept before is still there."
        )
