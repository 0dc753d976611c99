"""Handing texts to the reviewers: what the gate looks for first, and then the submission itself."""

from collections.abc import Callable, Sequence

from sqlalchemy import and_, select
from sqlalchemy.orm import Session

from db import duplicates, instructions, privacy
from db.content import Content
from db.policy import Actor
from db.projects import get_project
from db.session import parts
from db.tables import DuplicateWaiver, Instruction


def hand_in(session: Session, actor: Actor, instruction_id: int, *, version: int) -> Instruction:
    """Submit a draft, unless it is a near copy of a stored text that nobody waived.

    What looks like patient data is flagged for the reviewers, who cannot approve it while a flag is open.
    Raises ValueError naming the near text or the missing field, StaleVersionError, PolicyError.
    """
    duplicates.require_no_copy(session, actor, instructions.get_instruction(session, instruction_id))
    submitted = instructions.submit_for_review(session, actor, instruction_id, version=version)
    privacy.flag(session, submitted)
    return submitted


def find_copies(
    session: Session,
    project_id: int,
    ids: Sequence[int],
    report: Callable[[int], object] = lambda done: None,
) -> dict[int, int]:
    """Those of a project's records that `hand_in` would refuse as near copies: id -> id of the near one.

    Of two drafts that are near to each other both are refused, for a person has to say which one to keep.
    Ask in a `read()` scope ahead of the write: thousands take seconds. `report` is told how many are done.
    """
    project = get_project(session, project_id)  # held, or the gate would read it again for each record
    found: dict[int, int] = {}
    done = 0
    for part in parts(ids):
        waived = _waived(session, part)
        texts = select(Instruction.id, Instruction.instruction, Instruction.input)
        for id, instruction, input in session.execute(texts.where(Instruction.id.in_(part))).all():
            hidden = {id, *waived.get(id, ())}
            near = duplicates.find_copy(session, project.id, Content(instruction, input), except_ids=hidden)
            if near:
                found[id] = near.id
            done += 1
            report(done)
    return found


def _waived(session: Session, ids: Sequence[int]) -> dict[int, set[int]]:
    """The records that each may stand beside, by waivers of its present version."""
    present = and_(
        DuplicateWaiver.instruction_id == Instruction.id, DuplicateWaiver.version == Instruction.version
    )
    query = select(DuplicateWaiver.instruction_id, DuplicateWaiver.near_id).join(Instruction, present)
    waived: dict[int, set[int]] = {}
    for id, near_id in session.execute(query.where(DuplicateWaiver.instruction_id.in_(ids))):
        waived.setdefault(id, set()).add(near_id)
    return waived
