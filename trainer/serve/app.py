"""The routes of the model server. Handlers read, look up, ask the engine and answer; none knows torch."""

import asyncio
import hmac
import json
import secrets
import time
from collections.abc import Callable

from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from db.comparisons import Sampling
from db.enums import Side
from trainer.prompts import Message
from trainer.serve import bodies, catalog, completions, events, pair
from trainer.serve.catalog import Target
from trainer.serve.engine import Engine
from trainer.serve.refusals import Refusal, refusing
from trainer.serve.run import Run

_LARGEST_BODY = 4 << 20  # bytes; far above any context
_CLIENT_LEFT = 499  # nginx's number for it; nobody reads it


def create_app(engine: Engine, *, token: str, lifespan: Callable | None = None) -> Starlette:
    """The ASGI application. `token` is asked of every request but GET /health."""
    app = Starlette(
        routes=[
            Route("/health", health),
            Route("/v1/models", models),
            Route("/v1/chat/completions", chat, methods=["POST"]),
            Route("/v1/pair", pair_answers, methods=["POST"]),
            Route("/v1/pair/{request_id}/stop", stop, methods=["POST"]),
        ],
        exception_handlers={Refusal: _refused},
        lifespan=lifespan,
    )
    app.add_middleware(Gate, engine=engine, token=token)
    app.state.engine = engine
    return app


class Gate:
    """Lets in who bears the token, and notes that somebody came."""

    def __init__(self, app, *, engine: Engine, token: str) -> None:
        self._app, self._engine = app, engine
        self._expected = f"Bearer {token}".encode()

    async def __call__(self, scope, receive, send) -> None:
        if scope["type"] == "http" and scope["path"] != "/health":
            given = Headers(scope=scope).get("authorization", "").encode()
            if not hmac.compare_digest(given, self._expected):
                refusal = Refusal("Send the model server's token as a bearer token.", status=401)
                return await JSONResponse(refusal.to_json(), 401)(scope, receive, send)
            self._engine.touch()
        await self._app(scope, receive, send)


async def health(request: Request) -> Response:
    engine = request.app.state.engine
    return JSONResponse({"status": "ok", "loaded": engine.loaded, "queue": engine.queue_length})


async def models(request: Request) -> Response:
    names = await asyncio.to_thread(catalog.list_names)
    data = [
        {"id": name, "object": "model", "created": created, "owned_by": "studio"} for name, created in names
    ]
    return JSONResponse({"object": "list", "data": data})


async def chat(request: Request) -> Response:
    engine, arrived = request.app.state.engine, time.monotonic()
    body = bodies.read_chat(await _json(request))
    with refusing(missing="model"):
        target = await asyncio.to_thread(catalog.find_model, body.model)
        prompt_ids, max_tokens = await _prepare(engine, target, body.messages, body.max_tokens)
    sampling = Sampling(max_tokens, body.temperature, body.seed)
    side = Side.TUNED if target.adapter else Side.BASE
    run = Run(f"chatcmpl-{secrets.token_hex(12)}", target, prompt_ids, sampling, (side,), arrived=arrived)
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


async def pair_answers(request: Request) -> Response:
    engine, arrived = request.app.state.engine, time.monotonic()
    body = bodies.read_pair(await _json(request))
    with refusing(missing="adapter_id"):
        target = await asyncio.to_thread(catalog.find_adapter, body.adapter_id)
        prompt_ids, _ = await _prepare(engine, target, body.messages, body.sampling.max_tokens)
    run = Run(body.request_id, target, prompt_ids, body.sampling, (Side.BASE, Side.TUNED), arrived=arrived)
    loading = not engine.holds(target)
    with refusing(status=409):
        queue = engine.submit(run)
    return events.RunResponse(engine, run, pair.lines(run, queue=queue, loading=loading))


async def stop(request: Request) -> Response:
    """{"running": false} when it is over, or still on its way here: then it stops as it arrives."""
    side = (await _json(request)).get("side")
    if side not in (None, *Side):
        raise Refusal("Give side as base, tuned or null.", param="side")
    running = request.app.state.engine.stop(
        request.path_params["request_id"], None if side is None else Side(side)
    )
    return JSONResponse({"running": running})


async def _prepare(
    engine: Engine, target: Target, messages: list[Message], max_tokens: int | None
) -> tuple[list[int], int]:
    """`prompting.prepare` beside the event loop."""

    def work() -> tuple[list[int], int]:
        engine.wait_until_warm()
        from trainer.serve.prompting import prepare

        return prepare(target, messages, max_tokens)

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
