"""PubTator: a title, an abstract, their mentions and the relations between concepts; a blank line between.

    101|t|Lovastatin and muscle pain
    101|a|Two patients reported myalgia.
    101     0       10      Lovastatin      Chemical        D008148
    101     CID     D008148 D063806

The text of a row is title and abstract with one character between, as the offsets count. Own code, since the
decoder of `bioc` takes a mention without an identifier for a relation and only prints what it cannot read.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from db.corpora.normalized import identifiers
from db.corpora.offsets import mention
from db.corpora.readers.formats import ENCODING, SPLIT, Format, Head, Option, Options
from db.corpora.readers.text import lines
from db.corpora.schema import CorpusError, Entity, KbRow, Relation

_PASSAGE = re.compile(r"(?P<id>[^|\t]+)\|(?P<part>[ta])\|(?P<text>.*)\Z", re.DOTALL)


@dataclass
class _Document:
    """A document while its lines come in."""

    id: str
    line: int
    title: str | None = None
    abstract: str | None = None
    entities: list[Entity] = field(default_factory=list)
    relations: list[tuple[int, str, str, str]] = field(default_factory=list)  # line, type, two concepts

    @property
    def text(self) -> str:
        return "\n".join(part for part in (self.title, self.abstract) if part is not None)


def read_pubtator(path: Path, options: Options) -> Iterator[KbRow]:
    """One row a document. A relation of two concepts joins the first mention of each.

    Raises CorpusError, by line, for a mention whose offsets give other words, a line of another document
    than the one it stands in, or a relation of a concept that no mention has.
    """
    document: _Document | None = None
    for number, line in lines(path, options["encoding"]):
        if not line.strip():
            if document:
                yield _row(document)
            document = None
        elif passage := _PASSAGE.match(line):
            if document and passage["part"] == "t" and document.title is not None:
                yield _row(document)  # some files leave out the blank line
                document = None
            document = document or _Document(passage["id"], number)
            _set_passage(document, passage, number)
        else:
            _add(document, line.split("\t"), number, options["database"])
    if document:
        yield _row(document)


def _set_passage(document: _Document, passage: re.Match[str], line: int) -> None:
    _require_same(document, passage["id"], line)
    if document.entities:
        raise CorpusError("a passage behind the mentions; write the passages first.", line=line)
    if passage["part"] == "t":
        document.title = passage["text"]
    elif document.title is None or document.abstract is not None:
        raise CorpusError(f"{document.id}|a| has no title before it, or comes twice; mend it.", line=line)
    else:
        document.abstract = passage["text"]


def _add(document: _Document | None, cells: list[str], line: int, database: str) -> None:
    if document is None:
        raise CorpusError("it belongs to no document; begin one with PMID|t|title.", line=line)
    _require_same(document, cells[0], line)
    if len(cells) >= 5 and cells[1].isdecimal() and cells[2].isdecimal():
        start, end, said, kind = int(cells[1]), int(cells[2]), cells[3], cells[4]
        id = f"T{len(document.entities) + 1}"
        known = identifiers(cells[5], database) if len(cells) > 5 else ()
        document.entities.append(
            mention(id, kind, ((start, end),), document.text, said, normalized=known, line=line)
        )
    elif len(cells) in (4, 5) and all(cells[1:4]):
        document.relations.append((line, cells[1], cells[2], cells[3]))
    else:
        raise CorpusError(
            "neither a mention (PMID, start, end, text, type, identifier) nor a relation (PMID, type, two "
            "identifiers), with tabs between; mend it.",
            line=line,
        )


def _require_same(document: _Document, id: str, line: int) -> None:
    if id != document.id:
        raise CorpusError(
            f"it is of document {id[:30]} and stands in {document.id}; put a blank line between documents.",
            line=line,
        )


def _row(document: _Document) -> KbRow:
    first: dict[str, str] = {}
    for entity in document.entities:
        for _, identifier in entity.normalized:
            first.setdefault(identifier, entity.id)
    relations = tuple(
        Relation(f"R{n}", type, _mention_of(one, first, line), _mention_of(two, first, line))
        for n, (line, type, one, two) in enumerate(document.relations, start=1)
    )
    if not document.text.strip():
        raise CorpusError("the document has no text; write its title.", line=document.line)
    return KbRow(document.id, document.id, document.text, tuple(document.entities), relations)


def _mention_of(concept: str, first: dict[str, str], line: int) -> str:
    """The id of the concept's first mention; one written as several identifiers is found by any."""
    for _, identifier in identifiers(concept, ""):
        if identifier in first:
            return first[identifier]
    raise CorpusError(
        f"the relation names {concept[:40]}, which no mention of the document has; "
        "annotate it or take the relation out.",
        line=line,
    )


def _fits(head: Head) -> bool:
    first = next((line for line in head.text.splitlines() if line.strip()), "")
    found = _PASSAGE.match(first)
    return bool(found and found["part"] == "t")


PUBTATOR = Format(
    "pubtator",
    "PubTator",
    "Titles and abstracts with mentions, identifiers and relations (BC5CDR, NCBI-disease, BioRED).",
    KbRow,
    (".txt", ".pubtator"),
    read_pubtator,
    _fits,
    (
        Option("database", "The database of identifiers that name none, such as MESH."),
        ENCODING,
        SPLIT,
    ),
)
FORMATS = (PUBTATOR,)
