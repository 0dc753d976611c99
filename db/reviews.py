"""Reviews: one decision on one revision, by someone who did not write it."""

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from db import audit
from db.enums import Decision, InstructionStatus
from db.instructions import get_instruction
from db.policy import Actor, PolicyError, Right, require
from db.projects import get_project
from db.tables import Comment, Instruction, Review, Revision

_OUTCOME = {
    Decision.APPROVE: InstructionStatus.APPROVED,
    Decision.REQUEST_CHANGES: InstructionStatus.CHANGES_REQUESTED,
    Decision.REJECT: InstructionStatus.REJECTED,
}


def review_instruction(
    session: Session,
    actor: Actor,
    instruction_id: int,
    decision: Decision,
    *,
    version: int,
    comment: str = "",
) -> Review:
    """Decide on what is in review. Approval puts that revision in force.

    Raises PolicyError for one's own work (but in a solo project, where the review says so), ValueError when
    the record is not in review, has a newer version, or a refusal gives no reason.
    """
    require(actor, Right.REVIEW)
    instruction = get_instruction(session, instruction_id)
    if instruction.status is not InstructionStatus.IN_REVIEW:
        raise ValueError(
            f"status: it is {instruction.status.replace('_', ' ')}; nothing waits for a review here."
        )
    if instruction.version != version:
        raise ValueError("instruction: a newer version was submitted; read it before you decide.")
    if decision is not Decision.APPROVE and not comment.strip():
        raise ValueError("comment: say what should change, so that the author can act on it.")
    is_own = wrote(session, actor, instruction)
    if is_own and not get_project(session, instruction.project_id).is_solo:
        raise PolicyError(
            "You may not review your own instruction: another reviewer must, unless the project is solo."
        )
    review = Review(
        instruction_id=instruction.id,
        version=version,
        reviewer_id=actor.id,
        decision=decision,
        comment=comment.strip(),
        is_solo=is_own,
    )
    session.add(review)
    instruction.status = _OUTCOME[decision]
    if decision is Decision.APPROVE:
        instruction.approved_version = version
    audit.record(session, actor, decision.value, instruction, version=version, solo=is_own)
    session.expire(instruction, ["reviews"])
    return review


def wrote(session: Session, actor: Actor, instruction: Instruction) -> bool:
    """True when the actor began the record or wrote any revision since its last approval."""
    since = instruction.approved_version or 0
    query = select(func.count()).where(
        Revision.instruction_id == instruction.id, Revision.number > since, Revision.author_id == actor.id
    )
    return instruction.author_id == actor.id or bool(session.scalar(query))


def count_waiting(session: Session, actor: Actor, project_id: int) -> int:
    """How many submissions of others wait for a review."""
    query = select(func.count()).where(
        Instruction.project_id == project_id,
        Instruction.status == InstructionStatus.IN_REVIEW,
        Instruction.deleted_at.is_(None),
        Instruction.author_id != actor.id,
    )
    return session.scalar(query) or 0


def add_comment(session: Session, actor: Actor, instruction_id: int, body: str) -> Comment:
    """A remark on the head revision, open to all who may read it."""
    require(actor, Right.READ)
    if not body.strip():
        raise ValueError("comment: write something first.")
    instruction = get_instruction(session, instruction_id)
    comment = Comment(
        instruction_id=instruction.id, version=instruction.version, author_id=actor.id, body=body.strip()
    )
    session.add(comment)
    audit.record(session, actor, "commented", instruction)
    return comment
