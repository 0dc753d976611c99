"""POST /v1/compare: one to six sides beside each other, as events of our own shape."""

from collections.abc import AsyncIterator
from dataclasses import asdict

from trainer.serve import events
from trainer.serve.run import Ahead, Delta, Done, Event, Failed, Run


async def lines(run: Run, *, queue: int, loading: bool) -> AsyncIterator[str]:
    """start, then queue while it moves up, delta and done of each side, or error; then end."""
    start = {"type": "start", "queue": queue, "loading": loading, "passes": run.asked.passes}
    yield events.line(start)
    async for batch in run.batches():
        for event in batch:
            yield events.line(as_json(event))


def as_json(event: Event) -> dict:
    match event:
        case Ahead():
            return {"type": "queue", "ahead": event.ahead}
        case Delta():
            return {"type": "delta", **asdict(event)}
        case Done():
            return {"type": "done", **asdict(event)}
        case Failed():
            return {"type": "error", "field": event.field or "", "message": event.message}
        case _:
            return {"type": "end"}
