"""Reviews: one decision on one revision, by someone who did not write it; the queue; many at once.

A submission drawn for double review needs two decisions, each made without seeing the other. Equal ones
settle it; different ones leave it in review, for an adjudicator (`db.disagreements`).
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, func, insert, not_, select, tuple_
from sqlalchemy.orm import Session

from db import audit, leases, lifecycle, privacy
from db.checklists import ticked
from db.enums import Decision, Origin, Reason
from db.guidelines import current_guideline
from db.imports import import_rows
from db.instructions import get_instruction
from db.lifecycle import Move
from db.policy import Actor, PolicyError, Right, require
from db.projects import get_project
from db.search import PAGE_ROWS
from db.session import parts
from db.submissions import (
    free_for,
    on_submission,
    open_to,
    sealed_reviews,
    waiting,
    written_by,
    wrote,
)
from db.tables import Instruction, Review, User

MAX_CHARACTERS = 10_000


@dataclass(frozen=True)
class Finding:
    """What a reviewer says: the decision, why, and which points of the checklist they ticked.

    A refusal says why: by a code, by words, or both. A code is enough where it speaks for itself, such as
    *duplicate*; *other* alone would tell the author nothing, so it needs words.
    """

    decision: Decision
    comment: str = ""
    reasons: tuple[Reason, ...] = ()
    checklist: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "decision", Decision(self.decision))
        object.__setattr__(self, "comment", self.comment.strip())
        unknown = sorted(set(self.reasons) - set(Reason))
        if unknown:
            raise ValueError(f"reasons: {unknown[0]} is not one of {', '.join(Reason)}.")
        object.__setattr__(self, "reasons", tuple(r for r in Reason if r in self.reasons))
        if len(self.comment) > MAX_CHARACTERS:
            raise ValueError(
                f"comment: {len(self.comment):,} characters; shorten it to {MAX_CHARACTERS:,} at most."
            )
        if self.decision is Decision.APPROVE and self.reasons:
            raise ValueError("reasons: they say why not; untick them, or request changes.")
        if self.decision is not Decision.APPROVE and not self.comment and set(self.reasons) <= {Reason.OTHER}:
            raise ValueError("comment: say what should change, so that the author can act on it.")


def review_instruction(
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
    """Decide on what is in review. Approval puts that revision in force.

    Of a submission that two people review, the first decision changes nothing yet and is shown to nobody
    else. Raises PolicyError for one's own work (but in a solo project, where the review says so), ValueError
    when the record is not in review, has a newer version, is in someone else's hands, was decided on by the
    actor or is a dispute, when a refusal gives no reason, or when an approved text would hold patient data.
    """
    require(actor, Right.REVIEW)
    finding = Finding(decision, comment, tuple(reasons), tuple(checklist))
    instruction = get_instruction(session, instruction_id)
    given = _given(session, instruction)
    is_solo = get_project(session, instruction.project_id).is_solo
    require_decidable(session, actor, instruction, finding, version)
    if not is_solo and any(review.reviewer_id == actor.id for review in given):
        raise ValueError("instruction: you have decided on this version; a second reviewer does next.")
    if len(given) >= instruction.overlap > 1:
        raise ValueError("instruction: its reviewers disagree; it waits among the disagreements.")
    leases.require_free(session, actor, instruction)
    review = add_review(session, actor, instruction, finding)
    is_last = is_solo or len(given) + 1 >= instruction.overlap
    if is_last and (is_solo or all(other.decision is finding.decision for other in given)):
        settle(session, actor, instruction, review)
    else:
        # The audit is open to readers: it tells that somebody reviewed, and not yet how they decided.
        audit.record(session, actor, "reviewed", instruction, version=version, blind=True)
    return review


def require_decidable(
    session: Session, actor: Actor, instruction: Instruction, finding: Finding, version: int
) -> None:
    """Raise unless the actor may make this decision on this version of the record."""
    if not lifecycle.can_move(instruction, Move(finding.decision)):
        lifecycle.move(instruction, Move(finding.decision))
    if instruction.version != version:
        raise ValueError("instruction: a newer version was submitted; read it before you decide.")
    if wrote(session, actor, instruction) and not get_project(session, instruction.project_id).is_solo:
        raise PolicyError(
            "You may not review your own instruction: another reviewer must, unless the project is solo."
        )
    if finding.decision is Decision.APPROVE:
        privacy.require_clean(session, instruction)


def add_review(
    session: Session,
    actor: Actor,
    instruction: Instruction,
    finding: Finding,
    *,
    is_adjudication: bool = False,
) -> Review:
    """Store the decision, with the guidelines in force; the actor's lease ends."""
    guideline = current_guideline(session, instruction.project_id)
    review = Review(
        instruction_id=instruction.id,
        version=instruction.version,
        reviewer_id=actor.id,
        decision=finding.decision,
        comment=finding.comment,
        reasons=[reason.value for reason in finding.reasons],
        checklist=ticked(instruction.category, finding.checklist),
        guideline_id=guideline.id if guideline else None,
        is_adjudication=is_adjudication,
        is_solo=wrote(session, actor, instruction),
    )
    session.add(review)
    leases.release(session, actor, instruction.id)
    session.expire(instruction, ["reviews"])
    return review


def settle(session: Session, actor: Actor, instruction: Instruction, review: Review) -> None:
    """Move the record to where the decision says, and tell the audit."""
    lifecycle.move(instruction, Move(review.decision))
    audit.record(
        session,
        actor,
        review.decision.value,
        instruction,
        version=review.version,
        solo=review.is_solo,
        **({"adjudication": True} if review.is_adjudication else {}),
    )


def list_reviews(session: Session, instruction: Instruction, actor: Actor | None = None) -> list[Review]:
    """The reviews of a record, oldest first, without those that are still sealed for a blind second reviewer.

    With `actor`, their own sealed one is among them.
    """
    sealed = {
        review.id
        for review in sealed_reviews(session, instruction)
        if actor is None or review.reviewer_id != actor.id
    }
    return [review for review in instruction.reviews if review.id not in sealed]


def is_sealed(session: Session, review: Review) -> bool:
    """True while nobody but its author is shown the review: a second reviewer is still to decide, blind."""
    instruction = session.get_one(Instruction, review.instruction_id)
    return review.id in {sealed.id for sealed in sealed_reviews(session, instruction)}


def _given(session: Session, instruction: Instruction) -> list[Review]:
    """The independent decisions on the submission so far."""
    session.flush()
    query = select(Review).join(Instruction, on_submission()).where(Instruction.id == instruction.id)
    return list(session.scalars(query.order_by(Review.id)))


# The queue ------------------------------------------------------------------------------------------


def count_waiting(session: Session, actor: Actor, project_id: int) -> int:
    """How many submissions of others wait for a decision of the actor's."""
    return _count(session, open_to(actor, project_id, is_solo=False))


def count_own_waiting(session: Session, actor: Actor, project_id: int) -> int:
    """How many submissions that the actor wrote wait for someone else."""
    return _count(session, [*waiting(project_id), written_by(actor)])


def _count(session: Session, conditions: list[ColumnElement[bool]]) -> int:
    return session.scalar(select(func.count()).select_from(Instruction).where(*conditions)) or 0


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
    """What waits for the actor's decision, or with `own` what the actor wrote. Oldest first."""
    own_work = [*waiting(project_id), written_by(actor)]
    query = (
        select(Instruction)
        .where(*(own_work if own else open_to(actor, project_id, is_solo=False)))
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
    """The imports with rows in review that the actor may approve whole, oldest first."""
    query = (
        select(Instruction.author_id, Instruction.created_at, func.count(), func.min(Instruction.id))
        .where(*_approvable_whole(session, actor, project_id), Instruction.origin == Origin.IMPORTED)
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
    return _approve_all(session, actor, project_id, conditions, comment)


def approve_shown(
    session: Session, actor: Actor, project_id: int, shown: list[tuple[int, int]], *, comment: str = ""
) -> int:
    """Approve the (id, version) pairs a reviewer has read; how many. What moved on since is left as it is."""
    require(actor, Right.REVIEW)
    picked = tuple_(Instruction.id, Instruction.version).in_(shown)
    conditions = [*_decidable(session, actor, project_id), picked]
    return _approve_all(session, actor, project_id, conditions, comment)


def _decidable(session: Session, actor: Actor, project_id: int) -> list[ColumnElement[bool]]:
    """What the actor may approve without opening it: in nobody's hands, and with no open privacy flag."""
    is_solo = get_project(session, project_id).is_solo
    conditions = open_to(actor, project_id, is_solo=is_solo)
    return [*conditions, free_for(actor, is_solo=is_solo), not_(privacy.has_open_flag())]


def _of_import(
    session: Session, actor: Actor, project_id: int, author_id: int, at: datetime
) -> list[ColumnElement[bool]]:
    return [*_approvable_whole(session, actor, project_id), *import_rows(project_id, author_id, at)]


def _approvable_whole(session: Session, actor: Actor, project_id: int) -> list[ColumnElement[bool]]:
    """Without what was drawn for double review: that is read one by one."""
    is_solo = get_project(session, project_id).is_solo
    single = [] if is_solo else [Instruction.overlap == 1]
    return [*_decidable(session, actor, project_id), *single]


def _approve_all(
    session: Session, actor: Actor, project_id: int, conditions: list[ColumnElement[bool]], comment: str
) -> int:
    """review_instruction's approval for a set of rows, in a few statements whatever their number."""
    is_own = written_by(actor).label("is_own")
    found = session.execute(
        select(Instruction.id, Instruction.version, Instruction.overlap, is_own).where(*conditions)
    ).all()
    is_solo = get_project(session, project_id).is_solo
    single = [row for row in found if is_solo or row.overlap == 1]
    for row in found:
        if row not in single:
            review_instruction(session, actor, row.id, Decision.APPROVE, version=row.version, comment=comment)
    if single:
        _approve_single(session, actor, project_id, single, comment)
    return len(found)


def _approve_single(session: Session, actor: Actor, project_id: int, rows: list, comment: str) -> None:
    """Approve rows that one decision settles."""
    guideline = current_guideline(session, project_id)
    shared = {
        "reviewer_id": actor.id,
        "decision": Decision.APPROVE,
        "comment": comment.strip(),
        "guideline_id": guideline.id if guideline else None,
    }
    session.execute(
        insert(Review),
        [{"instruction_id": r.id, "version": r.version, "is_solo": bool(r.is_own), **shared} for r in rows],
    )
    for part in parts([row.id for row in rows]):
        lifecycle.move_all(session, Move.APPROVE, [Instruction.id.in_(part)])
    lines = [(row.id, {"version": row.version, "solo": bool(row.is_own)}) for row in rows]
    audit.record_each(session, actor, Decision.APPROVE.value, Instruction, lines)
    session.expire_all()
