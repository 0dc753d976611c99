"""Pairs of texts with what holds between them: MedNLI's JSON lines, and tables with a header.

{"gold_label": "entailment", "sentence1": "...", "sentence2": "...", "pairID": "23eb94b8"}
"""

from collections.abc import Iterable, Iterator

from db.corpora.readers.formats import RECORDS, Format, Head, Option, Options
from db.corpora.readers.records import Record, by_record
from db.corpora.schema import PairsRow

_ONE = ("sentence1", "premise", "text_1", "text1", "sentence_1")
_TWO = ("sentence2", "hypothesis", "text_2", "text2", "sentence_2")
_LABEL = ("gold_label", "label", "judgment", "score")


def read_pairs(records: Iterable[Record], options: Options) -> Iterator[PairsRow]:
    """One row a pair. Raises CorpusError, by line, where a text or the label is missing or is `-`."""
    fields = [
        (options[name],) if options[name] else usual
        for name, usual in (("field_1", _ONE), ("field_2", _TWO), ("label_field", _LABEL))
    ]
    for record in records:
        label = record.text(*fields[2])
        if label == "-" and options["undecided"] == "skip":
            continue
        yield _row(record, label, record.text(*fields[0]), record.text(*fields[1]))


def _row(record: Record, label: str, one: str, two: str) -> PairsRow:
    if label == "-":
        raise record.fault(
            "the label is -: its readers did not agree; leave such rows out with undecided=skip."
        )
    id = record.text("pairID", "id", "index", default=str(record.number))
    return PairsRow(id, record.text("document_id", "promptID", default=id), one, two, label)


def _fits(head: Head) -> bool:
    return all(any(name in head.fields for name in usual) for usual in (_ONE, _TWO, _LABEL))


FORMATS = (
    Format(
        "pairs",
        "Pairs of sentences (NLI)",
        "A premise, a hypothesis and the label between them (MedNLI and its like).",
        PairsRow,
        (".jsonl", ".tsv", ".csv", ".json"),
        by_record(read_pairs),
        _fits,
        (
            Option("field_1", f"The field of the first text; {', '.join(_ONE)} unless given."),
            Option("field_2", f"The field of the second text; {', '.join(_TWO)} unless given."),
            Option("label_field", f"The field of the label; {', '.join(_LABEL)} unless given."),
            Option("undecided", "What to do with the label -.", "refuse", ("refuse", "skip")),
            *RECORDS,
        ),
        rows=read_pairs,
    ),
)
