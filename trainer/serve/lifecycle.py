"""How the server comes and goes: one at a time, in the books while it lives, gone when nobody asks."""

import asyncio
import fcntl
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import uvicorn
from sqlalchemy.exc import NoResultFound, OperationalError

from db import processes
from db.enums import ProcessRole
from db.session import write
from trainer.serve.engine import Engine

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
    """The server's line in the books: written when it listens, renewed while it lives, closed at its end."""

    engine: Engine
    address: str
    token: str
    idle_seconds: float
    leave: Callable[[], None]  # ask the server to end
    period: float = 5.0  # seconds between heartbeats

    @asynccontextmanager
    async def kept(self, _app) -> AsyncIterator[None]:
        """The application's lifespan."""
        process_id = await asyncio.to_thread(self._register)
        beating = asyncio.create_task(self._beat_on(process_id))
        try:
            yield
        finally:
            beating.cancel()
            await asyncio.to_thread(self._sign_off, process_id)

    async def _beat_on(self, process_id: int) -> None:
        while True:
            await asyncio.sleep(min(self.period, self.idle_seconds))
            try:
                await asyncio.to_thread(self._beat, process_id)
            except OperationalError:
                logger.warning("the database was busy; the next heartbeat will tell")
            except NoResultFound:
                logger.warning("this server is in the books no more; it ends")
                self.leave()
            if self.engine.idle_seconds() >= self.idle_seconds:
                logger.info(
                    "nobody asked for %.0f s; the server ends and frees its memory", self.idle_seconds
                )
                self.leave()

    def _register(self) -> int:
        with write() as session:
            return processes.register(
                session, ProcessRole.MODEL_SERVER, address=self.address, token=self.token
            ).id

    def _beat(self, process_id: int) -> None:
        with write() as session:
            processes.beat(session, process_id, loaded=self.engine.loaded, queue=self.engine.queue_length)

    def _sign_off(self, process_id: int) -> None:
        with write() as session:
            processes.sign_off(session, process_id)
