"""Convert: annotated corpora become instructions, looked at before, watched meanwhile, taken back whole.

The form and the composition are components of their own; this file has the list and an open conversion.
"""

import gradio as gr

from bioui.components.composition_tab import composition_tab
from bioui.components.convert_draft import Draft
from bioui.components.convert_form import convert_form, emptied
from bioui.components.convert_panel import (
    RUN,
    Watch,
    any_open,
    find_run,
    linked_conversion,
    list_value,
    look,
    run_values,
    start_conversion,
)
from bioui.components.convert_run import (
    EMPTY,
    FAULTS,
    NO_HEAD,
    faults_value,
    run_head,
    run_tally,
    take_back_words,
)
from bioui.components.empty import empty_state
from bioui.components.fold import fold
from bioui.components.frame import Page, page_frame
from bioui.components.job_panel import log_tail
from bioui.components.notice import notice
from bioui.components.progress import NO_PROGRESS, progress_bar, progress_value
from bioui.components.table import Trail, row_id, table
from bioui.components.view import View
from bioui.handling import actor_of, linked, needs, project_of
from bioui.runs import worker_notice
from bioui.work import Work
from db import conversion_figures, conversion_undo, jobs
from db.policy import Right
from db.session import Session, read, write

TITLE, PATH, RIGHT = "Convert", "/convert", Right.RUN_FACTORY
SECTION = "Factory"
SENTENCE = "Turn annotated corpora into instructions; look at what each row becomes before it is stored."
TICK = 2.0  # seconds between two looks at a conversion
TABS = ("runs", "composition")
PANES = 5  # of what `open_run` gives: the button, the list, the form, the conversion, the question
WORDS = "<p>{{value.text}}</p>"


# Handlers: the list and an open conversion ------------------------------------------------------------


@needs(RIGHT)
def show_page(project_id: int, request: gr.Request):
    """The conversion of ?run=, else the list; whoever was quicker with the form keeps it open."""
    job_id = linked(request, "run")
    with read() as session:
        shown = open_run(session, project_id, job_id, Trail())
    if job_id:
        return shown
    return *shown[:3], *(gr.skip(),) * PANES, *shown[3 + PANES :]


@needs(RIGHT)
def choose_run(project_id: int, trail: Trail, event: gr.EventData, request: gr.Request):
    with read() as session:
        return open_run(session, project_id, row_id(event), trail)


@needs(RIGHT)
def close_pane(project_id: int, trail: Trail, request: gr.Request):
    with read() as session:
        return open_run(session, project_id, 0, trail)


@needs(RIGHT)
def older_runs(project_id: int, trail: Trail, request: gr.Request):
    with read() as session:
        page = conversion_figures.list_runs(session, project_id, before=trail.before_id)
        trail = trail.older(page.next_before)
        return list_value(session, project_id, trail, open_id=linked(request, "run")), trail


@needs(RIGHT)
def newer_runs(project_id: int, trail: Trail, request: gr.Request):
    trail = trail.newer()
    with read() as session:
        return list_value(session, project_id, trail, open_id=linked(request, "run")), trail


@needs(RIGHT)
def older_faults(project_id: int, trail: Trail, request: gr.Request):
    return _faults(project_id, trail.older(int(trail.before_id or 0) + FAULTS), request)


@needs(RIGHT)
def newer_faults(project_id: int, trail: Trail, request: gr.Request):
    return _faults(project_id, trail.newer(), request)


def _faults(project_id: int, trail: Trail, request: gr.Request) -> tuple[dict, Trail]:
    with read() as session:
        _, found = linked_conversion(session, project_id, request)
        return faults_value(found, trail), trail


def open_run(session: Session, project_id: int, job_id: int, trail: Trail) -> tuple:
    """The list with that conversion beside it (0: the list alone), in the order of build()'s `everything`."""
    job = find_run(session, project_id, job_id) if job_id else None
    listed = list_value(session, project_id, trail, open_id=job_id)
    shut = gr.Column(visible=False)
    return (
        listed,
        worker_notice(session),
        gr.Timer(active=any_open(session, project_id)),
        gr.Button(visible=True),
        gr.Column(visible=True),
        shut,
        gr.Column(visible=job is not None),
        shut,
        look(session, job, listed),
        trail,
        Trail(),
        *run_values(session, job, Trail()),
    )


@needs(RIGHT)
def tick(watch: Watch, trail: Trail, faults: Trail, request: gr.Request):
    """What has changed since the last look, nothing when nothing has."""
    wanted = linked(request, "run")
    with read() as session:
        project_id = project_of(session, request).id
        job = find_run(session, project_id, wanted) if wanted else None
        listed = list_value(session, project_id, trail, open_id=wanted)
        fresh = look(session, job, listed)
        if fresh == watch:
            if any_open(session, project_id):
                return gr.skip()
            return gr.skip(), worker_notice(session), gr.Timer(active=False), fresh, *(gr.skip(),) * len(RUN)
        shown = run_values(session, job, faults) if job else (gr.skip(),) * len(RUN)
        return listed, worker_notice(session), gr.Timer(active=True), fresh, *shown


# Handlers: start, cancel, resume, take back -------------------------------------------------------------


@needs(RIGHT)
def open_form(project_id: int, trail: Trail, request: gr.Request):
    """The form in place of the list; what was put together before stays."""
    with read() as session:
        shut = gr.Column(visible=False)
        return worker_notice(session), gr.Button(visible=False), shut, gr.Column(visible=True), shut, NO_HEAD


@needs(RIGHT)
def start(project_id: int, key: str, draft: Draft, name: str, privacy: bool, request: gr.Request):
    with write() as session:
        job, is_new = start_conversion(
            session,
            actor_of(session, request),
            project_id,
            key or "",
            draft or Draft(),
            name or "",
            bool(privacy),
        )
        if not is_new:
            gr.Info("This conversion was started already; here it is.")
        return *open_run(session, project_id, job.id, Trail()), *emptied()


@needs(RIGHT)
def cancel(project_id: int, trail: Trail, request: gr.Request):
    with write() as session:
        job = find_run(session, project_id, linked(request, "run"))
        jobs.request_cancel(session, actor_of(session, request), job.id)
        session.flush()
        return open_run(session, project_id, job.id, trail)


@needs(RIGHT)
def resume(project_id: int, trail: Trail, request: gr.Request):
    with write() as session:
        job = find_run(session, project_id, linked(request, "run"))
        jobs.requeue(session, actor_of(session, request), job.id)
        session.flush()
        return open_run(session, project_id, job.id, trail)


@needs(RIGHT)
def ask_take_back(project_id: int, request: gr.Request):
    """What would go, before anything does."""
    with read() as session:
        job, found = linked_conversion(session, project_id, request)
        touched = conversion_undo.count_touched(session, found.id)
        text = take_back_words(job.name, conversion_figures.count_rows(session, found.id), touched)
        return gr.Column(visible=True), {"text": text}, gr.Button(visible=not touched)


@needs(RIGHT)
def keep(request: gr.Request):
    return gr.Column(visible=False)


@needs(RIGHT)
def take_back(project_id: int, trail: Trail, request: gr.Request):
    """Delete its records in parts, so that others can write in between."""
    with read() as session:
        job, found = linked_conversion(session, project_id, request)
        job_id, conversion_id = job.id, found.id
        rows = conversion_figures.count_rows(session, found.id)
    same = (gr.skip(),) * EVERYTHING
    yield progress_value("taking back", 0, rows, unit="records"), *same
    work = Work(lambda report: _take_back(conversion_id, rows, request, report))
    for done in work.watch():
        yield progress_value("taking back", done, rows, unit="records", seconds=work.seconds), *same
    yield NO_PROGRESS, *same
    work.result()
    with read() as session:
        yield NO_PROGRESS, *open_run(session, project_id, job_id, trail)


def _take_back(conversion_id: int, rows: int, request: gr.Request, report) -> None:
    left = rows
    while left:
        with write() as session:
            left = conversion_undo.take_back(session, actor_of(session, request), conversion_id)
        report(rows - left)


# Layout and wiring --------------------------------------------------------------------------------------

EVERYTHING = 11 + len(RUN)


def build() -> None:
    page = page_frame(TITLE, SENTENCE)
    with page.actions:
        new_btn = gr.Button("New conversion", variant="primary", elem_id="new-conversion-btn")
    with gr.Tabs(elem_classes="review-tabs convert-tabs"):
        with gr.Tab("Conversions", id="runs") as runs_tab:
            loaded = _build_runs(page, new_btn)
        with gr.Tab("Composition", id="composition") as composition:
            composition_tab(page, composition)
    loaded.then(fn=None, js="() => studio.openTab()")
    for name, tab in zip(TABS, (runs_tab, composition), strict=True):
        shown = "null" if name == TABS[0] else f"'{name}'"
        tab.select(fn=None, js=f"() => studio.setParam('tab', {shown})")


def _build_runs(page: Page, new_btn: gr.Button):
    """Lay the tab out and wire it; the step that fills it when the page loads."""
    worker_html = notice()
    taking_html = progress_bar()
    with gr.Column(visible=False, elem_id="form-pane", elem_classes="convert-form") as form_col:
        form = convert_form(page)
    with gr.Row(elem_classes="split convert-split"):
        with gr.Column(scale=2, min_width=260) as list_col:
            runs_html = table("Conversions", param="run", empty_value=EMPTY)
        with gr.Column(
            scale=5, min_width=320, visible=False, elem_classes="pane", elem_id="run-pane"
        ) as run_col:
            head_html, bar_html, outcome_html = run_head(), progress_bar(), notice()
            with gr.Row(elem_classes="actions"):
                cancel_btn = gr.Button("Cancel", elem_id="cancel-btn", visible=False)
                resume_btn = gr.Button("Resume", elem_id="resume-btn", visible=False)
                back_btn = gr.Button("Take back", elem_id="take-back-btn", visible=False)
            with gr.Column(visible=False, elem_classes="confirm") as back_col:
                back_html = View(WORDS, {"text": ""})
                with gr.Row(elem_classes="actions"):
                    sure_btn = gr.Button("Delete them", variant="stop", size="sm", elem_id="sure-btn")
                    keep_btn = gr.Button("Keep them", size="sm")
            tally_html = run_tally()
            with fold("Faults"):
                faults_html = table("Rows that became no instruction", empty_value=empty_state("", ""))
            with fold("Log"):
                log_html = log_tail()
    timer = gr.Timer(TICK, active=False)
    watch_state, trail_state, faults_state = gr.State(Watch()), gr.State(Trail()), gr.State(Trail())
    panes = [new_btn, list_col, form_col, run_col, back_col]
    frame = [runs_html, worker_html, timer, *panes, watch_state, trail_state, faults_state]
    run = [
        head_html,
        bar_html,
        outcome_html,
        tally_html,
        faults_html,
        log_html,
        cancel_btn,
        resume_btn,
        back_btn,
    ]
    everything = [*frame, *run]
    here = [page.project_id, trail_state]
    loaded = page.on_load(show_page, everything)
    chosen = page.on(runs_html.open, choose_run, here, everything)
    page.on(runs_html.older, older_runs, here, [runs_html, trail_state])
    page.on(runs_html.newer, newer_runs, here, [runs_html, trail_state])
    paged = [page.project_id, faults_state]
    page.on(faults_html.older, older_faults, paged, [faults_html, faults_state])
    page.on(faults_html.newer, newer_faults, paged, [faults_html, faults_state])
    page.on(head_html.close, close_pane, here, everything)
    page.on(form.close_btn.click, close_pane, here, everything)
    page.on(
        timer.tick, tick, [watch_state, trail_state, faults_state],
        [runs_html, worker_html, timer, watch_state, *run], problem=gr.State(None),
    )  # fmt: skip
    page.on(new_btn.click, open_form, here, [worker_html, new_btn, list_col, form_col, run_col, head_html])
    page.on(cancel_btn.click, cancel, here, everything, trigger_mode="once")
    page.on(resume_btn.click, resume, here, everything, trigger_mode="once")
    page.on(back_btn.click, ask_take_back, [page.project_id], [back_col, back_html, sure_btn])
    page.on(keep_btn.click, keep, None, back_col)
    page.on(sure_btn.click, take_back, here, [taking_html, *everything], trigger_mode="once")
    started = page.on(
        form.start_btn.click, start,
        [page.project_id, form.key, form.draft, form.name, form.privacy], [*everything, *form.outputs],
        problem=form.problem, trigger_mode="once",
    )  # fmt: skip
    for step in (chosen, started):
        step.then(fn=None, js="() => studio.reveal('run-pane')")
    return loaded
