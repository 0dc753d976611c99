"""What the page of results is about: the task, the models, the headline in a sentence, the provenance."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from bioui.components import chip, empty
from bioui.components.view import View

TEMPLATE = (
    Path(__file__)
    .with_suffix(".hbs")
    .read_text(encoding="utf-8")
    .replace("@empty", empty.TEMPLATE)
    .replace("@chip", chip.TEMPLATE)
)
ON_LOAD = """
const follow = () => {
  studio.setParam('evaluation', props.value.evaluation || null);
  studio.setParam('against', props.value.against || null);
};
if (props.value.evaluation) follow();
watch('value', follow);
"""
NO_RESULTS = empty.empty_state(
    "No evaluation yet.",
    "Each model's figures, and its answers row by row, are read here once a task was put to it.",
    href="/evaluate",
    link="Start an evaluation",
)
NO_HEAD: dict = {"sides": [], "empty": empty.empty_state("", "")}


def result_head() -> View:
    return View(TEMPLATE, NO_HEAD, on_load=ON_LOAD, elem_id="result-head")


def facts_of(values: Mapping, *, before: str = "") -> Iterator[tuple[str, str]]:
    """(name, words) of whatever a record holds, what stands inside it under `its name: the inner one`."""
    for name, value in values.items():
        words = f"{before}{str(name).replace('_', ' ')}"
        if isinstance(value, Mapping):
            yield from facts_of(value, before=f"{words}: ")
        elif value not in (None, "", [], ()):
            yield words[:1].upper() + words[1:], _words(value)


def looks_technical(text: str) -> bool:
    """Whether a value is a hash, a path or a number with a version: those are set in mono."""
    return len(text) >= 8 and " " not in text and any(mark.isdigit() for mark in text)


def _words(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (list, tuple)):
        return ", ".join(map(str, value))
    return f"{value:g}" if isinstance(value, float) else str(value)
