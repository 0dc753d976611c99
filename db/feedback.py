"""Corrected answers come back: each becomes an instruction of origin feedback that waits for a review.

It passes the gate that every instruction passes. A near copy of a stored text stays a draft, for a reviewer
to look at both; only corrections of the same prompt by several raters stand beside each other, with a waiver
that says so. A later change of the correction revises the instruction as long as nobody has decided on it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy import select
from sqlalchemy.orm import Session

from db import comparisons, duplicates, handing_in, instructions, rubric, sides
from db.content import Content, content_of
from db.enums import Category, Choice, InstructionStatus, Origin, Provenance, Role
from db.policy import Actor
from db.tables import Answer, Comparison, Instruction, Review, Round, Vote

TASK = "playground"  # of a correction whose prompt names no task; a reviewer may choose a better one
TAG = "feedback"
_SAME_PROMPT = "Another rater's correction of an answer to the same prompt."
_UNDECIDED = (InstructionStatus.DRAFT, InstructionStatus.IN_REVIEW)


@dataclass(frozen=True)
class Rated:
    """What the rater said of one answer. `name` tells the side, unless the round is still open."""

    name: str
    text: str
    is_preferred: bool
    rubric: tuple[tuple[str, str], ...]  # (title of the axis, value)


@dataclass(frozen=True)
class Feedback:
    """Where an instruction of origin feedback comes from, for whoever reviews it."""

    comparison_id: int
    round_id: int | None
    rater: str
    choice: Choice
    is_blind: bool
    is_open: bool  # its round still runs: neither the sides' names nor the comparison are shown
    comment: str
    answers: tuple[Rated, ...]


def keep(session: Session, actor: Actor, vote: Vote) -> Instruction | None:
    """Bring the instruction of a vote to what the vote says now; None where there is none.

    Call it in the vote's own transaction. A correction that is taken out takes an undecided instruction with
    it. Raises ValueError naming the field that an instruction cannot have.
    """
    session.flush()
    held = session.get(Instruction, vote.instruction_id) if vote.instruction_id else None
    if held is not None and not _is_undecided(session, held):
        return held
    writer = _as_writer(actor)
    if not vote.corrected_answer:
        if held is not None:
            instructions.delete_instruction(session, writer, held.id)
            vote.instruction_id = None
        return None
    content = _content(session, vote)
    if held is None:
        held = _create(session, writer, vote, content)
    elif (content.instruction, content.input, content.output) == (held.instruction, held.input, held.output):
        return held
    else:
        revised = replace(content_of(held), output=content.output, input=content.input)
        instructions.edit_instruction(
            session, writer, held.id, revised, version=held.version, reason="The rater changed the correction"
        )
    _hand_in(session, writer, held)
    return held


def about(session: Session, instruction: Instruction) -> Feedback | None:
    """The vote that a correction came with; None for every other instruction."""
    if instruction.origin is not Origin.FEEDBACK:
        return None
    vote = session.scalar(select(Vote).where(Vote.instruction_id == instruction.id).limit(1))
    if vote is None:
        return None
    round = session.get(Round, vote.round_id) if vote.round_id else None
    is_open = round is not None and round.closed_at is None
    titles = {axis.key: axis.title for axis in (rubric.of_round(round) if round else rubric.DEFAULT)}
    answers = [vote.one, vote.other]
    if vote.first_id == vote.other_id:
        answers.reverse()
    return Feedback(
        comparison_id=vote.comparison_id,
        round_id=vote.round_id,
        rater=vote.voter.full_name,
        choice=vote.choice,
        is_blind=vote.is_blind,
        is_open=is_open,
        comment=vote.comment,
        answers=tuple(
            _rated(session, vote, answer, f"Answer {'AB'[place]}" if is_open else "", titles)
            for place, answer in enumerate(answers)
        ),
    )


def _rated(session: Session, vote: Vote, answer: Answer, name: str, titles: dict[str, str]) -> Rated:
    preferred = {Choice.ONE: vote.one_id, Choice.OTHER: vote.other_id}.get(vote.choice)
    said = vote.rubric.get(str(answer.id), {})
    return Rated(
        name or sides.label_of(session, sides.of_answer(answer)),
        answer.text,
        preferred == answer.id,
        tuple((titles.get(key, key), value) for key, value in said.items()),
    )


def _as_writer(actor: Actor) -> Actor:
    """A rater need not be an author: for the one instruction that a correction makes, they are."""
    return replace(actor, roles=actor.roles | {Role.AUTHOR})


def _is_undecided(session: Session, instruction: Instruction) -> bool:
    """Nobody has decided on any of its versions, nor written in it but its rater."""
    decided = select(Review.id).where(Review.instruction_id == instruction.id).limit(1)
    return (
        instruction.status in _UNDECIDED
        and instruction.deleted_at is None
        and all(revision.author_id == instruction.author_id for revision in instruction.revisions)
        and session.scalar(decided) is None
    )


def _content(session: Session, vote: Vote) -> Content:
    """The prompt with the corrected answer. Earlier turns are written out in the input, the system prompt
    before the instruction: without either the answer could not be understood."""
    comparison, prompt = vote.comparison, vote.comparison.prompt_version
    *before, last = comparisons.turns_of(session, comparison)
    answered = vote.other if vote.choice is Choice.OTHER else vote.one
    talk = [line for turn in before for line in _spoken(turn, answered.position)]
    return Content(
        instruction=_joined([comparison.system, last.instruction]),
        input=_joined([*talk, last.input]),
        output=vote.corrected_answer,
        category=prompt.category if prompt else Category.OTHER,
        task=(prompt.task if prompt else "") or TASK,
        specialty=prompt.specialty if prompt else "",
        tags=tuple(dict.fromkeys([*(prompt.tags if prompt else ()), TAG])),
        source=f"Comparison {comparison.id}",
    )


def _spoken(turn: Comparison, position: int) -> list[str]:
    answer = next(answer.text for answer in turn.answers if answer.position == position)
    return [f"User: {comparisons.prompt_text(turn.instruction, turn.input)}", f"Assistant: {answer}"]


def _joined(parts: Sequence[str]) -> str:
    return "\n\n".join(part for part in parts if part)


def _create(session: Session, writer: Actor, vote: Vote, content: Content) -> Instruction:
    made = instructions.create_instruction(
        session,
        writer,
        vote.comparison.project_id,
        content,
        origin=Origin.FEEDBACK,
        provenance=Provenance.NATIVE,
        reason=f"A correction in comparison {vote.comparison_id}",
    )
    made.comparison_id = vote.comparison_id
    vote.instruction_id = made.id
    return made


def _hand_in(session: Session, writer: Actor, made: Instruction) -> None:
    """To the reviewers, unless it is a near copy of something else than its sisters."""
    sisters = {waiver.near_id for waiver in duplicates.list_waivers(session, made)}
    while near := duplicates.find_copy(
        session, made.project_id, content_of(made), except_ids={made.id, *sisters}
    ):
        sister = session.get_one(Instruction, near.id)
        if (sister.origin, sister.instruction, sister.input) != (made.origin, made.instruction, made.input):
            return
        duplicates.waive(session, writer, made.id, near.id, version=made.version, reason=_SAME_PROMPT)
        sisters.add(near.id)
    handing_in.hand_in(session, writer, made.id, version=made.version)
