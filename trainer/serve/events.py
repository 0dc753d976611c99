"""Server-sent events: how a run leaves as a stream, and that it stops when nobody listens any more."""

import asyncio
import json
from collections.abc import AsyncIterator

from starlette.requests import Request
from starlette.responses import StreamingResponse

from trainer.serve.engine import Engine
from trainer.serve.run import Event, Run

_LOOK = 0.2  # seconds between two looks whether the client is still there


class RunResponse(StreamingResponse):
    """An event stream of a run. However it ends, the client's leaving included, the run is stopped."""

    def __init__(self, engine: Engine, run: Run, lines: AsyncIterator[str]) -> None:
        super().__init__(lines, media_type="text/event-stream", headers={"Cache-Control": "no-store"})
        self._engine, self._run = engine, run

    async def __call__(self, scope, receive, send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._engine.abandon(self._run)


def line(content: dict | str) -> str:
    """One event. Text passes for itself: OpenAI ends its streams with the bare word [DONE].

    In ASCII: readers that split lines by Unicode's rules, as httpx does, cut an event at a U+2028 or U+0085.
    """
    return f"data: {content if isinstance(content, str) else json.dumps(content)}\n\n"


async def next_batch(request: Request, batches: AsyncIterator[list[Event]]) -> list[Event] | None:
    """The next list of events, or None once the client is gone or nothing more comes.

    Starlette watches the connection only while it streams; before and without a stream we look ourselves.
    """
    coming = asyncio.ensure_future(anext(batches, None))
    while not coming.done():
        await asyncio.wait([coming], timeout=_LOOK)
        if not coming.done() and await request.is_disconnected():
            coming.cancel()
            return None
    return coming.result()
