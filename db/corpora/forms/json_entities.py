"""A JSON list of {"text", "type"}, in the order of the text.

A mention is found again by the order of occurrence; where that would find another place, the writer adds
"occurrence", counted from 1 among all places of the same words, so that every row comes back exactly. A
mention that is broken up has the list of its pieces as "text". Overlapping mentions are no trouble.
"""

import json
from dataclasses import dataclass
from typing import Any, ClassVar

from db.corpora.forms import reply
from db.corpora.forms.form import CannotWrite, Label, Obstacle, check_labels, explained, listed
from db.corpora.forms.locating import Locator
from db.corpora.forms.mentions import asked_mentions, kinds
from db.corpora.forms.prediction import Fault, FaultKind, Mention, Mentions, Span
from db.corpora.schema import KbRow

_TEXT_KEYS = ("text", "mention", "entity", "span", "name", "word")
_TYPE_KEYS = ("type", "label", "category", "entity_type", "class")


@dataclass(frozen=True)
class JsonEntities:
    name: ClassVar[str] = "json_entities"
    title: ClassVar[str] = "JSON list of mentions with their types"
    shape: ClassVar[str] = "kb"
    labelled: ClassVar[bool] = True
    tasks: ClassVar[tuple[str, ...]] = ("named_entity_recognition",)
    labels: tuple[Label, ...]

    def __post_init__(self) -> None:
        check_labels(self.labels)

    def constraint(self) -> str:
        types = listed([f'"{label.shown}"' for label in self.labels])
        book = explained(self.labels, "Types")
        return (
            'Answer with a JSON list of objects {"text": ..., "type": ...}, one for each mention in the '
            f"order of the text, the words copied exactly; type is {types}. If the same words also stand "
            'where they are not meant, add "occurrence" to say which place it is, counted from 1. '
            f"If there is no mention, answer [].{book}"
        )

    def write(self, row: KbRow) -> str:
        shown = {label.name: label.shown for label in self.labels}
        locator = Locator(row.text)
        records = []
        for mention in asked_mentions(row, self.labels):
            pieces = [_place(locator, row.text, span, mention.type) for span in mention.offsets]
            record: dict[str, Any] = {"text": _one_or_list([words for words, _ in pieces])}
            record["type"] = shown[mention.type]
            if any(nth for _, nth in pieces):
                record["occurrence"] = _one_or_list([nth or 0 for _, nth in pieces])
            records.append(record)
        return json.dumps(records, ensure_ascii=False)

    def gold(self, row: KbRow) -> Mentions:
        return Mentions(tuple(asked_mentions(row, self.labels)))

    def parse(self, answer: str, row: KbRow) -> Mentions:
        value, cut_off = reply.json_value(answer, _looks_right)
        if value is None and reply.says_none(reply.body(answer)):
            return Mentions(())
        if value is None:
            return Mentions((), (Fault(FaultKind.UNPARSABLE if answer.strip() else FaultKind.EMPTY),))
        faults = [Fault(FaultKind.CUT_OFF)] if cut_off else []
        locator, types = Locator(row.text), kinds(self.labels)
        found = [_read(record, locator, types, faults) for record in _records(value, types)]
        mentions = sorted({mention for mention in found if mention}, key=lambda m: (m.offsets, m.type))
        return Mentions(tuple(mentions), tuple(faults))


def _place(locator: Locator, text: str, span: Span, kind: str) -> tuple[str, int | None]:
    """The words of a span, and which of their occurrences it is where naming them would mean another."""
    words = text[slice(*span)]
    if not words.strip():
        raise CannotWrite(Obstacle.NOT_READ_BACK)
    nth = None if locator.next(words, kind) == span else locator.places(words).index(span) + 1
    locator.take(span, kind)
    return words, nth


def _one_or_list(values: list) -> Any:
    return values[0] if len(values) == 1 else values


def _looks_right(value: Any) -> bool:
    """A list of records or of words, or an object that holds such lists."""
    if isinstance(value, dict):
        return _first(value, _TEXT_KEYS) is not None or any(isinstance(held, list) for held in value.values())
    return isinstance(value, list) and all(isinstance(member, dict | str) for member in value)


def _records(value: Any, types: dict[str, str]) -> list:
    """The records of a value: its own, those under a key such as "entities", or words grouped by type."""
    if isinstance(value, list):
        return value
    if _first(value, _TEXT_KEYS) is not None:
        return [value]
    records = []
    for key, members in value.items():
        for member in members if isinstance(members, list) else ():
            grouped = key.casefold() in types and isinstance(member, str)
            records.append({"text": member, "type": key} if grouped else member)
    return records


def _read(record: Any, locator: Locator, types: dict[str, str], faults: list[Fault]) -> Mention | None:
    if isinstance(record, str):
        record = {"text": record}
    words = _first(record, _TEXT_KEYS) if isinstance(record, dict) else None
    pieces = words if isinstance(words, list) else [words]
    if not pieces or not all(isinstance(piece, str) and piece.strip() for piece in pieces):
        faults.append(Fault(FaultKind.BROKEN, str(record)))
        return None
    type = _type(_first(record, _TYPE_KEYS), types, faults)
    if type is None:
        return None
    counts = record.get("occurrence")
    counts = counts if isinstance(counts, list) and len(counts) == len(pieces) else [counts] * len(pieces)
    spans = []
    for piece, count in zip(pieces, counts, strict=True):
        span = _locate(locator, piece, count, type)
        if span is None:
            stands = bool(locator.places(piece))
            faults.append(Fault(FaultKind.REPEATED if stands else FaultKind.INVENTED, piece))
            return None
        locator.take(span, type)
        spans.append(span)
    return Mention(type, tuple(spans))


def _locate(locator: Locator, words: str, count: Any, kind: str) -> Span | None:
    if isinstance(count, int) and not isinstance(count, bool) and count > 0:
        return locator.at(words, count)
    return locator.next(words, kind)


def _type(said: Any, types: dict[str, str], faults: list[Fault]) -> str | None:
    if said is None and len(set(types.values())) == 1:
        return next(iter(types.values()))
    found = types.get(" ".join(said.split()).casefold()) if isinstance(said, str) else None
    if found is None:
        faults.append(Fault(FaultKind.UNKNOWN_LABEL, str(said or "")))
    return found


def _first(record: dict, keys: tuple[str, ...]) -> Any:
    lowered = {str(key).casefold(): value for key, value in record.items()}
    return next((lowered[key] for key in keys if key in lowered), None)
