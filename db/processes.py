"""Workers and model servers: who is alive, told on this machine by the process itself, else by a heartbeat.

A pid alone is no identity (pids are reused): boot, pid and start time together are. The start is counted from
the boot, not from the epoch, for a wall clock that is set would make every live process another one.
"""

import os
from datetime import datetime, timedelta
from pathlib import Path

import psutil
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from db.enums import ProcessRole
from db.heartbeats import Heartbeats
from db.settings import machine_name
from db.tables import Process
from db.tables.base import utc_now

FRESH = timedelta(seconds=20)
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")  # Linux
_seen = Heartbeats()  # of the processes of other machines


def register(session: Session, role: ProcessRole, *, address: str = "", token: str = "", **detail) -> Process:
    """Enter the calling process in the books."""
    process = Process(
        role=role,
        host=machine_name(),
        boot=boot_id(),
        pid=os.getpid(),
        started=started_at(os.getpid()),
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


def sign_off(session: Session, process_id: int, *, reason: str = "") -> None:
    """Note that the process ends, and why, where a person may want to know."""
    process = session.get_one(Process, process_id)
    process.stopped_at = utc_now()
    process.leave_reason = process.leave_reason or reason


def ask_to_leave(session: Session, role: ProcessRole, reason: str) -> None:
    """Ask the live processes of that role on this machine to end by themselves; `reason` is one sentence for
    people. Who was asked before keeps the first reason."""
    for process in list_alive(session, role, here=True):
        process.leave_reason = process.leave_reason or reason


def leave_reason(session: Session, process_id: int) -> str:
    """Why the process is to end; "" while it may stay. Raises NoResultFound."""
    return session.scalars(select(Process.leave_reason).where(Process.id == process_id)).one()


def last_leave_reason(session: Session) -> str:
    """Why the model server that lived last has left, or is about to; "" when it lives on, died, or was
    stopped by hand."""
    latest = select(Process.leave_reason).where(Process.role == ProcessRole.MODEL_SERVER)
    return session.scalar(latest.order_by(Process.id.desc()).limit(1)) or ""


def list_alive(
    session: Session, role: ProcessRole, *, now: datetime | None = None, here: bool = False
) -> list[Process]:
    """The live processes of that role, the latest first; with `here`, those of this machine."""
    query = (
        select(Process).where(Process.role == role, Process.stopped_at.is_(None)).order_by(Process.id.desc())
    )
    if here:
        query = query.where(Process.host == machine_name())
    return [process for process in session.scalars(query) if is_alive(process, now=now)]


def find_alive(
    session: Session, role: ProcessRole, *, now: datetime | None = None, here: bool = False
) -> Process | None:
    """The latest of them, or None."""
    return next(iter(list_alive(session, role, now=now, here=here)), None)


def list_others(session: Session, role: ProcessRole, *, within: float) -> list[Process]:
    """The latest process of that role on each other machine heard of `within` so many seconds, signed off or
    not: a machine that starts anew is soon back. Wall clocks are compared, so `within` is no short time."""
    since = utc_now() - timedelta(seconds=within)
    latest = select(func.max(Process.id)).where(Process.role == role).group_by(Process.host)
    query = select(Process).where(
        Process.id.in_(latest), Process.host != machine_name(), Process.heartbeat_at > since
    )
    return list(session.scalars(query))


def terminate(session: Session, role: ProcessRole) -> None:
    """Ask the live processes of that role to end that run on this machine."""
    for process in list_alive(session, role, here=True):
        psutil.Process(process.pid).terminate()


def is_alive(process: Process, *, now: datetime | None = None) -> bool:
    """True while the very process still runs, on this machine; on another, while its heartbeat goes on.

    A heartbeat looked at for the first time is held against the wall clock, which may be off by FRESH either
    way; from then on what counts is how long it has stood still.
    """
    if process.stopped_at is not None:
        return False
    if is_here(process):
        return is_running(process.pid, process.started)
    if process.host == machine_name():  # an earlier boot
        return False
    silence = _seen.silence(process.id, process.heartbeat_at)
    if silence is None:
        return abs((now or utc_now()) - process.heartbeat_at) <= FRESH
    return silence <= FRESH.total_seconds()


def is_here(process: Process) -> bool:
    """True when it was started on this machine since its boot: it can be asked itself."""
    return process.host == machine_name() and process.boot == boot_id()


def is_running(pid: int, started: float) -> bool:
    """True when the process of that pid began at `started` (of `started_at`) and is no zombie."""
    try:
        return abs(started_at(pid) - started) < 1 and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def started_at(pid: int) -> float:
    """When the process began, seconds after the boot; 0 when there is none of that pid."""
    try:
        # The name stands in parentheses and may hold anything; field 22 is the 20th after it.
        after_name = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return int(after_name[19]) / os.sysconf("SC_CLK_TCK")
    except (OSError, IndexError):
        pass
    try:
        return psutil.Process(pid).create_time() - psutil.boot_time()
    except psutil.Error:
        return 0.0


def boot_id() -> str:
    """Which boot of this machine: the kernel's own id where it gives one, else the time it began."""
    return _BOOT_ID.read_text().strip() if _BOOT_ID.exists() else str(int(psutil.boot_time()))
