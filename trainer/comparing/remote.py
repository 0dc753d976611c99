"""A side behind an endpoint: asked at the endpoint's pace, several rows at once, each stored as it comes."""

import asyncio
import random
import time
from collections.abc import Iterator
from dataclasses import asdict, replace

from db import batches, comparisons, endpoints
from db.asking.client import Ask, Client, Completion
from db.asking.troubles import Reason, Trouble
from db.compare_spec import CompareSpec
from db.comparisons import AnswerText
from db.session import read
from db.tables import Comparison, Endpoint
from trainer.comparing.columns import Columns
from trainer.comparing.ledger import Books
from trainer.context import Cancelled, JobContext
from trainer.generating.ledger import Ledger
from trainer.generating.pace import Pace, pause_before

WITHIN = 300.0  # seconds for one answer
TRIES = 5
LOOK = 0.25  # seconds between two looks at whether the batch is still wanted
# No other row would fare better: somebody has to mend something first.
_FATAL = (Reason.KEY, Reason.MODEL, Reason.ADDRESS, Reason.CERTIFICATE, Reason.CONNECTION)


class Stopped(Exception):
    """The endpoint cannot be asked; the message says why and what to mend."""


def answer_all(context: JobContext, columns: Columns, books: Books) -> None:
    """Answer every row that waits. Raises Stopped where the endpoint cannot be asked, and Cancelled."""
    [side] = columns.sides
    with read() as s:
        endpoint, reach = endpoints.get_endpoint(s, side.endpoint_id), endpoints.reach(s, side.endpoint_id)
    reach = replace(reach, model=side.model or reach.model)
    context.log(f"{reach.model} at {endpoint.name}, {endpoint.concurrency} at once")
    ledger = Ledger(context.job_id, context.attempt)
    asker = _Asker(context, columns, books, ledger, endpoint)
    try:
        while rows := books.waiting_now(columns):
            asyncio.run(asker.ask_all(rows, reach))
    finally:
        ledger.close()


class _Asker:
    """Asks rows at one endpoint."""

    client: Client

    def __init__(
        self, context: JobContext, columns: Columns, books: Books, ledger: Ledger, endpoint: Endpoint
    ) -> None:
        self._context, self._books, self._ledger, self._endpoint = context, books, ledger, endpoint
        [self._side], [self._position] = columns.sides, columns.positions
        self._pace = Pace(endpoint.requests_per_minute, endpoint.tokens_per_minute)
        self._dice = random.Random()  # only spreads pauses

    async def ask_all(self, rows: list[Comparison], reach: endpoints.Reach) -> None:
        """Raises Cancelled, Stopped, FencedError."""
        self.client = Client(reach, timeout=WITHIN, at_once=self._endpoint.concurrency)
        waiting = iter(rows)
        try:
            async with asyncio.TaskGroup() as group:
                workers = [group.create_task(self._work(waiting)) for _ in range(self._endpoint.concurrency)]
                watch = group.create_task(self._watch())
                await asyncio.gather(*workers)
                watch.cancel()
        except* (Cancelled, Stopped, LookupError) as several:
            raise several.exceptions[0] from None
        finally:
            await self.client.close()

    async def _work(self, waiting: Iterator[Comparison]) -> None:
        for row in waiting:
            answers = {self._position: await self._answer(row)}
            await self._ledger.write(lambda s, row=row, answers=answers: batches.keep(s, row.id, answers))
            self._books.note(answers)

    async def _watch(self) -> None:
        while True:
            self._context.require_wanted()
            await asyncio.sleep(LOOK)

    async def _answer(self, row: Comparison) -> AnswerText:
        spec: CompareSpec = self._context.spec
        asked = Ask(
            comparisons.messages([], 0, system=row.system, instruction=row.instruction, input=row.input),
            max_tokens=spec.max_tokens,
            temperature=spec.temperature,
            key=f"batch-{self._context.job_id}-{row.id}-{self._position}",
            seed=spec.seed,
        )
        try:
            came = await self._completion(asked)
        except Trouble as trouble:
            return AnswerText(self._side, "", "cancelled", provenance={"refused": trouble.sentence})
        tokens = came.tokens_out or 0
        return AnswerText(
            self._side,
            came.text,
            "length" if came.finish_reason == "length" else "stop",
            tokens=tokens,
            tokens_per_second=round(tokens / came.seconds, 2) if came.seconds else 0.0,
            provenance={
                "endpoint": {
                    "id": self._endpoint.id,
                    "name": self._endpoint.name,
                    "model": self.client.reach.model,
                },
                "sampling": asdict(spec.sampling),
                "seconds": round(came.seconds, 3),
            },
        )

    async def _completion(self, asked: Ask) -> Completion:
        """Raises Trouble where this row gets no answer, Stopped where none would."""
        tokens = sum(len(message["content"]) // 3 for message in asked.messages) + asked.max_tokens
        for tried in range(1, TRIES + 1):
            await asyncio.sleep(self._pace.take(tokens, time.monotonic()))
            try:
                came = await self.client.ask(asked)
            except Trouble as trouble:
                if trouble.passes and tried < TRIES:
                    seconds = pause_before(tried, trouble.wait, self._dice)
                    if trouble.reason is Reason.BUSY:
                        self._pace.hold(seconds, time.monotonic())
                    await asyncio.sleep(seconds)
                    continue
                if trouble.reason in _FATAL or trouble.passes:
                    raise Stopped(trouble.sentence) from None
                raise
            used = (came.tokens_in or 0) + (came.tokens_out or 0)
            self._pace.settle(tokens, used or tokens, time.monotonic())
            return came
        raise AssertionError("unreachable")
