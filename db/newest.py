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
    within = conditions if before is None else (*conditions, key < before)
    # Ordered by ids alone, which an index holds: whole rows are read of this page only.
    ids = select(kind.id).where(*within).order_by(key.desc()).limit(limit + 1)
    query = select(kind).options(*options).where(kind.id.in_(ids)).order_by(key.desc())
    found = list(session.scalars(query))
    shown = tuple(found[:limit])
    total = session.scalar(select(func.count(kind.id)).where(*conditions)) or 0
    return Newest(shown, total, getattr(shown[-1], key.key) if len(found) > limit else None)
