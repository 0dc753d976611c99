"""Import of records: what a file's rows become once stored. Reading files is `db.exchange`'s business."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

from sqlalchemy import ColumnElement, insert, select
from sqlalchemy.orm import Session

from db import audit
from db.content import Content
from db.enums import Category, Origin, Provenance
from db.exchange.faults import ImportRefused, RowError
from db.exchange.mapping import check_mapping, guess_mapping, read_given
from db.exchange.readers import read_rows
from db.exchange.sniff import fingerprint_file, sniff
from db.instructions import submit_matching
from db.policy import Actor, Right, require
from db.projects import get_project
from db.session import parts
from db.tables import Instruction, Project, Revision
from db.tables.base import utc_now

MAX_ROWS = 50_000


def read_file(path: Path) -> list[Content]:
    """The rows of a file, its columns mapped by guess, all in memory: for files of modest size.

    Raises ValueError when it cannot be read, ImportRefused with the lines that are wrong.
    """
    layout = sniff(path)
    fingerprint_file(path, layout)
    rows = list(read_rows(path, layout))
    if not rows:
        raise ValueError("file: it holds no rows; choose a file with at least one.")
    if len(rows) > MAX_ROWS:
        raise ValueError(f"file: {len(rows):,} rows; split it into files of at most {MAX_ROWS:,}.")
    columns = list(dict.fromkeys(name for row in rows for name in row.values))
    mapping = guess_mapping(columns, [row.values for row in rows])
    if columns:
        check_mapping(mapping, columns)
        _refuse_unmapped(columns, mapping)
    contents, errors = [], []
    for row in rows:
        try:
            if row.fault:
                raise ValueError(row.fault)
            contents.append(read_given(row.values, mapping).content())
        except ValueError as error:
            errors.append(RowError(row.line, str(error), row.number))
    if errors:
        raise ImportRefused(errors)
    return contents


@dataclass(frozen=True)
class Imported:
    """What an import stored, and how much of it went to the reviewers at once."""

    ids: list[int]
    submitted: int
    changed: tuple[int, ...] = ()  # records that got a new revision
    duplicates: int = 0
    by_row: dict[int, int] = field(default_factory=dict)  # number of the row -> record, new and changed


@dataclass(frozen=True)
class Draft:
    """A record to store, and what surrounds its content."""

    content: Content
    key: str | None = None
    provenance: Provenance = Provenance.NATIVE
    licence: str = ""
    is_restricted: bool = False


def import_contents(
    session: Session,
    actor: Actor,
    project_id: int,
    contents: list[Content],
    *,
    provenance: Provenance = Provenance.NATIVE,
    file_name: str = "",
    submit: bool = False,
) -> Imported:
    """Store every row as a draft of origin *imported*; with `submit`, the complete ones go to review.

    Nothing is compared with what is stored: `db.exchange.preview` does that.
    """
    require(actor, Right.WRITE)
    project = get_project(session, project_id)
    now = utc_now()
    reason = f"Imported from {file_name}" if file_name else "Imported"
    drafts = [Draft(content, provenance=provenance) for content in contents]
    ids = store_drafts(session, actor, project, drafts, reason, now)
    audit.record(session, actor, "imported", project, rows=len(ids), file=file_name)
    submitted = submit_matching(session, actor, import_rows(project.id, actor.id, now)) if submit else 0
    return Imported(ids, submitted)


def store_drafts(
    session: Session, actor: Actor, project: Project, drafts: Sequence[Draft], reason: str, at: datetime
) -> list[int]:
    """Insert the drafts with their first revisions; their ids in order. The caller writes the audit line.

    All rows of one import share author and `created_at`: that is what makes them one import later on.
    """
    if not drafts:
        return []
    texts = [draft.content.columns() for draft in drafts]
    both = {"author_id": actor.id, "created_at": at}
    head = {"project_id": project.id, "origin": Origin.IMPORTED, "updated_at": at, **both}
    heads = [{**head, **_around(draft), **text} for draft, text in zip(drafts, texts, strict=True)]
    # Two statements for all rows, not two a row: the write lock is held for seconds, not for minutes.
    added = insert(Instruction).returning(Instruction.id, sort_by_parameter_order=True)
    ids = list(session.scalars(added, heads))
    revision = {"number": 1, "reason": reason, **both}
    rows = zip(ids, texts, strict=True)
    session.execute(insert(Revision), [{"instruction_id": id, **revision, **text} for id, text in rows])
    return ids


def _refuse_unmapped(columns: list[str], mapping: dict[str, str]) -> None:
    """Nobody is asked here which columns to take, so none is left out without a word."""
    left = [column for column in columns if column not in mapping.values()]
    if left:
        raise ValueError(f"file: no field is known for the column {left[0][:40]}; remove it or map it.")


def submit_ids(session: Session, actor: Actor, ids: Sequence[int]) -> int:
    """Submit the complete drafts among these records, which the actor may write; how many those were."""
    return sum(submit_matching(session, actor, [Instruction.id.in_(part)]) for part in parts(ids))


def _around(draft: Draft) -> dict:
    return {
        "key": draft.key,
        "provenance": draft.provenance,
        "licence": draft.licence,
        "is_restricted": draft.is_restricted,
    }


def fill_labels(contents: list[Content], *, category: Category, task: str, specialty: str) -> list[Content]:
    """The rows, those that name no task with these labels: files of bare questions and answers carry none."""
    labels = {"category": category, "task": task, "specialty": specialty}

    def filled(content: Content) -> Content:
        if content.task:
            return content
        given = {"specialty": content.specialty or specialty}
        if content.category is not Category.OTHER:
            given["category"] = content.category
        return replace(content, **{**labels, **given})

    return [filled(content) for content in contents]


def import_rows(project_id: int, author_id: int, at: datetime) -> list[ColumnElement[bool]]:
    """The conditions that pick the rows of one import: they share author and time, to the microsecond."""
    return [
        Instruction.project_id == project_id,
        Instruction.origin == Origin.IMPORTED,
        Instruction.author_id == author_id,
        Instruction.created_at == at,
        Instruction.deleted_at.is_(None),
    ]


def name_of_import(session: Session, instruction_id: int) -> str:
    """What the first revision says of where the row came from, such as "Imported from notes.jsonl"."""
    query = select(Revision.reason).where(Revision.instruction_id == instruction_id, Revision.number == 1)
    return session.scalar(query) or ""
