"""POST /v1/pair: base and tuned side by side, as events of our own shape."""

from collections.abc import AsyncIterator
from dataclasses import asdict

from trainer.serve import events
from trainer.serve.run import Delta, Done, Event, Failed, Run


async def lines(run: Run, *, queue: int, loading: bool) -> AsyncIterator[str]:
    """start, then delta and done of both sides, or error; then end."""
    yield events.line({"type": "start", "queue": queue, "loading": loading})
    async for batch in run.batches():
        for event in batch:
            yield events.line(as_json(event))


def as_json(event: Event) -> dict:
    match event:
        case Delta():
            return {"type": "delta", **asdict(event)}
        case Done():
            return {"type": "done", **asdict(event)}
        case Failed():
            return {"type": "error", "field": event.field or "", "message": event.message}
        case _:
            return {"type": "end"}
