"""What a request's JSON asks for, checked field by field. A wrong one raises Refusal naming the field."""

import math
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from db.comparisons import Sampling
from trainer.prompts import Message
from trainer.serve.refusals import Refusal, split_field

_ROLES = ("system", "user", "assistant")
_LONGEST_ID = 200  # characters
# OpenAI's settings that this server does not have: they may be sent only with the value that changes nothing.
_NEUTRAL: dict[str, Any] = {
    "n": 1,
    "top_p": 1,
    "presence_penalty": 0,
    "frequency_penalty": 0,
    "logprobs": False,
    "stop": [],
    "logit_bias": {},
    "tools": [],
    "response_format": {"type": "text"},
}


@dataclass(frozen=True)
class PairBody:
    """The same messages to an adapter and to its base."""

    adapter_id: int
    messages: list[Message]
    sampling: Sampling
    request_id: str


@dataclass(frozen=True)
class ChatBody:
    """A chat completion. `max_tokens` None means as many as the context has room for."""

    model: str
    messages: list[Message]
    max_tokens: int | None
    temperature: float
    seed: int
    stream: bool
    include_usage: bool


def read_pair(body: Mapping[str, Any]) -> PairBody:
    return PairBody(
        adapter_id=_whole(body, "adapter_id", None),
        messages=read_messages(body),
        sampling=read_sampling(body, max_tokens=Sampling.max_tokens, temperature=0.0, seed=0),
        request_id=_text(body, "request_id", secrets.token_hex(16)),
    )


def read_chat(body: Mapping[str, Any]) -> ChatBody:
    """OpenAI's defaults: temperature 1, a seed of the server's choice, and no limit but the context."""
    for name, neutral in _NEUTRAL.items():
        if body.get(name) not in (None, neutral):
            raise Refusal(f"This server does not know {name}; leave it out.", param=name)
    limit = "max_tokens" if body.get("max_completion_tokens") is None else "max_completion_tokens"
    sampling = read_sampling(
        {**body, "max_tokens": body.get(limit)}, max_tokens=1, temperature=1.0, seed=secrets.randbelow(2**31)
    )
    options = body.get("stream_options")
    return ChatBody(
        model=_text(body, "model", None),
        messages=read_messages(body),
        max_tokens=None if body.get(limit) is None else sampling.max_tokens,
        temperature=sampling.temperature,
        seed=sampling.seed,
        stream=body.get("stream") is True,
        include_usage=isinstance(options, Mapping) and options.get("include_usage") is True,
    )


def read_sampling(body: Mapping[str, Any], *, max_tokens: int, temperature: float, seed: int) -> Sampling:
    try:
        return Sampling(
            max_tokens=_whole(body, "max_tokens", max_tokens),
            temperature=_number(body, "temperature", temperature),
            seed=_whole(body, "seed", seed),
        )
    except ValueError as error:
        field, message = split_field(str(error))
        raise Refusal(message, param=field if field in ("temperature", "seed") else "max_tokens") from error


def read_messages(body: Mapping[str, Any]) -> list[Message]:
    messages = body.get("messages")
    if not isinstance(messages, list) or not messages:
        raise Refusal("Send a list with at least one message.", param="messages")
    return [_message(message) for message in messages]


def _message(message: Any) -> Message:
    if not isinstance(message, Mapping) or message.get("role") not in _ROLES:
        raise Refusal(f"Each message needs a role: {', '.join(_ROLES)}.", param="messages")
    content = message.get("content")
    if isinstance(content, list):
        content = "".join(_part(part) for part in content)
    if not isinstance(content, str):
        raise Refusal("Each message needs a content of text.", param="messages")
    if any("\ud800" <= letter <= "\udfff" for letter in content):
        raise Refusal("A message holds half a character; send it as valid UTF-8.", param="messages")
    return {"role": message["role"], "content": content}


def _part(part: Any) -> str:
    if not isinstance(part, Mapping) or part.get("type") != "text" or not isinstance(part.get("text"), str):
        raise Refusal("Only parts of type text can be read.", param="messages")
    return part["text"]


def _text(body: Mapping[str, Any], name: str, default: str | None) -> str:
    value = body.get(name)
    value = default if value is None else value
    if not isinstance(value, str) or not 0 < len(value) <= _LONGEST_ID:
        raise Refusal(f"Give {name} as a text of 1 to {_LONGEST_ID} characters.", param=name)
    return value


def _whole(body: Mapping[str, Any], name: str, default: int | None) -> int:
    value = body.get(name)
    value = default if value is None else value
    if isinstance(value, bool) or not isinstance(value, int):
        raise Refusal(f"Give {name} as a whole number.", param=name)
    return value


def _number(body: Mapping[str, Any], name: str, default: float) -> float:
    value = body.get(name)
    value = default if value is None else value
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise Refusal(f"Give {name} as a number.", param=name)
    return float(value)
