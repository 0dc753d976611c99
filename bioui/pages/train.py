"""Train: choose a base, a version and LoRA settings, start a run in the background, and watch it."""

from uuid import uuid4

import gradio as gr

from bioui.components.curves import curves
from bioui.components.data_report import NO_REPORT, data_report
from bioui.components.frame import page_frame
from bioui.components.job_panel import (
    NO_HEAD,
    NO_LOG,
    NO_SETTINGS,
    cancel_sentences,
    log_tail,
    run_head,
    settings_list,
)
from bioui.components.lora_form import base_choices, lora_form, suggested_name, version_choices
from bioui.components.notice import NO_NOTICE, notice
from bioui.components.progress import NO_PROGRESS, progress_bar
from bioui.components.table import row_id, table
from bioui.components.view import View
from bioui.handling import actor_of, needs, project_of
from bioui.runs import (
    EMPTY,
    any_open,
    can_cancel,
    can_resume,
    enqueue,
    get_run,
    log_of,
    look,
    panel_values,
    report_of,
    runs_value,
    settings_of,
    worker_notice,
)
from bioui.watching import RunWatch
from db import jobs
from db.enums import JobKind
from db.policy import Right
from db.session import Session, read, write

TITLE = "Train"
PATH = "/train"
RIGHT = Right.TRAIN

TICK = 2.0  # seconds between two looks at a run
FORM_OPEN = -1  # in place of the id of the open run
CONFIRM = "<p>{{value.text}}</p>"


# Handlers: the list and an open run ---------------------------------------------------------------------


@needs(RIGHT)
def show_page(project_id: int, request: gr.Request):
    """The run of ?job=, else the list."""
    with read() as session:
        return open_run(session, project_id, _linked(request, "job"))


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
    job = get_run(session, project_id, job_id) if job_id else None
    listed = runs_value(session, project_id, open_id=job_id)
    watch = look(session, RunWatch(), job, listed)
    frame = (
        listed,
        worker_notice(session),
        gr.Timer(active=any_open(session, project_id)),
        gr.Button(visible=True),
        gr.Column(visible=False),
        gr.Column(visible=job is not None),
        gr.Column(visible=False),
        watch,
    )
    if job is None:
        return (*frame, NO_LOG, NO_SETTINGS, NO_HEAD, NO_PROGRESS, NO_NOTICE, *(gr.skip(),) * 4)
    return (*frame, log_of(job.id), settings_of(session, job), *_run(session, job, watch))


@needs(RIGHT)
def tick(watch: RunWatch, request: gr.Request):
    """What has changed since the last look, nothing when nothing has.

    The address says which run is open, so a page that outlived a restart of the studio goes on.
    """
    wanted = _linked(request, "job")
    with read() as session:
        project_id = project_of(session, request).id
        job = get_run(session, project_id, wanted) if wanted else None
        listed = runs_value(session, project_id, open_id=wanted)
        fresh, unchanged = look(session, watch, job, listed), (gr.skip(),) * 7
        if fresh == watch:  # once all is closed and the last log line is read, there is nothing to wait for
            if any_open(session, project_id):
                return gr.skip()
            return gr.skip(), worker_notice(session), gr.Timer(active=False), fresh, gr.skip(), *unchanged
        log = log_of(job.id) if job and fresh.log_mark != watch.log_mark else gr.skip()
        shown = _run(session, job, fresh) if job else unchanged
        return listed, worker_notice(session), gr.Timer(active=True), fresh, log, *shown


def _run(session: Session, job, watch: RunWatch) -> tuple:
    """What build()'s `run` shows."""
    cancel_btn, resume_btn = gr.Button(visible=can_cancel(job)), gr.Button(visible=can_resume(job))
    return (*panel_values(session, job, watch), cancel_btn, resume_btn)


def _linked(request: gr.Request, name: str) -> int:
    """The number that the address names, 0 for none."""
    given = request.query_params.get(name, "")
    return int(given) if given.isdigit() else 0


# Handlers: cancel and resume ----------------------------------------------------------------------------


@needs(Right.TRAIN)
def ask_cancel(project_id: int, request: gr.Request):
    with read() as session:
        job = get_run(session, project_id, _linked(request, "job"))
        return gr.Column(visible=True), {"text": cancel_sentences(job)}


@needs(Right.TRAIN)
def keep_running(request: gr.Request):
    return gr.Column(visible=False)


@needs(Right.TRAIN)
def cancel(project_id: int, request: gr.Request):
    with write() as session:
        job = get_run(session, project_id, _linked(request, "job"))
        jobs.request_cancel(session, actor_of(session, request), job.id)
        return open_run(session, project_id, job.id)


@needs(Right.TRAIN)
def resume(project_id: int, request: gr.Request):
    with write() as session:
        job = get_run(session, project_id, _linked(request, "job"))
        jobs.requeue(session, actor_of(session, request), job.id)
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
    wanted = _linked(request, "version")
    if not wanted or _linked(request, "job"):
        return (gr.skip(),) * 14
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
    panes = [new_btn, form_col, run_col, confirm_col]
    everything = [runs_html, worker_html, run_timer, *panes, watch_state, log_html, settings_html, *run]
    shown = page.on_load(show_page, everything)
    chosen = page.on(runs_html.open, choose_run, [page.project_id], everything)
    chosen.then(fn=None, js="() => studio.reveal('run-pane')")
    page.on(head_html.close, close_pane, [page.project_id], everything)
    page.on(close_btn.click, close_pane, [page.project_id], everything)
    ticking = [runs_html, worker_html, run_timer, watch_state, log_html, *run]
    page.on(run_timer.tick, tick, [watch_state], ticking, problem=gr.State(None))

    page.on(cancel_btn.click, ask_cancel, [page.project_id], [confirm_col, confirm_html])
    page.on(keep_btn.click, keep_running, None, [confirm_col])
    page.on(stop_btn.click, cancel, [page.project_id], everything)
    page.on(resume_btn.click, resume, [page.project_id], everything)

    subject = form.inputs[:3]
    offered = [runs_html, worker_html, new_btn, form_col, run_col, head_html, watch_state]
    offered += [key_state, suggested_state, *subject, report_html, report_state]
    page.on(shown.then, open_linked_form, [page.project_id], offered)
    begun = page.on(new_btn.click, open_form, [page.project_id, *subject], offered)
    begun.then(fn=None, js="() => studio.reveal('form-pane')")
    naming = [form.version_dd, form.name_tb, suggested_state]
    page.on(form.version_dd.input, suggest_name, naming, [form.name_tb, suggested_state])
    filled = [page.project_id, key_state, *form.inputs]
    started = page.on(form.start_btn.click, start, filled, everything, problem=form.problem)
    started.then(fn=None, js="() => studio.reveal('run-pane')")
    reported = [worker_html, report_html, report_timer, report_state]
    page.on(form.check_btn.click, check_data, filled, reported, problem=form.problem)
    page.on(report_timer.tick, poll_report, [report_state], [report_html, report_timer])
