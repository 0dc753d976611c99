"""Room on a GPU: the model server of this machine is asked to leave it before a run takes it.

The server lets the answer under way end and goes by itself; one that has not gone in time is not waited for.
"""

import logging
from collections.abc import Sequence

from db import processes
from db.enums import ProcessRole
from db.session import read, write
from db.tables import Job, Process
from trainer.serve.places import LEAVE_WITHIN, needs_gpu

logger = logging.getLogger("trainer.worker")

PATIENCE = LEAVE_WITHIN + 30.0  # seconds; what the server gives its answer, and then some to end


class Room:
    """Remembers which server was asked, and when. `now` is monotonic."""

    def __init__(self) -> None:
        self._asked: dict[int, float] = {}  # by the server's process id

    def is_made(self, job: Job, places: Sequence[str], now: float) -> bool:
        """True when `job` may take `places`; else the servers there were asked to leave."""
        with read() as s:
            servers = processes.list_alive(s, ProcessRole.MODEL_SERVER, here=True)
        there = [server for server in servers if _place_of(server) in places]
        for server in there:
            if server.id not in self._asked:
                self._asked[server.id] = now
                self._ask(job)
        return all(now - self._asked[server.id] >= PATIENCE for server in there)

    def _ask(self, job: Job) -> None:
        reason = needs_gpu(job)
        logger.info("the model server is asked to leave: %s", reason)
        with write() as s:
            processes.ask_to_leave(s, ProcessRole.MODEL_SERVER, reason)


def _place_of(server: Process) -> str | None:
    """The GPU it holds; None for a server that computes on the CPU."""
    is_on_gpu = str(server.detail.get("device", "")).startswith("cuda")
    return server.detail.get("gpu", "0") if is_on_gpu else None
