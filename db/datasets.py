"""Datasets and their frozen versions: approved instructions, copied, split, hashed and never changed."""

import json
import random
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from hashlib import sha256

from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from db import audit
from db.content import Content, content_of
from db.enums import Category, InstructionStatus, Origin, Split
from db.instructions import InstructionQuery, matching
from db.policy import Actor, Right, require
from db.tables import Dataset, DatasetRow, DatasetVersion, Instruction, Revision


@dataclass(frozen=True)
class Recipe:
    """How a version is made: which approved instructions, and how they are split."""

    categories: tuple[Category, ...] = ()
    origins: tuple[Origin, ...] = ()
    task: str = ""
    specialty: str = ""
    text: str = ""
    validation: float = 0.1  # share of rows
    test: float = 0.1  # share of rows
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("validation", "test"):
            if not 0 <= getattr(self, name) < 1:
                raise ValueError(
                    f"{name}: {getattr(self, name):g} is not a share; give 0 to below 1, such as 0.1."
                )
        if self.validation + self.test >= 1:
            raise ValueError(
                "test: validation and test together leave nothing to train on; make them smaller."
            )

    @property
    def query(self) -> InstructionQuery:
        return InstructionQuery(
            text=self.text,
            categories=self.categories,
            origins=self.origins,
            task=self.task,
            specialty=self.specialty,
        )


@dataclass(frozen=True)
class FrozenRow:
    """One row to freeze: its split, its text, and where it came from."""

    split: Split
    content: Content
    instruction_id: int | None = None
    instruction_version: int | None = None


def list_datasets(session: Session, project_id: int) -> list[Dataset]:
    return list(session.scalars(select(Dataset).where(Dataset.project_id == project_id).order_by(Dataset.id)))


def list_versions(session: Session, project_id: int) -> list[DatasetVersion]:
    """Every frozen version of a project, newest first."""
    query = (
        select(DatasetVersion)
        .join(Dataset)
        .where(Dataset.project_id == project_id)
        .order_by(DatasetVersion.frozen_at.desc(), DatasetVersion.id.desc())
    )
    return list(session.scalars(query))


def get_version(session: Session, version_id: int) -> DatasetVersion:
    version = session.get(DatasetVersion, version_id)
    if version is None:
        raise LookupError(f"There is no dataset version number {version_id}.")
    return version


def list_rows(
    session: Session,
    version_id: int,
    split: Split | None = None,
    *,
    after: int = -1,
    limit: int | None = None,
) -> list[DatasetRow]:
    """Rows in order, from just behind position `after`."""
    query = (
        select(DatasetRow)
        .where(DatasetRow.version_id == version_id, DatasetRow.position > after)
        .order_by(DatasetRow.position)
        .limit(limit)
    )
    if split is not None:
        query = query.where(DatasetRow.split == split)
    return list(session.scalars(query))


def count_rows(session: Session, version_id: int) -> dict[tuple[Split, Category], int]:
    """Rows of a version by split and category."""
    query = (
        select(DatasetRow.split, DatasetRow.category, func.count())
        .where(DatasetRow.version_id == version_id)
        .group_by(DatasetRow.split, DatasetRow.category)
    )
    return {(split, category): rows for split, category, rows in session.execute(query)}


def count_eligible(session: Session, project_id: int, recipe: Recipe) -> dict[Category, int]:
    """How many approved instructions the recipe would freeze, by category."""
    query = (
        select(Instruction.category, func.count())
        .where(*_eligible(project_id, recipe))
        .group_by(Instruction.category)
    )
    return dict(map(tuple, session.execute(query)))


def create_dataset(
    session: Session, actor: Actor, project_id: int, *, name: str, description: str = ""
) -> Dataset:
    require(actor, Right.FREEZE)
    name = name.strip()
    if not name:
        raise ValueError("name: give the dataset a name.")
    taken = select(Dataset.id).where(Dataset.project_id == project_id, Dataset.name == name)
    if session.scalar(taken) is not None:
        raise ValueError(
            f"name: there is already a dataset named {name}; choose another or freeze a new version of it."
        )
    dataset = Dataset(
        project_id=project_id, name=name, description=description.strip(), created_by_id=actor.id
    )
    session.add(dataset)
    audit.record(session, actor, "created", dataset)
    return dataset


def freeze(session: Session, actor: Actor, dataset_id: int, recipe: Recipe) -> DatasetVersion:
    """Freeze the approved revision of every instruction the recipe chooses.

    Raises ValueError when it chooses none, or so few that no row is left to train on.
    """
    require(actor, Right.FREEZE)
    dataset = session.get(Dataset, dataset_id)
    if dataset is None:
        raise LookupError(f"There is no dataset number {dataset_id}.")
    rows = list(_split(list(_approved_revisions(session, dataset.project_id, recipe)), recipe))
    return freeze_rows(session, actor, dataset, rows, recipe={**asdict(recipe)})


def freeze_rows(
    session: Session, actor: Actor, dataset: Dataset, rows: list[FrozenRow], *, recipe: dict
) -> DatasetVersion:
    """Store `rows` as the next version of `dataset`. The caller has chosen and split them."""
    if not rows:
        raise ValueError("filter: it chooses no approved instruction; approve some or widen the filter.")
    counts = {split.value: sum(row.split is split for row in rows) for split in Split}
    if not counts[Split.TRAIN]:
        raise ValueError(
            f"test: {len(rows)} rows leave none to train on; make the validation and test shares smaller."
        )
    number = session.scalar(
        select(func.coalesce(func.max(DatasetVersion.number), 0)).where(
            DatasetVersion.dataset_id == dataset.id
        )
    )
    version = DatasetVersion(
        dataset_id=dataset.id,
        number=number + 1,
        content_hash=hash_rows(rows),
        recipe=recipe,
        counts=counts,
        frozen_by_id=actor.id,
    )
    session.add(version)
    audit.record(session, actor, "froze", version, content_hash=version.content_hash, **counts)
    session.execute(
        insert(DatasetRow),
        [
            {
                "version_id": version.id,
                "position": position,
                "split": row.split,
                "instruction_id": row.instruction_id,
                "instruction_version": row.instruction_version,
                **row.content.columns(),
            }
            for position, row in enumerate(rows)
        ],
    )
    return version


def hash_rows(rows: Iterable[FrozenRow | DatasetRow]) -> str:
    """SHA-256 over the rows in order: split and content, one canonical JSON line each."""
    digest = sha256()
    for row in rows:
        content = row.content if isinstance(row, FrozenRow) else content_of(row)
        line = json.dumps({"split": row.split, **content.columns()}, sort_keys=True, ensure_ascii=False)
        digest.update(line.encode() + b"\n")
    return digest.hexdigest()


def verify(session: Session, version_id: int) -> bool:
    """True when the stored rows still have the hash they were frozen with."""
    return hash_rows(list_rows(session, version_id)) == get_version(session, version_id).content_hash


def export_lines(session: Session, version_id: int) -> Iterator[str]:
    """The version as JSONL, a line a row."""
    for row in list_rows(session, version_id):
        yield json.dumps({"split": row.split, **content_of(row).columns()}, ensure_ascii=False)


def _eligible(project_id: int, recipe: Recipe) -> list:
    return [
        *matching(project_id, recipe.query),
        Instruction.approved_version.is_not(None),
        Instruction.status != InstructionStatus.RETIRED,
    ]


def _approved_revisions(session: Session, project_id: int, recipe: Recipe) -> Iterator[Revision]:
    query = (
        select(Revision)
        .join(Instruction, Instruction.id == Revision.instruction_id)
        .where(*_eligible(project_id, recipe), Revision.number == Instruction.approved_version)
        .order_by(Instruction.id)
    )
    return session.scalars(query)


def _split(revisions: list[Revision], recipe: Recipe) -> Iterator[FrozenRow]:
    """Shuffle by the recipe's seed; the first rows go to test, the next to validation, the rest to train."""
    random.Random(recipe.seed).shuffle(revisions)
    test = round(len(revisions) * recipe.test)
    validation = round(len(revisions) * recipe.validation)
    for index, revision in enumerate(revisions):
        split = Split.TEST if index < test else Split.VALIDATION if index < test + validation else Split.TRAIN
        yield FrozenRow(split, content_of(revision), revision.instruction_id, revision.number)
