"""The loop of a generation run: calls are asked side by side, their records judged and stored as they come.

It ends when enough records are kept, a budget is used up, the endpoint keeps refusing, nothing is kept for
long, or someone asks for a stop. However it ends, what was under way is taken in first.
"""

import asyncio
import time
from collections.abc import Awaitable
from dataclasses import dataclass

from sqlalchemy.orm import Session

from db import endpoints
from db import generation_calls as calls
from db.generate_spec import GenerateSpec
from db.generation_runs import Totals
from db.jobs import FencedError
from trainer.context import Cancelled, JobContext
from trainer.generating.asking import Asked, Asker, Refusals
from trainer.generating.departures import Departures
from trainer.generating.judging import Judge, ToJudge
from trainer.generating.ledger import Ledger
from trainer.generating.requests import Prepared, Requests

LOOK = 0.25  # seconds between two looks at whether the run is still wanted
TELL = 2.0  # seconds between two points of a curve, at first
POINTS = 250  # on a curve, about
TOGETHER = 50  # replies judged at once, at most
GATHER = 0.3  # seconds that the first of them waits for others: the judge's pipe is woken less often
SPARE = 8  # calls that wait, written down, for a place at the endpoint to be free; for many places, more
LAST_CALLS = 15.0  # seconds that a stop waits for what is under way; the worker's patience is 20
BACKLOG = 100  # replies waiting for the judge: then no more are asked


class Stopped(Exception):
    """The run ends early; the message says why. `failed`: something has to be mended first."""

    def __init__(self, reason: str, *, failed: bool = False) -> None:
        super().__init__(reason)
        self.failed = failed


@dataclass
class Count:
    """How far the run is, this attempt and those before it together."""

    kept: int
    judged: int  # calls
    next_number: int
    barren: int = 0  # calls in a row of which nothing was kept
    kept_here: int = 0  # in this attempt

    @classmethod
    def of(cls, totals: Totals) -> "Count":
        return cls(totals.kept, totals.answered - totals.unjudged, totals.next_number)

    def yield_of_a_call(self, wanted: int) -> float:
        """Records kept of a call so far, on average; before there are any, as many as were asked for."""
        return self.kept / self.judged if self.kept else float(wanted)


class Growing:
    """One attempt at a run."""

    def __init__(
        self,
        context: JobContext,
        requests: Requests,
        asker: Asker,
        judge: Judge,
        totals: Totals,
        departures: Departures,
    ) -> None:
        self.context, self.requests, self.asker, self.judge = context, requests, asker, judge
        self.departures = departures
        self.ledger: Ledger = asker.ledger
        self.spec: GenerateSpec = requests.spec
        self.count = Count.of(totals)
        self.refusals = Refusals()
        self._began = self._counted = self._told = time.monotonic()
        self._under_way: dict[asyncio.Task, int] = {}  # the number of each call
        self._to_judge: asyncio.Queue[ToJudge] = asyncio.Queue()
        self._asking = 0  # calls without an answer yet
        self._answered = False  # any call, in this attempt
        self._unjudged = 0  # replies in the queue or with the judge
        self._next: Prepared | None = None
        self._knows_schema = requests.endpoint.knows_schema
        self._changed = asyncio.Event()
        self._end: BaseException | None = None

    async def run(self, unjudged: list[ToJudge]) -> None:
        """Go on until the end. Raises Stopped, Cancelled or FencedError where that is not the target."""
        for one in unjudged:
            self._pass_on(one)
        helpers = [self._start(self._judge_on()), self._start(self._watch())]
        try:
            await self._ask_on()
            await self._take_in()
        finally:
            for task in (*helpers, *self._under_way):
                task.cancel()
            await asyncio.gather(*helpers, *self._under_way, return_exceptions=True)
        if not isinstance(self._end, FencedError):
            await self._close_books()
        if self._end is not None:
            raise self._end

    # Asking -----------------------------------------------------------------------------------------

    async def _ask_on(self) -> None:
        """Keep calls under way until the end has come."""
        while self._end is None and self.count.kept < self.spec.target:
            self._changed.clear()
            if self._has_room() and self._send_next():
                await asyncio.sleep(0)  # let it begin
            elif self._under_way or self._unjudged:
                await self._changed.wait()
            else:  # nothing is to come, and there was room: it was the budget that had none
                planned = self._prepared().planned
                self._stop(Stopped(self.asker.budget.explain(planned.most_tokens, planned.most_cost)))

    def _has_room(self) -> bool:
        """Whether another call should be under way: not when what is would do, were it as good as others."""
        places = self.requests.endpoint.concurrency
        coming = len(self._under_way) + self._unjudged
        expected = self.count.kept + coming * self.count.yield_of_a_call(self.spec.per_call)
        # The first reply tells whether the endpoint takes what it is asked: before it, none wait beside.
        ahead = max(SPARE, places) if self._answered else 0
        has_place = self._asking - self.asker.resting < places + ahead
        return has_place and self._unjudged < BACKLOG and expected < self.spec.target

    def _send_next(self) -> bool:
        """Send the next call on its way; False when no budget has room for it now."""
        prepared = self._prepared()
        if not self.asker.budget.reserve(prepared.planned.most_tokens, prepared.planned.most_cost):
            return False
        self._next = None
        self.count.next_number += 1
        self._asking += 1
        task = self._start(self._carry_out(prepared))
        self._under_way[task] = prepared.planned.number
        task.add_done_callback(self._under_way.pop)
        return True

    def _prepared(self) -> Prepared:
        if self._next is None:
            self._next = self.requests.prepare(self.count.next_number)
        return self._next

    async def _carry_out(self, prepared: Prepared) -> None:
        asked = await self.asker.ask(prepared)
        self._asking -= 1
        self._changed.set()  # its place is another's before its answer is written down
        self._heed(asked)
        await self.asker.close(asked)
        if asked.answer is not None:
            self._pass_on(to_judge(asked))
            await self._note_schema()

    def _heed(self, asked: Asked) -> None:
        """Go on with further calls, or stop where call after call is refused for the same reason."""
        trouble = asked.trouble
        if trouble is None:
            self._answered = True
            self.refusals.forget()
            return
        self.context.log(f"call {asked.prepared.planned.number}: {trouble.sentence}")
        if self.refusals.note(trouble):
            self._stop(Stopped(trouble.sentence, failed=True))

    async def _note_schema(self) -> None:
        """Remember that the endpoint refused a schema, for the next run and for the endpoint's page."""
        if self.asker.client.uses_schema or self._knows_schema is False:
            return
        self._knows_schema = False
        self.context.log("the endpoint knows no JSON schema: it is asked in words")
        await self.ledger.write(lambda s: endpoints.note_schema(s, self.spec.endpoint_id, False))

    # Judging ----------------------------------------------------------------------------------------

    def _pass_on(self, one: ToJudge) -> None:
        self._unjudged += 1
        self._to_judge.put_nowait(one)

    async def _judge_on(self) -> None:
        while True:
            some = [await self._to_judge.get()]
            if self._under_way:
                await asyncio.sleep(GATHER)
            while len(some) < TOGETHER and not self._to_judge.empty():
                some.append(self._to_judge.get_nowait())
            for kept in await asyncio.to_thread(self.judge.judge, some):
                self._count(kept)
            self._unjudged -= len(some)
            self._changed.set()

    def _count(self, kept: int) -> None:
        """A call was judged, and so many of its records kept."""
        self.count.judged += 1
        self.count.kept += kept
        self.count.kept_here += kept
        self.count.barren = 0 if kept else self.count.barren + 1
        if self.count.barren >= self.spec.patience:
            self._stop(
                Stopped(
                    f"patience: of the last {self.count.barren} calls no record was kept; the funnel's "
                    "counts tell why. Change the prompt, the filters or the model, and start another run.",
                    failed=True,
                )
            )

    # Ending -----------------------------------------------------------------------------------------

    def _stop(self, reason: BaseException) -> None:
        """Ask no more; the first reason counts."""
        self._end = self._end or reason
        self._recall()
        self._changed.set()

    def _recall(self) -> None:
        """Let no further request leave: those that wait for a place are given up, and cost nothing."""
        self.asker.stopping = True
        for task, number in self._under_way.items():
            if number not in self.departures.numbers:
                task.cancel()

    async def _take_in(self) -> None:
        """Wait for what has left, and have it judged: it is paid."""
        if isinstance(self._end, FencedError):
            return
        self._recall()
        if self._under_way:
            # A person who asks for a stop does not wait long; every other end waits for the last reply.
            patience = LAST_CALLS if isinstance(self._end, Cancelled) else None
            await asyncio.wait(self._under_way, timeout=patience)
        while self._unjudged and not self._is_broken():
            self._changed.clear()
            await self._changed.wait()

    def _is_broken(self) -> bool:
        """Ended by a fault of our own: there may be no judge, or no database, to wait for."""
        return self._end is not None and not isinstance(self._end, Stopped | Cancelled)

    async def _close_books(self) -> None:
        await self._tell()
        await self.ledger.write(self._write_off)

    def _write_off(self, session: Session) -> None:
        calls.forget_unsent(session, self.context.job_id, self.departures.numbers)
        calls.write_off(session, self.context.job_id)

    async def _watch(self) -> None:
        """Look whether the run is still wanted, and tell how far it is."""
        while True:
            await asyncio.sleep(LOOK)
            now = time.monotonic()
            try:
                self.context.require_wanted()
            except (Cancelled, FencedError) as reason:
                self._stop(reason)
            if self.asker.budget.is_late(now - self._began):
                self._stop(Stopped(self.asker.budget.explain_late()))
            if now - self._told >= max(TELL, (now - self._began) / POINTS):
                self._told = now
                await self._tell()

    async def _tell(self) -> None:
        now = time.monotonic()
        seconds, self._counted = now - self._counted, now
        budget, minutes = self.asker.budget, (now - self._began) / 60
        self.context.progress("generating", self.count.kept, self.spec.target)
        self.context.metrics(
            self.count.judged,
            kept=self.count.kept,
            calls=self.count.next_number,
            tokens=budget.tokens,
            cost=budget.cost,
            kept_per_minute=self.count.kept_here / minutes if minutes else 0.0,
        )
        await self.ledger.write(lambda s: calls.add_seconds(s, self.context.job_id, seconds))

    def _start(self, work: Awaitable[None]) -> asyncio.Task:
        """A task whose failure ends the run, and whose end wakes the loop."""
        task = asyncio.ensure_future(work)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task) -> None:
        if not task.cancelled() and task.exception() is not None:
            self._stop(task.exception())
        self._changed.set()


def to_judge(asked: Asked) -> ToJudge:
    answer, prepared = asked.answer, asked.prepared
    return ToJudge(
        asked.call_id, answer.reply, answer.finish_reason, dict(prepared.fixed), prepared.parent_id
    )
