"""Curves of runs, read for drawing: however many points a run wrote, a few hundred come out.

The database thins: of each stretch of steps it gives the lowest and the highest value, so that no spike is
lost and a run of 100,000 points opens as fast as a short one. A resumed run goes back to its checkpoint; the
steps it does again replace what an earlier attempt wrote for them.
"""

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import Session

from db.tables import Metric

Point = tuple[float, float]  # (step, value)

STRETCHES = 220


@dataclass(frozen=True)
class Curves:
    """One run's curves by the metric's name, steps ascending; `newest` is the id of the last metric read."""

    points: dict[str, tuple[Point, ...]]
    newest: int = 0


def read_curves(
    session: Session, job_id: int, names: Collection[str] | None = None, *, stretches: int = STRETCHES
) -> Curves:
    """The curves of a run, all of them unless `names` says; each has at most 2 * `stretches` + 1 points."""
    newest = session.scalar(select(func.max(Metric.id)).where(Metric.job_id == job_id)) or 0
    spans = _spans(session, job_id, newest)
    wanted = {name for name, _ in spans if names is None or name in names}
    points = {name: _curve(session, job_id, newest, name, spans, stretches) for name in sorted(wanted)}
    return Curves(points, newest)


def latest_metrics(session: Session, job_id: int, name: str, *, limit: int) -> list[Metric]:
    """The last `limit` points of one metric, oldest first."""
    query = select(Metric).where(Metric.job_id == job_id, Metric.name == name)
    return list(session.scalars(query.order_by(Metric.id.desc()).limit(limit)))[::-1]


def _spans(session: Session, job_id: int, newest: int) -> dict[tuple[str, int], tuple[int, int, int]]:
    """(metric, attempt) -> (first step, last step, points)."""
    query = (
        select(Metric.name, Metric.attempt, func.min(Metric.step), func.max(Metric.step), func.count())
        .where(Metric.job_id == job_id, Metric.id <= newest)
        .group_by(Metric.name, Metric.attempt)
    )
    return {(name, attempt): (low, high, count) for name, attempt, low, high, count in session.execute(query)}


def _curve(
    session: Session, job_id: int, newest: int, name: str, spans: dict, stretches: int
) -> tuple[Point, ...]:
    mine = {attempt: span for (of, attempt), span in spans.items() if of == name}
    rows = and_(Metric.job_id == job_id, Metric.name == name, Metric.id <= newest, _in_force(mine))
    if sum(count for _, _, count in mine.values()) <= 2 * stretches:
        query = select(Metric.step, Metric.value).where(rows).order_by(Metric.step, Metric.id)
        by_step = dict(map(tuple, session.execute(query)))
        return tuple(by_step.items())
    return _thinned(session, rows, max(high for _, high, _ in mine.values()), stretches)


def _in_force(mine: dict[int, tuple[int, int, int]]) -> ColumnElement[bool]:
    """What no later attempt has done again: an attempt's points below where each later one began."""
    begins = {
        attempt: min([span[0] for later, span in mine.items() if later > attempt], default=None)
        for attempt in mine
    }
    return or_(
        *(
            Metric.attempt == attempt
            if begin is None
            else and_(Metric.attempt == attempt, Metric.step < begin)
            for attempt, begin in begins.items()
        )
    )


def _thinned(session: Session, rows: ColumnElement[bool], last: int, stretches: int) -> tuple[Point, ...]:
    """The lowest and highest value of each stretch of steps, in the stretch's halves, and the very last."""
    width = max(1, -(-(last + 1) // stretches))
    stretch = Metric.step // width
    query = (
        select(func.min(Metric.step), func.max(Metric.step), func.min(Metric.value), func.max(Metric.value))
        .where(rows)
        .group_by(stretch)
        .order_by(stretch)
    )
    points: list[Point] = []
    for begin, end, low, high in session.execute(query):
        points += [(begin, low), (end, high)] if end > begin else [(begin, high)]
    final = session.execute(
        select(Metric.step, Metric.value).where(rows, Metric.step == last).order_by(Metric.id.desc()).limit(1)
    ).first()
    if final is not None and points[-1] != tuple(final):
        points = [point for point in points if point[0] < last] + [tuple(final)]
    return tuple(points)
