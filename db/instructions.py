"""Instructions and their revisions: write, edit, submit. To find them see db.search.

Every text an instruction ever had is a revision. `version` is the head's number; whoever edits names the
version they started from, and a stale one is refused with what is stored now.
"""

from dataclasses import replace

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from db import audit, double_review, lifecycle
from db.content import Content, content_of
from db.enums import InstructionStatus, Origin, Provenance
from db.lifecycle import Move
from db.policy import Actor, PolicyError, Right, require
from db.search import InstructionQuery, matching
from db.tables import Instruction, Revision
from db.tables.base import utc_now

# What submit_for_review asks of one record, in SQL: stored text is stripped, so empty means missing.
_COMPLETE_DRAFT = (
    Instruction.status == InstructionStatus.DRAFT,
    Instruction.output != "",
    Instruction.task != "",
    Instruction.deleted_at.is_(None),
)


class StaleVersionError(ValueError):
    """Someone saved in between. Carries what is stored now, so that a page can show both texts."""

    def __init__(self, stored: Content, stored_version: int, stored_by: str) -> None:
        super().__init__(
            f"instruction: {stored_by} saved version {stored_version} while you were writing. "
            "Nothing of yours is lost: compare both texts and save again."
        )
        self.stored = stored
        self.stored_version = stored_version


def create_instruction(
    session: Session,
    actor: Actor,
    project_id: int,
    content: Content,
    *,
    origin: Origin = Origin.SEED,
    provenance: Provenance = Provenance.NATIVE,
    key: str | None = None,
    reason: str = "",
) -> Instruction:
    """A new draft with its first revision."""
    require(actor, Right.WRITE)
    instruction = Instruction(
        project_id=project_id,
        origin=origin,
        provenance=provenance,
        key=key,
        author_id=actor.id,
        **content.columns(),
    )
    session.add(instruction)
    session.flush()
    _add_revision(session, actor, instruction, reason)
    return instruction


def edit_instruction(
    session: Session, actor: Actor, instruction_id: int, content: Content, *, version: int, reason: str = ""
) -> Instruction:
    """A new revision on top of `version`; the record goes back to draft, an approved revision stays in force.

    Raises StaleVersionError when the head has moved, PolicyError for another author's draft.
    """
    instruction = get_instruction(session, instruction_id)
    require_writer(actor, instruction)
    _require_fresh(session, instruction, version)
    if content == content_of(instruction):
        return instruction
    for field, value in content.columns().items():
        setattr(instruction, field, value)
    instruction.version += 1
    lifecycle.move(instruction, Move.EDIT)
    _add_revision(session, actor, instruction, reason)
    return instruction


def submit_for_review(session: Session, actor: Actor, instruction_id: int, *, version: int) -> Instruction:
    """Hand a draft to the reviewers. Raises ValueError when it is incomplete or not a draft."""
    instruction = get_instruction(session, instruction_id)
    require_writer(actor, instruction)
    _require_fresh(session, instruction, version)
    content_of(instruction).require_complete()
    lifecycle.move(instruction, Move.SUBMIT)
    double_review.draw(session, instruction)
    audit.record(session, actor, "submitted", instruction, version=instruction.version)
    return instruction


def count_ready_drafts(session: Session, actor: Actor, project_id: int, query: InstructionQuery) -> int:
    """How many of the matches are complete drafts of the actor's."""
    conditions = matching(project_id, replace(query, author_id=actor.id))
    counted = select(func.count()).select_from(Instruction).where(*conditions, *_COMPLETE_DRAFT)
    return session.scalar(counted) or 0


def submit_matching(session: Session, actor: Actor, conditions: list[ColumnElement[bool]]) -> int:
    """Submit every complete draft that meets the conditions, with an audit line each; how many those were.

    The caller has made sure that the actor may write them.
    """
    submitted = lifecycle.move_all(session, Move.SUBMIT, [*conditions, *_COMPLETE_DRAFT])
    for project_id in {row.project_id for row in submitted}:
        in_project = [(row.id, row.version) for row in submitted if row.project_id == project_id]
        double_review.draw_all(session, project_id, in_project)
    audit.record_each(
        session, actor, "submitted", Instruction, [(row.id, {"version": row.version}) for row in submitted]
    )
    session.expire_all()
    return len(submitted)


def delete_instruction(
    session: Session, actor: Actor, instruction_id: int, *, deleted: bool = True
) -> Instruction:
    """Take a record out of every list, or (deleted=False) put it back. Its revisions stay."""
    instruction = session.get(Instruction, instruction_id)
    if instruction is None:
        raise LookupError(f"There is no instruction number {instruction_id}.")
    require_writer(actor, instruction)
    instruction.deleted_at = utc_now() if deleted else None
    audit.record(session, actor, "deleted" if deleted else "restored", instruction)
    return instruction


def get_instruction(session: Session, instruction_id: int) -> Instruction:
    instruction = session.get(Instruction, instruction_id)
    if instruction is None or instruction.deleted_at is not None:
        raise LookupError(f"There is no instruction number {instruction_id}.")
    return instruction


def texts_since(session: Session, project_id: int, revision_id: int = 0) -> list[tuple[int, int, str, str]]:
    """(revision id, instruction id, instruction, input) of revisions after `revision_id`, oldest first."""
    # Not a join: SQLite would begin it at the project's records, and walk them all to find nothing new.
    project = select(Instruction.project_id).where(Instruction.id == Revision.instruction_id)
    query = (
        select(Revision.id, Revision.instruction_id, Revision.instruction, Revision.input)
        .where(Revision.id > revision_id, project.scalar_subquery() == project_id)
        .order_by(Revision.id)
    )
    return [tuple(row) for row in session.execute(query)]


def require_writer(actor: Actor, instruction: Instruction) -> None:
    """Raise PolicyError unless the actor may change the record: its author and reviewers may."""
    require(actor, Right.WRITE)
    if instruction.author_id != actor.id and not actor.can(Right.REVIEW):
        raise PolicyError("You may not change another author's instruction: that needs the role reviewer.")


def _require_fresh(session: Session, instruction: Instruction, version: int) -> None:
    if instruction.version != version:
        head = instruction.revisions[-1]
        raise StaleVersionError(content_of(head), head.number, head.author.full_name)


def _add_revision(session: Session, actor: Actor, instruction: Instruction, reason: str) -> None:
    session.add(
        Revision(
            instruction_id=instruction.id,
            number=instruction.version,
            author_id=actor.id,
            reason=reason.strip(),
            **content_of(instruction).columns(),
        )
    )
    session.flush()
    session.expire(instruction, ["revisions"])
