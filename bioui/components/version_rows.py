"""The rows of an open version: by split, by pages, one of them to read beside the list."""

from dataclasses import replace

import gradio as gr

from bioui.components.frame import Page
from bioui.components.table import row_id, table
from bioui.components.version_splits import SPLIT_WORDS
from bioui.components.view import View
from bioui.frozen import NO_ROWS, Reading, row_value, rows_value
from bioui.handling import needs
from db.enums import Split
from db.policy import Right
from db.session import read

ROW = """
{{#if value.position}}
<div class="pane-head"><h3>Row {{value.position}}</h3>
  <button type="button" class="quiet-btn" data-close>Close row</button></div>
<p class="muted">{{value.labels}}</p>
<h4>Instruction</h4><p class="reading">{{value.instruction}}</p>
{{#if value.input}}<h4>Input</h4><p class="reading">{{value.input}}</p>{{/if}}
<h4>Output</h4><p class="reading">{{value.output}}</p>
<h4>Where it comes from</h4>
<p class="row-terms">{{value.terms}}</p>
{{#if value.origin_href}}<p><a href="{{value.origin_href}}">The instruction it was frozen from</a></p>{{/if}}
{{#if value.versions}}<p class="row-terms">Frozen in {{#each value.versions}}
  <a href="{{this.href}}">{{this.name}}</a> ({{this.split}}){{this.end}} {{/each}}</p>{{/if}}
{{/if}}
"""
ROW_ON_LOAD = """
element.addEventListener('click', (event) => {
  if (event.target.closest('[data-close]')) trigger('close', {});
});
"""
NO_ROW = {"position": 0}


@needs(Right.READ)
def choose_rows(reading: Reading, split: str, reviewed: str, request: gr.Request):
    with read() as session:
        return (*rows_value(session, Reading(reading.version_id, split, reviewed)), NO_ROW)


@needs(Right.READ)
def turn_on(reading: Reading, request: gr.Request):
    with read() as session:
        return (*rows_value(session, replace(reading, trail=reading.trail.older(reading.following))), NO_ROW)


@needs(Right.READ)
def turn_back(reading: Reading, request: gr.Request):
    with read() as session:
        return (*rows_value(session, replace(reading, trail=reading.trail.newer())), NO_ROW)


@needs(Right.READ)
def open_row(project_id: int, reading: Reading, event: gr.EventData, request: gr.Request):
    with read() as session:
        rows = rows_value(session, reading, open_position=row_id(event))
        return (*rows, row_value(session, reading, row_id(event), project_id))


@needs(Right.READ)
def close_row(reading: Reading, request: gr.Request):
    with read() as session:
        return (*rows_value(session, reading), NO_ROW)


def rows_tab(page: Page, reading_state: gr.State) -> list:
    """Lay the tab out; its outputs are the splits, the rows, the open row and reviewed or not."""
    with gr.Row(elem_classes="row-choices"):
        split_radio = gr.Radio(
            [("All", ""), *((SPLIT_WORDS[name].capitalize(), name.value) for name in Split)], value="",
            label="Rows", elem_classes="segments",
        )  # fmt: skip
        reviewed_radio = gr.Radio(
            [("All", ""), ("Reviewed", "yes"), ("Not reviewed", "no")], value="", label="Review",
            elem_classes="segments", visible=False, elem_id="reviewed-rows",
        )  # fmt: skip
    with gr.Row(elem_classes="rows-and-row"):
        rows_html = table("Rows", empty_value=NO_ROWS)
        row_html = View(ROW, NO_ROW, on_load=ROW_ON_LOAD, elem_classes="row-reading", elem_id="row-reading")
    rows = [rows_html, reading_state, row_html]
    chosen = [reading_state, split_radio, reviewed_radio]
    for radio in (split_radio, reviewed_radio):
        page.on(radio.input, choose_rows, chosen, rows)
    page.on(rows_html.older, turn_on, [reading_state], rows)
    page.on(rows_html.newer, turn_back, [reading_state], rows)
    read_row = page.on(rows_html.open, open_row, [page.project_id, reading_state], rows)
    read_row.then(fn=None, js="() => studio.reveal('row-reading')")
    page.on(row_html.close, close_row, [reading_state], rows)
    return [split_radio, rows_html, row_html, reviewed_radio]
