"""Submissions whose blind reviewers decided differently, and the third person who settles them."""

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from db.enums import Decision, Reason
from db.instructions import get_instruction
from db.policy import Actor, PolicyError, Right, require
from db.projects import get_project
from db.reviews import Finding, add_review, require_decidable, settle
from db.search import PAGE_ROWS
from db.submissions import disputed, on_submission, written_by
from db.tables import Instruction, Review, User


@dataclass(frozen=True)
class Disagreement:
    """A submission and the decisions that differ, in the order they were made."""

    instruction: Instruction
    reviews: tuple[Review, ...]
    may_settle: bool  # by the actor who asked


def list_disagreements(
    session: Session, actor: Actor, project_id: int, *, after_id: int = 0, limit: int = PAGE_ROWS
) -> list[Disagreement]:
    """What waits for an adjudicator, by number, from behind `after_id`."""
    require(actor, Right.ADJUDICATE)
    is_solo = get_project(session, project_id).is_solo
    rows = session.execute(
        select(Instruction, written_by(actor))
        .where(*disputed(project_id), Instruction.id > after_id)
        .order_by(Instruction.id)
        .limit(limit)
    ).all()
    return [_disagreement(session, actor, row, bool(is_own), is_solo) for row, is_own in rows]


def count_disagreements(session: Session, project_id: int) -> int:
    """How many submissions wait for an adjudicator."""
    return session.scalar(select(func.count()).select_from(Instruction).where(*disputed(project_id))) or 0


def adjudicate(
    session: Session,
    actor: Actor,
    instruction_id: int,
    decision: Decision,
    *,
    version: int,
    comment: str = "",
    reasons: Collection[Reason] = (),
    checklist: Collection[str] = (),
) -> Review:
    """Settle a disagreement: the record goes where this decision says.

    Raises PolicyError for one of its reviewers or authors (but in a solo project), ValueError when the record
    is no disagreement, has a newer version, a refusal gives no reason, or it may hold patient data.
    """
    require(actor, Right.ADJUDICATE)
    finding = Finding(decision, comment, tuple(reasons), tuple(checklist))
    instruction = get_instruction(session, instruction_id)
    require_decidable(session, actor, instruction, finding, version)
    given = _decisions(session, instruction.id)
    if not given:
        raise ValueError("instruction: its reviewers do not disagree; there is nothing to settle.")
    is_solo = get_project(session, instruction.project_id).is_solo
    if not is_solo and any(review.reviewer_id == actor.id for review in given):
        names = " and ".join(session.get_one(User, review.reviewer_id).full_name for review in given)
        raise PolicyError(f"You may not settle this: {names} disagree, so a third person decides.")
    review = add_review(session, actor, instruction, finding, is_adjudication=True)
    settle(session, actor, instruction, review)
    return review


def _disagreement(
    session: Session, actor: Actor, instruction: Instruction, is_own: bool, is_solo: bool
) -> Disagreement:
    given = _decisions(session, instruction.id)
    is_third = not is_own and all(review.reviewer_id != actor.id for review in given)
    return Disagreement(instruction, tuple(given), is_solo or is_third)


def _decisions(session: Session, instruction_id: int) -> list[Review]:
    """The decisions on a disputed submission; none when it is not disputed."""
    instruction = session.get_one(Instruction, instruction_id)
    query = (
        select(Review)
        .join(Instruction, on_submission())
        .where(Instruction.id == instruction_id, *disputed(instruction.project_id))
        .order_by(Review.id)
    )
    return list(session.scalars(query))
