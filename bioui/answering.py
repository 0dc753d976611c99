"""Answers on their way: wait for the model server, follow every source of them, stop when told.

Knows neither Gradio nor the database's comparisons: it turns a question into states to show.
"""

import queue
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from uuid import uuid4

from bioui.components.answers import AnswersState
from bioui.endpoint_stream import EndpointAsk, EndpointStream
from bioui.model_server import CompareRequest, CompareStream, Launch
from db.compare_spec import Sampling, SideSpec
from db.settings import Settings

BETWEEN_STATES = 1 / 12  # seconds; a page that is told more often only gets slower
LOOK = 0.25  # seconds that one step may wait: whoever closes the page waits for the step to end
BUSY = "A comparison is under way. Stop it, or wait until all answers are complete."

launch = Launch()  # the one start of the model server that everybody in this process waits for


@dataclass(frozen=True)
class Question:
    """Who is asked what. `sides` and `messages` are in the order of the columns.

    `elsewhere` are the columns that endpoints answer; the model server answers all others.
    """

    sides: tuple[SideSpec, ...]
    messages: tuple[tuple[dict[str, str], ...], ...]
    sampling: Sampling
    elsewhere: tuple[EndpointAsk, ...] = ()

    @property
    def here(self) -> list[int]:
        """The columns that the model server answers."""
        away = {one.position for one in self.elsewhere}
        return [position for position in range(len(self.sides)) if position not in away]

    def request(self) -> CompareRequest:
        """For the model server, under an id that nobody can guess."""
        asked = [self.messages[position] for position in self.here]
        return CompareRequest(
            request_id=uuid4().hex,
            sides=tuple(self.sides[position] for position in self.here),
            messages=tuple(asked[:1] if all(one == asked[0] for one in asked) else asked),
            max_tokens=self.sampling.max_tokens,
            temperature=self.sampling.temperature,
            seed=self.sampling.seed,
        )


class Answering:
    """The answers to one question, for the page that follows them and for those who stop them.

    `order` are the columns as the page shows them, from left to right.
    """

    def __init__(self, order: tuple[int, ...] = ()) -> None:
        self.order = order
        self._stop_asked = threading.Event()
        self._events: queue.SimpleQueue[dict | Exception] = queue.SimpleQueue()
        self._streams: list[CompareStream | EndpointStream] = []

    def follow(self, settings: Settings, question: Question, state: AnswersState) -> Iterator[AnswersState]:
        """`state` whenever it may have changed, at most twelve times a second, until every answer is done.

        Raises what `Launch.step` raises, ValueError with the field for what the model server refuses,
        ModelServerDown when it goes away. Closing the iterator stops the answers.
        """
        waits_for_server, ends, began = bool(question.here), 0, time.monotonic()
        try:
            if question.elsewhere:
                self._streams.append(EndpointStream(question.elsewhere, self._events))
                state.phase = "Asking the endpoint"
            while waits_for_server or ends < len(self._streams):
                shown_at = time.monotonic()
                if waits_for_server:
                    waits_for_server = not self._begin_here(settings, question, state)
                ends += self._take(state)
                state.waited = 0.0 if state.has_text else time.monotonic() - began
                yield state
                time.sleep(max(0.0, shown_at + BETWEEN_STATES - time.monotonic()))
        finally:
            for stream in self._streams:
                stream.close()

    def stop(self, position: int | None = None) -> None:
        """End one column or all at the next token. Raises ModelServerDown when the server does not hear."""
        if position is None:
            self._stop_asked.set()
        for stream in list(self._streams):
            stream.stop(position)

    def _begin_here(self, settings: Settings, question: Question, state: AnswersState) -> bool:
        """Ask the model server once it is up; True when it was asked, or nobody wants it any more."""
        if self._stop_asked.is_set():
            for position in question.here:
                state.columns[position].finish_reason = "cancelled"
            return True
        server = launch.step(settings)
        if server is None:
            state.phase = "Starting the model server"
            return False
        state.phase = "Waiting for the model server"
        self._streams.append(CompareStream(server, question.request(), self._events, question.here))
        if self._stop_asked.is_set():  # between the two looks at it
            self._streams[-1].stop()
        return True

    def _take(self, state: AnswersState) -> int:
        """Put the events that came into `state`, waiting a moment for a first one; how many sources ended."""
        ends = 0
        with suppress(queue.Empty):
            event = self._events.get(timeout=LOOK)
            while True:
                if isinstance(event, Exception):
                    raise event
                if event["type"] == "problem":
                    state.columns[event["position"]].problem = event["message"]
                ends += event["type"] == "end"
                state.apply(event)
                event = self._events.get_nowait()
        return ends


class Runs:
    """The answers under way by the browser tab that asked for them: one question a tab."""

    def __init__(self) -> None:
        self._runs: dict[str, Answering] = {}
        self._lock = threading.Lock()

    def begin(self, tab: str, order: tuple[int, ...] = ()) -> Answering:
        """Raises ValueError while that tab's last one still runs."""
        with self._lock:
            if tab in self._runs:
                raise ValueError(BUSY)
            return self._runs.setdefault(tab, Answering(order))

    def get(self, tab: str) -> Answering | None:
        return self._runs.get(tab)

    def end(self, tab: str) -> None:
        with self._lock:
            self._runs.pop(tab, None)


runs = Runs()
