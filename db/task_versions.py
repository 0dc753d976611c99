"""Tasks frozen with their rows, prompts and examples: every model that is measured gets the same ones."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from db import audit, datasets
from db.enums import Category, Split
from db.policy import Actor, Right, require
from db.session import parts
from db.tables import DatasetRow, DatasetVersion, TaskRow, TaskVersion
from db.tables.base import utc_now
from db.task_drafts import Prepared, PreparedRow, TaskDraft, draw_examples, hash_of, prepare, rows_left
from db.tasks import InstructionRow, make_task, to_json
from db.tasks.instructions import task_for
from db.tasks.task import TaskError

__all__ = [
    "Prepared",
    "PreparedRow",
    "TaskDraft",
    "freeze",
    "freeze_dataset",
    "get_task",
    "list_rows",
    "list_tasks",
    "prepare",
    "prepare_dataset",
    "put_back",
    "remove",
    "set_general",
]


def freeze(
    session: Session,
    actor: Actor,
    project_id: int,
    prepared: Prepared,
    *,
    dataset_version_id: int | None = None,
) -> TaskVersion:
    """Store a prepared task. Where the same rows, prompts and examples are frozen already, that version.

    One that was removed is put back. Raises ValueError when another task has the name.
    """
    require(actor, Right.EVALUATE)
    there = session.scalar(
        select(TaskVersion).where(
            TaskVersion.project_id == project_id, TaskVersion.content_hash == prepared.content_hash
        )
    )
    if there is not None:
        return put_back(session, actor, project_id, there.id) if there.deleted_at else there
    version = TaskVersion(
        project_id=project_id,
        name=_free_name(session, project_id, prepared),
        task=prepared.task,
        category=prepared.category,
        is_general=prepared.is_general,
        split=prepared.split,
        rows=len(prepared.rows),
        examples=list(prepared.examples),
        settings=prepared.settings,
        content_hash=prepared.content_hash,
        licence=prepared.licence,
        is_restricted=prepared.is_restricted,
        dataset_version_id=dataset_version_id,
        created_by_id=actor.id,
    )
    session.add(version)
    session.flush()
    for some in parts([_columns(version.id, *numbered) for numbered in enumerate(prepared.rows)]):
        session.execute(insert(TaskRow), some)
    audit.record(session, actor, "froze", version, task=version.task, rows=version.rows)
    return version


def freeze_dataset(
    session: Session,
    actor: Actor,
    project_id: int,
    *,
    dataset_version_id: int,
    split: Split = Split.TEST,
    category: Category,
    shots: int = 0,
    seed: int = 0,
    limit: int = 0,
    name: str = "",
    is_general: bool = False,
) -> TaskVersion:
    """The rows of one category and split of a frozen dataset version, as a task (see db.tasks.instructions).

    Examples come from its train rows, never from those that are scored. Raises LookupError for another
    project's version, TaskError where there are no such rows or too few examples.
    """
    require(actor, Right.EVALUATE)
    prepared = prepare_dataset(
        session,
        project_id,
        dataset_version_id=dataset_version_id,
        split=split,
        category=category,
        shots=shots,
        seed=seed,
        limit=limit,
        name=name,
        is_general=is_general,
    )
    return freeze(session, actor, project_id, prepared, dataset_version_id=dataset_version_id)


def prepare_dataset(
    session: Session,
    project_id: int,
    *,
    dataset_version_id: int,
    split: Split = Split.TEST,
    category: Category,
    shots: int = 0,
    seed: int = 0,
    limit: int = 0,
    name: str = "",
    is_general: bool = False,
) -> Prepared:
    """The task that `freeze_dataset` would store; reads only."""
    version = _dataset_version(session, project_id, dataset_version_id)
    split, category = Split(split), Category(category)
    task: Any = make_task(task_for(category))
    there = _dataset_rows(session, version.id, split, category)
    if not there:
        raise TaskError(
            f"split: {version.dataset.name} version {version.number} has no {split} rows of {category}; "
            "choose another split or category."
        )
    places = rows_left([str(row.position) for row in there], seed, limit)
    chosen = [there[place] for place in places]
    rows = tuple(_prepared_row(task, row) for row in chosen)
    pool: Sequence[DatasetRow] = []
    if shots and split is not Split.TRAIN:
        pool = _dataset_rows(session, version.id, Split.TRAIN, category)
    elif shots:
        taken = set(places)
        pool = [row for place, row in enumerate(there) if place not in taken]
    examples = draw_examples(task, [_instruction_row(row) for row in pool], rows, shots, seed)
    return Prepared(
        name.strip() or f"{version.dataset.name} {version.number}, {category} {split}",
        task.name,
        category,
        rows,
        examples,
        {
            "task": {},
            "source": {"dataset_version": version.id, "hash": version.content_hash},
            "shots": shots,
            "seed": seed,
            "limit": limit,
        },
        hash_of(task, rows, examples),
        split,
        is_general,
        version.licence,
        any(row.is_restricted for row in chosen),
    )


def list_tasks(session: Session, project_id: int) -> list[TaskVersion]:
    """The project's frozen tasks, those that are not removed, newest first."""
    query = (
        select(TaskVersion)
        .where(TaskVersion.project_id == project_id, TaskVersion.deleted_at.is_(None))
        .order_by(TaskVersion.id.desc())
    )
    return list(session.scalars(query))


def get_task(session: Session, project_id: int, task_version_id: int) -> TaskVersion:
    """The task, removed or not, when it is this project's. Raises LookupError when it is not."""
    version = session.get(TaskVersion, task_version_id)
    if version is None or version.project_id != project_id:
        raise LookupError(f"This project has no task number {task_version_id}.")
    return version


def list_rows(
    session: Session, task_version_id: int, *, after: int = -1, limit: int | None = None
) -> list[TaskRow]:
    """Rows in order, from just behind position `after`."""
    query = (
        select(TaskRow)
        .where(TaskRow.task_version_id == task_version_id, TaskRow.position > after)
        .order_by(TaskRow.position)
        .limit(limit)
    )
    return list(session.scalars(query))


def set_general(
    session: Session, actor: Actor, project_id: int, task_version_id: int, *, is_general: bool
) -> TaskVersion:
    """Say whether the regression gate looks at this task."""
    require(actor, Right.EVALUATE)
    version = get_task(session, project_id, task_version_id)
    if version.is_general != is_general:
        version.is_general = is_general
        audit.record(session, actor, "marked", version, is_general=is_general)
    return version


def remove(session: Session, actor: Actor, project_id: int, task_version_id: int) -> TaskVersion:
    """Take a task off the lists. Its rows, and what was scored on them, stay."""
    require(actor, Right.EVALUATE)
    version = get_task(session, project_id, task_version_id)
    if version.deleted_at is None:
        version.deleted_at = utc_now()
        audit.record(session, actor, "deleted", version)
    return version


def put_back(session: Session, actor: Actor, project_id: int, task_version_id: int) -> TaskVersion:
    """Undo `remove`; under another name where its own is taken by now."""
    require(actor, Right.EVALUATE)
    version = get_task(session, project_id, task_version_id)
    if version.deleted_at is not None:
        version.name = _numbered(version.name, _taken(session, project_id))
        version.deleted_at = None
        audit.record(session, actor, "restored", version)
    return version


def _free_name(session: Session, project_id: int, prepared: Prepared) -> str:
    taken = _taken(session, project_id)
    if prepared.name and prepared.name in taken:
        raise ValueError(f"name: there is already a task named {prepared.name}; choose another name.")
    return prepared.name or _numbered(make_task(prepared.task).title, taken)


def _taken(session: Session, project_id: int) -> set[str]:
    return {version.name for version in list_tasks(session, project_id)}


def _numbered(name: str, taken: set[str]) -> str:
    """The name, with a number behind it where it is taken."""
    names = (name, *(f"{name} {number}" for number in range(2, len(taken) + 3)))
    return next(each for each in names if each not in taken)


def _columns(version_id: int, position: int, row: PreparedRow) -> dict[str, Any]:
    return {
        "task_version_id": version_id,
        "position": position,
        "key": row.key,
        "document": row.document,
        "instruction": row.instruction,
        "input": row.input,
        "reference": row.reference,
        "source": row.source,
    }


def _dataset_version(session: Session, project_id: int, version_id: int) -> DatasetVersion:
    version = datasets.get_version(session, version_id)
    if version.dataset.project_id != project_id:
        raise LookupError(f"This project has no dataset version number {version_id}.")
    return version


def _dataset_rows(session: Session, version_id: int, split: Split, category: Category) -> list[DatasetRow]:
    query = (
        select(DatasetRow)
        .where(
            DatasetRow.version_id == version_id, DatasetRow.split == split, DatasetRow.category == category
        )
        .order_by(DatasetRow.position)
    )
    return list(session.scalars(query))


def _instruction_row(row: DatasetRow) -> InstructionRow:
    id = str(row.position)
    return InstructionRow(id, _document(row), row.instruction, row.input, row.output, row.task, row.split)


def _document(row: DatasetRow) -> str:
    """What is resampled together: rows of one document of a corpus, or near copies of each other."""
    if ", document " in row.source:
        return row.source
    return f"near copies {row.near_group}" if row.near_group else str(row.position)


def _prepared_row(task: Any, row: DatasetRow) -> PreparedRow:
    own = _instruction_row(row)
    asked = task.ask(own)
    return PreparedRow(own.id, own.document_id, asked.instruction, asked.input, asked.reference, to_json(own))
