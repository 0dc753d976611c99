"""Each row of the real corpora, written in each output form that can carry it and read back: how well?"""

from collections.abc import Iterator
from dataclasses import dataclass

from db.corpora.forms import FORMS, Label, OutputForm, can_write, make_form
from db.corpora.forms.form import SHAPES
from db.corpora.readers import read
from db.corpora.schema import Row
from db.corpora.templates import labels_of
from tests.corpora import corpora_folder

FILES = (
    # folder, file, format, options
    ("ncbi-disease", "train.tsv", "iob", {"type": "Disease"}),
    ("ncbi-disease", "devel.tsv", "iob", {"type": "Disease"}),
    ("ncbi-disease", "test.tsv", "iob", {"type": "Disease"}),
    ("chemprot", "train.jsonl", "marked_pair", {}),
    ("chemprot", "dev.jsonl", "marked_pair", {}),
    ("chemprot", "test.jsonl", "marked_pair", {}),
    ("gad", "train.jsonl", "masked_pair", {"types": "GENE,DISEASE"}),
    ("gad", "test.jsonl", "masked_pair", {"types": "GENE,DISEASE"}),
    ("pubmedqa", "ori_pqal.json", "pubmedqa", {}),
    ("medqa", "us_4_options_test.jsonl", "medqa", {}),
    ("mts-dialog", "MTS-Dialog-TrainingSet.csv", "dialogue_note", {}),
    ("mts-dialog", "MTS-Dialog-ValidationSet.csv", "dialogue_note", {}),
    ("mts-dialog", "MTS-Dialog-TestSet-1-MEDIQA-Chat-2023.csv", "dialogue_note", {}),
    ("medquad", "medquad.jsonl.gz", "questions", {}),
)


@dataclass(frozen=True)
class Tripped:
    """One file in one form: rows written, rows that the form cannot carry, and the F1 of what came back."""

    file: str
    form: str
    written: int
    refused: int
    f1: float


def round_trips() -> Iterator[Tripped]:
    """Every file that is there in every form of its shape that carries any of its rows."""
    for folder, name, format, options in FILES:
        path = corpora_folder() / folder / name
        if not path.exists():
            continue
        rows = list(read(path, format, **options))
        for form in _forms_for(rows):
            tripped = round_trip(f"{folder}/{name}", form, rows)
            if tripped.written:
                yield tripped


def round_trip(file: str, form: OutputForm, rows: list[Row]) -> Tripped:
    carried = [row for row in rows if can_write(form, row)]
    right = said = wanted = 0
    for row in carried:
        gold, found = form.gold(row).items, form.parse(form.write(row), row).items
        right, said, wanted = right + len(gold & found), said + len(found), wanted + len(gold)
    f1 = 2 * right / (said + wanted) if said + wanted else 1.0
    return Tripped(file, form.name, len(carried), len(rows) - len(carried), f1)


def _forms_for(rows: list[Row]) -> Iterator[OutputForm]:
    for name, form in FORMS.items():
        labels = _labels(form, rows)
        if isinstance(rows[0], SHAPES[form.shape]) and (labels or not form.labelled):
            yield make_form(name, labels if form.labelled else ())


def _labels(form: type[OutputForm], rows: list[Row]) -> tuple[Label, ...]:
    """Types of mentions for a form of mentions, decisions for a decision, else what `labels_of` tells."""
    if form.shape == "kb" and "named_entity_recognition" in form.tasks:
        return tuple(
            Label(name)
            for name in sorted({each.type for row in rows for each in getattr(row, "entities", ())})
        )
    if form.shape == "qa":
        decided = (row for row in rows if getattr(row, "type", "") == "yesno")
        return tuple(Label(name) for name in sorted({answer for row in decided for answer in row.answer}))
    return labels_of(rows)
