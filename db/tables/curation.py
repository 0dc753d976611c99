"""What surrounds the writing and reviewing of instructions: work in hand, guidelines, flags, bulk changes."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from db.tables.base import Base, utc_now
from db.tables.users import User


class Guideline(Base):
    """One version of a project's guidelines, in Markdown. Never changed; the newest one is in force."""

    __tablename__ = "guidelines"
    __table_args__ = (UniqueConstraint("project_id", "number"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id"))
    number: Mapped[int]
    body: Mapped[str]
    reason: Mapped[str] = mapped_column(default="")
    author_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    created_at: Mapped[datetime] = mapped_column(default=utc_now)

    author: Mapped[User] = relationship()


class TypedText(Base):
    """What someone has typed and not yet saved as a revision: kept by itself every few seconds.

    `typed` holds the form's fields as they stand, complete or not; `base_version` is where they began.
    """

    __tablename__ = "typed_texts"
    __table_args__ = (UniqueConstraint("user_id", "project_id", "instruction_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id"))
    instruction_id: Mapped[int] = mapped_column(default=0)  # 0: not yet a record
    base_version: Mapped[int] = mapped_column(default=0)
    typed: Mapped[dict[str, Any]]
    saved_at: Mapped[datetime] = mapped_column(default=utc_now)


class TypedGuideline(Base):
    """Guidelines that someone has typed and not yet saved as a version, kept in the same way.

    `base_number` is the version that the typing began from, 0 for the first.
    """

    __tablename__ = "typed_guidelines"
    __table_args__ = (UniqueConstraint("user_id", "project_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id"))
    base_number: Mapped[int] = mapped_column(default=0)
    body: Mapped[str]
    reason: Mapped[str] = mapped_column(default="")
    saved_at: Mapped[datetime] = mapped_column(default=utc_now)


class Lease(Base):
    """A record handed to one reviewer until a time. A closed or expired lease gives the record back."""

    __tablename__ = "leases"
    __table_args__ = (Index(None, "instruction_id", "expires_at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    instruction_id: Mapped[int] = mapped_column(ForeignKey("instructions.id"))
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    expires_at: Mapped[datetime]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class SavedFilter(Base):
    """A list's filters under a name; shared with the project, or its owner's alone."""

    __tablename__ = "saved_filters"
    __table_args__ = (UniqueConstraint("project_id", "owner_id", "name"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id"))
    owner_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    name: Mapped[str]
    query: Mapped[dict[str, Any]]
    is_shared: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class BulkChange(Base):
    """One change of many records, with what each was before: that is what undo puts back."""

    __tablename__ = "bulk_changes"

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id"), index=True)
    actor_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    action: Mapped[str]
    detail: Mapped[dict[str, Any]]
    before: Mapped[list[Any]]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    undone_at: Mapped[datetime | None]


class PrivacyFlag(Base):
    """A stretch of a revision that looks like a person's identifier. Its text is not copied here."""

    __tablename__ = "privacy_flags"
    __table_args__ = (Index(None, "instruction_id", "version"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    instruction_id: Mapped[int] = mapped_column(ForeignKey("instructions.id"))
    version: Mapped[int]
    field: Mapped[str]
    span_start: Mapped[int]  # characters, end exclusive
    span_end: Mapped[int]
    kind: Mapped[str]
    score: Mapped[float]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    cleared_at: Mapped[datetime | None]
    cleared_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    cleared_reason: Mapped[str] = mapped_column(default="")


class DuplicateWaiver(Base):
    """Someone kept a text that is near to another one, and said why."""

    __tablename__ = "duplicate_waivers"

    id: Mapped[int] = mapped_column(primary_key=True)
    instruction_id: Mapped[int] = mapped_column(ForeignKey("instructions.id"), index=True)
    version: Mapped[int]
    near_id: Mapped[int] = mapped_column(ForeignKey("instructions.id"), index=True)
    score: Mapped[float]
    reason: Mapped[str]
    actor_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
