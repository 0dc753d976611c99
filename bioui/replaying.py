"""A stored comparison asked again: the same sides, texts and settings; and what is no longer as it was."""

from collections.abc import Mapping
from typing import Any

from bioui.answering import Question
from bioui.comparing import Asked, question_of
from bioui.components.answers import AnswersState, ColumnState
from bioui.shown import title_of
from db import comparisons, sides
from db.compare_spec import Sampling
from db.session import Session
from db.tables import Answer, Comparison

# What an answer hangs on besides the prompt -> where its provenance tells it.
_PARTS = (
    ("the base's weights", ("base", "revision")),
    ("the adapter", ("adapter", "hash")),
    ("the chat template", ("template_hash",)),
    ("the number type", ("dtype",)),
    ("how the weights are packed", ("packed",)),
    ("the device", ("device",)),
    ("the batch", ("batch",)),
    ("the endpoint's model", ("endpoint", "model")),
)


def asked_again(session: Session, comparison: Comparison) -> Asked:
    """The question of a stored comparison. Raises LookupError for a side that is gone, ValueError where
    retention has emptied it."""
    chosen = tuple(sides.of_answer(answer) for answer in comparison.answers)
    titles = tuple(sides.title_of(session, side) for side in chosen)
    messages = [
        comparisons.messages_of(session, comparison, answer.position) for answer in comparison.answers
    ]
    question: Question = question_of(session, chosen, messages, Sampling(**comparison.sampling))
    return Asked(
        project_id=comparison.project_id,
        sides=chosen,
        titles=titles,
        question=question,
        title=title_of(comparison),
        system=comparison.system,
        instruction=comparison.instruction,
        input=comparison.input,
    )


def notes_of(comparison: Comparison, state: AnswersState) -> dict[int, str]:
    """A sentence for each answer's position: whether it came out the same, and else what has changed."""
    return {
        answer.position: sentence(answer, column)
        for answer, column in zip(comparison.answers, state.columns, strict=True)
    }


def sentence(answer: Answer, column: ColumnState) -> str:
    """What a replay of one answer found."""
    if column.problem:
        return f"Replayed: no answer. {column.problem}"
    text, provenance = column.text, column.provenance
    differs = changes(answer.provenance, provenance)
    was_cut = "cancelled" in (answer.finish_reason, column.finish_reason)
    if was_cut and (answer.text.startswith(text) or text.startswith(answer.text)):
        return "Replayed: the same text as far as both go; one of them was stopped by hand."
    if text == answer.text:
        return "Replayed: the same text" + (f", though {_listed(differs)} changed." if differs else ".")
    if differs:
        return f"Replayed: another text. Changed since: {_listed(differs)}."
    if "endpoint" in provenance:
        return "Replayed: another text. What changed at the endpoint cannot be known here."
    return "Replayed: another text, though weights, template and versions are as they were."


def changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """What an answer hangs on and was told otherwise then. What one of both does not tell says nothing."""
    found = [
        name
        for name, path in _PARTS
        if (then := _at(before, path)) is not None and (now := _at(after, path)) is not None and then != now
    ]
    packages = before.get("packages") or {}, after.get("packages") or {}
    moved = [
        f"{name} {packages[0][name]} to {packages[1][name]}"
        for name in packages[0]
        if name in packages[1] and packages[0][name] != packages[1][name]
    ]
    return [*found, *moved]


def _at(provenance: Mapping[str, Any], path: tuple[str, ...]) -> Any:
    value: Any = provenance
    for name in path:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
