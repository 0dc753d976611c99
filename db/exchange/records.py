"""What leaves: the rows of a query or of a frozen version, a chunk in memory at a time.

Rows under a data-use agreement (`is_restricted`) never leave; how many stayed is said.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Select, func, or_, select
from sqlalchemy.orm import Session

from db.content import FIELDS
from db.datasets import count_unreviewed, get_version
from db.enums import Split
from db.exchange.stored import handle
from db.policy import Actor, Right, require
from db.projects import get_project
from db.search import InstructionQuery, matching
from db.tables import Dataset, DatasetRow, Instruction

COLUMNS = (*FIELDS, "licence", "provenance", "key")
_UNREVIEWED = "is_unreviewed"
CHUNK_ROWS = 2_000

Row = dict[str, object]


@dataclass(frozen=True)
class Records:
    """A choice of rows to export. `read` gives them in chunks: of one split, or (None) of all."""

    subject: str  # what it is, for the audit: instructions or dataset_versions
    subject_id: int
    stem: str  # of a file's name
    columns: tuple[str, ...]
    rows: int
    restricted: int  # rows that stay, because a data-use agreement covers them
    splits: tuple[Split, ...]
    read: Callable[[Split | None], Iterator[list[Row]]]

    def chunks(self, split: Split | None = None) -> Iterator[list[Row]]:
        return self.read(split)

    @property
    def sentence(self) -> str:
        """What a page says before the file is saved."""
        if not self.restricted:
            return f"{self.rows:,} rows."
        are, stay = ("is", "stays") if self.restricted == 1 else ("are", "stay")
        return f"{self.rows:,} rows. {self.restricted:,} {are} under a data-use agreement and {stay} here."


def of_query(session: Session, actor: Actor, project_id: int, query: InstructionQuery) -> Records:
    """The current text of every record that the query finds, oldest first."""
    require(actor, Right.READ)
    project = get_project(session, project_id)
    return of_conditions(session, actor, project.id, matching(project.id, query))


def of_conditions(
    session: Session, actor: Actor, project_id: int, conditions: list[ColumnElement[bool]]
) -> Records:
    """`of_query` for whoever has the conditions of a list at hand."""
    require(actor, Right.READ)
    free = [*conditions, Instruction.is_restricted.is_(False)]
    kept, all_rows = (
        session.scalar(select(func.count()).select_from(Instruction).where(*asked)) or 0
        for asked in (free, conditions)
    )
    texts = (getattr(Instruction, name) for name in (*FIELDS, "licence", "provenance", "key", "created_at"))
    query = select(Instruction.id, *texts).where(*free)

    def read(split: Split | None) -> Iterator[list[Row]]:
        for rows in _keyed(session, query, Instruction.id):
            yield [_row(row) for row in rows]

    return Records("projects", project_id, "instructions", COLUMNS, kept, all_rows - kept, (), read)


def columns_of_version(session: Session, version_id: int) -> tuple[str, ...]:
    """The columns of a version's export: whether a row was reviewed is one where some were not."""
    marked = (_UNREVIEWED,) if count_unreviewed(session, version_id) else ()
    return ("split", *COLUMNS, *marked)


def of_version(session: Session, actor: Actor, version_id: int) -> Records:
    """The rows of a frozen version, in its order, each with its split.

    A row stays when it was restricted at the freeze, or when its record is now.
    """
    require(actor, Right.READ)
    version = get_version(session, version_id)
    dataset = session.get_one(Dataset, version.dataset_id)
    stays = or_(DatasetRow.is_restricted.is_(True), Instruction.is_restricted.is_(True))
    facts = ("licence", "provenance", "split", "position", _UNREVIEWED)
    texts = (getattr(DatasetRow, name) for name in (*FIELDS, *facts))
    query = (
        select(*texts, DatasetRow.instruction_id.label("id"), Instruction.key, Instruction.created_at)
        .outerjoin(Instruction, Instruction.id == DatasetRow.instruction_id)
        .where(DatasetRow.version_id == version.id)
    )
    free = query.where(func.coalesce(stays, False).is_(False))
    counts = dict(
        map(tuple, session.execute(select(free.subquery().c.split, func.count()).group_by("split")))
    )
    total = session.scalar(
        select(func.count()).select_from(DatasetRow).where(DatasetRow.version_id == version.id)
    )
    kept, columns = sum(counts.values()), columns_of_version(session, version.id)

    def read(split: Split | None) -> Iterator[list[Row]]:
        asked = free if split is None else free.where(DatasetRow.split == split)
        for rows in _keyed(session, asked, DatasetRow.position):
            yield [_frozen(row, is_marked=_UNREVIEWED in columns) for row in rows]

    stem = "-".join(re.findall(r"\w+", dataset.name.lower()))
    return Records(
        "dataset_versions", version.id, f"{stem or 'dataset'}-v{version.number}", columns,
        kept, total - kept, tuple(split for split in Split if counts.get(split)), read,
    )  # fmt: skip


def _keyed(session: Session, query: Select, key) -> Iterator[list]:
    """The query's rows by chunks, each from just behind the last: no chunk waits for the ones before it."""
    query, last = query.order_by(key).limit(CHUNK_ROWS), None
    while rows := session.execute(query if last is None else query.where(key > last)).all():
        yield rows
        last = getattr(rows[-1], key.key)


def _frozen(row, *, is_marked: bool) -> Row:
    marked = {_UNREVIEWED: row.is_unreviewed} if is_marked else {}
    return {"split": row.split.value, **_row(row), **marked}


def _row(row) -> Row:
    name = row.key or (handle(row.id, row.created_at) if row.created_at else "")
    texts = {field: getattr(row, field) for field in FIELDS}
    provenance = getattr(row.provenance, "value", row.provenance)
    return {
        **texts,
        "category": row.category.value,
        "tags": list(row.tags),
        "licence": row.licence,
        "provenance": provenance,
        "key": name,
    }
