from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from db.enums import Category, Choice, Side
from db.tables.base import Base, utc_now
from db.tables.registry import Adapter
from db.tables.users import User


class Prompt(Base):
    """A saved prompt of the playground's shelf."""

    __tablename__ = "prompts"
    __table_args__ = (UniqueConstraint("project_id", "title"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id"))
    title: Mapped[str]
    category: Mapped[Category]
    task: Mapped[str] = mapped_column(default="")
    specialty: Mapped[str] = mapped_column(default="")
    instruction: Mapped[str]
    input: Mapped[str] = mapped_column(default="")
    watch_for: Mapped[str] = mapped_column(default="")  # what a clinician should check in the answers
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class Comparison(Base):
    """One prompt put to base and tuned with the same settings, and the two answers."""

    __tablename__ = "comparisons"

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id"))
    adapter_id: Mapped[int] = mapped_column(ForeignKey("adapters.id"), index=True)
    prompt_id: Mapped[int | None] = mapped_column(ForeignKey("prompts.id"))
    instruction: Mapped[str]
    input: Mapped[str] = mapped_column(default="")
    sampling: Mapped[dict[str, Any]]  # max_tokens, temperature, seed: the same for both sides
    created_by_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    created_at: Mapped[datetime] = mapped_column(default=utc_now)

    adapter: Mapped[Adapter] = relationship()
    created_by: Mapped[User] = relationship()
    answers: Mapped[list["Answer"]] = relationship(order_by="Answer.id")


class Answer(Base):
    """What one side said, and the provenance the model server gave with it."""

    __tablename__ = "answers"
    __table_args__ = (UniqueConstraint("comparison_id", "side"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    comparison_id: Mapped[int] = mapped_column(ForeignKey("comparisons.id"))
    side: Mapped[Side]
    text: Mapped[str]
    finish_reason: Mapped[str]  # stop, length or cancelled
    provenance: Mapped[dict[str, Any]]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class Vote(Base):
    __tablename__ = "votes"
    __table_args__ = (UniqueConstraint("comparison_id", "voter_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    comparison_id: Mapped[int] = mapped_column(ForeignKey("comparisons.id"))
    voter_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    choice: Mapped[Choice]
    rubric: Mapped[dict[str, Any]] = mapped_column(default=dict)
    corrected_answer: Mapped[str] = mapped_column(default="")
    comment: Mapped[str] = mapped_column(default="")
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
