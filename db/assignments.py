"""A rater's way through a round: the next pair, the vote on it, a step back, and afterwards which was which.

Which answer stands on the left is in the assignment alone. `lay_out` gives a page the texts in the order in
which they are shown, and nothing that tells the sides apart; `reveal` does, once there is a vote.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from db import audit, comparisons, feedback, sides, votes
from db.enums import Choice
from db.policy import Actor, PolicyError, Right, require
from db.tables import Assignment, Comparison, Round, RoundPair, Vote
from db.tables.base import utc_now

LeftRight = Literal["left", "right", "tie", "both_bad"]
LEFT_RIGHT: tuple[LeftRight, ...] = ("left", "right", "tie", "both_bad")
MAX_REASON = 300  # characters


@dataclass(frozen=True)
class Turn:
    """An earlier turn of a conversation, as both sides were asked and as each answered."""

    asked: str
    left: str
    right: str


@dataclass(frozen=True)
class Laid:
    """A pair as its rater sees it. Holds no name, id or figure of a side."""

    system: str
    before: tuple[Turn, ...]
    instruction: str
    input: str
    left: str
    right: str
    left_is_cut: bool  # it ended at the longest answer allowed
    right_is_cut: bool


@dataclass(frozen=True)
class Revealed:
    """Which side stood where."""

    left: str
    right: str


def next_assignment(session: Session, actor: Actor, round_id: int) -> Assignment | None:
    """The first that the actor has not done, in their own order; None at the end. Begins nothing.

    Passed over are pairs whose texts retention took while the round was closed.
    """
    require(actor, Right.COMPARE)
    _round(session, round_id)
    waiting = _own(actor, round_id).join(Comparison, Comparison.id == RoundPair.comparison_id)
    readable = (Assignment.done_at.is_(None), Comparison.emptied_at.is_(None))
    return session.scalar(waiting.where(*readable).order_by(Assignment.position).limit(1))


def list_own(session: Session, actor: Actor, round_id: int) -> list[Assignment]:
    """The actor's assignments of a round, in their own order."""
    require(actor, Right.COMPARE)
    _round(session, round_id)
    query = _own(actor, round_id).options(joinedload(Assignment.vote)).order_by(Assignment.position)
    return list(session.scalars(query))


def open_assignment(
    session: Session, actor: Actor, assignment_id: int, *, now: datetime | None = None
) -> Assignment:
    """Begin one: from the first opening on its time counts. Opening it again changes nothing."""
    assignment = _mine(session, actor, assignment_id, is_open=True)
    if assignment.opened_at is None:
        assignment.opened_at = now or utc_now()
        audit.record(session, actor, "opened", assignment)
    return assignment


def lay_out(session: Session, actor: Actor, assignment_id: int) -> Laid:
    """What the rater sees of it. Also in a closed round, for what they have done there."""
    assignment = _mine(session, actor, assignment_id)
    return laid_out(session, assignment.pair, is_flipped=assignment.is_flipped)


def laid_out(session: Session, pair: RoundPair, *, is_flipped: bool) -> Laid:
    """A pair's texts, the other answer on the left where it is flipped."""
    left, right = (pair.other, pair.one) if is_flipped else (pair.one, pair.other)
    *before, last = comparisons.turns_of(session, pair.comparison)
    return Laid(
        system=last.system,
        before=tuple(_turn(turn, left.position, right.position) for turn in before),
        instruction=last.instruction,
        input=last.input,
        left=left.text,
        right=right.text,
        left_is_cut=left.finish_reason == "length",
        right_is_cut=right.finish_reason == "length",
    )


def vote_on(
    session: Session,
    actor: Actor,
    assignment_id: int,
    left_right: LeftRight,
    *,
    rubric: Mapping[str, Mapping[str, Any]] | None = None,
    corrected_answer: str = "",
    comment: str = "",
    now: datetime | None = None,
) -> Vote:
    """The rater's vote; again replaces the earlier one. `rubric` is {"left": {axis: value}, "right": ...}.

    It counts as blind unless the rater could know the sides: they were revealed to them, or they had voted
    on the same pair in the open. Raises ValueError naming the field.
    """
    assignment = _mine(session, actor, assignment_id, is_open=True)
    now, pair = now or utc_now(), assignment.pair
    left, right = (pair.other_id, pair.one_id) if assignment.is_flipped else (pair.one_id, pair.other_id)
    vote = votes.cast(
        session,
        actor,
        pair.comparison_id,
        pair.one_id,
        pair.other_id,
        to_choice(left_right, is_flipped=assignment.is_flipped),
        rubric=by_answer(rubric or {}, left, right),
        corrected_answer=corrected_answer,
        comment=comment,
        is_blind=assignment.revealed_at is None and not has_seen(session, actor, pair),
        first_id=left,
        seconds=(now - assignment.opened_at).total_seconds() if assignment.opened_at else None,
        round_id=pair.round_id,
    )
    assignment.vote_id, assignment.skipped = vote.id, ""
    assignment.done_at = assignment.done_at or now
    session.flush()
    return vote


def skip(
    session: Session, actor: Actor, assignment_id: int, reason: str = "", *, now: datetime | None = None
) -> Assignment:
    """Leave a pair out, with the reason; `undo` brings it back. A vote has to be undone first."""
    assignment = _mine(session, actor, assignment_id, is_open=True)
    if assignment.vote_id is not None:
        raise ValueError("assignment: you voted on it; undo the vote first.")
    reason = " ".join(reason.split()) or "no reason given"
    if len(reason) > MAX_REASON:
        raise ValueError(f"reason: {len(reason):,} characters; shorten it to {MAX_REASON:,} at most.")
    assignment.skipped, assignment.done_at = reason, now or utc_now()
    audit.record(session, actor, "skipped", assignment)
    return assignment


def undo(session: Session, actor: Actor, round_id: int) -> Assignment | None:
    """Take back what the actor did last in a round, a vote or a skip; None where there is nothing.

    The vote goes, and with it the instruction of its correction if nobody has decided on that. What was
    revealed stays known: a new vote on it will not count as blind.
    """
    require(actor, Right.COMPARE)
    _require_open(_round(session, round_id))
    done = _own(actor, round_id).where(Assignment.done_at.is_not(None))
    assignment = session.scalar(done.order_by(Assignment.done_at.desc(), Assignment.position.desc()).limit(1))
    if assignment is None:
        return None
    vote, assignment.vote_id = assignment.vote, None
    assignment.done_at, assignment.skipped = None, ""
    session.flush()
    if vote is not None:
        vote.corrected_answer = ""
        feedback.keep(session, actor, vote)
        session.expire(assignment, ["vote"])
        session.delete(vote)
    audit.record(session, actor, "undid", assignment)
    return assignment


def reveal(session: Session, actor: Actor, assignment_id: int) -> Revealed:
    """Which side stood where, to the rater who has voted. Raises PolicyError before the vote."""
    assignment = _mine(session, actor, assignment_id)
    if assignment.vote_id is None:
        raise PolicyError("You may not see which answer is whose before your vote.")
    if assignment.revealed_at is None:
        assignment.revealed_at = utc_now()
        audit.record(session, actor, "revealed", assignment)
    pair = assignment.pair
    one, other = (sides.label_of(session, sides.of_answer(answer)) for answer in (pair.one, pair.other))
    return Revealed(other, one) if assignment.is_flipped else Revealed(one, other)


def to_choice(left_right: str, *, is_flipped: bool) -> Choice:
    """A vote between left and right as one between `one` and `other`. Raises ValueError."""
    if left_right not in LEFT_RIGHT:
        raise ValueError(f"vote: {str(left_right)[:40]!r} is not one of {', '.join(LEFT_RIGHT)}.")
    if left_right in ("left", "right"):
        return Choice.OTHER if (left_right == "left") == is_flipped else Choice.ONE
    return Choice(left_right)


def to_left_right(choice: Choice, *, is_flipped: bool) -> LeftRight:
    """`to_choice` the other way round: what the rater pressed."""
    if choice in (Choice.ONE, Choice.OTHER):
        return "left" if (choice is Choice.OTHER) == is_flipped else "right"
    return "tie" if choice is Choice.TIE else "both_bad"


def by_answer(rubric: Mapping[str, Mapping[str, Any]], left: int, right: int) -> dict[int, Mapping[str, Any]]:
    """What was said of left and right, by the ids of the answers that stood there."""
    if set(rubric) - {"left", "right"}:
        raise ValueError("rubric: say it of the left and the right answer.")
    return {left if side == "left" else right: values for side, values in rubric.items()}


def still_blind(session: Session, actor: Actor, project_id: int) -> dict[int, str]:
    """The comparisons that the actor is still to judge blind, each with the title of its open round: until
    then nothing may show the actor their sides."""
    query = (
        select(RoundPair.comparison_id, Round.title)
        .join(Assignment, Assignment.pair_id == RoundPair.id)
        .join(Round, Round.id == RoundPair.round_id)
        .where(Round.project_id == project_id, Round.closed_at.is_(None), Round.removed_at.is_(None))
        .where(Assignment.rater_id == actor.id, Assignment.done_at.is_(None))
    )
    return {row.comparison_id: row.title for row in session.execute(query)}


def has_seen(session: Session, actor: Actor, pair: RoundPair) -> bool:
    """True where the rater knows the sides of this pair: who asked for the answers one by one, outside a
    batch, or voted on them before with the names in view."""
    if pair.comparison.job_id is None and pair.comparison.created_by_id == actor.id:
        return True
    query = select(Vote.id).where(
        Vote.one_id == pair.one_id,
        Vote.other_id == pair.other_id,
        Vote.voter_id == actor.id,
        Vote.is_blind.is_(False),
    )
    return session.scalar(query.limit(1)) is not None


def _own(actor: Actor, round_id: int):
    return (
        select(Assignment)
        .join(RoundPair, RoundPair.id == Assignment.pair_id)
        .where(RoundPair.round_id == round_id, Assignment.rater_id == actor.id)
    )


def _round(session: Session, round_id: int) -> Round:
    round = session.get(Round, round_id)
    if round is None or round.removed_at is not None:
        raise LookupError(f"There is no round number {round_id}.")
    return round


def _require_open(round: Round) -> None:
    if round.closed_at is not None:
        raise ValueError("round: it is closed; no more votes are taken.")


def _mine(session: Session, actor: Actor, assignment_id: int, *, is_open: bool = False) -> Assignment:
    """Another's counts as none, so that numbers tell nothing."""
    require(actor, Right.COMPARE)
    assignment = session.get(Assignment, assignment_id)
    if assignment is None or assignment.rater_id != actor.id:
        raise LookupError(f"There is no assignment number {assignment_id} of yours.")
    round = _round(session, assignment.pair.round_id)
    if is_open:
        _require_open(round)
    return assignment


def _turn(turn: Comparison, left: int, right: int) -> Turn:
    said = {answer.position: answer.text for answer in turn.answers}
    return Turn(comparisons.prompt_text(turn.instruction, turn.input), said[left], said[right])
