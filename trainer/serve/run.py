"""One request on its way through the engine: what is asked, what came out so far, who wants it stopped."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field

from trainer.serve.asked import Asked

PAUSE = 0.05  # seconds between two lists of events: a page that is told more often only gets slower


@dataclass(frozen=True)
class Ahead:
    """So many requests are still before this one; told when it moves up."""

    ahead: int


@dataclass(frozen=True)
class Delta:
    """New text of the side at `position`."""

    position: int
    text: str


@dataclass(frozen=True)
class Done:
    """One side has ended. `first_token_seconds` counts from the request's arrival, None without a token;
    `tokens_per_second` from when its turn came."""

    position: int
    finish_reason: str  # stop, length or cancelled
    tokens: int
    tokens_per_second: float
    first_token_seconds: float | None
    provenance: dict = field(default_factory=dict)


@dataclass(frozen=True)
class Failed:
    """No answer will come. `field` None means that nothing asked is at fault."""

    field: str | None
    message: str
    status: int = 400  # as HTTP tells it, where that is still to be told


@dataclass(frozen=True)
class End:
    """Always the last event."""


Event = Ahead | Delta | Done | Failed | End


class Run:
    """Made on the event loop; the generation thread calls `emit`, everybody may call `stop`."""

    def __init__(self, id: str, asked: Asked, *, arrived: float, tells_place: bool = False) -> None:
        self.id, self.asked = id, asked
        self.arrived = arrived  # on time.monotonic()'s clock
        self.tells_place = tells_place  # somebody wants to know how it moves up
        self.ahead = 0  # as told last
        self.refusal: Failed | None = None  # why it is turned away before its turn
        self._stopped: set[int] = set()
        self._loop = asyncio.get_running_loop()
        self._events: asyncio.Queue[Event] = asyncio.Queue()

    def stop(self, position: int | None = None) -> None:
        """End one side, or all of them, at the next token."""
        self._stopped.update(range(self.asked.rows) if position is None else (position,))

    @property
    def is_over(self) -> bool:
        """True when nobody wants any side of it."""
        return self._stopped.issuperset(range(self.asked.rows))

    def is_stopped(self, position: int) -> bool:
        return position in self._stopped

    def emit(self, events: Iterable[Event]) -> None:
        """They are read together: what a step brings all sides arrives at once."""
        self._loop.call_soon_threadsafe(self._put, list(events))

    def _put(self, events: list[Event]) -> None:
        for event in events:
            self._events.put_nowait(event)

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
    """Join each side's deltas, and put them between the rest: no side says anything before its turn came or
    after its Done. Of several places in the queue the last is told."""
    texts: dict[int, str] = {}
    places: list[Event] = []
    others: list[Event] = []
    for event in events:
        match event:
            case Delta():
                texts[event.position] = texts.get(event.position, "") + event.text
            case Ahead():
                places = [event]
            case _:
                others.append(event)
    return [*places, *(Delta(position, text) for position, text in texts.items()), *others]
