"""One comparison through the model: a row a side, told token by token, or read as a whole by a batch job."""

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from trainer.serve import rows
from trainer.serve.asked import Asked
from trainer.serve.decode import Alternating, Forward, Together, decode
from trainer.serve.detokenize import Detokenizer
from trainer.serve.holding import Held, row_name
from trainer.serve.provenance import describe
from trainer.serve.run import Delta, Done, Event
from trainer.serve.sampling import Dice

logger = logging.getLogger(__name__)

Emit = Callable[[Sequence[Event]], None]


@dataclass(frozen=True)
class Answered:
    """A side's whole answer."""

    text: str
    done: Done


def answer(
    held: Held, asked: Asked, emit: Emit, *, is_stopped: Callable[[int], bool], arrived: float
) -> None:
    """Tell `emit` what each step brought, all sides at once. `held` holds what is asked (`Held.use`).

    `is_stopped(position)` is asked before each token; `arrived` is on time.monotonic()'s clock.
    """
    speakers = [_Speaker(held, asked, row, arrived) for row in range(asked.rows)]
    with _forward(held, asked) as forward:
        steps = decode(
            forward,
            asked.rows,
            Dice(asked.sampling.temperature, asked.sampling.seed),
            max_tokens=asked.sampling.max_tokens,
            end_ids=held.end_ids,
            is_stopped=is_stopped,
        )
        for step in steps:
            events: list[Event] = []
            for row, token, finish_reason in step:
                if token is not None:
                    events += speakers[row].say(token)
                if finish_reason:
                    events += speakers[row].end(finish_reason)
            if events:
                emit(events)


def answers(
    held: Held, asked: Asked, *, is_stopped: Callable[[int], bool] = lambda _position: False
) -> list[Answered]:
    """Every side's whole answer, by the very decode that the server streams from."""
    texts, ends = [""] * asked.rows, {}

    def note(events: Sequence[Event]) -> None:
        for event in events:
            if isinstance(event, Delta):
                texts[event.position] += event.text
            elif isinstance(event, Done):
                ends[event.position] = event

    held.use(*(adapter for adapter in asked.adapters if adapter))
    answer(held, asked, note, is_stopped=is_stopped, arrived=time.monotonic())
    return [Answered(text, ends[row]) for row, text in enumerate(texts)]


@contextmanager
def _forward(held: Held, asked: Asked) -> Iterator[Forward]:
    names = [row_name(adapter) for adapter in asked.adapters]
    if asked.passes == "one":
        with rows.assigned(held.model, names) as only:
            yield Together(held.model, asked.prompts[0], asked.rows, only=only, cores=held.spare_cores)
    else:
        with rows.in_turn(held.model) as switch:
            yield Alternating(held.model, asked.prompts, lambda row: switch(names[row]))


class _Speaker:
    """One side's answer in the making."""

    def __init__(self, held: Held, asked: Asked, row: int, arrived: float) -> None:
        self._held, self._asked, self._row, self._arrived = held, asked, row, arrived
        self._detokenizer = Detokenizer(held.tokenizer)
        self._begun = time.monotonic()
        self._first: float | None = None  # when the first token came
        self._tokens = 0

    def say(self, token: int) -> list[Event]:
        self._first = self._first or time.monotonic()
        self._tokens += 1
        return self._deltas(self._detokenizer.add(token))

    def end(self, finish_reason: str) -> list[Event]:
        seconds = time.monotonic() - self._begun
        logger.info("row %d: %d tokens in %.2f s, %s", self._row, self._tokens, seconds, finish_reason)
        done = Done(
            position=self._row,
            finish_reason=finish_reason,
            tokens=self._tokens,
            tokens_per_second=round(self._tokens / seconds, 2) if seconds else 0.0,
            first_token_seconds=round(self._first - self._arrived, 4) if self._first else None,
            provenance=describe(self._held, self._asked, self._row),
        )
        return [*self._deltas(self._detokenizer.flush()), done]

    def _deltas(self, text: str) -> list[Event]:
        return [Delta(self._row, text)] if text else []
