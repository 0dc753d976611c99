"""Votes: what people prefer of two answers to one prompt, and those votes as ballots for a verdict."""

from collections.abc import Callable, Iterable, Mapping
from functools import cache, partial
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from db import audit, comparisons, feedback, sides
from db.ballots import Ballot
from db.compare_spec import SideSpec
from db.content import MAX_CHARACTERS
from db.enums import Choice
from db.policy import Actor, PolicyError, Right, require
from db.rubric import DEFAULT, of_round
from db.rubric import read as read_rubric
from db.session import parts
from db.tables import Answer, Comparison, Round, RoundPair, Vote

MAX_COMMENT = 4_000  # characters


def cast(
    session: Session,
    actor: Actor,
    comparison_id: int,
    one_id: int,
    other_id: int,
    choice: Choice,
    *,
    rubric: Mapping[int, Mapping[str, Any]] | None = None,
    corrected_answer: str = "",
    comment: str = "",
    is_blind: bool = False,
    first_id: int | None = None,
    seconds: float | None = None,
    round_id: int | None = None,
    settles: bool = False,
) -> Vote:
    """The actor's vote on two answers of a comparison; voting again replaces their earlier one.

    Give the answers in either order; `choice` means them as given. `rubric` is {answer id: {axis: value}}, by
    the round's axes or else the default ones; `first_id` is the answer that stood on the left, `seconds`
    the time from showing the pair to the vote. A corrected answer goes to the reviewers as an instruction of
    origin feedback. Raises ValueError naming the field, LookupError, PolicyError.
    """
    require(actor, Right.COMPARE)
    one, other = _answers(session, comparison_id, one_id, other_id)
    choice = Choice(choice)
    if one.position > other.position:
        one, other, choice = other, one, _SWAPPED.get(choice, choice)
    comparison = one.comparison
    round = None if round_id is None else _round(session, comparison, round_id, one, other)
    if settles:
        _require_settler(actor, round)
    elif round is not None and round.closed_at is not None:
        raise ValueError("round: it is closed; no more votes are taken.")
    _check_texts(corrected_answer, comment, comparison)
    if first_id not in (None, one.id, other.id):
        raise ValueError("first: name one of the two answers, or none.")
    vote = _find(session, actor, one, other, round_id, settles) or Vote(
        comparison_id=comparison.id,
        one_id=one.id,
        other_id=other.id,
        voter_id=actor.id,
        round_id=round_id,
        settles=settles,
    )
    vote.choice = choice
    vote.rubric = _read_rubric(rubric or {}, (one.id, other.id), round)
    vote.corrected_answer = corrected_answer.strip()
    vote.comment = comment.strip()
    vote.is_blind = is_blind
    vote.first_id = first_id
    vote.seconds = None if seconds is None else max(0.0, float(seconds))
    session.add(vote)
    feedback.keep(session, actor, vote)
    blind = {"blind": True} if is_blind else {}
    in_round = {} if round_id is None else {"round": round_id}
    # A round's line does not tell the choice: who reads the activity may be a rater of it.
    told = {} if round_id is not None else {"choice": choice}
    audit.record(session, actor, "settled" if settles else "voted", comparison, **told, **blind, **in_round)
    return vote


def own(session: Session, actor: Actor, comparison_ids: Iterable[int]) -> dict[int, Vote]:
    """The actor's newest vote outside rounds on each of the comparisons: comparison id -> vote."""
    found: dict[int, Vote] = {}
    for part in parts(list(comparison_ids)):
        query = select(Vote).where(
            Vote.comparison_id.in_(part), Vote.voter_id == actor.id, Vote.round_id.is_(None)
        )
        found |= {
            vote.comparison_id: vote for vote in session.scalars(query.order_by(Vote.updated_at, Vote.id))
        }
    return found


def own_on(session: Session, actor: Actor, one_id: int, other_id: int) -> Vote | None:
    """The actor's vote outside rounds on these two answers, given in either order."""
    ids = (one_id, other_id)
    query = select(Vote).where(
        Vote.one_id.in_(ids),
        Vote.other_id.in_(ids),
        Vote.voter_id == actor.id,
        Vote.round_id.is_(None),
        Vote.settles.is_(False),
    )
    return session.scalar(query)


def ballots(
    session: Session, project_id: int, *, round_id: int | None = None, blind_only: bool = False
) -> list[Ballot]:
    """The votes of a project, or of one round of it, as a verdict reads them, in the order they were cast.

    Votes that settle a disagreement are not among them: they are about what others said already. One rater's
    votes on one pair, inside a round and outside, count once, the blind one before the other.
    """
    votes = list_votes(session, project_id, round_id=round_id, blind_only=blind_only)
    label = cache(partial(sides.label_of, session))
    return [_ballot(session, vote, label) for vote in _once(votes)]


def list_votes(
    session: Session,
    project_id: int,
    *,
    round_id: int | None = None,
    blind_only: bool = False,
    settling: bool = False,
) -> list[Vote]:
    """The votes of a project or of one round, with answers and prompts at hand; with `settling`, those that
    settle instead."""
    query = (
        select(Vote)
        .join(Comparison, Comparison.id == Vote.comparison_id)
        .where(Comparison.project_id == project_id, Vote.settles.is_(settling))
        .options(
            joinedload(Vote.one),
            joinedload(Vote.other),
            joinedload(Vote.comparison).joinedload(Comparison.prompt_version),
            joinedload(Vote.comparison).selectinload(Comparison.answers),
        )
        .order_by(Vote.id)
    )
    if round_id is not None:
        query = query.where(Vote.round_id == round_id)
    if blind_only:
        query = query.where(Vote.is_blind.is_(True))
    return list(session.scalars(query))


_SWAPPED = {Choice.ONE: Choice.OTHER, Choice.OTHER: Choice.ONE}


def _answers(session: Session, comparison_id: int, *ids: int) -> tuple[Answer, Answer]:
    answers = (session.get(Answer, id) for id in ids)
    found = [answer for answer in answers if answer and answer.comparison_id == comparison_id]
    if len(found) < len(ids):
        raise LookupError(f"These are not two answers of comparison number {comparison_id}.")
    if ids[0] == ids[1]:
        raise ValueError("answers: a vote is between two of them; name two.")
    return found[0], found[1]


def _round(session: Session, comparison: Comparison, round_id: int, one: Answer, other: Answer) -> Round:
    round = session.get(Round, round_id)
    if round is None or round.removed_at is not None or round.project_id != comparison.project_id:
        raise LookupError(f"There is no round number {round_id} in this project.")
    pair = select(RoundPair.id).where(
        RoundPair.round_id == round_id, RoundPair.one_id == one.id, RoundPair.other_id == other.id
    )
    if session.scalar(pair) is None:
        raise LookupError(f"These two answers are no pair of round number {round_id}.")
    return round


def _require_settler(actor: Actor, round: Round | None) -> None:
    require(actor, Right.LEAD_ROUNDS)
    if round is None:
        raise PolicyError("You may only settle what a round's raters disagree on.")


def _check_texts(corrected_answer: str, comment: str, comparison: Comparison) -> None:
    for name, text, longest in (
        ("corrected answer", corrected_answer, MAX_CHARACTERS),
        ("comment", comment, MAX_COMMENT),
    ):
        if not isinstance(text, str):
            raise ValueError(f"{name}: must be text, not {type(text).__name__}.")
        if len(text) > longest:
            raise ValueError(f"{name}: {len(text):,} characters; shorten it to {longest:,} at most.")
    if corrected_answer.strip() and comparison.emptied_at is not None:
        raise ValueError("corrected answer: the prompt it answers is no longer kept; leave the field empty.")


def _find(
    session: Session, actor: Actor, one: Answer, other: Answer, round_id: int | None, settles: bool
) -> Vote | None:
    same_round = Vote.round_id.is_(None) if round_id is None else Vote.round_id == round_id
    return session.scalar(
        select(Vote).where(
            Vote.one_id == one.id,
            Vote.other_id == other.id,
            Vote.voter_id == actor.id,
            Vote.settles.is_(settles),
            same_round,
        )
    )


def _read_rubric(
    given: Mapping[int, Mapping[str, Any]], ids: tuple[int, int], round: Round | None
) -> dict[str, dict[str, str]]:
    """{answer id as text: {axis: value}}, without answers of which nothing was said."""
    axes = DEFAULT if round is None else of_round(round)
    by_id = {str(id): values for id, values in given.items()}
    if set(by_id) - set(map(str, ids)):
        raise ValueError("rubric: it names an answer that the vote is not about.")
    read = {str(id): read_rubric(by_id.get(str(id)), axes) for id in ids}
    return {id: values for id, values in read.items() if values}


def _once(votes: Iterable[Vote]) -> list[Vote]:
    kept: dict[tuple[int, int, int], Vote] = {}
    for vote in votes:
        place = (vote.one_id, vote.other_id, vote.voter_id)
        if place not in kept or vote.is_blind >= kept[place].is_blind:
            kept[place] = vote
    return sorted(kept.values(), key=lambda vote: vote.id)


def _ballot(session: Session, vote: Vote, label: Callable[[SideSpec], str]) -> Ballot:
    named = {str(answer.id): label(sides.of_answer(answer)) for answer in (vote.one, vote.other)}
    first = comparisons.turns_of(session, vote.comparison)[0]
    prompt = vote.comparison.prompt_version
    return Ballot(
        prompt=comparisons.prompt_hash(first),
        rater=vote.voter_id,
        one=named[str(vote.one_id)],
        other=named[str(vote.other_id)],
        choice=vote.choice,
        specialty=prompt.specialty if prompt else "",
        task=prompt.task if prompt else "",
        rubric={named[id]: values for id, values in vote.rubric.items() if id in named},
        is_blind=vote.is_blind,
        comparison=vote.comparison_id,
    )
