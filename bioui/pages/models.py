"""Models: the bases that can be tuned, the adapters that were, and where each of them came from."""

from dataclasses import dataclass

import gradio as gr

from bioui.components import facts
from bioui.components.adapter_export import adapter_export
from bioui.components.empty import empty_state
from bioui.components.facts import fact
from bioui.components.fold import fold
from bioui.components.frame import page_frame
from bioui.components.gate_waiver import gate_waiver
from bioui.components.model_scores import model_scores
from bioui.components.problem import problem_area
from bioui.components.table import Column, cell, row_id, table, table_value
from bioui.components.view import View
from bioui.handling import actor_of, needs
from bioui.present import ago, exact, shortened
from db import registry
from db.policy import Right
from db.session import Session, read, write
from db.tables import Adapter, BaseModel

TITLE, PATH, RIGHT = "Models", "/models", Right.READ
SENTENCE = "The base models that can be tuned, the adapters tuned on them, and where each came from."
ADAPTERS = (Column("Adapter", "long"), Column("Base"), Column("Data"), Column("Tuned", "time"))
BASES = (Column("Base model", "long"), Column("Context", "num"), Column("Added", "time"))
NO_ADAPTERS = empty_state("No adapters yet.", "Every finished training leaves one here.")
NO_BASES = empty_state("No base models yet.", "Add a folder of this machine, or a repository of the Hub.")
DETAILS = (
    """
{{#if value.title}}
<h2>{{value.title}}</h2><p class="muted model-line">{{value.line}}</p>
{{#each value.links}}<p class="model-go">
  <a class="secondary-btn" href="{{this.href}}">{{this.text}}</a></p>{{/each}}
"""
    + facts.TEMPLATE
    + """
{{#each value.groups}}<details class="model-group"><summary>{{this.heading}}</summary>
  <dl class="facts">{{#each this.facts}}
    <dt>{{this.name}}</dt><dd class="mono">{{this.text}}</dd>{{/each}}</dl>
</details>{{/each}}
{{else}}<p class="muted">Choose a model to see where it came from.</p>{{/if}}
"""
)
NOTHING_OPEN = {"title": "", "line": "", "links": [], "facts": [], "groups": []}
UNDO = """
{{#if value.name}}<div class="notice" role="status"><p>{{value.name}} was deleted. Its files and its
comparisons stay. <button type="button" class="quiet-btn" data-undo>Put it back</button></p></div>{{/if}}
"""
UNDO_ON_LOAD = """
element.addEventListener('click', (event) => {
  if (event.target.closest('[data-undo]')) trigger('undo', {});
});
"""
NOTHING_DELETED = {"name": ""}


@dataclass(frozen=True)
class Opened:
    """What the pane shows, and what was deleted last."""

    adapter_id: int = 0
    base_id: int = 0
    deleted_id: int = 0


# data -----------------------------------------------------------------------------------------------


def adapters_value(session: Session, project_id: int, current_id: int = 0) -> dict:
    rows = [
        {
            "id": adapter.id,
            "opens": True,
            "cells": [
                cell(adapter.name),
                cell(adapter.base_model.name),
                cell(_data_name(adapter)),
                cell(ago(adapter.created_at), title=exact(adapter.created_at)),
            ],
        }
        for adapter in registry.list_adapters(session, project_id)
    ]
    return table_value(ADAPTERS, rows, empty=NO_ADAPTERS, current_id=current_id)


def bases_value(session: Session, current_id: int = 0) -> dict:
    rows = [
        {
            "id": base.id,
            "opens": True,
            "cells": [
                cell(base.name, note=shortened(base.description, 100)),
                cell(f"{base.context_length:,}" if base.context_length else ""),
                cell(ago(base.created_at), title=exact(base.created_at)),
            ],
        }
        for base in registry.list_base_models(session)
    ]
    return table_value(BASES, rows, empty=NO_BASES, current_id=current_id)


def adapter_details(adapter: Adapter) -> dict:
    """Every provenance field of an adapter."""
    project = f"?project={adapter.project_id}"
    version, job = adapter.dataset_version_id, adapter.job_id
    found = [
        fact("Base", adapter.base_model.name),
        fact("Base revision", adapter.base_revision, mono=True),
        fact("Data", _data_name(adapter), href=f"/datasets{project}&version={version}" if version else ""),
        fact("Data hash", adapter.data_hash, mono=True),
        fact("Template hash", adapter.template_hash, mono=True),
        fact("Adapter hash", adapter.adapter_hash, mono=True),
        fact("Seed", adapter.seed, mono=True),
        fact("Trained by", f"Job {job}" if job else "", href=f"/train{project}&job={job}" if job else ""),
        fact("Folder", adapter.path, mono=True),
    ]
    return {
        "title": adapter.name,
        "line": f"Adapter, tuned {ago(adapter.created_at)}",
        "links": [
            {"text": "Compare in the playground", "href": f"/playground{project}&adapter={adapter.id}"},
        ],
        "facts": [line for line in found if line["text"]],
        "groups": [
            {"heading": "Training settings", "facts": _pairs(adapter.spec)},
            {"heading": "Package versions", "facts": _pairs(adapter.packages)},
        ],
    }


def base_details(base: BaseModel) -> dict:
    found = [
        fact("Location", base.location, mono=True),
        fact("Revision", base.revision, mono=True),
        fact("Context length", f"{base.context_length:,} tokens" if base.context_length else ""),
        fact("Parameters", f"{base.parameters:,}" if base.parameters else ""),
        fact("Added", ago(base.created_at), title=exact(base.created_at)),
    ]
    return {
        "title": base.name,
        "line": base.description or "Base model",
        "links": [],
        "facts": [line for line in found if line["text"]],
        "groups": [],
    }


def _data_name(adapter: Adapter) -> str:
    version = adapter.dataset_version
    return f"{version.dataset.name} v{version.number}" if version else ""


def _pairs(stored: dict) -> list[dict]:
    return [fact(name.replace("_", " "), value) for name, value in stored.items() if value not in ("", None)]


# handlers -------------------------------------------------------------------------------------------


@needs(RIGHT)
def show_models(project_id: int, request: gr.Request):
    """Both lists; open is the adapter in the URL, else the newest."""
    wanted = request.query_params.get("adapter", "")
    with read() as session:
        newest = next(iter(registry.list_adapters(session, project_id)), None)
        adapter = registry.get_adapter(session, int(wanted)) if wanted.isdigit() else newest
        return *_adapter_open(session, project_id, adapter), bases_value(session)


@needs(RIGHT)
def show_tools(project_id: int, request: gr.Request):
    """What only those who train may use."""
    with read() as session:
        can_train = actor_of(session, request).can(Right.TRAIN)
    return gr.update(visible=can_train), gr.update(visible=can_train)


@needs(RIGHT)
def open_adapter(project_id: int, event: gr.EventData, request: gr.Request):
    with read() as session:
        adapter = registry.get_adapter(session, row_id(event))
        return *_adapter_open(session, project_id, adapter), bases_value(session)


@needs(RIGHT)
def open_base(project_id: int, event: gr.EventData, request: gr.Request):
    with read() as session:
        return _base_open(session, project_id, registry.get_base_model(session, row_id(event)))


@needs(Right.TRAIN)
def add_base(project_id: int, name: str, location: str, revision: str, description: str, request: gr.Request):
    with write() as session:
        base = registry.add_base_model(
            session,
            actor_of(session, request),
            name=name or "",
            location=location or "",
            revision=revision or "",
            description=(description or "").strip(),
        )
        session.flush()
        shown = _base_open(session, project_id, base)
    gr.Success(f"{base.name} can be tuned now.", duration=4)
    return *shown, "", "", "", ""


@needs(Right.TRAIN)
def delete_adapter(project_id: int, opened: Opened, request: gr.Request):
    if not opened.adapter_id:
        raise ValueError("Open the adapter that should go; base models stay.")
    with write() as session:
        adapter = registry.delete_adapter(session, actor_of(session, request), opened.adapter_id)
        session.flush()
        newest = next(iter(registry.list_adapters(session, project_id)), None)
        details, _, listed = _adapter_open(session, project_id, newest)
        left = Opened(newest.id if newest else 0, deleted_id=adapter.id)
        return details, left, listed, {"name": adapter.name}


@needs(Right.TRAIN)
def put_back(project_id: int, opened: Opened, request: gr.Request):
    with write() as session:
        actor = actor_of(session, request)
        adapter = registry.delete_adapter(session, actor, opened.deleted_id, deleted=False)
        session.flush()
        return *_adapter_open(session, project_id, adapter), NOTHING_DELETED


def _adapter_open(session: Session, project_id: int, adapter: Adapter | None) -> tuple:
    """Details, what is open, and the list of adapters with it marked."""
    if adapter is None:
        return NOTHING_OPEN, Opened(), adapters_value(session, project_id)
    return adapter_details(adapter), Opened(adapter.id), adapters_value(session, project_id, adapter.id)


def _base_open(session: Session, project_id: int, base: BaseModel) -> tuple:
    """Details, what is open, and both lists."""
    opened = Opened(base_id=base.id)
    return base_details(base), opened, adapters_value(session, project_id), bases_value(session, base.id)


# layout and wiring ----------------------------------------------------------------------------------


def build() -> None:
    page = page_frame(TITLE, SENTENCE)
    undo_html = View(UNDO, NOTHING_DELETED, on_load=UNDO_ON_LOAD, elem_classes="undo-view")
    with gr.Row(elem_classes="split"):
        with gr.Column(scale=3, min_width=0):
            View("<h2>Adapters</h2>", {})
            adapters_html = table("Adapters", param="adapter", empty_value=NO_ADAPTERS)
            View("<h2>Base models</h2>", {})
            bases_html = table("Base models", empty_value=NO_BASES)
            with fold("Add a base model", visible=False) as add_box:
                form_problem = problem_area()
                name_tb, location_tb, revision_tb, description_tb = _base_form()
                with gr.Row(elem_classes="actions"):
                    add_btn = gr.Button("Add base model", variant="primary")
        with gr.Column(scale=2, min_width=0, elem_classes="pane"):
            details_html = View(DETAILS, NOTHING_OPEN, elem_classes="model-details")
            scores_col = gr.Column(elem_classes="model-scores-part")
            with gr.Row(elem_classes=["actions", "delete-adapter"], visible=False) as tools_row:
                delete_btn = gr.Button("Delete adapter", variant="stop", size="sm")
            export_col = gr.Column(elem_classes="model-export")
    opened_state = gr.State(Opened())

    opened = [details_html, opened_state, adapters_html]
    shown = page.on_load(show_models, [*opened, bases_html])
    page.on_load(show_tools, [add_box, tools_row])
    chosen = page.on(adapters_html.open, open_adapter, [page.project_id], [*opened, bases_html])
    left = page.on(bases_html.open, open_base, [page.project_id], [*opened, bases_html])
    with scores_col:
        model_scores(page, opened_state, [shown, chosen, left])
        gate_waiver(page, opened_state, [shown, chosen, left])
    with export_col:
        adapter_export(page, opened_state, [shown, chosen, left])
    form = [name_tb, location_tb, revision_tb, description_tb]
    page.on(
        add_btn.click, add_base, [page.project_id, *form], [*opened, bases_html, *form], problem=form_problem
    )
    page.on(delete_btn.click, delete_adapter, [page.project_id, opened_state], [*opened, undo_html])
    page.on(undo_html.undo, put_back, [page.project_id, opened_state], [*opened, undo_html])


def _base_form() -> tuple[gr.Textbox, ...]:
    return (
        gr.Textbox(label="Name", info="What it is called in lists.", max_lines=1, elem_id="field-name"),
        gr.Textbox(
            label="Location",
            info="The full path of a folder with config.json and safetensors, or owner/name on the Hub.",
            max_lines=1,
            elem_id="field-location",
        ),
        gr.Textbox(
            label="Revision",
            info="For the Hub: the commit or tag to stay on. Empty means the newest.",
            max_lines=1,
            elem_id="field-revision",
        ),
        gr.Textbox(
            label="Description", info="What it is good for, and its licence.", elem_id="field-description"
        ),
    )
