"""New values for many records in few statements. Tags are content: who gets new ones gets a revision."""

from sqlalchemy import and_, bindparam, case, insert, literal, select, update
from sqlalchemy.orm import Session

from db.content import FIELDS
from db.session import Report, parts
from db.tables import DuplicateWaiver, Instruction, PrivacyFlag, Revision
from db.tables.base import utc_now


def assign(session: Session, assignees: dict[int, int | None], report: Report | None = None) -> None:
    """The person (or nobody) that each record is handed to."""
    for part in parts(list(assignees), report):
        _update_each(session, {"assignee_id": bindparam("value")}, {id: assignees[id] for id in part})


def retag(session: Session, tags: dict[int, list[str]], reason: str, report: Report | None = None) -> None:
    """New tags and a revision for each; what hangs on the version, flags and waivers, comes along."""
    in_force = Instruction.approved_version == Instruction.version
    values = {
        "tags": bindparam("value", type_=Instruction.tags.type),
        "version": Instruction.version + 1,
        "approved_version": case((in_force, Instruction.version + 1), else_=Instruction.approved_version),
    }
    copied = [getattr(Instruction, field) for field in FIELDS]
    new = [Revision.author_id, literal(reason), literal(utc_now(), Revision.created_at.type)]
    last = and_(Revision.instruction_id == Instruction.id, Revision.number == Instruction.version - 1)
    heads = select(Instruction.id, Instruction.version, *new, *copied).join(Revision, last)
    columns = ["instruction_id", "number", "author_id", "reason", "created_at", *FIELDS]
    for part in parts(list(tags), report):
        _update_each(session, values, {id: tags[id] for id in part})
        session.execute(insert(Revision).from_select(columns, heads.where(Instruction.id.in_(part))))
        for table in (PrivacyFlag, DuplicateWaiver):
            _carry_over(session, table, part)


def _carry_over(session: Session, kind: type[PrivacyFlag] | type[DuplicateWaiver], ids: list[int]) -> None:
    """Copy what was said of the last version to the head: the text is the same."""
    columns = [column for column in kind.__table__.columns if column.name not in ("id", "version")]
    rows = (
        select(Instruction.version, *columns)
        .join(Instruction, Instruction.id == kind.instruction_id)
        .where(kind.instruction_id.in_(ids), kind.version == Instruction.version - 1)
    )
    session.execute(insert(kind).from_select(["version", *(column.name for column in columns)], rows))


def _update_each(session: Session, values: dict, given: dict) -> None:
    """One prepared statement, run for every id with its own value."""
    table = Instruction.__table__
    statement = update(table).where(table.c.id == bindparam("of")).values(**values)
    session.connection().execute(statement, [{"of": id, "value": value} for id, value in given.items()])
