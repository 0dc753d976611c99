"""What waits for a review and who may decide on it, as conditions on rows of instructions.

A submission is one hand-in of one version: it begins at `submitted_at`. The decisions on it that count as
independent are those of its reviewers, not an adjudicator's.
"""

from datetime import datetime

from sqlalchemy import ColumnElement, and_, distinct, func, not_, or_, select
from sqlalchemy.orm import Session

from db.enums import InstructionStatus
from db.policy import Actor
from db.tables import Instruction, Lease, Review, Revision
from db.tables.base import utc_now


def waiting(project_id: int) -> list[ColumnElement[bool]]:
    """What is in review, disagreements among it."""
    return [
        Instruction.project_id == project_id,
        Instruction.status == InstructionStatus.IN_REVIEW,
        Instruction.deleted_at.is_(None),
    ]


def written_by(actor: Actor) -> ColumnElement[bool]:
    """Begun by the actor, or revised by them since the last approval."""
    revised = (
        select(Revision.id)
        .where(
            Revision.instruction_id == Instruction.id,
            Revision.author_id == actor.id,
            Revision.number > func.coalesce(Instruction.approved_version, 0),
        )
        .correlate(Instruction)
        .exists()
    )
    return or_(Instruction.author_id == actor.id, revised)


def wrote(session: Session, actor: Actor, instruction: Instruction) -> bool:
    """`written_by` of one record."""
    session.flush()
    return (
        session.scalar(select(Instruction.id).where(Instruction.id == instruction.id, written_by(actor)))
        is not None
    )


def on_submission() -> ColumnElement[bool]:
    """A review that is an independent decision on its record's submission, not one on an earlier hand-in."""
    return and_(
        Review.instruction_id == Instruction.id,
        Review.version == Instruction.version,
        Review.created_at >= Instruction.submitted_at,
        Review.is_adjudication.is_(False),
    )


def decided_by(actor: Actor) -> ColumnElement[bool]:
    """The actor has decided on this submission already."""
    return (
        select(Review.id)
        .where(on_submission(), Review.reviewer_id == actor.id)
        .correlate(Instruction)
        .exists()
    )


def decisions() -> ColumnElement[int]:
    """How many independent decisions a submission has. Equal ones settle it; so a full count is a dispute."""
    return (
        select(func.count())
        .select_from(Review)
        .where(on_submission())
        .correlate(Instruction)
        .scalar_subquery()
    )


def disputed(project_id: int) -> list[ColumnElement[bool]]:
    """The submissions whose reviewers disagree: they have all their decisions, and still wait."""
    return [*waiting(project_id), Instruction.overlap > 1, decisions() >= Instruction.overlap]


def hands_on(actor: Actor, now: datetime | None = None) -> ColumnElement[int]:
    """How many others hold a lease on the record now."""
    return (
        select(func.count(distinct(Lease.user_id)))
        .where(
            Lease.instruction_id == Instruction.id,
            Lease.user_id != actor.id,
            Lease.expires_at > (now or utc_now()),
        )
        .correlate(Instruction)
        .scalar_subquery()
    )


def open_to(actor: Actor, project_id: int, *, is_solo: bool) -> list[ColumnElement[bool]]:
    """What the actor may decide on: others' work that still needs a decision, and none of theirs yet.

    In a solo project one person does it all, so there one's own work counts too.
    """
    if is_solo:
        return [*waiting(project_id), or_(Instruction.overlap == 1, decisions() < Instruction.overlap)]
    return [*waiting(project_id), not_(written_by(actor)), _undecided(actor)]


def free_for(actor: Actor, *, is_solo: bool, now: datetime | None = None) -> ColumnElement[bool]:
    """Fewer people are at it, or done with it, than the submission needs."""
    if is_solo:
        return hands_on(actor, now) == 0
    return or_(
        and_(Instruction.overlap == 1, hands_on(actor, now) == 0),
        and_(Instruction.overlap > 1, hands_on(actor, now) + decisions() < Instruction.overlap),
    )


def _undecided(actor: Actor) -> ColumnElement[bool]:
    """Still short of a decision, and of the actor's. A single review leaves no such trace: it settles."""
    return or_(
        Instruction.overlap == 1,
        and_(decisions() < Instruction.overlap, not_(decided_by(actor))),
    )


def sealed_reviews(session: Session, instruction: Instruction) -> list[Review]:
    """The decisions that nobody else may see yet: another reviewer is still to decide, blind."""
    if instruction.status is not InstructionStatus.IN_REVIEW or instruction.overlap == 1:
        return []
    session.flush()
    given = list(
        session.scalars(
            select(Review).join(Instruction, on_submission()).where(Instruction.id == instruction.id)
        )
    )
    return given if len(given) < instruction.overlap else []
