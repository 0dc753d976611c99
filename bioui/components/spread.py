"""Forms with many fields: Gradio gives the values one by one, the handler takes them as one tuple."""

import inspect
from collections.abc import Callable, Sequence

import gradio as gr

_KIND = inspect.Parameter.POSITIONAL_OR_KEYWORD


def spread(*names: str) -> Callable[[Callable], Callable]:
    """Let `handler(..., values, request)` be called with one value for each name, in this order.

    The names are those of the parameters that Gradio and `needs` see. Write it under `needs`.
    """

    def of(handler: Callable) -> Callable:
        own = list(inspect.signature(handler).parameters)[:-2]
        before = len(own)

        def gathered(args: Sequence) -> tuple:
            if len(args) != before + len(names) + 1:
                raise TypeError(f"{handler.__name__}: {len(names)} values and a request are needed")
            return (*args[:before], tuple(args[before:-1]), args[-1])

        def call(*args):
            return handler(*gathered(args))

        def stream(*args):
            yield from handler(*gathered(args))

        flat = stream if inspect.isgeneratorfunction(handler) else call
        flat.__name__, flat.__module__, flat.__doc__ = handler.__name__, handler.__module__, handler.__doc__
        flat.__annotations__ = {"request": gr.Request}
        flat.__signature__ = _signature([*own, *names])
        return flat

    return of


def _signature(names: Sequence[str]) -> inspect.Signature:
    given = [inspect.Parameter(name, _KIND) for name in names]
    return inspect.Signature([*given, inspect.Parameter("request", _KIND, annotation=gr.Request)])
