"""A line for each type with its mentions, separated by commas: `disease: cystic fibrosis, asthma`.

Mentions with a comma or a quotation mark stand in double quotes, as in CSV. The line has the words alone, so
a row where the same words also stand untagged before a mention cannot be written in this form.
"""

import csv
import re
from dataclasses import dataclass
from typing import ClassVar

from db.corpora.forms import reply
from db.corpora.forms.form import CannotWrite, Label, Obstacle, check_labels, explained, listed
from db.corpora.forms.locating import Locator
from db.corpora.forms.mentions import asked_mentions, is_broken_up, kinds
from db.corpora.forms.prediction import Fault, FaultKind, Mention, Mentions, folded
from db.corpora.schema import KbRow


@dataclass(frozen=True)
class TypedList:
    name: ClassVar[str] = "typed_list"
    title: ClassVar[str] = "Mentions by type, separated by commas"
    shape: ClassVar[str] = "kb"
    labelled: ClassVar[bool] = True
    tasks: ClassVar[tuple[str, ...]] = ("named_entity_recognition",)
    labels: tuple[Label, ...]

    def __post_init__(self) -> None:
        check_labels(self.labels)
        if any(":" in label.shown for label in self.labels):
            raise ValueError("labels: a label of this form cannot hold a colon; write it in another way.")

    def constraint(self) -> str:
        types = listed([label.shown for label in self.labels], "and")
        each = "Answer with one line" if len(self.labels) == 1 else "Answer with one line for each type"
        book = explained(self.labels, "Types")
        return (
            f"{each} ({types}), written as `type: mention, mention`, the mentions copied exactly and in the "
            "order of the text, every occurrence named; put a mention that holds a comma in double quotes, "
            f"and write `none` where there is no mention.{book}"
        )

    def write(self, row: KbRow) -> str:
        mentions = asked_mentions(row, self.labels)
        if any(is_broken_up(mention) for mention in mentions):
            raise CannotWrite(Obstacle.BROKEN_UP)
        return "\n".join(
            f"{label.shown}: {_line(row.text, [m for m in mentions if m.type == label.name]) or 'none'}"
            for label in self.labels
        )

    def gold(self, row: KbRow) -> Mentions:
        return Mentions(tuple(asked_mentions(row, self.labels)))

    def parse(self, answer: str, row: KbRow) -> Mentions:
        if not answer.strip():
            return Mentions((), (Fault(FaultKind.EMPTY),))
        faults: list[Fault] = []
        by_type = self._by_type(answer, row, faults)
        if not by_type:
            return Mentions((), (*faults, Fault(FaultKind.UNPARSABLE)))
        found: set[Mention] = set()
        for type, words in by_type.items():
            found |= _located(type, words, row.text, faults)
        return Mentions(tuple(sorted(found, key=lambda m: (m.offsets, m.type))), tuple(faults))

    def _by_type(self, answer: str, row: KbRow, faults: list[Fault]) -> dict[str, list[str]]:
        """The words named for each type: after `type:` on its line, and in the bullets below it."""
        types, by_type, current = kinds(self.labels), {}, None
        lines = reply.lines(reply.body(answer))
        for line in lines:
            head, colon, rest = line.partition(":")
            named = types.get(folded(_singular(reply.without_bullet(head), types))) if colon else None
            if named:
                current = named
                by_type.setdefault(named, []).extend(_items(rest))
            elif current and reply.is_bulleted(line):
                by_type[current] += _items(reply.without_bullet(line))
            elif colon and len(head.split()) <= 3 and line not in row.text:
                faults.append(Fault(FaultKind.UNKNOWN_LABEL, head.strip()))
                current = None
        if not by_type and len(self.labels) == 1 and (len(lines) == 1 or all(map(reply.is_bulleted, lines))):
            faults.clear()
            named = [item for line in lines for item in _items(reply.without_bullet(line))]
            known = Locator(row.text)
            if any(known.places(item) for item in named) or all(reply.says_none(line) for line in lines):
                by_type[self.labels[0].name] = named
        return by_type


def _line(text: str, mentions: list[Mention]) -> str:
    """The mentions of one type; refuses where their words would be found in another place."""
    locator, items = Locator(text), []
    for mention in mentions:
        span = mention.offsets[0]
        words = " ".join(text[slice(*span)].split())
        if locator.next(words, mention.type) != span:
            raise CannotWrite(Obstacle.SAME_WORDS)
        locator.take(span, mention.type)
        items.append(_quoted(words))
    line = ", ".join(items)
    if _items(line) != [" ".join(text[slice(*mention.offsets[0])].split()) for mention in mentions]:
        raise CannotWrite(Obstacle.NOT_READ_BACK)
    return line


def _quoted(words: str) -> str:
    if (
        '"' in words
        or "," in words
        or ";" in words
        or reply.says_none(words)
        or words != reply.unwrapped(words)
    ):
        return _in_quotes(words)
    return words


def _in_quotes(words: str) -> str:
    return '"' + words.replace('"', '""') + '"'


def _items(line: str) -> list[str]:
    """The items of a list with commas or semicolons; those in double quotes are taken as they stand."""
    line = line.strip()
    if (line == "-" or reply.says_none(line)) and not line.startswith('"'):
        return []
    separated = re.sub(r';(?=(?:[^"]*"[^"]*")*[^"]*$)', ",", line)
    try:
        cells = next(csv.reader([separated], skipinitialspace=True, strict=False), [])
    except csv.Error:
        cells = separated.split(",")
    items = [cell.strip() if _in_quotes(cell) in separated else reply.unwrapped(cell) for cell in cells]
    return [item for item in items if item]


def _located(type: str, words: list[str], text: str, faults: list[Fault]) -> set[Mention]:
    locator, found = Locator(text), set()
    for item in words:
        place = locator.next(item, type)
        if place is None:
            kind = FaultKind.REPEATED if locator.places(item) else FaultKind.INVENTED
            faults.append(Fault(kind, item))
        else:
            locator.take(place, type)
            found.add(Mention(type, (place,)))
    return found


def _singular(head: str, types: dict[str, str]) -> str:
    """A heading such as 'Diseases' as the type it is about."""
    words = folded(head)
    return next(
        (form for form in (words, words.removesuffix("s"), words.removesuffix("es")) if form in types), head
    )
