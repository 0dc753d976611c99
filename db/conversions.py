"""Conversions: corpora that became instructions. Start one, store its rows as they come, ask what came of it.

A conversion stores batch by batch, each in a transaction of its own that also says how far it has read. So a
job that was killed goes on at the first row that is not settled: no row comes twice and none is lost.
"""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime

from sqlalchemy import ColumnElement, func, insert, select
from sqlalchemy.orm import Session

from db import audit, jobs
from db.convert_spec import ConvertSpec
from db.corpora.batches import Batch, Converted, Fault
from db.enums import JobKind, Origin, Split
from db.exchange.stored import text_hash
from db.policy import Actor
from db.projects import get_project
from db.tables import Conversion, ConvertedRow, Instruction, Job, PrivacyFlag, Revision
from db.tables.base import utc_now

MAX_FAULTS = 100  # kept; all are counted
_TEXTS = (Instruction.instruction, Instruction.input, Instruction.output)


def start(
    session: Session, actor: Actor, project_id: int, spec: ConvertSpec, *, request_key: str | None = None
) -> Job:
    """Queue a conversion. Raises PolicyError without the right to run the factory."""
    project = get_project(session, project_id)
    name = spec.name.strip() or ", ".join(spec.names)[:80]
    return jobs.enqueue(session, actor, project.id, JobKind.CONVERT, spec, name=name, request_key=request_key)


def list_conversions(session: Session, project_id: int, *, limit: int = 50) -> list[Conversion]:
    """The latest first; those still waiting for a worker are jobs and not among them."""
    query = select(Conversion).where(Conversion.project_id == project_id)
    return list(session.scalars(query.order_by(Conversion.id.desc()).limit(limit)))


def get_conversion(session: Session, conversion_id: int) -> Conversion:
    conversion = session.get(Conversion, conversion_id)
    if conversion is None:
        raise LookupError(f"There is no conversion number {conversion_id}.")
    return conversion


def of_job(session: Session, job_id: int) -> Conversion | None:
    """The conversion of a job; None before its first attempt has begun."""
    return session.scalar(select(Conversion).where(Conversion.job_id == job_id))


def rows_of(conversion_id: int) -> list[ColumnElement[bool]]:
    """The conditions that pick the records of a conversion."""
    rows = select(ConvertedRow.instruction_id).where(ConvertedRow.conversion_id == conversion_id)
    return [Instruction.id.in_(rows)]


# Where rows came from -----------------------------------------------------------------------------------


def came_from(session: Session, instruction_id: int) -> ConvertedRow | None:
    """Corpus, document, template and wording of a record; None for one that was not converted."""
    return session.get(ConvertedRow, instruction_id)


def source_splits(session: Session, project_id: int) -> dict[int, Split]:
    """The split that each converted record's source put it into, where it names one.

    Freezing honours them: who trained on a corpus's test rows cannot be measured on them.
    """
    query = _rows_in(project_id, ConvertedRow.instruction_id, ConvertedRow.split)
    return dict(map(tuple, session.execute(query.where(ConvertedRow.split.is_not(None)))))


def source_documents(session: Session, project_id: int) -> dict[int, tuple[str, str]]:
    """(source, document) of each converted record: rows of one document belong into one split.

    Rows that are documents of their own are not in it: some files number theirs, each from 1.
    """
    columns = (ConvertedRow.instruction_id, ConvertedRow.source, ConvertedRow.document_id)
    shared = ConvertedRow.document_id.not_in(("", ConvertedRow.row_id))
    found = session.execute(_rows_in(project_id, *columns).where(shared))
    return {id: (source, document) for id, source, document in found}


def _rows_in(project_id: int, *columns):
    mine = ConvertedRow.conversion_id == Conversion.id
    return select(*columns).join(Conversion, mine).where(Conversion.project_id == project_id)


# The job's side -----------------------------------------------------------------------------------------


def begin(session: Session, job: Job) -> Conversion:
    """The conversion of a job, made when its first attempt begins; later attempts find it as it was left."""
    found = of_job(session, job.id)
    if found is None:
        found = Conversion(project_id=job.project_id, job_id=job.id, author_id=job.created_by_id)
        session.add(found)
        session.flush()
    elif found.taken_back_at is not None:
        raise ValueError("conversion: it was taken back; start a new one.")
    return found


def known_texts(session: Session, project_id: int) -> dict[bytes, str]:
    """What the project holds, by hash of its text, each with the source it came from ("" for none)."""
    query = (
        select(*_TEXTS, ConvertedRow.source)
        .outerjoin(ConvertedRow, ConvertedRow.instruction_id == Instruction.id)
        .where(Instruction.project_id == project_id, Instruction.deleted_at.is_(None))
        .execution_options(yield_per=2_000)
    )
    return {text_hash(*texts): source or "" for *texts, source in session.execute(query)}


def without_copies(batch: Batch, known: dict[bytes, str]) -> Batch:
    """The batch without rows whose text is stored or came before; `known` learns the others.

    Copies within a source, of another source and of what the project held are counted apart.
    """
    kept, copies = [], []
    for row in batch.rows:
        digest = text_hash(row.content.instruction, row.content.input, row.content.output)
        first = known.setdefault(digest, row.source) if digest in known else None
        if first is None:
            known[digest] = row.source
            kept.append(row)
        else:
            where = "within" if first == row.source else "across" if first else "stored"
            copies.append((row.source, f"copies_{where}"))
    return batch.keeping(kept, copies)


def store(session: Session, conversion_id: int, batch: Batch) -> None:
    """Insert the rows of a batch, and note in the same transaction that everything up to it is settled.

    Raises ValueError when the batch is not the one that follows what is settled.
    """
    conversion = get_conversion(session, conversion_id)
    if conversion.taken_back_at is not None:
        raise ValueError("conversion: it was taken back while it ran; start a new one.")
    if batch.first != conversion.rows_read + 1:
        raise ValueError(
            f"conversion: row {batch.first:,} came where row {conversion.rows_read + 1:,} was due; resume it."
        )
    _insert(session, conversion, batch.rows)
    conversion.rows_read = batch.last
    conversion.tally = _added(conversion.tally, batch.tally)
    room = MAX_FAULTS - len(conversion.faults)
    conversion.faults = [*conversion.faults, *(asdict(fault) for fault in batch.faults[:room])]


def finish(session: Session, conversion_id: int, actor: Actor | None) -> dict:
    """Close a conversion that has read everything; what it came to, for the job's result."""
    conversion = get_conversion(session, conversion_id)
    found = result_of(conversion)
    if conversion.finished_at is None:
        conversion.finished_at = utc_now()
        audit.record(session, actor, "converted", conversion, rows=found["totals"].get("stored", 0))
    return found


def result_of(conversion: Conversion) -> dict:
    """What a conversion has come to so far, as plain values: by source, in all, and its first faults."""
    totals: dict[str, int] = {}
    for counts in conversion.tally.values():
        for what, rows in counts.items():
            totals[what] = totals.get(what, 0) + rows
    return {
        "conversion_id": conversion.id,
        "rows_read": conversion.rows_read,
        "sources": conversion.tally,
        "totals": totals,
        "faults": conversion.faults,
    }


def faults_of(conversion: Conversion) -> list[Fault]:
    """The first faults, in order of reading; `tally` counts them all."""
    return [Fault(**fault) for fault in conversion.faults]


def _insert(session: Session, conversion: Conversion, rows: Sequence[Converted]) -> None:
    """Heads, first revisions, origins and privacy flags: a statement each, however many rows."""
    if not rows:
        return
    at = conversion.created_at
    both = {"author_id": conversion.author_id, "created_at": at}
    head = {"project_id": conversion.project_id, "origin": Origin.CONVERTED, "updated_at": at, **both}
    texts = [row.content.columns() for row in rows]
    heads = [{**head, **_around(row), **text} for row, text in zip(rows, texts, strict=True)]
    ids = _insert_heads(session, heads)
    revision = {"number": 1, **both}
    session.execute(
        insert(Revision.__table__),
        [
            {"instruction_id": id, "reason": f"Converted from {row.source}", **revision, **text}
            for id, row, text in zip(ids, rows, texts, strict=True)
        ],
    )
    place = {"conversion_id": conversion.id}
    session.execute(
        insert(ConvertedRow.__table__),
        [{"instruction_id": id, **place, **_origin(row)} for id, row in zip(ids, rows, strict=True)],
    )
    flags = [
        flag for id, row in zip(ids, rows, strict=True) if row.flags for flag in _flag_columns(id, row, at)
    ]
    if flags:
        session.execute(insert(PrivacyFlag), flags)


def _insert_heads(session: Session, heads: list[dict]) -> list[int]:
    """The ids of the new rows, in order."""
    if session.get_bind().dialect.name != "sqlite":
        added = insert(Instruction).returning(Instruction.id, sort_by_parameter_order=True)
        return list(session.scalars(added, heads))
    # SQLite would be asked row by row for the ids; the holder of its write lock may number rows itself.
    first = (session.scalar(select(func.max(Instruction.id))) or 0) + 1
    ids = list(range(first, first + len(heads)))
    numbered = [{"id": id, **head} for id, head in zip(ids, heads, strict=True)]
    session.execute(insert(Instruction.__table__), numbered)
    return ids


def _around(row: Converted) -> dict:
    return {"provenance": row.provenance, "licence": row.licence, "is_restricted": row.is_restricted}


def _origin(row: Converted) -> dict:
    names = ("number", "source", "document_id", "row_id", "split", "template", "template_version", "wording")
    return {name: getattr(row, name) for name in names}


def _flag_columns(id: int, row: Converted, at: datetime) -> list[dict]:
    place = {"instruction_id": id, "version": 1, "created_at": at}
    return [
        {
            **place,
            "field": flag.field,
            "span_start": flag.start,
            "span_end": flag.end,
            "kind": flag.kind,
            "score": flag.score,
        }
        for flag in row.flags
    ]


def _added(tally: dict, more: dict[str, dict[str, int]]) -> dict:
    """The tally with more counts; a new dictionary, or the change would go unseen."""
    sums = {source: dict(counts) for source, counts in tally.items()}
    for source, counts in more.items():
        mine = sums.setdefault(source, {})
        for what, rows in counts.items():
            mine[what] = mine.get(what, 0) + rows
    return sums
