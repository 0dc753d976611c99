"""The routes of the model server. Handlers read, look up, ask the engine and answer; none knows torch."""

import asyncio
import hmac
import json
import secrets
import time
from collections.abc import Callable, Collection, Sequence

from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from db.compare_spec import Sampling
from trainer.prompts import Message
from trainer.serve import bodies, catalog, comparing, completions, events
from trainer.serve.asked import Asked
from trainer.serve.catalog import Target
from trainer.serve.engine import Engine
from trainer.serve.places import Place
from trainer.serve.refusals import Refusal, refusing
from trainer.serve.run import Run

_LARGEST_BODY = 4 << 20  # bytes; far above any context
_CLIENT_LEFT = 499  # nginx's number for it; nobody reads it


def create_app(
    engine: Engine, *, tokens: Collection[str], place: Place = Place(), lifespan: Callable | None = None
) -> Starlette:
    """The ASGI application. One of `tokens` is asked of every request but GET /health."""
    app = Starlette(
        routes=[
            Route("/health", health),
            Route("/v1/models", models),
            Route("/v1/models/{name:path}", model),
            Route("/v1/chat/completions", chat, methods=["POST"]),
            Route("/v1/compare", compare, methods=["POST"]),
            Route("/v1/compare/{request_id}/stop", stop, methods=["POST"]),
            Route("/v1/adapters/{adapter_id:int}/unload", unload, methods=["POST"]),
        ],
        exception_handlers={Refusal: _refused},
        lifespan=lifespan,
    )
    app.add_middleware(Gate, engine=engine, tokens=tokens)
    app.state.engine, app.state.place = engine, place
    return app


class Gate:
    """Lets in who bears a token, and notes that somebody came."""

    def __init__(self, app, *, engine: Engine, tokens: Collection[str]) -> None:
        self._app, self._engine = app, engine
        self._expected = [f"Bearer {token}".encode() for token in tokens]

    async def __call__(self, scope, receive, send) -> None:
        if scope["type"] == "http" and scope["path"] != "/health":
            given = Headers(scope=scope).get("authorization", "").encode()
            known = [hmac.compare_digest(given, expected) for expected in self._expected]  # all: same time
            if not any(known):
                refusal = Refusal("Send the model server's token as a bearer token.", status=401)
                return await JSONResponse(refusal.to_json(), 401)(scope, receive, send)
            self._engine.touch()
        await self._app(scope, receive, send)


async def health(request: Request) -> Response:
    engine, place = request.app.state.engine, request.app.state.place
    told = {"loaded": engine.loaded, "queue": engine.queue_length, "device": place.device}
    return JSONResponse({"status": "leaving" if engine.leaving else "ok", **told})


async def models(request: Request) -> Response:
    names = await asyncio.to_thread(catalog.list_names)
    return JSONResponse({"object": "list", "data": [_model(*each) for each in names]})


async def model(request: Request) -> Response:
    name = request.path_params["name"]
    names = dict(await asyncio.to_thread(catalog.list_names))
    if name not in names:
        raise Refusal(
            f"There is no model named {name}; GET /v1/models lists them.", param="model", status=404
        )
    return JSONResponse(_model(name, names[name]))


def _model(name: str, created: int) -> dict:
    return {"id": name, "object": "model", "created": created, "owned_by": "studio"}


async def chat(request: Request) -> Response:
    engine, arrived = request.app.state.engine, time.monotonic()
    body = bodies.read_chat(await _json(request))
    sampling = Sampling(body.max_tokens or 1, body.temperature, body.seed)
    with refusing(missing="model"):
        target = await asyncio.to_thread(catalog.find_model, body.model)
        asked = await _prepare(request, [target], [body.messages], sampling, fill=body.max_tokens is None)
    _require_open(engine)
    run = Run(f"chatcmpl-{secrets.token_hex(12)}", asked, arrived=arrived)
    engine.submit(run)
    return await (_streamed(request, run, body) if body.stream else _whole(request, run))


async def _whole(request: Request, run: Run) -> Response:
    completion = await completions.collect(request, run)
    return JSONResponse(completion) if completion else _abandon(request, run)


async def _streamed(request: Request, run: Run, body: bodies.ChatBody) -> Response:
    """Begins with the first token, so that a model that cannot be loaded is still an HTTP error."""
    batches = run.batches()
    first = await events.next_batch(request, batches)
    if first is None:
        return _abandon(request, run)
    completions.raise_failure(first)
    lines = completions.lines(run, first, batches, include_usage=body.include_usage)
    return events.RunResponse(request.app.state.engine, run, lines)


def _abandon(request: Request, run: Run) -> Response:
    request.app.state.engine.abandon(run)
    return Response(status_code=_CLIENT_LEFT)


async def compare(request: Request) -> Response:
    engine, arrived = request.app.state.engine, time.monotonic()
    body = bodies.read_compare(await _json(request))
    with refusing(missing="sides"):
        targets = await asyncio.to_thread(catalog.find_sides, body.sides)
        asked = await _prepare(request, targets, body.messages, body.sampling)
    _require_open(engine)
    run = Run(body.request_id, asked, arrived=arrived, tells_place=True)
    loading = not engine.holds(asked)
    with refusing(status=409):
        queue = engine.submit(run)
    return events.RunResponse(engine, run, comparing.lines(run, queue=queue, loading=loading))


async def stop(request: Request) -> Response:
    """{"running": false} when it is over, or still on its way here: then it stops as it arrives."""
    position = bodies.read_position(await _json(request))
    running = request.app.state.engine.stop(request.path_params["request_id"], position)
    return JSONResponse({"running": running})


async def unload(request: Request) -> Response:
    """An adapter that was removed leaves the memory as soon as the answers before this are through."""
    request.app.state.engine.unload(request.path_params["adapter_id"])
    return JSONResponse({"unloads": True}, 202)


def _require_open(engine: Engine) -> None:
    if engine.leaving:
        raise Refusal(engine.leaving, status=503)


async def _prepare(
    request: Request,
    targets: Sequence[Target],
    messages: Sequence[Sequence[Message]],
    sampling: Sampling,
    *,
    fill: bool = False,
) -> Asked:
    """`prompting.prepare` beside the event loop."""
    engine, place = request.app.state.engine, request.app.state.place

    def work() -> Asked:
        place.require_fits(targets[0].base)
        engine.wait_until_warm()
        from trainer.serve.prompting import prepare

        return prepare(targets, messages, sampling, fill=fill)

    return await asyncio.to_thread(work)


async def _json(request: Request) -> dict:
    if int(request.headers.get("content-length", 0)) > _LARGEST_BODY:
        raise Refusal(f"At most {_LARGEST_BODY >> 20} MiB can be read; send less.", status=413)
    try:
        body = json.loads(await request.body())
    except ValueError as error:
        raise Refusal("The body is no valid JSON.") from error
    if not isinstance(body, dict):
        raise Refusal("Send a JSON object.")
    return body


async def _refused(_request: Request, error: Exception) -> Response:
    assert isinstance(error, Refusal)
    return JSONResponse(error.to_json(), error.status)
