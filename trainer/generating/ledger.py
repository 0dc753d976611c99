"""The writer of a generation run's calls: many small writes become few transactions.

A thread takes what has gathered and commits it as one. Who asked for a write goes on once it is committed,
so *asked* is on disk before a request leaves, and an answer is there the moment after it came. The judge's
process stores what it judged by itself: Python runs one thread at a time, and storing beside the loop that
asks would keep that waiting.
"""

import asyncio
import logging
import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from db import jobs
from db.session import write

logger = logging.getLogger("trainer")

TOGETHER = 200  # writes in one transaction at most
PATIENCE = 30  # times that a busy database is asked again

T = TypeVar("T")


class Ledger:
    """Writes for one attempt at a job; refused with FencedError once a later attempt owns it."""

    def __init__(self, job_id: int, attempt: int) -> None:
        self._job_id, self._attempt = job_id, attempt
        self._waiting: queue.SimpleQueue[tuple[Callable[[Session], object], Future] | None]
        self._waiting = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="ledger", daemon=True)
        self._thread.start()

    async def write(self, change: Callable[[Session], object]):
        """Give back what `change(session)` gave, once it is committed."""
        done: Future = Future()
        self._waiting.put((change, done))
        return await asyncio.shield(asyncio.wrap_future(done))

    def close(self) -> None:
        """Commit what is left, and end. Closing twice is once."""
        self._waiting.put(None)
        self._thread.join()

    def _work(self) -> None:
        over = False
        while not over:
            some = [self._waiting.get()]
            while len(some) < TOGETHER and not self._waiting.empty():
                some.append(self._waiting.get())
            over = None in some
            self._commit([one for one in some if one is not None])

    def _commit(self, some: list[tuple[Callable[[Session], object], Future]]) -> None:
        try:
            given = self._write(lambda s: [change(s) for change, _ in some]) if some else []
        except Exception as error:
            for _, done in some:
                done.set_exception(error)
            return
        for (_, done), value in zip(some, given, strict=True):
            done.set_result(value)

    def _write(self, change: Callable[[Session], list]) -> list:
        return write_owned(self._job_id, self._attempt, change)


def write_owned(job_id: int, attempt: int, change: Callable[[Session], T]) -> T:
    """`change` in one transaction of an attempt that owns its job: FencedError otherwise. Blocks."""
    for left in reversed(range(PATIENCE)):
        try:
            with write() as s:
                jobs.require_owned(s, job_id, attempt)
                return change(s)
        except OperationalError as error:
            if not left:
                raise
            logger.warning("database: %s; trying again", error.orig)
            time.sleep(1)
    raise AssertionError("unreachable")
