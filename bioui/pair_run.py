"""A pair of answers on its way: wait for the model server, follow its stream, stop when told.

Knows neither Gradio nor the database's comparisons: it turns a request into states to show.
"""

import threading
import time
from collections.abc import Iterator

from bioui.components.pair import PairState
from bioui.model_server import Launch, PairRequest, PairStream
from db.enums import Side
from db.settings import Settings

BETWEEN_STATES = 1 / 12  # seconds; a page that is told more often only gets slower
LOOK = 0.25  # seconds that one step may wait: whoever closes the page waits for the step to end

launch = Launch()  # the one start of the model server that everybody in this process waits for


class PairRun:
    """One pair under way, for the page that follows it and for those who stop it."""

    def __init__(self) -> None:
        self._stop_asked = threading.Event()
        self._stream: PairStream | None = None

    def follow(self, settings: Settings, asked: PairRequest) -> Iterator[PairState]:
        """The state whenever it changed, at most twelve times a second, until both answers are done.

        The last state is done unless it was stopped before the server had started. Raises what
        `Launch.step` and `PairStream.take` raise. Closing the iterator stops the answers.
        """
        state = PairState()
        server = yield from self._wait_for_server(settings, state)
        if server is None:
            return
        self._stream = PairStream(server, asked)
        try:
            yield from self._read(state)
        finally:
            self._stream.close()

    def stop(self, side: Side | None = None) -> None:
        """End one side or both at the next token. Raises ModelServerDown when the server does not hear."""
        if self._stream is not None:
            self._stream.stop(side)
        elif side is None:
            self._stop_asked.set()

    def _wait_for_server(self, settings: Settings, state: PairState) -> Iterator[PairState]:
        """Shows how the start goes; returns the server, or None when it was stopped meanwhile."""
        while (server := launch.step(settings)) is None:
            state.phase, state.waited = "Starting the model server", launch.seconds
            yield state
            if self._stop_asked.wait(LOOK):
                return None
        return server

    def _read(self, state: PairState) -> Iterator[PairState]:
        state.phase, began, ended = "Waiting for the model server", time.monotonic(), False
        while not ended:
            shown_at = time.monotonic()
            for event in self._stream.take(wait=LOOK):
                state.apply(event)
                ended = ended or event["type"] == "end"
            state.waited = 0.0 if state.has_text else time.monotonic() - began
            yield state
            time.sleep(max(0.0, shown_at + BETWEEN_STATES - time.monotonic()))


class Runs:
    """The pairs under way by the browser tab that asked for them: one a tab."""

    def __init__(self) -> None:
        self._runs: dict[str, PairRun] = {}
        self._lock = threading.Lock()

    def begin(self, tab: str) -> PairRun:
        """Raises ValueError while that tab's last one still runs."""
        with self._lock:
            if tab in self._runs:
                raise ValueError(
                    "A comparison is under way. Stop it, or wait until both answers are complete."
                )
            return self._runs.setdefault(tab, PairRun())

    def get(self, tab: str) -> PairRun | None:
        return self._runs.get(tab)

    def end(self, tab: str) -> None:
        with self._lock:
            self._runs.pop(tab, None)


runs = Runs()
