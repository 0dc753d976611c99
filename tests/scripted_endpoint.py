"""A real HTTP server that speaks OpenAI's chat completions and behaves as a script says: well, or badly.

In a test: `with ScriptedEndpoint(script) as endpoint:` runs it in a thread; `endpoint.url` is its base URL.
As a process: `python -m tests.scripted_endpoint --latency 0.05 --faults 0.08` prints its URL; a GET of /log
gives what it served, as JSON. The rows it replies with are invented from made-up words, no two alike.
"""

import argparse
import asyncio
import json
import random
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from hashlib import sha256

STEMS = (
    "bor",
    "cal",
    "den",
    "fir",
    "gan",
    "hep",
    "jor",
    "kel",
    "lum",
    "mer",
    "nor",
    "pex",
    "qui",
    "ras",
    "sil",
    "tor",
)
VERBS = ("Explain", "Compare", "Summarize", "Describe", "List", "Outline", "Classify", "Interpret")
TASKS = (("QA", "qa"), ("IE", "named_entity_recognition"), ("GEN", "lay_summary"), ("OTHER", "triage"))


class Act(StrEnum):
    """What the server does with one request."""

    GOOD = "good"
    CUT = "cut"  # the reply ends in the middle of a record: finish_reason "length"
    MALFORMED = "malformed"  # prose where JSON was asked for
    BUSY = "busy"  # 429 with Retry-After
    BROKEN = "broken"  # 500
    SLOW = "slow"
    ENDLESS = "endless"  # a body that drips and never ends
    DROPPED = "dropped"  # the connection is closed without an answer
    NO_KEY = "no_key"  # 401
    NO_MODEL = "no_model"  # 404
    NO_SCHEMA = "no_schema"  # 400 while a response_format is asked for, good without
    MOVED = "moved"  # 302 to another host
    UNCOUNTED = "uncounted"  # good, but without token counts
    NONSENSE = "nonsense"  # 200 with something that is no completion


FAULTS = (Act.CUT, Act.MALFORMED, Act.BUSY, Act.BROKEN)


@dataclass(frozen=True)
class Received:
    """One request: how many came before it, and how many of its idempotency key."""

    number: int
    key: str
    earlier: int
    body: dict
    headers: dict

    @property
    def secret(self) -> str:
        """The API key that came with it."""
        return self.headers.get("authorization", "").removeprefix("Bearer ")


@dataclass
class Served:
    """What became of a request. Times are seconds of the system's clock; `ended` 0 while it is under way."""

    key: str
    act: str
    status: int
    began: float
    ended: float = 0.0
    delivered: bool = False  # a whole completion was handed over


Script = Callable[[Received], Act]


def always(act: Act) -> Script:
    return lambda received: act


def in_turn(*acts: Act) -> Script:
    """The acts by the number of the request; the last one goes on."""
    return lambda received: acts[min(received.number, len(acts) - 1)]


def faulty(share: float, seed: int = 0) -> Script:
    """That share of the requests is cut, malformed, refused or broken, by lot over the call's number and try.

    The key's other half is drawn anew for each run: a lot over it would be another one every time.
    """

    def script(received: Received) -> Act:
        number = received.key.rpartition("-")[2]
        lot = sha256(f"{seed}/{number}/{received.earlier}".encode()).digest()
        fraction = int.from_bytes(lot[:4], "big") / 2**32
        return FAULTS[lot[4] % len(FAULTS)] if fraction < share else Act.GOOD

    return script


def rows_for(key: str, count: int) -> list[dict]:
    """Invented rows, the same for the same key: some twenty made-up words each, so that none are near."""
    dice = random.Random(key)
    rows = []
    for _ in range(count):
        category, task = dice.choice(TASKS)
        rows.append(
            {
                "instruction": f"{dice.choice(VERBS)} {_words(dice, 17)}.",
                "input": f"{_words(dice, 8).capitalize()}.",
                "output": f"{_words(dice, 12).capitalize()}.",
                "category": category,
                "task": task,
            }
        )
    return rows


def _words(dice: random.Random, count: int) -> str:
    return " ".join("".join(dice.choices(STEMS, k=3)) for _ in range(count))


@dataclass
class ScriptedEndpoint:
    """The server in a thread. `latency` is what every completion takes, in seconds.

    What it does may be changed while it runs: `script`, `latency`, `write`, `secret`.
    """

    script: Script = field(default_factory=lambda: always(Act.GOOD))
    latency: float = 0.0
    per_call: int = 5
    slow_seconds: float = 1.0
    retry_after: str = "0.05"
    port: int = 0
    write: Callable[[str, int], str] | None = None  # (key, rows) -> the text of a good reply
    secret: str = ""  # the API key it asks for; empty: none
    served: list[Served] = field(default_factory=list)
    received: list[Received] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._earlier: Counter[str] = Counter()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name="scripted-endpoint", daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    def __enter__(self) -> "ScriptedEndpoint":
        self._thread.start()
        assert self._ready.wait(10)
        return self

    def __exit__(self, *_exception) -> None:
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join(10)

    def _run(self) -> None:
        asyncio.run(self._serve())

    async def _serve(self) -> None:
        self._loop, self._over = asyncio.get_running_loop(), asyncio.Event()
        async with await self.start():
            self._ready.set()
            await self._over.wait()

    async def start(self) -> asyncio.Server:
        server = await asyncio.start_server(self._converse, "127.0.0.1", self.port, backlog=512)
        self.port = server.sockets[0].getsockname()[1]
        return server

    # One connection --------------------------------------------------------------------------------

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while (first := await reader.read(1)).isalpha():
                request = await _read(reader, first)
                if request is None or not await self._answer(writer, *request):
                    return
            if first:  # TLS, say: a server of plain HTTP says at once that it does not understand
                writer.write(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # whoever asked is gone, or the server ends
        finally:
            writer.close()

    async def _answer(self, writer: asyncio.StreamWriter, path: str, headers: dict, body: bytes) -> bool:
        """Whether the connection may be used again."""
        if path == "/log":
            await _send(writer, 200, [asdict(one) for one in self.served])
            return True
        key = headers.get("idempotency-key", "")
        received = Received(len(self.received), key, self._earlier[key], json.loads(body), headers)
        self._earlier[key] += 1
        self.received.append(received)
        act = Act.NO_KEY if self.secret not in ("", received.secret) else self.script(received)
        served = Served(key, act, 0, time.time())
        self.served.append(served)
        try:
            return await self._act(writer, act, received, served)
        finally:
            served.ended = time.time()

    async def _act(self, writer, act: Act, received: Received, served: Served) -> bool:
        if act is Act.NO_SCHEMA:
            refused = "response_format" in received.body
            act = act if refused else Act.GOOD
        if act in _REFUSALS:
            served.status, text = _REFUSALS[act]
            text = text.format(secret=received.secret)
            more = {
                Act.BUSY: {"Retry-After": self.retry_after},
                Act.MOVED: {"Location": "http://other.test/v1"},
            }
            error = {"error": {"message": text, "type": "scripted", "param": None, "code": None}}
            await _send(writer, served.status, error, more.get(act))
            return True
        if act is Act.DROPPED:
            return False
        await asyncio.sleep(self.slow_seconds if act is Act.SLOW else self.latency)
        served.status = 200
        if act is Act.ENDLESS:
            await _drip(writer)
        if act is Act.NONSENSE:
            await _send(writer, 200, {"hello": "there"})
            return True
        await _send(writer, 200, self._completion(act, received))
        served.delivered = True
        return True

    def _completion(self, act: Act, received: Received) -> dict:
        text = self._text(received.key or str(received.number))
        reason = "stop"
        if act is Act.CUT:
            text, reason = text[: len(text) * 3 // 4], "length"
        elif act is Act.MALFORMED:
            text = "Of course. Here are some ideas that may be of use to you, in no particular order."
        told = " ".join(message["content"] for message in received.body["messages"])
        usage = {"prompt_tokens": len(told) // 4, "completion_tokens": len(text) // 4}
        usage["total_tokens"] = sum(usage.values())
        message = {"role": "assistant", "content": text}
        return {
            "id": f"chatcmpl-{received.number}",
            "object": "chat.completion",
            "created": int(time.time()),
            "model": received.body["model"],
            "choices": [{"index": 0, "message": message, "finish_reason": reason}],
            **({} if act is Act.UNCOUNTED else {"usage": usage}),
        }

    def _text(self, key: str) -> str:
        if self.write is not None:
            return self.write(key, self.per_call)
        return json.dumps({"instructions": rows_for(key, self.per_call)})


_REFUSALS = {
    Act.BUSY: (429, "Too many requests."),
    Act.BROKEN: (500, "Something broke."),
    Act.NO_KEY: (401, "Incorrect API key provided: {secret}."),  # servers do repeat it
    Act.NO_MODEL: (404, "The model does not exist."),
    Act.NO_SCHEMA: (400, "Unknown parameter: response_format."),
    Act.MOVED: (302, "Moved."),
}


async def _read(reader: asyncio.StreamReader, first: bytes) -> tuple[str, dict, bytes] | None:
    """Path, headers and body of the request that begins with that byte; None when the connection ends."""
    try:
        head = first + await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return None
    line, *lines = head.decode("latin-1").rstrip("\r\n").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    return line.split(" ")[1], headers, body


async def _send(writer: asyncio.StreamWriter, status: int, body, headers: dict | None = None) -> None:
    data = json.dumps(body).encode()
    head = [f"HTTP/1.1 {status} Scripted", "Content-Type: application/json", f"Content-Length: {len(data)}"]
    head += [f"{name}: {value}" for name, value in (headers or {}).items()]
    writer.write("\r\n".join(head).encode() + b"\r\n\r\n" + data)
    await writer.drain()


async def _drip(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n")
    while True:
        writer.write(b"1\r\n \r\n")
        await writer.drain()
        await asyncio.sleep(0.02)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.scripted_endpoint", description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--latency", type=float, default=0.05, help="seconds a completion takes")
    parser.add_argument("--faults", type=float, default=0.0, help="share of faulty replies")
    parser.add_argument("--per-call", type=int, default=5, help="rows in a reply")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    endpoint = ScriptedEndpoint(
        faulty(options.faults, options.seed), options.latency, options.per_call, port=options.port
    )

    async def serve() -> None:
        async with await endpoint.start() as server:
            sys.stdout.write(endpoint.url + "\n")
            sys.stdout.flush()
            await server.serve_forever()

    asyncio.run(serve())


if __name__ == "__main__":
    main()
