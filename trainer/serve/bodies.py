"""What a request's JSON asks for, checked field by field. A wrong one raises Refusal naming the field."""

import math
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from db.compare_spec import MAX_SIDES, Sampling, SideSpec, require_sides
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
class CompareBody:
    """One to six sides of one base. `messages` holds one list for all of them, or one a side."""

    sides: tuple[SideSpec, ...]
    messages: list[list[Message]]
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


def read_compare(body: Mapping[str, Any]) -> CompareBody:
    sides = _sides(body)
    return CompareBody(
        sides=sides,
        messages=_messages_of(body, len(sides)),
        sampling=read_sampling(body, max_tokens=Sampling.max_tokens, temperature=0.0, seed=0),
        request_id=_text(body, "request_id", secrets.token_hex(16)),
    )


def read_position(body: Mapping[str, Any]) -> int | None:
    """Which side to stop; None for all of them."""
    position = body.get("position")
    if position is None:
        return None
    if isinstance(position, bool) or not isinstance(position, int) or not 0 <= position < MAX_SIDES:
        raise Refusal("Give position as the number of a side, 0 for the first, or null.", param="position")
    return position


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
        messages=read_messages(body.get("messages")),
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


def read_messages(messages: Any) -> list[Message]:
    if not isinstance(messages, list) or not messages:
        raise Refusal("Send a list with at least one message.", param="messages")
    return [_message(message) for message in messages]


def _sides(body: Mapping[str, Any]) -> tuple[SideSpec, ...]:
    given = body.get("sides")
    if not isinstance(given, list) or not all(isinstance(side, Mapping) for side in given):
        raise Refusal('Send a list of sides, such as [{"base_model_id": 1}].', param="sides")
    try:
        return require_sides([_side(side) for side in given])
    except ValueError as error:
        raise Refusal(split_field(str(error))[1], param="sides") from error


def _side(side: Mapping[str, Any]) -> SideSpec:
    numbers = ("base_model_id", "adapter_id", "step")
    given = {name: value for name, value in side.items() if value not in (None, "")}
    for name, value in given.items():
        if name not in numbers:
            raise ValueError(f"sides: {name} is nothing a side has here; name {', '.join(numbers)}.")
        if isinstance(value, bool) or not isinstance(value, int):
            raise ValueError(f"sides: give {name} as a whole number.")
    return SideSpec(**given)


def _messages_of(body: Mapping[str, Any], sides: int) -> list[list[Message]]:
    given = body.get("messages")
    lists = given if isinstance(given, list) and given and isinstance(given[0], list) else [given]
    if len(lists) not in (1, sides):
        raise Refusal(f"Send one list of messages, or one a side ({sides}).", param="messages")
    return [read_messages(each) for each in lists]


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
