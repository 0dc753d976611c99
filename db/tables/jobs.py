from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from db.enums import AlertKind, JobKind, JobStatus, ProcessRole, StopMode
from db.tables.base import Base, utc_now
from db.tables.users import User


class Job(Base):
    """A piece of background work. `spec` is the frozen dataclass of its kind, as JSON."""

    __tablename__ = "jobs"
    __table_args__ = (Index(None, "status", "priority", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id"))
    kind: Mapped[JobKind]
    name: Mapped[str]
    spec: Mapped[dict[str, Any]]
    status: Mapped[JobStatus] = mapped_column(default=JobStatus.QUEUED)
    priority: Mapped[int] = mapped_column(default=0)  # higher goes first
    position: Mapped[float | None]  # among those of one priority, lower first; None: by id
    request_key: Mapped[str | None] = mapped_column(unique=True)  # the same key twice is the same job
    attempt: Mapped[int] = mapped_column(default=0)  # number of the latest attempt: the fencing token
    process_id: Mapped[int | None] = mapped_column(ForeignKey("processes.id"))
    resumed: Mapped[int] = mapped_column(default=0)  # times it went on by itself since a person asked
    cancel_requested_at: Mapped[datetime | None]
    stop_mode: Mapped[StopMode | None]  # what becomes of what was done, once cancelled
    phase: Mapped[str] = mapped_column(default="")
    step: Mapped[int] = mapped_column(default=0)
    total_steps: Mapped[int] = mapped_column(default=0)
    error: Mapped[str] = mapped_column(default="")  # one sentence for people
    result: Mapped[dict[str, Any]] = mapped_column(default=dict)
    note: Mapped[str] = mapped_column(default="")  # people's own words about it
    created_by_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    heartbeat_at: Mapped[datetime | None]

    created_by: Mapped[User] = relationship()


class Attempt(Base):
    """One run of a job by one worker. The child is known by boot, pid and start time: pids are reused."""

    __tablename__ = "attempts"

    id: Mapped[int] = mapped_column(primary_key=True)
    job_id: Mapped[int] = mapped_column(ForeignKey("jobs.id"), index=True)
    number: Mapped[int]
    process_id: Mapped[int] = mapped_column(ForeignKey("processes.id"))
    child_pid: Mapped[int | None]
    child_started: Mapped[float | None]  # seconds since the boot
    device: Mapped[str] = mapped_column(default="")  # the GPU's number, "" for none
    external_id: Mapped[str] = mapped_column(default="")  # its number at Slurm
    started_at: Mapped[datetime] = mapped_column(default=utc_now)
    ended_at: Mapped[datetime | None]
    exit_code: Mapped[int | None]


class Metric(Base):
    """One measured value of a job at one step."""

    __tablename__ = "metrics"
    # The second holds all that a curve is drawn from.
    __table_args__ = (Index(None, "job_id", "id"), Index(None, "job_id", "name", "attempt", "step", "value"))

    id: Mapped[int] = mapped_column(primary_key=True)
    job_id: Mapped[int] = mapped_column(ForeignKey("jobs.id"))
    attempt: Mapped[int]
    step: Mapped[int]
    name: Mapped[str]
    value: Mapped[float]
    at: Mapped[datetime] = mapped_column(default=utc_now)


class Alert(Base):
    """Something a person should look at in a run that goes on. One of a kind an attempt."""

    __tablename__ = "alerts"

    id: Mapped[int] = mapped_column(primary_key=True)
    job_id: Mapped[int] = mapped_column(ForeignKey("jobs.id"), index=True)
    attempt: Mapped[int]
    step: Mapped[int]
    kind: Mapped[AlertKind]
    sentence: Mapped[str]
    at: Mapped[datetime] = mapped_column(default=utc_now)


class SampleAnswer(Base):
    """What the model in training answered to a fixed prompt at one step: a picture of the film strip."""

    __tablename__ = "sample_answers"
    __table_args__ = (Index(None, "job_id", "step"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    job_id: Mapped[int] = mapped_column(ForeignKey("jobs.id"))
    attempt: Mapped[int]
    step: Mapped[int]
    number: Mapped[int]  # of the prompt
    prompt: Mapped[str]
    answer: Mapped[str]
    at: Mapped[datetime] = mapped_column(default=utc_now)


class Notice(Base):
    """A word for the project's webhook that a run has ended, kept until it was taken."""

    __tablename__ = "notices"
    __table_args__ = (UniqueConstraint("job_id", "attempt"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    job_id: Mapped[int] = mapped_column(ForeignKey("jobs.id"))
    attempt: Mapped[int]
    body: Mapped[dict[str, Any]]  # as it was when the run ended
    tries: Mapped[int] = mapped_column(default=0)
    sent_at: Mapped[datetime | None]
    given_up: Mapped[bool] = mapped_column(default=False)
    error: Mapped[str] = mapped_column(default="")  # of the latest try, one sentence
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class Process(Base):
    """A worker or a model server of this studio, alive while its heartbeat is fresh."""

    __tablename__ = "processes"

    id: Mapped[int] = mapped_column(primary_key=True)
    role: Mapped[ProcessRole] = mapped_column(index=True)
    host: Mapped[str]
    boot: Mapped[str]  # which boot of the host
    pid: Mapped[int]
    started: Mapped[float]  # process start, seconds since the boot
    address: Mapped[str] = mapped_column(default="")  # base URL, for a server
    token: Mapped[str] = mapped_column(default="")  # bearer token a server asks for
    leave_reason: Mapped[str] = mapped_column(default="")  # why it shall make room; "" while it may stay
    detail: Mapped[dict[str, Any]] = mapped_column(default=dict)
    heartbeat_at: Mapped[datetime] = mapped_column(default=utc_now)
    stopped_at: Mapped[datetime | None]
