"""Batches: a file of prompts put to the same sides, their answers slice by slice, the facts they hold."""

from uuid import uuid4

import gradio as gr

from bioui import batching
from bioui.batching import ALL, NO_ANSWERS, NO_RUN, SHOWS, Look
from bioui.components import batch_form
from bioui.components.acknowledgement import acknowledgement, require_acknowledged
from bioui.components.batch_form import FIELDS, FILE, SOURCE
from bioui.components.batch_form import batch_form as form_at
from bioui.components.batch_rows import batch_rows
from bioui.components.batch_run import run_head, run_links
from bioui.components.batch_slices import batch_slices, chosen_slice
from bioui.components.frame import page_frame
from bioui.components.job_panel import log_tail
from bioui.components.notice import notice
from bioui.components.progress import progress_bar
from bioui.components.run_control import run_control
from bioui.components.sides_picker import default_sides, opened_values, wire_sides
from bioui.components.spread import spread
from bioui.components.table import row_id, table
from bioui.components.view import View
from bioui.handling import actor_of, linked, needs
from bioui.runs import worker_notice
from bioui.watching import mark_of
from db import batches, jobs
from db.enums import JobKind
from db.policy import Actor, Right
from db.session import Session, read, write
from db.tables import Job

TITLE, PATH, RIGHT = "Batches", "/batches", Right.COMPARE
SECTION = "Playground"
SENTENCE = "A file of prompts put to the same sides: the answers slice by slice, and the facts they hold."
TICK = 2.0  # seconds between two looks at a batch
SHOWN, WORDS_AT = 18, 15  # the outputs of `screen`, and the place of the search words among them


# data -----------------------------------------------------------------------------------------------------


def screen(session: Session, actor: Actor, project_id: int, job_id: int, look: Look = Look()) -> tuple:
    """Everything about the batches, in the order of build()'s `shown`."""
    job = batches.find(session, project_id, job_id) if job_id else None
    answers, now = batching.answers_values(session, actor, job, look) if job else (NO_ANSWERS, Look())
    return (
        batching.runs_value(session, project_id, job_id),
        gr.update(visible=False),
        gr.update(visible=job is not None),
        gr.update(visible=False),
        *(batching.run_values(session, actor, job) if job else NO_RUN),
        *answers,
        now.words,
        gr.Timer(active=_goes_on(job)),
        now,
    )


def _goes_on(job: Job | None) -> bool:
    return job is not None and (job.status.is_open or jobs.goes_on(job))


def _open(session: Session, project_id: int, request: gr.Request) -> Job:
    return batches.find(session, project_id, linked(request, "job"))


# handlers -------------------------------------------------------------------------------------------------


@needs(RIGHT)
def show_page(project_id: int, request: gr.Request):
    """The list; open is the batch of ?job=, where there is such a one."""
    with read() as session:
        wanted = linked(request, "job")
        known = {job.id for job in jobs.list_jobs(session, project_id, JobKind.COMPARE)}
        actor = actor_of(session, request)
        shown = screen(session, actor, project_id, wanted if wanted in known else 0)
        return worker_notice(session), *shown


@needs(RIGHT)
def choose_run(project_id: int, event: gr.EventData, request: gr.Request):
    with read() as session:
        return screen(session, actor_of(session, request), project_id, row_id(event))


@needs(RIGHT)
def close_pane(project_id: int, request: gr.Request):
    with read() as session:
        return screen(session, actor_of(session, request), project_id, 0)


@needs(RIGHT)
def tick(project_id: int, look: Look, request: gr.Request):
    """What has changed since the last look, nothing when nothing has."""
    with read() as session:
        if not linked(request, "job"):
            return (gr.skip(),) * SHOWN
        job, actor = _open(session, project_id, request), actor_of(session, request)
        if batching.wants_rows(session, job, look) or (mark_of(job) != look.mark and not _goes_on(job)):
            whole = list(screen(session, actor, project_id, job.id, look))
            whole[WORDS_AT] = gr.skip()  # somebody may be typing there
            return tuple(whole)
        if mark_of(job) == look.mark:
            return (gr.skip(),) * SHOWN
        run = batching.run_values(session, actor, job)
        return (
            batching.runs_value(session, project_id, job.id), *((gr.skip(),) * 3), *run,
            *((gr.skip(),) * 6), Look(**{**vars(look), "mark": mark_of(job)}),
        )  # fmt: skip


@needs(RIGHT)
def filter_rows(project_id: int, look: Look, slice: str, show: str, words: str, request: gr.Request):
    """The rows of a slice that are like this and hold these words."""
    return _rows(project_id, look.with_filter(slice, show, words), request)


@needs(RIGHT)
def choose_slice(project_id: int, look: Look, event: gr.EventData, request: gr.Request):
    return _rows(project_id, look.with_filter(chosen_slice(event), look.show, look.words), request)


@needs(RIGHT)
def turn_later(project_id: int, look: Look, request: gr.Request):
    return _rows(project_id, Look(**{**vars(look), "trail": look.trail.older(look.next_first)}), request)


@needs(RIGHT)
def turn_earlier(project_id: int, look: Look, request: gr.Request):
    return _rows(project_id, Look(**{**vars(look), "trail": look.trail.newer()}), request)


def _rows(project_id: int, look: Look, request: gr.Request) -> tuple:
    with read() as session:
        job, actor = _open(session, project_id, request), actor_of(session, request)
        answers, now = batching.answers_values(session, actor, job, look)
        return *answers, now


@needs(RIGHT)
def begin(project_id: int, request: gr.Request):
    """The form with a fresh key."""
    with read() as session:
        listed = batching.runs_value(session, project_id)
        sides = opened_values(session, project_id, default_sides(session, project_id))
        lists = batch_form.choices(session, project_id)
        return listed, gr.update(visible=True), gr.update(visible=False), uuid4().hex, *lists, *sides


@needs(RIGHT)
def choose_source(source: str, request: gr.Request):
    return batch_form.visible_parts(source)


@needs(RIGHT)
@spread(*SOURCE)
def preview(project_id: int, values: tuple, request: gr.Request):
    """What a start would store."""
    given = dict(zip(SOURCE, values, strict=True))
    with read() as session:
        return batch_form.preview_values(batch_form.found(session, project_id, given))


@needs(RIGHT)
@spread(*FIELDS)
def start(project_id: int, form_key: str, values: tuple, request: gr.Request):
    """Queue the batch; the same form pressed twice queues one."""
    given = dict(zip(FIELDS, values, strict=True))
    with write() as session:
        actor = actor_of(session, request)
        if given["source"] == FILE:  # what the shelf and frozen tasks hold was looked at when it came in
            require_acknowledged(session, request)
        job = batching.start(session, actor, project_id, form_key or uuid4().hex, given)
        session.flush()
        return screen(session, actor, project_id, job.id)


@needs(RIGHT)
def ask_cancel(project_id: int, request: gr.Request):
    with read() as session:
        job = _open(session, project_id, request)
        return gr.update(visible=True), {"text": batching.cancel_sentence(job)}


@needs(RIGHT)
def keep_running(request: gr.Request):
    return gr.update(visible=False)


@needs(RIGHT)
def cancel(project_id: int, look: Look, request: gr.Request):
    with write() as session:
        job, actor = _open(session, project_id, request), actor_of(session, request)
        jobs.request_cancel(session, actor, job.id)
        return screen(session, actor, project_id, job.id, look)


@needs(RIGHT)
def resume(project_id: int, look: Look, request: gr.Request):
    with write() as session:
        job, actor = _open(session, project_id, request), actor_of(session, request)
        jobs.requeue(session, actor, job.id)
        return screen(session, actor, project_id, job.id, look)


# layout and wiring ----------------------------------------------------------------------------------------


def build() -> None:
    page = page_frame(TITLE, SENTENCE)
    with page.actions:
        new_btn = gr.Button("New batch", variant="primary", elem_id="new-batch-btn")
    worker_html = notice()
    with gr.Row(elem_classes="split"):
        with gr.Column(scale=2, min_width=240):
            runs_html = table("Batches", param="job", empty_value=batching.NO_RUNS)
        with gr.Column(
            scale=6, min_width=320, visible=False, elem_classes="pane", elem_id="form-pane"
        ) as form_col:
            with gr.Row(elem_classes="pane-head"):
                View("<h2>New batch</h2>")
                close_btn = gr.Button("Close", size="sm", elem_classes="quiet")
            acknowledgement(page)
            form = form_at()
        with gr.Column(
            scale=6, min_width=320, visible=False, elem_classes="pane", elem_id="run-pane"
        ) as run_col:
            head_html, bar_html, outcome_html = run_head(), progress_bar(), notice()
            control = run_control("batch")
            links_html, slices_html = run_links(), batch_slices()
            with gr.Row(elem_classes="batch-filters"):
                slice_dd = gr.Dropdown([("All slices", ALL)], value=ALL, label="Slice", visible=False)
                show_dd = gr.Dropdown(
                    [(word, show.value) for show, word in SHOWS.items()], value="", label="Show"
                )
                words_tb = gr.Textbox(label="Words", placeholder="In prompts and answers", max_lines=1)
            rows_html, log_html = batch_rows(), log_tail()
    timer, look_state, key_state = gr.Timer(TICK, active=False), gr.State(Look()), gr.State("")

    answers = [slices_html, slice_dd, show_dd, rows_html]
    shown = [runs_html, form_col, run_col, control.confirm_col, head_html, bar_html, outcome_html, links_html,
             *control.buttons, log_html, *answers, words_tb, timer, look_state]  # fmt: skip
    here, at = [page.project_id], [page.project_id, look_state]
    page.on_load(show_page, [worker_html, *shown])
    chosen = page.on(runs_html.open, choose_run, here, shown)
    page.on(head_html.close, close_pane, here, shown)
    page.on(close_btn.click, close_pane, here, shown)
    page.on(timer.tick, tick, at, shown, problem=gr.State(None))
    page.on(control.cancel_btn.click, ask_cancel, here, [control.confirm_col, control.confirm_html])
    page.on(control.keep_btn.click, keep_running, None, control.confirm_col)
    page.on(control.stop_btn.click, cancel, at, shown, trigger_mode="once")
    page.on(control.resume_btn.click, resume, at, shown, trigger_mode="once")

    looked = [*answers, look_state]
    filters = [*at, slice_dd, show_dd, words_tb]
    for step in (slice_dd.input, show_dd.input, words_tb.submit):
        page.on(step, filter_rows, filters, looked)
    page.on(slices_html.slice, choose_slice, at, looked)
    page.on(rows_html.older, turn_later, at, looked)
    page.on(rows_html.newer, turn_earlier, at, looked)

    first = [runs_html, form_col, run_col, key_state, *form.choices, *form.picker.opened]
    begun = page.on(new_btn.click, begin, here, first)
    begun.then(fn=None, js="() => { studio.setParam('job', null); studio.reveal('form-pane'); }")
    wire_sides(page, form.picker)
    switched = page.on(form.source[0].input, choose_source, form.source[0], form.parts, problem=form.problem)
    told, looked_at = [*here, *form.source], [form.preview_html, form.checked_cb]
    for step in (switched.then, *(each.change for each in form.source[1:])):
        page.on(step, preview, told, looked_at, problem=form.problem, trigger_mode="always_last")
    started = page.on(
        form.start_btn.click, start, [*here, key_state, *form.inputs], shown, problem=form.problem,
        trigger_mode="once",
    )  # fmt: skip
    for step in (chosen, started):
        step.then(fn=None, js="() => studio.reveal('run-pane')")
