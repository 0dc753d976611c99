"""The HTTP transport under the `openai` client: where it connects to, and how much of a reply it takes.

The name is resolved here and the connection made to the very address that was looked at, so a name that
resolves to something else a moment later leads nowhere (DNS rebinding). Certificates are still checked
against the name. Environment variables naming a proxy are not heeded, for a proxy would resolve it again.

A reply is bounded in bytes and, from the first byte sent to the last received, in seconds: a server that
never ends must hold neither memory nor a place. At most so many requests are under way; others wait here,
ready to leave, which is why building a request and reading a reply cost the endpoint no idle moment.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable

import httpx2

from db import addresses

MAX_BYTES = 16 * 2**20  # of one reply: some four million tokens
_RESOLVED_FOR = 60.0  # seconds that an answer of the name server is used


class ReplyTooLong(httpx2.TransportError):
    """A reply went on beyond MAX_BYTES."""


class AddressRefused(httpx2.TransportError):
    """The name leads to an address that may not be talked to. The message is a sentence for people."""


class CheckedTransport(httpx2.AsyncHTTPTransport):
    """`private` allows loopback, link-local and private addresses: an admin's consent stands on the row."""

    def __init__(
        self,
        *,
        private: bool,
        at_once: int,
        timeout: float,
        leaving: Callable[[str], None] | None = None,
    ) -> None:
        """`at_once` requests under way at most, each for `timeout` seconds at most.

        `leaving` is told the idempotency key of each request that takes its place, before anything is sent.
        """
        limits = httpx2.Limits(max_connections=None, max_keepalive_connections=at_once)
        super().__init__(trust_env=False, limits=limits)
        self._private, self._timeout, self._leaving = private, timeout, leaving
        self._places = asyncio.Semaphore(at_once)
        self._resolved: dict[tuple[str, int], tuple[float, list[str]]] = {}

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        await self._places.acquire()
        ends = asyncio.get_running_loop().time() + self._timeout
        try:
            if self._leaving is not None:
                self._leaving(request.headers["Idempotency-Key"])
            async with asyncio.timeout_at(ends):
                response = await self._connect(request)
        except TimeoutError as error:
            self._places.release()
            raise httpx2.ReadTimeout("no reply", request=request) from error
        except BaseException:
            self._places.release()
            raise
        response.stream = _Bounded(response.stream, request, ends, self._places)
        return response

    async def _connect(self, request: httpx2.Request) -> httpx2.Response:
        host = request.url.host
        port = request.url.port or (443 if request.url.scheme == "https" else 80)
        found = await self._resolve(host, port)
        for address in found[:-1]:
            try:
                return await super().handle_async_request(_aimed(request, host, address))
            except httpx2.ConnectError:
                continue
        return await super().handle_async_request(_aimed(request, host, found[-1]))

    async def _resolve(self, host: str, port: int) -> list[str]:
        known = self._resolved.get((host, port))
        if known and time.monotonic() - known[0] < _RESOLVED_FOR:
            return known[1]
        answer = await asyncio.get_running_loop().getaddrinfo(host, port, type=1)
        try:
            found = addresses.allowed_addresses(host, addresses.addresses_in(answer), private=self._private)
        except ValueError as error:
            raise AddressRefused(str(error)) from error
        self._resolved[host, port] = (time.monotonic(), found)
        return found


class _Bounded(httpx2.AsyncByteStream):
    """A reply's bytes, up to MAX_BYTES and until the loop's clock says `ends`. Closed, it frees its place."""

    def __init__(self, stream, request: httpx2.Request, ends: float, places: asyncio.Semaphore) -> None:
        self._stream, self._request, self._ends = stream, request, ends
        self._places: asyncio.Semaphore | None = places

    async def __aiter__(self) -> AsyncIterator[bytes]:
        left = MAX_BYTES
        pieces = aiter(self._stream)
        while True:
            try:
                async with asyncio.timeout_at(self._ends):
                    piece = await anext(pieces)
            except StopAsyncIteration:
                return
            except TimeoutError as error:
                raise httpx2.ReadTimeout("the reply did not end", request=self._request) from error
            left -= len(piece)
            if left < 0:
                raise ReplyTooLong(f"more than {MAX_BYTES:,} bytes", request=self._request)
            yield piece

    async def aclose(self) -> None:
        try:
            await self._stream.aclose()
        finally:
            if self._places is not None:
                self._places.release()
                self._places = None


def _aimed(request: httpx2.Request, host: str, address: str) -> httpx2.Request:
    """The request to that address, by its own name in the Host header and in the TLS handshake."""
    if address == host:
        return request
    return httpx2.Request(
        request.method,
        request.url.copy_with(host=address),
        headers=request.headers,
        stream=request.stream,
        extensions={**request.extensions, "sni_hostname": host},
    )
