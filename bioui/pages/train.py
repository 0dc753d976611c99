"""Train: choose a base, a version and LoRA settings, start a run in the background, and watch it."""

from dataclasses import replace
from uuid import uuid4

import gradio as gr

from bioui.components.curves import curves
from bioui.components.data_report import NO_REPORT, data_report, report_value
from bioui.components.empty import empty_state
from bioui.components.frame import page_frame
from bioui.components.job_panel import (
    NO_HEAD,
    NO_LOG,
    NO_SETTINGS,
    bar_value,
    cancel_sentences,
    head_value,
    log_path,
    log_tail,
    outcome_value,
    read_log,
    run_head,
    settings_list,
    settings_value,
    time_taken,
)
from bioui.components.lora_form import (
    base_choices,
    lora_form,
    request_key,
    spec_of,
    suggested_name,
    version_choices,
)
from bioui.components.notice import NO_NOTICE, notice, notice_value
from bioui.components.progress import NO_PROGRESS, progress_bar
from bioui.components.table import Column, cell, row_id, table, table_value
from bioui.components.version_panel import version_name
from bioui.components.view import View
from bioui.handling import actor_of, needs, project_of
from bioui.present import ago, exact, status_chip
from bioui.watching import RunWatch, follow, loss_value, mark_of, rate_value
from db import datasets, jobs, processes, registry, specs
from db.enums import JobKind, JobStatus, ProcessRole
from db.policy import Right
from db.session import Session, read, write
from db.settings import from_environment
from db.tables import Job
from db.tables.base import utc_now

TITLE = "Train"
PATH = "/train"
RIGHT = Right.TRAIN

TICK = 2.0  # seconds between two looks at a run
WIDE = (
    Column("Run"),
    Column("Status", "status"),
    Column("Progress", "num"),
    Column("Loss", "num"),
    Column("When", "time"),
    Column("By"),
    Column("Took", "time"),
)
BESIDE = (Column("Run"), Column("Status", "status"))  # while a run or the form is open
EMPTY = empty_state(
    "No run yet.",
    "A run tunes an adapter on a frozen version, in the background. Start the first with New run.",
)
NO_WORKER = notice_value(
    "No worker is running",
    "Runs wait in the queue until one starts. Start the studio without --no-worker, or run "
    "python -m trainer worker on a machine that shares its database and data folder.",
    hue="review",
)
CONFIRM = "<p>{{value.text}}</p>"
FORM_OPEN = -1  # in place of the id of the open run


# Data ---------------------------------------------------------------------------------------------------


def runs_value(session: Session, project_id: int, *, open_id: int = 0) -> dict:
    """The list of runs, newest first; narrow while something is open beside it."""
    found = jobs.list_jobs(session, project_id, JobKind.TRAIN_LORA)
    losses = jobs.last_values(session, [job.id for job in found], "loss")
    rows = [
        {"id": job.id, "opens": True, "cells": _narrow(job) if open_id else _wide(job, losses.get(job.id))}
        for job in found
    ]
    columns = BESIDE if open_id else WIDE
    return table_value(columns, rows, empty=EMPTY, current_id=open_id)


def get_run(session: Session, project_id: int, job_id: int) -> Job:
    """The training run, when it is this project's. Raises LookupError when it is not."""
    job = jobs.get_job(session, job_id)
    if job.project_id != project_id or job.kind is not JobKind.TRAIN_LORA:
        raise LookupError(f"This project has no training run number {job_id}.")
    return job


def worker_notice(session: Session) -> dict:
    return NO_NOTICE if processes.find_alive(session, ProcessRole.WORKER) else NO_WORKER


def run_values(session: Session, job: Job, watch: RunWatch) -> tuple:
    """What an open run shows now, in the order of build()'s `run`, but for log and settings."""
    version = version_name(datasets.get_version(session, job.spec["dataset_version_id"]))
    base = registry.get_base_model(session, job.spec["base_model_id"]).name
    before = jobs.count_open(session) - 1 if job.status is JobStatus.QUEUED else 0
    can_resume = not job.status.is_open and job.status is not JobStatus.FINISHED
    return (
        head_value(job, base=base, version=version),
        bar_value(job, watch, jobs_before=before),
        outcome_value(job, str(log_path(from_environment().jobs_dir, job.id))),
        loss_value(watch),
        rate_value(watch),
        gr.Button(visible=job.status.is_open and job.cancel_requested_at is None),
        gr.Button(visible=can_resume),
    )


def log_mark(job_id: int) -> tuple:
    """Differs whenever the log file has grown."""
    path = log_path(from_environment().jobs_dir, job_id)
    return (path.stat().st_size,) if path.is_file() else ()


def any_open(session: Session, project_id: int) -> bool:
    return any(job.status.is_open for job in jobs.list_jobs(session, project_id, JobKind.TRAIN_LORA))


def enqueue(
    session: Session, project_id: int, kind: JobKind, form_key: str, values: tuple, request: gr.Request
):
    """Queue what the form says: (job, whether it is new). The same form pressed twice is the same job."""
    spec = spec_of(values)
    registry.get_base_model(session, spec.base_model_id)
    if datasets.get_version(session, spec.dataset_version_id).dataset.project_id != project_id:
        raise LookupError(f"This project has no dataset version number {spec.dataset_version_id}.")
    asked_at, key = utc_now(), request_key(form_key, spec, kind)
    actor = actor_of(session, request)
    job = jobs.enqueue(session, actor, project_id, kind, spec, name=spec.adapter_name, request_key=key)
    return job, job.created_at >= asked_at


def _wide(job: Job, loss: float | None) -> list[dict]:
    word, hue = status_chip(job.status)
    return [
        cell(job.name),
        cell(word, chip=hue),
        cell(_progress(job)),
        cell("" if loss is None else f"{loss:.3f}"),
        cell(ago(job.created_at), title=exact(job.created_at)),
        cell(job.created_by.full_name),
        cell(time_taken(job)),
    ]


def _narrow(job: Job) -> list[dict]:
    word, hue = status_chip(job.status)
    note = f"{ago(job.created_at)}, {job.created_by.full_name}"
    return [cell(job.name, note=note), cell(word, chip=hue, note=_progress(job))]


def _progress(job: Job) -> str:
    return f"{job.step:,} / {job.total_steps:,}" if job.total_steps else ""


# Handlers: the list and an open run ---------------------------------------------------------------------


@needs(RIGHT)
def show_page(project_id: int, request: gr.Request):
    """The run of ?job=, else the list."""
    wanted = request.query_params.get("job", "")
    with read() as session:
        return open_run(session, project_id, int(wanted) if wanted.isdigit() else 0)


@needs(RIGHT)
def choose_run(project_id: int, event: gr.EventData, request: gr.Request):
    with read() as session:
        return open_run(session, project_id, row_id(event))


@needs(RIGHT)
def close_pane(project_id: int, request: gr.Request):
    with read() as session:
        return open_run(session, project_id, 0)


def open_run(session: Session, project_id: int, job_id: int) -> tuple:
    """The list with that run beside it (0: the list alone), in the order of build()'s `everything`."""
    frame = (
        runs_value(session, project_id, open_id=job_id),
        worker_notice(session),
        gr.Timer(active=any_open(session, project_id)),
        gr.Button(visible=True),
        gr.Column(visible=False),
        gr.Column(visible=job_id > 0),
        gr.Column(visible=False),
    )
    if not job_id:
        return (*frame, RunWatch(), NO_LOG, NO_SETTINGS, NO_HEAD, NO_PROGRESS, NO_NOTICE, *(gr.skip(),) * 4)
    job = get_run(session, project_id, job_id)
    watch = follow(session, RunWatch(job.id, job_mark=mark_of(job), log_mark=log_mark(job.id)))
    log = read_log(log_path(from_environment().jobs_dir, job.id))
    return (*frame, watch, log, _settings(session, job), *run_values(session, job, watch))


@needs(RIGHT)
def tick(watch: RunWatch, request: gr.Request):
    """What has changed since the last look, nothing when nothing has. The address says which run is open, so
    that a page that outlived a restart of the studio goes on."""
    wanted = request.query_params.get("job", "")
    with read() as session:
        project_id = project_of(session, request).id
        listed = runs_value(session, project_id, open_id=int(wanted) if wanted.isdigit() else 0)
        timer = gr.Timer(active=any_open(session, project_id))
        if not wanted.isdigit():
            return _list_alone(watch, listed, timer, worker_notice(session))
        if int(wanted) != watch.job_id:
            watch = RunWatch(int(wanted))
        job = get_run(session, project_id, watch.job_id)
        fresh = replace(follow(session, watch), job_mark=mark_of(job), log_mark=log_mark(job.id))
        if fresh == watch:
            return gr.skip()
        grown = fresh.log_mark != watch.log_mark
        log = read_log(log_path(from_environment().jobs_dir, job.id)) if grown else gr.skip()
        return listed, worker_notice(session), timer, fresh, log, *run_values(session, job, fresh)


def _list_alone(watch: RunWatch, listed: dict, timer: gr.Timer, worker: dict):
    """The same outputs while no run is open; `watch` remembers what the list last showed."""
    mark = (str(listed),)
    if watch.job_mark == mark:
        return gr.skip()
    return listed, worker, timer, RunWatch(job_mark=mark), *(gr.skip(),) * 8


def _settings(session: Session, job: Job) -> dict:
    spec = specs.from_json(job.kind, job.spec)
    version = version_name(datasets.get_version(session, spec.dataset_version_id))
    return settings_value(
        spec, base=registry.get_base_model(session, spec.base_model_id).name, version=version
    )


# Handlers: cancel and resume ----------------------------------------------------------------------------


@needs(Right.TRAIN)
def ask_cancel(watch: RunWatch, request: gr.Request):
    with read() as session:
        return gr.Column(visible=True), {"text": cancel_sentences(jobs.get_job(session, watch.job_id))}


@needs(Right.TRAIN)
def keep_running(request: gr.Request):
    return gr.Column(visible=False)


@needs(Right.TRAIN)
def cancel(project_id: int, watch: RunWatch, request: gr.Request):
    with write() as session:
        job = get_run(session, project_id, watch.job_id)
        jobs.request_cancel(session, actor_of(session, request), job.id)
        session.flush()
        return open_run(session, project_id, job.id)


@needs(Right.TRAIN)
def resume(project_id: int, watch: RunWatch, request: gr.Request):
    with write() as session:
        job = get_run(session, project_id, watch.job_id)
        jobs.requeue(session, actor_of(session, request), job.id)
        session.flush()
        return open_run(session, project_id, job.id)


# Handlers: the form -------------------------------------------------------------------------------------


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
            NO_HEAD,
            RunWatch(),
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
    wanted = request.query_params.get("version", "")
    if not wanted.isdigit() or request.query_params.get("job"):
        return (gr.skip(),) * 14
    with read() as session:
        known = {version_id for _, version_id in version_choices(session, project_id)}
    if int(wanted) not in known:
        raise LookupError(f"This project has no dataset version number {wanted}.")
    return open_form(project_id, None, int(wanted), "", request)


@needs(Right.TRAIN)
def suggest_name(version_id: int | None, name: str, suggested: str, request: gr.Request):
    """A name after the newly chosen version, unless the person wrote one."""
    with read() as session:
        suggestion = suggested_name(session, version_id)
    return (suggestion if name in ("", suggested) else gr.skip()), suggestion


@needs(Right.TRAIN)
def start(project_id: int, form_key: str, request: gr.Request, *values):
    with write() as session:
        job, is_new = enqueue(
            session, project_id, JobKind.TRAIN_LORA, form_key or uuid4().hex, values, request
        )
        if not is_new:
            gr.Info("This run was started already; here it is.")
        return open_run(session, project_id, job.id)


@needs(Right.TRAIN)
def check_data(project_id: int, form_key: str, request: gr.Request, *values):
    """Ask for a data report; one that stopped early is asked for again."""
    with write() as session:
        job, _ = enqueue(session, project_id, JobKind.DATA_REPORT, form_key or uuid4().hex, values, request)
        if not job.status.is_open and job.status is not JobStatus.FINISHED:
            jobs.requeue(session, actor_of(session, request), job.id)
        session.flush()
        return worker_notice(session), _report(session, job), gr.Timer(active=job.status.is_open), job.id


@needs(Right.TRAIN)
def poll_report(report_id: int, request: gr.Request):
    with read() as session:
        if not report_id:
            return gr.skip(), gr.Timer(active=False)
        job = jobs.get_job(session, report_id)
        return _report(session, job), gr.Timer(active=job.status.is_open)


def _report(session: Session, job: Job) -> dict:
    return report_value(job, version_name(datasets.get_version(session, job.spec["dataset_version_id"])))


# Layout and wiring --------------------------------------------------------------------------------------


def build() -> None:
    page = page_frame(
        TITLE, "Tune an adapter on a frozen version in the background, and watch its loss fall."
    )
    with page.actions:
        new_btn = gr.Button("New run", variant="primary")
    worker_html = notice()
    with gr.Row(elem_classes="split"):
        with gr.Column(scale=2, min_width=260):
            runs_html = table("Training runs", param="job", empty_value=EMPTY)
        with gr.Column(
            scale=5, min_width=320, visible=False, elem_classes="pane", elem_id="form-pane"
        ) as form_col:
            with gr.Row(elem_classes="pane-head"):
                View("<h2>New run</h2>")
                close_btn = gr.Button("Close", size="sm", elem_classes="quiet")
            form = lora_form()
            report_html = data_report()
        with gr.Column(
            scale=5, min_width=320, visible=False, elem_classes="pane", elem_id="run-pane"
        ) as run_col:
            head_html = run_head()
            bar_html = progress_bar()
            outcome_html = notice()
            with gr.Row(elem_classes="actions"):
                cancel_btn = gr.Button("Cancel run", size="sm", visible=False)
                resume_btn = gr.Button("Resume", visible=False)
            with gr.Column(visible=False, elem_classes="confirm") as confirm_col:
                confirm_html = View(CONFIRM, {"text": ""})
                with gr.Row(elem_classes="actions"):
                    stop_btn = gr.Button("Cancel the run", variant="stop", size="sm")
                    keep_btn = gr.Button("Keep running", size="sm")
            with gr.Row(elem_classes="charts"):
                loss_html = curves()
                rate_html = curves()
            log_html = log_tail()
            settings_html = settings_list()
    run_timer, report_timer = gr.Timer(TICK, active=False), gr.Timer(TICK, active=False)
    watch_state, report_state = gr.State(RunWatch()), gr.State(0)
    key_state, suggested_state = gr.State(""), gr.State("")

    run = [head_html, bar_html, outcome_html, loss_html, rate_html, cancel_btn, resume_btn]
    everything = [runs_html, worker_html, run_timer, new_btn, form_col, run_col, confirm_col, watch_state, log_html,
                  settings_html, *run]  # fmt: skip
    page.on_load(show_page, everything)
    chosen = page.on(runs_html.open, choose_run, [page.project_id], everything)
    chosen.then(fn=None, js="() => studio.reveal('run-pane')")
    page.on(head_html.close, close_pane, [page.project_id], everything)
    page.on(close_btn.click, close_pane, [page.project_id], everything)
    ticking = [runs_html, worker_html, run_timer, watch_state, log_html, *run]
    page.on(run_timer.tick, tick, [watch_state], ticking, problem=gr.State(None))

    page.on(cancel_btn.click, ask_cancel, [watch_state], [confirm_col, confirm_html])
    page.on(keep_btn.click, keep_running, None, [confirm_col])
    page.on(stop_btn.click, cancel, [page.project_id, watch_state], everything)
    page.on(resume_btn.click, resume, [page.project_id, watch_state], everything)

    offered = [runs_html, worker_html, new_btn, form_col, run_col, head_html, watch_state, key_state, suggested_state,
               *form.inputs[:3], report_html, report_state]  # fmt: skip
    page.on_load(open_linked_form, offered)
    begun = page.on(new_btn.click, open_form, [page.project_id, *form.inputs[:3]], offered)
    begun.then(fn=None, js="() => studio.reveal('form-pane')")
    naming = [form.version_dd, form.name_tb, suggested_state]
    page.on(form.version_dd.input, suggest_name, naming, [form.name_tb, suggested_state])
    filled = [page.project_id, key_state, *form.inputs]
    started = page.on(form.start_btn.click, start, filled, everything, problem=form.problem)
    started.then(fn=None, js="() => studio.reveal('run-pane')")
    reported = [worker_html, report_html, report_timer, report_state]
    page.on(form.check_btn.click, check_data, filled, reported, problem=form.problem)
    page.on(report_timer.tick, poll_report, [report_state], [report_html, report_timer])
