"""What more there is to see of an evaluation than figures: by label or type, confusion, errors, faults.

Event of the returned View: `fault` (`event.kind`; `event.of`: left or ""): its answers are wanted.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

from bioui.components import confusion, empty
from bioui.components.prediction_reading import LETTERS, fault_words
from bioui.components.result_figures import shown
from bioui.components.view import View
from bioui.present import counted
from db.metrics import measures

TEMPLATE = (
    Path(__file__)
    .with_suffix(".hbs")
    .read_text(encoding="utf-8")
    .replace("@confusion", confusion.TEMPLATE)
    .replace("@empty", empty.TEMPLATE)
)
ON_LOAD = """
element.addEventListener('click', (event) => {
  const button = event.target.closest('[data-fault]');
  if (!button) return;
  const {fault, of} = button.dataset;
  for (const [name, value] of Object.entries({tab: 'predictions', show: 'faulty', fault, of}))
    studio.setParam(name, value);
  trigger('fault', {kind: fault, of});
});
"""
NO_TABLES: dict = {
    "sides": [],
    "empty": empty.empty_state(
        "No tables yet.", "They are made when every row is scored; the predictions so far can be read."
    ),
}
ERRORS = {
    "boundary": ("Wrong boundary", "overlaps a span of the reference with its type"),
    "type": ("Wrong type", "overlaps only spans of other types"),
    "spurious": ("Spurious", "overlaps nothing in the reference"),
    "missed": ("Missed", "of the reference, and nothing said overlaps it"),
}


def tables_view() -> View:
    return View(TEMPLATE, NO_TABLES, on_load=ON_LOAD, elem_classes="result-tables-view")


def tables_value(sides: Sequence[tuple[str, str, Mapping]]) -> dict:
    """`sides` are (name, hue, stored tables); the base's is the first of two."""
    is_pair = len(sides) > 1
    shown = [
        {**side_value(name if is_pair else "", hue, tables), "of": "left" if is_pair and not place else ""}
        for place, (name, hue, tables) in enumerate(sides)
        if tables
    ]
    return {**NO_TABLES, "sides": shown}


def side_value(name: str, hue: str, tables: Mapping) -> dict:
    """The tables that a task stored (see db.tasks.scoring); those it has not are left out."""
    types = [_type(line) for line in tables.get("types") or tables.get("labels") or ()]
    matrix = tables.get("confusion")
    faults = [
        {"kind": kind, "word": fault_words(kind), "count": f"{times:,}"}
        for kind, times in (tables.get("faults") or {}).items()
    ]
    value = {
        "name": name,
        "hue": hue,
        "confusion": _confusion(hue, matrix) if matrix else confusion.NO_CONFUSION,
        "majority": _majority(tables.get("majority") or {}),
        "types": types,
        "by": "type" if tables.get("types") else "label",
        "f1_word": "Strict F1" if tables.get("types") else "F1",
        "has_relaxed": any(line["relaxed_f1"] for line in types),
        "errors": _errors(tables.get("errors") or {}),
        "faults": faults,
        "places": _places(tables.get("places") or ()),
        "places_help": _unread(tables.get("unread", 0)),
        "paper": _paper(tables.get("paper") or {}),
    }
    has_more = any(value[part] for part in ("types", "errors", "faults", "places", "paper"))
    return {**value, "plain": "" if has_more or matrix else "No answer has a fault, and no table is kept."}


def _type(line: Mapping) -> dict:
    relaxed = line.get("relaxed_f1")
    return {
        "label": line["label"],
        **{name: shown(line[name]) for name in ("precision", "recall", "f1")},
        "relaxed_f1": "" if relaxed is None else shown(relaxed),
        **{name: f"{line[name]:,}" for name in ("right", "wrong", "missed", "gold")},
    }


def _confusion(hue: str, matrix: Mapping) -> dict:
    return confusion.confusion_value(hue, matrix["labels"], matrix["said"], matrix["cells"])


def _majority(majority: Mapping) -> str:
    if not majority.get("figures"):
        return ""
    always = ", ".join(majority["labels"]) or "none"
    scores = [
        f"{_inside(measures.get(name).title)} {shown(value)}" for name, value in majority["figures"].items()
    ]
    return f"The line to be above: always answering “{always}” gives {', '.join(scores)}."


def _inside(title: str) -> str:
    """A title in the middle of a sentence."""
    return title[:1].lower() + title[1:]


def _errors(errors: Mapping) -> list[dict]:
    return [
        {"word": word, "help": help, "count": f"{errors.get(kind, 0):,}"}
        for kind, (word, help) in ERRORS.items()
        if errors
    ]


def _places(places: Sequence[Mapping]) -> list[dict]:
    return [
        {
            "letter": LETTERS[line["place"]] if line["place"] < len(LETTERS) else f"{line['place'] + 1}",
            "chosen": f"{line['chosen']:,}",
            "right": f"{line['right']:,}",
        }
        for line in places
    ]


def _unread(unread: int) -> str:
    start = "A place chosen far more often than it is right is favoured whatever the question."
    return f"{start} No option was read from {counted(unread, 'answer')}." if unread else start


def _paper(paper: Mapping) -> str:
    if not paper:
        return ""
    return (
        f"The paper's scorer would say F1 {shown(paper['f1'])}. It compares {paper['compared']:,} answers, "
        f"passes over {paper['skipped']:,} that it cannot read, and so holds {paper['out_of_line']:,} "
        "against another row."
    )
