"""Taking a conversion back whole: its records leave the database, as if it had never run.

Only while nobody has put work into them: an edit, a review, a remark, a lease, a cleared flag, a frozen
version, or another record that came from one. Records are truly deleted, not hidden: a corpus under a
data-use agreement that was brought by mistake must not stay.
"""

from sqlalchemy import ColumnElement, delete, exists, func, or_, select
from sqlalchemy.orm import Session, aliased

from db import audit
from db.conversions import get_conversion
from db.enums import InstructionStatus
from db.jobs import get_job
from db.policy import Actor, Right, require
from db.session import parts
from db.tables import Base, Conversion, ConvertedRow, Instruction, PrivacyFlag, Revision
from db.tables.base import utc_now

BATCH = 1_000  # records deleted while others wait
_OWN = (Revision, ConvertedRow, PrivacyFlag)  # made with the record, and gone with it
_IN_WORDS = {"dataset_rows": "frozen", "reviews": "reviewed", "comments": "with remarks"}
_UNTOUCHED = (InstructionStatus.DRAFT, InstructionStatus.IN_REVIEW)


def count_touched(session: Session, conversion_id: int) -> dict[str, int]:
    """How many of its records somebody has put work into, by what: nothing when it can be taken back."""
    found = {}
    for what, condition in _work().items():
        query = select(func.count()).select_from(Instruction).where(_mine(conversion_id), condition)
        if count := session.scalar(query):
            found[what] = count
    return found


def take_back(session: Session, actor: Actor, conversion_id: int, *, at_most: int = BATCH) -> int:
    """Delete some of its records; how many are left. Call it, a `write()` each, until none is.

    The first call decides: it raises ValueError when somebody has put work into a record, or while the job
    still runs. A record that somebody takes up between two calls stays.
    Raises PolicyError unless the actor started it or manages the project.
    """
    conversion = get_conversion(session, conversion_id)
    require(actor, Right.RUN_FACTORY if conversion.author_id == actor.id else Right.MANAGE_PROJECT)
    if conversion.taken_back_at is None:
        _require_untouched(session, conversion)
        conversion.taken_back_at, conversion.taken_back_by_id = utc_now(), actor.id
        audit.record(session, actor, "took_back", conversion, rows=_count(session, conversion_id))
    gone = list(
        session.scalars(
            select(Instruction.id)
            .where(_mine(conversion_id), ~or_(*_work().values()))
            .order_by(Instruction.id)
            .limit(at_most)
        )
    )
    for ids in parts(gone):
        _delete(session, ids)
    return 0 if len(gone) < at_most else _count(session, conversion_id)


def _require_untouched(session: Session, conversion: Conversion) -> None:
    if get_job(session, conversion.job_id).status.is_open:
        raise ValueError("conversion: it still runs; cancel its job first.")
    touched = count_touched(session, conversion.id)
    if touched:
        told = ", ".join(f"{rows:,} {what}" for what, rows in touched.items())
        raise ValueError(
            f"conversion: people have worked on its records ({told}); retire or delete the others."
        )


def _delete(session: Session, ids: list[int]) -> None:
    for table in _OWN:
        session.execute(delete(table).where(table.instruction_id.in_(ids)))
    session.execute(
        delete(Instruction).where(Instruction.id.in_(ids)), execution_options={"synchronize_session": False}
    )


def _count(session: Session, conversion_id: int) -> int:
    query = select(func.count()).where(ConvertedRow.conversion_id == conversion_id)
    return session.scalar(query) or 0


def _mine(conversion_id: int) -> ColumnElement[bool]:
    rows = select(ConvertedRow.instruction_id).where(ConvertedRow.conversion_id == conversion_id)
    return Instruction.id.in_(rows)


def _work() -> dict[str, ColumnElement[bool]]:
    """What counts as work on a record, in words and as a condition.

    Whatever table points at records counts, those of later days too.
    """
    found: dict[str, ColumnElement[bool]] = {
        "edited": Instruction.version > 1,
        "decided on": or_(Instruction.status.not_in(_UNTOUCHED), Instruction.approved_version.is_not(None)),
        "with cleared privacy flags": exists().where(
            PrivacyFlag.instruction_id == Instruction.id, PrivacyFlag.cleared_at.is_not(None)
        ),
    }
    child = aliased(Instruction)
    found["with records that came from them"] = exists().where(child.parent_id == Instruction.id)
    own = {table.__tablename__ for table in _OWN}
    for table in Base.metadata.sorted_tables:
        if table.name in own or table.name == Instruction.__tablename__:
            continue
        for column in table.columns:
            if column.references(Instruction.__table__.c.id):
                what = _IN_WORDS.get(table.name, f"with {table.name.replace('_', ' ')}")
                found[what] = exists().where(column == Instruction.id)
    return found
