"""Find instructions: filters on every field, full text, a page at a time by key, never by offset.

Every order walks an index from where the last page ended, so page 1,000 costs what page 1 does. Two bounds
keep a page quick however many records there are: totals are counted to MOST_COUNTED and no further, and
relevance (bm25) orders the RANKED newest matches; the older ones follow, newest first. No match is left out.
"""

import json
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import ColumnElement, Select, String, cast, func, literal, select, tuple_
from sqlalchemy.orm import Session, aliased, joinedload

from db import planner, words
from db.enums import Category, InstructionStatus, Origin, Provenance
from db.tables import Comment, Instruction, PrivacyFlag, User
from db.tables.base import UtcDateTime
from db.words import RANK, SEARCH, Words

PAGE_ROWS = 50
MOST_COUNTED = 10_000
RANKED = 1_000


class Sort(StrEnum):
    """The orders of a list."""

    RELEVANCE = "relevance"
    NEWEST = "newest"
    OLDEST = "oldest"
    CHANGED = "changed"  # the last change first
    SUBMITTED = "submitted"  # the longest waiting first; what was never submitted comes last
    EASIEST = "easiest"
    HARDEST = "hardest"


@dataclass(frozen=True)
class InstructionQuery:
    """Which instructions of a project to list; empty fields do not filter."""

    text: str = ""  # as typed, see db.words
    statuses: tuple[InstructionStatus, ...] = ()
    categories: tuple[Category, ...] = ()
    origins: tuple[Origin, ...] = ()
    task: str = ""
    specialty: str = ""
    author_id: int | None = None
    not_author_id: int | None = None
    provenances: tuple[Provenance, ...] = ()
    min_difficulty: int | None = None
    max_difficulty: int | None = None
    tags: tuple[str, ...] = ()  # every one of them
    assignee_id: int | None = None  # 0: nobody
    has_open_remarks: bool | None = None
    is_flagged: bool | None = None  # for privacy: an open flag on the newest text
    updated_since: datetime | None = None
    licence: str = ""
    is_restricted: bool | None = None

    @property
    def words(self) -> Words:
        """What full text has to find: the search, and the tags' words to narrow what is looked at."""
        found = words.parse(self.text)
        for tag in self.tags:
            found = words.both(found, words.phrase(tag, "tags"))
        return found


@dataclass(frozen=True)
class InstructionPage:
    """One page of rows in the order asked for.

    `total` is exact up to MOST_COUNTED; `has_more` says that there are more than that. `next_after` asks for
    the next page (None at the end). `sort` is the order the rows are in.
    """

    rows: list[Instruction]
    total: int
    next_after: str | None
    has_more: bool = False
    sort: Sort = Sort.NEWEST


@dataclass(frozen=True)
class _Walk:
    """A stretch of an order: the columns it goes by, all up or all down, and which rows it holds."""

    columns: tuple[ColumnElement, ...]
    is_down: bool = True
    only: tuple[ColumnElement[bool], ...] = ()

    def rows(self, base: Select, key: list, limit: int) -> Select:
        """The keys of at most `limit` rows of `base`, from just behind `key` (empty: from the start)."""
        if key:
            here = tuple_(*self.columns)
            there = tuple_(*map(_bound, self.columns, _typed(key, *map(_kind, self.columns))))
            base = base.where(here < there if self.is_down else here > there)
        order = [column.desc() if self.is_down else column.asc() for column in self.columns]
        return base.add_columns(*self.columns).where(*self.only).order_by(*order).limit(limit)


_WALKS: dict[Sort, tuple[_Walk, ...]] = {
    Sort.NEWEST: (_Walk((Instruction.id,)),),
    Sort.OLDEST: (_Walk((Instruction.id,), is_down=False),),
    Sort.CHANGED: (_Walk((Instruction.updated_at, Instruction.id)),),
    Sort.SUBMITTED: (
        _Walk((Instruction.submitted_at, Instruction.id), False, (Instruction.submitted_at.is_not(None),)),
        _Walk((Instruction.id,), True, (Instruction.submitted_at.is_(None),)),
    ),
    Sort.EASIEST: (_Walk((Instruction.difficulty, Instruction.id), is_down=False),),
    Sort.HARDEST: (_Walk((Instruction.difficulty, Instruction.id)),),
}
# Full text comes out of its table in the order of ids, either way, at no cost.
_FOUND_WALKS = {
    Sort.NEWEST: (_Walk((SEARCH.c.rowid,)),),
    Sort.OLDEST: (_Walk((SEARCH.c.rowid,), is_down=False),),
}


def search_instructions(
    session: Session,
    project_id: int,
    query: InstructionQuery,
    *,
    sort: Sort | None = None,
    after: str | None = None,
    limit: int = PAGE_ROWS,
) -> InstructionPage:
    """A page of matches: by relevance when words are looked for, else newest first, unless `sort` says.

    `after` is the last page's `next_after`. Raises ValueError when it is none of this order's.
    """
    sort = _usable(session, query, sort)
    place = _place(after)
    ids, key = (
        _ranked(session, project_id, query, place, limit)
        if sort is Sort.RELEVANCE
        else _walked(session, project_id, query, sort, place, limit)
    )
    is_all = not place and not key
    total = len(ids) if is_all else count_matching(session, project_id, query)
    next_after = json.dumps(key, default=datetime.isoformat) if key else None
    rows = load(session, ids)
    return InstructionPage(rows, min(total, MOST_COUNTED), next_after, total > MOST_COUNTED, sort)


def count_matching(
    session: Session, project_id: int, query: InstructionQuery, *, most: int = MOST_COUNTED
) -> int:
    """How many match; `most` + 1 stands for every number above `most`."""
    by_words = _is_full_text(session) and bool(query.words.wanted)
    some = _base(project_id, query, by_words).add_columns(literal(1)).limit(most + 1)
    return session.scalar(select(func.count()).select_from(some.subquery())) or 0


def load(session: Session, ids: list[int]) -> list[Instruction]:
    """The instructions of these ids, in this order, each with its author."""
    author = joinedload(Instruction.author).lazyload(User.roles)
    found = session.scalars(select(Instruction).where(Instruction.id.in_(ids)).options(author))
    by_id = {row.id: row for row in found}
    return [by_id[id] for id in ids if id in by_id]


def matching(project_id: int, query: InstructionQuery) -> list[ColumnElement[bool]]:
    """The conditions that say `query` in SQL."""
    return [*_filters(project_id, query), *words.contains(query.words)]


def count_by_status(session: Session, project_id: int) -> dict[InstructionStatus, int]:
    query = (
        select(Instruction.status, func.count())
        .where(Instruction.project_id == project_id, Instruction.deleted_at.is_(None))
        .group_by(Instruction.status)
    )
    return dict(map(tuple, session.execute(query)))


def used_labels(session: Session, project_id: int) -> dict[str, list[str]]:
    """The tasks and specialties in use, for filters and suggestions."""
    return {
        name: list(
            session.scalars(
                select(column)
                .where(Instruction.project_id == project_id, Instruction.deleted_at.is_(None), column != "")
                .distinct()
                .order_by(column)
            )
        )
        for name, column in (("task", Instruction.task), ("specialty", Instruction.specialty))
    }


def _filters(
    project_id: int,
    query: InstructionQuery,
    seen: Callable[[ColumnElement], ColumnElement] = lambda column: column,
) -> list[ColumnElement[bool]]:
    """Every filter but the words; `seen` says how a column is looked at."""
    conditions = [Instruction.project_id == project_id, Instruction.deleted_at.is_(None)]
    for column, wanted in (
        (Instruction.status, query.statuses),
        (Instruction.category, query.categories),
        (Instruction.origin, query.origins),
        (Instruction.provenance, query.provenances),
    ):
        if wanted:
            conditions.append(seen(column).in_(wanted))
    for column, value in (
        (Instruction.task, query.task or None),
        (Instruction.specialty, query.specialty or None),
        (Instruction.licence, query.licence or None),
        (Instruction.author_id, query.author_id),
        (Instruction.is_restricted, query.is_restricted),
    ):
        if value is not None:
            conditions.append(seen(column) == value)
    if query.not_author_id is not None:
        conditions.append(seen(Instruction.author_id) != query.not_author_id)
    if query.assignee_id is not None:
        conditions.append(seen(Instruction.assignee_id) == (query.assignee_id or None))
    if query.min_difficulty is not None:
        conditions.append(seen(Instruction.difficulty) >= query.min_difficulty)
    if query.max_difficulty is not None:
        conditions.append(seen(Instruction.difficulty) <= query.max_difficulty)
    if query.updated_since is not None:
        conditions.append(seen(Instruction.updated_at) >= query.updated_since)
    for asked, are in ((query.has_open_remarks, _with_remarks()), (query.is_flagged, _flagged())):
        if asked is not None:
            conditions.append(are if asked else ~are)
    return [*conditions, *map(_tagged, query.tags)]


def _with_remarks() -> ColumnElement[bool]:
    """A remark that is no answer to another is open until someone resolves it."""
    is_open = (Comment.resolved_at.is_(None), Comment.parent_id.is_(None))
    return Instruction.id.in_(select(Comment.instruction_id).where(*is_open))


def _flagged() -> ColumnElement[bool]:
    head = aliased(Instruction)
    flagged = (
        select(PrivacyFlag.instruction_id)
        .join(head, (head.id == PrivacyFlag.instruction_id) & (head.version == PrivacyFlag.version))
        .where(PrivacyFlag.cleared_at.is_(None))
    )
    return Instruction.id.in_(flagged)


def _tagged(tag: str) -> ColumnElement[bool]:
    """The tags are stored as JSON: a list of quoted words."""
    return cast(Instruction.tags, String).contains(json.dumps(tag), autoescape=True)


def _is_full_text(session: Session) -> bool:
    return session.get_bind().dialect.name == "sqlite"


def _usable(session: Session, query: InstructionQuery, sort: Sort | None) -> Sort:
    """The order asked for; relevance only where there are words to rank by."""
    can_rank = bool(words.parse(query.text).wanted) and _is_full_text(session)
    if sort in (None, Sort.RELEVANCE):
        return Sort.RELEVANCE if can_rank else Sort.NEWEST
    return sort


def _base(project_id: int, query: InstructionQuery, by_words: bool) -> Select:
    """What matches, without columns yet: `by_words` walks the full text, else the instructions."""
    if not by_words:
        conditions = [*_filters(project_id, query, planner.on_the_way), *words.contains(query.words)]
        return select().select_from(Instruction).where(*conditions)
    found = planner.WordsFirst(SEARCH, Instruction.__table__, Instruction.id == SEARCH.c.rowid)
    conditions = [words.found_by(query.words), *_filters(project_id, query)]
    return select().select_from(found).where(*conditions)


def _walked(
    session: Session, project_id: int, query: InstructionQuery, sort: Sort, place: list, limit: int
) -> tuple[list[int], list]:
    """(ids of a page, where the next one begins): `place` is a walk's number and the key to go on from."""
    by_words = _is_full_text(session) and sort in _FOUND_WALKS and bool(query.words.wanted)
    walks = (_FOUND_WALKS if by_words else _WALKS)[sort]
    base = _base(project_id, query, by_words)
    start, *key = place or [0]
    if start not in range(len(walks)):
        raise ValueError(_NO_PLACE)
    found: list[list] = []
    for number in range(start, len(walks)):
        statement = walks[number].rows(base, key, limit + 1 - len(found))
        found += [[number, *row] for row in session.execute(statement)]
        key = []
        if len(found) > limit:
            break
    return [row[-1] for row in found[:limit]], found[limit - 1] if len(found) > limit else []


def _ranked(
    session: Session, project_id: int, query: InstructionQuery, place: list, limit: int
) -> tuple[list[int], list]:
    """(ids of a page, where the next begins): `place` is 0, the newest match, a rank and an id; or 1, an id.

    The RANKED newest matches are put in order anew for each page, from the newest of the first page on.
    """
    base = _base(project_id, query, by_words=True)
    if place and place[0] == 1:
        return _older(session, base, place[1:], limit)
    top, *last = _typed(place[1:], int, float, int) if place else [None]
    window = base.add_columns(SEARCH.c.rowid, RANK).order_by(SEARCH.c.rowid.desc()).limit(RANKED)
    rows = session.execute(window if top is None else window.where(SEARCH.c.rowid <= top)).all()
    order = sorted((rank, -id) for id, rank in rows)
    start = bisect_right(order, (last[0], -last[1])) if last else 0
    ids = [-id for _, id in order[start : start + limit]]
    if start + limit < len(order):
        rank, id = order[start + limit - 1]
        return ids, [0, rows[0].rowid, rank, -id]
    if len(rows) < RANKED:
        return ids, []
    oldest = rows[-1].rowid
    if len(ids) == limit:
        return ids, [1, oldest] if _older(session, base, [oldest], 1)[0] else []
    older, key = _older(session, base, [oldest], limit - len(ids))
    return ids + older, key


def _older(session: Session, base: Select, key: list, limit: int) -> tuple[list[int], list]:
    """The matches below an id, newest first."""
    ids = list(session.scalars(_FOUND_WALKS[Sort.NEWEST][0].rows(base, key, limit + 1)))
    return ids[:limit], [1, ids[limit - 1]] if len(ids) > limit else []


_NO_PLACE = "after: this is no place in this list; begin at its first page."


def _place(after: str | None) -> list:
    if not after:
        return []
    try:
        place = json.loads(after)
    except json.JSONDecodeError as error:
        raise ValueError(_NO_PLACE) from error
    if not isinstance(place, list) or not place or type(place[0]) is not int:
        raise ValueError(_NO_PLACE)
    return place


def _typed(key: list, *kinds: type) -> list:
    """The key, made sure to be of these kinds; times come as text."""
    if [type(value) for value in key] != [str if kind is datetime else kind for kind in kinds]:
        raise ValueError(_NO_PLACE)
    try:
        return [
            datetime.fromisoformat(value) if kind is datetime else value
            for value, kind in zip(key, kinds, strict=True)
        ]
    except ValueError as error:
        raise ValueError(_NO_PLACE) from error


def _kind(column: ColumnElement) -> type:
    return datetime if isinstance(column.type, UtcDateTime) else column.type.python_type


def _bound(column: ColumnElement, value) -> ColumnElement:
    return literal(value, column.type)
