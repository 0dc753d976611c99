"""Questions with passages: PubMedQA by PMID, and BioASQ's list of questions with snippets."""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path

from db.corpora.readers.answers import answered
from db.corpora.readers.formats import ENCODING, SPLIT, UNANSWERED, Format, Head, Option, Options
from db.corpora.readers.json_items import json_items, json_members
from db.corpora.readers.records import Record, record_of
from db.corpora.readers.text import MAX_WHOLE, open_text
from db.corpora.schema import CorpusError, QaRow
from db.enums import Split

DECISIONS = ("yes", "no", "maybe")
_TEST_FILE = "test_ground_truth.json"
_TYPES = {"yesno": "yesno", "factoid": "factoid", "list": "list", "summary": "free"}


def read_pubmedqa(path: Path, options: Options) -> Iterator[QaRow]:
    """One row a PMID, its contexts a line each.

    `test_ids` names the file of test answers (PMID to decision); the one beside `path` is taken unless it
    is given. Its PMIDs are the test split and the others the training split; without such a file no row has a
    split. Raises CorpusError where the two files do not agree, or one of its PMIDs is not in `path`.
    """
    test = _test_answers(path, options)
    left = set(test)
    for pmid, value in json_members(path, options["encoding"]):
        left.discard(pmid)
        yield from _pubmedqa_rows(pmid, record_of(value, name=pmid), test, options)
    if left:
        raise CorpusError(
            f"{len(left):,} test ids are not in the file, such as {min(left)[:20]}; "
            "take the files of one release."
        )


def rows_of_abstracts(records: Iterable[Record], options: Options) -> Iterator[QaRow]:
    """The same from records with the field PMID; their split is not told from test answers."""
    for record in records:
        yield from _pubmedqa_rows(record.text("PMID"), record, {}, options)


def _pubmedqa_rows(pmid: str, record: Record, test: dict[str, str], options: Options) -> Iterator[QaRow]:
    decision = record.text("final_decision", default="").strip().lower()
    if decision not in ("", *DECISIONS):
        raise record.fault(f"final_decision is {decision[:20]!r}; write yes, no or maybe.")
    if decision and pmid in test and test[pmid] != decision:
        raise record.fault(f"final_decision is {decision}, and {_TEST_FILE} says {test[pmid]}; mend one.")
    yield from answered(_pubmedqa_row(pmid, record, decision, test), options, record.fault)


def _pubmedqa_row(pmid: str, record: Record, decision: str, test: dict[str, str]) -> QaRow:
    contexts = record.texts("CONTEXTS")
    if not any(text.strip() for text in contexts):
        raise record.fault("CONTEXTS is empty; write the abstract.")
    return QaRow(
        pmid,
        pmid,
        record.text("QUESTION"),
        "yesno",
        (decision,) if decision else (),
        DECISIONS,
        context="\n".join(contexts),
        long_answer=record.text("LONG_ANSWER", default=""),
        split=(Split.TEST if pmid in test else Split.TRAIN) if test else None,
    )


def _test_answers(path: Path, options: Options) -> dict[str, str]:
    file = Path(options["test_ids"]) if options["test_ids"] else path.with_name(_TEST_FILE)
    if not file.is_file():
        if options["test_ids"]:
            raise ValueError(f"test_ids: {file.name} is no file; name {_TEST_FILE}.")
        return {}
    try:
        with open_text(file, options["encoding"]) as text:
            value = json.loads(text.read(MAX_WHOLE))
    except (json.JSONDecodeError, RecursionError):
        raise ValueError(f"test_ids: {file.name} is not JSON; fetch it again.") from None
    if not isinstance(value, dict) or not all(isinstance(answer, str) for answer in value.values()):
        raise ValueError(f"test_ids: {file.name} does not give a decision for each PMID; fetch it again.")
    return value


# BioASQ -----------------------------------------------------------------------------------------------


def read_bioasq(path: Path, options: Options) -> Iterator[QaRow]:
    """One row a question; a summary question is `free`, its ideal answers the ones that count.

    Of a factoid every wording counts. The context is the snippets, a line each.
    """
    for number, value in enumerate(json_items(path, "questions.item", options["encoding"]), start=1):
        record = record_of(value, number=number)
        id = record.text("id", default=str(number))
        yield from answered(_bioasq_row(id, record_of(value, number=number, name=id)), options, record.fault)


def _bioasq_row(id: str, record: Record) -> QaRow:
    kind = record.text("type").strip().lower()
    if kind not in _TYPES:
        raise record.fault(f"type is {kind[:20]!r}; write yesno, factoid, list or summary.")
    ideal = record.texts("ideal_answer") if record.has("ideal_answer") else ()
    answer, synonyms = (ideal, ()) if kind == "summary" else _exact(kind, record)
    return QaRow(
        id,
        id,
        record.text("body"),
        _TYPES[kind],
        answer,
        ("yes", "no") if kind == "yesno" else (),
        context="\n".join(_snippets(record)),
        long_answer=ideal[0] if ideal else "",
        synonyms=synonyms,
    )


def _exact(kind: str, record: Record) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]:
    """The exact answer and, of a list, the other wordings of each item."""
    value = record.values.get("exact_answer")
    if value in (None, "", []):
        return (), ()
    if kind == "yesno":
        answer = record.text("exact_answer").strip().lower()
        if answer not in ("yes", "no"):
            raise record.fault(f"exact_answer is {answer[:20]!r}; write yes or no.")
        return (answer,), ()
    items = [_wordings(item, record) for item in (value if isinstance(value, list) else [value])]
    if kind == "factoid":
        return tuple(dict.fromkeys(wording for item in items for wording in item)), ()
    return tuple(item[0] for item in items), tuple(item[1:] for item in items)


def _wordings(item: object, record: Record) -> tuple[str, ...]:
    listed = [item] if isinstance(item, str) else item
    if not isinstance(listed, list) or not listed or not all(isinstance(text, str) for text in listed):
        raise record.fault("exact_answer is no text and no list of texts; write one.")
    wordings = tuple(dict.fromkeys(text.strip() for text in listed if text.strip()))
    if not wordings:
        raise record.fault("an item of exact_answer is empty; fill it in or take it out.")
    return wordings


def _snippets(record: Record) -> Iterator[str]:
    snippets = record.values.get("snippets") or []
    if not isinstance(snippets, list):
        raise record.fault("snippets is no list; write one.")
    for snippet in snippets:
        text = snippet.get("text") if isinstance(snippet, dict) else snippet
        if not isinstance(text, str):
            raise record.fault("a snippet has no text; fill it in.")
        yield text


def _fits_pubmedqa(head: Head) -> bool:
    return '"QUESTION"' in head.text and '"CONTEXTS"' in head.text


def _fits_bioasq(head: Head) -> bool:
    return head.kind == "json" and '"questions"' in head.text and '"body"' in head.text


FORMATS = (
    Format(
        "pubmedqa",
        "PubMedQA",
        "Yes, no or maybe about an abstract, by PMID; the test answers in a file beside it.",
        QaRow,
        (".json",),
        read_pubmedqa,
        _fits_pubmedqa,
        (
            Option(
                "test_ids",
                f"The file of test answers; {_TEST_FILE} beside the file unless given.",
                kind="file",
            ),
            UNANSWERED,
            ENCODING,
            SPLIT,
        ),
        rows=rows_of_abstracts,
    ),
    Format(
        "bioasq",
        "BioASQ",
        "Questions of four types (yes or no, factoid, list, summary) with snippets and answers.",
        QaRow,
        (".json",),
        read_bioasq,
        _fits_bioasq,
        (UNANSWERED, ENCODING, SPLIT),
    ),
)
