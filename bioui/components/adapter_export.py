"""Export of an adapter from the Models page: in which form, whether to the Hub, and what came of it."""

from uuid import uuid4

import gradio as gr

from bioui.components.fold import fold
from bioui.components.frame import Page
from bioui.components.problem import problem_area
from bioui.components.view import View
from bioui.handling import actor_of, needs
from bioui.present import ago, exact, size_words, status_chip
from db import exports, specs
from db.enums import JobStatus
from db.exchange import hub
from db.export_spec import ExportSpec
from db.policy import Right
from db.session import Session, read, write
from db.tables import Job

TICK = 2.0  # seconds between two looks at an export
TEMPLATE = """
{{#if value.exports}}<ul class="exports" aria-live="polite">{{#each value.exports}}
  <li><span class="chip chip-{{this.hue}}"><span class="chip-mark" aria-hidden="true"></span>
    {{this.status}}</span>
    {{this.form}}, <span title="{{this.exact}}">{{this.when}}</span>{{#if this.size}}, {{this.size}}{{/if}}
    {{#if this.url}}<br><a href="{{this.url}}" rel="noreferrer">{{this.url}}</a>{{/if}}
    {{#if this.folder}}<br><code>{{this.folder}}</code>{{/if}}
    {{#if this.said}}<br>{{this.said}}{{/if}}</li>{{/each}}</ul>{{/if}}
"""
NO_EXPORTS = {"exports": []}
FORMS = [("Adapter (PEFT folder)", "adapter"), ("Merged model (safetensors)", "merged")]
_FORM_WORDS = {value: words for words, value in FORMS}


def exports_value(session: Session, adapter_id: int) -> dict:
    """The exports of an adapter, newest first."""
    return {"exports": [_shown(job) for job in exports.list_exports(session, adapter_id)]}


def _shown(job: Job) -> dict:
    word, hue = status_chip(job.status)
    said = job.error[:1].upper() + job.error[1:]
    if job.status.is_open:
        said = "Waiting for a worker." if job.status is JobStatus.QUEUED else f"{job.phase.capitalize()} ..."
    return {
        "status": word,
        "hue": hue,
        "form": _FORM_WORDS[job.spec["form"]],
        "when": ago(job.created_at),
        "exact": exact(job.created_at),
        "size": size_words(job.result["bytes"]) if "bytes" in job.result else "",
        "folder": job.result.get("folder", ""),
        "url": job.result.get("url", ""),
        "said": said,
    }


@needs(Right.TRAIN)
def show_exports(project_id: int, opened, request: gr.Request):
    """The part for the open adapter; closed where none is open."""
    with read() as session:
        if not opened.adapter_id:
            return gr.Column(visible=False), NO_EXPORTS, gr.Timer(active=False), "", gr.Column(visible=False)
        adapter = exports.get_adapter(session, project_id, opened.adapter_id)
        listed = exports.list_exports(session, adapter.id)
        return (
            gr.Column(visible=True),
            exports_value(session, adapter.id),
            gr.Timer(active=any(job.status.is_open for job in listed)),
            uuid4().hex,
            gr.Column(visible=hub.is_configured(session, project_id)),
        )


@needs(Right.TRAIN)
def export(project_id: int, opened, key: str, form: str, repository: str, private: bool, request: gr.Request):
    with write() as session:
        spec = ExportSpec(
            opened.adapter_id, form=form, repository=(repository or "").strip(), private=private
        )
        wish = f"export:{key}:{form}:{spec.repository}"
        exports.start(session, actor_of(session, request), project_id, spec, request_key=wish)
        session.flush()
        return exports_value(session, opened.adapter_id), gr.Timer(active=True)


@needs(Right.TRAIN)
def poll(project_id: int, opened, request: gr.Request):
    with read() as session:
        if not opened.adapter_id:
            return NO_EXPORTS, gr.Timer(active=False)
        listed = exports.list_exports(session, opened.adapter_id)
        is_open = any(job.status.is_open for job in listed)
        return exports_value(session, opened.adapter_id), gr.Timer(active=is_open)


def adapter_export(page: Page, opened_state: gr.State, steps: list[gr.events.Dependency]) -> None:
    """Lay the part out where it is called; `steps` are the events after which another model is open."""
    problem = problem_area()
    with fold("Export", visible=False) as box:
        form_radio = gr.Radio(
            FORMS,
            value="adapter",
            label="Form",
            info=specs.help_for(ExportSpec, "form"),
            elem_id="field-form",
        )
        with gr.Column(visible=False) as hub_col:
            repository_tb = gr.Textbox(
                label="Repository",
                info=specs.help_for(ExportSpec, "repository"),
                max_lines=1,
                elem_id="field-repository",
            )
            private_cb = gr.Checkbox(
                True, label="Private", info=specs.help_for(ExportSpec, "private"), elem_id="field-private"
            )
        with gr.Row(elem_classes="actions"):
            export_btn = gr.Button("Export", size="sm")
    exports_html = View(TEMPLATE, NO_EXPORTS)
    timer, key_state = gr.Timer(TICK, active=False), gr.State("")
    shown = [box, exports_html, timer, key_state, hub_col]
    for step in steps:
        page.on(step.then, show_exports, [page.project_id, opened_state], shown, problem=gr.State(None))
    given = [page.project_id, opened_state, key_state, form_radio, repository_tb, private_cb]
    page.on(export_btn.click, export, given, [exports_html, timer], problem=problem)
    at = [page.project_id, opened_state]
    page.on(timer.tick, poll, at, [exports_html, timer], problem=gr.State(None))
