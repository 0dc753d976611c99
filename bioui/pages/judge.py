"""Judge: a model compares two models' answers and grades them; how far it agrees with people stands below."""

from dataclasses import dataclass, field, replace
from uuid import uuid4

import gradio as gr

from bioui import judged
from bioui.components import judge_form
from bioui.components.frame import page_frame
from bioui.components.job_panel import log_path, log_tail, read_log
from bioui.components.judge_check import judge_check
from bioui.components.judge_form import FIELDS, cost_words
from bioui.components.judge_form import judge_form as form_at
from bioui.components.judge_result import NO_HEAD, NO_RESULT, NO_ROW, judge_head, judge_result, judge_row
from bioui.components.notice import NO_NOTICE, notice
from bioui.components.progress import NO_PROGRESS, progress_bar
from bioui.components.run_control import run_control, run_handlers, wire_run_control
from bioui.components.spread import spread
from bioui.components.table import Trail, row_id, table
from bioui.components.view import View
from bioui.handling import actor_of, linked, needs
from bioui.runs import worker_notice
from bioui.watching import mark_of
from db import jobs, judge_runs
from db.enums import JobKind
from db.policy import Right
from db.session import Session, read, write
from db.settings import from_environment
from db.tables import Job

TITLE, PATH, RIGHT = "Judge", "/judge", Right.READ
SECTION = "Evaluate"
SENTENCE = (
    "A model compares answers in both orders and grades them by a rubric; what it says is set beside people."
)
TICK = 2.0  # seconds between two looks at a run


@dataclass(frozen=True)
class Opened:
    """What this reader's page holds: the page of rows and the row that is open, and the run's latest mark."""

    trail: Trail = field(default_factory=Trail)
    next_id: int | None = None  # behind which the next page begins
    row: int = 0  # as people count, 0 for none
    mark: tuple = ()


# data -------------------------------------------------------------------------------------------------


def screen(session: Session, project_id: int, job_id: int, opened: Opened = Opened()) -> tuple:
    """Everything about the runs, in the order of build()'s `shown`."""
    job = judged.find_run(session, project_id, job_id) if job_id else None
    listed = judged.runs_value(session, project_id, job_id)
    visible, hidden = gr.update(visible=bool(job)), gr.update(visible=False)
    if job is None:
        empty = (NO_HEAD, NO_PROGRESS, NO_NOTICE, NO_RESULT, gr.skip(), NO_ROW, gr.skip())
        at_rest = (gr.Timer(active=False), Opened())
        return listed, hidden, visible, hidden, *_buttons(None), *empty, *at_rest
    rows, now = _rows(session, job, opened)
    return (
        listed,
        hidden,
        visible,
        hidden if opened == Opened() else gr.skip(),  # a look in between leaves the question open
        *_buttons(job),
        judged.head_value(session, job),
        judged.bar_value(job),
        judged.outcome_value(job),
        judged.shown_result(session, job),
        rows,
        judged.open_row_value(session, job, opened.row - 1) if opened.row else NO_ROW,
        read_log(log_path(from_environment().jobs_dir, job.id)),
        gr.Timer(active=job.status.is_open or jobs.goes_on(job)),
        replace(now, mark=mark_of(job)),
    )


def _rows(session: Session, job: Job, opened: Opened) -> tuple[dict, Opened]:
    """The page of rows, and with it known where the next one begins."""
    value, next_id = judged.rows_page(session, job, opened.trail, open_row=opened.row or None)
    return value, replace(opened, next_id=next_id)


def _buttons(job: Job | None) -> tuple:
    """Cancel and resume, where the run can be."""
    is_open = job is not None and (job.status.is_open or jobs.goes_on(job))
    can_cancel = is_open and job.cancel_requested_at is None
    can_resume = job is not None and not is_open and job.status != "finished"
    return gr.update(visible=can_cancel), gr.update(visible=can_resume)


# handlers ---------------------------------------------------------------------------------------------


@needs(RIGHT)
def show_page(project_id: int, request: gr.Request):
    """The list; open is the run of ?job=, where there is such a one."""
    with read() as session:
        wanted = linked(request, "job")
        known = {job.id for job in jobs.list_jobs(session, project_id, JobKind.JUDGE)}
        may = actor_of(session, request).can(Right.EVALUATE)
        shown = screen(session, project_id, wanted if wanted in known else 0)
        return worker_notice(session), gr.update(visible=may), *shown


@needs(RIGHT)
def choose_run(project_id: int, event: gr.EventData, request: gr.Request):
    with read() as session:
        return screen(session, project_id, row_id(event))


@needs(RIGHT)
def close_pane(project_id: int, request: gr.Request):
    with read() as session:
        return screen(session, project_id, 0)


@needs(RIGHT)
def open_row(project_id: int, opened: Opened, event: gr.EventData, request: gr.Request):
    """One row with its answers and the judge's reasons."""
    with read() as session:
        job, now = _job(session, project_id, request), replace(opened, row=row_id(event))
        rows, now = _rows(session, job, now)
        return rows, judged.open_row_value(session, job, now.row - 1), now


@needs(RIGHT)
def turn_later(project_id: int, opened: Opened, request: gr.Request):
    return _turn(project_id, replace(opened, trail=opened.trail.older(opened.next_id)), request)


@needs(RIGHT)
def turn_earlier(project_id: int, opened: Opened, request: gr.Request):
    return _turn(project_id, replace(opened, trail=opened.trail.newer()), request)


def _turn(project_id: int, now: Opened, request: gr.Request) -> tuple:
    with read() as session:
        return _rows(session, _job(session, project_id, request), now)


@needs(RIGHT)
def tick(project_id: int, opened: Opened, request: gr.Request):
    """What has changed since the last look, nothing when nothing has."""
    with read() as session:
        if not linked(request, "job"):
            return (gr.skip(),) * SHOWN
        job = _job(session, project_id, request)
        if mark_of(job) == opened.mark:
            return (gr.skip(),) * SHOWN
        return screen(session, project_id, job.id, opened)


@needs(Right.EVALUATE)
def begin(project_id: int, request: gr.Request):
    """The form with a fresh key; ?evaluation= and ?against= choose those."""
    with read() as session:
        listed = judged.runs_value(session, project_id)
        chosen = judge_form.choices(session, project_id, linked(request, "evaluation"))
        return listed, gr.update(visible=True), gr.update(visible=False), uuid4().hex, *chosen


@needs(Right.EVALUATE)
def choose_answers(project_id: int, evaluation_id: int | None, request: gr.Request):
    """What these answers can be compared with."""
    with read() as session:
        return judge_form.choices(session, project_id, evaluation_id or 0)[1]


@needs(Right.EVALUATE)
@spread(*FIELDS)
def reckon(project_id: int, values: tuple, request: gr.Request):
    """What the run would cost at most; nothing while the form is not filled in."""
    given = dict(zip(FIELDS, values, strict=True))
    if not (given["evaluation_id"] and given["endpoint_id"]):
        return ""
    with read() as session:
        return cost_words(judge_runs.estimate(session, project_id, judge_form.spec_of(values)))


@needs(Right.EVALUATE)
@spread(*FIELDS)
def start(project_id: int, form_key: str, values: tuple, request: gr.Request):
    """Queue the run; the same form pressed twice queues one."""
    spec = judge_form.spec_of(values)
    with write() as session:
        key = judge_form.request_key(form_key or uuid4().hex, spec)
        actor = actor_of(session, request)
        name = judge_runs.name_for(session, spec)
        job = judge_runs.start(session, actor, project_id, spec, name=name, request_key=key)
        session.flush()
        return screen(session, project_id, job.id)


def _job(session: Session, project_id: int, request: gr.Request) -> Job:
    return judged.find_run(session, project_id, linked(request, "job"))


SHOWN = 15  # the outputs of `screen`


def _question(_session: Session, job: Job) -> str:
    return f"Stop {job.name}? Verdicts given so far are kept, and the run can be resumed from there."


def _shown(session: Session, project_id: int, job: Job, _request: gr.Request) -> tuple:
    return screen(session, project_id, job.id)


CONTROL = run_handlers(find=_job, question=_question, show=_shown)


# layout and wiring ------------------------------------------------------------------------------------


def build() -> None:
    page = page_frame(TITLE, SENTENCE)
    with page.actions:
        new_btn = gr.Button("Judge answers", variant="primary", visible=False, elem_id="new-judge-btn")
    worker_html = notice()
    with gr.Row(elem_classes="split"):
        with gr.Column(scale=2, min_width=260):
            runs_html = table("Judge runs", param="job", empty_value=judged.NO_RUNS)
        with gr.Column(
            scale=5, min_width=320, visible=False, elem_classes="pane", elem_id="form-pane"
        ) as form_col:
            with gr.Row(elem_classes="pane-head"):
                View("<h2>Judge answers</h2>")
                close_btn = gr.Button("Close", size="sm", elem_classes="quiet")
            form = form_at()
        with gr.Column(
            scale=5, min_width=320, visible=False, elem_classes="pane", elem_id="run-pane"
        ) as run_col:
            head_html = judge_head()
            bar_html, outcome_html = progress_bar(), notice()
            control = run_control()
            result_html = judge_result()
            rows_html, row_html = table("Judged rows", empty_value=judged.NO_ROWS), judge_row()
            log_html = log_tail()
    judge_check(page)
    timer, opened_state, key_state = gr.Timer(TICK, active=False), gr.State(Opened()), gr.State("")

    shown = [runs_html, form_col, run_col, control.confirm_col, *control.buttons, head_html, bar_html,
             outcome_html, result_html, rows_html, row_html, log_html, timer, opened_state]  # fmt: skip
    here, at = [page.project_id], [page.project_id, opened_state]
    page.on_load(show_page, [worker_html, new_btn, *shown])
    chosen = page.on(runs_html.open, choose_run, here, shown)
    page.on(head_html.close, close_pane, here, shown)
    page.on(close_btn.click, close_pane, here, shown)
    page.on(timer.tick, tick, at, shown, problem=gr.State(None))
    wire_run_control(page, control, CONTROL, shown)
    opened = page.on(rows_html.open, open_row, at, [rows_html, row_html, opened_state])
    page.on(rows_html.older, turn_later, at, [rows_html, opened_state])
    page.on(rows_html.newer, turn_earlier, at, [rows_html, opened_state])
    opened.then(fn=None, js="() => studio.reveal('judge-row')")

    begun = page.on(new_btn.click, begin, here, [runs_html, form_col, run_col, key_state, *form.choices])
    begun.then(fn=None, js="() => studio.reveal('form-pane')")
    picked = page.on(
        form.inputs[0].input, choose_answers, [*here, form.inputs[0]], form.inputs[1], problem=form.problem
    )
    asked = [*here, *form.inputs]
    for step in (begun.then, picked.then, *(each.change for each in form.inputs[1:5])):
        page.on(step, reckon, asked, form.cost, problem=form.problem, trigger_mode="always_last")
    started = page.on(
        form.start_btn.click, start, [*here, key_state, *form.inputs], shown, problem=form.problem,
        trigger_mode="once",
    )  # fmt: skip
    for step in (chosen, started):
        step.then(fn=None, js="() => studio.reveal('run-pane')")
