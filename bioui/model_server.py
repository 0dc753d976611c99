"""The model server as the browser side sees it: find it, start it when it is needed, stream answers from it.

It knows HTTP and the table of processes, nothing of Gradio. Prompts and answers are never logged here.
"""

import json
import os
import queue
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import httpx

from db import processes
from db.compare_spec import SideSpec
from db.enums import ProcessRole
from db.session import read
from db.settings import REPOSITORY, Settings

COMMAND = (sys.executable, "-m", "trainer", "serve")
START_WITHIN = 90.0  # seconds; importing torch on two busy cores takes up to thirty
ANSWER_WITHIN = 300.0  # seconds of silence: a large base may load, and others may be before us in the queue


class ModelServerDown(LookupError):
    """There is no model server, or it went away. The message says where its log is."""


@dataclass(frozen=True)
class Server:
    """Where a live model server listens, and the token it asks for."""

    address: str
    token: str

    def client(self, *, timeout: float) -> httpx.Client:
        # trust_env: a proxy named in the environment has no business between two processes of one machine.
        return httpx.Client(
            base_url=self.address,
            headers={"Authorization": f"Bearer {self.token}"},
            timeout=httpx.Timeout(5.0, read=timeout),
            trust_env=False,
        )


@dataclass(frozen=True)
class CompareRequest:
    """What the sides are asked, all of them on one base.

    `messages` holds one list for all sides, or one a side: {"role", "content"} in order, the user's last.
    """

    request_id: str
    sides: tuple[SideSpec, ...]
    messages: tuple[tuple[dict[str, str], ...], ...]
    max_tokens: int
    temperature: float
    seed: int

    def body(self) -> dict:
        """As the model server reads it."""
        return {**asdict(self), "sides": [_side(side) for side in self.sides]}


def log_path(settings: Settings) -> Path:
    return settings.logs_dir / "model_server.log"


def find() -> Server | None:
    """The live model server, or None."""
    with read() as session:
        process = processes.find_alive(session, ProcessRole.MODEL_SERVER)
        return Server(process.address, process.token) if process else None


# Starting -------------------------------------------------------------------------------------------


class Launch:
    """A start of the model server by this process. Everyone who needs the server shares it and waits."""

    def __init__(self, command: Sequence[str] = COMMAND) -> None:
        self._command = tuple(command)
        self._lock = threading.Lock()
        self._process: subprocess.Popen | None = None
        self._began = 0.0
        self._log_began = 0
        self._was_up = False

    @property
    def seconds(self) -> float:
        """How long the start has taken so far."""
        return time.monotonic() - self._began

    def prepare(self, settings: Settings) -> None:
        """Start ahead of need, without waiting. Who needs the server will hear of a failure."""
        with suppress(ModelServerDown):
            self.step(settings)

    def step(self, settings: Settings) -> Server | None:
        """The live server; or None while it is starting, begun here if need be. Call again soon.

        Raises ModelServerDown when the start failed; the next call begins a new one.
        """
        with self._lock:
            server = find()
            if server is not None:
                self._was_up = True
                return server
            if self._process is None or (self._was_up and self._process.poll() is not None):
                self._start(settings)
            self._raise_if_failed(settings)
            return None

    def wait(self, settings: Settings, *, pause: float = 0.2) -> Server:
        """The live server, started if need be. Blocks up to START_WITHIN seconds."""
        while (server := self.step(settings)) is None:
            time.sleep(pause)
        return server

    def _start(self, settings: Settings) -> None:
        path = log_path(settings)
        self._began, self._was_up = time.monotonic(), False
        with path.open("ab") as log:
            self._log_began = log.tell()
            self._process = subprocess.Popen(
                self._command,
                cwd=REPOSITORY,
                env={**os.environ, **settings.environment()},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def _raise_if_failed(self, settings: Settings) -> None:
        code = self._process.poll()
        # An exit with 0 means that another start holds the lock: its server will register in a moment.
        if code in (None, 0) and self.seconds < START_WITHIN:
            return
        if code is None:
            self._process.kill()
            self._process.wait()
        reason = _last_words(log_path(settings), self._log_began) if code else "it took too long"
        self._process = None
        raise ModelServerDown(
            f"The model server did not start ({reason or f'exit code {code}'}). Try again; "
            f"if it fails again, its log says why: {log_path(settings)}"
        )


def _last_words(log: Path, since: int) -> str:
    """The kind of error that a log ends with ("OSError"), or "". Never the message: it may quote anything."""
    with log.open("rb") as file:
        file.seek(max(since, log.stat().st_size - 4096))
        lines = file.read().decode(errors="replace").strip().splitlines()
    kind = (
        re.match(r"([A-Za-z_.]*(?:Error|Exception|Interrupt|Killed))\b", lines[-1].strip()) if lines else None
    )
    return kind.group(1) if kind else ""


# Asking ---------------------------------------------------------------------------------------------


class CompareStream:
    """The answers of one comparison under way, read by a thread into `events`, so that no slow token holds
    whoever shows them.

    What is put there are dicts with "type" (start, queue, delta, done, end) as the model server's route
    /v1/compare tells them, or the exception that ended it: ValueError with the field for what was refused,
    ModelServerDown when the server went away. `positions` are the columns of the sides, in order.
    """

    def __init__(
        self,
        server: Server,
        asked: CompareRequest,
        events: queue.SimpleQueue,
        positions: Sequence[int],
        *,
        within: float = ANSWER_WITHIN,
    ) -> None:
        """`within` is how many seconds of silence are waited for."""
        self._server, self._asked = server, asked
        self._events, self._positions, self._within = events, tuple(positions), within
        self._ended = threading.Event()
        threading.Thread(target=self._read, name="compare-stream", daemon=True).start()

    def stop(self, position: int | None = None) -> None:
        """Ask for the end of one column or of all, at the next token. What was said so far stays.

        A column of somebody else's is none of ours. Raises ModelServerDown when the server does not hear.
        """
        if self._ended.is_set() or (position is not None and position not in self._positions):
            return
        path = f"/v1/compare/{self._asked.request_id}/stop"
        row = None if position is None else self._positions.index(position)
        try:
            with self._server.client(timeout=5.0) as client:
                client.post(path, json={"position": row})
        except httpx.TransportError as error:
            raise ModelServerDown(
                "The model server does not answer, so it could not be told to stop."
            ) from error

    def close(self) -> None:
        """Leave: whatever still runs is stopped, and nobody hears of it."""
        with suppress(ModelServerDown):
            self.stop()

    def _read(self) -> None:
        try:
            with self._server.client(timeout=self._within) as client:
                for event in _read_compare(client, self._asked):
                    self._events.put(self._placed(event))
        except (ValueError, LookupError) as error:
            self._events.put(error)
        except httpx.ReadTimeout:
            self._events.put(
                ModelServerDown(
                    f"The model server has said nothing for {self._within:.0f} seconds. A large base may "
                    "still be loading; if it stays silent, its log says why."
                )
            )
        except httpx.TransportError:
            self._events.put(_gone("went away while it answered"))
        finally:
            self._ended.set()

    def _placed(self, event: dict) -> dict:
        """The event with the column on the page in place of the server's row."""
        if "position" not in event:
            return event
        return {**event, "position": self._positions[event["position"]]}


def _read_compare(client: httpx.Client, asked: CompareRequest) -> Iterator[dict]:
    """The events of one comparison, to the end."""
    with client.stream("POST", "/v1/compare", json=asked.body()) as response:
        if response.status_code != httpx.codes.OK:
            response.read()
            raise _refusal(response)
        for line in response.iter_lines():
            if not line.startswith("data:"):
                continue
            event = json.loads(line.removeprefix("data:"))
            if event["type"] == "error":
                raise _trouble(event["message"], event.get("field"))
            yield event
            if event["type"] == "end":
                return
    raise _gone("ended before the answers did")


def _side(side: SideSpec) -> dict[str, int]:
    return {name: value for name, value in asdict(side).items() if value not in (None, "")}


def _gone(what: str) -> ModelServerDown:
    """Went away: with the reason it left in the books, if it had one."""
    with read() as session:
        reason = processes.last_leave_reason(session)
    return ModelServerDown(reason or f"The model server {what}.")


def _refusal(response: httpx.Response) -> Exception:
    """The error that an HTTP answer other than 200 stands for."""
    try:
        error = response.json()["error"]
        message, field = error["message"], error.get("param")
    except (ValueError, LookupError, TypeError):
        message, field = "", None
    if response.is_client_error and message:
        return ValueError(f"{field}: {message}" if field else message)
    if response.status_code == httpx.codes.SERVICE_UNAVAILABLE and message:  # it is about to leave
        return ModelServerDown(message)
    return ModelServerDown(f"The model server failed (HTTP {response.status_code}).")


def _trouble(message: str, field: str | None) -> Exception:
    """The error that an event stands for: about a field of the form, or else about the server itself."""
    return ValueError(f"{field}: {message}") if field else ModelServerDown(message)
