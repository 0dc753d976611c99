from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from db.tables.base import Base, utc_now
from db.tables.datasets import DatasetVersion


class BaseModel(Base):
    """Weights that can be tuned: a folder, or a repository of the Hub at a revision."""

    __tablename__ = "base_models"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    location: Mapped[str]  # absolute folder, or owner/name on the Hub
    revision: Mapped[str] = mapped_column(default="")
    description: Mapped[str] = mapped_column(default="")
    parameters: Mapped[int | None]
    context_length: Mapped[int | None]  # tokens
    job_id: Mapped[int | None] = mapped_column(
        ForeignKey("jobs.id", use_alter=True)
    )  # of the full tuning that made it
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class Adapter(Base):
    """A tuned LoRA adapter and everything needed to say where it came from."""

    __tablename__ = "adapters"

    id: Mapped[int] = mapped_column(primary_key=True)
    project_id: Mapped[int] = mapped_column(ForeignKey("projects.id"))
    name: Mapped[str] = mapped_column(unique=True)
    path: Mapped[str]
    adapter_hash: Mapped[str]
    base_model_id: Mapped[int] = mapped_column(ForeignKey("base_models.id"))
    base_revision: Mapped[str]
    template_hash: Mapped[str]
    dataset_version_id: Mapped[int | None] = mapped_column(ForeignKey("dataset_versions.id"))
    data_hash: Mapped[str]
    seed: Mapped[int]
    spec: Mapped[dict[str, Any]]
    packages: Mapped[dict[str, Any]]
    job_id: Mapped[int | None] = mapped_column(ForeignKey("jobs.id"))
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    deleted_at: Mapped[datetime | None]

    base_model: Mapped[BaseModel] = relationship()
    dataset_version: Mapped[DatasetVersion | None] = relationship()


class Endpoint(Base):
    """Anything that speaks the OpenAI protocol. The key itself stays in the environment."""

    __tablename__ = "endpoints"
    __table_args__ = (
        Index(  # the name of a removed one is free again
            "uq_endpoints_name",
            "name",
            unique=True,
            sqlite_where=text("deleted_at IS NULL"),
            postgresql_where=text("deleted_at IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    base_url: Mapped[str]
    model: Mapped[str]
    key_variable: Mapped[str] = mapped_column(default="")
    price_in: Mapped[float | None]  # money per million prompt tokens
    price_out: Mapped[float | None]  # money per million completion tokens
    requests_per_minute: Mapped[int | None]
    tokens_per_minute: Mapped[int | None]  # prompt and completion together
    concurrency: Mapped[int] = mapped_column(default=4)  # requests in flight at most
    private_consent_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"))  # to a private address
    private_consent_at: Mapped[datetime | None]
    knows_schema: Mapped[bool | None]  # answers in a JSON schema; None: not tried yet
    tested_at: Mapped[datetime | None]  # when it last answered a test
    test_failed_at: Mapped[datetime | None]  # when the last test failed; None: it did not
    test_trouble: Mapped[str] = mapped_column(default="")  # our sentence for that; no key, no reply text
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    deleted_at: Mapped[datetime | None]
