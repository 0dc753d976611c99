"""From the playground's form to a question, from its answers to a stored comparison."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from bioui.answering import Question
from bioui.components.answers import AnswersState, ColumnState
from bioui.endpoint_stream import EndpointAsk
from bioui.measured import measured_lines
from bioui.present import shortened
from db import comparisons, endpoints, prompts, registry, sides
from db.compare_spec import Sampling, SideSpec, require_sides
from db.comparisons import AnswerText
from db.policy import Actor
from db.session import Session
from db.tables import Comparison, PromptVersion

# What the model server calls a field -> what the form does.
FIELDS = {
    "adapter_id": "sides",
    "adapter": "sides",
    "model": "sides",
    "base model": "sides",
    "base_model_id": "sides",
    "max_tokens": "longest answer",
}
TEXTS = ("prompt", "messages")  # its names for what is asked
ONE_PART = {"base": "base_model_id", "adapter": "adapter_id", "endpoint": "endpoint_id"}


@dataclass(frozen=True)
class Asked:
    """A checked form: one prompt, the same settings, one to six sides."""

    project_id: int
    sides: tuple[SideSpec, ...]
    titles: tuple[str, ...]
    question: Question
    title: str
    system: str
    instruction: str
    input: str
    version_id: int | None = None  # of a prompt of the shelf that was not changed
    follows_id: int | None = None
    measured: tuple[list[dict], ...] = ()  # what each side scored, as `measured_lines` says it

    def begin(self) -> AnswersState:
        """The columns before the first word."""
        lines = self.measured or ((),) * len(self.sides)
        columns = [
            ColumnState(title, side.colour, measured=measured)
            for title, side, measured in zip(self.titles, self.sides, lines, strict=True)
        ]
        return AnswersState(columns)


@dataclass(frozen=True)
class Form:
    """What a person entered, as it came from the page."""

    sides: Sequence[str]
    system: str
    instruction: str
    input: str
    max_tokens: float | None
    temperature: float | None
    seed: float | None
    version_id: int = 0
    follows_id: int = 0


def key_of(side: SideSpec) -> str:
    """A side as the value of a choice: base:1, adapter:3, adapter:3:40, endpoint:2 or endpoint:2:name."""
    kind = next(kind for kind, column in ONE_PART.items() if getattr(side, column) is not None)
    more = side.model if kind == "endpoint" else side.step
    return f"{kind}:{getattr(side, ONE_PART[kind])}" + (f":{more}" if more else "")


def side_of(key: str) -> SideSpec:
    """The side of a choice. Raises ValueError for what no choice of ours says."""
    kind, _, rest = str(key).partition(":")
    number, _, more = rest.partition(":")
    if kind not in ONE_PART or not number.isdigit() or (kind == "adapter" and more and not more.isdigit()):
        raise ValueError("sides: choose them from the list.")
    told = {"model": more} if kind == "endpoint" else {"step": int(more) if more else None}
    return SideSpec(**{ONE_PART[kind]: int(number), **told})


def read_form(session: Session, project_id: int, form: Form) -> Asked:
    """Raises ValueError naming the field that cannot be, LookupError for what is gone or elsewhere."""
    chosen = require_sides([side_of(key) for key in form.sides or ()])
    titles = tuple(_title(session, project_id, side) for side in chosen)
    require_one_base(session, chosen)
    texts = (form.system, form.instruction, form.input)
    system, instruction, input = ((text or "").strip() for text in texts)
    comparisons.require_texts(instruction, input, system)
    version = prompts.get_version(session, project_id, form.version_id) if form.version_id else None
    if version and (version.system, version.instruction, version.input) != (system, instruction, input):
        version = None
    turns = _turns(session, project_id, form.follows_id)
    if turns:
        chosen, titles = _as_before(turns[-1], chosen, titles)
    sampling = Sampling(
        max_tokens=_whole("longest answer", form.max_tokens),
        temperature=float(_number("temperature", form.temperature)),
        seed=_whole("seed", form.seed),
    )
    messages = tuple(
        tuple(comparisons.messages(turns, at, system=system, instruction=instruction, input=input))
        for at in range(len(chosen))
    )
    return Asked(
        project_id=project_id,
        sides=chosen,
        titles=titles,
        question=question_of(session, chosen, messages, sampling),
        title=version.prompt.title if version else shortened(instruction, 90),
        system=system,
        instruction=instruction,
        input=input,
        version_id=version.id if version else None,
        follows_id=form.follows_id or None,
        measured=tuple(measured_of(session, project_id, chosen, version)),
    )


def question_of(
    session: Session,
    chosen: Sequence[SideSpec],
    messages: Sequence[Sequence[dict[str, str]]],
    sampling: Sampling,
) -> Question:
    """Who answers where. Raises ValueError for an endpoint that cannot be reached as the studio is set up."""
    elsewhere = [
        _ask(session, position, side, tuple(messages[position]), sampling)
        for position, side in enumerate(chosen)
        if side.endpoint_id is not None
    ]
    return Question(tuple(chosen), tuple(tuple(one) for one in messages), sampling, tuple(elsewhere))


def measured_of(
    session: Session, project_id: int, chosen: Sequence[SideSpec], version: PromptVersion | None
) -> list[list[dict]]:
    """What each side scored on tasks like the prompt."""
    like = {"task": version.task, "category": version.category} if version else {}
    return measured_lines(session, project_id, chosen, **like)


def require_one_base(session: Session, chosen: Sequence[SideSpec]) -> None:
    """Raises ValueError unless all that the model server answers stands on one base."""
    names = dict.fromkeys(base_name(session, side) for side in chosen if side.endpoint_id is None)
    if len(names) > 1:
        *others, last = names
        raise ValueError(
            f"sides: these stand on different bases, {', '.join(others)} and {last}, and the model server "
            "holds one at a time; choose sides of one base."
        )


def base_name(session: Session, side: SideSpec) -> str:
    """The base under a side that the model server answers."""
    if side.base_model_id is not None:
        return registry.get_base_model(session, side.base_model_id).name
    return registry.get_adapter(session, side.adapter_id).base_model.name


def keep(session: Session, actor: Actor, asked: Asked, state: AnswersState) -> Comparison:
    """Store what was answered; a column that failed is left out."""
    return comparisons.record(
        session,
        actor,
        asked.project_id,
        instruction=asked.instruction,
        input=asked.input,
        system=asked.system,
        sampling=asked.question.sampling,
        answers=[_answer(asked.sides[at], state.columns[at]) for at in answered(state)],
        prompt_version_id=asked.version_id,
        follows_id=asked.follows_id,
    )


def answered(state: AnswersState) -> list[int]:
    """The columns that have an answer."""
    return [at for at, column in enumerate(state.columns) if column.finish_reason]


def in_our_words(error: Exception, asked: Asked) -> Exception:
    """The model server's refusal with the field as the form calls it; other errors as they are."""
    if not isinstance(error, ValueError):
        return error
    field, colon, sentence = str(error).partition(": ")
    if field in TEXTS:
        said = re.sub("^it is", "the prompt is", sentence, flags=re.IGNORECASE)
        return ValueError(f"{_longest(asked)}: {said}")
    return ValueError(f"{FIELDS[field]}: {sentence}") if colon and field in FIELDS else error


def problems_of(asked: Asked, state: AnswersState) -> Iterator[str]:
    """A sentence for each column that could not answer."""
    for title, column in zip(asked.titles, state.columns, strict=True):
        if column.problem:
            yield f"{title}: {column.problem}"


def _longest(asked: Asked) -> str:
    """The text that makes a prompt long, as the form calls it."""
    texts = {"input": asked.input, "instruction": asked.instruction, "system prompt": asked.system}
    return max(texts, key=lambda name: len(texts[name]))


def _title(session: Session, project_id: int, side: SideSpec) -> str:
    title = sides.title_of(session, side)
    if side.adapter_id is None:
        return title
    adapter = registry.get_adapter(session, side.adapter_id)
    if adapter.project_id != project_id:
        raise LookupError(f"There is no adapter number {adapter.id} in this project.")
    if side.step is not None and side.step not in registry.steps_of(adapter):
        raise ValueError(f"sides: the weights of {title} are not kept; choose another step.")
    return title


def _turns(session: Session, project_id: int, follows_id: int) -> list[Comparison]:
    if not follows_id:
        return []
    return comparisons.turns_of(session, comparisons.get(session, project_id, follows_id))


def _as_before(
    turn: Comparison, chosen: tuple[SideSpec, ...], titles: tuple[str, ...]
) -> tuple[tuple[SideSpec, ...], tuple[str, ...]]:
    """The sides in the columns they had in the turn before."""
    before = tuple(sides.of_answer(answer) for answer in turn.answers)
    if set(before) != set(chosen):
        raise ValueError(
            "sides: a conversation goes on with the sides it began with; begin a new one to ask others."
        )
    by_side = dict(zip(chosen, titles, strict=True))
    return before, tuple(by_side[side] for side in before)


def _ask(
    session: Session,
    position: int,
    side: SideSpec,
    messages: tuple[dict[str, str], ...],
    sampling: Sampling,
) -> EndpointAsk:
    endpoint = endpoints.get_endpoint(session, side.endpoint_id)
    reach = endpoints.reach(session, endpoint.id)
    return EndpointAsk(
        position,
        replace(reach, model=side.model or reach.model),
        endpoint.id,
        endpoint.name,
        messages,
        sampling,
    )


def _answer(side: SideSpec, column: ColumnState) -> AnswerText:
    return AnswerText(
        side,
        column.text,
        column.finish_reason,
        tokens=column.tokens,
        tokens_per_second=column.tokens_per_second,
        first_token_seconds=column.first_token_seconds,
        provenance=column.provenance,
    )


def _number(field: str, value: float | None) -> float:
    if value is None or isinstance(value, (str, bool)):
        raise ValueError(f"{field}: give a number.")
    return value


def _whole(field: str, value: float | None) -> int:
    if _number(field, value) != int(value):
        raise ValueError(f"{field}: {value} cannot be; give a whole number.")
    return int(value)
