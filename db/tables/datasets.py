from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from db.enums import Split
from db.tables.base import Base, utc_now
from db.tables.instructions import ContentColumns
from db.tables.users import User


class Dataset(Base):
    """A named line of frozen versions."""

    __tablename__ = "datasets"
    __table_args__ = (UniqueConstraint("project_id", "name"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id"))
    name: Mapped[str]
    description: Mapped[str] = mapped_column(default="")
    created_by_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    created_at: Mapped[datetime] = mapped_column(default=utc_now)

    versions: Mapped[list["DatasetVersion"]] = relationship(
        order_by="DatasetVersion.number", back_populates="dataset"
    )


class DatasetVersion(Base):
    """A frozen copy of instructions: never changed, named by its content's hash."""

    __tablename__ = "dataset_versions"
    __table_args__ = (UniqueConstraint("dataset_id", "number"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    dataset_id: Mapped[int] = mapped_column(ForeignKey("datasets.id"))
    number: Mapped[int]
    content_hash: Mapped[str] = mapped_column(index=True)
    recipe: Mapped[dict[str, Any]]  # filter, fractions and seed that made it
    counts: Mapped[dict[str, Any]]  # rows by split
    report: Mapped[dict[str, Any]] = mapped_column(default=dict)  # what was checked, found and waived
    licence: Mapped[str] = mapped_column(default="")
    frozen_by_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    frozen_at: Mapped[datetime] = mapped_column(default=utc_now)

    dataset: Mapped[Dataset] = relationship(back_populates="versions")
    frozen_by: Mapped[User] = relationship()


class DatasetRow(ContentColumns, Base):
    """One frozen row. A trigger refuses to change or delete it."""

    __tablename__ = "dataset_rows"
    __table_args__ = (UniqueConstraint("version_id", "position"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    version_id: Mapped[int] = mapped_column(ForeignKey("dataset_versions.id"))
    position: Mapped[int]
    split: Mapped[Split]
    instruction_id: Mapped[int | None] = mapped_column(ForeignKey("instructions.id"), index=True)
    instruction_version: Mapped[int | None]
    origin: Mapped[str] = mapped_column(default="")
    provenance: Mapped[str] = mapped_column(default="")
    licence: Mapped[str] = mapped_column(default="")
    is_restricted: Mapped[bool] = mapped_column(default=False)
    is_unreviewed: Mapped[bool] = mapped_column(default=False)  # a sample of its run spoke for it
    near_group: Mapped[int] = mapped_column(default=0)  # near copies share it, and a split; 0: alone
