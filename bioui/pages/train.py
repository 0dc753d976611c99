"""Train: choose a base, a version and settings, start runs in the background, watch and compare them."""

import gradio as gr

from bioui.components import train_start
from bioui.components.curves import curves
from bioui.components.data_report import data_report
from bioui.components.film_strip import film_strip
from bioui.components.frame import Page, page_frame
from bioui.components.job_panel import NO_HEAD, cancel_sentences, log_tail, run_head, settings_list
from bioui.components.notice import notice
from bioui.components.progress import progress_bar
from bioui.components.run_alerts import run_alerts
from bioui.components.run_compare import chart_value, compare_pane, head_value, table_value
from bioui.components.run_list import moved_run, picked_runs, run_list
from bioui.components.table import row_id
from bioui.components.train_form import train_form
from bioui.components.train_panes import RUN_VIEWS, linked_many, open_run, run_values
from bioui.components.view import View
from bioui.handling import actor_of, linked, needs, project_of
from bioui.runs import (
    COMPARISON_OPEN,
    EMPTY,
    any_open,
    get_run,
    log_of,
    look,
    move,
    runs_value,
    worker_notice,
)
from bioui.watching import RunWatch
from db import jobs
from db.enums import StopMode
from db.policy import Right
from db.session import Session, read, write

TITLE = "Train"
PATH = "/train"
RIGHT = Right.TRAIN

TICK = 2.0  # seconds between two looks at a run
CONFIRM = "<p>{{value.text}}</p>"


# Handlers: the list and an open run ---------------------------------------------------------------------


@needs(RIGHT)
def show_page(project_id: int, request: gr.Request):
    """The run of ?job=, else the list."""
    with read() as session:
        return open_run(session, project_id, linked(request, "job"))


@needs(RIGHT)
def choose_run(project_id: int, event: gr.EventData, request: gr.Request):
    with read() as session:
        return open_run(session, project_id, row_id(event))


@needs(RIGHT)
def close_pane(project_id: int, request: gr.Request):
    with read() as session:
        return open_run(session, project_id, 0)


@needs(RIGHT)
def tick(watch: RunWatch, request: gr.Request):
    """What has changed since the last look, nothing when nothing has.

    The address says which run is open, so a page that outlived a restart of the studio goes on.
    """
    wanted = linked(request, "job")
    with read() as session:
        project_id = project_of(session, request).id
        job = get_run(session, project_id, wanted) if wanted else None
        listed = runs_value(session, project_id, open_id=wanted or watch.beside)
        fresh, unchanged = look(session, watch, job, listed), (gr.skip(),) * RUN_VIEWS
        if fresh == watch:  # once all is closed and the last log line is read, there is nothing to wait for
            if any_open(session, project_id):
                return gr.skip()
            return gr.skip(), worker_notice(session), gr.Timer(active=False), fresh, gr.skip(), *unchanged
        log = log_of(job.id) if job and fresh.log_mark != watch.log_mark else gr.skip()
        shown = run_values(session, job, fresh) if job else unchanged
        return listed, worker_notice(session), gr.Timer(active=True), fresh, log, *shown


@needs(Right.TRAIN)
def move_run(project_id: int, watch: RunWatch, event: gr.EventData, request: gr.Request):
    """Let a waiting run go earlier or later; what is open stays open."""
    job_id, earlier = moved_run(event)
    with write() as session:
        job = get_run(session, project_id, job_id)
        move(session, actor_of(session, request), job, earlier=earlier)
        session.flush()
        return runs_value(session, project_id, open_id=linked(request, "job") or watch.beside)


# Handlers: an open run ----------------------------------------------------------------------------------


@needs(Right.TRAIN)
def ask_cancel(project_id: int, request: gr.Request):
    with read() as session:
        job = get_run(session, project_id, linked(request, "job"))
        return gr.Column(visible=True), {"text": cancel_sentences(job)}


@needs(Right.TRAIN)
def keep_running(request: gr.Request):
    return gr.Column(visible=False)


@needs(Right.TRAIN)
def cancel(project_id: int, request: gr.Request):
    return _stop(project_id, request, StopMode.SAVE)


@needs(Right.TRAIN)
def discard(project_id: int, request: gr.Request):
    return _stop(project_id, request, StopMode.DISCARD)


def _stop(project_id: int, request: gr.Request, mode: StopMode) -> tuple:
    with write() as session:
        job = get_run(session, project_id, linked(request, "job"))
        jobs.request_cancel(session, actor_of(session, request), job.id, mode)
        return open_run(session, project_id, job.id)


@needs(Right.TRAIN)
def resume(project_id: int, request: gr.Request):
    with write() as session:
        job = get_run(session, project_id, linked(request, "job"))
        jobs.requeue(session, actor_of(session, request), job.id)
        return open_run(session, project_id, job.id)


@needs(Right.TRAIN)
def save_note(project_id: int, note: str, request: gr.Request):
    with write() as session:
        job = get_run(session, project_id, linked(request, "job"))
        if (note or "").strip() != job.note:
            jobs.set_note(session, actor_of(session, request), job.id, note or "")
        return job.note


# Handlers: runs side by side ----------------------------------------------------------------------------


@needs(RIGHT)
def compare(project_id: int, metric: str, smoothing: float, event: gr.EventData, request: gr.Request):
    with read() as session:
        return _compared(session, project_id, picked_runs(event), metric, smoothing)


@needs(RIGHT)
def compare_linked(project_id: int, metric: str, smoothing: float, request: gr.Request):
    """The runs of ?compare=3,4; nothing without them."""
    ids = linked_many(request, "compare")
    if len(ids) < 2 or linked(request, "job"):
        return (gr.skip(),) * 9
    with read() as session:
        return _compared(session, project_id, ids, metric, smoothing)


@needs(RIGHT)
def redraw(project_id: int, metric: str, smoothing: float, request: gr.Request):
    with read() as session:
        runs = [get_run(session, project_id, id) for id in linked_many(request, "compare")]
        return chart_value(session, runs, metric, smoothing)


def _compared(session: Session, project_id: int, ids: list[int], metric: str, smoothing: float) -> tuple:
    runs = [get_run(session, project_id, id) for id in ids]
    return (
        runs_value(session, project_id, open_id=COMPARISON_OPEN),
        gr.Column(visible=False),
        gr.Column(visible=False),
        gr.Column(visible=True),
        NO_HEAD,
        head_value(runs),
        chart_value(session, runs, metric, smoothing),
        table_value(session, runs),
        RunWatch(beside=COMPARISON_OPEN),
    )


# Layout and wiring --------------------------------------------------------------------------------------


def build() -> None:
    page = page_frame(TITLE, "Tune a model on a frozen version in the background, and watch its loss fall.")
    with page.actions:
        new_btn = gr.Button("New run", variant="primary")
    worker_html = notice()
    with gr.Row(elem_classes="split"):
        with gr.Column(scale=2, min_width=260):
            runs_html = run_list(EMPTY)
        with gr.Column(
            scale=5, min_width=320, visible=False, elem_classes="pane", elem_id="form-pane"
        ) as form_col:
            with gr.Row(elem_classes="pane-head"):
                View("<h2>New run</h2>")
                close_btn = gr.Button("Close", size="sm", elem_classes="quiet")
            form = train_form()
            report_html = data_report()
        with gr.Column(
            scale=5, min_width=320, visible=False, elem_classes="pane", elem_id="compare-pane"
        ) as compare_col:
            comparing = compare_pane()
        with gr.Column(
            scale=5, min_width=320, visible=False, elem_classes="pane", elem_id="run-pane"
        ) as run_col:
            head_html = run_head()
            bar_html = progress_bar()
            outcome_html = notice()
            alerts_html = run_alerts()
            with gr.Row(elem_classes="actions"):
                cancel_btn = gr.Button("Cancel run", size="sm", visible=False)
                resume_btn = gr.Button("Resume", visible=False)
            with gr.Column(visible=False, elem_classes="confirm") as confirm_col:
                confirm_html = View(CONFIRM, {"text": ""})
                with gr.Row(elem_classes="actions"):
                    stop_btn = gr.Button("Stop and save", variant="stop", size="sm")
                    discard_btn = gr.Button("Stop and discard", size="sm")
                    keep_btn = gr.Button("Keep running", size="sm")
            loss_html = curves()
            with gr.Row(elem_classes="charts small-charts"):
                small = [curves() for _ in range(4)]
            film_html = film_strip()
            note_tb = gr.Textbox(
                label="Note",
                info="What this run was for, and what it showed. Saved when you leave the field.",
                lines=2,
                elem_id="field-note",
            )
            log_html = log_tail()
            settings_html = settings_list()
    run_timer, watch_state = gr.Timer(TICK, active=False), gr.State(RunWatch())

    run = [head_html, bar_html, outcome_html, alerts_html, loss_html, *small, film_html]
    run += [cancel_btn, resume_btn]
    panes = [new_btn, form_col, run_col, confirm_col, compare_col, comparing.head_html]
    everything = [
        runs_html,
        worker_html,
        run_timer,
        *panes,
        watch_state,
        log_html,
        settings_html,
        note_tb,
        *run,
    ]
    shown = page.on_load(show_page, everything)
    chosen = page.on(runs_html.open, choose_run, [page.project_id], everything)
    chosen.then(fn=None, js="() => studio.reveal('run-pane')")
    page.on(runs_html.move, move_run, [page.project_id, watch_state], [runs_html])
    page.on(head_html.close, close_pane, [page.project_id], everything)
    page.on(close_btn.click, close_pane, [page.project_id], everything)
    ticking = [runs_html, worker_html, run_timer, watch_state, log_html, *run]
    page.on(run_timer.tick, tick, [watch_state], ticking, problem=gr.State(None))

    page.on(cancel_btn.click, ask_cancel, [page.project_id], [confirm_col, confirm_html])
    page.on(keep_btn.click, keep_running, None, [confirm_col])
    page.on(stop_btn.click, cancel, [page.project_id], everything)
    page.on(discard_btn.click, discard, [page.project_id], everything)
    page.on(resume_btn.click, resume, [page.project_id], everything)
    page.on(note_tb.blur, save_note, [page.project_id, note_tb], [note_tb])

    beside = [runs_html, form_col, run_col, compare_col, head_html]
    _wire_comparison(page, comparing, runs_html, shown, beside, watch_state, everything)
    offered = [runs_html, worker_html, new_btn, form_col, run_col, compare_col]
    offered += [head_html, comparing.head_html, watch_state]
    train_start.wire(page, form, report_html, worker_html, shown, new_btn, offered, everything)


def _wire_comparison(page: Page, comparing, runs_html, shown, beside, watch_state, everything) -> None:
    at = [page.project_id, comparing.metric_dd, comparing.smoothing_slider]
    outputs = [*beside, comparing.head_html, comparing.chart_html, comparing.table_html, watch_state]
    begun = page.on(runs_html.compare, compare, at, outputs)
    begun.then(fn=None, js="() => studio.reveal('compare-pane')")
    page.on(shown.then, compare_linked, at, outputs)
    page.on(comparing.metric_dd.input, redraw, at, [comparing.chart_html])
    page.on(comparing.smoothing_slider.release, redraw, at, [comparing.chart_html])
    page.on(comparing.head_html.close, close_pane, [page.project_id], everything)
