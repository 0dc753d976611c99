"""The instruction factory: what was asked of an endpoint, what came back, and what became of it."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from db.enums import CallState
from db.tables.base import Base, utc_now


class GenerationTemplate(Base):
    """One version of a project's prompt template. Never changed; the newest of a name is offered first."""

    __tablename__ = "generation_templates"
    __table_args__ = (UniqueConstraint("project_id", "name", "number"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id"))
    name: Mapped[str]
    number: Mapped[int]
    body: Mapped[dict[str, Any]]  # the fields of db.generating.prompts.PromptTemplate
    body_hash: Mapped[str]
    created_by_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class GenerationRun(Base):
    """What a generation job drew from, fixed when it first started: a resumed run draws from the same."""

    __tablename__ = "generation_runs"

    job_id: Mapped[int] = mapped_column(ForeignKey("jobs.id"), primary_key=True)
    key: Mapped[str]  # begins the idempotency key of each call
    pool: Mapped[list[Any]]  # [instruction id, version] of each seed, in the order that draws count in
    template: Mapped[dict[str, Any]]  # the fields of the prompt template in use
    template_version: Mapped[str]
    profile: Mapped[dict[str, Any]]  # the filters, as db.generating.profiles.Profile.record gives them
    seconds: Mapped[float] = mapped_column(default=0.0)  # at work, all attempts together
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class GenerationCall(Base):
    """One request to an endpoint, written before it left. Numbers count from 0 within a run."""

    __tablename__ = "generation_calls"
    __table_args__ = (UniqueConstraint("job_id", "number"), Index(None, "job_id", "state"))

    id: Mapped[int] = mapped_column(primary_key=True)
    job_id: Mapped[int] = mapped_column(ForeignKey("generation_runs.job_id"))
    number: Mapped[int]
    attempt: Mapped[int]  # of the job
    state: Mapped[CallState] = mapped_column(default=CallState.ASKED)
    draw: Mapped[list[Any]]  # [instruction id, version] of each seed shown
    prompt_hash: Mapped[str]  # SHA-256 over the messages and the schema
    template_version: Mapped[str]
    wanted: Mapped[int]  # instructions asked for
    reply: Mapped[str] = mapped_column(default="")  # as it came
    finish_reason: Mapped[str] = mapped_column(default="")
    tokens_in: Mapped[int] = mapped_column(default=0)
    tokens_out: Mapped[int] = mapped_column(default=0)
    is_estimate: Mapped[bool] = mapped_column(default=False)  # the endpoint told no token counts
    cost: Mapped[float] = mapped_column(default=0.0)  # at the endpoint's prices of the day
    tries: Mapped[int] = mapped_column(default=0)  # requests that left
    unsettled: Mapped[int] = mapped_column(default=0)  # of those, sent and never answered: perhaps paid
    unsettled_tokens: Mapped[int] = mapped_column(default=0)  # at most, counted against the budgets
    unsettled_cost: Mapped[float] = mapped_column(default=0.0)
    seconds: Mapped[float] = mapped_column(default=0.0)  # of the try that was answered
    error: Mapped[str] = mapped_column(default="")  # one sentence, without text of the prompt or the reply
    asked_at: Mapped[datetime] = mapped_column(default=utc_now)
    answered_at: Mapped[datetime | None]
    judged_at: Mapped[datetime | None]  # its candidates are stored


class Candidate(Base):
    """One record read from a reply, and how far it came through the funnel; or what could not be read."""

    __tablename__ = "candidates"
    __table_args__ = (
        UniqueConstraint("call_id", "position"),
        Index(None, "job_id", "stage", "reason"),
        Index(None, "instruction_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    job_id: Mapped[int] = mapped_column(ForeignKey("generation_runs.job_id"))
    call_id: Mapped[int] = mapped_column(ForeignKey("generation_calls.id"))
    position: Mapped[int]  # within the reply, from 0
    content: Mapped[dict[str, Any]]  # empty for what could not be read
    stage: Mapped[str]  # of the funnel: where it fell, or "kept"
    reason: Mapped[str] = mapped_column(default="")
    detail: Mapped[dict[str, Any]] = mapped_column(default=dict)  # such as the nearest text's id and score
    instruction_id: Mapped[int | None] = mapped_column(ForeignKey("instructions.id"))

    call: Mapped[GenerationCall] = relationship()


class AuditSample(Base):
    """A random sample of a run's kept rows, drawn for review: what they say of the rest."""

    __tablename__ = "audit_samples"

    id: Mapped[int] = mapped_column(primary_key=True)
    job_id: Mapped[int] = mapped_column(ForeignKey("generation_runs.job_id"), index=True)
    seed: Mapped[int]
    population: Mapped[int]  # kept rows when it was drawn
    last_candidate_id: Mapped[int]  # rows kept later are not of the population
    instruction_ids: Mapped[list[Any]]
    created_by_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
