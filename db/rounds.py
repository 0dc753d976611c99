"""Rounds: pairs of answers that several raters compare blind; who leads one makes, watches and closes it."""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from random import Random

from sqlalchemy import func, select
from sqlalchemy.orm import Session, joinedload

from db import audit, users
from db.compare_spec import SideSpec
from db.policy import Actor, Right, require
from db.projects import get_project
from db.rubric import Axis, check, stored
from db.session import parts
from db.sides import of_answer
from db.tables import Answer, Assignment, Comparison, Round, RoundPair, User
from db.tables.base import utc_now

MAX_PAIRS = 5_000
MAX_RATERS = 100
_TITLE, _NOTE = 120, 4_000  # characters


@dataclass(frozen=True)
class RaterProgress:
    """How far one rater has come."""

    rater_id: int
    name: str
    total: int
    voted: int
    skipped: int
    last_at: datetime | None

    @property
    def left(self) -> int:
        return self.total - self.voted - self.skipped


def create(
    session: Session,
    actor: Actor,
    project_id: int,
    *,
    title: str,
    note: str = "",
    rubric: Sequence[Axis] = (),
    pairs: Sequence[tuple[int, int]],
    rater_ids: Sequence[int],
    overlap: int = 0,
    seed: int = 0,
) -> Round:
    """A round over pairs of answer ids, handed out to its raters at once.

    Each pair goes to `overlap` raters (0: to all of them). Raters get equally many, within one, each in an
    order of their own. On which side an answer stands is drawn so that of a pair's raters half see it each
    way round; a rater's own sides are independent of each other, so that none can be told from those that
    were revealed before. The same seed draws the same round.
    Raises ValueError naming the field, LookupError for what another project holds, PolicyError.
    """
    require(actor, Right.LEAD_ROUNDS)
    get_project(session, project_id)
    title, note = _checked(title, note)
    raters = _raters(session, rater_ids)
    couples = _couples(session, project_id, pairs)
    if not 0 <= overlap <= len(raters):
        raise ValueError(
            f"overlap: {overlap} raters a pair cannot be; give 1 to {len(raters)}, or 0 for all."
        )
    if not 0 <= seed < 2**31:
        raise ValueError(f"seed: {seed} cannot be; give a whole number from 0 to 2,147,483,647.")
    round = Round(
        project_id=project_id,
        title=title,
        note=note,
        rubric=stored(check(rubric)),
        overlap=overlap,
        seed=seed,
        created_by_id=actor.id,
    )
    session.add(round)
    session.flush()
    rows = [
        RoundPair(
            round_id=round.id, position=at, comparison_id=one.comparison_id, one_id=one.id, other_id=other.id
        )
        for at, (one, other) in enumerate(couples)
    ]
    session.add_all(rows)
    session.flush()
    kinds = [(of_answer(one), of_answer(other)) for one, other in couples]
    dealt = deal(kinds, [rater.id for rater in raters], overlap or len(raters), Random(seed))
    session.add_all(
        Assignment(pair_id=rows[pair].id, rater_id=rater, position=position, is_flipped=flipped)
        for pair, rater, position, flipped in dealt
    )
    audit.record(
        session, actor, "created", round, pairs=len(rows), raters=len(raters), overlap=overlap, seed=seed
    )
    return round


def deal(
    kinds: Sequence[tuple[SideSpec, SideSpec]], raters: Sequence[int], overlap: int, rng: Random
) -> list[tuple[int, int, int, bool]]:
    """(pair, rater, position in the rater's order, flipped) of every assignment.

    `kinds` tells of each pair which sides it is between. Pairs of one kind are dealt one after the other, so
    that raters share each kind evenly; each pair goes to those with the fewest so far, and among these to
    raters who have met least, so that agreement is measured between all of them.
    """
    groups: dict[tuple[SideSpec, SideSpec], list[int]] = {}
    for pair, kind in enumerate(kinds):
        groups.setdefault(kind, []).append(pair)
    load: Counter[int] = Counter(dict.fromkeys(raters, 0))
    met: Counter[frozenset[int]] = Counter()
    hands: dict[int, list[tuple[int, bool]]] = {rater: [] for rater in raters}
    for group in groups.values():
        for pair in rng.sample(group, len(group)):
            chosen = _choose(load, met, overlap, rng)
            for rater, flipped in zip(chosen, _flips(overlap, rng), strict=True):
                hands[rater].append((pair, flipped))
    return [
        (pair, rater, position, flipped)
        for rater, hand in hands.items()
        for position, (pair, flipped) in enumerate(rng.sample(hand, len(hand)))
    ]


def get(session: Session, project_id: int, round_id: int) -> Round:
    """Raises LookupError where the project has none of that number."""
    round = session.get(Round, round_id)
    if round is None or round.removed_at is not None or round.project_id != project_id:
        raise LookupError(f"There is no round number {round_id} in this project.")
    return round


def list_rounds(session: Session, project_id: int) -> list[Round]:
    """Those not removed, the newest first."""
    query = select(Round).where(Round.project_id == project_id, Round.removed_at.is_(None))
    return list(session.scalars(query.order_by(Round.id.desc())))


def list_open_for(session: Session, actor: Actor, project_id: int) -> list[Round]:
    """The open rounds in which the actor still has something to rate, the oldest first."""
    mine = (
        select(RoundPair.round_id)
        .join(Assignment, Assignment.pair_id == RoundPair.id)
        .where(Assignment.rater_id == actor.id, Assignment.done_at.is_(None))
    )
    query = select(Round).where(
        Round.project_id == project_id,
        Round.removed_at.is_(None),
        Round.closed_at.is_(None),
        Round.id.in_(mine),
    )
    return list(session.scalars(query.order_by(Round.id)))


def list_raters(session: Session) -> list[User]:
    """Who may rate: active people who may compare, by name."""
    found = [user for user in users.list_users(session) if _may_rate(user)]
    return sorted(found, key=lambda user: (user.full_name.casefold(), user.id))


def progress(session: Session, round_id: int) -> list[RaterProgress]:
    """How far each rater of a round has come, by name."""
    query = (
        select(
            User.id,
            User.full_name,
            func.count(),
            func.count(Assignment.vote_id),
            func.count(Assignment.done_at),
            func.max(Assignment.done_at),
        )
        .join(Assignment, Assignment.rater_id == User.id)
        .join(RoundPair, RoundPair.id == Assignment.pair_id)
        .where(RoundPair.round_id == round_id)
        .group_by(User.id, User.full_name)
        .order_by(User.full_name, User.id)
    )
    return [
        RaterProgress(id, name, total, voted, done - voted, last)
        for id, name, total, voted, done, last in session.execute(query)
    ]


def close(session: Session, actor: Actor, round_id: int) -> Round:
    """Take no more votes. Closing what is closed changes nothing."""
    round = _led(session, actor, round_id)
    if round.closed_at is None:
        round.closed_at = utc_now()
        audit.record(session, actor, "closed", round)
    return round


def reopen(session: Session, actor: Actor, round_id: int) -> Round:
    """Take votes again."""
    round = _led(session, actor, round_id)
    if round.closed_at is not None:
        round.closed_at = None
        audit.record(session, actor, "reopened_round", round)
    return round


def remove(session: Session, actor: Actor, round_id: int, *, removed: bool = True) -> Round:
    """Take a round out of the lists, or with removed=False put it back. Its votes stay."""
    require(actor, Right.LEAD_ROUNDS)
    round = session.get(Round, round_id)
    if round is None:
        raise LookupError(f"There is no round number {round_id}.")
    round.removed_at = utc_now() if removed else None
    audit.record(session, actor, "deleted" if removed else "restored", round)
    return round


def _led(session: Session, actor: Actor, round_id: int) -> Round:
    require(actor, Right.LEAD_ROUNDS)
    round = session.get(Round, round_id)
    if round is None or round.removed_at is not None:
        raise LookupError(f"There is no round number {round_id}.")
    return round


def _choose(load: Counter, met: Counter, overlap: int, rng: Random) -> list[int]:
    """That many raters for one pair; both counters grow."""
    if overlap == len(load):
        return rng.sample(list(load), overlap)
    chosen: list[int] = []
    for _ in range(overlap):
        free = [rater for rater in load if rater not in chosen]
        drawn = min(
            free, key=lambda r: (load[r], sum(met[frozenset((r, other))] for other in chosen), rng.random())
        )
        met.update(frozenset((drawn, other)) for other in chosen)
        chosen.append(drawn)
    load.update(chosen)
    rng.shuffle(chosen)
    return chosen


def _flips(count: int, rng: Random) -> list[bool]:
    """Half of them true; the odd one out by the toss of a coin."""
    flips = [place % 2 == 0 for place in range(count)]
    if rng.random() < 0.5:
        flips = [not flipped for flipped in flips]
    rng.shuffle(flips)
    return flips


def _checked(title: str, note: str) -> tuple[str, str]:
    title, note = " ".join((title or "").split()), (note or "").strip()
    if not title:
        raise ValueError("title: give the round a title.")
    for name, text, longest in (("title", title, _TITLE), ("note", note, _NOTE)):
        if len(text) > longest:
            raise ValueError(f"{name}: {len(text):,} characters; shorten it to {longest:,} at most.")
    return title, note


def _may_rate(user: User) -> bool:
    return user.is_active and users.as_actor(user).can(Right.COMPARE)


def _raters(session: Session, rater_ids: Collection[int]) -> list[User]:
    if not 1 <= len(rater_ids) <= MAX_RATERS:
        raise ValueError(f"raters: {len(rater_ids)} are chosen; choose 1 to {MAX_RATERS}.")
    if len(set(rater_ids)) < len(rater_ids):
        raise ValueError("raters: one is chosen twice; choose each once.")
    raters = [users.get_user(session, id) for id in rater_ids]
    if barred := next((rater for rater in raters if not _may_rate(rater)), None):
        raise ValueError(f"raters: {barred.full_name} may not compare answers; choose people who may.")
    return raters


def _couples(
    session: Session, project_id: int, pairs: Sequence[tuple[int, int]]
) -> list[tuple[Answer, Answer]]:
    """The answers of each pair, that of the lower position first."""
    if not 1 <= len(pairs) <= MAX_PAIRS:
        raise ValueError(f"pairs: {len(pairs):,} are chosen; choose 1 to {MAX_PAIRS:,}.")
    found = _find_answers(session, {id for pair in pairs for id in pair})
    couples = []
    for pair in pairs:
        one, other = (_usable(found.get(id), id, project_id) for id in pair)
        if one.comparison_id != other.comparison_id or one.id == other.id:
            raise ValueError("pairs: each needs two answers to one prompt; choose others.")
        couples.append((one, other) if one.position < other.position else (other, one))
    if len({(one.id, other.id) for one, other in couples}) < len(couples):
        raise ValueError("pairs: two answers are paired twice; choose each pair once.")
    return couples


def _find_answers(session: Session, ids: Collection[int]) -> dict[int, Answer]:
    found: dict[int, Answer] = {}
    for part in parts(sorted(ids)):
        query = select(Answer).options(joinedload(Answer.comparison)).where(Answer.id.in_(part))
        found |= {answer.id: answer for answer in session.scalars(query)}
    return found


def _usable(answer: Answer | None, id: int, project_id: int) -> Answer:
    if answer is None or answer.comparison.project_id != project_id:
        raise LookupError(f"There is no answer number {id} in this project.")
    comparison: Comparison = answer.comparison
    if comparison.emptied_at is not None:
        raise ValueError(f"pairs: the texts of comparison {comparison.id} are no longer kept; leave it out.")
    if not answer.text.strip():
        raise ValueError(f"pairs: comparison {comparison.id} has an empty answer; leave it out.")
    return answer
