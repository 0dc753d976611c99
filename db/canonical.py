"""The canonical form of a frozen row, and the hash over a version's rows.

Format 2, of every version frozen now: a JSON object a row, keys sorted, text in Unicode's NFC, tags sorted;
the lines sorted by code point; SHA-256 over them in UTF-8, each with a line feed. An export holds these very
lines, so `LC_ALL=C sort export.jsonl | sha256sum` gives the version's hash. Neither ids nor order enter it.
A row that nobody reviewed says so (`is_unreviewed`); the others do not have the key.

Format 1, of the first versions: split and content only, as stored, in the order of the rows.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from hashlib import sha256
from unicodedata import normalize

from db.content import FIELDS, Content, content_of
from db.enums import Split
from db.tables import DatasetRow

FORMAT = 2
_TEXTS = ("instruction", "input", "output", "task", "specialty", "source")
_FACTS = ("origin", "provenance", "licence", "is_restricted")
_UNREVIEWED = "is_unreviewed"
# Line ends that JSON leaves raw and many readers of JSONL would split at.
_LINE_ENDS = str.maketrans({mark: f"\\u{ord(mark):04x}" for mark in "\u0085\u2028\u2029"})


@dataclass(frozen=True)
class FrozenRow:
    """One row to freeze: its split, its text, where it came from and under which terms."""

    split: Split
    content: Content
    instruction_id: int | None = None
    instruction_version: int | None = None
    origin: str = ""
    provenance: str = ""
    licence: str = ""
    is_restricted: bool = False
    is_unreviewed: bool = False
    near_group: int = 0  # rows of one group share a split; 0: alone

    def columns(self) -> dict:
        """The values of a DatasetRow, but for its version and position."""
        own = {name: getattr(self, name) for name in self.__dataclass_fields__ if name != "content"}
        return {**own, **self.content.columns()}


def canonical(row: FrozenRow) -> FrozenRow:
    """The row with its text in NFC and its tags sorted: what is stored, hashed and exported."""
    texts = {field: normalize("NFC", getattr(row.content, field)) for field in _TEXTS}
    tags = tuple(sorted(normalize("NFC", tag) for tag in row.content.tags))
    facts = {field: normalize("NFC", getattr(row, field)).strip() for field in _FACTS[:3]}
    if tags == row.content.tags and _has(row.content, texts) and _has(row, facts):
        return row
    return replace(row, content=replace(row.content, **texts, tags=tags), **facts)


def _has(values: object, wanted: dict[str, str]) -> bool:
    return all(getattr(values, name) == text for name, text in wanted.items())


def canonical_line(row: FrozenRow | DatasetRow) -> str:
    """The row as the line that is hashed and exported, without the line feed."""
    mark = {_UNREVIEWED: True} if row.is_unreviewed else {}
    return _as_json({"split": Split(row.split).value, **_described(row), **mark})


def content_key(row: FrozenRow) -> str:
    """What the row is, whatever its split and its ids: rows with one key are the same row.

    Reviewed or not, too: its split is not drawn again once somebody has read it.
    """
    return _as_json(_described(row))


def parse_line(line: str) -> FrozenRow:
    """The row of an exported line. Raises ValueError when it is not one."""
    try:
        stored = json.loads(line)
        content = Content(**{**{field: stored[field] for field in FIELDS}, "tags": tuple(stored["tags"])})
        facts = {field: stored[field] for field in (*_FACTS, _UNREVIEWED) if field in stored}
        return FrozenRow(Split(stored["split"]), content, **facts)
    except (KeyError, TypeError, json.JSONDecodeError) as error:
        raise ValueError("file: a line is no exported row; export the version again.") from error


def hash_rows(rows: Iterable[FrozenRow | DatasetRow], format: int = FORMAT) -> str:
    """SHA-256 over the rows, as hexadecimal, in the format that the version's recipe names."""
    digest = sha256()
    for line in _first_format(rows) if format == 1 else sorted(map(canonical_line, rows)):
        digest.update(line.encode() + b"\n")
    return digest.hexdigest()


def format_of(recipe: dict) -> int:
    """The hash format a stored recipe names; the first versions name none."""
    return recipe.get("format", 1)


def _described(row: FrozenRow | DatasetRow) -> dict:
    content = row.content if isinstance(row, FrozenRow) else content_of(row)
    return {**content.columns(), **{field: getattr(row, field) for field in _FACTS}}


def _as_json(values: dict) -> str:
    return json.dumps(values, sort_keys=True, ensure_ascii=False).translate(_LINE_ENDS)


def _first_format(rows: Iterable[FrozenRow | DatasetRow]) -> Iterator[str]:
    for row in rows:
        content = row.content if isinstance(row, FrozenRow) else content_of(row)
        yield json.dumps({"split": row.split, **content.columns()}, sort_keys=True, ensure_ascii=False)
