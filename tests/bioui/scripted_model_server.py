"""A model server of our own: it speaks the studio's protocol and answers from a script, without weights.

Run as a module it stands in for `python -m trainer serve` where starting is tested; elsewhere it is a thread.
"""

import asyncio
import json
import sys
import threading
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, StreamingResponse
from starlette.routing import Route

from db import processes
from db.enums import ProcessRole
from db.session import connect, write
from db.settings import from_environment

TOKEN = "scripted"


def provenance(side: str) -> dict:
    """As the real server tells it of the `base` side, or of a `tuned` one."""
    return {
        "base": {"name": "tiny", "revision": "b" * 64},
        "adapter": {"id": 1, "name": "copier", "hash": "a" * 64, "changed_since_tuning": []}
        if side == "tuned"
        else None,
        "template_hash": "c" * 64,
        "dtype": "float32",
        "device": "cpu",
        "batch": {"rows": 2, "prompt_tokens": 9, "passes": "one"},
        "sampling": {"max_tokens": 200, "temperature": 0.0, "seed": 0},
        "packages": {"python": "3.11", "torch": "2.13.0"},
    }


@dataclass
class Script:
    """What the server will say, and what it was asked. `pause` is the time between two words, in seconds.

    A base says what `answers` holds under "base", every other side what stands under "tuned".
    """

    answers: dict[str, str] = field(default_factory=lambda: {"base": "I do not know.", "tuned": "It is red."})
    pause: float = 0.0
    refusal: dict | None = None  # {"message", "param"}: every comparison is refused with 400
    failure: dict | None = None  # {"message", "field"}: every comparison breaks after its first word
    hangs_up: bool = False  # the connection ends after the first word
    queue: int = 0
    loading: bool = False
    asked: list[dict] = field(default_factory=list)
    stops: list[dict] = field(default_factory=list)
    left: threading.Event = field(default_factory=threading.Event)  # set once a client left a stream early


class ScriptedModelServer:
    """The app in a thread of this process, entered in the table of processes while it is up."""

    def __init__(self, script: Script) -> None:
        self.script = script
        config = uvicorn.Config(create_app(script), host="127.0.0.1", port=0, log_level="warning")
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, daemon=True)

    def __enter__(self) -> "ScriptedModelServer":
        self._thread.start()
        while not self._server.started:
            threading.Event().wait(0.01)
        with write() as session:
            self._id = processes.register(
                session, ProcessRole.MODEL_SERVER, address=self.address, token=TOKEN
            ).id
        return self

    def __exit__(self, *_) -> None:
        with write() as session:
            processes.sign_off(session, self._id)
        self._server.should_exit = self._server.force_exit = True
        self._thread.join(timeout=10)

    @property
    def address(self) -> str:
        host, port = self._server.servers[0].sockets[0].getsockname()
        return f"http://{host}:{port}"


def create_app(script: Script) -> Starlette:
    stopped: dict[str, set[int]] = {}

    async def compare(request: Request):
        if request.headers.get("authorization") != f"Bearer {TOKEN}":
            return JSONResponse({"error": {"message": "no token", "param": None}}, status_code=401)
        asked = await request.json()
        script.asked.append(asked)
        if script.refusal:
            return JSONResponse({"error": script.refusal}, status_code=400)
        stopped[asked["request_id"]] = set()
        kinds = ["base" if "base_model_id" in side else "tuned" for side in asked["sides"]]
        events = _events(script, kinds, stopped[asked["request_id"]])
        return StreamingResponse(events, media_type="text/event-stream")

    async def stop(request: Request):
        position = (await request.json())["position"]
        request_id = request.path_params["request_id"]
        script.stops.append({"request_id": request_id, "position": position})
        stopped.get(request_id, set()).update(range(6) if position is None else {position})
        return JSONResponse({"running": request_id in stopped})

    return Starlette(
        routes=[
            Route("/v1/compare", compare, methods=["POST"]),
            Route("/v1/compare/{request_id}/stop", stop, methods=["POST"]),
        ]
    )


async def _events(script: Script, kinds: list[str], stopped: set[int]) -> AsyncIterator[str]:
    """start, the words of all sides by turns, done of each, end."""
    try:
        yield _line({"type": "start", "queue": script.queue, "loading": script.loading, "passes": "one"})
        for ahead in reversed(range(script.queue)):
            yield _line({"type": "queue", "ahead": ahead})
        words = [script.answers[kind].split(" ") for kind in kinds]
        said = [0] * len(kinds)
        open_sides = list(range(len(kinds)))
        while open_sides:
            for side in list(open_sides):
                ended = "cancelled" if side in stopped else "stop" if said[side] == len(words[side]) else ""
                if ended:
                    open_sides.remove(side)
                    yield _line(_done(side, kinds[side], ended, said[side]))
                    continue
                text = words[side][said[side]]
                said[side] += 1
                text = text if said[side] == 1 else f" {text}"
                yield _line({"type": "delta", "position": side, "text": text})
            if script.failure:
                yield _line({"type": "error", **script.failure})
                return
            if script.hangs_up:
                return
            await asyncio.sleep(script.pause)
        yield _line({"type": "end"})
    except asyncio.CancelledError:
        script.left.set()
        raise


def _done(position: int, kind: str, finish_reason: str, tokens: int) -> dict:
    return {
        "type": "done",
        "position": position,
        "finish_reason": finish_reason,
        "tokens": tokens,
        "tokens_per_second": 41.5,
        "first_token_seconds": 0.31 if tokens else None,
        "provenance": provenance(kind),
    }


def _line(event: dict) -> str:
    return f"data: {json.dumps(event)}\n\n"


def main() -> None:
    """Stand in for the real server: listen, register, serve. With `fail` as argument, die as Python does."""
    connect(from_environment().url)
    if sys.argv[1:] == ["fail"]:
        raise OSError("no such weights")
    with ScriptedModelServer(Script()):
        threading.Event().wait(60)


if __name__ == "__main__":
    main()
