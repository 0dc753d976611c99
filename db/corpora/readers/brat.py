"""BRAT standoff: a text and, beside it, an .ann file with a mention, a relation or an event a line.

    T1      Drug 0 9        metformin
    T2      Event 20 26;31 35       severe pain
    R1      Causes Arg1:T1 Arg2:T2
    N1      Reference T1 RxNorm:6809        metformin

A folder, a zip or one .ann with its .txt. An event is a relation from its trigger to each of its arguments;
attributes and notes are left out, since no row has a place for them. Own code, since the decoder of `bioc`
asserts where a line is broken, knows no N lines, and keeps the stretches of a mention without their order.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

from db.corpora.offsets import check_relation, mention
from db.corpora.readers.folders import Member, members, on_disk
from db.corpora.readers.formats import ENCODING, SPLIT, Format, Head, Options
from db.corpora.schema import CorpusError, Entity, KbRow, Relation

_SPAN = re.compile(r"(?P<type>\S+) (?P<spans>\d+ \d+(?:;\d+ \d+)*)\Z")
_PAIR = re.compile(r"(?P<type>\S+) [^\s:]+:(?P<one>\S+) [^\s:]+:(?P<two>\S+)\s*\Z")
_LINK = re.compile(r"\S+ (?P<mention>\S+) (?P<database>[^\s:]+):(?P<identifier>\S+)\Z")
_EVENT = re.compile(r"(?P<type>[^\s:]+):(?P<trigger>\S+)(?P<arguments>(?: [^\s:]+:\S+)*)\s*\Z")
_ALONE = ("readme", "license", "licence")


def read_brat(path: Path, options: Options) -> Iterator[KbRow]:
    """One row a document, called by its path without the suffix.

    Raises CorpusError, by document and line, for a broken line, offsets that give other words, an argument
    that is no mention, and for a text or an .ann file without the other.
    """
    with _files(path) as found:
        texts = {member.stem: member for member in found if member.suffix == ".txt"}
        notes = {member.stem: member for member in found if member.suffix == ".ann"}

        _require_pairs(texts, notes)
        for name, annotations in notes.items():
            yield _Reader(name, texts[name].text(options["encoding"])).row(annotations, options["encoding"])


@contextmanager
def _files(path: Path) -> Iterator[list[Member]]:
    """The texts and .ann files under a folder or in a zip; of one of them, it and its partner."""
    if path.suffix.lower() in (".txt", ".ann") and path.is_file():
        pair = [path.with_suffix(suffix) for suffix in (".txt", ".ann")]
        yield [on_disk(file, path.parent) for file in pair if file.exists()]
    else:
        with members(path, ".txt", ".ann") as found:
            yield found


def _require_pairs(texts: dict[str, Member], notes: dict[str, Member]) -> None:
    for name in notes.keys() - texts.keys():
        raise CorpusError(f"{name}.ann has no {name}.txt beside it; add the text.", record=name)
    for name in texts.keys() - notes.keys():
        if not name.rpartition("/")[2].lower().startswith(_ALONE):
            raise CorpusError(
                f"{name}.txt has no {name}.ann beside it; add one, empty where the text has no mentions.",
                record=name,
            )


class _Reader:
    """One document while the lines of its .ann file come in."""

    def __init__(self, name: str, text: str) -> None:
        self.name, self.text = name, text
        self.entities: dict[str, Entity] = {}
        self.links: dict[str, list[tuple[str, str]]] = {}
        self.triggers: dict[str, str] = {}
        self.pairs: list[tuple[str, Relation]] = []  # with the place of each

    def row(self, annotations: Member, encoding: str) -> KbRow:
        if not self.text.strip():
            raise CorpusError("the text is empty; take the pair out.", record=self.name)
        for number, line in enumerate(annotations.text(encoding).splitlines(), start=1):
            if line.strip():
                self._add(line, f"{annotations.name}, line {number}")
        return KbRow(self.name, self.name, self.text, tuple(self._linked()), tuple(self._relations()))

    def _add(self, line: str, place: str) -> None:
        id, _, rest = line.partition("\t")
        body, _, said = rest.partition("\t")
        kind = id[:1]
        if kind == "T":
            self._mention(id, body, said, place)
        elif kind == "R":
            found = _matched(_PAIR, body, "R1<tab>Type Arg1:T1 Arg2:T2", place)
            self.pairs.append((place, Relation(id, found["type"], found["one"], found["two"])))
        elif kind == "N":
            found = _matched(_LINK, body, "N1<tab>Reference T1 DATABASE:identifier<tab>name", place)
            self.links.setdefault(found["mention"], []).append((found["database"], found["identifier"]))
        elif kind == "E":
            self._event(id, body, place)
        elif kind == "*":
            self._equivalent(body, place)
        elif kind not in ("A", "M", "#"):
            raise CorpusError(f"{id[:20]!r} begins no line of BRAT; write T, R, E, A, N or #.", record=place)

    def _mention(self, id: str, body: str, said: str, place: str) -> None:
        found = _matched(_SPAN, body, "T1<tab>Type 0 5<tab>text", place)
        spans = tuple(
            (int(start), int(end)) for start, end in (pair.split() for pair in found["spans"].split(";"))
        )
        if id in self.entities:
            raise CorpusError(f"two mentions are called {id}; number one anew.", record=place)
        self.entities[id] = mention(id, found["type"], spans, self.text, said, record=place)

    def _event(self, id: str, body: str, place: str) -> None:
        found = _matched(_EVENT, body, "E1<tab>Type:T1 Role:T2", place)
        self.triggers[id] = found["trigger"]
        for number, argument in enumerate(found["arguments"].split(), start=1):
            role, _, target = argument.partition(":")
            self.pairs.append((place, Relation(f"{id}-{number}", role, found["trigger"], target)))

    def _equivalent(self, body: str, place: str) -> None:
        type, *ids = body.split() or [""]
        for one, two in pairwise(ids):
            self.pairs.append((place, Relation(f"*{len(self.pairs) + 1}", type, one, two)))

    def _linked(self) -> Iterator[Entity]:
        for entity in self.entities.values():
            links = tuple(self.links.get(entity.id, ()))
            yield Entity(entity.id, entity.type, entity.text, entity.offsets, links) if links else entity

    def _relations(self) -> Iterator[Relation]:
        """The relations with events resolved to their triggers."""
        for place, pair in self.pairs:
            one, two = (self.triggers.get(id, id) for id in (pair.arg1_id, pair.arg2_id))
            relation = Relation(pair.id, pair.type, one, two)
            check_relation(relation, self.entities, record=place)
            yield relation


def _matched(pattern: re.Pattern[str], body: str, example: str, place: str) -> re.Match[str]:
    found = pattern.match(body)
    if not found:
        raise CorpusError(f"the line is broken; write it like {example}.", record=place)
    return found


def _fits(head: Head) -> bool:
    return ".ann" in head.names


BRAT = Format(
    "brat",
    "BRAT standoff",
    "Texts with mentions (broken ones too), relations, events: a folder or zip of .txt and .ann.",
    KbRow,
    (".ann", ".zip"),
    read_brat,
    _fits,
    (ENCODING, SPLIT),
)
FORMATS = (BRAT,)
