"""Reviews: one decision on one revision, by someone who did not write it."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, func, insert, not_, or_, select, tuple_, update
from sqlalchemy.orm import Session

from db import audit
from db.enums import Decision, InstructionStatus, Origin
from db.imports import import_rows
from db.instructions import PAGE_ROWS, get_instruction
from db.policy import Actor, PolicyError, Right, require
from db.projects import get_project
from db.tables import Comment, Instruction, Review, Revision, User

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
    """How many submissions that others wrote wait for a review."""
    query = select(func.count()).select_from(Instruction).where(*waiting(project_id), not_(written_by(actor)))
    return session.scalar(query) or 0


def count_own_waiting(session: Session, actor: Actor, project_id: int) -> int:
    """How many submissions that the actor wrote wait for someone else."""
    query = select(func.count()).select_from(Instruction).where(*waiting(project_id), written_by(actor))
    return session.scalar(query) or 0


def waiting(project_id: int) -> list[ColumnElement[bool]]:
    """The conditions of what is in review."""
    return [
        Instruction.project_id == project_id,
        Instruction.status == InstructionStatus.IN_REVIEW,
        Instruction.deleted_at.is_(None),
    ]


def written_by(actor: Actor) -> ColumnElement[bool]:
    """`wrote` as a condition: begun by the actor, or revised by them since the last approval."""
    revised = (
        select(Revision.id)
        .where(
            Revision.instruction_id == Instruction.id,
            Revision.author_id == actor.id,
            Revision.number > func.coalesce(Instruction.approved_version, 0),
        )
        .exists()
    )
    return or_(Instruction.author_id == actor.id, revised)


@dataclass(frozen=True)
class Queue:
    """A page of submissions, oldest first, and the place to ask for the next page from (None at the end)."""

    rows: list[Instruction]
    next_after: tuple[datetime, int] | None


def list_queue(
    session: Session,
    actor: Actor,
    project_id: int,
    *,
    own: bool = False,
    after: tuple[datetime, int] | None = None,
    limit: int = PAGE_ROWS,
) -> Queue:
    """What waits for a review: the submissions of others, or with `own` the actor's. Oldest first."""
    is_own = written_by(actor)
    query = (
        select(Instruction)
        .where(*waiting(project_id), is_own if own else not_(is_own))
        .order_by(Instruction.submitted_at, Instruction.id)
        .limit(limit + 1)
    )
    if after is not None:
        query = query.where(tuple_(Instruction.submitted_at, Instruction.id) > tuple_(*after))
    rows = list(session.scalars(query))
    last = rows[limit - 1] if len(rows) > limit else None
    return Queue(rows[:limit], (last.submitted_at, last.id) if last else None)


# Many at once ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class WaitingImport:
    """Rows of one import that the actor may decide on."""

    author_id: int
    author_name: str
    at: datetime
    rows: int
    first_id: int


def list_imports(session: Session, actor: Actor, project_id: int) -> list[WaitingImport]:
    """The imports with rows in review that the actor may approve, oldest first."""
    query = (
        select(Instruction.author_id, Instruction.created_at, func.count(), func.min(Instruction.id))
        .where(*_decidable(session, actor, project_id), Instruction.origin == Origin.IMPORTED)
        .group_by(Instruction.author_id, Instruction.created_at)
        .order_by(Instruction.created_at)
    )
    return [
        WaitingImport(author_id, session.get_one(User, author_id).full_name, at, rows, first_id)
        for author_id, at, rows, first_id in session.execute(query)
    ]


def sample_import(
    session: Session, actor: Actor, project_id: int, batch: WaitingImport, *, size: int
) -> list[Instruction]:
    """`size` rows of an import that wait, spread evenly from its first to its last."""
    conditions = _of_import(session, actor, project_id, batch.author_id, batch.at)
    ids = list(session.scalars(select(Instruction.id).where(*conditions).order_by(Instruction.id)))
    step = max(1, len(ids) / size)
    chosen = [ids[int(place * step)] for place in range(min(size, len(ids)))]
    return list(
        session.scalars(select(Instruction).where(Instruction.id.in_(chosen)).order_by(Instruction.id))
    )


def approve_import(
    session: Session, actor: Actor, project_id: int, author_id: int, at: datetime, *, count: int, comment: str
) -> int:
    """Approve every waiting row of one import: a review and an audit line each, with the same comment.

    `count` is the number the reviewer typed. Raises ValueError when it is not what waits or
    no comment is given.
    """
    require(actor, Right.REVIEW)
    if not comment.strip():
        raise ValueError("checked: say what you checked, such as how many rows you read.")
    conditions = _of_import(session, actor, project_id, author_id, at)
    there = session.scalar(select(func.count()).select_from(Instruction).where(*conditions)) or 0
    if there != count:
        raise ValueError(f"number: {there:,} rows of this import wait for you, not {count:,}; type {there}.")
    return _approve_all(session, actor, conditions, comment)


def approve_shown(
    session: Session, actor: Actor, project_id: int, shown: list[tuple[int, int]], *, comment: str = ""
) -> int:
    """Approve the (id, version) pairs a reviewer has read; how many. What moved on since is left as it is."""
    require(actor, Right.REVIEW)
    picked = tuple_(Instruction.id, Instruction.version).in_(shown)
    return _approve_all(session, actor, [*_decidable(session, actor, project_id), picked], comment)


def _decidable(session: Session, actor: Actor, project_id: int) -> list[ColumnElement[bool]]:
    """What is in review and the actor may decide on: others' work, and one's own in a solo project."""
    conditions = waiting(project_id)
    return conditions if get_project(session, project_id).is_solo else [*conditions, not_(written_by(actor))]


def _of_import(
    session: Session, actor: Actor, project_id: int, author_id: int, at: datetime
) -> list[ColumnElement[bool]]:
    return [*_decidable(session, actor, project_id), *import_rows(project_id, author_id, at)]


def _approve_all(session: Session, actor: Actor, conditions: list[ColumnElement[bool]], comment: str) -> int:
    """review_instruction's approval for a set of rows, in four statements whatever their number."""
    is_own = written_by(actor).label("is_own")
    found = session.execute(select(Instruction.id, Instruction.version, is_own).where(*conditions)).all()
    if not found:
        return 0
    shared = {"reviewer_id": actor.id, "decision": Decision.APPROVE, "comment": comment.strip()}
    session.execute(
        insert(Review),
        [{"instruction_id": r.id, "version": r.version, "is_solo": bool(r.is_own), **shared} for r in found],
    )
    session.execute(
        update(Instruction)
        .where(*conditions)
        .values(status=InstructionStatus.APPROVED, approved_version=Instruction.version)
        .execution_options(synchronize_session=False)
    )
    lines = [(row.id, {"version": row.version, "solo": bool(row.is_own)}) for row in found]
    audit.record_each(session, actor, Decision.APPROVE.value, Instruction, lines)
    session.expire_all()
    return len(found)


# Comments -------------------------------------------------------------------------------------------


def list_comments(session: Session, instruction_id: int) -> list[tuple[Comment, str]]:
    """The remarks on a record, oldest first, each with its author's name."""
    query = (
        select(Comment, User.full_name)
        .join(User, User.id == Comment.author_id)
        .where(Comment.instruction_id == instruction_id)
        .order_by(Comment.id)
    )
    return [tuple(row) for row in session.execute(query)]


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
