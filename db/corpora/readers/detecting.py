"""What a corpus file is, told from its beginning and never from its name."""

import json
import re
import zlib
from pathlib import Path

from db.corpora.readers.folders import Member, is_zip, members
from db.corpora.readers.formats import Head
from db.corpora.readers.records import records
from db.corpora.readers.registry import FORMATS
from db.corpora.readers.text import open_bytes
from db.corpora.schema import CorpusError

HEAD_BYTES = 256 << 10
_XML = re.compile(r"\s*<(?:\?xml|!DOCTYPE|!--|[A-Za-z])")


def detect(path: Path | str) -> str | None:
    """The name of the format that a file, a folder or a zip is written in; None where none fits.

    Reads the first 256 KiB, of a folder or a zip those of its first file. What it cannot make out, in an
    encoding other than UTF-8 for one, is None: `read` says what is wrong.
    """
    try:
        head = head_of(Path(path))
    except (CorpusError, OSError):
        return None
    return next((format.name for format in FORMATS.values() if format.fits(head)), None)


def head_of(path: Path) -> Head:
    """The beginning of the file as the formats look at it."""
    if not path.is_dir() and not is_zip(path):
        with open_bytes(path) as source:
            return _head(path, _decoded(source.read(HEAD_BYTES)))
    with members(path, ".ann", ".txt", ".xml") as found:
        names = frozenset(member.suffix for member in found)
        first = next((member for member in found if member.suffix == ".xml"), None)
        text = _beginning(first) if first and ".ann" not in names else ""
        return Head("xml" if text else "folder", text, names=names)


def _beginning(member: Member) -> str:
    return _decoded(member.read()[:HEAD_BYTES])


def _decoded(data: bytes) -> str:
    # The head may end in the middle of a character, and an encoding is not judged here.
    return data.decode("utf-8-sig", errors="replace")


def _head(path: Path, text: str) -> Head:
    if not text.strip():
        return Head("none")
    if path.suffix.lower() == ".ann":
        return Head("folder", text, names=frozenset((".ann",)))
    if _XML.match(text):
        return Head("xml", text)
    first = _first_record(path)
    if first is None:
        return Head("json" if text.lstrip()[0] == "{" else "lines", text)
    return Head("records", text, first)


def _first_record(path: Path) -> dict[str, object] | None:
    """The first record, where the file is records at all: of one large JSON object, None."""
    try:
        record = next(records(path, {}), None)
    except (CorpusError, json.JSONDecodeError, zlib.error):
        return None
    if record is None or len(record.values) < 2:
        return None
    if any(isinstance(record.values.get(name), list) for name in ("questions", "documents", "PubTator3")):
        return None
    return dict(record.values)
