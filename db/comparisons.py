"""Comparisons: one prompt put to several sides with the same settings, their answers, and what follows."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from db import audit, sides
from db.compare_spec import Sampling, SideSpec, require_sides
from db.content import MAX_CHARACTERS
from db.policy import Actor, Right, require
from db.projects import get_project
from db.tables import Answer, Comparison, Prompt, PromptVersion

FINISHES = ("stop", "length", "cancelled")
LONGEST_TALK = 50  # turns


@dataclass(frozen=True)
class AnswerText:
    """One side's finished answer, with the figures and the provenance it came with."""

    side: SideSpec
    text: str
    finish_reason: str  # stop, length or cancelled
    tokens: int = 0
    tokens_per_second: float = 0.0
    first_token_seconds: float | None = None
    provenance: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.finish_reason not in FINISHES:
            raise ValueError(f"finish reason: {self.finish_reason!r} is not one of {', '.join(FINISHES)}.")


def record(
    session: Session,
    actor: Actor,
    project_id: int,
    *,
    instruction: str,
    input: str = "",
    system: str = "",
    sampling: Sampling,
    answers: Sequence[AnswerText],
    prompt_version_id: int | None = None,
    follows_id: int | None = None,
) -> Comparison:
    """Keep a finished comparison: its answers stand in the order in which they are given.

    Raises ValueError naming the field that cannot be, LookupError for what another project holds.
    """
    require(actor, Right.COMPARE)
    require_texts(instruction, input, system)
    asked = require_sides([answer.side for answer in answers])
    get_project(session, project_id)
    if prompt_version_id is not None:
        _require_prompt(session, project_id, prompt_version_id)
    if follows_id is not None:
        _require_same_sides(get(session, project_id, follows_id), asked)
    comparison = Comparison(
        project_id=project_id,
        prompt_version_id=prompt_version_id,
        follows_id=follows_id,
        instruction=instruction.strip(),
        input=input.strip(),
        system=system.strip(),
        sampling=asdict(sampling),
        created_by_id=actor.id,
        answers=[to_row(answer, position) for position, answer in enumerate(answers)],
    )
    session.add(comparison)
    audit.record(session, actor, "compared", comparison, sides=len(answers))
    return comparison


def to_row(answer: AnswerText, position: int) -> Answer:
    """The row of an answer in that column, to be put among a comparison's answers."""
    given = {name: value for name, value in vars(answer).items() if name != "side"}
    return Answer(position=position, **asdict(answer.side), **given)


def get(session: Session, project_id: int, comparison_id: int) -> Comparison:
    """Raises LookupError where the project has none of that number."""
    comparison = session.get(Comparison, comparison_id)
    if comparison is None or comparison.project_id != project_id:
        raise LookupError(f"There is no comparison number {comparison_id} in this project.")
    return comparison


def list_recent(session: Session, project_id: int, *, limit: int = 20) -> list[Comparison]:
    """Those with answers, the newest first; the rows of batches stand on the batches' own page."""
    query = (
        select(Comparison)
        .where(Comparison.project_id == project_id, Comparison.job_id.is_(None), Comparison.answers.any())
        .order_by(Comparison.id.desc())
        .limit(limit)
    )
    return list(session.scalars(query))


def count(session: Session, project_id: int) -> int:
    """How many have answers, those of batches too."""
    found = select(func.count()).where(Comparison.project_id == project_id, Comparison.answers.any())
    return session.scalar(found) or 0


def turns_of(session: Session, comparison: Comparison) -> list[Comparison]:
    """The conversation that led to a comparison: the oldest turn first, the comparison itself last."""
    turns = [comparison]
    while turns[-1].follows_id is not None and len(turns) <= LONGEST_TALK:
        turns.append(session.get_one(Comparison, turns[-1].follows_id))
    return turns[::-1]


def messages(
    turns: Sequence[Comparison], position: int, *, system: str, instruction: str, input: str = ""
) -> list[dict[str, str]]:
    """What the side in column `position` is asked next, after its own answers to `turns`.

    `{"role", "content"}` each, as the OpenAI protocol has them; a system message only where there is one.
    Raises ValueError where the side said nothing, or where retention has emptied a turn.
    """
    asked = [{"role": "system", "content": system.strip()}] if system.strip() else []
    for turn in turns:
        if turn.emptied_at is not None:
            raise ValueError("conversation: its texts are no longer kept; begin a new one.")
        answer = next((answer for answer in turn.answers if answer.position == position), None)
        if answer is None or not answer.text.strip():
            raise ValueError(
                f"conversation: answer {position + 1} to an earlier turn is empty; ask that turn again first."
            )
        asked.append({"role": "user", "content": prompt_text(turn.instruction, turn.input)})
        asked.append({"role": "assistant", "content": answer.text})
    return [*asked, {"role": "user", "content": prompt_text(instruction.strip(), input.strip())}]


def messages_of(session: Session, comparison: Comparison, position: int) -> list[dict[str, str]]:
    """What the side in that column was asked when it gave its answer: for a replay or an export."""
    *before, last = turns_of(session, comparison)
    if last.emptied_at is not None:
        raise ValueError("conversation: its texts are no longer kept; begin a new one.")
    return messages(before, position, system=last.system, instruction=last.instruction, input=last.input)


def prompt_text(instruction: str, input: str) -> str:
    """A prompt as the models read it, laid out as the rows they were tuned on."""
    return f"{instruction}\n\n{input}" if input else instruction


def prompt_hash(comparison: Comparison) -> str:
    """SHA-256 of what was asked: equal for equal prompts, also after retention has taken the texts."""
    if comparison.prompt_hash is not None:
        return comparison.prompt_hash
    asked = "\0".join((comparison.system, comparison.instruction, comparison.input))
    return sha256(asked.encode()).hexdigest()


def require_texts(instruction: str, input: str = "", system: str = "") -> None:
    """Raise ValueError naming the field of a prompt that is missing or too long."""
    for name, text in (("instruction", instruction), ("input", input), ("system prompt", system)):
        if not isinstance(text, str):
            raise ValueError(f"{name}: must be text, not {type(text).__name__}.")
        if len(text) > MAX_CHARACTERS:
            raise ValueError(f"{name}: {len(text):,} characters; shorten it to {MAX_CHARACTERS:,} at most.")
    if not instruction.strip():
        raise ValueError("instruction: write what the sides are asked, or pick a prompt from the shelf.")


def _require_prompt(session: Session, project_id: int, version_id: int) -> None:
    query = (
        select(PromptVersion.id)
        .join(Prompt)
        .where(PromptVersion.id == version_id, Prompt.project_id == project_id)
    )
    if session.scalar(query) is None:
        raise LookupError(f"There is no prompt version number {version_id} in this project.")


def _require_same_sides(earlier: Comparison, asked: Sequence[SideSpec]) -> None:
    """A conversation goes on with the sides it began with, each in its own column."""
    if [sides.of_answer(answer) for answer in earlier.answers] != list(asked):
        raise ValueError("sides: a conversation goes on with the sides it began with; begin a new one.")
