"""What a project already holds, asked by text and by key: the whole of it once, as hashes."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b

from sqlalchemy import select
from sqlalchemy.orm import Session

from db.content import FIELDS, Content, content_of
from db.session import parts
from db.tables import Instruction

_HANDLE = re.compile(r"studio-(\d{1,18})-([0-9a-f]{10})")
_CONTENT = tuple(getattr(Instruction, name) for name in FIELDS)


@dataclass(frozen=True)
class StoredRecord:
    id: int
    version: int
    author_id: int
    is_deleted: bool
    content: Content


def text_hash(instruction: str, input: str, output: str) -> bytes:
    """16 bytes that tell one text from another; labels do not count: the same text twice is one too many."""
    parts = [text.encode() for text in (instruction, input, output)]
    lengths = b"%d,%d;" % (len(parts[0]), len(parts[1]))
    return blake2b(lengths + b"".join(parts), digest_size=16).digest()


def handle(id: int, created_at: datetime) -> str:
    """The name that a record without a key goes out by, so that it is known when it comes back.

    It holds the record's number and a hash with the moment it was made, which no other studio shares.
    """
    tag = blake2b(f"{id} {created_at.isoformat()}".encode(), digest_size=5).hexdigest()
    return f"studio-{id}-{tag}"


class StoredTexts:
    """The records of a project at one moment, for a file's rows to be held against."""

    def __init__(self, session: Session, project_id: int) -> None:
        self._session = session
        self._project_id = project_id
        self._ids = dict(self._hashes())
        self._records: dict[str, StoredRecord] = {}

    def with_text(self, digest: bytes) -> int | None:
        """The number of a record whose head has this text."""
        return self._ids.get(digest)

    def load(self, keys: set[str]) -> None:
        """Fetch the records that these keys name, so that `by_key` knows them."""
        self._records = {}
        ordered = sorted(keys)
        for part in parts(ordered):
            self._load_keys(part)
        handles = [(key, match) for key in ordered if (match := _HANDLE.fullmatch(key))]
        for part in parts(handles):
            self._load_handles(part)

    def by_key(self, key: str) -> StoredRecord | None:
        return self._records.get(key)

    def _hashes(self) -> Iterator[tuple[bytes, int]]:
        texts = (
            select(Instruction.id, Instruction.instruction, Instruction.input, Instruction.output)
            .where(Instruction.project_id == self._project_id, Instruction.deleted_at.is_(None))
            .execution_options(yield_per=2_000)
        )
        for id, *texts_of_row in self._session.execute(texts):
            yield text_hash(*texts_of_row), id

    def _load_keys(self, keys: list[str]) -> None:
        for row in self._session.execute(self._query().where(Instruction.key.in_(keys))):
            self._records[row.key] = _record(row)

    def _load_handles(self, handles: list[tuple[str, re.Match]]) -> None:
        ids = {int(match[1]) for _, match in handles}
        rows = {row.id: row for row in self._session.execute(self._query().where(Instruction.id.in_(ids)))}
        for key, match in handles:
            row = rows.get(int(match[1]))
            if row is not None and handle(row.id, row.created_at) == key:
                self._records.setdefault(key, _record(row))

    def _query(self):
        return select(
            Instruction.id, Instruction.version, Instruction.author_id, Instruction.deleted_at,
            Instruction.key, Instruction.created_at, *_CONTENT,
        ).where(Instruction.project_id == self._project_id)  # fmt: skip


def _record(row) -> StoredRecord:
    return StoredRecord(row.id, row.version, row.author_id, row.deleted_at is not None, content_of(row))
