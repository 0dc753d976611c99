"""Import of a file: choose it, see what it holds or which lines are wrong, confirm. All rows or none."""

from dataclasses import dataclass
from pathlib import Path

import gradio as gr

from bioui.components.empty import empty_state
from bioui.components.frame import Page
from bioui.components.instruction_form import CATEGORIES
from bioui.components.notice import NO_NOTICE, notice, notice_value
from bioui.components.table import Column, Trail, cell, table, table_value
from bioui.components.view import View
from bioui.handling import actor_of, needs
from bioui.present import counted, shortened
from db import imports
from db.content import Content
from db.enums import Category, Provenance
from db.imports import ImportRefused, RowError
from db.policy import Right
from db.session import read, write

FIRST_ROWS = 3
PAGE_ROWS = 50
PROVENANCES = [
    ("People wrote it", Provenance.NATIVE.value),
    ("A model wrote it", Provenance.SYNTHETIC.value),
    ("Translated", Provenance.TRANSLATED.value),
]
FAULTS = (Column("Line", "num"), Column("What is wrong", "long"))
NO_FAULTS = empty_state("", "")
EXAMPLE = '{"instruction": "...", "input": "...", "output": "..."}'

PREVIEW = Path(__file__).with_name("preview.hbs").read_text(encoding="utf-8")
NO_PREVIEW = {"count": "", "rows": []}


@dataclass(frozen=True)
class ImportPanel:
    """`stored` is the event after which the list has new rows."""

    stored: object


# data -------------------------------------------------------------------------------------------------


def preview_value(name: str, contents: list[Content]) -> dict:
    """The number of rows and the first few."""
    without = sum(not (content.output and content.task) for content in contents)
    return {
        "count": counted(len(contents), "row"),
        "name": name,
        "shown": min(FIRST_ROWS, len(contents)),
        "ready": f"{without:,} lack an output or a task." if without else "Each has an output and a task.",
        "rows": [_preview_row(content) for content in contents[:FIRST_ROWS]],
    }


def faults_value(errors: list[RowError], trail: Trail) -> dict:
    """A page of the faulty lines; the trail's ids are offsets into them."""
    start = trail.before_id or 0
    more = start + PAGE_ROWS if start + PAGE_ROWS < len(errors) else None
    rows = [
        {"id": start + place, "cells": [cell(f"{error.line:,}"), cell(error.message)]}
        for place, error in enumerate(errors[start : start + PAGE_ROWS])
    ]
    return table_value(
        FAULTS,
        rows,
        empty=NO_FAULTS,
        total=len(errors),
        trail=trail,
        next_before_id=more,
        turns=("Previous", "Next"),
    )


def read_labelled(path: str, category: str, task: str, specialty: str) -> list[Content]:
    """The file's rows, those without a task with these labels."""
    contents = imports.read_file(Path(path))
    if not (task or "").strip():
        return contents
    return imports.fill_labels(
        contents, category=Category(category), task=task.strip(), specialty=(specialty or "").strip()
    )


# handlers ---------------------------------------------------------------------------------------------


@needs(Right.WRITE)
def preview(path: str | None, category: str, task: str, specialty: str, request: gr.Request):
    """What the chosen file holds, or every line that is wrong. Nothing is stored."""
    if not path:
        return NO_PREVIEW, [], faults_value([], Trail()), Trail(), NO_NOTICE, _confirm(0)
    try:
        contents = read_labelled(path, category, task, specialty)
    except ImportRefused as refused:
        told = notice_value(
            "Nothing was imported.",
            f"{counted(len(refused.errors), 'line has', 'lines have')} faults. "
            "Mend them in the file and choose it again.",
            hue="attention",
        )
        faults = faults_value(refused.errors, Trail())
        return NO_PREVIEW, refused.errors, faults, Trail(), told, _confirm(0)
    shown = preview_value(Path(path).name, contents)
    return shown, [], faults_value([], Trail()), Trail(), NO_NOTICE, _confirm(len(contents))


@needs(Right.WRITE)
def older_faults(errors: list[RowError], trail: Trail, request: gr.Request):
    start = trail.before_id or 0
    trail = trail.older(start + PAGE_ROWS if start + PAGE_ROWS < len(errors) else None)
    return faults_value(errors, trail), trail


@needs(Right.WRITE)
def newer_faults(errors: list[RowError], trail: Trail, request: gr.Request):
    trail = trail.newer()
    return faults_value(errors, trail), trail


@needs(Right.WRITE)
def import_file(
    project_id: int,
    path: str | None,
    category: str,
    task: str,
    specialty: str,
    provenance: str,
    submit: bool,
    request: gr.Request,
):
    """Store every row of the file in one go."""
    if not path:
        raise ValueError("file: choose a JSON or JSONL file first.")
    with read() as session:
        actor_of(session, request)  # before the file is read, which takes a second for 50,000 rows
    contents = read_labelled(path, category, task, specialty)
    with write() as session:
        stored = imports.import_contents(
            session, actor_of(session, request), project_id, contents, provenance=Provenance(provenance),
            file_name=Path(path).name, submit=bool(submit),
        )  # fmt: skip
    drafts = len(stored.ids) - stored.submitted
    said = [f"{stored.submitted:,} went to the reviewers."] if submit else []
    if drafts:
        lack = " because they lack an output or a task" if submit else ""
        said.append(f"{counted(drafts, 'row')} stay drafts{lack}.")
    done = notice_value(
        f"{counted(len(stored.ids), 'row')} imported.", *said, hue="approved",
        links={"See the imported rows": f"/curate?project={project_id}&origin=imported"},
    )  # fmt: skip
    return done, None, NO_PREVIEW, _confirm(0)


@needs(Right.WRITE)
def toggle(is_open: bool, request: gr.Request):
    return not is_open, gr.update(visible=not is_open)


# layout and wiring ------------------------------------------------------------------------------------


def import_panel(page: Page, open_btn: gr.Button) -> ImportPanel:
    open_state, errors_state, trail_state = gr.State(False), gr.State([]), gr.State(Trail())
    with gr.Column(visible=False, elem_classes="section import-panel", elem_id="import-panel") as panel:
        with gr.Row(elem_classes="split"):
            with gr.Column(scale=5, min_width=300):
                file_upload = gr.File(
                    label="JSON array, or JSONL with one object a line", type="filepath",
                    file_types=[".json", ".jsonl"], height=120, elem_id="field-file",
                )  # fmt: skip
                View(
                    '<p class="field-help">Each row: <code>{{value.example}}</code>; category, task, '
                    "specialty, difficulty, tags and source may follow. At most 50,000 rows.</p>",
                    {"example": EXAMPLE},
                )
            with gr.Column(scale=7, min_width=300):
                with gr.Row(elem_classes="pairs"):
                    category_dd = gr.Dropdown(
                        CATEGORIES, value=Category.QA.value, label="Category",
                        info="Of rows that name no task.", elem_id="import-category",
                    )  # fmt: skip
                    task_tb = gr.Textbox(
                        label="Task", info="Of rows that name none, such as qa.", elem_id="import-task"
                    )
                    specialty_tb = gr.Textbox(
                        label="Specialty", info="Of those rows; may stay empty.", elem_id="import-specialty"
                    )
                provenance_radio = gr.Radio(
                    PROVENANCES, value=Provenance.NATIVE.value, label="Provenance",
                    info="Kept with every row, so that a data set can say what it is made of.",
                )  # fmt: skip
                submit_check = gr.Checkbox(
                    label="Submit complete rows for review right away",
                    info="A row without an output or a task stays a draft.", elem_id="import-submit",
                )  # fmt: skip
        preview_html = View(PREVIEW, NO_PREVIEW)
        result_html = notice()
        faults_html = table("Faulty lines", empty_value=NO_FAULTS)
        with gr.Row(elem_classes="actions"):
            confirm_btn = gr.Button("Import", variant="primary", visible=False, elem_id="confirm-import-btn")
            close_btn = gr.Button("Close")
    labels = [category_dd, task_tb, specialty_tb]
    shown = [preview_html, errors_state, faults_html, trail_state, result_html, confirm_btn]
    for event in (file_upload.upload, file_upload.clear, category_dd.input, task_tb.blur, specialty_tb.blur):
        page.on(event, preview, [file_upload, *labels], shown, concurrency_limit=4)
    page.on(faults_html.older, older_faults, [errors_state, trail_state], [faults_html, trail_state])
    page.on(faults_html.newer, newer_faults, [errors_state, trail_state], [faults_html, trail_state])
    for button in (open_btn, close_btn):
        page.on(button.click, toggle, [open_state], [open_state, panel])
    done = page.on(
        confirm_btn.click, import_file,
        [page.project_id, file_upload, *labels, provenance_radio, submit_check],
        [result_html, file_upload, preview_html, confirm_btn],
        show_progress="minimal", concurrency_limit=2,
    )  # fmt: skip
    return ImportPanel(done.then)


def _confirm(rows: int) -> dict:
    return gr.update(value=f"Import {counted(rows, 'row')}", visible=rows > 0)


def _preview_row(content: Content) -> dict:
    labels = [
        content.category,
        content.task or "no task",
        content.specialty,
        f"difficulty {content.difficulty}",
    ]
    return {
        "instruction": shortened(content.instruction, 200),
        "input": shortened(content.input, 160),
        "output": shortened(content.output, 160) or "none",
        "labels": ", ".join(label for label in labels if label),
    }
