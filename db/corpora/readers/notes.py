"""Dialogues with the notes written of them, in a table: MTS-Dialog (sections), ACI-Bench (whole notes)."""

from collections.abc import Iterable, Iterator

from db.corpora.readers.answers import facets
from db.corpora.readers.formats import RECORDS, Format, Head, Option, Options
from db.corpora.readers.records import Record, by_record
from db.corpora.schema import T2tRow

_DIALOGUE = ("dialogue", "Dialogue")
_NOTE = ("section_text", "note", "Reference Summary")


def read_notes(records: Iterable[Record], options: Options) -> Iterator[T2tRow]:
    """One row a dialogue, its note or note section as the second text and the section's header as a facet.

    Of MTS-Dialog's scored summaries the note is the reference. Raises CorpusError, by line, where either
    text is missing.
    """
    notes = (options["note_field"],) if options["note_field"] else _NOTE
    for record in records:
        document = record.text("ID", "encounter_id", "id", default=str(record.number))
        is_one_of_several = record.has("Automatic Summary")  # four a dialogue
        section = record.text("section_header", default="").strip()
        yield T2tRow(
            f"{document}-{record.number}" if is_one_of_several else document,
            document,
            record.text(*_DIALOGUE),
            record.text(*notes),
            "dialogue",
            "note section" if section else "note",
            facets(("section", section), ("source", record.text("dataset", default=""))),
        )


def _fits(head: Head) -> bool:
    return any(name in head.fields for name in _DIALOGUE) and any(name in head.fields for name in _NOTE)


FORMATS = (
    Format(
        "dialogue_note",
        "Dialogue and note",
        "Doctor-patient dialogues with the note or note section written of them (MTS-Dialog, ACI-Bench).",
        T2tRow,
        (".csv", ".tsv", ".jsonl", ".json"),
        by_record(read_notes),
        _fits,
        (Option("note_field", f"The field of the note; {', '.join(_NOTE)} unless given."), *RECORDS),
        rows=read_notes,
    ),
)
