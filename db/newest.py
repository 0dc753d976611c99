"""A page of rows, the newest first: by key from where the last page ended, never by offset."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session
from sqlalchemy.sql.base import ExecutableOption

from db.tables import Base

Kind = TypeVar("Kind", bound=Base)


@dataclass(frozen=True)
class Newest(Generic[Kind]):
    """Some rows, how many there are in all, and the key that the next page begins below."""

    rows: tuple[Kind, ...]
    total: int
    next_before: int | None


def newest_first(
    session: Session,
    kind: type[Kind],
    *conditions: ColumnElement[bool],
    before: int | None,
    limit: int,
    key: InstrumentedAttribute[int] | None = None,
    options: Sequence[ExecutableOption] = (),
) -> Newest[Kind]:
    """The rows that meet the conditions with keys below `before`, by `key` (the id unless named)."""
    key = kind.id if key is None else key
    query = select(kind).options(*options).where(*conditions).order_by(key.desc()).limit(limit + 1)
    found = list(session.scalars(query if before is None else query.where(key < before)))
    shown = tuple(found[:limit])
    total = session.scalar(select(func.count(kind.id)).where(*conditions)) or 0
    return Newest(shown, total, getattr(shown[-1], key.key) if len(found) > limit else None)
