"""The form of a training run at work: open it, fill it, check the data, start the run."""

from uuid import uuid4

import gradio as gr

from bioui.components.data_report import NO_REPORT
from bioui.components.frame import Page
from bioui.components.job_panel import NO_HEAD
from bioui.components.run_compare import NO_HEAD as NO_COMPARISON
from bioui.components.train_form import (
    OWN_SETTINGS,
    SETTINGS,
    TrainForm,
    base_choices,
    read_yaml,
    shown_settings,
    spec_of,
    suggested_name,
    version_choices,
    yaml_of,
)
from bioui.components.train_panes import open_run
from bioui.components.view import View
from bioui.handling import actor_of, linked, needs
from bioui.runs import FORM_OPEN, can_resume, enqueue, report_of, runs_value, worker_notice
from bioui.watching import RunWatch
from db import jobs, train_presets
from db.enums import JobKind
from db.policy import Right
from db.session import read, write

TICK = 2.0  # seconds between two looks at a report
OFFERED = 16  # values of `open_form`


@needs(Right.TRAIN)
def open_form(project_id: int, base_id: int | None, version_id: int | None, name: str, request: gr.Request):
    """The form in place of an open run, with a fresh key. What was chosen or typed before stays."""
    with read() as session:
        bases, versions = base_choices(session), version_choices(session, project_id)
        base_id = base_id or (bases[0][1] if bases else None)
        version_id = version_id or (versions[0][1] if versions else None)
        suggestion = suggested_name(session, version_id)
        return (
            runs_value(session, project_id, open_id=FORM_OPEN),
            worker_notice(session),
            gr.Button(visible=False),
            gr.Column(visible=True),
            gr.Column(visible=False),
            gr.Column(visible=False),
            NO_HEAD,
            NO_COMPARISON,
            RunWatch(beside=FORM_OPEN),
            uuid4().hex,
            suggestion,
            gr.Dropdown(choices=bases, value=base_id),
            gr.Dropdown(choices=versions, value=version_id),
            name or suggestion,
            NO_REPORT,
            0,
        )


@needs(Right.TRAIN)
def open_linked_form(project_id: int, request: gr.Request):
    """The form with the version of ?version=; nothing without one."""
    wanted = linked(request, "version")
    if not wanted or linked(request, "job"):
        return (gr.skip(),) * OFFERED
    with read() as session:
        known = {version_id for _, version_id in version_choices(session, project_id)}
    if wanted not in known:
        raise LookupError(f"This project has no dataset version number {wanted}.")
    return open_form(project_id, None, wanted, "", request)


@needs(Right.TRAIN)
def suggest_name(version_id: int | None, name: str, suggested: str, request: gr.Request):
    """A name after the newly chosen version, unless the person wrote one."""
    with read() as session:
        suggestion = suggested_name(session, version_id)
    return (suggestion if name in ("", suggested) else gr.skip()), suggestion


@needs(Right.TRAIN)
def choose_preset(name: str, request: gr.Request):
    """What to know of the preset, and its settings; one's own stay as they are."""
    if name == OWN_SETTINGS:
        return "", *(gr.skip(),) * len(SETTINGS)
    preset = train_presets.find(name)
    return preset.about, *shown_settings(preset.settings)


@needs(Right.TRAIN)
def write_yaml(request: gr.Request, *values):
    with read() as session:
        return yaml_of(session, spec_of(values))


@needs(Right.TRAIN)
def fill_from_yaml(project_id: int, text: str, request: gr.Request):
    with read() as session:
        base_id, version_id, name, settings = read_yaml(session, project_id, text or "")
    return base_id, version_id, name, *settings


@needs(Right.TRAIN)
def start(project_id: int, form_key: str, request: gr.Request, *values):
    with write() as session:
        actor, key = actor_of(session, request), form_key or uuid4().hex
        job, is_new = enqueue(session, actor, project_id, JobKind.TRAIN, key, values)
        if not is_new:
            gr.Info("This run was started already; here it is.")
        return open_run(session, project_id, job.id)


@needs(Right.TRAIN)
def check_data(project_id: int, form_key: str, request: gr.Request, *values):
    """Ask for a data report; one that stopped early is asked for again."""
    with write() as session:
        actor, key = actor_of(session, request), form_key or uuid4().hex
        job, _ = enqueue(session, actor, project_id, JobKind.DATA_REPORT, key, values)
        if can_resume(job):
            jobs.requeue(session, actor, job.id)
        return worker_notice(session), report_of(session, job), gr.Timer(active=job.status.is_open), job.id


@needs(Right.TRAIN)
def poll_report(report_id: int, request: gr.Request):
    with read() as session:
        if not report_id:
            return gr.skip(), gr.Timer(active=False)
        job = jobs.get_job(session, report_id)
        return report_of(session, job), gr.Timer(active=job.status.is_open)


def wire(
    page: Page,
    form: TrainForm,
    report_html: View,
    worker_html: View,
    shown: gr.events.Dependency,
    new_btn: gr.Button,
    beside: list,
    everything: list,
) -> None:
    """Let the form work. `beside` is what it replaces, `everything` what a started run shows."""
    key_state, suggested_state, report_state = gr.State(""), gr.State(""), gr.State(0)
    report_timer = gr.Timer(TICK, active=False)
    subject = form.inputs[:3]
    offered = [*beside, key_state, suggested_state, *subject, report_html, report_state]
    page.on(shown.then, open_linked_form, [page.project_id], offered)
    begun = page.on(new_btn.click, open_form, [page.project_id, *subject], offered)
    begun.then(fn=None, js="() => studio.reveal('form-pane')")
    naming = [form.version_dd, form.name_tb, suggested_state]
    page.on(form.version_dd.input, suggest_name, naming, [form.name_tb, suggested_state])
    page.on(form.preset_dd.input, choose_preset, [form.preset_dd], [form.preset_html, *form.settings])
    page.on(form.write_btn.click, write_yaml, form.inputs, [form.yaml_tb], problem=form.problem)
    filling = [page.project_id, form.yaml_tb]
    page.on(form.fill_btn.click, fill_from_yaml, filling, form.inputs, problem=form.problem)
    filled = [page.project_id, key_state, *form.inputs]
    started = page.on(form.start_btn.click, start, filled, everything, problem=form.problem)
    started.then(fn=None, js="() => studio.reveal('run-pane')")
    reported = [worker_html, report_html, report_timer, report_state]
    page.on(form.check_btn.click, check_data, filled, reported, problem=form.problem)
    page.on(report_timer.tick, poll_report, [report_state], [report_html, report_timer])
