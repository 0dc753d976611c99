"""Guidelines that a person has typed and not yet saved as a version, one a project: like `db.typed_texts`.

They belong to who typed them: nobody else can ask for them, and keeping them writes no audit line.
"""

from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from db.guidelines import MAX_CHARACTERS, MAX_REASON, current_guideline, get_guideline
from db.policy import Actor, Right, require
from db.projects import get_project
from db.tables import TypedGuideline
from db.tables.base import utc_now

# Twice what a version may hold: a paste that is too long for saving is kept while its author shortens it.
MAX_TYPED = 2 * MAX_CHARACTERS


def keep(
    session: Session, actor: Actor, project_id: int, base_number: int, body: str, reason: str = ""
) -> datetime | None:
    """Keep the editor as it stands, in place of what was kept before; the time of it, in UTC.

    `base_number` is the version that the typing began from, 0 for the first. A text that says no more than
    the version in force, or the one it began from, is forgotten (None). Raises ValueError for one that is too
    long to keep, LookupError for an unknown version; what was kept before stays.
    """
    require(actor, Right.GUIDE)
    get_project(session, project_id)
    if base_number < 0:
        raise ValueError(f"base_number: {base_number} is no version; give 0 or more.")
    if len(body) > MAX_TYPED:
        raise ValueError(
            f"guideline: {len(body):,} characters are too many to keep as you type; shorten it to "
            f"{MAX_TYPED:,} at most. What was kept before is still there."
        )
    if _says_no_more(session, project_id, base_number, body):
        drop(session, actor, project_id)
        return None
    kept = session.scalar(select(TypedGuideline).where(*_whose(actor, project_id)))
    if kept is None:
        kept = TypedGuideline(user_id=actor.id, project_id=project_id)
        session.add(kept)
    kept.base_number, kept.body, kept.reason = base_number, body, reason[:MAX_REASON]
    kept.saved_at = utc_now()
    session.flush()
    return kept.saved_at


def find(session: Session, actor: Actor, project_id: int) -> TypedGuideline | None:
    """What the actor typed and has not saved; None where the version in force says the same by now."""
    require(actor, Right.READ)
    kept = session.scalar(select(TypedGuideline).where(*_whose(actor, project_id)))
    if kept is None or _says_no_more(session, project_id, kept.base_number, kept.body):
        return None
    return kept


def drop(session: Session, actor: Actor, project_id: int) -> None:
    """Forget it: it was saved as a version, or thrown away on purpose."""
    require(actor, Right.READ)
    session.execute(delete(TypedGuideline).where(*_whose(actor, project_id)))


def _says_no_more(session: Session, project_id: int, base_number: int, body: str) -> bool:
    """Nothing would be lost without it: it is the version in force, or the one it began from."""
    current = current_guideline(session, project_id)
    if not base_number or current is None or body.strip() == current.body:
        return body.strip() == (current.body if current else "")
    return body.strip() == get_guideline(session, project_id, base_number).body


def _whose(actor: Actor, project_id: int) -> tuple:
    return TypedGuideline.user_id == actor.id, TypedGuideline.project_id == project_id
