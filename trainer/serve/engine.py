"""The generation thread: one queue, one base in memory, one request at a time.

Nothing but this thread touches the model, so there is no lock to forget. It imports torch itself, so the
server listens long before that is done.
"""

import logging
import threading
import time
import traceback
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING

from trainer.serve.asked import Asked
from trainer.serve.refusals import split_field
from trainer.serve.run import Ahead, Done, End, Event, Failed, Run

if TYPE_CHECKING:
    from trainer.serve.holding import Held

logger = logging.getLogger(__name__)


class Engine:
    """Takes runs in and answers them in turn. Its public methods are for the event loop."""

    def __init__(self, *, four_bit: bool = False) -> None:
        """With `four_bit` bases are packed as QLoRA packs them; that needs a GPU."""
        self.leaving = ""  # why nobody new is taken in, one sentence; "" while anybody is
        self._four_bit = four_bit
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="generation")
        self._open: dict[str, tuple[Run, Future]] = {}  # waiting or being answered
        self._early_stops: deque[tuple[str, int | None]] = deque(maxlen=64)  # they overtook their runs
        self._telling = threading.Lock()
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
        run.ahead = ahead = len(self._open)
        future = self._thread.submit(self._answer, run)
        self._open[run.id] = (run, future)
        for run_id, position in self._early_stops:
            if run_id == run.id:
                self.stop(run_id, position)
        future.add_done_callback(partial(self._finish, run))
        return ahead

    def stop(self, run_id: str, position: int | None = None) -> bool:
        """End a run, or one side of it, at the next token. False when it is over, or yet to come."""
        if run_id not in self._open:
            self._early_stops.append((run_id, position))
            return False
        run, future = self._open[run_id]
        run.stop(position)
        if run.is_over:
            future.cancel()  # at once when its turn has not come; without effect when it has
        return True

    def turn_away(self, reason: str) -> None:
        """Take nobody in any more and send away who waits, with that sentence; the answer under way ends as
        it would."""
        self.leaving = reason
        for run, future in list(self._open.values()):
            run.refusal = Failed(None, reason, status=503)
            future.cancel()

    def unload(self, adapter_id: int) -> None:
        """Forget an adapter and its checkpoints, once the answers taken in before are through."""
        self._thread.submit(self._unload, adapter_id)

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

    @property
    def device(self) -> str | None:
        """Type of the device that the base in memory is really on."""
        return self._held.device.type if self._held else None

    def holds(self, asked: Asked) -> bool:
        """True when an answer can begin without loading anything."""
        held = self._held
        return held is not None and held.base == asked.base and all(map(held.holds, asked.adapters))

    def touch(self) -> None:
        """Somebody asked for something."""
        self._last_active = time.monotonic()

    def idle_seconds(self) -> float:
        return 0.0 if self._open else time.monotonic() - self._last_active

    def _answer(self, run: Run) -> None:
        from trainer.serve.answering import answer

        answer(self._hold(run.asked), run.asked, run.emit, is_stopped=run.is_stopped, arrived=run.arrived)

    def _hold(self, asked: Asked) -> "Held":
        """The base and adapters that are asked, loaded if need be. A failed load leaves nothing behind."""
        from trainer.serve.holding import Held, free_memory

        held, self._held = self._held, None
        if held is None or held.base != asked.base:
            held = None
            free_memory()
            held = Held(asked.base, four_bit=self._four_bit)
        held.use(*(adapter for adapter in asked.adapters if adapter))
        self._held = held
        return held

    def _unload(self, adapter_id: int) -> None:
        if self._held:
            self._held.drop(adapter_id)

    def _finish(self, run: Run, future: Future) -> None:
        run.emit(_last_events(run, future))
        self.touch()
        del self._open[run.id]
        self._tell_places()
        run.emit([End()])

    def _tell_places(self) -> None:
        """Say to each who waits, and wants to know, how many are still before it."""
        with self._telling:
            for ahead, (run, _) in enumerate(list(self._open.values())):
                if run.tells_place and ahead != run.ahead:
                    run.ahead = ahead
                    run.emit([Ahead(ahead)])


def _last_events(run: Run, future: Future) -> list[Event]:
    """What is still to say when the thread is through with a run, or never began it."""
    if future.cancelled():
        cancelled = [Done(position, "cancelled", 0, 0.0, None) for position in range(run.asked.rows)]
        return [run.refusal] if run.refusal and not run.is_over else cancelled
    error = future.exception()
    if error is None:
        return []
    if isinstance(error, ValueError):
        return [Failed(*split_field(str(error)))]
    # The stack without the error's own words: those may quote the prompt, which never goes to the log.
    stack = "".join(traceback.format_tb(error.__traceback__))
    logger.error("answering failed with %s\n%s", type(error).__name__, stack)
    sentence = f"The model server failed ({type(error).__name__}); its log says where. Try again."
    return [Failed(None, sentence, status=500)]


def _import_libraries() -> None:
    started = time.monotonic()
    from transformers.utils.logging import disable_progress_bar

    import trainer.serve.answering
    import trainer.serve.prompting  # noqa: F401

    disable_progress_bar()  # it would fill the log
    logger.info("libraries imported in %.1f s", time.monotonic() - started)
