"""The generation thread: one queue, one base in memory, one request at a time.

Nothing but this thread touches the model, so there is no lock to forget. It imports torch itself, so the
server listens long before that is done.
"""

import logging
import time
import traceback
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING

from db.enums import Side
from trainer.serve.catalog import Target
from trainer.serve.refusals import split_field
from trainer.serve.run import Done, End, Event, Failed, Run

if TYPE_CHECKING:
    from trainer.serve.holding import Held

logger = logging.getLogger(__name__)


class Engine:
    """Takes runs in and answers them in turn. Its public methods are for the event loop."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="generation")
        self._open: dict[str, tuple[Run, Future]] = {}  # waiting or being answered
        self._early_stops: deque[tuple[str, Side | None]] = deque(maxlen=64)  # they overtook their runs
        self._held: Held | None = None
        self._last_active = time.monotonic()
        self._warm = self._thread.submit(_import_libraries)

    def wait_until_warm(self) -> None:
        """Block until torch and its kin are imported: two threads importing them at once can trip."""
        self._warm.result()

    def submit(self, run: Run) -> int:
        """Queue a run and return how many are before it. Raises ValueError when its id is in use."""
        if run.id in self._open:
            raise ValueError("request_id: it is still being answered; give each request its own.")
        ahead = len(self._open)
        future = self._thread.submit(self._answer, run)
        self._open[run.id] = (run, future)
        for run_id, side in self._early_stops:
            if run_id == run.id:
                self.stop(run_id, side)
        future.add_done_callback(partial(self._finish, run))
        return ahead

    def stop(self, run_id: str, side: Side | None = None) -> bool:
        """End a run, or one side of it, at the next token. False when it is over, or yet to come."""
        if run_id not in self._open:
            self._early_stops.append((run_id, side))
            return False
        run, future = self._open[run_id]
        run.stop(side)
        if run.is_over:
            future.cancel()  # at once when its turn has not come; without effect when it has
        return True

    def abandon(self, run: Run) -> None:
        """Nobody waits for this run any more. Without effect when it is over, even if its id lives on."""
        if self._open.get(run.id, (None, None))[0] is run:
            self.stop(run.id)

    def stop_all(self) -> None:
        for run_id in list(self._open):
            self.stop(run_id)

    def close(self) -> None:
        """Wait for the thread to end; call `stop_all` first."""
        self._thread.shutdown(wait=True, cancel_futures=True)

    @property
    def queue_length(self) -> int:
        """Runs that wait or are being answered."""
        return len(self._open)

    @property
    def is_busy(self) -> bool:
        """True while the thread imports, loads or answers."""
        return bool(self._open) or not self._warm.done()

    @property
    def loaded(self) -> str | None:
        """Name of the base in memory."""
        return self._held.base.name if self._held else None

    def holds(self, target: Target) -> bool:
        """True when an answer can begin without loading anything."""
        held = self._held
        return held is not None and held.base == target.base and held.holds(target.adapter)

    def touch(self) -> None:
        """Somebody asked for something."""
        self._last_active = time.monotonic()

    def idle_seconds(self) -> float:
        return 0.0 if self._open else time.monotonic() - self._last_active

    def _answer(self, run: Run) -> None:
        from trainer.serve.answering import answer

        answer(self._hold(run.target), run)

    def _hold(self, target: Target) -> "Held":
        """The base of `target` and its adapter, loaded if need be. A failed load leaves nothing behind."""
        from trainer.serve.holding import Held, free_memory

        held, self._held = self._held, None
        if held is None or held.base != target.base:
            held = None
            free_memory()
            held = Held(target.base)
        if target.adapter:
            held.use(target.adapter)
        self._held = held
        return held

    def _finish(self, run: Run, future: Future) -> None:
        for event in _last_events(run, future):
            run.emit(event)
        self.touch()
        del self._open[run.id]
        run.emit(End())


def _last_events(run: Run, future: Future) -> list[Event]:
    """What is still to say when the thread is through with a run, or never began it."""
    if future.cancelled():
        return [Done(side, "cancelled", 0, 0.0, None) for side in run.sides]
    error = future.exception()
    if error is None:
        return []
    if isinstance(error, ValueError):
        return [Failed(*split_field(str(error)))]
    # The stack without the error's own words: those may quote the prompt, which never goes to the log.
    stack = "".join(traceback.format_tb(error.__traceback__))
    logger.error("answering failed with %s\n%s", type(error).__name__, stack)
    return [Failed(None, f"The model server failed ({type(error).__name__}); its log says where. Try again.")]


def _import_libraries() -> None:
    started = time.monotonic()
    from transformers.utils.logging import disable_progress_bar

    import trainer.serve.answering
    import trainer.serve.prompting  # noqa: F401

    disable_progress_bar()  # it would fill the log
    logger.info("libraries imported in %.1f s", time.monotonic() - started)
