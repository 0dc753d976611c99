"""Handing out: a submission is in one reviewer's hands for a time, and comes back by itself when abandoned.

A lease is a row with an end. Renewing moves the end, releasing and deciding bring it to now; nothing has to
run for an abandoned one to lapse. Handing out happens inside `write()`, whose lock lets one ask at a time.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import case, exists, select, update
from sqlalchemy.orm import Session

from db.policy import Actor, Right, require
from db.projects import get_project
from db.submissions import free_for, open_to
from db.tables import Instruction, Lease, User
from db.tables.base import utc_now

MINUTES = 15
LONGEST = 8 * 60  # minutes


@dataclass(frozen=True)
class Holder:
    """Who has a submission in hand, and until when."""

    user_id: int
    name: str
    until: datetime


def next_for(
    session: Session,
    actor: Actor,
    project_id: int,
    *,
    minutes: int = MINUTES,
    skip: Collection[int] = (),
    now: datetime | None = None,
) -> Lease | None:
    """Hand the actor a submission to review, or None when there is none for them.

    First comes what they hold already, then what is assigned to them, then the oldest that is free; what is
    assigned to someone else comes last. `skip` names submissions not to be handed out now.
    """
    require(actor, Right.REVIEW)
    _check(minutes)
    now = now or utc_now()
    is_solo = get_project(session, project_id).is_solo
    mine = exists().where(
        Lease.instruction_id == Instruction.id, Lease.user_id == actor.id, Lease.expires_at > now
    )
    turn = case(
        (mine, 0),
        (Instruction.assignee_id == actor.id, 1),
        (Instruction.assignee_id.is_(None), 2),
        else_=3,
    )
    found = session.scalar(
        select(Instruction.id)
        .where(
            *open_to(actor, project_id, is_solo=is_solo),
            free_for(actor, is_solo=is_solo, now=now),
            Instruction.id.not_in(skip),
        )
        .order_by(turn, Instruction.submitted_at, Instruction.id)
        .limit(1)
    )
    return None if found is None else _hand_over(session, actor, found, minutes, now)


def hold(
    session: Session,
    actor: Actor,
    instruction_id: int,
    *,
    minutes: int = MINUTES,
    now: datetime | None = None,
) -> Lease:
    """Take a submission in hand, such as one opened from the list; again and again to keep it.

    Raises ValueError when others have it in hand, or when it no longer waits for a decision of the actor's.
    """
    require(actor, Right.REVIEW)
    _check(minutes)
    now = now or utc_now()
    instruction = session.get(Instruction, instruction_id)
    if instruction is None:
        raise LookupError(f"There is no instruction number {instruction_id}.")
    is_solo = get_project(session, instruction.project_id).is_solo
    session.flush()
    for_actor = select(Instruction.id).where(
        Instruction.id == instruction_id, *open_to(actor, instruction.project_id, is_solo=is_solo)
    )
    if session.scalar(for_actor) is None:
        raise ValueError("instruction: it does not wait for a decision of yours; take another.")
    if session.scalar(for_actor.where(free_for(actor, is_solo=is_solo, now=now))) is None:
        raise ValueError(_taken(session, actor, instruction_id, now))
    return _hand_over(session, actor, instruction_id, minutes, now)


def release(session: Session, actor: Actor, instruction_id: int, *, now: datetime | None = None) -> None:
    """Give a submission back before its time is over. Without a lease nothing happens."""
    now = now or utc_now()
    session.execute(
        update(Lease)
        .where(Lease.instruction_id == instruction_id, Lease.user_id == actor.id, Lease.expires_at > now)
        .values(expires_at=now)
    )


def find_held(
    session: Session, actor: Actor, instruction_id: int, *, now: datetime | None = None
) -> Lease | None:
    """The actor's lease on a submission, or None when they do not have it in hand."""
    return session.scalar(
        select(Lease).where(
            Lease.instruction_id == instruction_id,
            Lease.user_id == actor.id,
            Lease.expires_at > (now or utc_now()),
        )
    )


def list_holders(
    session: Session, instruction_ids: Iterable[int], *, now: datetime | None = None
) -> dict[int, list[Holder]]:
    """Who has each of these in hand now; those in nobody's hands are not in it."""
    query = (
        select(Lease.instruction_id, Lease.user_id, User.full_name, Lease.expires_at)
        .join(User, User.id == Lease.user_id)
        .where(Lease.instruction_id.in_(list(instruction_ids)), Lease.expires_at > (now or utc_now()))
        .order_by(Lease.id)
    )
    holders: dict[int, list[Holder]] = {}
    for id, user_id, name, until in session.execute(query):
        holders.setdefault(id, []).append(Holder(user_id, name, until))
    return holders


def require_free(session: Session, actor: Actor, instruction: Instruction) -> None:
    """Raise ValueError while others have the submission in hand: their reading shall not be for nothing."""
    is_solo = get_project(session, instruction.project_id).is_solo
    session.flush()
    free = select(Instruction.id).where(Instruction.id == instruction.id, free_for(actor, is_solo=is_solo))
    if session.scalar(free) is None:
        raise ValueError(_taken(session, actor, instruction.id, utc_now()))


def _hand_over(session: Session, actor: Actor, instruction_id: int, minutes: int, now: datetime) -> Lease:
    """The actor's lease on it, renewed where they have one."""
    lease = find_held(session, actor, instruction_id, now=now)
    if lease is None:
        lease = Lease(instruction_id=instruction_id, user_id=actor.id, created_at=now)
        session.add(lease)
    lease.expires_at = now + timedelta(minutes=minutes)
    session.flush()
    return lease


def _taken(session: Session, actor: Actor, instruction_id: int, now: datetime) -> str:
    holders = list_holders(session, [instruction_id], now=now).get(instruction_id, [])
    others = [holder for holder in holders if holder.user_id != actor.id]
    names = " and ".join(holder.name for holder in others)
    left = max((holder.until - now for holder in others), default=timedelta())
    minutes = -(-int(left.total_seconds()) // 60)
    return (
        f"instruction: {names or 'someone else'} has it in hand, for {minutes} more minutes at most; "
        "take another."
    )


def _check(minutes: int) -> None:
    if not 1 <= minutes <= LONGEST:
        raise ValueError(f"minutes: {minutes} is not from 1 to {LONGEST}; 15 suits most texts.")
