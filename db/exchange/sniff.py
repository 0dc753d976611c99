"""What a file is, told from its bytes and never from its name."""

import codecs
import csv
import io
import re
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from pathlib import Path

from db.exchange.mapping import is_known

MAX_BYTES = 256 << 20
HEAD_BYTES = 256 << 10
_DELIMITERS = {",": "commas", "\t": "tabs", ";": "semicolons", "|": "bars"}
_NAME = re.compile(r"(?=.{1,40}$)[^\W\d][\w\-/()]*( [\w\-/()]+){0,2}")  # at most three words
_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


class Container(StrEnum):
    """How rows lie in a file; what a row's columns mean is `mapping`'s business."""

    JSON = "JSON array"
    JSONL = "JSONL"
    CSV = "CSV"
    PARQUET = "Parquet"
    DATASETS = "datasets folder"


@dataclass(frozen=True)
class Layout:
    """How to read a file. `delimiter` and `has_header` are of CSV and TSV alone."""

    container: Container
    delimiter: str = ""
    has_header: bool = True

    @property
    def name(self) -> str:
        if self.container is not Container.CSV:
            return self.container.value
        kind = "TSV" if self.delimiter == "\t" else f"CSV with {_DELIMITERS.get(self.delimiter, 'marks')}"
        return kind if self.has_header else f"{kind}, without a header"


def sniff(path: Path) -> Layout:
    """How `path` is to be read. Raises ValueError with the mend when it is nothing we know, or too large."""
    try:
        if path.is_dir():
            return _folder(path)
        size = path.stat().st_size
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES)
    except OSError as error:
        raise ValueError(f"file: {path.name} cannot be read ({error.strerror}); choose another.") from error
    if size > MAX_BYTES:
        raise ValueError(
            f"file: {size / (1 << 20):,.0f} MiB, and {MAX_BYTES >> 20} MiB is the most; split it."
        )
    return _binary(head) or _text(head, is_whole=size <= HEAD_BYTES)


def fingerprint_file(path: Path, layout: Layout) -> str:
    """SHA-256 of the file, or of a folder's files. Raises ValueError with the line that is not UTF-8."""
    digest = sha256()
    files = sorted(path.rglob("*")) if path.is_dir() else [path]
    is_text = layout.container in (Container.JSON, Container.JSONL, Container.CSV)
    for part in files:
        if part.is_file():
            digest.update(part.relative_to(path).as_posix().encode() + b"\0")
            _digest(part, digest, is_text)
    return digest.hexdigest()


def _digest(path: Path, digest, is_text: bool) -> None:
    decoder, line = codecs.getincrementaldecoder("utf-8")(), 1
    with path.open("rb") as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
            if is_text:
                _require_utf8(decoder, chunk, line)
                line += chunk.count(b"\n")
    if is_text:
        _require_utf8(decoder, b"", line, final=True)


def _require_utf8(decoder, chunk: bytes, line: int, *, final: bool = False) -> None:
    try:
        decoder.decode(chunk, final)
    except UnicodeDecodeError as error:
        line += error.object[: error.start].count(b"\n")
        raise ValueError(
            f"file: it is not UTF-8 text (byte {error.object[error.start]:#04x} in line {line:,}); "
            "save it as UTF-8 and choose it again."
        ) from error


def _folder(path: Path) -> Layout:
    if any(path.rglob("*.arrow")):
        return Layout(Container.DATASETS)
    raise ValueError(
        f"file: {path.name} cannot be read (a folder without the arrow files of a saved dataset); "
        "choose another."
    )


def _binary(head: bytes) -> Layout | None:
    if head.startswith(b"PAR1"):
        return Layout(Container.PARQUET)
    if head.startswith(b"PK\x03\x04"):
        if b"[Content_Types].xml" in head or b"xl/" in head[:2000]:
            raise ValueError('file: it is an Excel workbook; save it as "CSV UTF-8" and choose that.')
        return Layout(Container.DATASETS)
    if head.startswith((b"\x1f\x8b", b"BZh", b"\xfd7zXZ", b"\x28\xb5\x2f\xfd")):
        raise ValueError("file: it is compressed; unpack it and choose what was inside.")
    if head.startswith(_UTF_16):
        raise ValueError("file: it is not UTF-8 text but UTF-16; save it as UTF-8 and choose it again.")
    return None


def _text(head: bytes, *, is_whole: bool) -> Layout:
    decoder = codecs.getincrementaldecoder("utf-8")()
    _require_utf8(decoder, head, 1, final=is_whole)
    text = head.decode("utf-8-sig", errors="ignore")
    if not text.strip():
        raise ValueError("file: it holds no rows; give a JSON array, JSONL, CSV, TSV or Parquet.")
    opening = text.lstrip()
    if opening.startswith("["):
        return Layout(Container.JSON)
    if opening.startswith("{"):
        if re.match(r"\{\s*(\n|$)", opening) and not re.match(r"\{\s*\}", opening):
            raise ValueError(
                "file: it is one JSON object over many lines; give an array of objects, or one object a line."
            )
        return Layout(Container.JSONL)
    return _delimited(text, is_whole=is_whole)


def _delimited(text: str, *, is_whole: bool) -> Layout:
    """CSV by the delimiter that gives the most columns we know, then the most rows of one width."""
    tried = [(score, mark) for mark in _DELIMITERS if (score := _score(text, mark, is_whole=is_whole))]
    if not tried:
        raise ValueError(
            "file: it is nothing this page can read; give a JSON array, JSONL, CSV, TSV, Parquet "
            "or a zipped datasets folder."
        )
    _, delimiter = max(tried, key=lambda one: one[0])
    header = next(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
    names = [cell.strip() for cell in header]
    are_names = len(set(names)) == len(names) and all(map(_NAME.fullmatch, names))
    return Layout(Container.CSV, delimiter, has_header=are_names or any(map(is_known, names)))


def _score(text: str, delimiter: str, *, is_whole: bool) -> tuple[int, float, int] | None:
    """(known names in the first record, share of records as wide as it, its width); None: not such a file."""
    records = []
    try:
        for record in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter):
            if record:
                records.append(record)
            if len(records) == 50:
                break
        else:
            if not is_whole and len(records) > 1:
                records.pop()  # cut off in the middle
    except csv.Error:
        if not records:
            return None
    if not records:
        return None
    width = len(records[0])
    known = sum(is_known(cell) for cell in records[0])
    alike = sum(len(record) == width for record in records) / len(records)
    if not known and (width < 2 or alike < 0.9):
        return None
    return known, alike, width
