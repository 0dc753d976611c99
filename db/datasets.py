"""Datasets and their frozen versions: instructions, copied, split, hashed and never changed."""

from collections.abc import Iterable, Iterator, Sequence

from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from db import audit
from db.canonical import FORMAT, FrozenRow, canonical, canonical_line, format_of, hash_rows, parse_line
from db.enums import Category, Split
from db.freezing import Plan, Screening, plan_version, require_standing
from db.freezing_rows import eligible
from db.policy import Actor, Right, require
from db.recipes import Recipe
from db.tables import Dataset, DatasetRow, DatasetVersion, Instruction
from db.version_report import describe_rows, licence_of

ROWS_A_READ = 500
ROWS_AN_INSERT = 5_000


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
    is_unreviewed: bool | None = None,
    after: int = -1,
    limit: int | None = None,
) -> list[DatasetRow]:
    """Rows in order, from just behind position `after`; only unreviewed or reviewed ones where told."""
    query = (
        select(DatasetRow)
        .where(DatasetRow.version_id == version_id, DatasetRow.position > after)
        .order_by(DatasetRow.position)
        .limit(limit)
    )
    if split is not None:
        query = query.where(DatasetRow.split == split)
    if is_unreviewed is not None:
        query = query.where(DatasetRow.is_unreviewed.is_(is_unreviewed))
    return list(session.scalars(query))


def count_rows(session: Session, version_id: int) -> dict[tuple[Split, Category], int]:
    """Rows of a version by split and category."""
    query = (
        select(DatasetRow.split, DatasetRow.category, func.count())
        .where(DatasetRow.version_id == version_id)
        .group_by(DatasetRow.split, DatasetRow.category)
    )
    return {(split, category): rows for split, category, rows in session.execute(query)}


def count_unreviewed(session: Session, version_id: int) -> dict[Split, int]:
    """Rows of a version that nobody had reviewed, by split; {} where each was."""
    query = (
        select(DatasetRow.split, func.count())
        .where(DatasetRow.version_id == version_id, DatasetRow.is_unreviewed.is_(True))
        .group_by(DatasetRow.split)
    )
    return dict(map(tuple, session.execute(query)))


def count_eligible(session: Session, project_id: int, recipe: Recipe) -> dict[Category, int]:
    """How many approved instructions the recipe would freeze, by category."""
    query = (
        select(Instruction.category, func.count())
        .where(*eligible(project_id, recipe))
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


def freeze(
    session: Session,
    actor: Actor,
    dataset_id: int,
    recipe: Recipe,
    *,
    screening: Screening | None = None,
    plan: Plan | None = None,
) -> DatasetVersion:
    """Freeze the approved revision of what the recipe chooses, and the unreviewed rows that samples let in.

    `plan` is what `plan_version` worked out for this recipe and screening; without one it is worked out here,
    while the database waits. Returns the newest version when it holds the very same rows: see `same_version`.

    Raises ValueError when the recipe chooses none, or so few that no row is left to train on; when a chosen
    text has an open privacy flag; when rows hold evaluation texts that the screening refuses.
    """
    require(actor, Right.FREEZE)
    dataset = session.get(Dataset, dataset_id)
    if dataset is None:
        raise LookupError(f"There is no dataset number {dataset_id}.")
    if plan is None:
        plan = plan_version(session, dataset.project_id, recipe, screening)
    if plan.project_id != dataset.project_id:
        raise ValueError("dataset: the version was planned for another project; plan it again.")
    require_standing(session, plan)
    return freeze_rows(session, actor, dataset, plan.rows, recipe=plan.recipe, report=plan.report)


def freeze_rows(
    session: Session,
    actor: Actor,
    dataset: Dataset,
    rows: Sequence[FrozenRow],
    *,
    recipe: dict,
    report: dict | None = None,
) -> DatasetVersion:
    """Store `rows` as the next version of `dataset`. The caller has chosen and split them.

    Returns the newest version, and stores nothing, when that holds the very same rows.
    """
    require(actor, Right.FREEZE)
    if not rows:
        raise ValueError("filter: it chooses no approved instruction; approve some or widen the filter.")
    rows = [canonical(row) for row in rows]
    counts = {split.value: sum(row.split is split for row in rows) for split in Split}
    if not counts[Split.TRAIN]:
        raise ValueError(
            f"test: {len(rows)} rows leave none to train on; make the validation and test shares smaller."
        )
    content_hash = hash_rows(rows)
    if same := same_version(session, dataset.id, content_hash):
        return same
    newest = newest_version(session, dataset.id)
    version = DatasetVersion(
        dataset_id=dataset.id,
        number=newest.number + 1 if newest else 1,
        content_hash=content_hash,
        recipe={**recipe, "format": FORMAT},
        counts=counts,
        report=describe_rows(rows) if report is None else report,
        licence=licence_of(rows),
        frozen_by_id=actor.id,
    )
    session.add(version)
    unreviewed = sum(row.is_unreviewed for row in rows)
    told = {**counts, "unreviewed": unreviewed} if unreviewed else counts
    audit.record(session, actor, "froze", version, content_hash=version.content_hash, **told)
    place = {"version_id": version.id}
    for start in range(0, len(rows), ROWS_AN_INSERT):
        piece = enumerate(rows[start : start + ROWS_AN_INSERT], start)
        values = [{**place, "position": position, **row.columns()} for position, row in piece]
        session.execute(insert(DatasetRow.__table__), values)
    return version


def newest_version(session: Session, dataset_id: int) -> DatasetVersion | None:
    query = select(DatasetVersion).where(DatasetVersion.dataset_id == dataset_id)
    return session.scalar(query.order_by(DatasetVersion.number.desc()).limit(1))


def same_version(session: Session, dataset_id: int, content_hash: str) -> DatasetVersion | None:
    """The newest version, when that is its hash: freezing the same rows again would add nothing to it."""
    newest = newest_version(session, dataset_id)
    return newest if newest and newest.content_hash == content_hash else None


def same_sentence(version: DatasetVersion) -> str:
    """What to say when freezing found nothing new."""
    return (
        f"Nothing has changed since version {version.number} of {version.dataset.name}: the rows and their "
        f"splits have the same hash, {version.content_hash[:12]}. No new version was made."
    )


def verify(session: Session, version_id: int) -> bool:
    """True when the stored rows still have the hash they were frozen with."""
    return are_intact(get_version(session, version_id), list_rows(session, version_id))


def are_intact(version: DatasetVersion, rows: Iterable[FrozenRow | DatasetRow]) -> bool:
    """True when these rows have the version's hash, in the format its recipe names."""
    return hash_rows(rows, format_of(version.recipe)) == version.content_hash


def verify_lines(session: Session, version_id: int, lines: Iterable[str]) -> bool:
    """True when the lines of an export are the whole version. Raises ValueError for a line that is no row.

    False too where the version has rows that never leave the studio: an export lacks them.
    """
    rows = (parse_line(line) for line in lines if line.strip())
    return are_intact(get_version(session, version_id), rows)


def export_lines(session: Session, version_id: int, split: Split | None = None) -> Iterator[str]:
    """The version, or a split of it, as JSONL, a canonical line a row, without rows that may not leave."""
    query = (
        select(DatasetRow)
        .outerjoin(Instruction, Instruction.id == DatasetRow.instruction_id)
        .where(
            DatasetRow.version_id == version_id,
            DatasetRow.is_restricted.is_(False),  # when it was frozen
            func.coalesce(Instruction.is_restricted, False).is_(False),  # nor since
        )
        .order_by(DatasetRow.position)
        .execution_options(yield_per=ROWS_A_READ)
    )
    if split is not None:
        query = query.where(DatasetRow.split == split)
    for row in session.scalars(query):
        yield canonical_line(row)
        session.expunge(row)
