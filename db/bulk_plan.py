"""What a change of many records would do: which records it is for, which it passes by, and why."""

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256

from sqlalchemy import Row, and_, case, select
from sqlalchemy.orm import Session

from db import handing_in
from db.enums import InstructionStatus
from db.policy import Actor, Right, require
from db.search import InstructionQuery, matching
from db.session import parts
from db.submissions import on_submission
from db.tables import Instruction, Lease, Review, User
from db.tables.base import utc_now
from db.users import as_actor

S = InstructionStatus
NEAR_COPY = "near copy of a stored text; open it to change it, or to say why both are needed:"


class Action(StrEnum):
    TAG = "tag"
    UNTAG = "untag"
    ASSIGN = "assign"
    SUBMIT = "submit"
    RETIRE = "retire"


RIGHTS = {
    Action.TAG: Right.WRITE,
    Action.UNTAG: Right.WRITE,
    Action.ASSIGN: Right.REVIEW,
    Action.SUBMIT: Right.WRITE,
    Action.RETIRE: Right.REVIEW,
}


@dataclass(frozen=True)
class Change:
    """What to do to many records. Raises ValueError naming the field."""

    action: Action
    tags: tuple[str, ...] = ()
    assignee_id: int | None = None  # None takes the assignment away

    def __post_init__(self) -> None:
        clean = (tag.strip().lower() for tag in self.tags)
        object.__setattr__(self, "action", Action(self.action))
        object.__setattr__(self, "tags", tuple(dict.fromkeys(tag for tag in clean if tag)))
        if self.action in (Action.TAG, Action.UNTAG) and not self.tags:
            raise ValueError("tags: name at least one tag.")

    def retagged(self, tags: list[str]) -> list[str]:
        if self.action is Action.TAG:
            return list(dict.fromkeys([*tags, *self.tags]))
        return [tag for tag in tags if tag not in self.tags]


Picked = InstructionQuery | Sequence[int]
"""The records to change: all that match a query, or these ids."""


@dataclass(frozen=True)
class Planned:
    """`rows` change; `skipped` counts those that do not by the reason why, the near copies' ids apart."""

    rows: list[Row]
    skipped: dict[str, int]
    copies: tuple[int, ...] = ()

    @property
    def mark(self) -> str:
        """Tells one set of records, each as it is, from another."""
        told = sha256()
        for row in self.rows:
            told.update(f"{row.id} {row.version} {row.status} {row.assignee_id};".encode())
        return told.hexdigest()


def plan(
    session: Session,
    actor: Actor,
    project_id: int,
    change: Change,
    picked: Picked,
    *,
    copies: Collection[int] | None = None,
    report: Callable[[int], object] = lambda done: None,
) -> Planned:
    """What the change would do. Raises PolicyError, or ValueError for an assignee who cannot work here.

    `copies` are the records that the duplicate gate holds back from a submission; None asks the gate, and
    `report` is told how many it has looked at.
    """
    require(actor, RIGHTS[change.action])
    _require_assignee(session, change)
    rows, skipped = [], Counter()
    for row in look(session, [project_id], picked):
        why_not = _obstacle(actor, change, row)
        if why_not:
            skipped[why_not] += 1
        else:
            rows.append(row)
    missing = 0 if isinstance(picked, InstructionQuery) else len(set(picked)) - len(rows) - skipped.total()
    if missing:
        skipped["not in this project, or deleted"] = missing
    if change.action is not Action.SUBMIT:
        return Planned(rows, dict(skipped))
    if copies is None:
        copies = handing_in.find_copies(session, project_id, [row.id for row in rows], report)
    held = tuple(row.id for row in rows if row.id in copies)
    if held:
        skipped[NEAR_COPY] = len(held)
    return Planned([row for row in rows if row.id not in copies], dict(skipped), held)


def look(session: Session, project: list[int], picked: Picked) -> Iterator[Row]:
    """What a plan needs to know of each record, without its texts."""
    everything = InstructionQuery()
    if isinstance(picked, InstructionQuery):
        places = [matching(*project, picked)]
    else:
        ids = sorted(set(picked))
        places = [[*matching(*project, everything), Instruction.id.in_(part)] for part in parts(ids)]
    waits = Instruction.status == S.IN_REVIEW
    decided = select(Review.id).where(on_submission()).exists()
    leased = (Lease.instruction_id == Instruction.id, Lease.expires_at > utc_now())
    read_now = select(Lease.id).where(*leased).exists()
    query = select(
        Instruction.id,
        Instruction.version,
        Instruction.status,
        Instruction.author_id,
        Instruction.assignee_id,
        Instruction.approved_version,
        Instruction.tags,
        and_(Instruction.output != "", Instruction.task != "").label("is_complete"),
        case((waits, decided), else_=False).label("is_decided"),
        case((waits, read_now), else_=False).label("is_read"),
    ).order_by(Instruction.id)
    for conditions in places:
        yield from session.execute(query.where(*conditions))


def _obstacle(actor: Actor, change: Change, row: Row) -> str:
    """Why the change passes this record by; "" when it does not."""
    is_foreign = row.author_id != actor.id and not actor.can(Right.REVIEW)
    match change.action:
        case Action.TAG | Action.UNTAG:
            if change.retagged(row.tags) == row.tags:
                return "has the tags already" if change.action is Action.TAG else "does not have the tags"
            if row.status is S.RETIRED:
                return "retired"
            if row.status is S.APPROVED and not actor.can(Right.REVIEW):
                return "approved: a reviewer may tag it"
            if row.is_decided or row.is_read:
                return "someone is reviewing it now"
            return "someone else's" if is_foreign else ""
        case Action.ASSIGN:
            if row.assignee_id == change.assignee_id:
                return "assigned so already"
            return "retired" if row.status is S.RETIRED else ""
        case Action.SUBMIT:
            if row.status is not S.DRAFT:
                return "not a draft"
            if not row.is_complete:
                return "incomplete: output or task is missing"
            return "someone else's" if is_foreign else ""
        case Action.RETIRE:
            return "" if row.status is S.APPROVED else "not approved, or being rewritten"


def _require_assignee(session: Session, change: Change) -> None:
    if change.action is not Action.ASSIGN or change.assignee_id is None:
        return
    person = session.get(User, change.assignee_id)
    if person is None or not person.is_active:
        raise ValueError("assignee_id: there is no such person; choose one of the list.")
    if not as_actor(person).can(Right.WRITE):
        raise ValueError(f"assignee_id: {person.full_name} may neither write nor review; choose another.")
