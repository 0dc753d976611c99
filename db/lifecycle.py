"""The one table of how an instruction's status may change. Whoever changes a status comes through here.

    draft --submit--> in review --approve / request changes / reject--> approved, changes requested, rejected
    anything --edit--> draft            approved, or edited since --retire--> retired --reinstate--> approved

What the table cannot know, such as who may decide, the callers check before they ask for the move.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import ColumnElement, Row, update
from sqlalchemy.orm import Session

from db.enums import InstructionStatus
from db.tables import Instruction
from db.tables.base import utc_now

S = InstructionStatus


class Move(StrEnum):
    """What is done to a record. The three decisions have the values of `db.enums.Decision`."""

    EDIT = "edit"
    SUBMIT = "submit"
    WITHDRAW = "withdraw"
    APPROVE = "approve"
    REQUEST_CHANGES = "request_changes"
    REJECT = "reject"
    RETIRE = "retire"
    REINSTATE = "reinstate"  # a retired text whose head is the approved revision
    RESUME = "resume"  # a retired text that was being rewritten
    SHIP = "ship"  # the seed library only: checked before it came with the studio


@dataclass(frozen=True)
class Step:
    """Where a move may start, where it ends, and what to say to who asks for it from elsewhere."""

    starts: frozenset[InstructionStatus]
    end: InstructionStatus
    otherwise: str


def _step(*starts: InstructionStatus, to: InstructionStatus, otherwise: str = "") -> Step:
    return Step(frozenset(starts), to, otherwise)


_NO_REVIEW = "nothing waits for a review here."

TABLE: dict[Move, Step] = {
    Move.EDIT: _step(*InstructionStatus, to=S.DRAFT),
    Move.SUBMIT: _step(
        S.DRAFT, S.CHANGES_REQUESTED, to=S.IN_REVIEW, otherwise="only a draft can be submitted."
    ),
    Move.WITHDRAW: _step(S.IN_REVIEW, to=S.DRAFT, otherwise="only what is in review can be taken back."),
    Move.APPROVE: _step(S.IN_REVIEW, to=S.APPROVED, otherwise=_NO_REVIEW),
    Move.REQUEST_CHANGES: _step(S.IN_REVIEW, to=S.CHANGES_REQUESTED, otherwise=_NO_REVIEW),
    Move.REJECT: _step(S.IN_REVIEW, to=S.REJECTED, otherwise=_NO_REVIEW),
    # A text in force must be stoppable at once, also while someone rewrites it.
    Move.RETIRE: _step(
        *set(InstructionStatus) - {S.RETIRED},
        to=S.RETIRED,
        otherwise="only a record with an approved text can be retired.",
    ),
    Move.REINSTATE: _step(
        S.RETIRED, to=S.APPROVED, otherwise="only what is retired can be put back in force."
    ),
    Move.RESUME: _step(S.RETIRED, to=S.DRAFT, otherwise="only what is retired can be put back in force."),
    Move.SHIP: _step(S.DRAFT, to=S.APPROVED, otherwise="only a draft ships with the studio."),
}


def move(instruction: Instruction, step: Move) -> None:
    """Take a record along the table, with the columns that go with its status.

    Raises ValueError when the table has no such way from where the record is.
    """
    if not can_move(instruction, step):
        raise ValueError(f"status: it is {instruction.status.replace('_', ' ')}; {TABLE[step].otherwise}")
    if step is Move.EDIT and instruction.status is S.RETIRED:
        instruction.approved_version = None  # what was withdrawn comes back by a review, not by an edit
    for column, value in _columns(step, instruction.version).items():
        setattr(instruction, column, value)


def can_move(instruction: Instruction, step: Move) -> bool:
    return instruction.status in TABLE[step].starts and (
        step is not Move.RETIRE or instruction.approved_version is not None
    )


def movable(step: Move) -> list[ColumnElement[bool]]:
    """`can_move` as conditions on rows."""
    conditions = [Instruction.status.in_(sorted(TABLE[step].starts)), Instruction.deleted_at.is_(None)]
    return [*conditions, Instruction.approved_version.is_not(None)] if step is Move.RETIRE else conditions


def move_all(session: Session, step: Move, conditions: list[ColumnElement[bool]]) -> Sequence[Row]:
    """Take every movable record that meets the conditions along the table, in one statement.

    Gives (id, version, project_id) of each. The caller has checked who may, and writes the audit lines.
    """
    if step is Move.EDIT:
        raise ValueError("status: an edit is made record by record, with its revision.")
    return session.execute(
        update(Instruction)
        .where(*conditions, *movable(step))
        .values(_columns(step, Instruction.version))
        .returning(Instruction.id, Instruction.version, Instruction.project_id)
        .execution_options(synchronize_session=False)
    ).all()


def _columns(step: Move, version) -> dict:
    """What a move writes; `version` is the head's number, or its column."""
    columns = {"status": TABLE[step].end}
    if step is Move.SUBMIT:
        columns["submitted_at"] = utc_now()
    elif step in (Move.EDIT, Move.WITHDRAW):
        columns["submitted_at"] = None
    elif step in (Move.APPROVE, Move.SHIP):
        columns["approved_version"] = version
    return columns
