"""Answers of models behind endpoints, asked in parallel and read as they come.

Speaks the events of the model server, so that whoever shows the answers need not know where one came from.
"""

import asyncio
import queue
import threading
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field

from db.compare_spec import Sampling
from db.endpoints import Reach

ANSWER_WITHIN = 300.0  # seconds for a whole answer


@dataclass(frozen=True)
class EndpointAsk:
    """What one column's model is asked."""

    position: int
    reach: Reach
    endpoint_id: int
    name: str  # of the endpoint
    messages: tuple[dict[str, str], ...] = field(repr=False)
    sampling: Sampling

    def provenance(self) -> dict:
        """All that can be known of a model that others serve."""
        return {
            "endpoint": {"id": self.endpoint_id, "name": self.name, "model": self.reach.model},
            "sampling": asdict(self.sampling),
        }


class EndpointStream:
    """Several models asked at once. Puts delta, done, problem and, last, end into `events`.

    A column whose endpoint fails gets {"type": "problem", "position", "message"}: the others go on.
    """

    def __init__(self, asked: Sequence[EndpointAsk], events: queue.SimpleQueue) -> None:
        self._asked, self._events = asked, events
        self._tasks: dict[int, asyncio.Task] = {}
        self._stopped: set[int] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._lock = threading.Lock()
        threading.Thread(target=self._run, name="endpoint-stream", daemon=True).start()

    def stop(self, position: int | None = None) -> None:
        """End one column or all: the connection is closed, and a server that streams ends the answer."""
        wanted = {one.position for one in self._asked} if position is None else {position}
        with self._lock:
            self._stopped |= wanted
            tasks = [task for at, task in self._tasks.items() if at in wanted]
            if self._loop is not None:
                for task in tasks:
                    self._loop.call_soon_threadsafe(task.cancel)

    def close(self) -> None:
        """Leave: whatever still runs is stopped, and nobody hears of it."""
        self.stop()

    def _run(self) -> None:
        try:
            asyncio.run(self._ask_all())
        finally:
            self._events.put({"type": "end"})

    async def _ask_all(self) -> None:
        with self._lock:
            self._loop = asyncio.get_running_loop()
            self._tasks = {
                one.position: self._loop.create_task(self._ask(one))
                for one in self._asked
                if one.position not in self._stopped
            }
        for one in self._asked:
            if one.position not in self._tasks:
                self._events.put(_done(one, _Told()))
        await asyncio.gather(*self._tasks.values())
        with self._lock:
            self._loop = None

    async def _ask(self, one: EndpointAsk) -> None:
        # Loads the openai package, which takes a second: not before someone asks an endpoint.
        from db.asking.client import Ask, Client
        from db.asking.troubles import Trouble

        told, client = _Told(), Client(one.reach, timeout=ANSWER_WITHIN)
        asked = Ask(
            list(one.messages),
            max_tokens=one.sampling.max_tokens,
            temperature=one.sampling.temperature,
            seed=one.sampling.seed,
        )
        try:
            async for piece in client.stream(asked):
                if isinstance(piece, str):
                    told.hear()
                    self._events.put({"type": "delta", "position": one.position, "text": piece})
                else:
                    told.end(piece.finish_reason, piece.tokens_out)
            self._events.put(_done(one, told))
        except asyncio.CancelledError:
            self._events.put(_done(one, told))
        except Trouble as trouble:
            said = _plainly(trouble.sentence)
            self._events.put({"type": "problem", "position": one.position, "message": said})
        finally:
            await client.close()


@dataclass
class _Told:
    """What has been heard of an answer."""

    began: float = field(default_factory=time.perf_counter)
    first: float | None = None
    pieces: int = 0
    finish_reason: str = "cancelled"
    tokens: int | None = None

    def hear(self) -> None:
        if self.first is None:
            self.first = time.perf_counter() - self.began
        self.pieces += 1

    def end(self, finish_reason: str, tokens: int | None) -> None:
        self.finish_reason = "length" if finish_reason == "length" else "stop"
        self.tokens = tokens


def _done(one: EndpointAsk, told: _Told) -> dict:
    """Where the endpoint counts no tokens its pieces stand for them: most send one a piece."""
    tokens = told.pieces if told.tokens is None else told.tokens
    answering = time.perf_counter() - told.began - (told.first or 0.0)
    return {
        "type": "done",
        "position": one.position,
        "finish_reason": told.finish_reason,
        "tokens": tokens,
        "tokens_per_second": (tokens - 1) / answering if tokens > 1 and answering > 0 else 0.0,
        "first_token_seconds": told.first,
        "provenance": one.provenance(),
    }


def _plainly(sentence: str) -> str:
    """Without the field in front: it is told beneath the column it is about."""
    field, colon, rest = sentence.partition(": ")
    said = rest if colon and field.islower() and len(field) < 20 else sentence
    return said[:1].upper() + said[1:]
