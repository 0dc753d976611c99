"""Datasets: freeze approved instructions into versions that never change, and read what was frozen."""

from dataclasses import replace

import gradio as gr

from bioui.components.frame import page_frame
from bioui.components.freeze_form import count_value, freeze_form, recipe_of
from bioui.components.notice import NO_NOTICE, notice
from bioui.components.progress import NO_PROGRESS, progress_value
from bioui.components.table import row_id, table
from bioui.components.version_panel import NO_VERSION, SPLIT_WORDS, version_panel, version_value
from bioui.components.view import View
from bioui.frozen import (
    EMPTY,
    NO_ROWS,
    Reading,
    frozen_notice,
    get_version_of,
    hash_notice,
    row_value,
    rows_value,
    target_dataset,
    versions_value,
)
from bioui.handling import actor_of, needs
from db import datasets, search
from db.enums import Split
from db.policy import PolicyError, Right
from db.session import Session, read, write

TITLE = "Datasets"
PATH = "/datasets"
RIGHT = Right.READ

ROW = """
{{#if value.position}}
<div class="pane-head"><h3>Row {{value.position}}</h3>
  <button type="button" class="quiet-btn" data-close>Close row</button></div>
<p class="muted">{{value.labels}}</p>
<h4>Instruction</h4><p class="reading">{{value.instruction}}</p>
{{#if value.input}}<h4>Input</h4><p class="reading">{{value.input}}</p>{{/if}}
<h4>Output</h4><p class="reading">{{value.output}}</p>
{{#if value.origin_href}}<p><a href="{{value.origin_href}}">The instruction it was frozen from</a></p>{{/if}}
{{/if}}
"""
ROW_ON_LOAD = """
element.addEventListener('click', (event) => {
  if (event.target.closest('[data-close]')) trigger('close', {});
});
"""
NO_ROW = {"position": 0}


# Handlers -----------------------------------------------------------------------------------------------


@needs(RIGHT)
def show_page(project_id: int, request: gr.Request):
    wanted = request.query_params.get("version", "")
    with read() as session:
        return open_pane(session, project_id, int(wanted) if wanted.isdigit() else 0, request)


@needs(RIGHT)
def open_version(project_id: int, event: gr.EventData, request: gr.Request):
    with read() as session:
        return open_pane(session, project_id, row_id(event), request)


@needs(RIGHT)
def close_pane(project_id: int, request: gr.Request):
    with read() as session:
        return open_pane(session, project_id, 0, request)


def open_pane(
    session: Session, project_id: int, version_id: int, request: gr.Request, said: dict = NO_NOTICE
):
    """The list with that version beside it (0: none, the list alone), in the order of build()'s `pane`."""
    listed = versions_value(session, project_id, open_id=version_id)
    new = gr.Button(visible=actor_of(session, request).can(Right.FREEZE))
    if not version_id:
        return (listed, new, gr.Column(visible=False), gr.Column(visible=False), said, NO_VERSION,
                gr.Radio(value=""), gr.skip(), NO_ROW, Reading())  # fmt: skip
    version = get_version_of(session, project_id, version_id)
    panel = version_value(version, datasets.count_rows(session, version.id), actor_of(session, request))
    rows, reading = rows_value(session, Reading(version.id))
    return (listed, new, gr.Column(visible=False), gr.Column(visible=True), said, panel,
            gr.Radio(value=""), rows, NO_ROW, reading)  # fmt: skip


@needs(RIGHT)
def choose_split(reading: Reading, split: str, request: gr.Request):
    with read() as session:
        return (*rows_value(session, Reading(reading.version_id, split)), NO_ROW)


@needs(RIGHT)
def turn_on(reading: Reading, request: gr.Request):
    with read() as session:
        return (*rows_value(session, replace(reading, trail=reading.trail.older(reading.following))), NO_ROW)


@needs(RIGHT)
def turn_back(reading: Reading, request: gr.Request):
    with read() as session:
        return (*rows_value(session, replace(reading, trail=reading.trail.newer())), NO_ROW)


@needs(RIGHT)
def open_row(project_id: int, reading: Reading, event: gr.EventData, request: gr.Request):
    with read() as session:
        rows = rows_value(session, reading, open_position=row_id(event))
        return (*rows, row_value(session, reading, row_id(event), project_id))


@needs(RIGHT)
def close_row(reading: Reading, request: gr.Request):
    with read() as session:
        return (*rows_value(session, reading), NO_ROW)


@needs(RIGHT)
def verify_hash(reading: Reading, request: gr.Request):
    with read() as session:
        return hash_notice(session, reading.version_id)


@needs(Right.FREEZE)
def open_form(project_id: int, request: gr.Request):
    """The freeze form in place of an open version, with what the project offers to choose from."""
    with read() as session:
        labels = search.used_labels(session, project_id)
        names = [dataset.name for dataset in datasets.list_datasets(session, project_id)]
        return (
            versions_value(session, project_id, open_id=-1),
            gr.Button(visible=False),
            gr.Column(visible=True),
            gr.Column(visible=False),
            gr.Dropdown(choices=names),
            gr.Dropdown(choices=[("Any", ""), *labels["task"]]),
            gr.Dropdown(choices=[("Any", ""), *labels["specialty"]]),
        )


@needs(Right.FREEZE)
def count_chosen(
    project_id: int, categories, origins, task, specialty, text, validation, test, seed, request: gr.Request
):
    chosen = recipe_of(categories, origins, task, specialty, text)
    with read() as session:
        return count_value(session, project_id, chosen, validation, test)


@needs(Right.FREEZE)
def freeze(
    project_id: int,
    name,
    categories,
    origins,
    task,
    specialty,
    text,
    validation,
    test,
    seed,
    request: gr.Request,
):
    """Freeze and open the new version. When it cannot be, nothing is kept, a new dataset neither."""
    unchanged = (gr.skip(),) * 10
    recipe = recipe_of(categories, origins, task, specialty, text, validation, test, seed)
    yield progress_value("Freezing", 0, 0, note="Copying, splitting and hashing the rows."), *unchanged
    try:
        with write() as session:
            actor = actor_of(session, request)
            dataset_id = target_dataset(session, actor, project_id, name)
            version_id = datasets.freeze(session, actor, dataset_id, recipe).id
    except (PolicyError, LookupError, ValueError):
        yield NO_PROGRESS, *unchanged
        raise
    with read() as session:
        said = frozen_notice(datasets.get_version(session, version_id), actor)
        yield NO_PROGRESS, *open_pane(session, project_id, version_id, request, said)


# Layout and wiring --------------------------------------------------------------------------------------


def build() -> None:
    page = page_frame(
        TITLE,
        "Freeze approved instructions into versions that never change, for training to rely on.",
    )
    with page.actions:
        new_btn = gr.Button("Freeze a version", variant="primary", visible=False)
    with gr.Row(elem_classes="split"):
        with gr.Column(scale=2, min_width=260):
            versions_html = table("Frozen versions", param="version", empty_value=EMPTY)
        with gr.Column(
            scale=5, min_width=320, visible=False, elem_classes="pane", elem_id="form-pane"
        ) as form_col:
            form = freeze_form()
        with gr.Column(
            scale=5, min_width=320, visible=False, elem_classes="pane", elem_id="version-pane"
        ) as version_col:
            version_html = version_panel()
            notice_html = notice()
            split_radio = gr.Radio(
                [("All", ""), *((SPLIT_WORDS[name].capitalize(), name.value) for name in Split)], value="",
                label="Rows", elem_classes="segments",
            )  # fmt: skip
            with gr.Row(elem_classes="rows-and-row"):
                rows_html = table("Rows", empty_value=NO_ROWS)
                row_html = View(
                    ROW, NO_ROW, on_load=ROW_ON_LOAD, elem_classes="row-reading", elem_id="row-reading"
                )
    reading_state = gr.State(Reading())

    pane = [
        versions_html,
        new_btn,
        form_col,
        version_col,
        notice_html,
        version_html,
        split_radio,
        rows_html,
        row_html,
        reading_state,
    ]
    page.on_load(show_page, pane)
    opened = page.on(versions_html.open, open_version, [page.project_id], pane)
    opened.then(fn=None, js="() => studio.reveal('version-pane')")
    page.on(version_html.close, close_pane, [page.project_id], pane)
    page.on(version_html.verify, verify_hash, [reading_state], [notice_html])

    rows = [rows_html, reading_state, row_html]
    page.on(split_radio.input, choose_split, [reading_state, split_radio], rows)
    page.on(rows_html.older, turn_on, [reading_state], rows)
    page.on(rows_html.newer, turn_back, [reading_state], rows)
    read_row = page.on(rows_html.open, open_row, [page.project_id, reading_state], rows)
    read_row.then(fn=None, js="() => studio.reveal('row-reading')")
    page.on(row_html.close, close_row, [reading_state], rows)

    offered = [versions_html, new_btn, form_col, version_col, form.name_dd, form.task_dd, form.specialty_dd]
    begun = page.on(new_btn.click, open_form, [page.project_id], offered, problem=form.problem)
    counting = [page.project_id, *form.chosen]
    page.on(begun.then, count_chosen, counting, [form.count_html], problem=form.problem)
    begun.then(fn=None, js="() => studio.reveal('form-pane')")
    for field in form.chosen:
        page.on(field.change, count_chosen, counting, [form.count_html], problem=gr.State(None))
    freezing = [page.project_id, form.name_dd, *form.chosen]
    page.on(form.freeze_btn.click, freeze, freezing, [form.progress_html, *pane], problem=form.problem)
    page.on(form.close_btn.click, close_pane, [page.project_id], pane)
