"""The desk of a reviewer: the queue, the submission in hand, and what becomes of it when they decide."""

from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass

from bioui.components.decision import decision_updates
from bioui.components.empty import empty_state
from bioui.components.instruction_rows import rows_value
from bioui.components.lease_bar import lease_value
from bioui.components.reading import NOTHING_TO_READ, reading_value
from bioui.components.table import Trail
from bioui.present import exact
from db import instructions, leases, projects, reviews
from db.enums import InstructionStatus
from db.policy import Actor
from db.session import Session
from db.tables import Instruction, Lease

PATH = "/review"
EMPTY = empty_state("Nothing to review.", "New submissions appear here.")
OTHERS = "Yours, waiting for someone else"
SOLO = "Yours: this project is solo, so you may decide"


@dataclass(frozen=True)
class Reading:
    """What is in the reading pane: instruction `id` (0 for none) at the `version` that was shown."""

    project_id: int = 0
    id: int = 0
    version: int = 0


@dataclass(frozen=True)
class Desk:
    """What the page shows; `outputs` in the order it is wired."""

    queue: dict
    own: dict
    next_after: tuple | None
    reading: Reading
    pane: dict
    lease: dict
    form: tuple

    def outputs(self) -> tuple:
        return self.queue, self.own, self.next_after, self.reading, self.pane, self.lease, *self.form


def take(
    session: Session, actor: Actor, project_id: int, *, wanted: int = 0, skip: Collection[int] = ()
) -> int:
    """Which submission is read next: `wanted` where it waits, else the next for the actor; 0 for none.

    What the actor may decide on is taken in hand, so that nobody else is given it meanwhile.
    """
    if record := _in_review(session, project_id, wanted):
        _hold(session, actor, record)
        return record.id
    lease = leases.next_for(session, actor, project_id, skip=skip)
    return lease.instruction_id if lease else 0


def desk(
    session: Session, actor: Actor, project_id: int, trail: Trail, *, reading_id: int = 0, note: str = ""
) -> Desk:
    """A page of the queue, with what `take` gave in the reading pane."""
    pane, reading, lease = {**NOTHING_TO_READ, "note": note}, Reading(project_id), None
    record = _in_review(session, project_id, reading_id)
    if record:
        lease = leases.find_held(session, actor, record.id)
        told = _told(session, actor, record, lease)
        pane = reading_value(session, actor, record, own=told, note=note)
        reading = Reading(project_id, record.id, record.version)
    queue = reviews.list_queue(session, actor, project_id, after=trail.before_id)
    return Desk(
        queue_value(session, actor, project_id, queue, trail, reading.id),
        own_value(session, actor, project_id, reading.id),
        queue.next_after,
        reading,
        pane,
        lease_value(lease.expires_at if lease else None),
        decision_updates(record.category if record and lease else None),
    )


def queue_value(
    session: Session, actor: Actor, project_id: int, queue: reviews.Queue, trail: Trail, current_id: int
) -> dict:
    """The submissions of others, each with who else has it in hand."""
    waiting = reviews.count_waiting(session, actor, project_id)
    held = leases.list_holders(session, [row.id for row in queue.rows])
    others = {
        id: " and ".join(holder.name for holder in holders if holder.user_id != actor.id)
        for id, holders in held.items()
    }
    return rows_value(
        queue.rows,
        project_id,
        label="To review",
        page=PATH,
        empty=EMPTY,
        total=waiting,
        trail=trail,
        has_next=queue.next_after is not None,
        current_id=current_id,
        holders={id: f"with {names}" for id, names in others.items() if names},
        is_queue=True,
        waiting=waiting,
    )


def own_value(session: Session, actor: Actor, project_id: int, current_id: int) -> dict:
    """One's own submissions, apart from the queue."""
    total = reviews.count_own_waiting(session, actor, project_id)
    own = reviews.list_queue(session, actor, project_id, own=True)
    is_solo = projects.get_project(session, project_id).is_solo
    return rows_value(
        own.rows,
        project_id,
        label="Yours",
        heading=(SOLO if is_solo else OTHERS) if total else "",
        page=PATH,
        total=total,
        current_id=current_id,
        is_queue=True,
    )


def next_id(session: Session, actor: Actor, project_id: int, trail: Trail, decided: int) -> int:
    """The row after the decided one on this page of the queue that nobody else has; 0 when there is none."""
    rows = reviews.list_queue(session, actor, project_id, after=trail.before_id).rows
    ids = [row.id for row in rows]
    place = ids.index(decided) + 1 if decided in ids else len(ids)
    held = leases.list_holders(session, ids[place:])
    return next((id for id in ids[place:] if id not in held), 0)


def leave(session: Session, actor: Actor, reading: Reading) -> None:
    """Give back what was in hand."""
    if reading.id:
        leases.release(session, actor, reading.id)
        session.flush()


def find_submission(session: Session, project_id: int, id: int) -> Instruction:
    """What waits for a review under that number. Raises LookupError."""
    record = _in_review(session, project_id, id)
    if record is None:
        raise LookupError(f"Number {id} no longer waits for a review; someone decided, or it was edited.")
    return record


def renewed(session: Session, actor: Actor, reading: Reading) -> dict:
    return lease_value(leases.hold(session, actor, reading.id).expires_at if reading.id else None)


def _in_review(session: Session, project_id: int, id: int) -> Instruction | None:
    if not id:
        return None
    try:
        record = instructions.get_instruction(session, id)
    except LookupError:
        return None
    waits = record.status is InstructionStatus.IN_REVIEW and record.project_id == project_id
    return record if waits else None


def _hold(session: Session, actor: Actor, record: Instruction) -> None:
    """Take it in hand, unless the actor may only read it."""
    with suppress(ValueError):
        leases.hold(session, actor, record.id)


def _told(session: Session, actor: Actor, record: Instruction, lease: Lease | None) -> str:
    """Why the actor may only read this, or that the decision counts as solo; "" where neither is so."""
    is_own = reviews.wrote(session, actor, record)
    if lease:
        solo = "You wrote this. The project is solo: your decision is recorded as a solo review."
        return solo if is_own else ""
    if is_own:
        return "You wrote this, or edited it. It waits for another reviewer."
    holders = [
        f"{one.name} (until {exact(one.until)})"
        for one in leases.list_holders(session, [record.id]).get(record.id, [])
        if one.user_id != actor.id
    ]
    if holders:
        return f"In the hands of {' and '.join(holders)}. You may read it; decide on another."
    return "You have decided on this version. It waits for a second reviewer or an adjudicator."
