"""Leaderboard: models by frozen tasks, how sure each gain is, and the runs that score them."""

import gradio as gr

from bioui import boards, evaluating
from bioui.components import evaluate_start
from bioui.components.evaluate_form import evaluate_form
from bioui.components.evaluate_run import run_head, run_settings, run_tasks
from bioui.components.frame import page_frame
from bioui.components.job_panel import log_tail
from bioui.components.leaderboard import leaderboard
from bioui.components.leaderboard_forest import forest
from bioui.components.leaderboard_gate import gate_setting
from bioui.components.leaderboard_rows import rows_reckoner
from bioui.components.notice import notice
from bioui.components.progress import progress_bar
from bioui.components.run_control import run_control, run_handlers, wire_run_control
from bioui.components.table import row_id, table
from bioui.components.view import View
from bioui.evaluating import NO_RUNS, Watch, find_run, log_of, open_run, run_values, runs_value
from bioui.handling import actor_of, linked, needs, project_of
from bioui.runs import worker_notice
from db import leaderboard as leaderboards
from db.policy import Right
from db.session import Session, read
from db.tables import Job

TITLE, PATH, RIGHT = "Leaderboard", "/evaluate", Right.READ
SECTION = "Evaluate"  # the pages of one section stand together under one name in the bar
SENTENCE = "What each model scores on each frozen task, and how sure the gain over its base is."
TICK = 2.0  # seconds between two looks at a run
UNDER_WAY = """
{{#if value.text}}<p class="lb-under-way" role="status"><span class="chip chip-review">
  <span class="chip-mark" aria-hidden="true"></span>Evaluating</span> {{value.text}}
  <button type="button" class="quiet-btn" data-watch="{{value.id}}">Watch</button></p>{{/if}}
"""
UNDER_WAY_ON_LOAD = """
element.addEventListener('click', (event) => {
  const button = event.target.closest('[data-watch]');
  if (!button) return;
  studio.setParam('job', button.dataset.watch);
  trigger('watch_run', {id: Number(button.dataset.watch)});
});
"""


# Handlers: the board ------------------------------------------------------------------------------------


@needs(RIGHT)
def show_board(project_id: int, request: gr.Request):
    """The board and the gains of the chosen adapter, as the address says."""
    with read() as session:
        return _board(session, project_id, request)


def _board(session: Session, project_id: int, request: gr.Request) -> tuple:
    look = boards.look_of(request)
    board = leaderboards.read_board(session, project_id)
    adapters = boards.adapter_choices(board)
    return (
        boards.board_value(session, project_id, look, board),
        gr.Dropdown(choices=adapters, value=boards.shown_adapter(board, look)),
        boards.forest_value(board, look, project_id),
        gr.Column(visible=bool(adapters)),
    )


@needs(RIGHT)
def choose_adapter(project_id: int, adapter_id: int | None, request: gr.Request):
    """The gains by task of the adapter that was picked below the board."""
    with read() as session:
        board = leaderboards.read_board(session, project_id)
        look = boards.look_of(request, adapter_id=adapter_id or 0)
        shown = boards.board_value(session, project_id, look, board)
        return shown, boards.forest_value(board, look, project_id)


# Handlers: runs -----------------------------------------------------------------------------------------


@needs(RIGHT)
def show_page(project_id: int, request: gr.Request):
    """The run of ?job=, else the board alone."""
    with read() as session:
        return open_run(session, project_id, linked(request, "job"))


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
def newest_run(project_id: int, request: gr.Request):
    """The runs, the newest open."""
    with read() as session:
        newest = evaluating.newest(session, project_id)
        if newest is None:
            raise LookupError("There is no evaluation yet; start the first with Evaluate models.")
        return open_run(session, project_id, newest.id)


@needs(RIGHT)
def close_pane(project_id: int, request: gr.Request):
    with read() as session:
        return open_run(session, project_id, 0)


@needs(RIGHT)
def tick(watch: Watch, request: gr.Request):
    """What has changed since the last look, nothing when nothing has; the address says which run is open."""
    wanted = linked(request, "job")
    with read() as session:
        project_id = project_of(session, request).id
        job = find_run(session, project_id, wanted) if wanted else None
        listed = runs_value(session, project_id, open_id=wanted)
        fresh = evaluating.look(session, watch, job, listed, project_id=project_id)
        if fresh == watch:  # once all is closed and the last log line is read, there is nothing to wait for
            if evaluating.any_open(session, project_id):
                return gr.skip()
            unchanged = (gr.skip(),) * (evaluating.RUN_VIEWS + 4)
            return (
                gr.skip(),
                worker_notice(session),
                gr.skip(),
                gr.Timer(active=False),
                fresh,
                gr.skip(),
                *unchanged,
            )
        log = log_of(job.id) if job and fresh.log_mark != watch.log_mark else gr.skip()
        shown = run_values(session, job) if job else (gr.skip(),) * evaluating.RUN_VIEWS
        is_scored = fresh.board_mark != watch.board_mark
        board = _board(session, project_id, request) if is_scored else (gr.skip(),) * 4
        line = evaluating.under_way(session, project_id)
        return listed, worker_notice(session), line, gr.Timer(active=True), fresh, log, *shown, *board


def _linked(session: Session, project_id: int, request: gr.Request) -> Job:
    return find_run(session, project_id, linked(request, "job"))


def _question(_session: Session, job: Job) -> str:
    return evaluating.cancel_sentence(job)


def _shown(session: Session, project_id: int, job: Job, _request: gr.Request) -> tuple:
    return open_run(session, project_id, job.id)


CONTROL = run_handlers(find=_linked, question=_question, show=_shown)


# Layout and wiring --------------------------------------------------------------------------------------


def build() -> None:
    page = page_frame(TITLE, SENTENCE)
    with page.actions:
        runs_btn = gr.Button("Runs", elem_id="runs-btn")
        new_btn = gr.Button("Evaluate models", variant="primary", elem_id="new-run-btn", visible=False)
    worker_html = notice()
    line_html = View(UNDER_WAY, {"text": "", "id": 0}, on_load=UNDER_WAY_ON_LOAD)
    with gr.Row(elem_classes="split lb-work", visible=False) as work_row:
        with gr.Column(scale=2, min_width=260):
            runs_html = table("Evaluation runs", param="job", empty_value=NO_RUNS)
        with gr.Column(
            scale=5, min_width=320, visible=False, elem_classes="pane", elem_id="form-pane"
        ) as form_col:
            with gr.Row(elem_classes="pane-head"):
                View("<h2>Evaluate models</h2>")
                close_btn = gr.Button("Close", size="sm", elem_classes="quiet")
            form = evaluate_form()
        with gr.Column(
            scale=5, min_width=320, visible=False, elem_classes="pane", elem_id="run-pane"
        ) as run_col:
            head_html, bar_html, outcome_html = run_head(), progress_bar(), notice()
            control = run_control()
            tasks_html, log_html, settings_html = run_tasks(), log_tail(), run_settings()
    board_html = leaderboard()
    with gr.Column(elem_classes="section", visible=False, elem_id="gains") as gains_col:
        View("<h2>Gains by task</h2>")
        adapter_dd = gr.Dropdown([], label="Adapter", elem_id="field-adapter")
        forest_html = forest()
    with gr.Column(elem_classes="lb-tools"):
        gate_setting(page, board_html)
        rows_reckoner(page)
    timer, watch_state = gr.Timer(TICK, active=False), gr.State(Watch())

    run = [head_html, bar_html, outcome_html, tasks_html, *control.buttons]
    frame = [runs_html, worker_html, line_html, timer, work_row, form_col, run_col, control.confirm_col,
             watch_state]  # fmt: skip
    everything = [*frame, log_html, settings_html, *run]
    board = [board_html, adapter_dd, forest_html, gains_col]
    here = [page.project_id]

    page.on_load(show_board, board)
    page.on_load(show_tools, [new_btn])
    page.on_load(show_page, everything)
    page.on(board_html.look, show_board, here, board)
    chosen = page.on(board_html.choose, show_board, here, board)
    chosen.then(fn=None, js="() => studio.reveal('gains')")
    picked = page.on(adapter_dd.input, choose_adapter, [*here, adapter_dd], [board_html, forest_html])
    picked.then(fn=None, inputs=[adapter_dd], js="(id) => studio.setParam('adapter', id)")

    for opener, handler in ((runs_html.open, choose_run), (line_html.watch_run, choose_run)):
        page.on(opener, handler, here, everything).then(fn=None, js="() => studio.reveal('run-pane')")
    shown = page.on(runs_btn.click, newest_run, here, everything)
    shown.then(fn=None, js="() => studio.reveal('run-pane')")
    page.on(head_html.close, close_pane, here, everything)
    page.on(close_btn.click, close_pane, here, everything)
    ticking = [runs_html, worker_html, line_html, timer, watch_state, log_html, *run, *board]
    page.on(timer.tick, tick, [watch_state], ticking, problem=gr.State(None))
    wire_run_control(page, control, CONTROL, everything)
    beside = [runs_html, work_row, form_col, run_col, head_html, watch_state]
    evaluate_start.wire(page, form, worker_html, new_btn, beside, everything)
