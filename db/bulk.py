"""Change many records at once: see what would change, change exactly that, and take it back.

A tag is content, so tagging writes a revision of each record. It changes no text, so a record keeps its
status: one in force stays in force with its new tags (which is why tagging those takes a reviewer), one that
waits goes on waiting. The revision keeps the author of the text, so that who tags a record may still review
it; its reason and the audit say who tagged. Undo puts back what was, as one more revision, and leaves alone
what changed since.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass

from sqlalchemy import Row, func, select
from sqlalchemy.orm import Session, defer

from db import audit, lifecycle
from db.bulk_plan import RIGHTS, Action, Change, Picked, look, plan
from db.enums import InstructionStatus
from db.instructions import submit_matching
from db.lifecycle import Move
from db.policy import Actor, Right, require
from db.retagging import assign, retag
from db.search import InstructionQuery, matching
from db.session import Report, parts
from db.tables import BulkChange, Instruction, User
from db.tables.base import utc_now

SHOWN_ROWS = 10
KEPT_NAMED = 100  # ids that a change remembers of what its undo left alone

S = InstructionStatus
_DONE = {
    Action.TAG: "tagged",
    Action.UNTAG: "untagged",
    Action.ASSIGN: "assigned",
    Action.SUBMIT: "submitted",
    Action.RETIRE: "retired",
}


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
    copies: tuple[int, ...]  # of the skipped, those that the duplicate gate holds back from a submission
    mark: str  # which records, as they are now: `apply` refuses others


@dataclass(frozen=True)
class Undone:
    """How many records are as they were, and which were changed since and so left alone."""

    restored: int
    kept: list[int]


def preview(
    session: Session,
    actor: Actor,
    project_id: int,
    change: Change,
    picked: Picked,
    *,
    report: Callable[[int], object] = lambda done: None,
) -> Preview:
    """What the change would do. Raises PolicyError, or ValueError for an assignee who cannot work here.

    A submission asks the duplicate gate, some milliseconds a record: `report` is told how many are done.
    """
    planned = plan(session, actor, project_id, change, picked, report=report)
    rows = planned.rows
    shown = [row.id for row in rows[:SHOWN_ROWS]]
    texts = dict(
        session.execute(
            select(Instruction.id, Instruction.instruction).where(Instruction.id.in_(shown))
        ).all()
    )
    people = dict(session.execute(select(User.id, User.full_name)).all())
    return Preview(
        matched=len(rows) + sum(planned.skipped.values()),
        count=len(rows),
        rows=[PreviewRow(row.id, texts[row.id], *_told(change, row, people)) for row in rows[:SHOWN_ROWS]],
        skipped=planned.skipped,
        copies=planned.copies,
        mark=planned.mark,
    )


def find_copies(
    session: Session,
    actor: Actor,
    project_id: int,
    change: Change,
    picked: Picked,
    *,
    report: Callable[[int], object] = lambda done: None,
) -> frozenset[int]:
    """What the duplicate gate holds back of a submission: ask in a `read()` scope ahead of `apply`."""
    if change.action is not Action.SUBMIT:
        return frozenset()
    return frozenset(plan(session, actor, project_id, change, picked, report=report).copies)


def apply(
    session: Session,
    actor: Actor,
    project_id: int,
    change: Change,
    picked: Picked,
    *,
    count: int,
    mark: str | None = None,
    copies: Collection[int] | None = None,
    report: Report | None = None,
) -> BulkChange:
    """Do it. `count` is the number that the person agreed to: ValueError when it is no longer true.

    With the preview's `mark`, also when as many but other records would change, or one was edited since.
    `copies` are those of `find_copies`; without them the gate is asked here, while others wait to write.
    `report` is told now and then how many are done.
    """
    planned = plan(session, actor, project_id, change, picked, copies=copies)
    rows = planned.rows
    if len(rows) != count:
        raise ValueError(f"count: {len(rows):,} records would change now, not {count:,}; look again.")
    if mark is not None and mark != planned.mark:
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
    require(actor, RIGHTS[change.action] if done.actor_id == actor.id else Right.MANAGE_PROJECT)
    if done.undone_at is not None:
        raise ValueError("change: it has been undone already.")
    before = {entry[0]: entry for entry in done.before}
    now = {row.id: row for row in look(session, [done.project_id], list(before))}
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
    return [action for action in Action if actor.can(RIGHTS[action])]


def count_picked(session: Session, project_id: int, picked: Picked) -> int:
    """How many records of the project are picked."""
    if not isinstance(picked, InstructionQuery):
        return len(set(picked))
    return session.scalar(select(func.count()).select_from(Instruction).where(*matching(project_id, picked)))


def may_undo(actor: Actor, done: BulkChange) -> bool:
    """One's own change, while one has the right to make it; an admin anybody's. Once."""
    needed = RIGHTS[Action(done.action)] if done.actor_id == actor.id else Right.MANAGE_PROJECT
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
