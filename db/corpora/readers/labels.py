"""Texts with one label, several or none: Hallmarks of Cancer and its like, in JSON lines or a table.

{"text": "...", "label": ["inducing angiogenesis", "activating invasion and metastasis"]}
12345_3 <tab> A sentence. <tab> inducing angiogenesis, evading growth suppressors
12345_4 <tab> Another one. <tab> 0_0,1_1,2_0
"""

import re
from collections.abc import Iterable, Iterator

from db.corpora.readers.formats import RECORDS, Format, Head, Option, Options
from db.corpora.readers.records import Record, by_record
from db.corpora.schema import TextRow

_TEXT = ("text", "sentence", "abstract", "title")
_LABELS = ("labels", "label", "hallmarks", "category", "class")
_FLAGS = re.compile(r"\d+_[01](?:,\d+_[01])*\Z")


def read_labels(records: Iterable[Record], options: Options) -> Iterator[TextRow]:
    """One row a text; its labels in the order of the file, each once.

    Raises CorpusError, by line, where the text or the field of labels is missing, or a flag such as `3_1`
    has no name among `names`.
    """
    text_fields = (options["text_field"],) if options["text_field"] else _TEXT
    names = [name.strip() for name in options["names"].split(",") if name.strip()]
    for record in records:
        labels = _labels(record, options, names)
        id = record.text("id", "index", "sentence_id", default=str(record.number))
        yield TextRow(id, record.text("document_id", "pmid", default=id), record.text(*text_fields), labels)


def _labels(record: Record, options: Options, names: list[str]) -> tuple[str, ...]:
    usual = (options["label_field"],) if options["label_field"] else _LABELS
    field = next((name for name in usual if name in record.values), None)
    if field is None:
        raise record.fault(f"{' or '.join(usual)} is missing; write the labels there, None for none.")
    value = record.values[field]
    if value is None or isinstance(value, (str, int)):
        value = _split(str("" if value is None else value), options["separator"], names, record)
    if not isinstance(value, list) or not all(isinstance(label, str | int) for label in value):
        raise record.fault(f"{field} is no label and no list of labels; write one.")
    stripped = (_named(str(label).strip(), names) for label in value)
    return tuple(
        dict.fromkeys(label for label in stripped if label and label.lower() != options["none"].lower())
    )


def _split(written: str, separator: str, names: list[str], record: Record) -> list[str]:
    if not _FLAGS.match(written):
        return written.split(separator) if separator else [written]
    places = [int(flag.partition("_")[0]) for flag in written.split(",") if flag.endswith("_1")]
    if any(place >= len(names) for place in places):
        raise record.fault(
            f"the flags {written[:20]}… need names; say them with names=, with commas between."
        )
    return [names[place] for place in places]


def _named(label: str, names: list[str]) -> str:
    """A label that is a number, by its place among the names, where there are any."""
    return names[int(label)] if label.isdecimal() and int(label) < len(names) else label


def _fits(head: Head) -> bool:
    return any(name in head.fields for name in _TEXT) and any(name in head.fields for name in _LABELS)


FORMATS = (
    Format(
        "labels",
        "Labelled texts",
        "Texts with one label, several or none (Hallmarks of Cancer and other classification).",
        TextRow,
        (".jsonl", ".tsv", ".csv", ".json"),
        by_record(read_labels),
        _fits,
        (
            Option("text_field", f"The field of the text; {', '.join(_TEXT)} unless given."),
            Option("label_field", f"The field of the labels; {', '.join(_LABELS)} unless given."),
            Option(
                "separator", "What stands between labels in one cell; empty where a cell is one label.", ","
            ),
            Option(
                "names",
                "The labels' names in order, with commas between, where the file has numbers or flags.",
            ),
            Option("none", "The word for no label.", "None"),
            *RECORDS,
        ),
        rows=read_labels,
    ),
)
