from datetime import datetime
from typing import Any

from sqlalchemy.orm import Mapped, mapped_column

from db.tables.base import Base, utc_now


class Project(Base):
    """One body of work: its instructions, datasets, jobs and comparisons."""

    __tablename__ = "projects"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    description: Mapped[str] = mapped_column(default="")
    # One person may approve their own work here; each such review is recorded as solo.
    is_solo: Mapped[bool] = mapped_column(default=False)
    settings: Mapped[dict[str, Any]] = mapped_column(default=dict)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
