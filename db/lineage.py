"""Where a text went: from an instruction to the versions that hold it, from a version to its adapters."""

from dataclasses import dataclass

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from db.datasets import get_version
from db.enums import Split
from db.tables import Adapter, Dataset, DatasetRow, DatasetVersion


@dataclass(frozen=True)
class Membership:
    """One version that an instruction is in."""

    version_id: int
    dataset_name: str
    number: int
    split: Split
    position: int
    revision: int  # the instruction's revision that was frozen


@dataclass(frozen=True)
class Descendant:
    """One adapter trained on a version."""

    adapter: Adapter
    is_same_data: bool  # it was trained on rows with the version's very hash


def list_trained(session: Session, version_id: int) -> list[Descendant]:
    """Every adapter trained on a version, deleted ones too, the newest first.

    An adapter that names another version of the same hash counts: it was trained on the same rows.
    """
    version = get_version(session, version_id)
    trained = or_(Adapter.dataset_version_id == version_id, Adapter.data_hash == version.content_hash)
    adapters = session.scalars(select(Adapter).where(trained).order_by(Adapter.id.desc()))
    return [Descendant(adapter, adapter.data_hash == version.content_hash) for adapter in adapters]


def list_memberships(session: Session, instruction_id: int) -> list[Membership]:
    """The versions that an instruction is in, the newest first."""
    query = (
        select(
            DatasetVersion.id,
            Dataset.name,
            DatasetVersion.number,
            DatasetRow.split,
            DatasetRow.position,
            DatasetRow.instruction_version,
        )
        .join(DatasetVersion, DatasetVersion.id == DatasetRow.version_id)
        .join(Dataset, Dataset.id == DatasetVersion.dataset_id)
        .where(DatasetRow.instruction_id == instruction_id)
        .order_by(DatasetVersion.id.desc())
    )
    return [Membership(*row) for row in session.execute(query)]
