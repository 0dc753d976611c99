"""Tasks: what models are measured on, frozen with its rows and prompts, so that all are asked alike."""

from collections.abc import Generator, Iterator
from dataclasses import dataclass, field, replace

import gradio as gr

from bioui.components import task_rows
from bioui.components.facts import fact_list
from bioui.components.frame import page_frame
from bioui.components.progress import NO_PROGRESS, progress_value
from bioui.components.spread import spread
from bioui.components.table import Trail, row_id, table
from bioui.components.task_form import (
    NAMES,
    DatasetDraft,
    Draft,
    draft_of,
    format_updates,
    fresh,
    task_form,
    task_updates,
)
from bioui.components.task_kind import NO_KIND, kind_value, kind_view
from bioui.components.task_prompts import NO_PROMPTS, preview_value, prompts_view, row_value
from bioui.components.view import View
from bioui.handling import actor_of, needs
from bioui.work import Work
from db import task_versions
from db.policy import Actor, Right
from db.session import Session, read, write
from db.settings import from_environment
from db.tables import TaskVersion
from db.task_drafts import Prepared, prepare

TITLE, PATH, RIGHT = "Tasks", "/tasks", Right.READ
SECTION = "Evaluate"
SENTENCE = "What models are measured on: rows, prompts and examples, frozen so that all are asked alike."
HEAD = """
{{#if value.title}}<div class="pane-head"><h2>{{value.title}}</h2></div>{{/if}}
"""
NO_HEAD = {"title": ""}
UNDO = """
{{#if value.name}}<div class="notice" role="status"><p>{{value.name}} was removed. What was scored on it
stays. <button type="button" class="quiet-btn" data-undo>Put it back</button></p></div>{{/if}}
"""
# Being always on the page, it also keeps the address bar at the open task.
UNDO_ON_LOAD = """
watch('value', () => studio.setParam('task', props.value.open_id || null));
element.addEventListener('click', (event) => {
  if (event.target.closest('[data-undo]')) trigger('undo', {});
});
"""
NOTHING_REMOVED = {"name": "", "open_id": 0}


@dataclass(frozen=True)
class Opened:
    """What this reader's page holds: the open task and row, whether the form is, and what was removed."""

    task_id: int = 0
    rows: Trail = field(default_factory=Trail)
    position: int = 0
    is_form: bool = False
    removed_id: int = 0


# data -------------------------------------------------------------------------------------------------


def screen(
    session: Session, actor: Actor, project_id: int, opened: Opened, *, undo: dict = NOTHING_REMOVED
) -> tuple:
    """Everything the page shows but the form, in the order of build()'s `shown`."""
    tasks = task_versions.list_tasks(session, project_id)
    task = next((each for each in tasks if each.id == opened.task_id), None)
    may_change = actor.can(Right.EVALUATE)
    return (
        opened,
        {**undo, "open_id": task.id if task else 0},
        gr.update(visible=may_change and not opened.is_form),
        gr.update(visible=not opened.is_form),
        task_rows.list_value(tasks, current_id=opened.task_id),
        gr.update(visible=opened.is_form),
        gr.update(visible=task is not None and not opened.is_form),
        *_pane(session, task, opened),
        gr.update(visible=may_change and task is not None),
        gr.update(value="Not general" if task and task.is_general else "Mark as general"),
    )


def _pane(session: Session, task: TaskVersion | None, opened: Opened) -> tuple:
    """The open task: its head, facts, what it is, its rows, and the row that is read."""
    if task is None:
        return NO_HEAD, {"facts": []}, NO_KIND, task_rows.list_value([]), NO_PROMPTS
    rows = task_versions.list_rows(session, task.id, after=opened.position - 1, limit=1)
    return (
        {"title": task.name},
        task_rows.facts_of(session, task),
        kind_value(task.task),
        task_rows.rows_value(session, task, opened.rows, opened.position),
        row_value(rows[0] if rows else None, task.examples),
    )


def prepared_of(session: Session, project_id: int, draft: DatasetDraft) -> Prepared:
    return task_versions.prepare_dataset(session, project_id, **vars(draft))


# handlers: the list and an open task ------------------------------------------------------------------


@needs(RIGHT)
def show_page(project_id: int, request: gr.Request):
    """The list; open is the task of ?task=, where there is such a one."""
    wanted = request.query_params.get("task", "")
    number = int(wanted) if wanted.isdecimal() and wanted.isascii() and len(wanted) < 10 else 0
    with read() as session:
        known = {task.id for task in task_versions.list_tasks(session, project_id)}
        opened = Opened(number if number in known else 0)
        shown = screen(session, actor_of(session, request), project_id, opened)
    if wanted and number not in known:
        gr.Info("The task of this link is not there any more.", duration=6)
    return shown


@needs(RIGHT)
def open_task(project_id: int, opened: Opened, event: gr.EventData, request: gr.Request):
    with read() as session:
        now = Opened(
            task_versions.get_task(session, project_id, row_id(event)).id, removed_id=opened.removed_id
        )
        return screen(session, actor_of(session, request), project_id, now)


@needs(RIGHT)
def close_task(project_id: int, opened: Opened, request: gr.Request):
    """Away with the form, back to what was open before it; or away with that."""
    now = replace(opened, is_form=False) if opened.is_form else Opened(removed_id=opened.removed_id)
    with read() as session:
        return screen(session, actor_of(session, request), project_id, now)


@needs(RIGHT)
def open_row(project_id: int, opened: Opened, event: gr.EventData, request: gr.Request):
    return _rows(project_id, replace(opened, position=row_id(event)), request)


@needs(RIGHT)
def next_rows(project_id: int, opened: Opened, request: gr.Request):
    after = int(opened.rows.before_id if opened.rows.before_id is not None else -1) + task_rows.ROWS_SHOWN
    return _rows(project_id, replace(opened, rows=opened.rows.older(after), position=after + 1), request)


@needs(RIGHT)
def previous_rows(project_id: int, opened: Opened, request: gr.Request):
    trail = opened.rows.newer()
    first = int(trail.before_id if trail.before_id is not None else -1) + 1
    return _rows(project_id, replace(opened, rows=trail, position=first), request)


def _rows(project_id: int, opened: Opened, request: gr.Request) -> tuple:
    with read() as session:
        task = task_versions.get_task(session, project_id, opened.task_id)
        if not 0 <= opened.position < task.rows:
            raise LookupError("The task has no such row.")
        *_, listed, shown = _pane(session, task, opened)
        return opened, listed, shown


@needs(Right.EVALUATE)
def turn_general(project_id: int, opened: Opened, request: gr.Request):
    with write() as session:
        actor = actor_of(session, request)
        task = task_versions.get_task(session, project_id, opened.task_id)
        task_versions.set_general(session, actor, project_id, task.id, is_general=not task.is_general)
        session.flush()
        return screen(session, actor, project_id, opened)


@needs(Right.EVALUATE)
def remove(project_id: int, opened: Opened, request: gr.Request):
    with write() as session:
        actor = actor_of(session, request)
        task = task_versions.remove(session, actor, project_id, opened.task_id)
        session.flush()
        return screen(session, actor, project_id, Opened(removed_id=task.id), undo={"name": task.name})


@needs(Right.EVALUATE)
def put_back(project_id: int, opened: Opened, request: gr.Request):
    if not opened.removed_id:
        raise ValueError("Nothing was removed on this page.")
    with write() as session:
        actor = actor_of(session, request)
        task = task_versions.put_back(session, actor, project_id, opened.removed_id)
        session.flush()
        return screen(session, actor, project_id, Opened(task.id))


# handlers: the form -----------------------------------------------------------------------------------


@needs(Right.EVALUATE)
def begin(project_id: int, opened: Opened, request: gr.Request):
    """The form in place of the list; what was typed before stays."""
    with read() as session:
        actor = actor_of(session, request)
        shown = screen(session, actor, project_id, replace(opened, is_form=True))
        return *shown, *fresh(session, project_id)


@needs(Right.EVALUATE)
def choose_task(task: str | None, request: gr.Request):
    """What the task is, and the fields that it knows; what was looked at before was of another."""
    return *task_updates(task or ""), None, NO_PROMPTS, gr.update(interactive=False)


@needs(Right.EVALUATE)
def choose_format(task: str | None, format: str | None, request: gr.Request):
    """The options of another of the task's formats."""
    return format_updates(task or "", format or "")


@needs(Right.EVALUATE)
@spread(*NAMES)
def look(project_id: int, values: tuple, request: gr.Request) -> Iterator:
    """Read the rows, and show three of them as they will be asked."""
    draft = draft_of(values)
    yield NO_PROGRESS, None, NO_PROMPTS, gr.update(interactive=False)
    prepared = yield from _prepared(project_id, draft, (gr.skip(),) * 3)
    yield NO_PROGRESS, draft, preview_value(prepared), gr.update(interactive=True)


@needs(Right.EVALUATE)
@spread(*NAMES)
def freeze(project_id: int, looked: Draft | None, values: tuple, request: gr.Request) -> Iterator:
    """Store what was looked at."""
    draft = draft_of(values)
    if looked is None or draft != looked:
        raise ValueError("The form was changed since the preview; press Preview again.")
    same = (gr.skip(),) * (SHOWN + 1)
    prepared = yield from _prepared(project_id, draft, same)
    version_id = draft.dataset_version_id if isinstance(draft, DatasetDraft) else None
    with write() as session:
        actor = actor_of(session, request)
        known = {task.id for task in task_versions.list_tasks(session, project_id)}
        task = task_versions.freeze(session, actor, project_id, prepared, dataset_version_id=version_id)
        session.flush()
        shown = screen(session, actor, project_id, Opened(task.id))
    if task.id in known:
        gr.Info("The same rows and prompts were frozen already; here they are.", duration=6)
    yield NO_PROGRESS, *shown, None


def _prepared(project_id: int, draft: Draft, same: tuple) -> Generator[tuple, None, Prepared]:
    """The rows of a draft, read with progress; gives the prepared task."""
    if isinstance(draft, DatasetDraft):
        with read() as session:
            return prepared_of(session, project_id, draft)
    work = Work(lambda report: prepare(from_environment().data_dir, draft, report), stops=True)
    for done in work.watch():
        yield progress_value("reading the rows", done, 0, unit="rows", seconds=work.seconds), *same
    yield NO_PROGRESS, *same
    return work.result()


SHOWN = 14  # the outputs of `screen`


# layout and wiring ------------------------------------------------------------------------------------


def build() -> None:
    page = page_frame(TITLE, SENTENCE)
    with page.actions:
        add_btn = gr.Button("Add a task", variant="primary", visible=False, elem_id="add-task-btn")
    opened_state, looked_state = gr.State(Opened()), gr.State(None)
    undo_html = View(UNDO, NOTHING_REMOVED, on_load=UNDO_ON_LOAD, elem_classes="undo-view")
    with gr.Column(visible=False, elem_id="task-form", elem_classes="task-form") as form_col:
        form = task_form()
    with gr.Row(elem_classes="split task-split"):
        with gr.Column(scale=3, min_width=0) as list_col:
            list_html = table("Tasks", param="task", empty_value=task_rows.EMPTY)
        with gr.Column(
            scale=4, min_width=0, visible=False, elem_classes="pane", elem_id="task-pane"
        ) as pane_col:
            head_html = View(HEAD, NO_HEAD)
            facts_html = fact_list()
            with gr.Row(elem_classes="actions", visible=False) as tools_row:
                general_btn = gr.Button("Mark as general", size="sm", elem_id="general-btn")
                remove_btn = gr.Button("Remove", variant="stop", size="sm", elem_id="remove-btn")
            about_html = kind_view()
            rows_html = table("Rows of the task", empty_value=task_rows.EMPTY)
            row_html = prompts_view("task-row")
            close_btn = gr.Button("Close", size="sm", elem_classes="quiet", elem_id="close-btn")

    shown = [
        opened_state, undo_html, add_btn, list_col, list_html, form_col, pane_col, head_html, facts_html,
        about_html, rows_html, row_html, tools_row, general_btn,
    ]  # fmt: skip
    here = [page.project_id, opened_state]
    page.on_load(show_page, shown)
    opened = page.on(list_html.open, open_task, here, shown)
    page.on(close_btn.click, close_task, here, shown)
    page.on(form.close_btn.click, close_task, here, shown)
    read_row = [opened_state, rows_html, row_html]
    read_one = page.on(rows_html.open, open_row, here, read_row)
    page.on(rows_html.older, next_rows, here, read_row)
    page.on(rows_html.newer, previous_rows, here, read_row)
    page.on(general_btn.click, turn_general, here, shown)
    page.on(remove_btn.click, remove, here, shown, trigger_mode="once")
    page.on(undo_html.undo, put_back, here, shown)

    choices = [form.input("kept"), form.input("examples"), form.input("version")]
    begun = page.on(add_btn.click, begin, here, [*shown, *choices])
    stale = [looked_state, form.preview_html, form.freeze_btn]
    page.on(
        form.input("task").input, choose_task, [form.input("task")], [*form.chosen, *stale],
        problem=form.problem,
    )  # fmt: skip
    page.on(
        form.input("format").input, choose_format, [form.input("task"), form.input("format")], form.options,
        problem=form.problem,
    )  # fmt: skip
    page.on(
        form.look_btn.click, look, [page.project_id, *form.inputs],
        [form.progress_html, *stale], problem=form.problem, trigger_mode="once",
    )  # fmt: skip
    frozen = page.on(
        form.freeze_btn.click, freeze, [page.project_id, looked_state, *form.inputs],
        [form.progress_html, *shown, looked_state], problem=form.problem, trigger_mode="once",
    )  # fmt: skip
    for step in (opened, frozen):
        step.then(fn=None, js="() => studio.reveal('task-pane')")
    read_one.then(fn=None, js="() => studio.reveal('task-row')")
    begun.then(fn=None, js="() => studio.reveal('task-form')")
