"""Curate: find, write and edit instructions, see their faults as one types, hand them to review."""

from dataclasses import replace

import gradio as gr

from bioui.components import conflict, record_history
from bioui.components.empty import empty_state
from bioui.components.frame import Page, page_frame
from bioui.components.import_panel import import_panel
from bioui.components.instruction_form import (
    BLANK,
    NO_CHECKS,
    Typed,
    checks_value,
    instruction_form,
    label_choices,
    with_typed,
)
from bioui.components.instruction_rows import instruction_rows, rows_value
from bioui.components.list_filters import Filters, list_filters
from bioui.components.open_record import (
    Opened,
    Record,
    find_record,
    get_record,
    nothing_open,
    opened,
    store,
)
from bioui.components.record_head import NOTHING_OPEN, record_head
from bioui.components.table import Trail
from bioui.components.view import View
from bioui.handling import actor_of, needs
from db import instructions, reviews, search
from db.content import content_of
from db.policy import Right
from db.session import Session, read, write

TITLE, PATH, RIGHT = "Curate", "/curate", Right.READ
NO_MATCH = empty_state("Nothing matches.", "Clear a filter, or search for other words.")
EMPTY = empty_state(
    "No instructions yet.", "What this project's people write and import appears here. Write the first one."
)


# data -------------------------------------------------------------------------------------------------


def list_value(
    session: Session, actor, project_id: int, filters: Filters, trail: Trail, current_id: int = 0
) -> tuple[dict, str | None]:
    """A page of the list, and where the next one begins."""
    query = filters.query(actor)
    page = search.search_instructions(session, project_id, query, after=trail.before_id)
    shown = rows_value(
        page.rows,
        project_id,
        empty=NO_MATCH if filters.are_set() else EMPTY,
        total=page.total,
        trail=trail,
        has_next=page.next_after is not None,
        current_id=current_id,
        drafts=instructions.count_ready_drafts(session, actor, project_id, query),
        params=filters.params(),
    )
    return shown, page.next_after


# handlers ---------------------------------------------------------------------------------------------


@needs(RIGHT)
def show_page(project_id: int, request: gr.Request):
    """The list by the address bar's filters, and the record it names."""
    filters = Filters.of(request.query_params)
    wanted = request.query_params.get("id", "")
    with read() as session:
        actor = actor_of(session, request)
        found = find_record(session, project_id, int(wanted)) if wanted.isdigit() else None
        shown, before = list_value(session, actor, project_id, filters, Trail(), found.id if found else 0)
        tasks, specialties = label_choices(session, project_id)
        right = opened(session, found) if found else nothing_open(project_id, missing=wanted)
        row = filters.updates(session, project_id)
        buttons = gr.update(interactive=True, visible=actor.can(Right.WRITE))
        actions = gr.update(visible=actor.can(Right.WRITE))
        return (
            shown, Trail(), before, *row, tasks, specialties, buttons, buttons, actions, *right.outputs()
        )  # fmt: skip


@needs(RIGHT)
def show_list(project_id: int, text, status, category, task, specialty, origin, request: gr.Request):
    """The first page of what the filters ask for."""
    with read() as session:
        actor = actor_of(session, request)
        filters = Filters(text, status, category, task, specialty, origin)
        shown, before = list_value(session, actor, project_id, filters, Trail())
        return shown, Trail(), before


@needs(RIGHT)
def turn_page(
    record: Record, trail: Trail, text, status, category, task, specialty, origin, request: gr.Request
):
    """The page that `trail` leads to."""
    with read() as session:
        actor = actor_of(session, request)
        filters = Filters(text, status, category, task, specialty, origin)
        shown, before = list_value(session, actor, record.project_id, filters, trail, record.id)
        return shown, before


@needs(RIGHT)
def step_older(trail: Trail, before_id: str | None, request: gr.Request):
    return trail.older(before_id)


@needs(RIGHT)
def step_newer(trail: Trail, request: gr.Request):
    return trail.newer()


@needs(RIGHT)
def open_record(project_id: int, event: gr.EventData, request: gr.Request):
    with read() as session:
        return opened(session, get_record(session, project_id, int(event.id))).outputs()


@needs(Right.WRITE)
def begin_new(project_id: int, request: gr.Request):
    return Opened(Record(project_id), {**NOTHING_OPEN, "is_new": True}).outputs()


@needs(RIGHT)
@with_typed
def check_text(record: Record, typed: Typed, request: gr.Request):
    with read() as session:
        return checks_value(session, record.project_id, typed, record.id)


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
def keep_mine(record: Record, typed: Typed, request: gr.Request):
    """Save what is typed on top of whatever is stored now."""
    with read() as session:
        stored = get_record(session, record.project_id, record.id)
        record = replace(record, version=stored.version)
    reason = typed.reason or "Kept over a version saved in between"
    return store(record, replace(typed, reason=reason), request, submit=False)


@needs(RIGHT)
@with_typed
def take_theirs(record: Record, typed: Typed, request: gr.Request):
    """The stored text into the form; what was typed is handed back to be kept."""
    with read() as session:
        stored = get_record(session, record.project_id, record.id)
        right = replace(opened(session, stored), conflict=conflict.taken_value())
        return (*right.outputs(), typed)


@needs(RIGHT)
def put_back(typed: Typed, request: gr.Request):
    return (*typed.values(), conflict.NO_CONFLICT)


@needs(Right.WRITE)
def delete(record: Record, request: gr.Request):
    with write() as session:
        instructions.delete_instruction(session, actor_of(session, request), record.id)
    head = {**NOTHING_OPEN, "deleted": record.id}
    return Opened(Record(record.project_id), head, is_open=False).outputs()


@needs(Right.WRITE)
def undo_delete(project_id: int, event: gr.EventData, request: gr.Request):
    with write() as session:
        stored = instructions.delete_instruction(
            session, actor_of(session, request), int(event.id), deleted=False
        )
        session.flush()
        return opened(session, stored, note="It is back").outputs()


@needs(Right.WRITE)
def restore(record: Record, event: gr.EventData, request: gr.Request):
    """An earlier text as the newest revision."""
    with write() as session:
        stored = get_record(session, record.project_id, record.id)
        earlier = next((r for r in stored.revisions if r.number == int(event.number)), None)
        if earlier is None:
            raise LookupError(f"There is no version {event.number} of this instruction.")
        stored = instructions.edit_instruction(
            session,
            actor_of(session, request),
            record.id,
            content_of(earlier),
            version=record.version,
            reason=f"Restored version {earlier.number}",
        )
        return opened(session, stored, note=f"Version {earlier.number} restored").outputs()


@needs(RIGHT)
def show_around(record: Record, request: gr.Request):
    """History, reviews, comments and checks of what is open; its text does not wait for them."""
    if not record.id:
        return record_history.NO_REVISIONS, record_history.NO_TALK, NO_CHECKS
    with read() as session:
        stored = get_record(session, record.project_id, record.id)
        checks = checks_value(session, record.project_id, Typed.of(content_of(stored)), stored.id)
        return record_history.revisions_value(stored), record_history.talk_value(session, stored), checks


@needs(Right.WRITE)
def add_comment(record: Record, body: str, request: gr.Request):
    if not record.id:
        raise ValueError("comment: save the instruction first; a comment belongs to a saved version.")
    with write() as session:
        reviews.add_comment(session, actor_of(session, request), record.id, body)
        session.flush()
        return record_history.talk_value(session, get_record(session, record.project_id, record.id)), ""


@needs(Right.WRITE)
def submit_drafts(
    project_id: int, text, status, category, task, specialty, origin, event: gr.EventData, request: gr.Request
):
    """All of one's complete drafts among the matches, when their number is still the one shown."""
    filters = Filters(text, status, category, task, specialty, origin)
    with write() as session:
        actor = actor_of(session, request)
        done = instructions.submit_drafts(
            session, actor, project_id, filters.query(actor), count=int(event.count)
        )
        shown, before = list_value(session, actor, project_id, filters, Trail())
    gr.Success(f"{done:,} drafts submitted for review.")
    return shown, Trail(), before


# layout and wiring ------------------------------------------------------------------------------------


def build() -> None:
    page = page_frame(
        "Curate", "Write the instructions the model will learn from, and hand them to the reviewers."
    )
    with page.actions:
        # Not before the page has loaded: what it then opens would take the place of what was begun.
        import_btn = gr.Button("Import", interactive=False, elem_id="import-btn")
        new_btn = gr.Button("New instruction", variant="primary", interactive=False, elem_id="new-btn")
    imports = import_panel(page, import_btn)
    filters = list_filters()
    with gr.Row(elem_classes="split"):
        with gr.Column(scale=5, min_width=300, elem_classes="list-side"):
            list_html = instruction_rows("Instructions")
        with gr.Column(scale=7, min_width=300, elem_classes="pane", elem_id="record"):
            head_html = record_head()
            conflict_html = conflict.conflict()
            with gr.Column(visible=False, elem_classes="record-body") as body_col:
                with gr.Tabs():
                    with gr.Tab("Write"):
                        form = instruction_form()
                    with gr.Tab("History"):
                        revisions_html = record_history.revisions()
                    with gr.Tab("Reviews and comments"):
                        talk_html = record_history.talk()
                        comment_tb = gr.Textbox(
                            label="Comment", info="Open to all who may read the record.",
                            lines=2, elem_id="field-comment",
                        )  # fmt: skip
                        with gr.Row(elem_classes="actions"):
                            comment_btn = gr.Button("Add comment", size="sm")
                with gr.Row(elem_classes="actions record-actions") as actions_row:
                    submit_btn = gr.Button("Submit for review", elem_id="submit-btn")
                    save_btn = gr.Button("Save draft", elem_id="save-btn")
                    View('<p id="checks-note" role="status"></p>', {}, elem_classes="checks-note")
                    delete_btn = gr.Button("Delete", variant="stop", size="sm", elem_id="delete-btn")
    record_state, mine_state = gr.State(Record()), gr.State(BLANK)
    trail_state, before_state = gr.State(Trail()), gr.State(None)

    right = [record_state, head_html, body_col, conflict_html, *form.inputs]
    left = [list_html, trail_state, before_state]
    asked = [page.project_id, *filters.inputs]
    suggestions = [form.task_dd, form.specialty_dd]
    for_writers = [import_btn, new_btn, actions_row]
    page.on_load(show_page, [*left, *filters.outputs, *suggestions, *for_writers, *right])
    for event in filters.events:
        page.on(event, show_list, asked, left)
    page.on(imports.stored, show_list, asked, left)
    turned = [
        page.on(list_html.older, step_older, [trail_state, before_state], trail_state),
        page.on(list_html.newer, step_newer, [trail_state], trail_state),
    ]
    refreshed = [record_state, trail_state, *filters.inputs]
    for step in turned:
        page.on(step.then, turn_page, refreshed, [list_html, before_state])
    page.on(list_html.submit_drafts, submit_drafts, asked, left)
    page.on(list_html.open, open_record, [page.project_id], right)
    page.on(new_btn.click, begin_new, [page.project_id], right)
    _wire_record(page, form, right, record_state, mine_state, {
        "save": save_btn, "submit": submit_btn, "delete": delete_btn, "refreshed": refreshed,
        "list": [list_html, before_state], "head": head_html, "conflict": conflict_html,
        "revisions": revisions_html,
    })  # fmt: skip
    page.on(record_state.change, show_around, [record_state], [revisions_html, talk_html, form.checks_html])
    page.on(comment_btn.click, add_comment, [record_state, comment_tb], [talk_html, comment_tb])


def _wire_record(
    page: Page, form, right: list, record_state: gr.State, mine_state: gr.State, parts: dict
) -> None:
    """What changes the open record; the list follows each time."""
    typed = [record_state, *form.inputs]
    page.on(form.checks_html.pause, check_text, typed, form.checks_html, trigger_mode="always_last")
    steps = [
        page.on(parts["save"].click, save_draft, typed, right),
        page.on(parts["submit"].click, submit, typed, right),
        page.on(parts["delete"].click, delete, [record_state], right),
        page.on(parts["head"].undo, undo_delete, [page.project_id], right),
        page.on(parts["revisions"].restore, restore, [record_state], right),
        page.on(parts["conflict"].keep_mine, keep_mine, typed, right),
        page.on(parts["conflict"].take_theirs, take_theirs, typed, [*right, mine_state]),
    ]
    page.on(parts["conflict"].put_back, put_back, [mine_state], [*form.inputs, parts["conflict"]])
    for step in steps:
        page.on(step.success, turn_page, parts["refreshed"], parts["list"])
