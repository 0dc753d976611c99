"""One question to a judge from first try to last: at the endpoint's pace, within the budget, written down."""

import asyncio
import random
import time

from db import judgements
from db.asking.client import Client, Completion
from db.asking.troubles import Reason, Trouble
from db.endpoints import price
from db.judge_spec import JudgeSpec
from db.judgements import Spent
from db.judging.calls import Call
from db.judging.rubrics import Rubric
from db.judging.verdicts import Reply, Unreadable
from db.tables import Endpoint
from trainer.context import JobContext
from trainer.generating.budget import Budget
from trainer.generating.ledger import Ledger
from trainer.generating.pace import Pace, pause_before

# No further call would fare better: somebody has to mend something first.
_FATAL = (Reason.KEY, Reason.MODEL, Reason.ADDRESS, Reason.CERTIFICATE, Reason.CONNECTION)


class Stopped(Exception):
    """The run ends early; the message says why and what to mend."""


class Asker:
    """Carries calls out and stores what they say."""

    client: Client

    def __init__(
        self,
        context: JobContext,
        ledger: Ledger,
        spec: JudgeSpec,
        rubric: Rubric,
        endpoint: Endpoint,
        spent: Spent,
        *,
        total: int,
        done: int,
    ) -> None:
        self.context, self.ledger, self.spec, self.rubric, self.endpoint = (
            context,
            ledger,
            spec,
            rubric,
            endpoint,
        )
        self.budget = Budget(spec, spent.tokens, spent.money, 0.0)
        self.pace = Pace(endpoint.requests_per_minute, endpoint.tokens_per_minute)
        self.total, self.done = total, done
        self._dice = random.Random()  # only spreads pauses

    async def ask(self, call: Call) -> None:
        """Ask until there is a reply or no hope of one. Raises Stopped, FencedError."""
        most = call.prompt_tokens + self.spec.max_tokens
        most_cost = price(self.endpoint, call.prompt_tokens, self.spec.max_tokens)
        if not self.budget.reserve(most, most_cost):
            raise Stopped(self.budget.explain(most, most_cost))
        completion, trouble = await self._completion(call, most)
        used = _used(completion, call)
        self.budget.settle(most, most_cost, used_tokens=sum(used), used_cost=price(self.endpoint, *used))
        await self._record(call, completion, trouble, used)

    async def _completion(self, call: Call, tokens: int) -> tuple[Completion | None, Trouble | None]:
        tries = 0
        while True:
            await asyncio.sleep(self.pace.take(tokens, time.monotonic()))
            tries += 1
            try:
                completion = await self.client.ask(call.ask)
            except Trouble as trouble:
                if trouble.passes and tries < self.spec.tries:
                    seconds = pause_before(tries, trouble.wait, self._dice)
                    if trouble.reason is Reason.BUSY:
                        self.pace.hold(seconds, time.monotonic())
                    await asyncio.sleep(seconds)
                    continue
                if trouble.reason in _FATAL or trouble.passes:
                    raise Stopped(trouble.sentence) from None
                return None, trouble
            self.pace.settle(tokens, sum(_used(completion, call)), time.monotonic())
            return completion, None

    async def _record(
        self, call: Call, completion: Completion | None, trouble: Trouble | None, used: tuple[int, int]
    ) -> None:
        reply, error = self._read(call, completion, trouble)
        await self.ledger.write(
            lambda s: judgements.record(
                s,
                self.context.job_id,
                self.context.attempt,
                call.position,
                call.order,
                reply=reply,
                error=error,
                prompt_tokens=used[0],
                completion_tokens=used[1],
            )
        )
        self.done += 1
        self.context.progress("judging", self.done, self.total)

    def _read(
        self, call: Call, completion: Completion | None, trouble: Trouble | None
    ) -> tuple[Reply | None, str]:
        if completion is None:
            return None, trouble.sentence
        try:
            return call.read(completion.text, self.rubric), ""
        except Unreadable as unreadable:
            return None, str(unreadable)


def _used(completion: Completion | None, call: Call) -> tuple[int, int]:
    """Tokens in and out; estimated from above where the endpoint tells none."""
    if completion is None:
        return 0, 0
    tokens_in, tokens_out = completion.tokens_in, completion.tokens_out
    return (
        call.prompt_tokens if tokens_in is None else tokens_in,
        len(completion.text.encode()) if tokens_out is None else tokens_out,
    )
