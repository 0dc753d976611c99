"""Import of instruction/input/output files: all rows or none, every fault listed by its line."""

import json
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.orm import Session

from db import audit
from db.content import FIELDS, Content
from db.enums import Origin, Provenance
from db.instructions import create_instruction
from db.policy import Actor, Right, require
from db.projects import get_project
from db.tables import Instruction

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


def import_contents(
    session: Session,
    actor: Actor,
    project_id: int,
    contents: list[Content],
    *,
    provenance: Provenance = Provenance.NATIVE,
    file_name: str = "",
) -> list[Instruction]:
    """Store every row as a draft of origin *imported*."""
    require(actor, Right.WRITE)
    project = get_project(session, project_id)
    reason = f"Imported from {file_name}" if file_name else "Imported"
    rows = [
        create_instruction(
            session, actor, project_id, content, origin=Origin.IMPORTED, provenance=provenance, reason=reason
        )
        for content in contents
    ]
    audit.record(session, actor, "imported", project, rows=len(rows))
    return rows


def _read_text(path: Path) -> str:
    if path.stat().st_size > MAX_BYTES:
        raise ValueError(f"file: larger than {MAX_BYTES >> 20} MiB; split it.")
    try:
        return path.read_text(encoding="utf-8-sig")
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
