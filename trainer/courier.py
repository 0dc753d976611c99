"""The courier: a thread of the worker that tells projects' webhooks which runs have ended, and tries again.

The name is resolved and the address looked at by the same transport that endpoints are asked through; no
redirect is followed. Neither the address nor the secret reaches the log.
"""

import asyncio
import logging
import threading

import httpx2
from sqlalchemy.exc import OperationalError

from db import notices
from db.asking.transport import AddressRefused, CheckedTransport
from db.notices import Delivery
from db.session import read, write

logger = logging.getLogger("trainer.worker")

LOOK = 2.0  # seconds between two looks for notices
TIMEOUT = 15.0  # seconds for a whole request
PAUSES = (5.0, 30.0, 120.0, 600.0, 1800.0)  # seconds after each try in vain


class Courier:
    """Works until `stop`. What it leaves unsent the next worker's courier sends."""

    def __init__(self, address: str, *, pauses: tuple[float, ...] = PAUSES) -> None:
        """`address` is where people find the studio, for the links."""
        self.address, self.pauses = address, pauses
        self._rests: dict[tuple[int, int], float] = {}  # (notice, tries) -> seconds it still rests
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work, name="courier", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Without waiting for a request under way: its try is counted, and made again."""
        self._stop.set()

    def _work(self) -> None:
        while not self._stop.wait(LOOK):
            try:
                self.send_due(LOOK)
            except OperationalError as error:  # a busy or restarting database
                logger.warning("database: %s", error.orig)

    def send_due(self, passed: float) -> None:
        """Try every notice whose rest is over, `passed` seconds after the last call."""
        with read() as s:
            unsent = notices.list_unsent(s)
        keys = [(notice.id, notice.tries) for notice in unsent]
        # A try of another worker's courier makes a notice rest here too: it may be under way.
        self._rests = {key: self._rests.get(key, self._pause_after(key[1])) - passed for key in keys}
        for notice in unsent:
            if self._rests[notice.id, notice.tries] > 0 or self._stop.is_set():
                continue
            with write() as s:
                delivery = notices.take(s, notice, address=self.address)
            if delivery is not None:
                self._deliver(delivery)

    def _deliver(self, delivery: Delivery) -> None:
        error = asyncio.run(post(delivery))
        with write() as s:
            notices.settle(s, delivery, error)
        said = error or "taken"
        logger.info("notice of job %d, try %d: %s", delivery.body["job"], delivery.try_number, said)

    def _pause_after(self, tries: int) -> float:
        return self.pauses[min(tries, len(self.pauses)) - 1] if tries else 0.0


async def post(delivery: Delivery, *, timeout: float = TIMEOUT) -> str:
    """Send the body as JSON; one sentence for what went wrong, empty for an answer of 2xx."""
    webhook = delivery.webhook
    if webhook.secret_variable and not webhook.secret:
        return f"secret variable: {webhook.secret_variable} is not set where the worker runs."
    headers = {"Authorization": f"Bearer {webhook.secret}"} if webhook.secret else {}
    transport = CheckedTransport(private=webhook.private, at_once=1, timeout=timeout)
    try:
        async with httpx2.AsyncClient(transport=transport, trust_env=False, timeout=timeout) as client:
            answer = await client.post(webhook.url, json=delivery.body, headers=headers)
    except AddressRefused as error:
        return str(error).replace("base url: ", "webhook: ").replace("on the endpoint", "in its settings")
    except (httpx2.HTTPError, OSError) as error:
        return f"webhook: its server gave no answer ({type(error).__name__})."
    if answer.is_success:
        return ""
    return f"webhook: its server answered with status {answer.status_code}."
