"""Workers and model servers: who is alive, told by a heartbeat and, on this host, by the process itself.

A pid alone is no identity (pids are reused): boot, pid and start time together are.
"""

import os
import socket
from datetime import datetime, timedelta
from pathlib import Path

import psutil
from sqlalchemy import select
from sqlalchemy.orm import Session

from db.enums import ProcessRole
from db.tables import Process
from db.tables.base import utc_now

FRESH = timedelta(seconds=20)
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")  # Linux


def register(session: Session, role: ProcessRole, *, address: str = "", token: str = "", **detail) -> Process:
    """Enter the calling process in the books."""
    process = Process(
        role=role,
        host=socket.gethostname(),
        boot=boot_id(),
        pid=os.getpid(),
        started=psutil.Process().create_time(),
        address=address,
        token=token,
        detail=detail,
    )
    session.add(process)
    session.flush()
    return process


def beat(session: Session, process_id: int, *, now: datetime | None = None, **detail) -> None:
    process = session.get_one(Process, process_id)
    process.heartbeat_at = now or utc_now()
    process.detail = {**process.detail, **detail}


def sign_off(session: Session, process_id: int) -> None:
    session.get_one(Process, process_id).stopped_at = utc_now()


def find_alive(session: Session, role: ProcessRole, *, now: datetime | None = None) -> Process | None:
    """The latest live process of that role, or None."""
    query = (
        select(Process).where(Process.role == role, Process.stopped_at.is_(None)).order_by(Process.id.desc())
    )
    return next((process for process in session.scalars(query) if is_alive(process, now=now)), None)


def terminate(session: Session, role: ProcessRole) -> None:
    """Ask the live process of that role to end, when it runs on this host."""
    process = find_alive(session, role)
    if process is not None and process.host == socket.gethostname():
        psutil.Process(process.pid).terminate()


def is_alive(process: Process, *, now: datetime | None = None) -> bool:
    """True while the heartbeat is fresh and, on this host and boot, the very process still runs."""
    if process.stopped_at is not None or (now or utc_now()) - process.heartbeat_at > FRESH:
        return False
    if process.host == socket.gethostname():
        return process.boot == boot_id() and is_running(process.pid, process.started)
    return True


def is_running(pid: int, started: float) -> bool:
    """True when the process of that pid began at `started` (seconds since the epoch) and is no zombie."""
    try:
        process = psutil.Process(pid)
        return abs(process.create_time() - started) < 1 and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def boot_id() -> str:
    """Which boot of this machine: the kernel's own id where it gives one, else the time it began."""
    return _BOOT_ID.read_text().strip() if _BOOT_ID.exists() else str(int(psutil.boot_time()))
