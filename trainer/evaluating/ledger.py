"""Scored rows on their way to the database: gathered for a few seconds, then written through the fence."""

import time
from collections.abc import Sequence
from types import TracebackType

from sqlalchemy.orm import Session

from db import evaluations
from db.evaluations import Scored
from db.jobs import FencedError
from trainer.generating.ledger import write_owned

SECONDS = 2.0
ROWS = 50


class Ledger:
    """The rows of one evaluation; leaving its scope writes the last. A process that is killed loses no more
    than what has gathered, and scores it again."""

    def __init__(self, job_id: int, attempt: int, evaluation_id: int) -> None:
        self._job_id, self._attempt, self._evaluation_id = job_id, attempt, evaluation_id
        self._waiting: list[Scored] = []
        self._written = time.monotonic()

    def __enter__(self) -> "Ledger":
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: BaseException | TracebackType | None) -> None:
        if kind is None or not issubclass(kind, FencedError):
            self.flush()

    def add(self, scored: Sequence[Scored]) -> None:
        """Keep rows. Raises FencedError once a later attempt owns the job."""
        self._waiting += scored
        if len(self._waiting) >= ROWS or time.monotonic() - self._written >= SECONDS:
            self.flush()

    def flush(self) -> None:
        some = list(self._waiting)

        def record(session: Session) -> None:
            evaluations.record(session, self._job_id, self._attempt, self._evaluation_id, some)

        if some:
            write_owned(self._job_id, self._attempt, record)
            del self._waiting[: len(some)]
        self._written = time.monotonic()
