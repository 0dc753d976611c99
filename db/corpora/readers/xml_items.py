"""Elements out of an XML file, one at a time; no entities, no outside files, no network."""

from collections.abc import Callable, Iterator
from typing import BinaryIO

from lxml import etree

from db.corpora.schema import CorpusError

_ENTITIES = "the XML uses entities; write the characters themselves."


def elements(source: BinaryIO, *tags: str, encoding: str = "", name: str = "") -> Iterator[etree._Element]:
    """Each element called one of `tags`, whole; its memory is given back when the next one is asked for.

    Raises CorpusError, by line, and by `name` where the file is one of several, for XML that is broken or
    cut off, or that declares entities: their expansion can read files or fill the memory, and a corpus needs
    none.
    """
    parser = etree.iterparse(
        source,
        events=("start", "end"),
        encoding=encoding or None,
        resolve_entities=False,
        load_dtd=False,
        no_network=True,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    is_root = True
    try:
        for event, element in parser:
            if is_root:
                _refuse_entities(element, name)
                is_root = False
            if event == "end" and element.tag in tags:
                if next(element.iter(etree.Entity), None) is not None:
                    raise fault_at(name, element.sourceline)(_ENTITIES)
                yield element
                _forget(element)
    except LookupError:
        raise CorpusError(f"{encoding} is no encoding that XML is read in; save the file as UTF-8.") from None
    except etree.XMLSyntaxError as error:
        raise fault_at(name, error.lineno or None)(_said(error)) from None


def text_of(element: etree._Element, *path: str) -> str:
    """All text under the first child on `path`, without what surrounds it; empty where there is none."""
    found = element.find("/".join(path)) if path else element
    return "" if found is None else "".join(found.itertext()).strip()


def _forget(element: etree._Element) -> None:
    element.clear()
    while (before := element.getprevious()) is not None and element.getparent() is not None:
        element.getparent().remove(before)


def _refuse_entities(root: etree._Element, name: str) -> None:
    dtd = root.getroottree().docinfo.internalDTD
    if dtd is not None and any(True for _ in dtd.iterentities()):
        raise fault_at(name, root.sourceline)("the XML declares entities; take the <!ENTITY ...> lines out.")


def fault_at(name: str, line: int | None) -> Callable[[str], CorpusError]:
    """Makes a fault of this place, from its sentence; `name` is the file's where it is one of several."""

    def fault(sentence: str) -> CorpusError:
        if not name:
            return CorpusError(sentence, line=line)
        return CorpusError(sentence, record=f"{name}, line {line}" if line else name)

    return fault


def _said(error: etree.XMLSyntaxError) -> str:
    said = str(error.msg)
    if "ncoding" in said or "UTF-8" in said:
        return "the bytes are not in the encoding that the XML names; name it with encoding=."
    if "Entity" in said or "entity" in said:
        return _ENTITIES
    if "no element found" in said or "Document is empty" in said:
        return "it is empty; choose another."
    if "huge" in said.lower() or "depth" in said.lower() or "too long" in said.lower():
        return "the XML is nested too deep or one text in it is too long; split it."
    return "the XML is broken or cut off here; mend the tag, or fetch the file again."
