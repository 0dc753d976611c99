"""What a model's reply holds: whole records as content, everything else as faults that say what is wrong.

Read as JSON wherever it stands: one object, a list, JSONL, `{"instructions": [...]}`, in a code fence or
among prose. Else as Self-Instruct's numbered text. A record counts only when it is whole:

- cut off, or no JSON in the middle: a fault, and reading goes on at the next record;
- a field that stands twice, or a field with the head of another record in it: two records have run together,
  so neither is kept;
- an instruction or an answer that is missing or empty, or an input that is not even named: a fault.

What is mended, with a note on the item: `response` and `answer` stand for output; a number, list or object as
input or output stays as its JSON text; `<noinput>`, `n/a`, `none` and null are no input; category
and task by `labels`. Not seen: a stretch left out within one field, or from one record's field to the same
field of another.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from db.content import Content
from db.enums import Category
from db.generating import scanning
from db.generating.forms import asked_fields
from db.generating.labels import Label, read_label
from db.generating.scanning import Loss, Lost, Raw, Record

MAX_REPLY = 2_000_000  # characters
MAX_FOUND = 1_000  # records and faults of one reply; some 50 are asked for at most
_CUT_REASONS = ("length", "content_filter", "max_tokens")
_WHOLE_REASONS = ("stop", "end_turn")
_ALIASES = {"response": "output", "answer": "output"}
_NO_INPUT = ("<noinput>", "<no input>", "n/a", "none", "no input")
_HEAD_INSIDE = re.compile(
    r'"instruction"\s{0,9}:|^[ \t]{0,9}[0-9]{1,4}[.)][ \t]{0,9}instruction[ \t]{0,9}:', re.I | re.M
)
_ODD = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
_TEXT_HEAD = re.compile(
    r"^[ \t#*]{0,9}(?:([0-9]{1,4})[ \t]?[.)][ \t]{0,9})?(instruction|input|output)[ \t*]{0,9}:[ \t*]{0,9}",
    re.I | re.M,
)
_TEXT_END = re.compile(r"^[ \t]{0,9}###[ \t]*$", re.M)


class FaultKind(StrEnum):
    CUT = "cut"
    BROKEN = "broken"
    MERGED = "merged"
    MISSING = "missing"
    WRONG_TYPE = "wrong type"
    UNREADABLE = "unreadable"
    TOO_LONG = "too long"
    EMPTY = "empty"


@dataclass(frozen=True)
class Fault:
    """What could not be read, in a sentence without any of its text; where it stands in the reply."""

    kind: FaultKind
    sentence: str
    start: int = 0  # characters of the reply
    end: int = 0


@dataclass(frozen=True)
class Item:
    """A whole record of a reply."""

    content: Content
    position: int = 0  # among the items of the reply
    mends: tuple[str, ...] = ()


@dataclass(frozen=True)
class Reply:
    """The whole records in their order, and the faults."""

    items: tuple[Item, ...]
    faults: tuple[Fault, ...] = ()
    is_cut: bool = False


@dataclass(frozen=True)
class LabelReply:
    """A label for each record asked about, None where the reply has none that can be told."""

    labels: tuple[Label | None, ...]
    faults: tuple[Fault, ...] = ()
    is_cut: bool = False


class _Unfit(Exception):
    """A record that is not kept."""

    def __init__(self, kind: FaultKind, sentence: str) -> None:
        super().__init__(sentence)
        self.kind, self.sentence = kind, sentence


def read(text: str, *, finish_reason: str = "", fixed: Mapping[str, str] | None = None) -> Reply:
    """The records of a reply; `fixed` are the fields that the request gave (`prompts.Request.fixed`).

    `finish_reason` is what the server says ("stop", "length"); numbered text needs it to know whether its
    last record is whole.
    """
    fixed = dict(fixed or {})
    text, faults = _bounded(text)
    offset = _after_thinking(text)
    items: list[Item] = []
    for found in _records(text, offset, finish_reason, fixed):
        if len(items) + len(faults) >= MAX_FOUND:
            sentence = f"What stands after {MAX_FOUND:,} records and faults was not read."
            faults.append(Fault(FaultKind.TOO_LONG, sentence, found.start, len(text)))
            break
        if isinstance(found, Lost):
            faults.append(_fault_of(found))
            continue
        try:
            content, mends = _content(found, fixed)
            items.append(Item(content, len(items), mends))
        except _Unfit as unfit:
            faults.append(Fault(unfit.kind, unfit.sentence, found.start, found.end))
    if not items and not faults:
        faults.append(Fault(FaultKind.EMPTY, "The reply holds no record.", 0, len(text)))
    return Reply(tuple(items), tuple(faults), _is_cut(faults, finish_reason))


def read_labels(text: str, count: int, *, finish_reason: str = "") -> LabelReply:
    """The labels of `count` records, asked for in the mode *label*. A number named twice labels nothing."""
    text, faults = _bounded(text)
    labels: dict[int, Label] = {}
    spoilt: set[int] = set()
    for found in scanning.scan(text[_after_thinking(text) :], frozenset({"number", "category", "task"})):
        if isinstance(found, Lost):
            faults.append(_fault_of(found))
            if len(faults) >= MAX_FOUND:
                break
            continue
        try:
            values = _fields(found, ("number", "category", "task"))
            number = _number(values.get("number"), count)
        except _Unfit as unfit:
            faults.append(Fault(unfit.kind, unfit.sentence, found.start, found.end))
            continue
        if number in labels:
            spoilt.add(number)
        labels[number] = read_label(values.get("category"), values.get("task"))
    if spoilt:
        faults.append(Fault(FaultKind.MERGED, "A record was labelled twice; it is left without a label."))
    told = tuple(None if at in spoilt else labels.get(at) for at in range(1, count + 1))
    return LabelReply(told, tuple(faults), _is_cut(faults, finish_reason))


# Where records stand ------------------------------------------------------------------------------------


def _bounded(text: str) -> tuple[str, list[Fault]]:
    if len(text) <= MAX_REPLY:
        return text, []
    sentence = f"The reply has {len(text):,} characters; what stands after {MAX_REPLY:,} was not read."
    return text[:MAX_REPLY], [Fault(FaultKind.CUT, sentence, MAX_REPLY, len(text))]


def _after_thinking(text: str) -> int:
    """Where the reply begins behind a reasoning model's thoughts, which may hold drafts."""
    if not text[:1_000].lstrip().startswith("<think>"):
        return 0
    end = text.find("</think>")
    return len(text) if end < 0 else end + len("</think>")


def _records(text: str, offset: int, finish_reason: str, fixed: Mapping) -> Iterator[Record | Lost]:
    body = text[offset:]
    head, opening = _TEXT_HEAD.search(body), scanning.first_opening(body)
    if head and head[2].lower() == "instruction" and (opening is None or head.start() < opening):
        found = _numbered(body, is_whole=finish_reason in _WHOLE_REASONS)
    else:
        keys = {"output", *_ALIASES} if "instruction" in fixed else {"instruction", "input", "output"}
        found = scanning.scan(body, frozenset(keys))
    for one in found:
        yield type(one)(*_moved(one, offset))


def _moved(one: Record | Lost, by: int) -> tuple:
    start, end = one.start + by, one.end + by
    return (one.pairs, start, end) if isinstance(one, Record) else (start, end, one.loss)


def _numbered(text: str, *, is_whole: bool) -> Iterator[Record | Lost]:
    """Self-Instruct's and Alpaca's form: `1. Instruction: ...`, `1. Input: ...`, `1. Output: ...`, `###`.

    Records are told apart by their heads alone: "20." in a text is a number. The last one is whole when ###
    ends it, or when the server says so.
    """
    groups: list[list[re.Match]] = []
    for head in _TEXT_HEAD.finditer(text):
        if head[2].lower() == "instruction":
            groups.append([])
        if groups:
            groups[-1].append(head)
    ends = [group[0].start() for group in groups[1:]] + [len(text)]
    for number, (group, end) in enumerate(zip(groups, ends, strict=True), 1):
        start = group[0].start()
        mark = _TEXT_END.search(text, start, end)
        if number == len(groups) and mark is None and not is_whole:
            yield Lost(start, end, Loss.CUT)
            continue
        end = mark.start() if mark else end
        own = [head for head in group if head.start() < end]
        if len({head[1] for head in own}) > 1:
            yield Lost(start, end, Loss.BROKEN)
            continue
        yield Record(tuple(_parts(text, own, end)), start, end)


def _parts(text: str, heads: list[re.Match], end: int) -> Iterator[tuple[str, str]]:
    ends = [head.start() for head in heads[1:]] + [end]
    for head, stop in zip(heads, ends, strict=True):
        yield head[2].lower(), text[head.end() : stop].strip()


def _fault_of(lost: Lost) -> Fault:
    sentences = {
        Loss.CUT: (FaultKind.CUT, "The reply ends within this record."),
        Loss.BROKEN: (
            FaultKind.BROKEN,
            "This record is not whole: the text stops being JSON, or its numbers differ.",
        ),
        Loss.DEEP: (FaultKind.BROKEN, f"It is nested more than {scanning.MAX_DEPTH} deep."),
    }
    return Fault(*sentences[lost.loss], lost.start, lost.end)


def _is_cut(faults: list[Fault], finish_reason: str) -> bool:
    return finish_reason in _CUT_REASONS or any(fault.kind is FaultKind.CUT for fault in faults)


# What a record says -------------------------------------------------------------------------------------


def _content(record: Record, fixed: Mapping[str, str]) -> tuple[Content, tuple[str, ...]]:
    asked = asked_fields(fixed)
    values, mends = _fields(record, asked), []
    texts = {name: fixed[name] for name in ("instruction", "input", "output") if name in fixed}
    for name in ("instruction", "input", "output"):
        if name in asked:
            texts[name], mend = _text(name, values.get(name))
            mends += [mend] if mend else []
    for name in asked:
        if name in texts and (name not in values or (name != "input" and not texts[name])):
            raise _Unfit(FaultKind.MISSING, f"{name}: it is missing or empty.")
    if "category" in asked:
        label = read_label(values.get("category"), values.get("task"))
    else:
        label = Label(Category(fixed["category"]), fixed["task"])
    try:
        content = Content(texts["instruction"], texts["input"], texts["output"], label.category, label.task)
    except ValueError as error:
        raise _Unfit(FaultKind.TOO_LONG, str(error)) from error
    return content, (*mends, *label.mends)


def _fields(record: Record, names: tuple[str, ...]) -> dict[str, str | Raw]:
    values: dict[str, str | Raw] = {}
    for key, value in record.pairs:
        name = key if key in names else _ALIASES.get(key, key)
        if name not in names:
            continue
        if name in values:
            raise _Unfit(FaultKind.MERGED, f"{name}: it stands twice; two records have run together.")
        values[name] = value
    return values


def _text(name: str, value: str | Raw | None) -> tuple[str, str]:
    """The text of a field, and how it was mended. Raises _Unfit."""
    mend = ""
    if value is None or value == Raw("null"):
        return "", ""
    if isinstance(value, Raw):
        if name == "instruction":
            raise _Unfit(FaultKind.WRONG_TYPE, "instruction: it is not text.")
        value, mend = value.text, f"{name}: it was no text; kept as its JSON"
    elif _HEAD_INSIDE.search(value):
        raise _Unfit(FaultKind.MERGED, f"{name}: it holds the head of another record.")
    if _ODD.search(value):
        raise _Unfit(FaultKind.UNREADABLE, f"{name}: it holds characters that no text has.")
    value = value.strip()
    if name == "input" and value.lower().rstrip(".") in _NO_INPUT:
        return "", "input: written as an empty text"
    return value, mend


def _number(value: str | Raw | None, count: int) -> int:
    text = value.text if isinstance(value, Raw) else value or ""
    if not (text.isascii() and text.isdigit() and len(text) < 9 and 1 <= int(text) <= count):
        raise _Unfit(FaultKind.WRONG_TYPE, f"number: it is none of 1 to {count}.")
    return int(text)
