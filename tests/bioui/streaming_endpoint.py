"""An endpoint that streams, as vLLM with --enable-lora does: several models of one server, by their names."""

import asyncio
import json
import threading
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, StreamingResponse
from starlette.routing import Route


@dataclass
class StreamingEndpoint:
    """What each model says, word by word, `pause` seconds apart; an unknown name gets 404."""

    answers: dict[str, str]
    pause: float = 0.0
    hold: threading.Event | None = None  # after its first word each answer waits for it
    counts: bool = True  # tells how many tokens it took
    asked: list[dict] = field(default_factory=list)
    left: threading.Event = field(default_factory=threading.Event)  # set once a client left early

    def __enter__(self) -> "StreamingEndpoint":
        app = Starlette(routes=[Route("/v1/chat/completions", self._complete, methods=["POST"])])
        self._server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="error"))
        self._thread = threading.Thread(target=self._server.run, daemon=True)
        self._thread.start()
        while not self._server.started:
            threading.Event().wait(0.01)
        return self

    def __exit__(self, *_) -> None:
        self._server.should_exit = self._server.force_exit = True
        self._thread.join(timeout=10)

    @property
    def url(self) -> str:
        host, port = self._server.servers[0].sockets[0].getsockname()
        return f"http://{host}:{port}/v1"

    async def _complete(self, request: Request):
        body = await request.json()
        self.asked.append(body)
        if body["model"] not in self.answers:
            return JSONResponse({"error": {"message": "no such model"}}, status_code=404)
        return StreamingResponse(self._chunks(body), media_type="text/event-stream")

    async def _chunks(self, body: dict) -> AsyncIterator[str]:
        words = self.answers[body["model"]].split(" ")
        try:
            for number, word in enumerate(words):
                yield _line(body, delta={"content": word if number == 0 else f" {word}"})
                await asyncio.sleep(self.pause)
                while self.hold is not None and not self.hold.is_set():
                    await asyncio.sleep(0.01)
            yield _line(body, delta={}, finish_reason="stop")
            if self.counts:
                total = {"prompt_tokens": 7, "completion_tokens": len(words), "total_tokens": 7 + len(words)}
                yield _line(body, usage=total)
            yield "data: [DONE]\n\n"
        except asyncio.CancelledError:
            self.left.set()
            raise


def _line(body: dict, *, delta: dict | None = None, finish_reason: str | None = None, usage=None) -> str:
    choices = [] if delta is None else [{"index": 0, "delta": delta, "finish_reason": finish_reason}]
    chunk = {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": body["model"],
        "choices": choices,
        "usage": usage,
    }
    return f"data: {json.dumps(chunk)}\n\n"
