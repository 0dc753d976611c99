"""What is open on the Curate page: one record, loaded, kept while it is typed, and saved. No layout here."""

from dataclasses import astuple, dataclass, replace

import gradio as gr

from bioui.components import conflict
from bioui.components.guideline_fold import reviewed_under_value
from bioui.components.instruction_form import BLANK, Typed
from bioui.components.record_head import NOTHING_OPEN, head_value
from bioui.handling import actor_of
from db import handing_in, instructions, privacy, typed_texts
from db.content import content_of
from db.instructions import StaleVersionError
from db.policy import Actor, Right
from db.session import Session, write
from db.tables import Instruction, TypedText


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


def opened(session: Session, actor: Actor, stored: Instruction, *, note: str = "") -> Opened:
    """The record as it is stored, ready to edit, without what was typed and not saved."""
    record = Record(stored.project_id, stored.id, stored.version)
    head = head_value(session, actor, stored, note=note, under=reviewed_under_value(session, stored))
    return Opened(record, head, Typed.of(content_of(stored)))


def opened_with_typing(session: Session, actor: Actor, stored: Instruction) -> Opened:
    """The record, and in its form what the actor typed the last time without saving it.

    When somebody saved a newer version meanwhile, both texts are shown.
    """
    shown = opened(session, actor, stored)
    kept = typed_texts.find(session, actor, stored.project_id, stored.id)
    typed = typed_of(kept)
    if typed is None or says_no_more(typed, stored):
        return shown
    shown = replace(shown, typed=typed, head={**shown.head, "kept": kept.saved_at.isoformat()})
    if kept.base_version == stored.version:
        return shown
    sentence = (
        f"Version {stored.version} was saved since you typed. Nothing of yours is lost: choose and save."
    )
    both = _conflict(sentence, stored, typed)
    return replace(shown, record=replace(shown.record, version=kept.base_version), conflict=both)


def new_record(session: Session, actor: Actor, project_id: int, typed: Typed = BLANK) -> Opened:
    """An empty form, or what the actor typed for a new record and did not save."""
    kept = typed_texts.find(session, actor, project_id)
    came_back = typed_of(kept)
    head = {**NOTHING_OPEN, "is_new": True}
    if came_back is not None and not says_no_more(came_back, None):
        return Opened(Record(project_id), {**head, "kept": kept.saved_at.isoformat()}, came_back)
    return Opened(Record(project_id), head, typed)


def nothing_open(project_id: int, *, missing: str = "", deleted: int = 0) -> Opened:
    """The empty pane; `missing` is a number the address bar asked for in vain."""
    head = {**NOTHING_OPEN, "missing": missing, "deleted": deleted}
    return Opened(Record(project_id), head, is_open=False)


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


def store(record: Record, typed: Typed, request: gr.Request, *, submit: bool) -> tuple:
    """Save, and submit when asked; when someone saved in between, show both texts and keep what was typed."""
    flags = privacy.find_flags(typed.content())  # before the write lock is taken
    try:
        with write() as session:
            actor = actor_of(session, request)
            stored = saved(session, actor, record, typed, flags)
            if submit:
                stored = handing_in.hand_in(session, actor, stored.id, version=stored.version)
            session.flush()
            return opened(session, actor, stored, note="Submitted" if submit else "Saved").outputs()
    except StaleVersionError as error:
        sentence = str(error).partition(": ")[2]
        both = conflict.conflict_value(sentence, error.stored, error.stored_version, typed.content())
        return (gr.skip(), gr.skip(), gr.skip(), both, *(gr.skip() for _ in astuple(typed)))


def saved(
    session: Session, actor: Actor, record: Record, typed: Typed, flags: tuple[privacy.Flag, ...]
) -> Instruction:
    """The record with what was typed as its newest revision. Raises StaleVersionError, ValueError."""
    content = typed.content()
    if record.id:
        stored = instructions.edit_instruction(
            session, actor, record.id, content, version=record.version, reason=typed.reason
        )
    else:
        stored = instructions.create_instruction(
            session, actor, record.project_id, content, reason=typed.reason
        )
    privacy.flag_many(session, [stored], [flags])
    typed_texts.drop(session, actor, record.project_id, record.id)
    return stored


def keep_typed(session: Session, actor: Actor, record: Record, typed: Typed) -> TypedText | None:
    """Keep the form as it stands, or forget it when it says no more than what is stored."""
    if not actor.can(Right.WRITE):
        return None
    stored = find_record(session, record.project_id, record.id) if record.id else None
    if says_no_more(typed, stored):
        typed_texts.drop(session, actor, record.project_id, record.id)
        return None
    fields = dict(zip(Typed.__dataclass_fields__, typed.values(), strict=True))
    typed_texts.keep(session, actor, record.project_id, record.id, record.version, fields)
    return typed_texts.find(session, actor, record.project_id, record.id)


def merge(session: Session, actor: Actor, record: Record, typed: Typed, theirs: list[str]) -> Opened:
    """What was typed with the chosen fields of the stored text, to be saved on top of it."""
    stored = get_record(session, record.project_id, record.id)
    content = conflict.merged(typed.content(), content_of(stored), theirs)
    shown = opened(session, actor, stored)
    both = replace(Typed.of(content), reason=typed.reason)
    keep_typed(session, actor, shown.record, both)
    return replace(shown, typed=both, conflict=conflict.MERGED)


def says_no_more(typed: Typed, stored: Instruction | None) -> bool:
    """Nothing would be lost without it."""
    if stored is None:
        return not any((typed.instruction, typed.input, typed.output, typed.tags, typed.source, typed.reason))
    try:
        return not typed.reason and typed.content() == content_of(stored)
    except ValueError:
        return False


def typed_of(kept: TypedText | None) -> Typed | None:
    """The form as it was kept."""
    if kept is None:
        return None
    known = {name: value for name, value in kept.typed.items() if name in Typed.__dataclass_fields__}
    return replace(BLANK, **known)


def _conflict(sentence: str, stored: Instruction, typed: Typed) -> dict | None:
    try:
        return conflict.conflict_value(sentence, content_of(stored), stored.version, typed.content())
    except ValueError:  # half-typed, such as too long: the form shows it, saving says what is wrong
        return None
