"""MMLU: questions with four options on one subject a file, or with the subject beside them.

    "Which of these nerves supplies the deltoid?",Axillary,Radial,Median,Ulnar,A
    {"question": "...", "choices": ["...", "...", "...", "..."], "answer": 0, "subject": "anatomy"}

Its own files are tables without a header; the subject is their name (`anatomy_test.csv`).
"""

import csv
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from string import ascii_uppercase

from db.corpora.readers.answers import answered, facets
from db.corpora.readers.formats import RECORDS, UNANSWERED, Format, Head, Option, Options
from db.corpora.readers.records import Record, first_character, records
from db.corpora.readers.text import lines
from db.corpora.schema import QaRow

_LETTERS = ("A", "B", "C", "D")
_COLUMNS = ",".join(("question", *_LETTERS, "answer"))
_SPLIT_WORD = re.compile(r"[_-](?:test|dev|val|validation|train|auxiliary_train)\Z", re.IGNORECASE)


def read_mmlu(path: Path, options: Options) -> Iterator[QaRow]:
    """The rows of one of MMLU's tables, with or without a header, or of JSON records."""
    told = dict(options)
    if not told["columns"] and _is_bare(path, told["encoding"]):
        told["columns"] = _COLUMNS
    subject = told["subject"] or _SPLIT_WORD.sub("", path.name.partition(".")[0])
    yield from rows_of_subjects(records(path, told), {**told, "subject": subject})


def rows_of_subjects(records: Iterable[Record], options: Options) -> Iterator[QaRow]:
    """One row a question. Raises CorpusError, by line, for a missing option or a foreign answer."""
    for record in records:
        choices = _choices(record)
        index = _index(record, choices)
        subject = record.text("subject", default=options["subject"])
        id = record.text("id", default=f"{subject}-{record.number}")
        yield from answered(
            QaRow(
                id,
                id,
                record.text("question"),
                "multiple_choice",
                () if index is None else (choices[index],),
                choices,
                facets=facets(("subject", subject)),
                answer_index=index,
            ),
            options,
            record.fault,
        )


def _choices(record: Record) -> tuple[str, ...]:
    if record.has("choices"):
        found = record.texts("choices")
    else:
        found = tuple(record.text(letter) for letter in _LETTERS)
    if len(found) < 2 or not all(choice.strip() for choice in found):
        raise record.fault("choices has fewer than two texts, or an empty one; fill them in.")
    return found


def _index(record: Record, choices: tuple[str, ...]) -> int | None:
    """The right option by its letter, or by its number from 0."""
    written = record.text("answer", default="").strip()
    if not written:
        return None
    letters = ascii_uppercase[: len(choices)]
    if written.upper() in tuple(letters):
        return letters.index(written.upper())
    if written.isdecimal() and int(written) < len(choices):
        return int(written)
    raise record.fault(f"answer is {written[:20]!r}; write the letter of an option, A to {letters[-1]}.")


def _is_bare(path: Path, encoding: str) -> bool:
    """Whether the first line of a table is a question already, and no header."""
    if first_character(path, encoding) in ("", "[", "{"):
        return False
    first = next((text for _, text in lines(path, encoding)), "")
    cells = next(csv.reader([first], strict=False), [])
    return "question" not in [cell.strip().casefold() for cell in cells]


def _fits(head: Head) -> bool:
    return head.has("question", "choices", "answer")


FORMATS = (
    Format(
        "mmlu",
        "MMLU",
        "Questions of one subject with four options and a letter; its own tables have no header.",
        QaRow,
        (".csv", ".jsonl", ".json"),
        read_mmlu,
        _fits,
        (
            Option("subject", "The subject of all questions; a field, or the file's name, unless given."),
            UNANSWERED,
            *RECORDS,
        ),
        rows=rows_of_subjects,
    ),
)
