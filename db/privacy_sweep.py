"""Check every record of a project again for what looks like patient data, while others go on working.

For records older than the check, and after another local model for names was configured.
"""

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from db import audit, privacy
from db.policy import Actor, Right, require
from db.projects import get_project
from db.session import read, write
from db.tables import Instruction, Revision

RECORDS = 50  # looked at between two reports: well under a second's work


@dataclass(frozen=True)
class Swept:
    """What a sweep found."""

    records: int
    flags: int  # that were not there before


def list_records(session: Session, project_id: int) -> list[int]:
    """The ids of what a sweep looks at: every record that is not deleted."""
    query = select(Instruction.id).where(
        Instruction.project_id == project_id, Instruction.deleted_at.is_(None)
    )
    return list(session.scalars(query.order_by(Instruction.id)))


def sweep(actor: Actor, project_id: int, report: Callable[[int], None] = lambda done: None) -> Swept:
    """Check every head and every text in force; `report` is told how many records are done.

    It opens scopes of its own: the finding, which takes long, is done between them, so that nobody waits for
    the write lock. Stopped half way it has lost nothing, and doing it twice adds nothing.
    Raises PolicyError, and ValueError when STUDIO_NER_DIR names no folder with a spaCy pipeline.
    """
    require(actor, Right.MANAGE_PROJECT)
    with read() as session:
        ids = list_records(session, project_id)
    added = 0
    for start in range(0, len(ids), RECORDS):
        some = ids[start : start + RECORDS]
        added += _check(project_id, some)
        report(start + len(some))
    with write() as session:
        project = get_project(session, project_id)
        audit.record(session, actor, "checked_privacy_again", project, records=len(ids), flags=added)
    return Swept(len(ids), added)


def _check(project_id: int, ids: list[int]) -> int:
    """How many flags were added. A revision never changes: what was found still holds when it is stored."""
    query = privacy.standing_texts(project_id).where(Revision.instruction_id.in_(ids))
    with read() as session:
        texts = list(session.scalars(query))
    found = [privacy.find_flags(text) for text in texts]
    if not any(found):
        return 0
    with write() as session:
        return privacy.flag_many(session, texts, found)
