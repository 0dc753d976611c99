"""The prompt shelf, and comparisons: one prompt, the same settings, two answers; and votes on them."""

from dataclasses import asdict, dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from db import audit
from db.enums import Choice, Side
from db.policy import Actor, Right, require
from db.registry import get_adapter
from db.tables import Answer, Comparison, Prompt, Vote


@dataclass(frozen=True)
class Sampling:
    """How both answers are drawn. Temperature 0 is greedy."""

    max_tokens: int = 200
    temperature: float = 0.0
    seed: int = 0

    def __post_init__(self) -> None:
        if not 1 <= self.max_tokens <= 4096:
            raise ValueError(f"longest answer: {self.max_tokens} cannot be; give 1 to 4,096 tokens.")
        if not 0 <= self.temperature <= 2:
            raise ValueError(
                f"temperature: {self.temperature:g} cannot be; give 0 (always the likeliest word) to 2."
            )
        if not 0 <= self.seed < 2**31:
            raise ValueError(f"seed: {self.seed} cannot be; give a whole number from 0 to 2,147,483,647.")


@dataclass(frozen=True)
class AnswerText:
    """One side's finished answer as the model server gave it."""

    side: Side
    text: str
    finish_reason: str
    provenance: dict


def list_prompts(session: Session, project_id: int) -> list[Prompt]:
    return list(session.scalars(select(Prompt).where(Prompt.project_id == project_id).order_by(Prompt.id)))


def get_prompt(session: Session, prompt_id: int) -> Prompt:
    prompt = session.get(Prompt, prompt_id)
    if prompt is None:
        raise LookupError(f"There is no prompt number {prompt_id}.")
    return prompt


def record_comparison(
    session: Session,
    actor: Actor,
    adapter_id: int,
    *,
    instruction: str,
    input: str,
    sampling: Sampling,
    answers: list[AnswerText],
    prompt_id: int | None = None,
) -> Comparison:
    """Keep a finished pair of answers."""
    require(actor, Right.COMPARE)
    adapter = get_adapter(session, adapter_id)
    comparison = Comparison(
        project_id=adapter.project_id,
        adapter_id=adapter.id,
        prompt_id=prompt_id,
        instruction=instruction,
        input=input,
        sampling=asdict(sampling),
        created_by_id=actor.id,
        answers=[Answer(**asdict(answer)) for answer in answers],
    )
    session.add(comparison)
    audit.record(session, actor, "compared", comparison, adapter=adapter.id)
    return comparison


def get_comparison(session: Session, comparison_id: int) -> Comparison:
    comparison = session.get(Comparison, comparison_id)
    if comparison is None:
        raise LookupError(f"There is no comparison number {comparison_id}.")
    return comparison


def list_comparisons(session: Session, project_id: int, *, limit: int = 20) -> list[Comparison]:
    query = (
        select(Comparison)
        .where(Comparison.project_id == project_id)
        .order_by(Comparison.id.desc())
        .limit(limit)
    )
    return list(session.scalars(query))


def count_comparisons(session: Session, project_id: int) -> int:
    return session.scalar(select(func.count()).where(Comparison.project_id == project_id)) or 0


def get_vote(session: Session, actor: Actor, comparison_id: int) -> Vote | None:
    """The actor's own vote on a comparison."""
    query = select(Vote).where(Vote.comparison_id == comparison_id, Vote.voter_id == actor.id)
    return session.scalar(query)


def list_votes(session: Session, actor: Actor, comparison_ids: list[int]) -> dict[int, Choice]:
    """The actor's own votes: comparison id -> choice."""
    query = select(Vote).where(Vote.comparison_id.in_(comparison_ids), Vote.voter_id == actor.id)
    return {ballot.comparison_id: ballot.choice for ballot in session.scalars(query)}


def vote(
    session: Session,
    actor: Actor,
    comparison_id: int,
    choice: Choice,
    *,
    corrected_answer: str = "",
    comment: str = "",
) -> Vote:
    """One vote a person and comparison; voting again replaces the earlier one."""
    require(actor, Right.COMPARE)
    comparison = get_comparison(session, comparison_id)
    ballot = get_vote(session, actor, comparison.id) or Vote(comparison_id=comparison.id, voter_id=actor.id)
    ballot.choice = choice
    ballot.corrected_answer = corrected_answer.strip()
    ballot.comment = comment.strip()
    session.add(ballot)
    audit.record(session, actor, "voted", comparison, choice=choice)
    return ballot
