"""Requests and nothing else: how fast a scripted endpoint can be asked by a client that has no other work.

`python -m tests.bare_load URL --places 4 --seconds 3` keeps that many requests under way on as many open
connections, reads the replies to their last byte, throws them away, and prints the completions a second.
What an endpoint delivers here, on this machine at this moment, is the most that a run could get of it.
"""

import argparse
import asyncio
import json
import sys
import time
from itertools import count
from urllib.parse import urlsplit

PREFIX = "bare-"  # of its idempotency keys, by which its requests are told from a run's


async def pace(url: str, places: int, seconds: float, size: int) -> float:
    """Completions (HTTP 200) a second, over whole requests of about `size` bytes."""
    numbers, completed = count(), 0
    began = time.perf_counter()
    ends = began + seconds

    async def ask_on() -> None:
        nonlocal completed
        reader, writer = await asyncio.open_connection(urlsplit(url).hostname, urlsplit(url).port)
        while time.perf_counter() < ends:
            writer.write(_request(url, next(numbers), size))
            status = await _status(reader)  # on a line of its own: others count meanwhile
            completed += status == 200
        writer.close()

    await asyncio.gather(*(ask_on() for _ in range(places)))
    return completed / (time.perf_counter() - began)


def _request(url: str, number: int, size: int) -> bytes:
    message = {"role": "user", "content": "x" * size}
    body = json.dumps({"model": "bare", "messages": [message]}).encode()
    head = (
        f"POST {urlsplit(url).path}/chat/completions HTTP/1.1\r\nHost: {urlsplit(url).netloc}\r\n"
        f"Idempotency-Key: {PREFIX}{number}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def _status(reader: asyncio.StreamReader) -> int:
    """The status of a reply that was read to its end."""
    first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower().split("\r\n")
    length = next(line.partition(":")[2] for line in lines if line.startswith("content-length:"))
    await reader.readexactly(int(length))
    return int(first.split()[1])


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bare_load", description=__doc__)
    parser.add_argument("url")
    parser.add_argument("--places", type=int, default=4)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--bytes", type=int, default=16_000, help="of a request's message")
    options = parser.parse_args()
    found = asyncio.run(pace(options.url, options.places, options.seconds, options.bytes))
    sys.stdout.write(f"{found:.2f}\n")


if __name__ == "__main__":
    main()
