"""Where a text went: from an instruction to the versions that hold it, from a version to its adapters."""

from dataclasses import dataclass

from sqlalchemy import case, func, or_, select
from sqlalchemy.orm import Session

from db.datasets import get_version
from db.enums import InstructionStatus, JobKind, Split
from db.tables import Adapter, Dataset, DatasetRow, DatasetVersion, Instruction, Job


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


@dataclass(frozen=True)
class Standing:
    """What became of the records that a version was frozen from."""

    as_frozen: int = 0  # the frozen revision is the approved one still
    revised: int = 0  # another revision is approved now
    withdrawn: int = 0  # retired, deleted, or no longer approved
    of_no_record: int = 0  # rows that were frozen from no record of the studio


def list_runs(session: Session, version_id: int) -> list[Job]:
    """Every training run that was asked for on a version, the newest first."""
    named = Job.spec["dataset_version_id"].as_integer() == version_id
    query = select(Job).where(Job.kind == JobKind.TRAIN, named).order_by(Job.id.desc())
    return list(session.scalars(query))


def count_standing(session: Session, version_id: int) -> Standing:
    """How many of a version's rows still say what their record says now."""
    became = case(
        (DatasetRow.instruction_id.is_(None), "of_no_record"),
        (Instruction.deleted_at.is_not(None), "withdrawn"),
        (Instruction.status == InstructionStatus.RETIRED, "withdrawn"),
        (Instruction.approved_version.is_(None), "withdrawn"),
        (Instruction.approved_version == DatasetRow.instruction_version, "as_frozen"),
        else_="revised",
    )
    query = (
        select(became, func.count())
        .outerjoin(Instruction, Instruction.id == DatasetRow.instruction_id)
        .where(DatasetRow.version_id == version_id)
        .group_by(became)
    )
    counts = dict(map(tuple, session.execute(query)))
    return Standing(**counts)


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
