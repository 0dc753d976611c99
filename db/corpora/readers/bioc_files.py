"""BioC in XML and JSON, by the `bioc` package: passages, mentions by document offsets, relations.

A row is a document: its passages at the offsets that they name, with line breaks in between. The XML is split
into documents by our own safe reader, since the one of `bioc` resolves entities and keeps the whole tree.
"""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import bioc
from bioc import BioCAnnotation, BioCDocument, BioCRelation, biocjson, biocxml
from lxml import etree

from db.corpora.normalized import identifiers
from db.corpora.offsets import check_relation, mention
from db.corpora.readers.folders import is_zip, members
from db.corpora.readers.formats import ENCODING, SPLIT, Format, Head, Option, Options
from db.corpora.readers.json_items import json_items
from db.corpora.readers.records import first_character, parsed
from db.corpora.readers.text import MAX_LINE, lines, open_bytes, open_text
from db.corpora.readers.xml_items import elements
from db.corpora.schema import CorpusError, Entity, KbRow, Relation

MAX_TEXT = 16_000_000  # characters of one document
_IDENTIFIERS = (
    "identifier",
    "Identifier",
    "concept_id",
    "normalized_id",
    "CUI",
    "MESH",
    "UMLS",
    "OMIM",
)
_PUBTATOR = re.compile(r'\s*\{\s*"PubTator3"\s*:')


def read_bioc_xml(path: Path, options: Options) -> Iterator[KbRow]:
    """One row a document of a collection, or of all those in a folder or a zip."""
    if path.is_file() and not is_zip(path):
        with open_bytes(path) as source:
            yield from _xml_rows(source, options, "")
        return
    with members(path, ".xml") as found:
        for member in found:
            yield from _xml_rows(member.stream(), options, member.name)


def _xml_rows(source, options: Options, file: str) -> Iterator[KbRow]:
    for element in elements(source, "document", encoding=options["encoding"], name=file):
        name = (element.findtext("id") or "").strip() or f"at line {element.sourceline}"
        written = etree.tostring(element, encoding="unicode", with_tail=False)
        with _sound(name):
            row = _row(biocxml.loads(f"<collection>{written}</collection>").documents[0], name, options)
        yield row


def read_bioc_json(path: Path, options: Options) -> Iterator[KbRow]:
    """One row a document of a collection, of PubTator's answer, of an array, or of lines with one each."""
    for number, value in enumerate(_json_documents(path, options["encoding"]), start=1):
        if not isinstance(value, dict):
            raise CorpusError("it is no BioC document; write an object.", record=str(number))
        name = str(value.get("id") or number)
        with _sound(name):
            _fill(value)
            row = _row(biocjson.fromJSON(value, "BioCDocument"), name, options)
        yield row


@contextmanager
def _sound(name: str) -> Iterator[None]:
    """What `bioc` stumbles over, since it believes every field to be there and sound, as a CorpusError."""
    try:
        yield
    except CorpusError:
        raise
    except KeyError as error:
        raise CorpusError(f"its field {error.args[0]} is missing; fill it in.", record=name) from None
    except (TypeError, ValueError, AttributeError, RecursionError):
        raise CorpusError("a field of it is missing or of the wrong kind; mend it.", record=name) from None


def _json_documents(path: Path, encoding: str) -> Iterator[object]:
    if first_character(path, encoding) == "[":
        yield from json_items(path, "item", encoding)
        return
    with open_text(path, encoding) as file:
        start = file.readline(MAX_LINE)
        head = start[:1000] + file.read(1000)
    if _is_document(start):
        yield from (parsed(text, number) for number, text in lines(path, encoding) if text.strip())
    else:
        field = "PubTator3" if _PUBTATOR.match(head) else "documents"
        yield from json_items(path, f"{field}.item", encoding)


def _is_document(line: str) -> bool:
    """True for the first line of a file with a document a line."""
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return False
    return isinstance(value, dict) and "passages" in value


def _fill(value: dict[str, Any]) -> None:
    """What some writers leave out where it is empty, and `bioc` asks for; never a text or an offset."""
    value["id"] = str(value.get("id") or "")
    for name in ("annotations", "relations"):
        value.setdefault(name, [])
        for part in value[name]:
            part["id"] = str(part.get("id") or "")
            part.setdefault("infons", {})
            for node in part.setdefault("nodes", []):
                node.setdefault("role", "")
    value.setdefault("infons", {})
    for passage in [*value.get("passages", ()), *value.get("sentences", ())]:
        passage.setdefault("sentences", [])
        _fill(passage)


# A document as a row ----------------------------------------------------------------------------------


def _row(document: BioCDocument, name: str, options: Options) -> KbRow:
    text = _text(document, name)
    entities: dict[str, Entity] = {}
    twice: set[str] = set()
    for found in bioc.annotations(document):
        entity = _entity(found.annotation, text, options, name, f"T{len(entities) + 1}")
        if entity.id in entities:
            twice.add(entity.id)
            entity = replace(entity, id=f"{entity.id}.{len(entities) + 1}")
        entities[entity.id] = entity
    relations: list[Relation] = []
    for found in bioc.relations(document):
        relations += _relations(found.relation, len(relations) + 1, entities, twice, name)
    return KbRow(name, name, text, tuple(entities.values()), tuple(relations))


def _text(document: BioCDocument, name: str) -> str:
    """The passages at their offsets. The offsets are bounded first: padding up to them takes memory."""
    for passage in document.passages:
        for part in (passage, *passage.sentences):
            if not isinstance(part.offset, int) or not 0 <= part.offset <= MAX_TEXT:
                raise CorpusError("a passage has no sound offset; give it one.", record=name)
    try:
        text = bioc.get_text(document)[1]
    except (ValueError, AssertionError, TypeError):
        raise CorpusError(
            "a passage or a sentence has no text, or overlaps the one before; mend its offset.", record=name
        ) from None
    if not text.strip():
        raise CorpusError("the document has no text; take it out.", record=name)
    return text


def _entity(annotation: BioCAnnotation, text: str, options: Options, name: str, id: str) -> Entity:
    spans = tuple((place.offset, place.offset + place.length) for place in annotation.locations)
    said = annotation.text
    if len(spans) > 1 and said == text[min(s for s, _ in spans) : max(e for _, e in spans)]:
        said = None  # some writers give all between the first and the last stretch
    kind = annotation.infons.get("type") or options["type"]
    known = dict.fromkeys(pair for key in _IDENTIFIERS for pair in _known(annotation, key, options))
    return mention(annotation.id or id, kind, spans, text, said, normalized=tuple(known), record=name)


def _known(annotation: BioCAnnotation, key: str, options: Options) -> tuple[tuple[str, str], ...]:
    database = key if key.isupper() else annotation.infons.get("database") or options["database"]
    return identifiers(str(annotation.infons.get(key) or ""), database)


def _relations(
    relation: BioCRelation, number: int, entities: dict[str, Entity], twice: set[str], name: str
) -> Iterator[Relation]:
    """From the first argument to each other one. Arguments are nodes, or concepts among the infons."""
    infons = {key: str(value or "") for key, value in relation.infons.items()}
    kind = infons.get("type") or infons.get("relation") or "relation"
    arguments = [node.refid for node in relation.nodes] or _arguments(infons, entities)
    id = relation.id or f"R{number}"
    if len(arguments) < 2:
        raise CorpusError(
            f"relation {id} has fewer than two arguments among the mentions; give it two nodes.", record=name
        )
    for argument in twice.intersection(arguments):
        raise CorpusError(f"relation {id} names {argument}, and two mentions are called so.", record=name)
    for n, other in enumerate(arguments[1:]):
        made = Relation(f"{id}-{n}" if n else id, kind, arguments[0], other)
        check_relation(made, entities, record=name)
        yield made


def _arguments(infons: dict[str, str], entities: dict[str, Entity]) -> list[str]:
    """The first mention of each concept that the infons name: `Chemical: D008874`, `entity1: D008874`."""
    first: dict[str, str] = {}
    for entity in entities.values():
        for _, identifier in entity.normalized:
            first.setdefault(identifier, entity.id)
    concepts = [identifiers(value, "") for key, value in infons.items() if key not in ("type", "relation")]
    return [first[known[0][1]] for known in concepts if known and known[0][1] in first]


def _fits_xml(head: Head) -> bool:
    return head.kind == "xml" and "<collection" in head.text and "<document" in head.text


def _fits_json(head: Head) -> bool:
    return '"passages"' in head.text and '"offset"' in head.text and head.kind in ("json", "records")


_OPTIONS = (
    Option("type", "The type of mentions that name none."),
    Option("database", "The database of identifiers that name none, such as MESH."),
    ENCODING,
    SPLIT,
)
FORMATS = (
    Format(
        "bioc_xml",
        "BioC XML",
        "Documents in passages with mentions, identifiers and relations.",
        KbRow,
        (".xml", ".zip"),
        read_bioc_xml,
        _fits_xml,
        _OPTIONS,
    ),
    Format(
        "bioc_json",
        "BioC JSON",
        "The same in JSON: a collection, PubTator's answer, or a document a line.",
        KbRow,
        (".json", ".jsonl"),
        read_bioc_json,
        _fits_json,
        _OPTIONS,
    ),
)
