from datetime import datetime

from sqlalchemy import JSON, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from db.enums import Category
from db.tables.base import Base, utc_now
from db.tables.users import User


class Prompt(Base):
    """A saved prompt of the playground's shelf; what it says is in its versions."""

    __tablename__ = "prompts"
    __table_args__ = (UniqueConstraint("project_id", "title"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id"))
    title: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    removed_at: Mapped[datetime | None]

    versions: Mapped[list["PromptVersion"]] = relationship(
        order_by="PromptVersion.number", back_populates="prompt"
    )


class PromptVersion(Base):
    """What a prompt of the shelf said from one day to another. Never changed: answers point at it."""

    __tablename__ = "prompt_versions"
    __table_args__ = (UniqueConstraint("prompt_id", "number"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    prompt_id: Mapped[int] = mapped_column(ForeignKey("prompts.id"))
    number: Mapped[int]
    category: Mapped[Category]
    task: Mapped[str] = mapped_column(default="")
    specialty: Mapped[str] = mapped_column(default="")
    tags: Mapped[list[str]] = mapped_column(JSON, default=list)
    system: Mapped[str] = mapped_column(default="")
    instruction: Mapped[str]
    input: Mapped[str] = mapped_column(default="")
    expected: Mapped[list[str]] = mapped_column(JSON, default=list)  # facts that a right answer holds
    watch_for: Mapped[str] = mapped_column(default="")  # what a clinician should check in the answers
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    created_at: Mapped[datetime] = mapped_column(default=utc_now)

    prompt: Mapped[Prompt] = relationship(back_populates="versions")
    created_by: Mapped[User | None] = relationship()
