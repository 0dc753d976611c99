"""From the playground's form to a stored comparison, and back to what the page shows of it."""

import re
from dataclasses import dataclass
from uuid import uuid4

import gradio as gr

from bioui.components.pair import PairState, SideState, pair_value
from bioui.model_server import PairRequest
from bioui.present import ago, shortened
from db import comparisons, registry
from db.comparisons import AnswerText, Sampling
from db.content import MAX_CHARACTERS
from db.enums import Side
from db.policy import Actor
from db.session import Session
from db.tables import Comparison

# What the model server calls a field -> what the form does.
FIELDS = {
    "adapter_id": "adapter",
    "model": "adapter",
    "base model": "adapter",
    "max_tokens": "longest answer",
}


@dataclass(frozen=True)
class Asked:
    """A checked form: one prompt, the same settings, base and tuned."""

    project_id: int
    adapter_id: int
    adapter_name: str
    base_name: str
    prompt_id: int | None  # None for a prompt of one's own
    title: str
    instruction: str
    input: str
    sampling: Sampling

    def request(self) -> PairRequest:
        """For the model server, under an id that nobody can guess."""
        text = prompt_text(self.instruction, self.input)
        return PairRequest(
            request_id=uuid4().hex,
            adapter_id=self.adapter_id,
            messages=({"role": "user", "content": text},),
            max_tokens=self.sampling.max_tokens,
            temperature=self.sampling.temperature,
            seed=self.sampling.seed,
        )

    def value(self, state: PairState, *, running: bool) -> dict:
        """What the pair shows of it while it is not stored."""
        return pair_value(
            state,
            title=self.title,
            prompt=prompt_text(self.instruction, self.input),
            names={Side.BASE: self.base_name, Side.TUNED: self.adapter_name},
            running=running,
        )


def read_form(
    session: Session,
    *,
    adapter_id: int | None,
    prompt_id: int | None,
    instruction: str,
    input: str,
    max_tokens: float | None,
    temperature: float | None,
    seed: float | None,
) -> Asked:
    """Raises ValueError naming the field that cannot be, LookupError for an adapter that is gone."""
    if not adapter_id:
        raise ValueError("adapter: choose which tuned adapter stands beside its base.")
    instruction, input = (instruction or "").strip(), (input or "").strip()
    _require_text("instruction", instruction)
    _require_text("input", input)
    if not instruction:
        raise ValueError("instruction: write what both models are asked, or pick a prompt from the shelf.")
    adapter = registry.get_adapter(session, adapter_id)
    prompt = comparisons.get_prompt(session, prompt_id) if prompt_id else None
    if prompt and (prompt.instruction.strip(), prompt.input.strip()) != (instruction, input):
        prompt = None
    return Asked(
        project_id=adapter.project_id,
        adapter_id=adapter.id,
        adapter_name=adapter.name,
        base_name=adapter.base_model.name,
        prompt_id=prompt.id if prompt else None,
        title=prompt.title if prompt else shortened(instruction, 90),
        instruction=instruction,
        input=input,
        sampling=Sampling(
            max_tokens=_whole("longest answer", max_tokens),
            temperature=float(_number("temperature", temperature)),
            seed=_whole("seed", seed),
        ),
    )


def keep(session: Session, actor: Actor, asked: Asked, state: PairState) -> Comparison:
    """Store a finished pair."""
    return comparisons.record_comparison(
        session,
        actor,
        asked.adapter_id,
        instruction=asked.instruction,
        input=asked.input,
        sampling=asked.sampling,
        prompt_id=asked.prompt_id,
        answers=[
            AnswerText(side, answer.text, answer.finish_reason, answer.stored_provenance())
            for side, answer in state.sides.items()
        ],
    )


def stored_value(session: Session, comparison: Comparison) -> dict:
    """What the pair shows of a stored comparison."""
    state = PairState()
    for answer in comparison.answers:
        state.sides[answer.side] = SideState.of_stored(answer.text, answer.finish_reason, answer.provenance)
    return pair_value(
        state,
        title=title_of(session, comparison),
        prompt=prompt_text(comparison.instruction, comparison.input),
        names={Side.BASE: comparison.adapter.base_model.name, Side.TUNED: comparison.adapter.name},
        comparison_id=comparison.id,
        caption=f"{comparison.created_by.full_name}, {ago(comparison.created_at)} · number {comparison.id}",
        link=f"/playground?project={comparison.project_id}&comparison={comparison.id}",
    )


def title_of(session: Session, comparison: Comparison) -> str:
    if comparison.prompt_id is not None:
        return comparisons.get_prompt(session, comparison.prompt_id).title
    return shortened(comparison.instruction, 90)


def prompt_text(instruction: str, input: str) -> str:
    """A prompt as the models read it, laid out as the rows they were tuned on."""
    return f"{instruction}\n\n{input}" if input else instruction


def get_comparison_of(session: Session, project_id: int, comparison_id: int) -> Comparison:
    """Raises LookupError for one of another project."""
    comparison = comparisons.get_comparison(session, comparison_id)
    if comparison.project_id != project_id:
        raise LookupError(f"There is no comparison number {comparison_id} in this project.")
    return comparison


def number_in_url(request: gr.Request, name: str) -> int:
    """?name=7 as a number; 0 where there is none."""
    wanted = request.query_params.get(name) or ""
    return int(wanted) if wanted.isdigit() else 0


def in_our_words(error: Exception, asked: Asked) -> Exception:
    """The model server's refusal with the field as the form calls it; other errors as they are."""
    if not isinstance(error, ValueError):
        return error
    field, colon, sentence = str(error).partition(": ")
    if field in ("prompt", "messages"):
        longer = "input" if len(asked.input) > len(asked.instruction) else "instruction"
        return ValueError(f"{longer}: {re.sub('^it is', 'the prompt is', sentence, flags=re.IGNORECASE)}")
    return ValueError(f"{FIELDS[field]}: {sentence}") if colon and field in FIELDS else error


def _require_text(field: str, text: str) -> None:
    if len(text) > MAX_CHARACTERS:
        raise ValueError(f"{field}: {len(text):,} characters; shorten it to {MAX_CHARACTERS:,} at most.")


def _number(field: str, value: float | None) -> float:
    if value is None or isinstance(value, (str, bool)):
        raise ValueError(f"{field}: give a number.")
    return value


def _whole(field: str, value: float | None) -> int:
    if _number(field, value) != int(value):
        raise ValueError(f"{field}: {value} cannot be; give a whole number.")
    return int(value)
