"""What a template may say of a row: the names of its values, by the form the answer takes.

A form whose answer is the row's mentions gets the text alone, so that no template gives the answer away.
"""

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from string import ascii_uppercase
from typing import Any

import yaml

from db.corpora.forms import OutputForm
from db.corpora.forms.choice_letter import lettered
from db.corpora.schema import KbRow, QaRow, T2tRow
from db.sandbox import Record

WORDINGS = Path(__file__).parent / "wordings"
Values = dict[str, Callable[[Any], Any]]


def values_for(form: OutputForm) -> Values:
    """The values a template may use with this form, each as a function of the row."""
    if form.shape == "kb" and "relation_extraction" not in form.tasks:
        return {"text": getattr(form, "input_text", _text)}
    return _VALUES[form.shape]


@lru_cache(maxsize=1)
def section_titles() -> dict[str, str]:
    """The words for the headers of note sections, such as GENHX: history of present illness."""
    return yaml.safe_load((WORDINGS / "sections.yaml").read_text(encoding="utf-8"))


def _text(row: Any) -> str:
    return row.text


def _marked(row: KbRow) -> str:
    """The text with its two names marked, as the file had it, or with the marks for words that it holds."""
    return row.marked_text or row.text


def _name(index: int) -> Callable[[KbRow], str]:
    return lambda row: row.text[slice(*row.entities[index].offsets[0])] if len(row.entities) > index else ""


def _type(index: int) -> Callable[[KbRow], str]:
    return lambda row: row.entities[index].type if len(row.entities) > index else ""


def _entities(row: KbRow) -> list[Record]:
    return [Record(text=" ".join(entity.text), type=entity.type) for entity in row.entities]


def _choices(row: QaRow) -> list[Record]:
    return [Record(letter=a, text=choice) for a, choice in zip(ascii_uppercase, row.choices, strict=False)]


def _facets(row: QaRow | T2tRow) -> Record:
    return Record(**dict(row.facets))


def _section(row: T2tRow) -> str:
    header = dict(row.facets).get("section", "")
    return section_titles().get(header.upper(), header.lower())


_VALUES: dict[str, Values] = {
    "kb": {
        "text": _text,
        "marked": _marked,
        "head": _name(0),
        "tail": _name(1),
        "head_type": _type(0),
        "tail_type": _type(1),
        "entities": _entities,
    },
    "qa": {
        "question": lambda row: row.question,
        "context": lambda row: row.context,
        "choices": _choices,
        "lettered": lambda row: lettered(row.choices),
        "facets": _facets,
    },
    "pairs": {"text_1": lambda row: row.text_1, "text_2": lambda row: row.text_2},
    "text": {"text": _text},
    "t2t": {
        "text_1": lambda row: row.text_1,
        "text_1_name": lambda row: row.text_1_name,
        "text_2_name": lambda row: row.text_2_name,
        "section": _section,
        "facets": _facets,
    },
}
