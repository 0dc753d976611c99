"""Encoders: BioBERT and its kin, tuned on frozen tasks and scored beside the language models."""

from uuid import uuid4

import gradio as gr

from bioui import encoder_runs
from bioui.components.curves import curves
from bioui.components.encoder_form import (
    FIELDS,
    STAND_IN_NOTE,
    encoder_form,
    scored_choices,
    settings_for,
    spec_of,
    train_choices,
)
from bioui.components.encoder_run import (
    NO_HEAD,
    NO_LOOK,
    NO_LOSS,
    encoder_head,
    encoder_scores,
    encoder_settings,
)
from bioui.components.frame import page_frame
from bioui.components.job_panel import log_tail
from bioui.components.notice import notice, notice_value
from bioui.components.progress import progress_bar
from bioui.components.run_control import run_control, run_handlers, wire_run_control
from bioui.components.spread import spread
from bioui.components.table import row_id, table
from bioui.components.train_form import request_key
from bioui.components.view import View
from bioui.encoder_runs import FORM_OPEN, find_run, log_of, open_run, run_values
from bioui.handling import actor_of, linked, needs, project_of
from bioui.runs import worker_notice
from bioui.watching import RunWatch
from db import encoders
from db.encoder_spec import STAND_IN
from db.enums import JobKind
from db.policy import Right
from db.session import Session, read, write
from db.tables import Job

TITLE, PATH, RIGHT = "Encoders", "/encoders", Right.READ
SECTION = "Evaluate"  # the pages of one section stand together under one name in the bar
SENTENCE = "Tune BioBERT and its kin on a frozen task: the baselines beside the language models."
TICK = 2.0  # seconds between two looks at a run
RUN = 9  # what `run_values` gives


# Handlers: the list and an open run ---------------------------------------------------------------------


@needs(RIGHT)
def show_page(project_id: int, request: gr.Request):
    """The run of ?job=, or the one that made ?encoder=, else the list alone."""
    with read() as session:
        job_id = linked(request, "job") or encoder_runs.linked_encoder(session, project_id, request)
        return open_run(session, project_id, job_id)


@needs(RIGHT)
def show_tools(project_id: int, request: gr.Request):
    """What only those who evaluate may use."""
    with read() as session:
        return gr.Button(visible=actor_of(session, request).can(Right.EVALUATE))


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
    """What has changed since the last look, nothing when nothing has; the address says which run is open."""
    wanted = linked(request, "job")
    with read() as session:
        project_id = project_of(session, request).id
        job = find_run(session, project_id, wanted) if wanted else None
        beside = wanted or watch.beside
        listed = encoder_runs.list_value(session, project_id, open_id=beside)
        fresh = encoder_runs.look(session, watch, job, listed)
        is_open = encoder_runs.any_open(session, project_id)
        if fresh == watch:
            if is_open:
                return gr.skip()
            return gr.skip(), gr.skip(), gr.Timer(active=False), fresh, gr.skip(), *(gr.skip(),) * RUN
        log = log_of(job.id) if job and fresh.log_mark != watch.log_mark else gr.skip()
        shown = run_values(session, job, fresh) if job else (gr.skip(),) * RUN
        return listed, worker_notice(session), gr.Timer(active=True), fresh, log, *shown


def _linked(session: Session, project_id: int, request: gr.Request) -> Job:
    return find_run(session, project_id, linked(request, "job"))


# Handlers: the form -------------------------------------------------------------------------------------


@needs(Right.EVALUATE)
def open_form(project_id: int, train_id: int | None, request: gr.Request):
    """The form with a fresh key; what was chosen before stays."""
    with read() as session:
        found = encoders.list_tasks(session, project_id)
        offered = train_choices(found)
        known = train_id if train_id in {id for _, id in offered} else None
        lacks = notice_value(
            "No frozen task that an encoder can answer yet",
            "Freeze the train rows and the test rows of one that names mentions, labels a text or a marked "
            "pair, compares two texts, or is answered yes or no.",
            hue="review",
            links={"Freeze a task": f"/tasks?project={project_id}"},
        )
        return (
            worker_notice(session) if offered else lacks,
            encoder_runs.list_value(session, project_id, open_id=FORM_OPEN),
            gr.Column(visible=True),
            gr.Column(visible=False),
            NO_HEAD,
            RunWatch(beside=FORM_OPEN),
            uuid4().hex,
            gr.Dropdown(choices=offered, value=known),
            gr.Dropdown(choices=scored_choices(found, known), multiselect=True),
        )


@needs(Right.EVALUATE)
def choose_train(project_id: int, train_id: int | None, request: gr.Request):
    """What can be scored beside the chosen training rows."""
    with read() as session:
        offered = scored_choices(encoders.list_tasks(session, project_id), train_id)
    chosen = [id for _, id in offered] if len(offered) <= 2 else []
    return gr.Dropdown(choices=offered, value=chosen, multiselect=True)


@needs(Right.EVALUATE)
def choose_location(location: str | None, request: gr.Request):
    """The settings that suit it, and a word where it is the stand-in."""
    suited = settings_for(location or "")
    note = STAND_IN_NOTE if location == STAND_IN else ""
    return {"text": note}, gr.Number(suited["epochs"]), gr.Number(suited["learning_rate"])


@needs(Right.EVALUATE)
@spread(*FIELDS)
def start(project_id: int, form_key: str, values: tuple, request: gr.Request):
    """Queue the run; the same form pressed twice queues nothing more."""
    spec = spec_of(dict(zip(FIELDS, values, strict=True)))
    key = request_key(form_key or uuid4().hex, spec, JobKind.TRAIN_ENCODER)
    with write() as session:
        job = encoders.start(session, actor_of(session, request), project_id, spec, request_key=key)
        session.flush()
        return open_run(session, project_id, job.id)


def _question(_session: Session, job: Job) -> str:
    return encoder_runs.cancel_sentence(job)


def _shown(session: Session, project_id: int, job: Job, _request: gr.Request) -> tuple:
    return open_run(session, project_id, job.id)


CONTROL = run_handlers(find=_linked, question=_question, show=_shown)


# Layout and wiring --------------------------------------------------------------------------------------


def build() -> None:
    page = page_frame(TITLE, SENTENCE)
    with page.actions:
        new_btn = gr.Button("Tune an encoder", variant="primary", elem_id="new-run-btn", visible=False)
    worker_html = notice()
    with gr.Row(elem_classes="split encoders-work"):
        with gr.Column(scale=2, min_width=260):
            list_html = table("Encoders", param="job", empty_value=encoder_runs.EMPTY)
        with gr.Column(
            scale=3, min_width=320, visible=False, elem_classes="pane", elem_id="form-pane"
        ) as form_col:
            with gr.Row(elem_classes="pane-head"):
                View("<h2>Tune an encoder</h2>")
                close_btn = gr.Button("Close", size="sm", elem_classes="quiet")
            form = encoder_form()
        with gr.Column(
            scale=5, min_width=320, visible=False, elem_classes="pane", elem_id="run-pane"
        ) as run_col:
            head_html, bar_html, outcome_html = encoder_head(), progress_bar(), notice()
            control = run_control()
            scores_html = encoder_scores()
            with gr.Row(elem_classes="encoder-curves"):
                loss_html, looks_html = curves(NO_LOSS), curves(NO_LOOK)
            settings_html, log_html = encoder_settings(), log_tail()
    timer, watch_state, key_state = gr.Timer(TICK, active=False), gr.State(RunWatch()), gr.State("")

    run = [head_html, bar_html, outcome_html, loss_html, looks_html, scores_html, settings_html,
           *control.buttons]  # fmt: skip
    frame = [list_html, worker_html, timer, form_col, run_col, control.confirm_col, watch_state]
    everything = [*frame, log_html, *run]
    here, fields = [page.project_id], form.by_name

    page.on_load(show_tools, [new_btn])
    page.on_load(show_page, everything)
    opened = page.on(list_html.open, choose_run, here, everything)
    opened.then(fn=None, js="() => studio.reveal('run-pane')")
    page.on(head_html.close, close_pane, here, everything)
    page.on(close_btn.click, close_pane, here, everything)
    ticking = [list_html, worker_html, timer, watch_state, log_html, *run]
    page.on(timer.tick, tick, [watch_state], ticking, problem=gr.State(None))
    wire_run_control(page, control, CONTROL, everything)

    beside = [worker_html, list_html, form_col, run_col, head_html, watch_state, key_state]
    choosing = [*beside, fields["train_task_id"], fields["tasks"]]
    begun = page.on(new_btn.click, open_form, [*here, fields["train_task_id"]], choosing)
    begun.then(fn=None, js="() => studio.reveal('form-pane')")
    page.on(
        fields["train_task_id"].input,
        choose_train,
        [*here, fields["train_task_id"]],
        [fields["tasks"]],
        problem=form.problem,
    )
    suited = [form.note, fields["epochs"], fields["learning_rate"]]
    page.on(fields["location"].input, choose_location, [fields["location"]], suited, problem=form.problem)
    started = page.on(
        form.start_btn.click,
        start,
        [*here, key_state, *form.inputs],
        everything,
        problem=form.problem,
        trigger_mode="once",
    )
    started.then(fn=None, js="() => studio.reveal('run-pane')")
