"""What a person does to the open record on the Curate page: type, save, merge, hand in, take back."""

import gradio as gr

from bioui.components import conflict, record_history
from bioui.components.autosave import NOT_KEPT, kept_value
from bioui.components.checks import NO_CHECKS, checks_value
from bioui.components.instruction_form import Typed, with_typed
from bioui.components.open_record import (
    Record,
    find_record,
    get_record,
    keep_typed,
    merge,
    new_record,
    nothing_open,
    opened,
    opened_with_typing,
    saved,
    store,
)
from bioui.handling import actor_of, needs
from db import duplicates, instructions, privacy, typed_texts, withdrawals
from db.content import content_of
from db.policy import Actor, Right
from db.session import Session, read, write


@needs(Right.READ)
def open_record(project_id: int, event: gr.EventData, request: gr.Request):
    with read() as session:
        stored = get_record(session, project_id, int(event.id))
        return opened_with_typing(session, actor_of(session, request), stored).outputs()


@needs(Right.WRITE)
def begin_new(project_id: int, request: gr.Request):
    with read() as session:
        return new_record(session, actor_of(session, request), project_id).outputs()


# Typing -------------------------------------------------------------------------------------------------


@needs(Right.READ)
@with_typed
def keep(record: Record, typed: Typed, request: gr.Request):
    """Keep what is typed, so that a closed tab loses nothing."""
    with write() as session:
        kept = keep_typed(session, actor_of(session, request), record, typed)
        return kept_value(kept.saved_at) if kept else NOT_KEPT


@needs(Right.WRITE)
def discard(record: Record, request: gr.Request):
    """Throw away what came back, and show what is stored."""
    with write() as session:
        actor = actor_of(session, request)
        typed_texts.drop(session, actor, record.project_id, record.id)
        if not record.id:
            return new_record(session, actor, record.project_id).outputs()
        return opened(session, actor, get_record(session, record.project_id, record.id)).outputs()


@needs(Right.READ)
@with_typed
def check_text(record: Record, typed: Typed, request: gr.Request):
    with read() as session:
        return _checks(session, actor_of(session, request), record, typed)


@needs(Right.WRITE)
@with_typed
def save_draft(record: Record, typed: Typed, request: gr.Request):
    return store(record, typed, request, submit=False)


@needs(Right.WRITE)
@with_typed
def submit(record: Record, typed: Typed, request: gr.Request):
    """Save what is typed, if anything changed, and hand it to the reviewers."""
    return store(record, typed, request, submit=True)


@needs(Right.WRITE)
@with_typed
def merge_fields(record: Record, typed: Typed, event: gr.EventData, request: gr.Request):
    """The chosen fields of both texts into the form; what was typed is handed back to be kept."""
    with write() as session:
        shown = merge(session, actor_of(session, request), record, typed, list(event.theirs))
        return (*shown.outputs(), typed)


@needs(Right.READ)
def put_back(typed: Typed, request: gr.Request):
    return (*typed.values(), conflict.NO_CONFLICT)


# Findings -----------------------------------------------------------------------------------------------


@needs(Right.WRITE)
@with_typed
def keep_both(record: Record, typed: Typed, event: gr.EventData, request: gr.Request):
    """Save what is typed, and let it stand beside the near text for a reason."""
    if not record.id:
        raise ValueError("instruction: save the draft first; a reason belongs to a saved version.")
    flags = privacy.find_flags(typed.content())
    with write() as session:
        actor = actor_of(session, request)
        stored = saved(session, actor, record, typed, flags)
        near, reason = int(event.near), str(event.reason)
        duplicates.waive(session, actor, stored.id, near, version=stored.version, reason=reason)
        session.flush()
        return opened(session, actor, stored, note=f"Kept beside number {near}").outputs()


@needs(Right.CLEAR_PRIVACY)
@with_typed
def clear_flag(record: Record, typed: Typed, event: gr.EventData, request: gr.Request):
    """Say that a flagged text tells of no real person; the form stays as it is."""
    with write() as session:
        actor = actor_of(session, request)
        stored = get_record(session, record.project_id, record.id)
        flags = privacy.list_flags(session, stored.id, stored.version)
        if int(event.flag) not in [flag.id for flag in flags]:
            raise LookupError("That flag is not one of this version; reload the page.")
        privacy.clear(session, actor, int(event.flag), str(event.reason))
    with read() as session:
        return _checks(session, actor_of(session, request), record, typed)


def _checks(session: Session, actor: Actor, record: Record, typed: Typed) -> dict:
    stored = find_record(session, record.project_id, record.id) if record.id else None
    return checks_value(session, actor, record.project_id, typed.content(), stored)


# What can be taken back -----------------------------------------------------------------------------------


@needs(Right.WRITE)
def delete(record: Record, request: gr.Request):
    with write() as session:
        actor = actor_of(session, request)
        if not record.id:
            typed_texts.drop(session, actor, record.project_id)
            return nothing_open(record.project_id).outputs()
        instructions.delete_instruction(session, actor, record.id)
    return nothing_open(record.project_id, deleted=record.id).outputs()


@needs(Right.WRITE)
def undo_delete(project_id: int, event: gr.EventData, request: gr.Request):
    with write() as session:
        actor = actor_of(session, request)
        stored = instructions.delete_instruction(session, actor, int(event.id), deleted=False)
        session.flush()
        return opened(session, actor, stored, note="It is back").outputs()


@needs(Right.WRITE)
def restore(record: Record, event: gr.EventData, request: gr.Request):
    """An earlier text as the newest revision."""
    with write() as session:
        actor = actor_of(session, request)
        stored = get_record(session, record.project_id, record.id)
        earlier = next((r for r in stored.revisions if r.number == int(event.number)), None)
        if earlier is None:
            raise LookupError(f"There is no version {event.number} of this instruction.")
        reason = f"Restored version {earlier.number}"
        stored = instructions.edit_instruction(
            session, actor, record.id, content_of(earlier), version=record.version, reason=reason
        )
        privacy.flag(session, stored)
        return opened(session, actor, stored, note=f"Version {earlier.number} restored").outputs()


@needs(Right.WRITE)
def withdraw(record: Record, request: gr.Request):
    with write() as session:
        actor = actor_of(session, request)
        stored = withdrawals.withdraw_submission(session, actor, record.id, version=record.version)
        session.flush()
        return opened(session, actor, stored, note="Taken back from review").outputs()


@needs(Right.REVIEW)
def retire(record: Record, event: gr.EventData, request: gr.Request):
    with write() as session:
        actor = actor_of(session, request)
        stored = withdrawals.retire(
            session, actor, record.id, version=record.version, comment=str(event.reason)
        )
        session.flush()
        return opened(session, actor, stored, note="Retired").outputs()


@needs(Right.REVIEW)
def reinstate(record: Record, request: gr.Request):
    with write() as session:
        actor = actor_of(session, request)
        stored = withdrawals.reinstate(session, actor, record.id, version=record.version)
        session.flush()
        return opened(session, actor, stored, note="Back in force").outputs()


@needs(Right.READ)
def show_around(record: Record, request: gr.Request):
    """History, reviews and checks of what is open; its text does not wait for them."""
    if not record.id:
        return record_history.NO_REVISIONS, record_history.NO_TALK, NO_CHECKS
    with read() as session:
        actor = actor_of(session, request)
        stored = get_record(session, record.project_id, record.id)
        checks = checks_value(session, actor, record.project_id, content_of(stored), stored)
        said = record_history.talk_value(session, actor, stored)
        return record_history.revisions_value(stored), said, checks
