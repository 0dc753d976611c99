"""How the server comes and goes: one at a time, in the books while it lives, gone when nobody asks or when a
job needs its GPU."""

import asyncio
import fcntl
import logging
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import uvicorn
from sqlalchemy.exc import NoResultFound, OperationalError

from db import processes
from db.enums import ProcessRole
from db.session import read, write
from trainer.serve import places
from trainer.serve.engine import Engine
from trainer.serve.places import LEAVE_WITHIN, Place

logger = logging.getLogger(__name__)


def take_lock(path: Path) -> IO | None:
    """The open lock file, to be kept for as long as the process lives; None when another process has it."""
    file = path.open("w")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        return None
    return file


class Server(uvicorn.Server):
    """Signals set a flag and no more; then open streams end at their next token, not at their last."""

    def __init__(self, config: uvicorn.Config, engine: Engine) -> None:
        super().__init__(config)
        self._engine = engine

    def handle_exit(self, sig, frame) -> None:
        self.should_exit = True  # uvicorn's own would raise the signal again after signing off

    async def shutdown(self, sockets=None) -> None:
        self._engine.stop_all()
        await super().shutdown(sockets)


@dataclass(frozen=True)
class Presence:
    """The server's line in the books: written when it listens, renewed while it lives, closed at its end.

    Whoever needs its GPU writes there why it is to leave. Then it takes nobody in any more, lets the answer
    under way end, and goes.
    """

    engine: Engine
    place: Place
    address: str
    token: str
    idle_seconds: float
    leave: Callable[[], None]  # ask the server to end
    period: float = 5.0  # seconds between heartbeats
    look: float = 1.0  # seconds between two looks whether it is to leave

    @asynccontextmanager
    async def kept(self, _app) -> AsyncIterator[None]:
        """The application's lifespan."""
        process_id = await asyncio.to_thread(self._register)
        watching = asyncio.create_task(self._watch(process_id))
        try:
            yield
        finally:
            watching.cancel()
            await asyncio.to_thread(self._sign_off, process_id)

    async def _watch(self, process_id: int) -> None:
        beaten = asked = time.monotonic()
        while True:
            await asyncio.sleep(min(self.look, self.idle_seconds))
            now = time.monotonic()
            try:
                if not self.engine.leaving:
                    asked = now
                    await self._heed(await asyncio.to_thread(self._reason_to_leave, process_id))
                if now - beaten >= self.period:
                    await asyncio.to_thread(self._beat, process_id)
                    beaten = now
            except OperationalError:
                logger.warning("the database was busy; the next heartbeat will tell")
            except NoResultFound:
                logger.warning("this server is in the books no more; it ends")
                self.leave()
            if self.engine.leaving and (not self.engine.queue_length or now - asked > LEAVE_WITHIN):
                self.leave()

    async def _heed(self, reason: str) -> None:
        if not reason and self.engine.idle_seconds() >= self.idle_seconds:
            minutes = self.idle_seconds / 60
            reason = f"Nobody asked for {minutes:.3g} minutes, so it made its memory free."
        if reason:
            logger.info("leaving: %s", reason)
            self.engine.turn_away(reason)

    def _reason_to_leave(self, process_id: int) -> str:
        """What was written for this server, or the job that has come to its GPU all the same."""
        with read() as session:
            asked = processes.leave_reason(session, process_id)
            if asked or not self.place.gpu:
                return asked
            job = places.taken(session).get(self.place.gpu)
            return places.has_gpu(job) if job else ""

    def _register(self) -> int:
        told = {"device": self.place.device, "gpu": self.place.gpu, "reason": self.place.reason}
        with write() as session:
            return processes.register(
                session, ProcessRole.MODEL_SERVER, address=self.address, token=self.token, **told
            ).id

    def _beat(self, process_id: int) -> None:
        told = {"loaded": self.engine.loaded, "queue": self.engine.queue_length}
        if self.engine.device not in (None, self.place.device):  # torch cannot use the GPU that is there
            told |= {"device": self.engine.device, "gpu": ""}
        with write() as session:
            processes.beat(session, process_id, **told)

    def _sign_off(self, process_id: int) -> None:
        with write() as session:
            processes.sign_off(session, process_id, reason=self.engine.leaving)
