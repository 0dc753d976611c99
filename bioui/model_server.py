"""The model server as the browser side sees it: find it, start it when it is needed, stream a pair from it.

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
from db.enums import ProcessRole, Side
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
class PairRequest:
    """What both sides are asked. `messages` are {"role", "content"} in order, the last from the user."""

    request_id: str
    adapter_id: int
    messages: tuple[dict[str, str], ...]
    max_tokens: int
    temperature: float
    seed: int


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


class PairStream:
    """One pair under way. A thread reads the events, so that no slow token holds whoever shows them.

    The events are dicts with "type": start, delta, done or end, as the model server's route /v1/pair tells.
    """

    def __init__(self, server: Server, asked: PairRequest) -> None:
        self._server = server
        self._asked = asked
        self._events: queue.SimpleQueue[dict | Exception] = queue.SimpleQueue()
        self._ended = threading.Event()
        threading.Thread(target=self._read, name="pair-stream", daemon=True).start()

    def take(self, *, wait: float) -> list[dict]:
        """The events that came since the last call; waits up to `wait` seconds for a first one.

        Raises ValueError with the field for what was refused, ModelServerDown when the server went away.
        """
        events: list[dict] = []
        with suppress(queue.Empty):
            events.append(_event(self._events.get(timeout=wait)))
            while True:
                events.append(_event(self._events.get_nowait()))
        return events

    def stop(self, side: Side | None = None) -> None:
        """Ask for the end of one side or both, at the next token. What was said so far stays."""
        if self._ended.is_set():
            return
        path = f"/v1/pair/{self._asked.request_id}/stop"
        try:
            with self._server.client(timeout=5.0) as client:
                client.post(path, json={"side": side})
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
            with self._server.client(timeout=ANSWER_WITHIN) as client:
                for event in _read_pair(client, self._asked):
                    self._events.put(event)
        except (ValueError, LookupError) as error:
            self._events.put(error)
        except httpx.TransportError:
            self._events.put(ModelServerDown("The model server went away while it answered. Compare again."))
        finally:
            self._ended.set()


def _read_pair(client: httpx.Client, asked: PairRequest) -> Iterator[dict]:
    """The events of one pair, to the end. Raises what `PairStream.take` raises."""
    with client.stream("POST", "/v1/pair", json=asdict(asked)) as response:
        if response.status_code != httpx.codes.OK:
            response.read()
            raise _refusal(response)
        for line in response.iter_lines():
            if not line.startswith("data:"):
                continue
            event = json.loads(line.removeprefix("data:"))
            if event["type"] == "error":
                raise _bad_field(event["message"], event.get("field"))
            yield event
            if event["type"] == "end":
                return
    raise ModelServerDown("The model server ended before the answers did. Compare again.")


def _event(item: dict | Exception) -> dict:
    if isinstance(item, Exception):
        raise item
    return item


def _refusal(response: httpx.Response) -> Exception:
    """The error that an HTTP answer other than 200 stands for."""
    try:
        error = response.json()["error"]
        message, field = error["message"], error.get("param")
    except (ValueError, LookupError, TypeError):
        message, field = "", None
    if response.is_client_error and message:
        return _bad_field(message, field)
    return ModelServerDown(f"The model server failed (HTTP {response.status_code}). Compare again.")


def _bad_field(message: str, field: str | None) -> ValueError:
    return ValueError(f"{field}: {message}" if field else message)
