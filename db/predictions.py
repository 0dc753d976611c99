"""What models answered, row by row, a page at a time: all rows, or those of one kind.

Beside another evaluation of the same task version a list shows what was fixed (wrong there, right here),
broken, better or worse. Pages go by position, from where the last one ended: each walks an index, or two side
by side, so they stay quick at a million predictions. Totals are exact where an evaluation has up to MOST_ROWS
rows; of longer ones they are counted to MOST_COUNTED and no further.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Select,
    String,
    case,
    cast,
    column,
    func,
    literal,
    or_,
    select,
    table,
    union,
)
from sqlalchemy import Integer as SqlInteger
from sqlalchemy.orm import Session, aliased

from db import evaluations, planner, words
from db.tables import Evaluation, Prediction, TaskRow
from db.words import Words

PAGE_ROWS = 50
MOST_ROWS, MOST_COUNTED = 10_000, 2_000
_SPAN = 2**32  # of the numbers of one evaluation's rows in the full text (see migration 0011)
_CANDIDATES, _COUNTED_TOGETHER = 400, 20_000  # rows whose scores differ, looked at together

_ANSWERS = table("prediction_search", column("rowid", SqlInteger), column("prediction_search", String))
_QUESTIONS = table("task_search", column("rowid", SqlInteger), column("task_search", String))


class Show(StrEnum):
    """Which rows a list shows. The last four need another evaluation."""

    ALL = "all"
    RIGHT = "right"
    WRONG = "wrong"
    FAULTY = "faulty"  # something in the answer could not be counted
    FIXED = "fixed"  # right here, wrong there
    BROKEN = "broken"  # wrong here, right there
    BETTER = "better"  # a higher score here
    WORSE = "worse"

    @property
    def is_of_pairs(self) -> bool:
        return self in (Show.FIXED, Show.BROKEN, Show.BETTER, Show.WORSE)


@dataclass(frozen=True)
class Row:
    """One row of the task, and what was answered to it."""

    position: int
    key: str
    document: str
    instruction: str
    input: str
    reference: str
    prediction: Prediction
    against: Prediction | None = None


@dataclass(frozen=True)
class Page:
    """Some rows, in order. `total` is exact unless `has_more` says that there are more than that; `next` is
    the `after` of the next page, None at the end.
    """

    rows: list[Row]
    next: int | None
    total: int
    has_more: bool = False


@dataclass(frozen=True)
class _List:
    """What is listed: of which evaluation, against which, which rows, with which words."""

    evaluation: Evaluation
    against_id: int | None
    show: Show
    words: Words
    fault: str = ""

    @property
    def id(self) -> int:
        return self.evaluation.id

    @property
    def most(self) -> int:
        """How far its rows are counted."""
        return self.evaluation.rows if self.evaluation.rows <= MOST_ROWS else MOST_COUNTED


def page(
    session: Session,
    evaluation_id: int,
    *,
    against_id: int | None = None,
    show: str = Show.ALL,
    text: str = "",
    fault: str = "",
    after: int | None = None,
    limit: int = PAGE_ROWS,
    counted: tuple[int, bool] | None = None,
) -> Page:
    """Rows behind position `after`. `text` is looked for in the answer, and in question and reference;
    `fault` chooses among the faulty those with a fault of that kind. With `counted`, (total, has_more) of an
    earlier page of the same list, nothing is counted again.

    Raises ValueError for a kind that is none, one that needs another evaluation where there is none, or an
    evaluation of another task version; LookupError.
    """
    wanted = replace(_wanted(session, evaluation_id, against_id, show, text), fault=fault)
    found = _positions(session, wanted, -1 if after is None else after, limit + 1)
    if counted is None:
        is_all = after is None and len(found) <= limit
        counted = (len(found), False) if is_all else _up_to(_count(session, wanted), wanted.most)
    shown = found[:limit]
    following = shown[-1] if len(found) > limit else None
    return Page(_rows(session, wanted, shown), following, *counted)


def count_each(
    session: Session, evaluation_id: int, *, against_id: int | None = None, text: str = ""
) -> dict[Show, int]:
    """How many rows each kind has, counted as a page counts: of long evaluations to MOST_COUNTED + 1."""
    kinds = [show for show in Show if against_id is not None or not show.is_of_pairs]
    return {show: _count(session, _wanted(session, evaluation_id, against_id, show, text)) for show in kinds}


def find(session: Session, evaluation_id: int, position: int) -> Prediction | None:
    """What was answered to one row; None while it is not scored."""
    return session.scalar(
        select(Prediction).where(Prediction.evaluation_id == evaluation_id, Prediction.position == position)
    )


def _wanted(session: Session, evaluation_id: int, against_id: int | None, show: str, text: str) -> _List:
    evaluation = evaluations.find(session, evaluation_id)
    if show not in tuple(Show):
        raise ValueError(f"show: {show} is no kind of row; choose one of {', '.join(Show)}.")
    if against_id is not None:
        require_same_task(evaluation, evaluations.find(session, against_id))
    elif Show(show).is_of_pairs:
        raise ValueError(f"show: what is {show} shows beside another evaluation; choose one to compare with.")
    # Fields are the instructions' own; here a word before a colon is a word.
    terms = [
        replace(term, field="", tokens=(term.field, *term.tokens) if term.field else term.tokens)
        for term in words.parse(text).terms
    ]
    if terms and all(term.is_excluded for term in terms):
        raise ValueError("text: name a word to look for, beside those that are not to occur.")
    return _List(evaluation, against_id, Show(show), Words(tuple(terms)))


def require_same_task(evaluation: Evaluation, other: Evaluation) -> None:
    """Raise ValueError unless the two were asked the same rows with the same prompts."""
    if evaluation.task_version_id != other.task_version_id:
        raise ValueError(
            f"against: evaluation {other.id} is of another task version than {evaluation.id}; only what was "
            "asked the same rows can be compared."
        )


# Which rows ---------------------------------------------------------------------------------------------


def _positions(session: Session, wanted: _List, after: int, limit: int) -> list[int]:
    """The next positions behind `after`, in order."""
    if wanted.words:
        found: set[int] = set()
        for statement in _with_words(session, wanted, after):
            found |= set(session.scalars(statement.limit(limit)))
        return sorted(found)[:limit]
    if wanted.show in (Show.BETTER, Show.WORSE):
        return _otherwise_scored(session, wanted, after, limit)
    return list(session.scalars(_statement(wanted, after).limit(limit)))


def _up_to(total: int, most: int) -> tuple[int, bool]:
    return min(total, most), total > most


def _count(session: Session, wanted: _List) -> int:
    """How many there are; `most` + 1 stands for more."""
    if wanted.words:
        both = [statement.limit(wanted.most + 1).subquery() for statement in _with_words(session, wanted, -1)]
        found = union(*map(select, both)).subquery()
        return min(session.scalar(select(func.count()).select_from(found)) or 0, wanted.most + 1)
    if wanted.show in (Show.BETTER, Show.WORSE):
        return _count_otherwise_scored(session, wanted)
    some = _statement(wanted, -1).limit(wanted.most + 1)
    return session.scalar(select(func.count()).select_from(some.subquery())) or 0


def _statement(wanted: _List, after: int) -> Select:
    """The positions of a list without words, in order: of one index, or of two merged."""
    if wanted.show in (Show.FIXED, Show.BROKEN):
        here = _flagged(wanted.id, wanted.show is Show.FIXED, after)
        there = _flagged(wanted.against_id, wanted.show is Show.BROKEN, after)
        both = here.intersect(there)
        return both.order_by(both.selected_columns.position)
    query = select(Prediction.position).where(
        Prediction.evaluation_id == wanted.id, Prediction.position > after, *_own_flags(wanted)
    )
    return query.order_by(Prediction.position)


def _own_flags(wanted: _List) -> list[ColumnElement[bool]]:
    flags = {
        Show.RIGHT: [Prediction.is_right.is_(True)],
        Show.WRONG: [Prediction.is_right.is_(False)],
        Show.FAULTY: [Prediction.has_faults.is_(True)],
        Show.FIXED: [Prediction.is_right.is_(True)],
        Show.BROKEN: [Prediction.is_right.is_(False)],
    }.get(wanted.show, [])
    if wanted.fault:
        start = f"[{json.dumps(wanted.fault)}, "  # of [kind, words] in the stored JSON
        flags = [*flags, cast(Prediction.said, String).contains(start, autoescape=True)]
    return flags


def _flagged(evaluation_id: int | None, is_right: bool, after: int) -> Select:
    return select(Prediction.position).where(
        Prediction.evaluation_id == evaluation_id,
        Prediction.is_right.is_(is_right),
        Prediction.position > after,
    )


def _otherwise_scored(session: Session, wanted: _List, after: int, limit: int) -> list[int]:
    """Positions with a higher (or lower) score here: rows that differ come out of two merged indexes, some at
    a time, and are then looked up there."""
    found: list[int] = []
    while len(found) < limit:
        here = dict(map(tuple, session.execute(_differing(wanted, after).limit(_CANDIDATES))))
        if not here:
            break
        there = select(Prediction.position, Prediction.score).where(
            Prediction.evaluation_id == wanted.against_id, Prediction.position.in_(here)
        )
        found += sorted(
            position
            for position, score in session.execute(there)
            if (here[position] > score if wanted.show is Show.BETTER else here[position] < score)
        )
        after = max(here)
    return found[:limit]


def _differing(wanted: _List, after: int) -> CompoundSelect:
    """(position, score) of what is scored otherwise here than there, in order."""
    here, there = (
        select(Prediction.position, Prediction.score).where(
            Prediction.evaluation_id == id, Prediction.position > after
        )
        for id in (wanted.id, wanted.against_id)
    )
    both = here.except_(there)
    return both.order_by(*both.selected_columns)


def _count_otherwise_scored(session: Session, wanted: _List) -> int:
    """As `_otherwise_scored` finds them, counted in the database. Bounded parts of the two indexes are merged
    as they lie; without a bound SQLite would sort all of them first."""
    total, after = 0, -1
    while total <= wanted.most:
        here = _differing(wanted, after).limit(_COUNTED_TOGETHER).subquery()
        there = (Prediction.evaluation_id == wanted.against_id) & (Prediction.position == here.c.position)
        is_so = (
            here.c.score > Prediction.score if wanted.show is Show.BETTER else here.c.score < Prediction.score
        )
        query = select(func.max(here.c.position), func.sum(case((is_so, 1), else_=0)))
        last, found = session.execute(query.select_from(here).outerjoin(Prediction, there)).one()
        if last is None:
            break
        total, after = total + found, last
    return min(total, wanted.most + 1)


def _with_words(session: Session, wanted: _List, after: int) -> Iterator[Select]:
    """The positions whose answers have the words, and those whose questions have them."""
    conditions = [Prediction.evaluation_id == wanted.id, *_own_flags(wanted)]
    if session.get_bind().dialect.name != "sqlite":
        yield _plainly(wanted, conditions, after)
        return
    for search, parent in ((_ANSWERS, wanted.id), (_QUESTIONS, wanted.evaluation.task_version_id)):
        start = parent * _SPAN
        found = planner.WordsFirst(
            search, Prediction.__table__, Prediction.position == search.c.rowid - start
        )
        query = (
            select(Prediction.position)
            .select_from(found)
            .where(
                search.c[search.name].op("MATCH")(literal(wanted.words.expression, String)),
                search.c.rowid > start + after,
                search.c.rowid < start + _SPAN,
                *conditions,
                *_beside(wanted),
            )
        )
        yield query.order_by(search.c.rowid)


def _beside(wanted: _List) -> list[ColumnElement[bool]]:
    """The condition that a kind of pairs puts on the other evaluation's row, looked up one by one."""
    if not wanted.show.is_of_pairs:
        return []
    other = aliased(Prediction)
    is_so = {
        Show.FIXED: other.is_right.is_(False),
        Show.BROKEN: other.is_right.is_(True),
        Show.BETTER: Prediction.score > other.score,
        Show.WORSE: Prediction.score < other.score,
    }[wanted.show]
    there = (other.evaluation_id == wanted.against_id, other.position == Prediction.position)
    return [select(other.id).where(*there, is_so).correlate(Prediction).exists()]


def _plainly(wanted: _List, conditions: Sequence[ColumnElement[bool]], after: int) -> Select:
    """For databases without our full text: parts of words count too."""
    asked = (TaskRow.task_version_id == wanted.evaluation.task_version_id) & (
        TaskRow.position == Prediction.position
    )
    fields = (Prediction.answer, TaskRow.instruction, TaskRow.input, TaskRow.reference)
    terms = [(term, " ".join(term.tokens)) for term in wanted.words.terms]
    has = [
        (term.is_excluded, or_(*(field.icontains(text, autoescape=True) for field in fields)))
        for term, text in terms
    ]
    found = [~condition if is_excluded else condition for is_excluded, condition in has]
    query = select(Prediction.position).join(TaskRow, asked)
    return query.where(*conditions, *found, *_beside(wanted), Prediction.position > after).order_by(
        Prediction.position
    )


# What they hold -------------------------------------------------------------------------------------------


def _rows(session: Session, wanted: _List, positions: Sequence[int]) -> list[Row]:
    asked = select(TaskRow).where(
        TaskRow.task_version_id == wanted.evaluation.task_version_id, TaskRow.position.in_(positions)
    )
    ours = _answers(session, wanted.id, positions)
    theirs = {} if wanted.against_id is None else _answers(session, wanted.against_id, positions)
    return [
        Row(
            row.position,
            row.key,
            row.document,
            row.instruction,
            row.input,
            row.reference,
            ours[row.position],
            theirs.get(row.position),
        )
        for row in session.scalars(asked.order_by(TaskRow.position))
        if row.position in ours
    ]


def _answers(session: Session, evaluation_id: int, positions: Sequence[int]) -> dict[int, Prediction]:
    query = select(Prediction).where(
        Prediction.evaluation_id == evaluation_id, Prediction.position.in_(positions)
    )
    return {row.position: row for row in session.scalars(query)}
