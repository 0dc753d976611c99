"""Change many records at once: see what would change, change exactly that, and take it back.

A tag is content, so tagging writes a revision of each record. It changes no text, so a record keeps its
status: one in force stays in force with its new tags (which is why tagging those takes a reviewer), one that
waits goes on waiting. The revision keeps the author of the text, so that who tags a record may still review
it; its reason and the audit say who tagged. Undo puts back what was, as one more revision, and leaves alone
what changed since.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256

from sqlalchemy import Row, and_, case, func, select
from sqlalchemy.orm import Session, defer

from db import audit, lifecycle
from db.enums import InstructionStatus
from db.instructions import submit_matching
from db.lifecycle import Move
from db.policy import Actor, Right, require
from db.retagging import Report, assign, parts, retag
from db.search import InstructionQuery, matching
from db.submissions import on_submission
from db.tables import BulkChange, Instruction, Lease, Review, User
from db.tables.base import utc_now
from db.users import as_actor

SHOWN_ROWS = 10
KEPT_NAMED = 100  # ids that a change remembers of what its undo left alone

S = InstructionStatus


class Action(StrEnum):
    TAG = "tag"
    UNTAG = "untag"
    ASSIGN = "assign"
    SUBMIT = "submit"
    RETIRE = "retire"


_RIGHTS = {
    Action.TAG: Right.WRITE,
    Action.UNTAG: Right.WRITE,
    Action.ASSIGN: Right.REVIEW,
    Action.SUBMIT: Right.WRITE,
    Action.RETIRE: Right.REVIEW,
}
_DONE = {
    Action.TAG: "tagged",
    Action.UNTAG: "untagged",
    Action.ASSIGN: "assigned",
    Action.SUBMIT: "submitted",
    Action.RETIRE: "retired",
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
class PreviewRow:
    id: int
    instruction: str
    before: str
    after: str


@dataclass(frozen=True)
class Preview:
    """What `apply` would do now: `count` records change, `rows` are the first; `skipped` counts by reason."""

    matched: int
    count: int
    rows: list[PreviewRow]
    skipped: dict[str, int]
    mark: str  # which records, as they are now: `apply` refuses others


@dataclass(frozen=True)
class Undone:
    """How many records are as they were, and which were changed since and so left alone."""

    restored: int
    kept: list[int]


def preview(session: Session, actor: Actor, project_id: int, change: Change, picked: Picked) -> Preview:
    """What the change would do. Raises PolicyError, or ValueError for an assignee who cannot work here."""
    rows, skipped = _plan(session, actor, project_id, change, picked)
    shown = [row.id for row in rows[:SHOWN_ROWS]]
    texts = dict(
        session.execute(
            select(Instruction.id, Instruction.instruction).where(Instruction.id.in_(shown))
        ).all()
    )
    people = dict(session.execute(select(User.id, User.full_name)).all())
    return Preview(
        matched=len(rows) + sum(skipped.values()),
        count=len(rows),
        rows=[PreviewRow(row.id, texts[row.id], *_told(change, row, people)) for row in rows[:SHOWN_ROWS]],
        skipped=dict(skipped),
        mark=_mark(rows),
    )


def apply(
    session: Session,
    actor: Actor,
    project_id: int,
    change: Change,
    picked: Picked,
    *,
    count: int,
    mark: str | None = None,
    report: Report | None = None,
) -> BulkChange:
    """Do it. `count` is the number that the person agreed to: ValueError when it is no longer true.

    With the preview's `mark`, also when as many but other records would change, or one was edited since.
    `report` is told now and then how many are done.
    """
    rows, _ = _plan(session, actor, project_id, change, picked)
    if len(rows) != count:
        raise ValueError(f"count: {len(rows):,} records would change now, not {count:,}; look again.")
    if mark is not None and mark != _mark(rows):
        raise ValueError("preview: some of these records changed since; look again.")
    if not rows:
        raise ValueError("count: nothing would change; choose other records.")
    done = BulkChange(
        project_id=project_id,
        actor_id=actor.id,
        action=change.action.value,
        detail={"tags": list(change.tags), "assignee_id": change.assignee_id, "count": count},
        before=[_before(change, row) for row in rows],
    )
    session.add(done)
    audit.record(session, actor, "bulk_changed", done, change=change.action.value, count=count)
    _carry_out(session, actor, change, rows, report)
    if change.action is not Action.SUBMIT:  # submitting writes its own lines
        lines = [(row.id, {"bulk": done.id}) for row in rows]
        audit.record_each(session, actor, _DONE[change.action], Instruction, lines)
    session.expire_all()
    return done


def undo(session: Session, actor: Actor, change_id: int, *, report: Report | None = None) -> Undone:
    """Put every record back as it was, but those that someone changed since: `kept` names them.

    One's own change, or with MANAGE_PROJECT anybody's. Raises ValueError when it is undone already.
    """
    done = session.get(BulkChange, change_id)
    if done is None:
        raise LookupError(f"There is no bulk change number {change_id}.")
    change = Change(Action(done.action), tuple(done.detail["tags"]), done.detail["assignee_id"])
    require(actor, _RIGHTS[change.action] if done.actor_id == actor.id else Right.MANAGE_PROJECT)
    if done.undone_at is not None:
        raise ValueError("change: it has been undone already.")
    before = {entry[0]: entry for entry in done.before}
    now = {row.id: row for row in _look(session, [done.project_id], list(before))}
    same = [now[id] for id in before if id in now and _is_as_left(change, before[id], now[id])]
    _put_back(session, actor, change, before, same, report)
    kept = sorted(set(before) - {row.id for row in same})
    done.undone_at = utc_now()
    done.detail = {**done.detail, "kept": kept[:KEPT_NAMED], "kept_count": len(kept)}
    audit.record(session, actor, "bulk_undone", done, restored=len(same))
    audit.record_each(session, actor, "put_back", Instruction, [(row.id, {"bulk": done.id}) for row in same])
    session.expire_all()
    return Undone(len(same), kept)


def allowed_actions(actor: Actor) -> list[Action]:
    """What the actor may do to many records."""
    return [action for action in Action if actor.can(_RIGHTS[action])]


def count_picked(session: Session, project_id: int, picked: Picked) -> int:
    """How many records of the project are picked."""
    if not isinstance(picked, InstructionQuery):
        return len(set(picked))
    return session.scalar(select(func.count()).select_from(Instruction).where(*matching(project_id, picked)))


def may_undo(actor: Actor, done: BulkChange) -> bool:
    """One's own change, while one has the right to make it; an admin anybody's. Once."""
    needed = _RIGHTS[Action(done.action)] if done.actor_id == actor.id else Right.MANAGE_PROJECT
    return done.undone_at is None and actor.can(needed)


def size_of(session: Session, change_id: int) -> int:
    """How many records a change was of; 0 where there is none of that number."""
    detail = session.scalar(select(BulkChange.detail).where(BulkChange.id == change_id))
    return detail["count"] if detail else 0


def list_changes(session: Session, project_id: int, *, limit: int = 20) -> list[tuple[BulkChange, str]]:
    """The newest changes first, each with the name of who made it."""
    query = (
        select(BulkChange, User.full_name)
        .join(User, User.id == BulkChange.actor_id)
        .where(BulkChange.project_id == project_id)
        .options(defer(BulkChange.before))
        .order_by(BulkChange.id.desc())
        .limit(limit)
    )
    return [tuple(row) for row in session.execute(query)]


# What would change ----------------------------------------------------------------------------------


def _plan(
    session: Session, actor: Actor, project_id: int, change: Change, picked: Picked
) -> tuple[list[Row], Counter]:
    """(the rows that change, how many do not by the reason why)."""
    require(actor, _RIGHTS[change.action])
    _require_assignee(session, change)
    rows, skipped = [], Counter()
    for row in _look(session, [project_id], picked):
        why_not = _obstacle(actor, change, row)
        if why_not:
            skipped[why_not] += 1
        else:
            rows.append(row)
    missing = 0 if isinstance(picked, InstructionQuery) else len(set(picked)) - len(rows) - skipped.total()
    if missing:
        skipped["not in this project, or deleted"] = missing
    return rows, skipped


def _look(session: Session, project: list[int], picked: Picked) -> Iterator[Row]:
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


def _mark(rows: list[Row]) -> str:
    """Tells one set of records, each as it is, from another."""
    told = sha256()
    for row in rows:
        told.update(f"{row.id} {row.version} {row.status} {row.assignee_id};".encode())
    return told.hexdigest()


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


def _told(change: Change, row: Row, people: dict[int, str]) -> tuple[str, str]:
    """(what it is, what it will be), in words."""
    if change.action in (Action.TAG, Action.UNTAG):
        return ", ".join(row.tags), ", ".join(change.retagged(row.tags))
    if change.action is Action.ASSIGN:
        return people.get(row.assignee_id, ""), people.get(change.assignee_id, "")
    after = S.IN_REVIEW if change.action is Action.SUBMIT else S.RETIRED
    return row.status.value, after.value


# Do and undo ----------------------------------------------------------------------------------------


def _before(change: Change, row: Row) -> list:
    """[id, the version that the change leaves, what was there]: what `undo` needs."""
    if change.action in (Action.TAG, Action.UNTAG):
        return [row.id, row.version + 1, row.tags]
    return [row.id, row.version, row.assignee_id]


def _carry_out(
    session: Session, actor: Actor, change: Change, rows: list[Row], report: Report | None
) -> None:
    ids = [row.id for row in rows]
    match change.action:
        case Action.TAG | Action.UNTAG:
            reason = f"{_DONE[change.action].capitalize()} {', '.join(change.tags)} ({actor.full_name})"
            retag(session, {row.id: change.retagged(row.tags) for row in rows}, reason, report)
        case Action.ASSIGN:
            assign(session, dict.fromkeys(ids, change.assignee_id), report)
        case Action.SUBMIT:
            for part in parts(ids, report):
                submit_matching(session, actor, [Instruction.id.in_(part)])
        case Action.RETIRE:
            for part in parts(ids, report):
                lifecycle.move_all(session, Move.RETIRE, [Instruction.id.in_(part)])


def _is_as_left(change: Change, before: list, now: Row) -> bool:
    """True when nobody touched what the change made of the record."""
    if change.action is Action.ASSIGN:
        return now.assignee_id == change.assignee_id
    if now.version != before[1]:
        return False
    match change.action:
        case Action.SUBMIT:
            return now.status is S.IN_REVIEW and not now.is_decided
        case Action.RETIRE:
            return now.status is S.RETIRED
        case _:
            return not (now.is_decided or now.is_read)


def _put_back(
    session: Session, actor: Actor, change: Change, before: dict, rows: list[Row], report: Report | None
) -> None:
    ids = [row.id for row in rows]
    match change.action:
        case Action.TAG | Action.UNTAG:
            retag(session, {id: before[id][2] for id in ids}, f"Tags put back ({actor.full_name})", report)
        case Action.ASSIGN:
            assign(session, {id: before[id][2] for id in ids}, report)
        case Action.SUBMIT:
            for part in parts(ids, report):
                lifecycle.move_all(session, Move.WITHDRAW, [Instruction.id.in_(part)])
        case Action.RETIRE:
            for part in parts(ids, report):
                lifecycle.move_all(session, Move.REINSTATE, [Instruction.id.in_(part)])
