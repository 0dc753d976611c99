"""Long work in a thread of its own: a page watches it, and a browser that goes away does not end it."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotYet
from typing import Generic, TypeVar

Result = TypeVar("Result")
LOOK_SECONDS = 0.25


class Stopped(Exception):
    """Whoever asked for the work does not want it any more."""


class Work(Generic[Result]):
    """`job` is given a function to report to; it starts when the work is made.

    With `stops`, the work ends when nobody watches it any more: at its next report, by the error Stopped.
    """

    def __init__(self, job: Callable[[Callable[[int], None]], Result], *, stops: bool = False) -> None:
        self.done = 0
        self._stops, self._is_unwanted = stops, False
        self._begun = time.monotonic()
        thread = ThreadPoolExecutor(1, thread_name_prefix="work")
        self._future = thread.submit(job, self._report)
        thread.shutdown(wait=False)

    @property
    def seconds(self) -> float:
        """Since it began."""
        return time.monotonic() - self._begun

    def watch(self) -> Iterator[int]:
        """How much is done, a few times a second until all is. Then ask for the `result`."""
        try:
            while not self._is_over():
                yield self.done
        finally:
            self._is_unwanted = self._stops

    def result(self) -> Result:
        """What the job gave; raises what it raised. Waits for it."""
        return self._future.result()

    def _is_over(self) -> bool:
        try:
            self._future.exception(LOOK_SECONDS)
        except NotYet:
            return False
        return True

    def _report(self, done: int) -> None:
        if self._is_unwanted:
            raise Stopped
        self.done = done
