"""What is open on the Curate page: one record, loaded and saved. No layout here, and no event."""

from dataclasses import astuple, dataclass

import gradio as gr

from bioui.components import conflict
from bioui.components.instruction_form import BLANK, Typed
from bioui.components.record_head import NOTHING_OPEN, head_value
from bioui.handling import actor_of
from db import instructions
from db.content import content_of
from db.instructions import StaleVersionError
from db.session import Session, write
from db.tables import Instruction


@dataclass(frozen=True)
class Record:
    """What is open: instruction `id` (0 for one not saved yet) at `version`, in a project."""

    project_id: int = 0
    id: int = 0
    version: int = 0


@dataclass(frozen=True)
class Opened:
    """What the right-hand side shows; `outputs` in the order it is wired."""

    record: Record
    head: dict
    typed: Typed = BLANK
    conflict: dict | None = None
    is_open: bool = True

    def outputs(self) -> tuple:
        return (
            self.record,
            self.head,
            gr.update(visible=self.is_open),
            self.conflict or conflict.NO_CONFLICT,
            *self.typed.values(),
        )


def opened(session: Session, stored: Instruction, *, note: str = "") -> Opened:
    """The record as it is stored, ready to edit."""
    typed = Typed.of(content_of(stored))
    record = Record(stored.project_id, stored.id, stored.version)
    return Opened(record, head_value(stored, note=note), typed)


def saved(session: Session, actor, record: Record, typed: Typed) -> Instruction:
    """The record with what was typed as its newest revision. Raises StaleVersionError, ValueError."""
    content = typed.content()
    if not record.id:
        return instructions.create_instruction(
            session, actor, record.project_id, content, reason=typed.reason
        )
    return instructions.edit_instruction(
        session, actor, record.id, content, version=record.version, reason=typed.reason
    )


def get_record(session: Session, project_id: int, id: int) -> Instruction:
    """The instruction of that project. Raises LookupError."""
    stored = instructions.get_instruction(session, id)
    if stored.project_id != project_id:
        raise LookupError(f"There is no instruction number {id} in this project.")
    return stored


def find_record(session: Session, project_id: int, id: int) -> Instruction | None:
    """The instruction, or None where the project has none of that number."""
    try:
        return get_record(session, project_id, id)
    except LookupError:
        return None


def nothing_open(project_id: int, *, missing: str = "") -> Opened:
    """The empty pane; `missing` is a number the address bar asked for in vain."""
    return Opened(Record(project_id), {**NOTHING_OPEN, "missing": missing}, is_open=False)


def store(record: Record, typed: Typed, request: gr.Request, *, submit: bool) -> tuple:
    """Save, and submit when asked; when someone saved in between, show both texts and keep what was typed."""
    try:
        with write() as session:
            actor = actor_of(session, request)
            stored = saved(session, actor, record, typed)
            if submit:
                stored = instructions.submit_for_review(session, actor, stored.id, version=stored.version)
            session.flush()
            return opened(session, stored, note="Submitted" if submit else "Saved").outputs()
    except StaleVersionError as error:
        both = conflict.conflict_value(error, typed.content())
        return (gr.skip(), gr.skip(), gr.skip(), both, *(gr.skip() for _ in astuple(typed)))
