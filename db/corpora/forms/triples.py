"""Relations as lines of `(head; relation; tail)`, the words of both mentions as they stand in the text.

Words that hold a semicolon, a quotation mark or a bracketed number stand in double quotes. Where the mention
meant is not the first place of its words, ` [2]` says which place it is, so that every row of unbroken
mentions comes back exactly.
"""

import re
from dataclasses import dataclass
from typing import ClassVar

from db.corpora.forms import reply
from db.corpora.forms.form import CannotWrite, Label, Obstacle, check_labels, explained, listed
from db.corpora.forms.locating import Locator
from db.corpora.forms.mentions import kinds
from db.corpora.forms.prediction import Fault, FaultKind, Pair, Pairs, Span, folded
from db.corpora.schema import Entity, KbRow

_FIELD = r'\s*(?:"((?:[^"]|"")*)"|([^;"]*?))(?:\s*\[(\d{1,3})\])?\s*'
_NO_RELATION = ("no relation", "no relations")
_LEAD = re.compile(r"^[^();]*:\s*(?=\()")  # prose before the bracket
_TRIPLE = re.compile(rf"^\(?{_FIELD};{_FIELD};{_FIELD}\)?[.,]?$")


@dataclass(frozen=True)
class Triples:
    name: ClassVar[str] = "triples"
    title: ClassVar[str] = "(head; relation; tail), one a line"
    shape: ClassVar[str] = "kb"
    labelled: ClassVar[bool] = True
    tasks: ClassVar[tuple[str, ...]] = ("relation_extraction",)
    labels: tuple[Label, ...]

    def __post_init__(self) -> None:
        check_labels(self.labels)
        if any(set(label.shown) & set(';"[]') for label in self.labels):
            raise ValueError("labels: a label of this form holds no semicolon, quote or bracket; rename it.")

    def constraint(self) -> str:
        names = listed([label.shown for label in self.labels])
        book = explained(self.labels, "Relations")
        return (
            "Answer with one line for each relation, written as `(head; relation; tail)`, where relation is "
            f"{names} and both mentions are copied exactly; put words that hold a semicolon in double "
            "quotes, and write [2] after words whose second occurrence is meant. If there is no relation, "
            f"answer `none`.{book}"
        )

    def write(self, row: KbRow) -> str:
        locator, shown = Locator(row.text), {label.name: label.shown for label in self.labels}
        written = [
            f"({_words(locator, pair.head)}; {shown[pair.type]}; {_words(locator, pair.tail)})"
            for pair in self.gold(row).pairs
        ]
        return "\n".join(written) or "none"

    def gold(self, row: KbRow) -> Pairs:
        entities = {entity.id: entity for entity in row.entities}
        types = {label.name for label in self.labels}
        pairs = {
            Pair(relation.type, _span(entities[relation.arg1_id]), _span(entities[relation.arg2_id]))
            for relation in row.relations
            if relation.type in types
        }
        return Pairs(tuple(sorted(pairs, key=lambda pair: (pair.head, pair.tail, pair.type))))

    def parse(self, answer: str, row: KbRow) -> Pairs:
        lines = reply.lines(reply.body(answer))
        if not lines:
            return Pairs((), (Fault(FaultKind.EMPTY),))
        faults: list[Fault] = []
        locator, types = Locator(row.text), kinds(self.labels)
        matches = [_match(line) for line in lines]
        if not any(matches):
            empty = any(reply.says_none(line) or folded(line) in _NO_RELATION for line in lines)
            return Pairs(()) if empty else Pairs((), (Fault(FaultKind.UNPARSABLE),))
        found = set()
        for line, match in zip(lines, matches, strict=True):
            if match:
                found |= _read(match, locator, types, faults)
            elif line.startswith("("):
                faults.append(Fault(FaultKind.BROKEN, line))
        pairs = sorted(found, key=lambda pair: (pair.head, pair.tail, pair.type))
        return Pairs(tuple(pairs), tuple(faults))


def _span(entity: Entity) -> Span:
    if len(entity.offsets) > 1:
        raise CannotWrite(Obstacle.BROKEN_UP)
    return entity.offsets[0]


def _words(locator: Locator, span: Span) -> str:
    words = locator.text[slice(*span)]
    if not words.strip() or "\n" in words:
        raise CannotWrite(Obstacle.NOT_READ_BACK)
    plain = words == words.strip() and not set(words) & set(';"[]') and not _has_loose_bracket(words)
    quoted = words if plain else '"' + words.replace('"', '""') + '"'
    return quoted if _first(locator, words) == span else f"{quoted} [{locator.places(words).index(span) + 1}]"


def _has_loose_bracket(words: str) -> bool:
    """Whether a bracket at the words' edge could be taken for the line's own."""
    return words.startswith("(") or words.endswith((")", ".", ","))


def _first(locator: Locator, words: str) -> Span | None:
    """The first place of the words. Nothing is ever taken here: each field is read on its own."""
    return locator.next(words)


def _match(line: str) -> re.Match | None:
    line = _LEAD.sub("", line if line.startswith("(") else reply.without_bullet(line).strip("`*"))
    return _TRIPLE.match(line) if line.count(";") >= 2 else None


def _read(match: re.Match, locator: Locator, types: dict[str, str], faults: list[Fault]) -> set[Pair]:
    head, tail = _place(match.groups()[0:3], locator, faults), _place(match.groups()[6:9], locator, faults)
    said = match[4] if match[4] is not None else match[5]
    type = types.get(folded(said)) or types.get(" ".join(said.split()).casefold())
    if type is None:
        faults.append(Fault(FaultKind.UNKNOWN_LABEL, said.strip()))
    return {Pair(type, head, tail)} if head and tail and type else set()


def _place(field: tuple[str | None, ...], locator: Locator, faults: list[Fault]) -> Span | None:
    quoted, plain, nth = field
    words = quoted.replace('""', '"') if quoted is not None else (plain or "").strip()
    place = locator.at(words, int(nth)) if nth else _first(locator, words)
    if place is None:
        faults.append(Fault(FaultKind.INVENTED, words))
    return place
