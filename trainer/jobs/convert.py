"""Turn corpora into instructions: count, draw, then read, render and check in one process, store in another.

What a source names of the Hub is copied first. Then it goes batch by batch, each with how far it has read, so
that a killed job goes on where it was. Texts never reach the log: it tells sources, counts and times.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass

from db import conversions, jobs
from db.convert_spec import ConvertSpec
from db.corpora import converting
from db.corpora.batches import Batch
from db.corpora.drawing import Draw
from db.corpora.mixture import Plan
from db.policy import Actor
from db.session import read, write
from db.users import as_actor
from trainer.ahead import ahead
from trainer.context import JobContext

FEW = 2_000  # rows that are converted sooner than another process has started
BREATH = 0.1  # seconds between two batches at least: someone who waits to write asks that often


def run(context: JobContext) -> None:
    """Carry the job out. Raises ValueError with one sentence for a file, template or mixture; Cancelled."""
    spec: ConvertSpec = context.spec
    begun = _begin(context)
    _bring(context, spec)
    draw, rows = _draw(context, spec)
    _tell_plan(context, draw.plan)
    context.progress("looking at what is stored", begun.rows_read, rows)
    with read() as s:
        known = conversions.known_texts(s, context.project_id)
    clock = _Clock(begun.rows_read, rows)
    for batch in _batches(context, spec, draw, begun.rows_read, rows):
        context.require_wanted()
        kept = conversions.without_copies(batch, known)
        clock.breathe()
        with write() as s:
            jobs.beat(
                s, context.job_id, context.attempt
            )  # raises FencedError: only the latest attempt stores
            conversions.store(s, begun.conversion_id, kept)
        context.progress("converting", batch.last, rows)
        context.metrics(batch.last, **clock.stored(batch.last))
    with write() as s:
        jobs.beat(s, context.job_id, context.attempt)
        found = conversions.finish(s, begun.conversion_id, begun.actor)
    context.log(f"{found['totals'].get('stored', 0):,} instructions of {rows:,} rows: {found['totals']}")
    context.finish({**found, "plan": _plain(draw.plan)})


@dataclass(frozen=True)
class _Begun:
    conversion_id: int
    rows_read: int
    actor: Actor


def _begin(context: JobContext) -> _Begun:
    with write() as s:
        job = jobs.get_job(s, context.job_id)
        conversion = conversions.begin(s, job)
        begun = _Begun(conversion.id, conversion.rows_read, as_actor(job.created_by))
    if begun.rows_read:
        context.log(f"going on after row {begun.rows_read:,}")
    return begun


def _bring(context: JobContext, spec: ConvertSpec) -> None:
    """Copy what is named of the Hub: nothing else of a conversion asks the network for anything."""
    for source in spec.sources:
        if source.hub:
            context.require_wanted()
            context.progress(f"fetching {source.hub.get('name')} from the Hub", 0)
            if commit := converting.bring(source, context.settings.data_dir):
                context.log(f"{source.name}: {source.hub['name']} of the Hub at commit {commit}")


def _draw(context: JobContext, spec: ConvertSpec) -> tuple[Draw, int]:
    """Which rows are taken, and how many there are to read."""

    def tell(rows: int) -> None:
        context.require_wanted()
        context.progress("counting the rows", rows)

    tell(0)
    for source in spec.sources:  # a template that is not there is told before minutes of reading
        converting.template_of(source)
    census = converting.take_census(spec, context.settings.data_dir, tell)
    rows = sum(count.total for homes in census.counts.values() for count in homes.values())
    if not rows:
        raise ValueError("file: there is no row in any of the sources; choose other files.")
    return census.draw(), rows


def _batches(context: JobContext, spec: ConvertSpec, draw: Draw, after: int, rows: int) -> Iterator[Batch]:
    given = (spec, context.settings.data_dir, draw, after)
    return converting.convert(*given) if rows - after <= FEW else ahead(converting.convert, *given)


def _tell_plan(context: JobContext, plan: Plan) -> None:
    for each in plan.sources:
        have = sum(count.total for count in each.available.values())
        short = f", short by {each.short_by:,}" if each.short_by else ""
        context.log(f"{each.source}: {each.rows:,} of {have:,} rows{short}")


def _plain(plan: Plan) -> dict:
    return {
        each.source: {"rows": each.rows, "train": each.train, "short_by": each.short_by}
        for each in plan.sources
    }


class _Clock:
    """How fast it goes; and never one batch upon the other, or nobody else would come to write."""

    def __init__(self, rows_read: int, rows: int) -> None:
        self._first, self._rows = rows_read, rows
        self._began, self._last = time.monotonic(), 0.0

    def breathe(self) -> None:
        time.sleep(max(0.0, self._last + BREATH - time.monotonic()))

    def stored(self, rows_read: int) -> dict[str, float]:
        """Rows a second since this attempt began, and the seconds that are left at that pace."""
        self._last = time.monotonic()
        pace = (rows_read - self._first) / max(self._last - self._began, 1e-3)
        return {"rows_per_second": pace, "seconds_left": (self._rows - rows_read) / max(pace, 1e-3)}
