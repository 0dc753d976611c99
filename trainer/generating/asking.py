"""One call from first try to last: asked at the endpoint's pace, tried again where it helps, written down."""

import asyncio
import random
import time
from collections.abc import Callable
from dataclasses import dataclass

from db import generation_calls as calls
from db.asking.client import Client, Completion
from db.asking.troubles import Reason, Trouble
from db.endpoints import price
from db.generating.calls import most_tokens
from db.generation_calls import Answer, Planned
from db.tables import Endpoint
from trainer.generating.budget import Budget
from trainer.generating.ledger import Ledger
from trainer.generating.pace import Pace, pause_before
from trainer.generating.requests import Prepared

IN_A_ROW = 3  # calls given up for one reason stop the run


class Refusals:
    """Counts calls given up in a row for the same reason."""

    def __init__(self) -> None:
        self._reason: Reason | None = None
        self._count = 0

    def note(self, trouble: Trouble) -> bool:
        """Whether it is time to stop."""
        self._count = self._count + 1 if trouble.reason is self._reason else 1
        self._reason = trouble.reason
        return self._count >= IN_A_ROW

    def forget(self) -> None:
        self._reason, self._count = None, 0


@dataclass
class Asked:
    """How a call ended: with an answer or with a trouble. `in_vain`: tries that may have been paid too."""

    prepared: Prepared
    call_id: int
    tries: int = 1
    in_vain: int = 0
    answer: Answer | None = None
    trouble: Trouble | None = None


class Asker:
    """Carries calls out. Set `stopping`, and no call is tried again."""

    def __init__(
        self,
        client: Client,
        endpoint: Endpoint,
        ledger: Ledger,
        budget: Budget,
        *,
        job_id: int,
        tries: int,
    ) -> None:
        self.client, self.endpoint, self.ledger, self.budget = client, endpoint, ledger, budget
        self.pace = Pace(endpoint.requests_per_minute, endpoint.tokens_per_minute)
        self.job_id, self.tries = job_id, tries
        self.stopping = False
        self.resting = 0  # calls between two tries: they take no place at the endpoint
        self._usual_tokens = 0.0  # of a call: a moving mean
        self._dice = random.Random()  # only spreads pauses; what is drawn comes from the run's seed

    async def ask(self, prepared: Prepared) -> Asked:
        """Write it down, and ask until there is an answer or no hope of one: `close` writes how it ended.

        The budget already holds the reserve for one try.
        """
        planned = prepared.planned
        estimate = await self._keep_pace(planned)
        call_id = await self.ledger.write(lambda s: calls.note_asked(s, self.job_id, planned))
        asked = Asked(prepared, call_id)
        while True:
            try:
                completion = await self.client.ask(prepared.ask)
            except Trouble as trouble:
                asked.in_vain += trouble.paid
                if not self._may_retry(asked, trouble):
                    asked.trouble = trouble
                    return asked
                await self._wait(trouble, asked.tries)
                asked.tries += 1
                estimate = await self._keep_pace(planned)
                await self._note(calls.note_retry, asked)
                continue
            asked.answer = answer_of(completion, prepared, self.endpoint)
            self._learn(estimate, asked.answer)
            return asked

    async def close(self, asked: Asked) -> None:
        """Write down how a call ended, and settle what it cost."""
        answer, trouble = asked.answer, asked.trouble
        if answer is not None:
            await self._note(calls.note_answered, asked, answer)
            self._settle(asked, answer.tokens_in + answer.tokens_out, answer.cost, left=1)
        else:
            await self._note(calls.note_failed, asked, trouble.sentence)
            self._settle(asked, 0, 0.0, left=0 if trouble.paid else 1)

    def _may_retry(self, asked: Asked, trouble: Trouble) -> bool:
        if not trouble.passes or asked.tries >= self.tries or self.stopping:
            return False
        planned = asked.prepared.planned
        # The reserve went with the try that was perhaps paid: a further one needs another.
        return not trouble.paid or self.budget.reserve(planned.most_tokens, planned.most_cost)

    def _learn(self, estimate: int, answer: Answer) -> None:
        used = answer.tokens_in + answer.tokens_out
        self.pace.settle(estimate, used, time.monotonic())
        self._usual_tokens = 0.9 * self._usual_tokens + 0.1 * used if self._usual_tokens else used

    async def _keep_pace(self, planned: Planned) -> int:
        """Wait for the endpoint's allowances; the tokens taken from them."""
        tokens = min(planned.most_tokens, round(self._usual_tokens) or planned.most_tokens)
        await asyncio.sleep(self.pace.take(tokens, time.monotonic()))
        return tokens

    async def _wait(self, trouble: Trouble, tries: int) -> None:
        seconds = pause_before(tries, trouble.wait, self._dice)
        if trouble.reason is Reason.BUSY:
            self.pace.hold(seconds, time.monotonic())
        self.resting += 1
        try:
            await asyncio.sleep(seconds)
        finally:
            self.resting -= 1

    async def _note(self, note: Callable[..., None], asked: Asked, *told: object) -> None:
        """Write down what became of a call, with one of the `note_` functions of generation calls."""
        planned, tries, in_vain = asked.prepared.planned, asked.tries, asked.in_vain
        await self.ledger.write(
            lambda s: note(s, asked.call_id, planned, *told, tries=tries, in_vain=in_vain)
        )

    def _settle(self, asked: Asked, tokens: int, cost: float, *, left: int) -> None:
        """`left` of the reserves was not used up by a try in vain."""
        most_tokens, most_cost = asked.prepared.planned.most_tokens, asked.prepared.planned.most_cost
        reserves = asked.in_vain + left
        self.budget.settle(
            reserves * most_tokens,
            reserves * most_cost,
            used_tokens=asked.in_vain * most_tokens + tokens,
            used_cost=asked.in_vain * most_cost + cost,
        )


def answer_of(completion: Completion, prepared: Prepared, endpoint: Endpoint) -> Answer:
    """The reply with what it cost; tokens are estimated, and said to be, where the endpoint tells none."""
    told = completion.tokens_in is not None and completion.tokens_out is not None
    prompt = (message["content"] for message in prepared.ask.messages)
    tokens_in = completion.tokens_in if told else most_tokens(*prompt)
    tokens_out = completion.tokens_out if told else most_tokens(completion.text)
    return Answer(
        reply=completion.text,
        finish_reason=completion.finish_reason,
        tokens_in=tokens_in,
        tokens_out=tokens_out,
        is_estimate=not told,
        cost=price(endpoint, tokens_in, tokens_out),
        seconds=completion.seconds,
    )
