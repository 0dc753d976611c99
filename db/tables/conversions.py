"""What came out of corpora: conversions, and where in a corpus each of their records stood."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from db.enums import Split
from db.tables.base import Base, utc_now
from db.tables.users import User


class Conversion(Base):
    """Corpora turned into instructions by one job, and how far that is. The job holds the settings."""

    __tablename__ = "conversions"

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id"), index=True)
    job_id: Mapped[int] = mapped_column(ForeignKey("jobs.id"), unique=True)
    author_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    rows_read: Mapped[int] = mapped_column(default=0)  # of its sources, in order, and settled
    tally: Mapped[dict[str, Any]] = mapped_column(default=dict)  # source -> what became of its rows
    faults: Mapped[list[Any]] = mapped_column(default=list)  # the first of them
    created_at: Mapped[datetime] = mapped_column(default=utc_now)  # of its records, too
    finished_at: Mapped[datetime | None]
    taken_back_at: Mapped[datetime | None]
    taken_back_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))

    author: Mapped[User] = relationship(foreign_keys=[author_id])


class ConvertedRow(Base):
    """Where a record stood in a corpus, and by which wording it became an instruction."""

    __tablename__ = "converted_rows"
    __table_args__ = (UniqueConstraint("conversion_id", "number"),)

    instruction_id: Mapped[int] = mapped_column(ForeignKey("instructions.id"), primary_key=True)
    conversion_id: Mapped[int] = mapped_column(ForeignKey("conversions.id"))
    number: Mapped[int]  # its place among all rows of the conversion's sources, from 1
    source: Mapped[str]
    document_id: Mapped[str]
    row_id: Mapped[str]
    split: Mapped[Split | None]  # the source's own
    template: Mapped[str]
    template_version: Mapped[str]
    wording: Mapped[int]
