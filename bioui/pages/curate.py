"""Curate: find, write and edit instructions, see their faults as one types, hand them to review."""

from dataclasses import replace

import gradio as gr

from bioui import writing
from bioui.components import conflict, record_history
from bioui.components.autosave import autosave
from bioui.components.bulk_panel import bulk_panel
from bioui.components.empty import empty_state
from bioui.components.export_panel import export_panel
from bioui.components.frame import Page, page_frame
from bioui.components.guideline_fold import guideline_fold
from bioui.components.instruction_form import BLANK, Form, Typed, instruction_form, label_choices
from bioui.components.instruction_rows import instruction_rows, rows_value
from bioui.components.list_filters import Filters, filters_value, list_filters, wire_saved
from bioui.components.open_record import Record, find_record, new_record, nothing_open, opened_with_typing
from bioui.components.record_head import record_head
from bioui.components.remarks import remarks
from bioui.components.table import Trail
from bioui.components.view import View
from bioui.handling import actor_of, needs
from bioui.present import counted
from db import bulk, instructions, search
from db.bulk import Action, Change
from db.exchange import records
from db.policy import Actor, Right
from db.session import Session, read, write

TITLE, PATH, RIGHT = "Curate", "/curate", Right.READ
SUBMIT = Change(Action.SUBMIT)
NAMED = 6  # numbers in a sentence
NO_MATCH = empty_state("Nothing matches.", "Clear a filter, or search for other words.")
EMPTY = empty_state(
    "No instructions yet.", "What this project's people write and import appears here. Write the first one."
)


# data -------------------------------------------------------------------------------------------------


def list_value(
    session: Session, actor: Actor, project_id: int, filters: Filters, trail: Trail, current_id: int = 0
) -> tuple[dict, str | None]:
    """A page of the list, and where the next one begins."""
    shown = filters.shown(actor)
    page = search.search_instructions(
        session, project_id, shown.query, sort=shown.sort, after=trail.before_id
    )
    value = rows_value(
        page.rows,
        project_id,
        empty=NO_MATCH if filters.are_set() else EMPTY,
        total=page.total,
        is_more=page.has_more,
        trail=trail,
        has_next=page.next_after is not None,
        current_id=current_id,
        drafts=instructions.count_ready_drafts(session, actor, project_id, shown.query),
        words=shown.query.words if shown.query.text else None,
        can_tick=actor.can(Right.WRITE),
    )
    return value, page.next_after


def found_records(session: Session, actor: Actor, project_id: int, filters: Filters) -> records.Records:
    """What the list shows, for an export."""
    return records.of_query(session, actor, project_id, filters.query(actor))


def _left_out(copies: tuple[int, ...]) -> str:
    """What became of the near copies among the drafts."""
    named = ", ".join(map(str, copies[:NAMED])) + (" and others" if len(copies) > NAMED else "")
    stay = counted(len(copies), "near copy stays a draft", "near copies stay drafts")
    return f"{stay}, number {named}: open each to change it, or to say why both are needed."


# handlers ---------------------------------------------------------------------------------------------


@needs(RIGHT)
def show_page(project_id: int, request: gr.Request):
    """The list by the address bar's filters, and the record it names, or a form to fill for `new=1`."""
    params = dict(request.query_params)
    with read() as session:
        actor = actor_of(session, request)
        is_new = params.get("new") == "1" and actor.can(Right.WRITE)
        filters = Filters() if is_new else Filters.of(params)
        wanted = params.get("id", "")
        found = find_record(session, project_id, int(wanted)) if wanted.isdigit() else None
        shown, before = list_value(session, actor, project_id, filters, Trail(), found.id if found else 0)
        if found:
            right = opened_with_typing(session, actor, found)
        elif is_new:
            right = new_record(session, actor, project_id, Typed.labelled(params))
        else:
            right = nothing_open(project_id, missing=wanted)
        used = search.used_labels(session, project_id)
        row = filters_value(session, actor, project_id, filters, used)
        tasks, specialties = label_choices(used)
        buttons = gr.update(interactive=True, visible=actor.can(Right.WRITE))
        actions = gr.update(visible=actor.can(Right.WRITE))
        import_link = gr.update(link=f"/import?project={project_id}", visible=actor.can(Right.WRITE))
        return (
            shown, Trail(), before, row, filters, tasks, specialties, buttons, import_link, actions, actions,
            *right.outputs(),
        )  # fmt: skip


@needs(RIGHT)
def show_list(project_id: int, filters: Filters, request: gr.Request):
    """The first page of what the filters ask for."""
    with read() as session:
        shown, before = list_value(session, actor_of(session, request), project_id, filters, Trail())
        return shown, Trail(), before


@needs(RIGHT)
def filter_list(project_id: int, event: gr.EventData, request: gr.Request):
    """The first page of what the row of filters says now."""
    filters = Filters.of(dict(event.params))
    with read() as session:
        shown, before = list_value(session, actor_of(session, request), project_id, filters, Trail())
        return shown, Trail(), before, filters


@needs(RIGHT)
def turn_page(record: Record, trail: Trail, filters: Filters, request: gr.Request):
    """The page that `trail` leads to."""
    with read() as session:
        actor = actor_of(session, request)
        return list_value(session, actor, record.project_id, filters, trail, record.id)


@needs(RIGHT)
def step_older(trail: Trail, before_id: str | None, request: gr.Request):
    return trail.older(before_id)


@needs(RIGHT)
def step_newer(trail: Trail, request: gr.Request):
    return trail.newer()


@needs(RIGHT)
def tick(project_id: int, event: gr.EventData, request: gr.Request):
    return tuple(int(id) for id in event.ids)


@needs(Right.WRITE)
def submit_drafts(project_id: int, filters: Filters, event: gr.EventData, request: gr.Request):
    """One's complete drafts among the matches, but near copies, when their number is still the one shown."""
    with read() as session:  # the gate takes its time for thousands: not while others wait to write
        actor = actor_of(session, request)
        drafts = replace(filters.query(actor), author_id=actor.id)
        seen = bulk.preview(session, actor, project_id, SUBMIT, drafts)
        ready = seen.count + len(seen.copies)
    if ready != int(event.count):
        raise ValueError(f"drafts: {ready:,} are complete now, not {event.count:,}; look and confirm again.")
    if not seen.count:
        raise ValueError(f"drafts: {_left_out(seen.copies)}")
    with write() as session:
        bulk.apply(
            session, actor_of(session, request), project_id, SUBMIT, drafts,
            count=seen.count, mark=seen.mark, copies=seen.copies,
        )  # fmt: skip
        shown, before = list_value(session, actor, project_id, filters, Trail())
    done = f"{counted(seen.count, 'draft')} submitted for review."
    gr.Success(f"{done} {_left_out(seen.copies)}" if seen.copies else done)
    return shown, Trail(), before


# layout and wiring ------------------------------------------------------------------------------------


def build() -> None:
    page = page_frame(
        "Curate", "Write the instructions the model will learn from, and hand them to the reviewers."
    )
    with page.actions:
        many_btn = gr.Button("Change many", visible=False, elem_id="many-btn")
        export_btn = gr.Button("Export", elem_id="export-btn")
        # Not before the page has loaded: what it then opens would take the place of what was begun.
        import_btn = gr.Button("Import", visible=False, elem_id="import-btn")
        new_btn = gr.Button("New instruction", variant="primary", interactive=False, elem_id="new-btn")
    filters_state, ticked_state = gr.State(Filters()), gr.State(())
    filters_html = list_filters()
    many = bulk_panel(page, many_btn, filters_state, ticked_state)
    with gr.Row(elem_classes="split"):
        with gr.Column(scale=5, min_width=300, elem_classes="list-side"):
            list_html = instruction_rows("Instructions")
        with gr.Column(scale=7, min_width=300, elem_classes="pane", elem_id="record"):
            record_state = gr.State(Record())
            parts = _record_pane(page, record_state)
    trail_state, before_state = gr.State(Trail()), gr.State(None)

    form: Form = parts["form"]
    right = [record_state, parts["head"], parts["body"], parts["conflict"], *form.inputs]
    left = [list_html, trail_state, before_state]
    asked = [page.project_id, filters_state]
    labels = [form.task_dd, form.specialty_dd]
    for_writers = [new_btn, import_btn, many_btn, parts["actions"]]
    page.on_load(show_page, [*left, filters_html, filters_state, *labels, *for_writers, *right])
    filtered = page.on(
        filters_html.filter, filter_list, [page.project_id], [*left, filters_state],
        trigger_mode="always_last",
    )  # fmt: skip
    export_panel(page, asked, found_records, open_btn=export_btn, changed=[filtered.then])
    wire_saved(page, filters_html, filters_state)
    page.on(list_html.tick, tick, [page.project_id], ticked_state)
    turned = [
        page.on(list_html.older, step_older, [trail_state, before_state], trail_state),
        page.on(list_html.newer, step_newer, [trail_state], trail_state),
    ]
    refreshed = [record_state, trail_state, filters_state]
    for step in turned:
        page.on(step.then, turn_page, refreshed, [list_html, before_state])
    page.on(list_html.submit_drafts, submit_drafts, asked, left, show_progress="minimal")
    for event in many.changed:
        page.on(event, show_list, asked, left)
    page.on(list_html.open, writing.open_record, [page.project_id], right)
    page.on(new_btn.click, writing.begin_new, [page.project_id], right)
    for step in _wire_record(page, parts, right, record_state):
        page.on(step.success, turn_page, refreshed, [list_html, before_state])


def _record_pane(page: Page, record_state: gr.State) -> dict:
    """The open record: its head, its form, its history, what was said of it."""
    head_html = record_head()
    conflict_html = conflict.conflict()
    with gr.Column(visible=False, elem_classes="record-body") as body_col:
        with gr.Tabs():
            with gr.Tab("Write"):
                guideline_fold(page)
                form = instruction_form()
            with gr.Tab("History"):
                revisions_html = record_history.revisions()
            with gr.Tab("Reviews and remarks", render_children=True):
                talk_html = record_history.talk()
                remarks(page, record_state)
        with gr.Row(elem_classes="actions record-actions") as actions_row:
            submit_btn = gr.Button("Submit for review", elem_id="submit-btn")
            save_btn = gr.Button("Save draft", elem_id="save-btn")
            kept_html = autosave()
            View('<p id="checks-note" role="status"></p>', {}, elem_classes="checks-note")
            delete_btn = gr.Button("Delete", variant="stop", size="sm", elem_id="delete-btn")
    return {
        "head": head_html, "conflict": conflict_html, "body": body_col, "form": form, "talk": talk_html,
        "revisions": revisions_html, "actions": actions_row, "submit": submit_btn, "save": save_btn,
        "kept": kept_html, "delete": delete_btn,
    }  # fmt: skip


def _wire_record(page: Page, parts: dict, right: list, record_state: gr.State) -> list:
    """The events of the open record; those after which the list is asked anew."""
    form, mine_state = parts["form"], gr.State(BLANK)
    typed = [record_state, *form.inputs]
    head, both, checks = parts["head"], parts["conflict"], form.checks_html
    page.on(checks.pause, writing.check_text, typed, checks, trigger_mode="always_last")
    page.on(checks.clear, writing.clear_flag, typed, checks)
    page.on(parts["kept"].keep, writing.keep, typed, parts["kept"], trigger_mode="always_last")
    page.on(both.merge, writing.merge_fields, typed, [*right, mine_state])
    page.on(both.put_back, writing.put_back, [mine_state], [*form.inputs, both])
    page.on(head.discard, writing.discard, [record_state], right)
    around = [parts["revisions"], parts["talk"], checks]
    page.on(record_state.change, writing.show_around, [record_state], around)
    return [
        page.on(parts["save"].click, writing.save_draft, typed, right),
        page.on(parts["submit"].click, writing.submit, typed, right),
        page.on(parts["delete"].click, writing.delete, [record_state], right),
        page.on(checks.waive, writing.keep_both, typed, right),
        page.on(head.undo, writing.undo_delete, [page.project_id], right),
        page.on(head.withdraw, writing.withdraw, [record_state], right),
        page.on(head.retire, writing.retire, [record_state], right),
        page.on(head.reinstate, writing.reinstate, [record_state], right),
        page.on(parts["revisions"].restore, writing.restore, [record_state], right),
    ]
