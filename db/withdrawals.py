"""Taking back: a submission by who wrote it, an approved text by a reviewer, who may also bring it back."""

from collections.abc import Collection

from sqlalchemy.orm import Session

from db import audit, lifecycle
from db.enums import Reason
from db.instructions import get_instruction, require_writer
from db.lifecycle import Move
from db.policy import Actor, Right, require
from db.remarks import add_remark
from db.tables import Instruction


def withdraw_submission(session: Session, actor: Actor, instruction_id: int, *, version: int) -> Instruction:
    """Back to draft before the review is settled. Raises ValueError when it is not in review."""
    instruction = get_instruction(session, instruction_id)
    require_writer(actor, instruction)
    _require_version(instruction, version)
    lifecycle.move(instruction, Move.WITHDRAW)
    audit.record(session, actor, "withdrew", instruction, version=version)
    return instruction


def retire(
    session: Session,
    actor: Actor,
    instruction_id: int,
    *,
    version: int,
    reasons: Collection[Reason] = (),
    comment: str = "",
) -> Instruction:
    """Take an approved text out of force: no later dataset version holds it. Frozen ones keep it.

    A reviewer may, with a code or words; the words become a remark on the record. A text that is being
    rewritten can be retired too: what is unsafe need not wait for its better version.
    """
    require(actor, Right.REVIEW)
    instruction = get_instruction(session, instruction_id)
    codes = [Reason(reason).value for reason in reasons]
    if not codes and not comment.strip():
        raise ValueError("comment: say why it is retired, for those who find it later.")
    _require_version(instruction, version)
    lifecycle.move(instruction, Move.RETIRE)
    if comment.strip():
        add_remark(session, actor, instruction.id, comment)
    audit.record(session, actor, "retired", instruction, version=version, reasons=codes)
    return instruction


def reinstate(session: Session, actor: Actor, instruction_id: int, *, version: int) -> Instruction:
    """Put a retired text in force again, without a new review: it had one, and nobody changed it since.

    Where someone was rewriting it, it goes back to being a draft on top of the text in force.
    """
    require(actor, Right.REVIEW)
    instruction = get_instruction(session, instruction_id)
    _require_version(instruction, version)
    is_whole = instruction.approved_version == instruction.version
    lifecycle.move(instruction, Move.REINSTATE if is_whole else Move.RESUME)
    audit.record(session, actor, "reinstated", instruction, version=version)
    return instruction


def _require_version(instruction: Instruction, version: int) -> None:
    if instruction.version != version:
        raise ValueError(
            f"instruction: version {instruction.version} was saved meanwhile; read it before you go on."
        )
