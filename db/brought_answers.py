"""Answers that came in a file, with what people thought of them: the ground a judge is judged on.

A file has a row an answer: what was asked, the reference, the answer, and scores that people gave, in the
same file or in a second one with the same rows in the same order. Stored, it is an evaluation without a
model: its answers are scored by every measure of free text, and a judge can grade them like any other.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy.orm import Session

from db import audit, evaluations, task_versions
from db.enums import Category, Way
from db.evaluations import Scored
from db.exchange import readers, sniff
from db.policy import Actor, Right, require
from db.tables import Evaluation, TaskVersion
from db.task_drafts import Prepared, PreparedRow, hash_of
from db.tasks import make_task, of_version, to_json
from db.tasks.rows import InstructionRow
from db.tasks.task import RowScore

TASK = "instructions-gen"
HUMAN = "human"  # the key under which a prediction holds people's scores
MAX_ROWS = 50_000


@dataclass(frozen=True)
class Columns:
    """Which column of the file holds what. `instruction` is said before each prompt, and is no column."""

    prompt: str
    reference: str
    answer: str
    instruction: str = ""


@dataclass(frozen=True)
class BroughtRow:
    """One answer with what people thought of it."""

    prompt: str
    reference: str
    answer: str
    human: Mapping[str, float] = field(default_factory=dict)


def read(path: Path, columns: Columns, scores: Path | None = None) -> list[BroughtRow]:
    """The rows of the file (CSV, TSV, JSON, JSONL, Parquet), with the numbers of `scores` beside them.

    Without a second file every further column of numbers is a score. Raises ValueError naming the row.
    """
    rows = _rows(path, "answers")
    numbers = _rows(scores, "scores") if scores else [_others(row, columns) for row in rows]
    if len(numbers) != len(rows):
        raise ValueError(
            f"scores: the file has {len(numbers):,} rows and the answers {len(rows):,}; both need the same."
        )
    found = [
        BroughtRow(
            *(_text(row, getattr(columns, name), name, at) for name in ("prompt", "reference", "answer")),
            _numbers(number),
        )
        for at, (row, number) in enumerate(zip(rows, numbers, strict=True), start=1)
    ]
    if not any(row.human for row in found):
        raise ValueError("scores: no column holds numbers; bring the file with people's scores, too.")
    return found


def bring(
    session: Session,
    actor: Actor,
    project_id: int,
    rows: Sequence[BroughtRow],
    *,
    name: str,
    instruction: str,
) -> Evaluation:
    """Store the answers as an evaluation of a frozen task of their own; answers to one prompt are of one
    document. Its figures take seconds: sum it up in a `read()` scope, and close it then.

    Raises ValueError, PolicyError; nothing is stored then.
    """
    require(actor, Right.EVALUATE)
    name = name.strip()
    if not name:
        raise ValueError("name: name the answers so that you find them again.")
    version = task_versions.freeze(session, actor, project_id, _prepared(rows, name, instruction))
    session.flush()
    evaluation = Evaluation(
        project_id=project_id,
        task_version_id=version.id,
        way=Way.GENERATION,
        rows=len(rows),
        provenance={"answers": name, "scores": sorted({key for row in rows for key in row.human})},
    )
    session.add(evaluation)
    session.flush()
    evaluations.store(session, evaluation, _scored(version, rows))
    audit.record(session, actor, "brought", evaluation, rows=len(rows))
    return evaluation


def _prepared(rows: Sequence[BroughtRow], name: str, instruction: str) -> Prepared:
    task = make_task(TASK, {})
    instruction = instruction.strip() or "Write the text that the input calls for."
    documents: dict[str, str] = {}
    prepared = tuple(
        PreparedRow(
            key=str(at),
            document=documents.setdefault(row.prompt, f"prompt {len(documents) + 1}"),
            instruction=instruction,
            input=row.prompt,
            reference=row.reference,
            source=to_json(_row(at, instruction, row)),
        )
        for at, row in enumerate(rows, start=1)
    )
    return Prepared(name, TASK, Category.GEN, prepared, (), {}, hash_of(task, prepared, ()))


def _row(at: int, instruction: str, row: BroughtRow) -> InstructionRow:
    return InstructionRow(str(at), str(at), instruction, row.prompt, row.reference)


def _scored(version: TaskVersion, rows: Sequence[BroughtRow]) -> list[Scored]:
    task = of_version(version)
    instruction = ""  # scores do not look at it
    found = []
    for position, row in enumerate(rows):
        score = task.score(_row(position + 1, instruction, row), row.answer)
        said = {**score.said, HUMAN: dict(row.human)}
        found.append(Scored(position, row.answer, RowScore(score.score, score.is_right, score.counts, said)))
    return found


def _rows(path: Path, field: str) -> list[dict]:
    found = []
    for row in readers.read_rows(path, sniff.sniff(path)):
        if row.fault:
            raise ValueError(f"{field}: row {row.number} is {row.fault}")
        found.append(row.values)
        if len(found) > MAX_ROWS:
            raise ValueError(f"{field}: the file has more than {MAX_ROWS:,} rows; bring fewer.")
    if not found:
        raise ValueError(f"{field}: the file holds no rows; choose another.")
    return found


def _text(row: Mapping, column: str, name: str, at: int) -> str:
    if column not in row:
        known = ", ".join(map(str, row)) or "none"
        said = f"{column!r} is no column of the file" if column else "none is named"
        raise ValueError(f"{name} column: {said}; it has {known[:300]}.")
    text = str(row[column] or "").strip()
    if not text:
        raise ValueError(f"{name} column: {column} is empty in row {at}; fill it or take the row out.")
    return text


def _others(row: Mapping, columns: Columns) -> dict:
    taken = (columns.prompt, columns.reference, columns.answer)
    return {name: value for name, value in row.items() if name not in taken}


def _numbers(row: Mapping) -> dict[str, float]:
    """The cells that hold numbers, without counters of rows."""
    found = {}
    for name, value in row.items():
        if str(name).strip().casefold() in ("id", "no", "number", ""):
            continue
        try:
            found[str(name).strip()] = float(value)
        except (TypeError, ValueError):
            continue
    return found
