"""Coverage: what a project holds by task and specialty, what is missing, how the work and the texts are."""

import time
from collections.abc import Iterator

import gradio as gr

from bioui.components import empty
from bioui.components.bar_chart import bar_charts
from bioui.components.coverage_cell import (
    OpenCell,
    cell_panel,
    change_notice,
    changed_value,
    gap_list,
)
from bioui.components.coverage_figures import (
    agreement_value,
    lengths_value,
    queue_value,
    reasons_value,
    shares_value,
    throughput_value,
    verbs_value,
)
from bioui.components.coverage_matrix import coverage_matrix
from bioui.components.coverage_side import Undo, matrix_side, opened_by
from bioui.components.frame import Page, page_frame
from bioui.components.interval_chart import intervals
from bioui.components.progress import NO_PROGRESS, progress_bar, progress_value
from bioui.components.rank_chart import rank_charts
from bioui.components.sunburst_chart import sunburst
from bioui.components.view import View
from bioui.handling import actor_of, needs
from db import coverage, ratings, search, text_figures
from db.coverage import Target
from db.enums import Decision, InstructionStatus
from db.policy import Right
from db.session import read, write

TITLE, PATH, RIGHT = "Coverage", "/coverage", Right.READ

TABS = ("matrix", "work", "texts", "agreement")
WEEKS = 12
DIFFICULTIES = [("Any", 0), *((str(level), level) for level in range(1, 6))]
EMPTY = "{{#if value.empty}}" + empty.TEMPLATE + "{{/if}}"
SENTENCE = '<p class="section-lead">{{value}}</p>'


# handlers: the matrix ---------------------------------------------------------------------------------


@needs(RIGHT)
def show_page(project_id: int, request: gr.Request):
    """The matrix; the other sections are filled when they are opened."""
    with read() as session:
        actor = actor_of(session, request)
        side = matrix_side(session, request, project_id, opened_by(request.query_params))
        new_btn = gr.Button(visible=actor.can(Right.MANAGE_PROJECT))
        return gr.Tab(visible=actor.can(Right.REVIEW)), new_btn, *side


@needs(RIGHT)
def choose_difficulty(project_id: int, here: OpenCell, difficulty: int, request: gr.Request):
    here = here or OpenCell()
    with read() as session:
        shown = OpenCell(here.task, here.specialty, _level(difficulty), here.is_open)
        return matrix_side(session, request, project_id, shown)


@needs(RIGHT)
def open_cell(project_id: int, difficulty: int, event: gr.EventData, request: gr.Request):
    """A square of the matrix; of the whole task where its total was chosen."""
    specialty = getattr(event, "specialty", None)
    here = OpenCell(
        str(getattr(event, "task", "")),
        None if specialty is None else str(specialty),
        _level(difficulty),
        True,
    )
    with read() as session:
        return matrix_side(session, request, project_id, here)


@needs(RIGHT)
def narrow(project_id: int, here: OpenCell, event: gr.EventData, request: gr.Request):
    """The open square at another difficulty; the matrix follows."""
    here = here or OpenCell()
    level = _level(getattr(event, "difficulty", 0))
    with read() as session:
        shown = OpenCell(here.task, here.specialty, level, here.is_open)
        return matrix_side(session, request, project_id, shown)


@needs(RIGHT)
def open_gap(project_id: int, event: gr.EventData, request: gr.Request):
    task, specialty = str(getattr(event, "task", "")), str(getattr(event, "specialty", ""))
    here = OpenCell(task, specialty or None, _level(getattr(event, "difficulty", 0)), True)
    with read() as session:
        return matrix_side(session, request, project_id, here)


@needs(RIGHT)
def close_cell(project_id: int, difficulty: int, request: gr.Request):
    with read() as session:
        return matrix_side(session, request, project_id, OpenCell(difficulty=_level(difficulty)))


@needs(Right.MANAGE_PROJECT)
def begin_target(project_id: int, here: OpenCell, request: gr.Request):
    """A form for a target anywhere, a task that has no record yet among them."""
    with read() as session:
        used = search.used_labels(session, project_id)
    here = here or OpenCell()
    return (
        gr.Column(visible=True),
        gr.Column(visible=False),  # one form at a time: both have a count
        gr.Dropdown(choices=used["task"], value=here.task or None),
        gr.Dropdown(choices=[("All specialties", ""), *used["specialty"]], value=here.specialty or ""),
        gr.Dropdown(value=here.difficulty or 0),
        gr.Number(value=None),
    )


@needs(Right.MANAGE_PROJECT)
def close_form(request: gr.Request):
    return gr.Column(visible=False)


@needs(Right.MANAGE_PROJECT)
def add_target(project_id: int, task, specialty, difficulty, count, request: gr.Request):
    here = OpenCell((task or "").strip(), (specialty or "").strip() or None, _level(difficulty), True)
    return _set(project_id, here, count, request)


@needs(Right.MANAGE_PROJECT)
def save_target(project_id: int, here: OpenCell, count, request: gr.Request):
    """The open square's target."""
    return _set(project_id, _with_target(here), count, request)


@needs(Right.MANAGE_PROJECT)
def remove_target(project_id: int, here: OpenCell, request: gr.Request):
    here = _with_target(here)
    with write() as session:
        before = coverage.remove_target(session, actor_of(session, request), project_id, here.place)
    said = changed_value(here.place, before, None)
    with read() as session:
        return matrix_side(session, request, project_id, here, (here.place, before), said)


@needs(Right.MANAGE_PROJECT)
def undo_target(project_id: int, here: OpenCell, undo: Undo | None, request: gr.Request):
    """The target that was there before the last change, or none as there was none."""
    if undo is None:
        raise ValueError("There is nothing to undo.")
    place, before = undo
    with write() as session:
        actor = actor_of(session, request)
        if before is None:
            coverage.remove_target(session, actor, project_id, place)
        else:
            coverage.set_target(session, actor, project_id, before)
    with read() as session:
        said = {"text": "Undone: the target is as it was.", "undo": ""}
        return matrix_side(session, request, project_id, here or OpenCell(), None, said)


def _set(project_id: int, here: OpenCell, count: float | None, request: gr.Request) -> tuple:
    if count is None or count != int(count):
        raise ValueError("count: give a whole number of records; to have no target, remove it.")
    target = Target(here.task, int(count), here.specialty or "", here.difficulty)
    with write() as session:
        before = coverage.set_target(session, actor_of(session, request), project_id, target)
    said = changed_value(target.place, before, target)
    with read() as session:
        return matrix_side(session, request, project_id, here, (target.place, before), said)


def _with_target(here: OpenCell | None) -> OpenCell:
    if here is None or not here.can_have_target:
        raise ValueError("Open a square of the matrix that has a task and a specialty, or a task's total.")
    return here


def _level(difficulty) -> int | None:
    return difficulty if difficulty in (1, 2, 3, 4, 5) else None


# handlers: the other sections -------------------------------------------------------------------------


@needs(RIGHT)
def show_work(project_id: int, request: gr.Request):
    with read() as session:
        reasons = [
            coverage.refusal_reasons(session, project_id, decisions=(decision,))
            for decision in (Decision.REJECT, Decision.REQUEST_CHANGES)
        ]
        shares = [
            coverage.category_shares(session, project_id, status=status)
            for status in (None, InstructionStatus.APPROVED)
        ]
        return (
            throughput_value(coverage.throughput(session, project_id, weeks=WEEKS)),
            queue_value(coverage.queue_age(session, project_id)),
            reasons_value(*reasons),
            shares_value(*shares),
        )


@needs(RIGHT)
def show_texts(project_id: int, unit: str, request: gr.Request) -> Iterator[tuple]:
    """Lengths and verbs; what was never read is read now, with the progress shown."""
    unit = unit if unit in text_figures.UNITS else "words"
    begun = time.monotonic()
    with read() as session:
        for done, total in text_figures.measure(session, project_id, tokens=unit == "tokens"):
            phase = "Counting tokens" if unit == "tokens" else "Reading the texts"
            seconds = time.monotonic() - begun
            yield progress_value(phase, done, total, unit="records", seconds=seconds), *(gr.skip(),) * 3
        found = [
            text_figures.lengths(session, project_id, field=field, unit=unit) for field in text_figures.FIELDS
        ]
        ring, sentence = verbs_value(text_figures.verb_nouns(session, project_id))
    yield NO_PROGRESS, lengths_value(found), ring, sentence


@needs(Right.REVIEW)
def show_agreement(project_id: int, request: gr.Request):
    with read() as session:
        found = ratings.measure_agreement(session, actor_of(session, request), project_id)
    return agreement_value(found)


# layout and wiring ------------------------------------------------------------------------------------


def build() -> None:
    page = page_frame(TITLE, "What the project holds, what it still needs, and how the work on it goes.")
    with page.actions:
        new_btn = gr.Button("Set a target", visible=False, elem_id="new-target-btn")
    with gr.Tabs(elem_classes="coverage-tabs"):
        with gr.Tab("Matrix and gaps", id="matrix") as matrix_tab:
            side = _build_matrix(page, new_btn)
        with gr.Tab("Work", id="work") as work_tab:
            work = _build_work()
        with gr.Tab("Texts", id="texts") as texts_tab:
            unit_radio, texts = _build_texts()
        with gr.Tab("Agreement", id="agreement", visible=False) as agreement_tab:
            agreed = _build_agreement()

    loaded = page.on_load(show_page, [agreement_tab, new_btn, *side])
    loaded.then(fn=None, js="() => studio.openTab()")
    page.on(work_tab.select, show_work, [page.project_id], work)
    page.on(texts_tab.select, show_texts, [page.project_id, unit_radio], texts)
    page.on(unit_radio.input, show_texts, [page.project_id, unit_radio], texts)
    page.on(agreement_tab.select, show_agreement, [page.project_id], agreed)
    for name, tab in zip(TABS, (matrix_tab, work_tab, texts_tab, agreement_tab), strict=True):
        shown = "null" if name == TABS[0] else f"'{name}'"
        tab.select(fn=None, js=f"() => studio.setParam('tab', {shown})")


def _build_matrix(page: Page, new_btn: gr.Button) -> list:
    difficulty_radio = gr.Radio(DIFFICULTIES, value=0, label="Difficulty", elem_classes="segments")
    with gr.Row(elem_classes="split coverage-split"):
        with gr.Column(scale=7, min_width=300, elem_classes="matrix-side"):
            matrix_html = coverage_matrix()
        with gr.Column(scale=3, min_width=300, elem_classes="pane", elem_id="cell"):
            changed_html = change_notice()
            with gr.Column(visible=False, elem_classes="target-form") as new_col:
                with gr.Column():
                    task_dd = gr.Dropdown([], label="Task", allow_custom_value=True, elem_id="field-task",
                                          info="One in use, or a new name.")  # fmt: skip
                    specialty_dd = gr.Dropdown(
                        [("All specialties", "")], value="", label="Specialty", allow_custom_value=True,
                        elem_id="field-specialty",
                    )  # fmt: skip
                    difficulty_dd = gr.Dropdown(DIFFICULTIES, value=0, label="Difficulty")
                    new_nb = gr.Number(
                        None, label="Approved records wanted", precision=0, elem_id="field-count"
                    )
                with gr.Row(elem_classes="actions"):
                    add_btn = gr.Button("Set target", variant="primary", elem_id="add-target-btn")
                    cancel_btn = gr.Button("Close")
            cell_html = cell_panel()
            with gr.Column(visible=False, elem_classes="target-form") as form_col:
                count_nb = gr.Number(
                    None, label="Target: approved records wanted", precision=0, elem_id="field-count"
                )
                with gr.Row(elem_classes="actions"):
                    save_btn = gr.Button("Save target", elem_id="save-target-btn")
                    remove_btn = gr.Button(
                        "Remove target", variant="stop", visible=False, elem_id="remove-target-btn"
                    )
            gaps_html = gap_list()
    here_state, undo_state = gr.State(OpenCell()), gr.State(None)

    side = [difficulty_radio, matrix_html, cell_html, gaps_html, form_col, count_nb, remove_btn, new_col,
            changed_html, here_state, undo_state]  # fmt: skip
    at = [page.project_id, here_state]
    page.on(difficulty_radio.input, choose_difficulty, [*at, difficulty_radio], side)
    opened = [
        page.on(matrix_html.open, open_cell, [page.project_id, difficulty_radio], side),
        page.on(gaps_html.open, open_gap, [page.project_id], side),
    ]
    page.on(cell_html.narrow, narrow, at, side)
    page.on(cell_html.close, close_cell, [page.project_id, difficulty_radio], side)
    page.on(save_btn.click, save_target, [*at, count_nb], side)
    page.on(count_nb.submit, save_target, [*at, count_nb], side)
    page.on(remove_btn.click, remove_target, at, side)
    page.on(changed_html.undo, undo_target, [*at, undo_state], side)
    form = [task_dd, specialty_dd, difficulty_dd, new_nb]
    opened.append(page.on(new_btn.click, begin_target, at, [new_col, form_col, *form]))
    page.on(add_btn.click, add_target, [page.project_id, *form], side)
    page.on(cancel_btn.click, close_form, None, new_col)
    for step in opened:
        step.then(fn=None, js="() => studio.reveal('cell')")
    return side


def _build_work() -> list:
    gr.Markdown("## Throughput")
    weeks_html = bar_charts(5, elem_classes="small-charts")
    queue_html = bar_charts(1, elem_classes="one-chart")
    reasons_html = rank_charts()
    shares_html = rank_charts()
    return [weeks_html, queue_html, reasons_html, shares_html]


def _build_texts() -> tuple[gr.Radio, list]:
    unit_radio = gr.Radio([("Words", "words"), ("Tokens", "tokens")], value="words", label="Lengths in",
                          elem_classes="segments")  # fmt: skip
    progress_html = progress_bar()
    lengths_html = bar_charts(len(text_figures.FIELDS))
    gr.Markdown("## What the instructions ask for")
    sentence_html = View(SENTENCE, "")
    verbs_html = sunburst()
    return unit_radio, [progress_html, lengths_html, verbs_html, sentence_html]


def _build_agreement() -> list:
    gr.Markdown(
        "How far reviewers who decided on their own agree: 1 is always, 0 is what chance alone would give. "
        "The lines are 95 % bootstrap intervals over submissions.",
        elem_classes="muted",
    )
    overall_html, pairs_html = intervals(), intervals()
    return [overall_html, pairs_html, View(EMPTY, {"empty": None})]
