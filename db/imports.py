"""Import of instruction/input/output files: all rows or none, every fault listed by its line."""

import json
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from sqlalchemy import ColumnElement, insert, select
from sqlalchemy.orm import Session

from db import audit
from db.content import FIELDS, Content
from db.enums import Category, Origin, Provenance
from db.instructions import submit_matching
from db.policy import Actor, Right, require
from db.projects import get_project
from db.tables import Instruction, Revision
from db.tables.base import utc_now

MAX_BYTES = 64 << 20
MAX_ROWS = 50_000


@dataclass(frozen=True)
class RowError:
    line: int
    message: str


class ImportRefused(ValueError):
    """The file holds faults; nothing was stored. `errors` lists them by line."""

    def __init__(self, errors: list[RowError]) -> None:
        super().__init__(
            f"file: {len(errors):,} rows have faults and nothing was imported; mend them and try again."
        )
        self.errors = errors


def read_file(path: Path) -> list[Content]:
    """The rows of a JSON array or JSONL file.

    Raises ValueError when it cannot be read as either, ImportRefused with the lines that are wrong.
    """
    text = _read_text(path)
    rows = _json_rows(text) if text.lstrip().startswith("[") else _jsonl_rows(text)
    if not rows:
        raise ValueError("file: it holds no rows; give a JSON array or one JSON object a line.")
    if len(rows) > MAX_ROWS:
        raise ValueError(f"file: {len(rows):,} rows; split it into files of at most {MAX_ROWS:,}.")
    contents, errors = [], []
    for line, row in rows:
        try:
            contents.append(_content(row))
        except ValueError as error:
            errors.append(RowError(line, str(error)))
    if errors:
        raise ImportRefused(errors)
    return contents


@dataclass(frozen=True)
class Imported:
    """What an import stored, and how much of it went to the reviewers at once."""

    ids: list[int]
    submitted: int


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

    All rows of one import share author and `created_at`: that is what makes them one import later on.
    """
    require(actor, Right.WRITE)
    project = get_project(session, project_id)
    now = utc_now()
    texts = [content.columns() for content in contents]
    head = {"project_id": project.id, "origin": Origin.IMPORTED, "provenance": provenance, "updated_at": now}
    revision = {"number": 1, "reason": f"Imported from {file_name}" if file_name else "Imported"}
    both = {"author_id": actor.id, "created_at": now}
    # Two statements for all rows, not two a row: the write lock is held for seconds, not for minutes.
    added = insert(Instruction).returning(Instruction.id, sort_by_parameter_order=True)
    ids = list(session.scalars(added, [{**head, **both, **text} for text in texts]))
    rows = zip(ids, texts, strict=True)
    session.execute(
        insert(Revision), [{"instruction_id": id, **revision, **both, **text} for id, text in rows]
    )
    audit.record(session, actor, "imported", project, rows=len(ids), file=file_name)
    submitted = submit_matching(session, actor, import_rows(project.id, actor.id, now)) if submit else 0
    return Imported(ids, submitted)


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


def _read_text(path: Path) -> str:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise ValueError(f"file: larger than {MAX_BYTES >> 20} MiB; split it.")
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise ValueError(f"file: {path.name} cannot be read ({error.strerror}); choose another.") from error
    except UnicodeDecodeError as error:
        raise ValueError("file: it is not UTF-8 text; save it as JSON or JSONL in UTF-8.") from error


def _json_rows(text: str) -> list[tuple[int, object]]:
    """(number of the row, row) of a JSON array."""
    try:
        return list(enumerate(json.loads(text), start=1))
    except json.JSONDecodeError as error:
        raise ImportRefused([RowError(error.lineno, f"not JSON: {error.msg}.")]) from error


def _jsonl_rows(text: str) -> list[tuple[int, object]]:
    """(line, row) of a file with one JSON object a line; a line that is no JSON is kept as its fault."""
    rows: list[tuple[int, object]] = []
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            try:
                rows.append((number, json.loads(line)))
            except json.JSONDecodeError as error:
                rows.append((number, error))
    return rows


def _content(row: object) -> Content:
    if isinstance(row, json.JSONDecodeError):
        raise ValueError(f"not JSON: {row.msg} at column {row.colno}.")
    if not isinstance(row, dict):
        raise ValueError('not an object; write {"instruction": ..., "input": ..., "output": ...}.')
    if "instruction" not in row:
        raise ValueError("instruction: missing.")
    unknown = sorted(set(row) - set(FIELDS))
    if unknown:
        raise ValueError(f"{unknown[0]}: not a field of an instruction; the fields are {', '.join(FIELDS)}.")
    given = {name: value for name, value in row.items() if value is not None}
    if "tags" in given and not isinstance(given["tags"], list):
        raise ValueError("tags: must be a list of words.")
    return Content(**{**given, "tags": tuple(given.get("tags", ()))})
