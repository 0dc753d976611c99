"""Handing one text to the reviewers: what the gate looks for first, and then the submission itself."""

from sqlalchemy.orm import Session

from db import duplicates, instructions, privacy
from db.policy import Actor
from db.tables import Instruction


def hand_in(session: Session, actor: Actor, instruction_id: int, *, version: int) -> Instruction:
    """Submit a draft, unless it is a near copy of a stored text that nobody waived.

    What looks like patient data is flagged for the reviewers, who cannot approve it while a flag is open.
    Raises ValueError naming the near text or the missing field, StaleVersionError, PolicyError.
    """
    duplicates.require_no_copy(session, actor, instructions.get_instruction(session, instruction_id))
    submitted = instructions.submit_for_review(session, actor, instruction_id, version=version)
    privacy.flag(session, submitted)
    return submitted
