"""Studies: a grid of trainings and evaluations with one name, watched as it fills, read as one figure."""

from uuid import uuid4

import gradio as gr

from bioui import studying
from bioui.components.fold import fold
from bioui.components.frame import Page, page_frame
from bioui.components.heat_map import heat_map, no_figure
from bioui.components.job_panel import NO_LOG, log_tail
from bioui.components.notice import NO_NOTICE, notice
from bioui.components.progress import NO_PROGRESS, progress_bar
from bioui.components.run_control import run_control, run_handlers, wire_run_control
from bioui.components.spread import spread
from bioui.components.study_form import (
    NAMES,
    StudyForm,
    about_of,
    choices_of,
    plan_value,
    shown_preset,
    spec_of,
    study_form,
)
from bioui.components.study_run import EMPTY, NO_ARMS, NO_HEAD, arms_table, cancel_sentence, study_head
from bioui.components.table import row_id, table
from bioui.components.view import View
from bioui.handling import actor_of, linked, needs, project_of
from bioui.runs import worker_notice
from bioui.studying import Watch
from db import studies, study_control, study_miniature, study_steps
from db.policy import Right
from db.session import Session, read, write
from db.study_figures import GAIN
from db.tables import Study

TITLE, PATH, RIGHT = "Studies", "/studies", Right.READ
SECTION = "Evaluate"
SENTENCE = "Ask one question with many runs: what tuning on each kind of data does to each kind of task."
TICK = 2.0  # seconds between two looks at a study
FORM_OPEN = -1  # beside the list, in place of the id of an open study
LINKS = """
{{#if value.links}}<p class="study-files"><span class="muted">For you alone, for a day:</span>
{{#each value.links}}<a href="{{this.href}}" download>{{this.name}}</a>{{/each}}</p>{{/if}}
"""
NO_LINKS: dict = {"links": []}
COLUMNS = [("Groups or tasks, as suits it", ""), ("Groups of tasks", "groups"), ("Single tasks", "tasks")]


# Handlers: the list and an open study -------------------------------------------------------------------


@needs(RIGHT)
def show_page(project_id: int, request: gr.Request):
    """The study of ?study=, else the list."""
    with read() as session:
        return _open(session, project_id, linked(request, "study"), request)


@needs(RIGHT)
def choose(project_id: int, event: gr.EventData, request: gr.Request):
    with read() as session:
        return _open(session, project_id, row_id(event), request)


@needs(RIGHT)
def close_pane(project_id: int, request: gr.Request):
    with read() as session:
        return _open(session, project_id, 0, request)


@needs(RIGHT)
def draw_figure(project_id: int, show: str, by: str, watch: Watch, request: gr.Request):
    """The figure of the open study; a step of its own, for the first time it is reckoned takes seconds."""
    if not watch.study_id:
        return no_figure(), NO_LINKS
    with read() as session:
        study = studies.get_study(session, project_id, watch.study_id)
        return studying.figure_value(studying.figure_of(session, study, show, by)), NO_LINKS


@needs(RIGHT)
def export(project_id: int, show: str, by: str, request: gr.Request):
    """The figure as a picture, a table and Markdown."""
    with read() as session:
        study = _linked(session, project_id, request)
        figure = studying.figure_of(session, study, show, by)
        return {"links": studying.write_files(actor_of(session, request), figure)}


@needs(RIGHT)
def tick(watch: Watch, show: str, by: str, request: gr.Request):
    """What has changed since the last look, nothing when nothing has."""
    wanted = linked(request, "study")
    with read() as session:
        project_id = project_of(session, request).id
        study = studies.get_study(session, project_id, wanted) if wanted else None
        listed = studying.studies_value(session, project_id, open_id=wanted or watch.beside)
        fresh = studying.look(session, watch, study, listed)
        if fresh == watch:
            if studying.any_open(session, project_id):
                return gr.skip()
            return (gr.skip(), gr.skip(), gr.Timer(active=False), *[gr.skip()] * 9)
        is_new = study is not None and fresh.figure_mark != watch.figure_mark
        figure = studying.figure_value(studying.figure_of(session, study, show, by)) if is_new else gr.skip()
        log = studying.log_of(study) if study else gr.skip()
        panel = _panel(session, study, request) if study else (gr.skip(),) * 6
        return listed, worker_notice(session), gr.Timer(active=True), fresh, figure, log, *panel


# Handlers: what people do to a study --------------------------------------------------------------------


@needs(Right.EVALUATE)
def run_miniature(project_id: int, request: gr.Request):
    """Make BioInstruct's study in miniature, or open the one there is."""
    return _miniature(project_id, study_miniature.BIOINSTRUCT, request)


@needs(Right.EVALUATE)
def run_medtuned(project_id: int, request: gr.Request):
    return _miniature(project_id, study_miniature.MEDTUNED, request)


def _miniature(project_id: int, preset: str, request: gr.Request):
    with write() as session:
        study = study_miniature.prepare(session, actor_of(session, request), project_id, preset)
        session.flush()
        return _open(session, project_id, study.id, request)


# Handlers: the form -------------------------------------------------------------------------------------


@needs(Right.EVALUATE)
def open_form(project_id: int, name: str, request: gr.Request):
    """The form beside the list, with a fresh key. What was chosen or typed before stays."""
    with read() as session:
        bases, versions, tasks = choices_of(session, project_id)
        return (
            studying.studies_value(session, project_id, open_id=FORM_OPEN),
            gr.Column(visible=True),
            gr.Column(visible=False),
            NO_HEAD,
            Watch(beside=FORM_OPEN),
            uuid4().hex,
            name or f"Study {len(studies.list_studies(session, project_id)) + 1}",
            gr.Dropdown(choices=bases),
            gr.Dropdown(choices=versions),
            gr.Dropdown(choices=tasks),
        )


@needs(Right.EVALUATE)
def fill_in(preset: str, request: gr.Request):
    return about_of(preset), *shown_preset(preset)


@needs(Right.EVALUATE)
@spread(*NAMES)
def check(project_id: int, values: tuple, request: gr.Request):
    """The arms the study would have; nothing is stored."""
    with read() as session:
        return plan_value(session, project_id, spec_of(values))


@needs(Right.EVALUATE)
@spread(*NAMES)
def start(project_id: int, form_key: str, values: tuple, request: gr.Request):
    spec = spec_of(values)
    with write() as session:
        actor = actor_of(session, request)
        study, is_new = studying.start(session, actor, project_id, form_key or uuid4().hex, spec)
        if not is_new:
            gr.Info("This study was started already; here it is.")
        return _open(session, project_id, study.id, request)


def _linked(session: Session, project_id: int, request: gr.Request) -> Study:
    """The study that the address names (?study=). Raises LookupError."""
    return studies.get_study(session, project_id, linked(request, "study"))


def _open(session: Session, project_id: int, study_id: int, request: gr.Request) -> tuple:
    """All that the page shows with this study open, or none."""
    study = studies.get_study(session, project_id, study_id) if study_id else None
    listed = studying.studies_value(session, project_id, open_id=study_id)
    can = actor_of(session, request).can(Right.EVALUATE)
    panel = _panel(session, study, request) if study else _closed()
    watch = studying.look(session, Watch(), study, listed)
    return (
        listed,
        worker_notice(session),
        gr.Timer(active=True),
        watch,
        gr.Column(visible=False),
        gr.Column(visible=study is not None),
        gr.Column(visible=False),
        gr.Button(visible=can),
        gr.Column(visible=can and study is None),
        studying.log_of(study) if study else NO_LOG,
        *panel,
    )


def _panel(session: Session, study: Study, request: gr.Request) -> tuple:
    """Head, progress, outcome, arms, and the buttons that go with them."""
    can = actor_of(session, request).can(Right.EVALUATE)
    resumes = can and studying.can_resume(session, study)
    job_open = study_steps.is_open(session, study)
    return (
        *studying.panel_values(session, study),
        gr.Button(visible=can and job_open),
        gr.Button(visible=resumes),
    )


def _closed() -> tuple:
    return NO_HEAD, NO_PROGRESS, NO_NOTICE, NO_ARMS, gr.Button(visible=False), gr.Button(visible=False)


def _question(session: Session, study: Study) -> str:
    return cancel_sentence(study, study_steps.standings(session, study))


def _shown(session: Session, project_id: int, study: Study, request: gr.Request) -> tuple:
    return _open(session, project_id, study.id, request)


CONTROL = run_handlers(
    find=_linked, question=_question, show=_shown, stop=study_control.cancel, go_on=study_control.resume
)


# Layout and wiring --------------------------------------------------------------------------------------


def build() -> None:
    page = page_frame(TITLE, SENTENCE)
    with page.actions:
        new_btn = gr.Button("New study", variant="primary", visible=False, elem_id="new-study-btn")
    worker_html = notice()
    with gr.Row(elem_classes="split"):
        with gr.Column(scale=2, min_width=260):
            list_html = table("Studies", param="study", empty_value=EMPTY)
            with gr.Column(visible=False, elem_classes="miniature") as small_col:
                View(
                    "<h3>In miniature</h3><p class='field-help'>A paper's study on the starter model and its "
                    "demo set, in minutes on two CPU cores. It shows that the study works, not what a real "
                    "base gains.</p>"
                )
                with gr.Row(elem_classes="actions"):
                    small_btn = gr.Button("Run the miniature", size="sm", elem_id="miniature-btn")
                    medtuned_btn = gr.Button("Llama2-MedTuned's", size="sm", elem_id="medtuned-btn")
        with gr.Column(
            scale=6, min_width=320, visible=False, elem_classes="pane", elem_id="form-pane"
        ) as form_col:
            with gr.Row(elem_classes="pane-head"):
                View("<h2>New study</h2>")
                close_btn = gr.Button("Close", size="sm", elem_classes="quiet")
            form = study_form()
        with gr.Column(
            scale=6, min_width=320, visible=False, elem_classes="pane", elem_id="study-pane"
        ) as study_col:
            head_html, bar_html, outcome_html = study_head(), progress_bar(), notice()
            control = run_control("study")
            with gr.Row(elem_classes="filters study-choices"):
                show_dd = gr.Dropdown(studying.shows(), value=GAIN, label="Shows", elem_id="field-show")
                by_dd = gr.Dropdown(COLUMNS, value="", label="Columns", elem_id="field-by")
                export_btn = gr.Button("Export", size="sm", elem_id="export-btn")
            links_html = View(LINKS, NO_LINKS)
            figure_html = heat_map()
            arms_html = arms_table()
            with fold("Log"):
                log_html = log_tail()
    timer, watch_state, key_state = gr.Timer(TICK, active=False), gr.State(Watch()), gr.State("")

    panel = [head_html, bar_html, outcome_html, arms_html, *control.buttons]
    everything = [
        list_html, worker_html, timer, watch_state, form_col, study_col, control.confirm_col,
        new_btn, small_col, log_html, *panel,
    ]  # fmt: skip
    here, shown = [page.project_id], [show_dd, by_dd]
    opened = [
        page.on_load(show_page, everything),
        page.on(list_html.open, choose, here, everything),
        page.on(small_btn.click, run_miniature, here, everything, trigger_mode="once"),
        page.on(medtuned_btn.click, run_medtuned, here, everything, trigger_mode="once"),
    ]
    opened += wire_run_control(page, control, CONTROL, everything)
    for close in (head_html.close, close_btn.click):
        page.on(close, close_pane, here, everything)
    page.on(
        timer.tick, tick, [watch_state, *shown],
        [list_html, worker_html, timer, watch_state, figure_html, log_html, *panel], problem=gr.State(None),
    )  # fmt: skip
    figure = ([*here, *shown, watch_state], [figure_html, links_html])
    for choice in shown:
        page.on(choice.input, draw_figure, *figure)
    page.on(export_btn.click, export, [*here, *shown], links_html, trigger_mode="once")
    opened.append(_wire_form(page, form, new_btn, everything, list_html, form_col, study_col, head_html,
                             watch_state, key_state))  # fmt: skip
    for step in opened:
        page.on(step.then, draw_figure, *figure)
    for step in opened[1:]:
        step.then(fn=None, js="() => studio.reveal('study-pane')")


def _wire_form(
    page: Page, form: StudyForm, new_btn, everything, list_html, form_col, study_col, head_html, watch_state,
    key_state,
):  # fmt: skip
    """The form's own events; returns the step that starts a study."""
    begun = page.on(
        new_btn.click, open_form, [page.project_id, form.input("name")],
        [list_html, form_col, study_col, head_html, watch_state, key_state, form.input("name"),
         form.input("base_model_id"), form.input("dataset_version_id"), form.input("tasks")],
    )  # fmt: skip
    begun.then(fn=None, js="() => studio.reveal('form-pane')")
    page.on(
        form.preset_dd.input, fill_in, [form.preset_dd], [form.about_html, *form.inputs], problem=form.problem
    )
    page.on(
        form.check_btn.click, check, [page.project_id, *form.inputs], form.plan_html, problem=form.problem
    )
    return page.on(
        form.start_btn.click, start, [page.project_id, key_state, *form.inputs], everything,
        problem=form.problem, trigger_mode="once",
    )  # fmt: skip
