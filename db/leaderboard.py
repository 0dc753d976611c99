"""The leaderboard: models by frozen tasks, each cell a figure with its interval, its gain, how sure that is.

A row is a base, an adapter on its base, or an encoder; a column a task version in one headline measure, so
that an encoder stands beside a model that writes, and what was asked by likelihood stands apart. Of several
evaluations the newest finished one counts. Means of a group take one column a task: by what was written where
there is one, and only where the row has all of them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from db import evaluations, gains, gates, leaks
from db.enums import Category, Way
from db.evaluations import LEVEL, OPTION_MEASURES, WITHOUT_LEAKS
from db.gains import OverBase
from db.gates import Verdict
from db.group_means import mean_of, relative_of
from db.leaks import Badge
from db.metrics import measures
from db.metrics.interval import Interval
from db.metrics.paired import Gain
from db.tables import Evaluation, Job, LeakCheck, TaskVersion

MOST_RECKONED = 8  # gains that nobody kept, reckoned while a page waits
NAME = "name"  # sorts by the models' names
_KINDS = ("base", "adapter", "encoder")


@dataclass(frozen=True)
class Column:
    """One task version in one measure."""

    key: str
    task_version: TaskVersion
    measure: str  # a name of db.metrics.measures
    measure_title: str
    unit: str
    higher_is_better: bool
    ways: tuple[Way, ...]

    @property
    def category(self) -> Category:
        return self.task_version.category

    @property
    def title(self) -> str:
        return self.task_version.name


@dataclass(frozen=True)
class Cell:
    """What one model scored on one task."""

    evaluation_id: int
    job_id: int | None
    way: Way
    measure: str
    unit: str
    figure: Interval
    level: float  # of its interval
    parse_failures: float | None  # share of answers without the asked form; None where not measured
    without_leaks: Interval | None  # the same figure without the rows that leaked; None where none did
    leaks: Badge
    finished_at: datetime
    against_id: int | None = None  # the base's evaluation; None where there is none, or it is the base
    gain: Gain | None = None
    p_holm: float | None = None
    gain_is_due: bool = False  # there is a base to compare with, and nobody has reckoned it yet

    @property
    def p(self) -> float | None:
        return self.gain.p if self.gain else None


@dataclass(frozen=True)
class GroupMean:
    """The mean of a group's tasks for one model, and over its base the gain of that mean, absolute and
    relative, as the papers report it. `missing` are titles of tasks without a score."""

    figure: Interval
    gain: Interval | None = None
    relative: Interval | None = None
    columns: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()


@dataclass(frozen=True)
class Row:
    """One model."""

    key: str  # "base:1", "adapter:3", "encoder:2"
    kind: str
    title: str
    base_model_id: int | None
    base_title: str
    adapter_id: int | None
    encoder_id: int | None
    is_stand_in: bool
    cells: Mapping[str, Cell]  # by column key
    groups: Mapping[Category, GroupMean] = field(default_factory=dict)
    verdict: Verdict | None = None  # of an adapter


@dataclass(frozen=True)
class Board:
    """Columns stand by group and name; rows base first, then its adapters, then encoders. `due` gains are not
    reckoned yet."""

    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    due: int = 0


def read_board(session: Session, project_id: int, *, most_reckoned: int = MOST_RECKONED) -> Board:
    """The project's board. Reckons at most `most_reckoned` gains that nobody kept; only reads."""
    listed = [one for one in gains.newest(session, project_id) if gains.model_of(one) != (None, None, None)]
    columns = _columns(listed)
    over = {
        found.evaluation.id: found
        for found in gains.gains_against_base(session, project_id, most_reckoned=most_reckoned)
    }
    facts = _Facts(over, _levels(session, listed), _checks(session, listed))
    rows = _rows(listed, facts)
    adapters = {one.adapter_id: one.adapter for one in listed if one.adapter_id is not None}
    verdicts = gates.verdicts(session, project_id, list(adapters.values())) if adapters else {}
    rows = [replace(row, verdict=verdicts.get(row.adapter_id)) for row in rows]
    due = sum(cell.gain_is_due for row in rows for cell in row.cells.values())
    return Board(columns, tuple(_with_groups(rows, columns)), due)


def sort_rows(board: Board, key: str, *, descending: bool = True) -> Board:
    """By a column's key, a category for its mean, or NAME; models without a figure there come last.

    Raises ValueError where the board has none such.
    """
    if key == NAME:
        rows = sorted(board.rows, key=lambda row: row.title.casefold(), reverse=descending)
        return replace(board, rows=tuple(rows))
    if key not in {column.key for column in board.columns} and key not in tuple(Category):
        raise ValueError(f"sort: the board has no column {key}; choose another.")
    values = {row.key: _sorted_by(row, key) for row in board.rows}
    there = [row for row in board.rows if values[row.key] is not None]
    there.sort(key=lambda row: values[row.key], reverse=descending)
    return replace(board, rows=(*there, *(row for row in board.rows if values[row.key] is None)))


# From evaluations to rows -------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Facts:
    """What is known of evaluations, read for all at once."""

    over: Mapping[int, OverBase]  # by evaluation
    levels: Mapping[int, float]  # by job
    checks: Mapping[tuple[int, int], LeakCheck]  # by task and dataset version


def column_key(evaluation: Evaluation) -> str:
    return f"{evaluation.task_version_id}-{evaluation.measure}"


def _columns(listed: Sequence[Evaluation]) -> tuple[Column, ...]:
    found: dict[str, list[Evaluation]] = {}
    for one in listed:
        found.setdefault(column_key(one), []).append(one)
    columns = []
    for key, own in found.items():
        measure = measures.get(own[0].measure)
        ways = tuple(way for way in Way if any(one.way is way for one in own))
        columns.append(
            Column(
                key,
                own[0].task_version,
                measure.name,
                measure.title,
                measure.unit,
                measure.higher_is_better,
                ways,
            )
        )
    order = list(Category)
    return tuple(sorted(columns, key=lambda one: (order.index(one.category), one.title.casefold(), one.key)))


def _rows(listed: Sequence[Evaluation], facts: _Facts) -> list[Row]:
    cells: dict[tuple, dict[str, Cell]] = {}
    models: dict[tuple, Evaluation] = {}
    for one in listed:
        model = gains.model_of(one)
        models.setdefault(model, one)
        cells.setdefault(model, {})[column_key(one)] = _cell(one, facts)
    rows = [_row(one, cells[model]) for model, one in models.items()]
    return sorted(rows, key=_place)


def _row(one: Evaluation, cells: Mapping[str, Cell]) -> Row:
    kind = "encoder" if one.encoder_id else "adapter" if one.adapter_id else "base"
    id = {"encoder": one.encoder_id, "adapter": one.adapter_id, "base": one.base_model_id}[kind]
    return Row(
        f"{kind}:{id}",
        kind,
        evaluations.title_of(one),
        one.base_model_id,
        one.base_model.name if one.base_model else one.encoder.location if one.encoder else "",
        one.adapter_id,
        one.encoder_id,
        bool(one.encoder and one.encoder.is_stand_in),
        cells,
    )


def _place(row: Row) -> tuple:
    """A base before its adapters, encoders last."""
    return row.kind == "encoder", row.base_title.casefold(), _KINDS.index(row.kind), row.title.casefold()


def _cell(one: Evaluation, facts: _Facts) -> Cell:
    over = facts.over.get(one.id)
    version_id = one.adapter.dataset_version_id if one.adapter else None
    check = facts.checks.get((one.task_version_id, version_id)) if version_id is not None else None
    return Cell(
        one.id,
        one.job_id,
        one.way,
        one.measure,
        measures.get(one.measure).unit,
        Interval(**one.figures[one.measure]),
        facts.levels.get(one.job_id, LEVEL),
        one.figures.get("parse_failures", {}).get("value"),
        _interval(one.figures.get(one.measure + WITHOUT_LEAKS)),
        leaks.badge(one, check),
        one.finished_at,
        over.base.id if over else None,
        over.gain if over else None,
        over.p_holm if over else None,
        over is not None and over.gain is None,
    )


def _interval(figure: Mapping | None) -> Interval | None:
    return Interval(**figure) if figure else None


def _levels(session: Session, listed: Sequence[Evaluation]) -> dict[int, float]:
    ids = {one.job_id for one in listed if one.job_id is not None}
    query = select(Job.id, Job.spec).where(Job.id.in_(ids))
    return {id: spec.get("level", LEVEL) for id, spec in session.execute(query)}


def _checks(session: Session, listed: Sequence[Evaluation]) -> dict[tuple[int, int], LeakCheck]:
    ids = {one.task_version_id for one in listed}
    query = select(LeakCheck).where(LeakCheck.task_version_id.in_(ids))
    return {(check.task_version_id, check.dataset_version_id): check for check in session.scalars(query)}


# Means of groups ----------------------------------------------------------------------------------------


def _with_groups(rows: Sequence[Row], columns: Sequence[Column]) -> list[Row]:
    chosen = {group: _one_a_task([c for c in columns if c.category is group]) for group in Category}
    by_key = {row.key: row for row in rows}
    return [
        replace(
            row,
            groups={
                group: _mean(row, by_key.get(f"base:{row.base_model_id}"), own)
                for group, own in chosen.items()
                if own
            },
        )
        for row in rows
    ]


def _one_a_task(columns: Sequence[Column]) -> tuple[Column, ...]:
    """Of each task version the column of what was written, or that by likelihood where there is no other."""
    found: dict[int, Column] = {}
    for column in sorted(columns, key=lambda one: one.measure in OPTION_MEASURES):
        found.setdefault(column.task_version.id, column)
    return tuple(found.values())


def _mean(row: Row, base: Row | None, columns: Sequence[Column]) -> GroupMean:
    keys = tuple(column.key for column in columns)
    missing = tuple(column.title for column in columns if column.key not in row.cells)
    if missing:
        nothing = Interval(None, None, None, 0, 0, f"No score on {', '.join(missing)}.")
        return GroupMean(nothing, columns=keys, missing=missing)
    own = mean_of([row.cells[key].figure for key in keys])
    if len({row.cells[key].level for key in keys}) > 1:
        own = replace(own, low=None, high=None, note="The tasks' intervals are of different levels.")
    differences = [row.cells[key].gain for key in keys]
    if base is None or base is row or None in differences or not all(key in base.cells for key in keys):
        return GroupMean(own, columns=keys)
    gain = mean_of([one.absolute for one in differences if one])
    other = mean_of([base.cells[key].figure for key in keys])
    return GroupMean(own, gain, relative_of(own, other, gain), keys)


def _sorted_by(row: Row, key: str) -> float | None:
    if key in tuple(Category):
        mean = row.groups.get(Category(key))
        return mean.figure.value if mean else None
    cell = row.cells.get(key)
    return cell.figure.value if cell else None
