from datetime import datetime

from sqlalchemy import ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from db.enums import Category, Decision, InstructionStatus, Origin, Provenance
from db.tables.base import Base, utc_now
from db.tables.users import User


class ContentColumns:
    """What a person writes: the same columns on the record's head and on each of its revisions."""

    instruction: Mapped[str]
    input: Mapped[str] = mapped_column(default="")
    output: Mapped[str] = mapped_column(default="")
    category: Mapped[Category]
    task: Mapped[str] = mapped_column(default="")
    specialty: Mapped[str] = mapped_column(default="")
    difficulty: Mapped[int] = mapped_column(default=3)
    tags: Mapped[list[str]] = mapped_column(default=list)
    source: Mapped[str] = mapped_column(default="")


def _live(name: str, *columns: str) -> Index:
    """An index over the records that are not deleted: those are what every list walks."""
    live = text("deleted_at IS NULL")
    return Index(f"ix_instructions_{name}", *columns, sqlite_where=live, postgresql_where=live)


class Instruction(ContentColumns, Base):
    """One instruction/input/output record. Its columns hold the head, `revisions` every text it ever had."""

    __tablename__ = "instructions"
    __table_args__ = (
        UniqueConstraint("project_id", "key"),
        Index(None, "project_id", "status", "id"),
        # Few records have a parent. Without it, deleting one record looks through all for its children.
        Index(
            None,
            "parent_id",
            sqlite_where=text("parent_id IS NOT NULL"),
            postgresql_where=text("parent_id IS NOT NULL"),
        ),
        # The newest first, with every short column: filters are decided without a look at the long texts.
        # `deleted_at` is in it because SQLite calls an index covering only then.
        _live(
            "list",
            "project_id",
            "id",
            "status",
            "category",
            "origin",
            "provenance",
            "task",
            "specialty",
            "difficulty",
            "author_id",
            "assignee_id",
            "licence",
            "is_restricted",
            "updated_at",
            "deleted_at",
        ),
        _live("status", "project_id", "status", "id"),
        _live("updated", "project_id", "updated_at", "id"),
        _live("submitted", "project_id", "submitted_at", "id"),
        _live("difficulty", "project_id", "difficulty", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id"))
    key: Mapped[str | None]  # the name a shipped or imported record goes by outside the studio
    origin: Mapped[Origin]
    provenance: Mapped[Provenance] = mapped_column(default=Provenance.NATIVE)
    status: Mapped[InstructionStatus] = mapped_column(default=InstructionStatus.DRAFT)
    version: Mapped[int] = mapped_column(default=1)  # number of the head revision
    approved_version: Mapped[
        int | None
    ]  # the revision in force; an edit leaves it so until the next approval
    author_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    assignee_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
    overlap: Mapped[int] = mapped_column(default=1)  # independent reviews that a submission needs
    licence: Mapped[str] = mapped_column(default="")
    is_restricted: Mapped[bool] = mapped_column(default=False)  # under a data-use agreement: never leaves
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("instructions.id"))
    comparison_id: Mapped[int | None] = mapped_column(ForeignKey("comparisons.id"))
    submitted_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    updated_at: Mapped[datetime] = mapped_column(default=utc_now, onupdate=utc_now)
    deleted_at: Mapped[datetime | None]

    author: Mapped[User] = relationship(foreign_keys=[author_id])
    revisions: Mapped[list["Revision"]] = relationship(order_by="Revision.number", lazy="select")
    reviews: Mapped[list["Review"]] = relationship(order_by="Review.id", lazy="select")


class Revision(ContentColumns, Base):
    """An immutable text of an instruction."""

    __tablename__ = "revisions"
    __table_args__ = (UniqueConstraint("instruction_id", "number"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    instruction_id: Mapped[int] = mapped_column(ForeignKey("instructions.id"))
    number: Mapped[int]
    author_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    reason: Mapped[str] = mapped_column(default="")
    created_at: Mapped[datetime] = mapped_column(default=utc_now)

    author: Mapped[User] = relationship()


class Review(Base):
    """A decision on one revision."""

    __tablename__ = "reviews"

    id: Mapped[int] = mapped_column(primary_key=True)
    instruction_id: Mapped[int] = mapped_column(ForeignKey("instructions.id"), index=True)
    version: Mapped[int]
    reviewer_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    decision: Mapped[Decision]
    comment: Mapped[str] = mapped_column(default="")
    reasons: Mapped[list[str]] = mapped_column(default=list)  # codes of db.enums.Reason
    checklist: Mapped[list[str]] = mapped_column(default=list)  # the points that the reviewer ticked
    guideline_id: Mapped[int | None] = mapped_column(ForeignKey("guidelines.id"))  # in force at the time
    is_adjudication: Mapped[bool] = mapped_column(default=False)  # settled a disagreement
    is_solo: Mapped[bool] = mapped_column(default=False)  # the author approved their own work
    created_at: Mapped[datetime] = mapped_column(default=utc_now)

    reviewer: Mapped[User] = relationship()


class Comment(Base):
    """A remark on a record, on one of its fields, or on a span of a field (character offsets)."""

    __tablename__ = "comments"

    id: Mapped[int] = mapped_column(primary_key=True)
    instruction_id: Mapped[int] = mapped_column(ForeignKey("instructions.id"), index=True)
    version: Mapped[int]
    author_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("comments.id"))
    field: Mapped[str | None]
    span_start: Mapped[int | None]
    span_end: Mapped[int | None]
    body: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    resolved_at: Mapped[datetime | None]
    resolved_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))
