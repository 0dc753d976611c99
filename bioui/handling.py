"""How a click becomes a handler's call: who asks, may they, and what to say when it fails.

Every event is wired with `on`. It knows three errors (PolicyError, LookupError, ValueError) and turns each
into one sentence in the page's problem area; every other output stays as it was, so nothing typed is lost.
Any other error is a bug and is left to be logged as one.
"""

import inspect
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import wraps
from typing import Any

import gradio as gr

from db import projects, users
from db.policy import Actor, PolicyError, Right, require
from db.session import Session, read
from db.tables import Project

NOTHING = {"text": "", "field": ""}  # the value of an empty problem area


def actor_of(session: Session, request: gr.Request) -> Actor:
    """The person behind a request, as the database knows them now. Raises PolicyError for nobody."""
    username = getattr(request, "username", None)
    if not username:
        raise PolicyError("Your session has ended. Log in again; what you typed is still on the page.")
    return users.get_actor(session, username)


def project_of(session: Session, request: gr.Request) -> Project:
    """The project named in the page's URL (?project=ID), else the first. Raises LookupError for none such."""
    wanted = request.query_params.get("project")
    if wanted:
        return projects.get_project(session, int(wanted) if wanted.isdigit() else 0)
    known = projects.list_projects(session)
    if not known:
        raise LookupError("There is no project yet; an admin makes the first one on the Admin page.")
    return known[0]


def linked(request: gr.Request, name: str) -> int:
    """The number that the address gives for `name` (?job=7), 0 for none."""
    given = request.query_params.get(name, "")
    return int(given) if given.isascii() and given.isdigit() and len(given) < 10 else 0


def needs(right: Right) -> Callable[[Callable], Callable]:
    """Mark a handler with the right it asks for, and refuse the call of anyone who lacks it.

    Every event of Gradio is a public endpoint: whatever a page hides, its handlers can be called. The handler
    takes a `request: gr.Request`. It may be a function or a generator, not a coroutine. A `project_id` of 0,
    as of an event that comes before the page's own load, becomes that of the page's address.
    """

    def mark(handler: Callable) -> Callable:
        _require_shape(handler)
        signature = inspect.signature(handler)

        @wraps(handler)
        def checked(*args, **kwargs):
            given = signature.bind(*args, **kwargs)
            request = given.arguments["request"]
            with read() as session:
                require(actor_of(session, request), right)
                if given.arguments.get("project_id") == 0:
                    given.arguments["project_id"] = project_of(session, request).id
            return handler(*given.args, **given.kwargs)

        checked.right = right
        checked.streams = inspect.isgeneratorfunction(handler)
        return checked

    return mark


@dataclass(frozen=True)
class Problem:
    """What went wrong, in words for the person, and the form field it is about ("" for none)."""

    text: str
    field: str = ""

    @classmethod
    def of(cls, error: Exception) -> "Problem":
        """Read `field: sentence.` out of a ValueError; other errors are about no field."""
        text = str(error.args[0]) if error.args else type(error).__name__
        field, colon, sentence = text.partition(": ")
        if isinstance(error, ValueError) and colon and len(field) <= 32 and field[:1].isalpha():
            return cls(_sentence(sentence), field.strip())
        return cls(_sentence(text))

    def value(self) -> dict[str, str]:
        """What the problem area shows."""
        slug = self.field.replace("_", "-").replace(" ", "-")
        return {"text": self.text, "field": self.field.replace("_", " "), "slug": slug}


def on(
    event: Callable,
    handler: Callable,
    inputs: Sequence | None = None,
    outputs: Sequence | Any = (),
    *,
    problem: gr.HTML,
    **options,
) -> gr.events.Dependency:
    """Wire `handler` (marked by `needs`) to `event`, with `problem` showing what goes wrong.

    `options` go to Gradio's listener: js, show_progress (hidden unless told), concurrency_limit ...
    """
    outputs = list(outputs) if isinstance(outputs, (list, tuple)) else [outputs]
    options.setdefault("show_progress", "hidden")
    cause = Cause()
    step = event(
        translated(handler, len(outputs), cause),
        inputs=list(inputs) if isinstance(inputs, (list, tuple)) else inputs,
        outputs=[*outputs, problem],
        api_visibility="private",
        **options,
    )
    cause.is_person = _is_caused_by_person(step)
    return step


@dataclass
class Cause:
    """What sets an event off. Only what a person does takes an earlier problem away, not a timer's tick."""

    is_person: bool = True


def translated(handler: Callable, outputs: int, cause: Cause) -> Callable:
    """`handler` with one more output, the problem area: cleared when all went well, filled when not."""
    if not hasattr(handler, "right"):
        raise TypeError(
            f"{handler.__module__}.{handler.__name__} is wired to an event without a right: mark it"
        )

    def answer(value):
        return _packed(*_as_tuple(value, outputs), NOTHING if cause.is_person else gr.skip())

    def refusal(error: Exception):
        if isinstance(error, (KeyError, IndexError)):  # LookupErrors that Python raises: a bug of ours
            raise error
        return _packed(*(gr.skip() for _ in range(outputs)), Problem.of(error).value())

    @wraps(handler)
    def call(*args):
        try:
            return answer(handler(*args))
        except (PolicyError, LookupError, ValueError) as error:
            return refusal(error)

    @wraps(handler)
    def stream(*args) -> Iterator:
        try:
            for value in handler(*args):
                yield answer(value)
        except (PolicyError, LookupError, ValueError) as error:
            yield refusal(error)

    return stream if handler.streams else call


def _is_caused_by_person(step: gr.events.Dependency) -> bool:
    """False for page loads, ticks, a script's regular asking, and steps that follow another one."""
    causes = {name for _, name in step["targets"]}
    return not causes & {"load", "tick", "poll", "then", "success", "failure"}


def _packed(*values):
    """What Gradio takes for that many outputs: of one it wants the bare value."""
    return values if len(values) > 1 else values[0]


def _as_tuple(value, outputs: int) -> tuple:
    if outputs == 0:
        return ()
    if outputs == 1:
        return (value,)
    if isinstance(value, dict) and value == gr.skip():
        return (value,) * outputs
    return tuple(value)


def _sentence(text: str) -> str:
    text = text.strip()
    return text[:1].upper() + text[1:]


def _require_shape(handler: Callable) -> None:
    if inspect.iscoroutinefunction(handler) or inspect.isasyncgenfunction(handler):
        raise TypeError(f"{handler.__name__}: write handlers as plain functions or generators")
    parameter = inspect.signature(handler).parameters.get("request")
    if parameter is None or parameter.annotation is not gr.Request:
        raise TypeError(f"{handler.__name__}: a handler takes `request: gr.Request`")
