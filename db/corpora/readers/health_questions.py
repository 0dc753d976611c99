"""Free questions with answers: MedQuAD (XML, JSON lines), MEDIQA 2019 (XML), ChatDoctor (JSON)."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from db.corpora.readers.answers import answered, facets
from db.corpora.readers.folders import is_zip, members
from db.corpora.readers.formats import ENCODING, RECORDS, SPLIT, UNANSWERED, Format, Head, Option, Options
from db.corpora.readers.records import Record, by_record
from db.corpora.readers.text import open_bytes
from db.corpora.readers.xml_items import elements, fault_at, text_of
from db.corpora.schema import PairsRow, QaRow

GOOD_SCORE = 3  # of MEDIQA's 1 (wrong) to 4 (excellent): from here on an answer counts as right


# JSON lines and tables --------------------------------------------------------------------------------


def read_questions(records: Iterable[Record], options: Options) -> Iterator[QaRow]:
    """One row a question with its answer; the context, and MedQuAD's focus, type and source, where given."""
    for record in records:
        answer = record.text(options["answer_field"], default="")
        id = record.text("id", "qid", default=str(record.number))
        row = QaRow(
            id,
            record.text("document_id", "url", default=id),
            record.text(options["question_field"]),
            "free",
            (answer,) if answer else (),
            context=record.text("context", default=""),
            facets=facets(*((name, record.text(name, default="")) for name in ("source", "focus", "qtype"))),
        )
        yield from answered(row, options, record.fault)


def read_chats(records: Iterable[Record], options: Options) -> Iterator[QaRow]:
    """One row a record of instruction, input and output; the question is the input, else the instruction."""
    for record in records:
        answer, asked = record.text("output", default=""), record.text("input", default="")
        instruction = record.text("instruction", default="" if asked else None)
        id = record.text("id", default=str(record.number))
        row = QaRow(
            id,
            id,
            asked or instruction,
            "free",
            (answer,) if answer else (),
            facets=facets(("instruction", instruction if asked else "")),
        )
        yield from answered(row, options, record.fault)


# XML --------------------------------------------------------------------------------------------------


def read_medquad_xml(path: Path, options: Options) -> Iterator[QaRow]:
    """One row a pair of every <Document>; a file, or a folder or zip of them, as MedQuAD comes."""
    for name, source in _xml_files(path):
        for document in elements(source, "Document", encoding=options["encoding"], name=name):
            for number, pair in enumerate(document.iter("QAPair"), start=1):
                question = pair.find("Question")
                id = (question.get("qid") if question is not None else "") or f"{document.get('id')}-{number}"
                answer, asked = text_of(pair, "Answer"), text_of(pair, "Question")
                if not asked:
                    raise fault_at(name, pair.sourceline)("the pair has no question; write it.")
                row = QaRow(
                    id,
                    document.get("id") or id,
                    asked,
                    "free",
                    (answer,) if answer else (),
                    facets=facets(
                        ("source", document.get("source") or ""),
                        ("focus", text_of(document, "Focus")),
                        ("qtype", question.get("qtype") or ""),
                    ),
                )
                yield from answered(row, options, fault_at(name, pair.sourceline))


def read_mediqa_qa(path: Path, options: Options) -> Iterator[QaRow]:
    """One row a <Question> of MEDIQA's answer ranking; the answers scored 3 or 4 count, best rank first."""
    for name, source in _xml_files(path):
        for question in elements(source, "Question", encoding=options["encoding"], name=name):
            id, at = question.get("QID") or "", fault_at(name, question.sourceline)
            asked = text_of(question, "QuestionText")
            if not id or not asked:
                raise at("the question has no QID or no text; fill it in.")
            row = QaRow(id, id, asked, "free", _good_answers(question, at))
            yield from answered(row, options, at)


def read_mediqa_rqe(path: Path, options: Options) -> Iterator[PairsRow]:
    """One row a <pair>: a consumer's question, a frequent one, and whether its answer serves the first."""
    for name, source in _xml_files(path):
        for pair in elements(source, "pair", encoding=options["encoding"], name=name):
            id, at = pair.get("pid") or "", fault_at(name, pair.sourceline)
            one, two, label = text_of(pair, "chq"), text_of(pair, "faq"), pair.get("value") or ""
            if not (id and one and two and label):
                raise at("the pair has no pid, no chq, no faq or no value; fill it in.")
            yield PairsRow(id, id, one, two, label)


def _good_answers(question, at) -> tuple[str, ...]:
    """The texts scored as right, best rank first; none where nothing is scored, as in a test set."""
    scored = [answer for answer in question.iter("Answer") if answer.get("ReferenceScore")]
    good = sorted(
        (_whole(answer, "ReferenceRank", at), text_of(answer, "AnswerText"))
        for answer in scored
        if _whole(answer, "ReferenceScore", at) >= GOOD_SCORE
    )
    return tuple(text for _, text in good if text)


def _whole(element, attribute: str, at) -> int:
    try:
        return int(element.get(attribute) or "")
    except ValueError:
        raise at(f"an answer has no whole number as {attribute}; fill it in.") from None


def _xml_files(path: Path) -> Iterator[tuple[str, BinaryIO]]:
    """Each file open, with its name where it is one of several."""
    if path.is_file() and not is_zip(path):
        with open_bytes(path) as source:
            yield "", source
        return
    with members(path, ".xml") as found:
        yield from ((member.name, member.stream()) for member in found)


def _fits_questions(head: Head) -> bool:
    return head.has("question", "answer") and not head.has("options")


def _fits_chats(head: Head) -> bool:
    return head.has("instruction", "output")


def _fits_xml(mark: str):
    return lambda head: head.kind == "xml" and mark in head.text


_XML = (UNANSWERED, ENCODING, SPLIT)
FORMATS = (
    Format(
        "questions",
        "Questions and answers",
        "A question and its answer a record (MedQuAD as JSON lines; any such table).",
        QaRow,
        (".jsonl", ".jsonl.gz", ".json", ".csv", ".tsv"),
        by_record(read_questions),
        _fits_questions,
        (
            Option("question_field", "The field of the question.", "question"),
            Option("answer_field", "The field of the answer.", "answer"),
            UNANSWERED,
            *RECORDS,
        ),
        rows=read_questions,
    ),
    Format(
        "instruction_output",
        "Instruction, input, output",
        "Questions to a doctor and their answers (ChatDoctor's HealthCareMagic and iCliniq).",
        QaRow,
        (".json", ".jsonl"),
        by_record(read_chats),
        _fits_chats,
        (UNANSWERED, *RECORDS),
        rows=read_chats,
    ),
    Format(
        "medquad_xml",
        "MedQuAD XML",
        "Consumer health questions with answers: a file, a folder or a zip of XML.",
        QaRow,
        (".xml", ".zip"),
        read_medquad_xml,
        _fits_xml("<QAPair"),
        _XML,
    ),
    Format(
        "mediqa_qa",
        "MEDIQA answers (XML)",
        "Consumer health questions with scored answers; those scored 3 or 4 count as right.",
        QaRow,
        (".xml",),
        read_mediqa_qa,
        _fits_xml("<QuestionText"),
        _XML,
    ),
    Format(
        "mediqa_rqe",
        "MEDIQA question entailment (XML)",
        "A consumer's question, a frequent one, and whether its answer serves for the first.",
        PairsRow,
        (".xml",),
        read_mediqa_rqe,
        _fits_xml("<chq"),
        (ENCODING, SPLIT),
    ),
)
