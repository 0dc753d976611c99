"""How far an evaluation is and how fast it goes, told to the job's page every few seconds."""

import time

from trainer.context import JobContext

SECONDS = 2.0


class Pace:
    """Counts rows of all tasks and ways together, those of earlier attempts included."""

    def __init__(self, context: JobContext, total: int) -> None:
        self._context, self.total, self.done = context, total, 0
        self.rows, self.tokens = 0, 0  # of this attempt
        self._begun = self._told = time.monotonic()
        self._rows_told, self._tokens_told = 0, 0
        self._phase = ""

    def turn_to(self, phase: str, done: int) -> None:
        """The next task and way, `done` rows of it scored by an earlier attempt."""
        self._phase = phase
        self.done += done
        self._context.progress(phase, self.done, self.total)

    def went_on(self, rows: int, tokens: int) -> None:
        """So many rows more, which took so many tokens to read and write."""
        self.rows, self.tokens, self.done = self.rows + rows, self.tokens + tokens, self.done + rows
        self._context.progress(self._phase, self.done, self.total)
        seconds = time.monotonic() - self._told
        if seconds >= SECONDS or self.done == self.total:
            self._context.metrics(
                self.done,
                rows_per_second=(self.rows - self._rows_told) / max(seconds, 1e-3),
                tokens_per_second=(self.tokens - self._tokens_told) / max(seconds, 1e-3),
            )
            self._told = time.monotonic()
            self._rows_told, self._tokens_told = self.rows, self.tokens

    @property
    def rows_per_second(self) -> float:
        """Over this attempt."""
        return self.rows / max(time.monotonic() - self._begun, 1e-3)
