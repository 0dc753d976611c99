"""Generate: grow instructions from approved seeds by an endpoint, and watch what becomes of them.

The tabs for prompt templates and filters are components of their own; this file has the runs.
"""

from uuid import uuid4

import gradio as gr

from bioui import generating
from bioui.components.fold import fold
from bioui.components.frame import Page, page_frame
from bioui.components.funnel_chart import NO_FUNNEL, funnel_chart
from bioui.components.generate_filters import filters_tab
from bioui.components.generate_form import (
    LABELS,
    NAMES,
    endpoint_choices,
    profile_choices,
    spec_of,
    template_choices,
    version_choices,
)
from bioui.components.generate_run import EMPTY, NO_HEAD, NO_TALLY, run_head, run_tally
from bioui.components.generate_sections import (
    Opened,
    fresh_calls,
    nothing_open,
    run_sections,
    sections_value,
)
from bioui.components.generate_start import show_prompt, start_form
from bioui.components.generate_templates import templates_tab
from bioui.components.notice import NO_NOTICE, notice
from bioui.components.progress import NO_PROGRESS, progress_bar
from bioui.components.spread import spread
from bioui.components.table import Trail, row_id, table
from bioui.components.view import View
from bioui.generating import Watch, find_run, linked_run
from bioui.handling import actor_of, linked, needs
from bioui.runs import worker_notice
from db import generation_figures, generation_runs
from db.policy import Right
from db.session import Session, read, write
from db.tables import Job

TITLE, PATH, RIGHT = "Generate", "/generate", Right.RUN_FACTORY
SECTION = "Factory"  # the pages of one section stand together under one name in the bar
SENTENCE = "Grow new instructions from approved seeds; what passes the filters goes to review."
TICK = 2.0  # seconds between two looks at a run
FORM_OPEN = -1  # in place of the id of the open run
TABS = ("runs", "templates", "filters")
LIMITS = ("target", "budget_tokens", "budget_money", "budget_hours")  # what may change when a run goes on
END = "<p>{{value.text}}</p>"


# Handlers: the list and an open run ---------------------------------------------------------------------


@needs(RIGHT)
def show_page(project_id: int, request: gr.Request):
    """The run of ?run=, else the list."""
    with read() as session:
        return open_run(session, project_id, linked(request, "run"), Trail())


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
        trail = generating.older(session, project_id, trail)
        return generating.list_value(session, project_id, trail, open_id=linked(request, "run")), trail


@needs(RIGHT)
def newer_runs(project_id: int, trail: Trail, request: gr.Request):
    trail = trail.newer()
    with read() as session:
        return generating.list_value(session, project_id, trail, open_id=linked(request, "run")), trail


def open_run(session: Session, project_id: int, job_id: int, trail: Trail) -> tuple:
    """The list with that run beside it (0: the list alone), in the order of build()'s `everything`."""
    job = find_run(session, project_id, job_id) if job_id else None
    listed = generating.list_value(session, project_id, trail, open_id=job_id)
    watch = generating.look(session, Watch(), job, listed)
    frame = (
        listed,
        worker_notice(session),
        gr.Timer(active=generating.any_open(session, project_id)),
        gr.Button(visible=True),
        gr.Column(visible=False),
        gr.Column(visible=job is not None),
        watch,
        trail,
        gr.Column(visible=False),
    )
    if job is None:
        skipped = (gr.skip(),) * (3 + len(LIMITS))
        return (*frame, NO_HEAD, NO_PROGRESS, NO_NOTICE, NO_TALLY, NO_FUNNEL, *skipped, *nothing_open())
    limits = (job.spec[name] for name in LIMITS)
    return (*frame, *_run(session, job), *limits, *sections_value(session, job, Opened()))


@needs(RIGHT)
def tick(watch: Watch, trail: Trail, opened: Opened, request: gr.Request):
    """What has changed since the last look, nothing when nothing has.

    The address says which run is open, so a page that outlived a restart of the studio goes on.
    """
    wanted = linked(request, "run")
    with read() as session:
        project_id = generating.project_id_of(session, request)
        job = find_run(session, project_id, wanted) if wanted else None
        listed = generating.list_value(session, project_id, trail, open_id=wanted)
        fresh = generating.look(session, watch, job, listed)
        if fresh == watch:  # once all is closed, there is nothing to wait for
            if generating.any_open(session, project_id):
                return gr.skip()
            still = (gr.skip(),) * (len(RUN) + 2)
            return gr.skip(), worker_notice(session), gr.Timer(active=False), fresh, *still
        log = generating.log_of(job.id) if job and opened.section == "settings" else gr.skip()
        calls = fresh_calls(session, job, opened) if job else gr.skip()
        shown = _run(session, job, opened.stage) if job else (gr.skip(),) * len(RUN)
        return listed, worker_notice(session), gr.Timer(active=True), fresh, log, calls, *shown


RUN = ("head", "bar", "outcome", "tally", "funnel", "pause", "going_on", "end")  # what `_run` gives


def _run(session: Session, job: Job, stage: str = "") -> tuple:
    """What build()'s `run` shows."""
    can_go_on = generating.can_resume(job)
    return (
        *generating.panel_values(session, job),
        generating.funnel_of(session, job, stage=stage),
        gr.Button(visible=generating.can_pause(job)),
        gr.Column(visible=can_go_on),
        gr.Button(visible=can_go_on and not generating.is_finished(job)),
    )


# Handlers: pause, go on, end ----------------------------------------------------------------------------


@needs(RIGHT)
def pause(project_id: int, trail: Trail, request: gr.Request):
    with write() as session:
        job = linked_run(session, project_id, request)
        generation_runs.pause(session, actor_of(session, request), job.id)
        return open_run(session, project_id, job.id, trail)


@needs(RIGHT)
@spread(*LIMITS)
def resume(project_id: int, trail: Trail, limits: tuple, request: gr.Request):
    """Go on, with other limits where they were changed."""
    with write() as session:
        job = linked_run(session, project_id, request)
        given = dict(zip(LIMITS, limits, strict=True))
        for name, value in given.items():
            if value is None:
                raise ValueError(f"{name.replace('_', ' ')}: it is empty; 0 is no limit.")
        changed = {name: value for name, value in given.items() if value != job.spec[name]}
        if generating.is_finished(job) and changed.get("target", 0) <= job.spec["target"]:
            raise ValueError("target: the run has what it was asked for; raise the target to go on.")
        generation_runs.resume(session, actor_of(session, request), job.id, **changed)
        session.flush()
        return open_run(session, project_id, job.id, trail)


@needs(RIGHT)
def ask_end(project_id: int, request: gr.Request):
    with read() as session:
        job = linked_run(session, project_id, request)
        kept = generation_runs.count_kept(session, job.id)
        text = (
            f"End {job.name} with {kept:,} of {job.spec['target']:,} records kept? Nothing more is asked. "
            "What is kept stays where it is; only a higher target opens the run again."
        )
        return gr.Column(visible=True), {"text": text}


@needs(RIGHT)
def keep_open(request: gr.Request):
    return gr.Column(visible=False)


@needs(RIGHT)
def end(project_id: int, trail: Trail, request: gr.Request):
    with write() as session:
        job = linked_run(session, project_id, request)
        generation_figures.end_run(session, actor_of(session, request), job.id)
        session.flush()
        return open_run(session, project_id, job.id, trail)


# Handlers: the form -------------------------------------------------------------------------------------


@needs(RIGHT)
def open_form(
    project_id: int, trail: Trail, endpoint_id: int | None, name: str, mode: str, request: gr.Request
):
    """The form in place of an open run, with a fresh key. What was chosen or typed before stays."""
    with read() as session:
        offered = endpoint_choices(session)
        known = [id for _, id in offered]
        total = generation_figures.list_runs(session, project_id, limit=1).total
        return (
            generating.list_value(session, project_id, trail, open_id=FORM_OPEN),
            worker_notice(session),
            gr.Button(visible=False),
            gr.Column(visible=True),
            gr.Column(visible=False),
            NO_HEAD,
            Watch(),
            uuid4().hex,
            0,
            generating.missing_notice(session, project_id),
            gr.Dropdown(choices=offered, value=endpoint_id if endpoint_id in known else (known or [None])[0]),
            name or f"Run {total + 1}",
            gr.Dropdown(choices=template_choices(session, project_id, mode or "grow")),
            gr.Dropdown(choices=profile_choices(session, project_id), value=""),
            gr.Dropdown(choices=version_choices(session, project_id)),
        )


@needs(RIGHT)
@spread(*NAMES)
def start(project_id: int, form_key: str, values: tuple, request: gr.Request):
    name, spec = spec_of(values)
    with write() as session:
        actor = actor_of(session, request)
        job, is_new = generating.start(session, actor, project_id, form_key or uuid4().hex, name, spec)
        if not is_new:
            gr.Info("This run was started already; here it is.")
        return open_run(session, project_id, job.id, Trail())


# Layout and wiring --------------------------------------------------------------------------------------


def build() -> None:
    page = page_frame(TITLE, SENTENCE)
    with page.actions:
        new_btn = gr.Button("New run", variant="primary", elem_id="new-run-btn")
    with gr.Tabs(elem_classes="review-tabs generate-tabs"):
        with gr.Tab("Runs", id="runs") as runs_tab:
            loaded = _build_runs(page, new_btn)
        with gr.Tab("Prompt templates", id="templates") as templates:
            templates_tab(page, templates)
        with gr.Tab("Filters", id="filters") as filters:
            filters_tab(page, filters)
    loaded.then(fn=None, js="() => studio.openTab()")
    for name, tab in zip(TABS, (runs_tab, templates, filters), strict=True):
        shown = "null" if name == TABS[0] else f"'{name}'"
        tab.select(fn=None, js=f"() => studio.setParam('tab', {shown})")


def _build_runs(page: Page, new_btn: gr.Button):
    """Lay the tab out and wire it; the step that fills it when the page loads."""
    worker_html = notice()
    with gr.Row(elem_classes="split generate-split"):
        with gr.Column(scale=2, min_width=260):
            runs_html = table("Generation runs", param="run", empty_value=EMPTY)
        with gr.Column(
            scale=6, min_width=320, visible=False, elem_classes="pane", elem_id="form-pane"
        ) as form_col:
            opened = start_form(page)
        with gr.Column(
            scale=6, min_width=320, visible=False, elem_classes="pane", elem_id="run-pane"
        ) as run_col:
            head_html, bar_html, outcome_html = run_head(), progress_bar(), notice()
            with gr.Row(elem_classes="actions"):
                pause_btn = gr.Button("Pause", elem_id="pause-btn", visible=False)
            with gr.Column(visible=False, elem_classes="going-on") as on_col:
                with fold("Change its limits"), gr.Row(elem_classes="field-grid"):
                    limits = [
                        gr.Number(0, label=LABELS[name], elem_id=f"field-{name.replace('_', '-')}")
                        for name in LIMITS
                    ]
                with gr.Row(elem_classes="actions"):
                    resume_btn = gr.Button("Resume", variant="primary", elem_id="resume-btn")
                    end_btn = gr.Button("End the run", elem_id="end-btn")
            with gr.Column(visible=False, elem_classes="confirm") as end_col:
                end_html = View(END, {"text": ""})
                with gr.Row(elem_classes="actions"):
                    sure_btn = gr.Button("End it", variant="stop", size="sm")
                    keep_btn = gr.Button("Leave it open", size="sm")
            tally_html, funnel_html = run_tally(), funnel_chart()
            sections = run_sections(page, funnel_html)
    timer = gr.Timer(TICK, active=False)
    watch_state, trail_state, key_state = gr.State(Watch()), gr.State(Trail()), gr.State("")
    run = [head_html, bar_html, outcome_html, tally_html, funnel_html, pause_btn, on_col, end_btn]
    panes = [new_btn, form_col, run_col]
    frame = [runs_html, worker_html, timer, *panes, watch_state, trail_state, end_col]
    everything = [*frame, *run, *limits, *sections.outputs]
    here = [page.project_id, trail_state]
    loaded = page.on_load(show_page, everything)
    chosen = page.on(runs_html.open, choose_run, here, everything)
    page.on(runs_html.older, older_runs, here, [runs_html, trail_state])
    page.on(runs_html.newer, newer_runs, here, [runs_html, trail_state])
    page.on(head_html.close, close_pane, here, everything)
    page.on(opened.close_btn.click, close_pane, here, everything)
    page.on(
        timer.tick, tick, [watch_state, trail_state, sections.opened],
        [runs_html, worker_html, timer, watch_state, sections.log_html, sections.calls_html, *run],
        problem=gr.State(None),
    )  # fmt: skip
    page.on(pause_btn.click, pause, here, everything, trigger_mode="once")
    page.on(resume_btn.click, resume, [*here, *limits], everything, trigger_mode="once")
    page.on(end_btn.click, ask_end, [page.project_id], [end_col, end_html])
    page.on(keep_btn.click, keep_open, None, [end_col])
    page.on(sure_btn.click, end, here, everything, trigger_mode="once")

    form = opened.form
    kept = [form.input(name) for name in ("endpoint_id", "name", "mode")]
    begun = page.on(
        new_btn.click, open_form, [*here, *kept],
        [runs_html, worker_html, *panes, head_html, watch_state, key_state, opened.draw, opened.missing_html,
         *kept[:2], form.input("template_id"), form.input("profile"), form.input("against")],
    )  # fmt: skip
    page.on(
        begun.then, show_prompt, [page.project_id, opened.draw, *form.inputs], opened.prompt_html,
        problem=form.problem,
    )  # fmt: skip
    started = page.on(
        form.start_btn.click, start, [page.project_id, key_state, *form.inputs], everything,
        problem=form.problem, trigger_mode="once",
    )  # fmt: skip
    begun.then(fn=None, js="() => studio.reveal('form-pane')")
    for step in (chosen, started):
        step.then(fn=None, js="() => studio.reveal('run-pane')")
    return loaded
