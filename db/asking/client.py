"""One completion from an endpoint, by the `openai` package, and the test behind a page's button."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, replace
from typing import Any

import httpx2
import openai

from db.asking.transport import CheckedTransport
from db.asking.troubles import Reason, Trouble, trouble_of
from db.endpoints import Reach

TEST_WITHIN = 30.0  # seconds
_TEST_SCHEMA = {
    "type": "object",
    "properties": {"ready": {"type": "boolean"}},
    "required": ["ready"],
    "additionalProperties": False,
}
_TEST_MESSAGES = [{"role": "user", "content": 'Reply with this JSON and nothing else: {"ready": true}'}]


@dataclass(frozen=True)
class Ask:
    """What is asked. `messages` are {"role", "content"}; `schema` is the JSON schema of the reply, if any."""

    messages: list[dict[str, str]] = field(repr=False)
    schema: dict[str, Any] | None = None
    max_tokens: int = 1024
    temperature: float = 1.0
    key: str = ""  # the idempotency key: the same request twice is paid once, where the server heeds it
    seed: int | None = None  # of the draws, where the server heeds it


@dataclass(frozen=True)
class Completion:
    """A reply as it came. Token counts are None where the endpoint tells none."""

    text: str = field(repr=False)
    finish_reason: str
    tokens_in: int | None
    tokens_out: int | None
    seconds: float


@dataclass(frozen=True)
class Tested:
    """What a test found."""

    seconds: float
    model: str  # as the endpoint names it
    knows_schema: bool


class Client:
    """An open client of one endpoint. What the endpoint refuses it asks without from then on."""

    def __init__(
        self,
        reach: Reach,
        *,
        timeout: float,
        at_once: int = 1,
        leaving: Callable[[str], None] | None = None,
    ) -> None:
        """`timeout` in seconds bounds a whole request, a reply that drips for ever included.

        Further requests than `at_once` wait their turn; that does not count. `leaving` is told the key of
        each one whose turn has come, before anything of it is sent: then all that is asked needs a key.
        """
        self.reach = reach
        self.uses_schema = reach.knows_schema is not False
        self._limit = "max_tokens"
        self._openai = openai.AsyncOpenAI(
            base_url=reach.base_url,
            api_key=reach.key or "none",
            max_retries=0,  # ours are paced, counted and written down
            timeout=None,  # the transport's own begins when a request leaves
            http_client=openai.DefaultAsyncHttpxClient(
                transport=CheckedTransport(
                    private=reach.private, at_once=at_once, timeout=timeout, leaving=leaving
                ),
                follow_redirects=False,
                trust_env=False,
            ),
        )

    async def ask(self, asked: Ask) -> Completion:
        """One request; a second one in another form where the endpoint refused the first (HTTP 400).

        Raises Trouble, and nothing else.
        """
        for _ in range(3):
            schema, limit = self.uses_schema and asked.schema is not None, self._limit
            try:
                return await self._ask_once(asked, schema=schema, limit=limit)
            except Trouble as trouble:
                if not self._learn(trouble, schema=schema, limit=limit):
                    raise
        raise Trouble(Reason.REQUEST, "request: the endpoint refuses every form of it.", False, False)

    async def stream(self, asked: Ask) -> AsyncIterator[str | Completion]:
        """The reply's text in pieces as they come, and at the end the whole of it.

        A schema is not asked for. A server that does not stream is asked once more for the whole. Leaving the
        iterator closes the connection, which ends the answer at the server. Raises Trouble, and nothing else.
        """
        said = ended = ""
        try:
            async for piece in self._stream_once(asked, self._limit):
                said += piece if isinstance(piece, str) else ""
                ended = "" if isinstance(piece, str) else piece.finish_reason
                if said or ended:
                    yield piece
        except Trouble as trouble:
            if said or not self._learn(trouble, schema=False, limit=self._limit):
                raise
        if not said and not ended:
            completion = await self.ask(replace(asked, schema=None))
            yield completion.text
            yield completion

    async def close(self) -> None:
        await self._openai.close()

    def _body(self, asked: Ask, limit: str) -> dict[str, Any]:
        body = {
            "model": self.reach.model,
            "messages": asked.messages,
            "temperature": asked.temperature,
            limit: asked.max_tokens,
        }
        return body if asked.seed is None else {**body, "seed": asked.seed}

    async def _stream_once(self, asked: Ask, limit: str) -> AsyncIterator[str | Completion]:
        body = self._body(asked, limit) | {"stream": True, "stream_options": {"include_usage": True}}
        began, said, ended, usage = time.perf_counter(), [], "", None
        try:
            async with await self._openai.chat.completions.create(**body) as chunks:
                async for chunk in chunks:
                    usage = chunk.usage or usage
                    if not chunk.choices:
                        continue
                    ended = chunk.choices[0].finish_reason or ended
                    if text := chunk.choices[0].delta.content:
                        said.append(text)
                        yield text
        except (
            openai.OpenAIError, httpx2.HTTPError, OSError, LookupError, AttributeError, TypeError, ValueError,
        ) as error:  # fmt: skip
            raise trouble_of(error, self.reach) from None
        yield Completion(
            text="".join(said),
            finish_reason=ended,
            tokens_in=usage.prompt_tokens if usage else None,
            tokens_out=usage.completion_tokens if usage else None,
            seconds=time.perf_counter() - began,
        )

    def _learn(self, trouble: Trouble, *, schema: bool, limit: str) -> bool:
        """Whether the request may be asked again in another form than the one refused."""
        if trouble.refuses_limit and limit == "max_tokens":
            self._limit = "max_completion_tokens"
            return True
        if trouble.refuses_schema and schema:
            self.uses_schema = False
            return True
        return False

    async def _ask_once(self, asked: Ask, *, schema: bool, limit: str) -> Completion:
        body = self._body(asked, limit)
        if schema:
            named = {"name": "reply", "schema": asked.schema, "strict": True}
            body["response_format"] = {"type": "json_schema", "json_schema": named}
        headers = {"Idempotency-Key": asked.key} if asked.key else {}
        began = time.perf_counter()
        try:
            # Not chat.completions.create: it walks through every message and every field of the reply by its
            # types, which costs more time than all else a call takes here.
            answer = await self._openai.post(
                "/chat/completions", cast_to=httpx2.Response, body=body, options={"headers": headers}
            )
            return _completion(answer.json(), time.perf_counter() - began)
        except (openai.OpenAIError, OSError, LookupError, AttributeError, TypeError, ValueError) as error:
            raise trouble_of(error, self.reach) from None


async def try_out(reach: Reach, *, timeout: float = TEST_WITHIN) -> Tested:
    """Ask for one small reply. Raises Trouble with the sentence for what is wrong."""
    client = Client(reach, timeout=timeout)
    try:
        completion = await client.ask(Ask(_TEST_MESSAGES, _TEST_SCHEMA, max_tokens=64, temperature=0.0))
    finally:
        await client.close()
    knows = client.uses_schema and reach.knows_schema is not False and _is_ready(completion.text)
    return Tested(completion.seconds, reach.model, knows)


def check(reach: Reach, *, timeout: float = TEST_WITHIN) -> Tested:
    """`try_out` for who does not run an event loop. Raises ValueError with one sentence."""
    try:
        return asyncio.run(try_out(reach, timeout=timeout))
    except Trouble as trouble:
        raise ValueError(trouble.sentence) from None


def _completion(answer: dict[str, Any], seconds: float) -> Completion:
    """Raises LookupError, AttributeError or TypeError where the answer is no chat completion."""
    choice = answer["choices"][0]
    text = choice["message"].get("content") or ""
    if not isinstance(text, str):
        raise TypeError("content is no text")
    usage = answer.get("usage")
    return Completion(
        text=text,
        finish_reason=str(choice.get("finish_reason") or ""),
        tokens_in=_count(usage, "prompt_tokens"),
        tokens_out=_count(usage, "completion_tokens"),
        seconds=seconds,
    )


def _count(usage, name: str) -> int | None:
    value = usage.get(name) if isinstance(usage, dict) else None
    return value if isinstance(value, int) and value >= 0 else None


def _is_ready(text: str) -> bool:
    try:
        return isinstance(json.loads(text).get("ready"), bool)
    except (ValueError, AttributeError):
        return False
