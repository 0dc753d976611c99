"""A generator that works in a process of its own, ahead of who takes its values: two cores for one stream.

The pipe between them holds a value or two, so neither runs away from the other and memory stays flat. When
the taking side dies, however suddenly, the making side finds the pipe broken and ends.
"""

import signal
import traceback
from collections.abc import Callable, Iterator
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import TypeVar

T = TypeVar("T")
_VALUE, _END, _REFUSED, _BROKEN = range(4)


def ahead(make: Callable[..., Iterator[T]], *arguments) -> Iterator[T]:
    """The values of `make(*arguments)`, a function of a module, whose arguments and values can be pickled.

    Raises ValueError or LookupError with its sentence where `make` does, RuntimeError for anything else.
    """
    fresh = get_context("spawn")  # a fork would copy locks that other threads hold
    receiver, sender = fresh.Pipe(duplex=False)
    process = fresh.Process(target=_work, args=(sender, make, arguments), daemon=True)
    process.start()
    sender.close()
    try:
        yield from _values(receiver)
    finally:
        receiver.close()
        process.terminate()
        process.join()


def _values(receiver: Connection) -> Iterator:
    while True:
        try:
            kind, value = receiver.recv()
        except EOFError:
            raise RuntimeError("the process that reads ahead was killed; resume to go on") from None
        if kind == _END:
            return
        if kind == _REFUSED:
            error, sentence = value
            raise error(sentence)
        if kind == _BROKEN:
            raise RuntimeError(value)
        yield value


def _work(sender: Connection, make: Callable[..., Iterator], arguments: tuple) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent hears of it, and ends this one
    try:
        for value in make(*arguments):
            sender.send((_VALUE, value))
        sender.send((_END, None))
    except BrokenPipeError:
        return
    except (ValueError, LookupError) as error:
        # Its sentence alone: an error of ours may not come out of a pipe as it went in.
        kind = ValueError if isinstance(error, ValueError) else LookupError
        sender.send((_REFUSED, (kind, str(error))))
    except Exception as error:
        traceback.print_exc()  # to the job's log
        sender.send((_BROKEN, f"{type(error).__name__}: {error}"))
