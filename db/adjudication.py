"""Pairs of a round that its raters disagree on, and the vote that settles each: by another, and blind."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from db import votes
from db.assignments import Laid, LeftRight, by_answer, has_seen, laid_out, to_choice, to_left_right
from db.enums import Choice
from db.policy import Actor, PolicyError, Right, require
from db.projects import get_project
from db.tables import Round, RoundPair, Vote


@dataclass(frozen=True)
class Said:
    """One rater's vote on the pair, in the order in which it is laid out here.

    Their comment is in their own words: where it `is_mirrored`, what they call A is B here.
    """

    rater: str
    left_right: LeftRight
    comment: str
    is_mirrored: bool = False


@dataclass(frozen=True)
class Disagreement:
    """One pair and what its raters said. It is opposed where some prefer one answer and some the other."""

    pair_id: int
    comparison_id: int
    laid: Laid
    said: tuple[Said, ...]
    is_opposed: bool
    settled: Said | None  # by whom, and how


def disagreements(session: Session, round_id: int, *, unsettled: bool = False) -> list[Disagreement]:
    """The pairs whose raters differ, opposed ones first; with `unsettled`, those that nobody has settled.

    Holds no name of a side, and lays each pair out in an order of its own, the same at every look.
    """
    round = session.get(Round, round_id)
    if round is None or round.removed_at is not None:
        raise LookupError(f"There is no round number {round_id}.")
    by_pair: dict[tuple[int, int], list[Vote]] = {}
    for vote in session.scalars(_votes(round_id)):
        by_pair.setdefault((vote.one_id, vote.other_id), []).append(vote)
    found = []
    for pair in round.pairs:
        of_pair = by_pair.get((pair.one_id, pair.other_id), [])
        given = [vote for vote in of_pair if not vote.settles]
        settled = next((vote for vote in of_pair if vote.settles), None)
        if len({vote.choice for vote in given}) > 1 and not (unsettled and settled):
            found.append(_disagreement(session, round, pair, given, settled))
    return sorted(found, key=lambda one: not one.is_opposed)


def count(session: Session, round_id: int) -> int:
    """How many pairs the raters differ on that nobody has settled."""
    choices: dict[tuple[int, int], set[Choice]] = {}
    settled = set()
    for vote in session.scalars(_votes(round_id)):
        pair = (vote.one_id, vote.other_id)
        if vote.settles:
            settled.add(pair)
        else:
            choices.setdefault(pair, set()).add(vote.choice)
    return sum(len(given) > 1 and pair not in settled for pair, given in choices.items())


def adjudicate(
    session: Session,
    actor: Actor,
    pair_id: int,
    left_right: LeftRight,
    *,
    rubric: Mapping[str, Mapping[str, Any]] | None = None,
    corrected_answer: str = "",
    comment: str = "",
) -> Vote:
    """Settle a pair by a vote as `disagreements` lays it out; in a closed round too. Again changes one's own.

    Raises PolicyError where the actor voted on the pair (in a solo project they may), ValueError where its
    raters do not differ or somebody else settled it.
    """
    require(actor, Right.LEAD_ROUNDS)
    pair = session.get(RoundPair, pair_id)
    if pair is None:
        raise LookupError(f"There is no pair number {pair_id}.")
    of_pair = (Vote.one_id == pair.one_id, Vote.other_id == pair.other_id)
    found = list(session.scalars(_votes(pair.round_id).where(*of_pair)))
    given = [vote for vote in found if not vote.settles]
    _require_settleable(session, actor, pair, given, [vote for vote in found if vote.settles])
    is_flipped = _is_flipped(pair.round, pair)
    left, right = (pair.other_id, pair.one_id) if is_flipped else (pair.one_id, pair.other_id)
    return votes.cast(
        session,
        actor,
        pair.comparison_id,
        pair.one_id,
        pair.other_id,
        to_choice(left_right, is_flipped=is_flipped),
        rubric=by_answer(rubric or {}, left, right),
        corrected_answer=corrected_answer,
        comment=comment,
        is_blind=not has_seen(session, actor, pair),
        first_id=left,
        round_id=pair.round_id,
        settles=True,
    )


def _require_settleable(
    session: Session, actor: Actor, pair: RoundPair, given: Sequence[Vote], settled: Sequence[Vote]
) -> None:
    is_solo = get_project(session, pair.round.project_id).is_solo
    if not is_solo and any(vote.voter_id == actor.id for vote in given):
        raise PolicyError("You may not settle what you voted on yourself; somebody else does.")
    if len({vote.choice for vote in given}) < 2:
        raise ValueError("pair: its raters do not disagree; there is nothing to settle.")
    if other := next((vote for vote in settled if vote.voter_id != actor.id), None):
        raise ValueError(f"pair: {other.voter.full_name} settled it already.")


def _disagreement(
    session: Session, round: Round, pair: RoundPair, given: Sequence[Vote], settled: Vote | None
) -> Disagreement:
    is_flipped = _is_flipped(round, pair)

    left_id = pair.other_id if is_flipped else pair.one_id

    def said(vote: Vote) -> Said:
        pressed = to_left_right(vote.choice, is_flipped=is_flipped)
        is_mirrored = vote.first_id not in (None, left_id)
        return Said(vote.voter.full_name, pressed, vote.comment, is_mirrored)

    return Disagreement(
        pair.id,
        pair.comparison_id,
        laid_out(session, pair, is_flipped=is_flipped),
        tuple(map(said, given)),
        {Choice.ONE, Choice.OTHER} <= {vote.choice for vote in given},
        said(settled) if settled else None,
    )


def _is_flipped(round: Round, pair: RoundPair) -> bool:
    """Of each pair the same for everybody who settles, and as good as a coin."""
    return sha256(f"{round.seed}/{round.id}/{pair.id}".encode()).digest()[0] % 2 == 1


def _votes(round_id: int):
    query = select(Vote).options(joinedload(Vote.voter)).where(Vote.round_id == round_id)
    return query.order_by(Vote.id)
