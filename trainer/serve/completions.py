"""POST /v1/chat/completions: one side alone, in OpenAI's shapes, with `provenance` added."""

import time
from collections.abc import AsyncIterator, Iterable

from starlette.requests import Request

from trainer.serve import events
from trainer.serve.refusals import Refusal
from trainer.serve.run import Delta, Done, Event, Failed, Run

# OpenAI knows no stop from outside (the server shuts down); the answer was cut short all the same.
_FINISH = {"stop": "stop", "length": "length", "cancelled": "length"}


async def collect(request: Request, run: Run) -> dict | None:
    """The whole completion. None when the client left. Raises Refusal when no answer comes."""
    batches, text = run.batches(), ""
    while batch := await events.next_batch(request, batches):
        raise_failure(batch)
        text += "".join(event.text for event in batch if isinstance(event, Delta))
        if done := _done_in(batch):
            message = {"role": "assistant", "content": text, "refusal": None}
            choice = {
                "index": 0,
                "message": message,
                "logprobs": None,
                "finish_reason": _FINISH[done.finish_reason],
            }
            head = _head(run, "chat.completion")
            return {**head, "choices": [choice], "usage": _usage(run, done), "provenance": done.provenance}
    return None


async def lines(
    run: Run, first: list[Event], rest: AsyncIterator[list[Event]], *, include_usage: bool
) -> AsyncIterator[str]:
    """Chunks as OpenAI streams them. `first` was awaited before the stream began, so that a model that
    cannot be loaded is still an HTTP error."""
    yield events.line(_chunk(run, {"role": "assistant", "content": ""}))
    async for event in _one_by_one(first, rest):
        for content in _chunks(run, event, include_usage):
            yield events.line(content)
    yield events.line("[DONE]")


def raise_failure(batch: Iterable[Event]) -> None:
    for event in batch:
        if isinstance(event, Failed):
            raise _refusal(event)


async def _one_by_one(first: list[Event], rest: AsyncIterator[list[Event]]) -> AsyncIterator[Event]:
    for event in first:
        yield event
    async for batch in rest:
        for event in batch:
            yield event


def _chunks(run: Run, event: Event, include_usage: bool) -> list[dict]:
    match event:
        case Delta():
            return [_chunk(run, {"content": event.text})]
        case Done():
            last = _chunk(run, {}, _FINISH[event.finish_reason]) | {"provenance": event.provenance}
            usage = {**_head(run, "chat.completion.chunk"), "choices": [], "usage": _usage(run, event)}
            return [last, usage] if include_usage else [last]
        case Failed():
            return [_refusal(event).to_json()]
        case _:
            return []


def _refusal(event: Failed) -> Refusal:
    return Refusal(event.message, param=event.field, status=event.status)


def _chunk(run: Run, delta: dict, finish_reason: str | None = None) -> dict:
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}
    return {**_head(run, "chat.completion.chunk"), "choices": [choice]}


def _head(run: Run, kind: str) -> dict:
    adapter = run.asked.adapters[0]
    model = adapter.name if adapter else run.asked.base.name
    return {"id": run.id, "object": kind, "created": int(time.time()), "model": model}


def _usage(run: Run, done: Done) -> dict:
    prompt = len(run.asked.prompts[0])
    return {"prompt_tokens": prompt, "completion_tokens": done.tokens, "total_tokens": prompt + done.tokens}


def _done_in(batch: Iterable[Event]) -> Done | None:
    return next((event for event in batch if isinstance(event, Done)), None)
