"""One request on its way through the engine: what is asked, what came out so far, who wants it stopped."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field

from db.comparisons import Sampling
from db.enums import Side
from trainer.serve.catalog import Target

PAUSE = 0.05  # seconds between two lists of events: a page that is told more often only gets slower


@dataclass(frozen=True)
class Delta:
    """New text on one side."""

    side: Side
    text: str


@dataclass(frozen=True)
class Done:
    """One side has ended. `first_token_seconds` counts from the request's arrival, None without a token;
    `tokens_per_second` from when its turn came."""

    side: Side
    finish_reason: str  # stop, length or cancelled
    tokens: int
    tokens_per_second: float
    first_token_seconds: float | None
    provenance: dict = field(default_factory=dict)


@dataclass(frozen=True)
class Failed:
    """No answer will come. `field` None means the fault is the server's."""

    field: str | None
    message: str


@dataclass(frozen=True)
class End:
    """Always the last event."""


Event = Delta | Done | Failed | End


class Run:
    """Made on the event loop; the generation thread calls `emit`, everybody may call `stop`."""

    def __init__(
        self,
        id: str,
        target: Target,
        prompt_ids: list[int],
        sampling: Sampling,
        sides: tuple[Side, ...],
        *,
        arrived: float,
    ) -> None:
        self.id, self.target, self.prompt_ids = id, target, prompt_ids
        self.sampling, self.sides = sampling, sides
        self.arrived = arrived  # on time.monotonic()'s clock
        self._stopped: set[Side] = set()
        self._loop = asyncio.get_running_loop()
        self._events: asyncio.Queue[Event] = asyncio.Queue()

    def stop(self, side: Side | None = None) -> None:
        """End one side, or all of them, at the next token."""
        self._stopped.update(self.sides if side is None else (side,))

    @property
    def is_over(self) -> bool:
        """True when nobody wants any side of it."""
        return self._stopped.issuperset(self.sides)

    def is_stopped(self, side: Side) -> bool:
        return side in self._stopped

    def emit(self, event: Event) -> None:
        self._loop.call_soon_threadsafe(self._events.put_nowait, event)

    async def batches(self) -> AsyncIterator[list[Event]]:
        """The events as they come, a side's deltas as one, a list at most every PAUSE seconds."""
        while True:
            events = [await self._events.get()]
            while not self._events.empty():
                events.append(self._events.get_nowait())
            yield merge(events)
            if End() in events:
                return
            await asyncio.sleep(PAUSE)


def merge(events: Iterable[Event]) -> list[Event]:
    """Join each side's deltas, and put them first: a side says nothing after its Done."""
    texts: dict[Side, str] = {}
    others: list[Event] = []
    for event in events:
        if isinstance(event, Delta):
            texts[event.side] = texts.get(event.side, "") + event.text
        else:
            others.append(event)
    return [*(Delta(side, text) for side, text in texts.items()), *others]
