"""Multiple choice: MedQA and MedMCQA.

{"question": "...", "options": {"A": "...", "B": "..."}, "answer_idx": "B", "answer": "..."}
{"question": "...", "opa": "...", "opb": "...", "opc": "...", "opd": "...", "cop": 2, "exp": "..."}
"""

from collections.abc import Iterable, Iterator

from db.corpora.readers.answers import answered, facets
from db.corpora.readers.formats import RECORDS, UNANSWERED, Format, Head, Option, Options
from db.corpora.readers.records import Record, by_record
from db.corpora.schema import QaRow

_MEDMCQA = ("opa", "opb", "opc", "opd")


def read_medqa(records: Iterable[Record], options: Options) -> Iterator[QaRow]:
    """One row a question; the right choice by `answer_idx`, and `answer` must agree where both stand."""
    for record in records:
        choices = _choices(record)
        index = _index(record, choices)
        yield from answered(
            QaRow(
                id := record.text("id", default=str(record.number)),
                id,
                record.text("question"),
                "multiple_choice",
                () if index is None else (list(choices.values())[index],),
                tuple(choices.values()),
                facets=facets(("step", record.text("meta_info", default=""))),
                answer_index=index,
            ),
            options,
            record.fault,
        )


def _choices(record: Record) -> dict[str, str]:
    """The choices by their letters, in the order of the file."""
    value = record.values.get("options")
    if isinstance(value, list) and all(isinstance(option, dict) for option in value):
        value = {str(option.get("key")): option.get("value") for option in value}  # MedQA's first release
    if not isinstance(value, dict) or len(value) < 2:
        raise record.fault('options is missing or has fewer than two; write {"A": ..., "B": ...}.')
    for letter, text in value.items():
        if not isinstance(letter, str) or not isinstance(text, str) or not text.strip():
            raise record.fault("options holds one without a letter or a text; fill it in.")
    return value


def _index(record: Record, choices: dict[str, str]) -> int | None:
    letter = record.text("answer_idx", default="").strip()
    answer = record.text("answer", default="")
    if not letter and not answer:
        return None
    texts = list(choices.values())
    if letter and letter not in choices:
        raise record.fault(f"answer_idx {letter[:20]!r} is none of {', '.join(choices)}; mend it.")
    if letter and answer and choices[letter].strip() != answer.strip() and answer.strip() != letter:
        raise record.fault(f"answer is not the text of choice {letter}; mend one of them.")
    if letter:
        return list(choices).index(letter)
    if texts.count(answer) != 1:
        raise record.fault("answer is the text of no choice, or of two; say which one by answer_idx.")
    return texts.index(answer)


def read_medmcqa(records: Iterable[Record], options: Options) -> Iterator[QaRow]:
    """One row a question. `cop` counts from 1 in MedMCQA's own files and from 0 in copies of them.

    Raises CorpusError, by line, where `cop` cannot be right for `counts_from`.
    """
    lowest = int(options["counts_from"])
    for record in records:
        choices = tuple(record.text(name) for name in _MEDMCQA)
        index = _place(record, lowest)
        id = record.text("id", default=str(record.number))
        yield from answered(
            QaRow(
                id,
                id,
                record.text("question"),
                "multiple_choice",
                () if index is None else (choices[index],),
                choices,
                long_answer=record.text("exp", default=""),
                answer_index=index,
                facets=facets(
                    ("subject", record.text("subject_name", default="")),
                    ("topic", record.text("topic_name", default="")),
                ),
            ),
            options,
            record.fault,
        )


def _place(record: Record, lowest: int) -> int | None:
    written = record.text("cop", default="").strip()
    if written in ("", "-1"):
        return None
    if written not in ("0", "1", "2", "3", "4"):
        raise record.fault(f"cop is {written[:20]!r}; write the number of the right choice.")
    place = int(written) - lowest
    if not 0 <= place < len(_MEDMCQA):
        raise record.fault(
            f"cop is {written}, so this file counts its choices from {1 - lowest}; read it with "
            f"counts_from={1 - lowest}."
        )
    return place


def _fits_medqa(head: Head) -> bool:
    return head.has("question", "options") and isinstance(head.fields["options"], dict | list)


def _fits_medmcqa(head: Head) -> bool:
    return head.has("question", *_MEDMCQA)


FORMATS = (
    Format(
        "medqa",
        "MedQA",
        "Questions with lettered options and the letter of the right one.",
        QaRow,
        (".jsonl", ".json"),
        by_record(read_medqa),
        _fits_medqa,
        (UNANSWERED, *RECORDS[3:]),
        rows=read_medqa,
    ),
    Format(
        "medmcqa",
        "MedMCQA",
        "Questions with four options (opa to opd), the number of the right one and its explanation.",
        QaRow,
        (".json", ".jsonl", ".csv"),
        by_record(read_medmcqa),
        _fits_medmcqa,
        (
            Option(
                "counts_from",
                "Whether cop counts the options from 1 (MedMCQA's own files) or from 0 (copies on the Hub).",
                "1",
                ("1", "0"),
            ),
            UNANSWERED,
            *RECORDS,
        ),
        rows=read_medmcqa,
    ),
)
