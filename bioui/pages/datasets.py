"""Datasets: freeze approved instructions into versions that never change, and read what was frozen."""

from collections.abc import Iterator

import gradio as gr

from bioui.components.contamination_table import NO_HITS, contamination_table, hits_value
from bioui.components.frame import page_frame
from bioui.components.freeze_form import NAMES, Chosen, chosen_of, count_value, freeze_form, recipe_of
from bioui.components.freeze_plan import Looked, Planning, plan_value
from bioui.components.freeze_screening import evaluation_choices
from bioui.components.freeze_unreviewed import offered_runs
from bioui.components.notice import NO_NOTICE, notice
from bioui.components.progress import NO_PROGRESS, progress_value
from bioui.components.spread import spread
from bioui.components.table import row_id, table
from bioui.components.version_panel import NO_VERSION, version_panel, version_value
from bioui.components.version_report import NO_REPORT, report_view
from bioui.components.version_tabs import no_tab_values, tab_values, version_tabs
from bioui.frozen import (
    EMPTY,
    Reading,
    frozen_notice,
    get_version_of,
    hash_notice,
    same_notice,
    target_dataset,
    versions_value,
)
from bioui.handling import actor_of, needs
from db import datasets, search
from db.freezing import Contaminated, Plan
from db.policy import PolicyError, Right
from db.session import Session, read, write

TITLE = "Datasets"
PATH = "/datasets"
RIGHT = Right.READ
NOT_LOOKED = (NO_PROGRESS, NO_REPORT, NO_HITS, 0, Looked())  # what stands under the form before a look
PANE = 6 + len(no_tab_values())  # components of the pane, open_pane fills them


# Handlers -----------------------------------------------------------------------------------------------


@needs(RIGHT)
def show_page(project_id: int, request: gr.Request):
    """The page as its address says: ?version=, and of it ?tab= and ?against=."""
    asked = request.query_params
    version_id, against_id = (int(asked.get(name, "")) if asked.get(name, "").isdigit() else 0
                              for name in ("version", "against"))  # fmt: skip
    with read() as session:
        return open_pane(
            session, project_id, version_id, request, tab=asked.get("tab", "rows"), against_id=against_id
        )


@needs(RIGHT)
def open_version(project_id: int, event: gr.EventData, request: gr.Request):
    with read() as session:
        return open_pane(session, project_id, row_id(event), request)


@needs(RIGHT)
def close_pane(project_id: int, request: gr.Request):
    with read() as session:
        return open_pane(session, project_id, 0, request)


def open_pane(
    session: Session,
    project_id: int,
    version_id: int,
    request: gr.Request,
    said: dict = NO_NOTICE,
    *,
    tab: str = "rows",
    against_id: int = 0,
):
    """The list with that version beside it (0: none, the list alone), in the order of build()'s `pane`."""
    listed = versions_value(session, project_id, open_id=version_id)
    actor = actor_of(session, request)
    new = gr.Button(visible=actor.can(Right.FREEZE))
    closed = gr.Column(visible=False)
    if not version_id:
        return (listed, new, closed, closed, said, NO_VERSION, *no_tab_values())
    version = get_version_of(session, project_id, version_id)
    panel = version_value(version, datasets.count_rows(session, version.id), actor)
    tabs = tab_values(session, actor, version, tab, against_id=against_id)
    return (listed, new, closed, gr.Column(visible=True), said, panel, *tabs)


@needs(RIGHT)
def verify_hash(reading: Reading, request: gr.Request):
    with read() as session:
        return hash_notice(session, reading.version_id)


@needs(Right.FREEZE)
def open_form(project_id: int, request: gr.Request):
    """The freeze form in place of an open version, with what the project offers to choose from."""
    with read() as session:
        labels = search.used_labels(session, project_id)
        names = [dataset.name for dataset in datasets.list_datasets(session, project_id)]
        return (
            versions_value(session, project_id, open_id=-1),
            gr.Button(visible=False),
            gr.Column(visible=True),
            gr.Column(visible=False),
            gr.Dropdown(choices=names),
            gr.Dropdown(choices=[("Any", ""), *labels["task"]]),
            gr.Dropdown(choices=[("Any", ""), *labels["specialty"]]),
            gr.Dropdown(choices=evaluation_choices(session, project_id)),
            offered_runs(session, project_id),
        )


@needs(Right.FREEZE)
def count_chosen(
    project_id: int,
    categories,
    origins,
    task,
    specialty,
    text,
    validation,
    test,
    seed,
    unreviewed_runs,
    request: gr.Request,
):
    chosen = recipe_of(categories, origins, task, specialty, text, unreviewed_runs=unreviewed_runs)
    with read() as session:
        return count_value(session, project_id, chosen, validation, test)


@needs(Right.FREEZE)
def ask_reason(then: str, request: gr.Request):
    return gr.Textbox(visible=then == Contaminated.WAIVE)


@needs(Right.FREEZE)
@spread(*NAMES)
def look_first(project_id: int, name, values: tuple, request: gr.Request):
    """What these settings would freeze, worked out with its progress shown. Nothing is stored."""
    chosen = chosen_of(values)
    planning = Planning(project_id, chosen)
    for progress in planning.watch():
        yield progress, *(gr.skip(),) * (len(NOT_LOOKED) - 1)
    try:
        plan = planning.result()
    except (PolicyError, LookupError, ValueError):
        yield NOT_LOOKED
        raise
    yield _looked(project_id, chosen, plan, name)


def _looked(project_id: int, chosen: Chosen, plan: Plan, name) -> tuple:
    """What stands under the form once a plan is there."""
    with read() as session:
        shown = plan_value(session, plan, (name or "").strip())
    return NO_PROGRESS, shown, hits_value(project_id, plan.report), 0, Looked(project_id, chosen, plan)


@needs(Right.FREEZE)
@spread(*NAMES)
def freeze(project_id: int, looked: Looked, name, values: tuple, request: gr.Request) -> Iterator:
    """Freeze what was looked at, or else what the form says, and open it.

    When it cannot be, nothing is kept, a new dataset neither; and the look is over: it may have gone stale.
    """
    chosen = chosen_of(values)
    if not (name or "").strip():
        raise ValueError("name: give the dataset a name.")
    kept, unchanged = (gr.skip(),) * (len(NOT_LOOKED) - 1), (gr.skip(),) * PANE
    plan = looked.plan_for(project_id, chosen)
    try:
        if plan is None:
            planning = Planning(project_id, chosen)
            for progress in planning.watch():
                yield progress, *kept, *unchanged
            plan = planning.result()
        if plan.refusal:
            yield *_looked(project_id, chosen, plan, name), *unchanged
            raise ValueError(plan.refusal)
        rows = f"Copying and hashing {len(plan.rows):,} rows."
        yield progress_value("Freezing", 0, 0, note=rows), *kept, *unchanged
        with write() as session:
            actor = actor_of(session, request)
            dataset_id = target_dataset(session, actor, project_id, name)
            same = datasets.same_version(session, dataset_id, plan.content_hash)
            version_id = datasets.freeze(session, actor, dataset_id, chosen.recipe, plan=plan).id
    except (PolicyError, LookupError, ValueError):
        if plan is None or not plan.refusal:
            yield *NOT_LOOKED, *unchanged
        raise
    with read() as session:
        version = datasets.get_version(session, version_id)
        said = same_notice(version) if same else frozen_notice(version, actor)
        yield *NOT_LOOKED, *open_pane(session, project_id, version_id, request, said)


# Layout and wiring --------------------------------------------------------------------------------------


def build() -> None:
    page = page_frame(
        TITLE,
        "Freeze approved instructions into versions that never change, for training to rely on.",
    )
    with page.actions:
        new_btn = gr.Button("Freeze a version", variant="primary", visible=False)
    reading_state, looked_state = gr.State(Reading()), gr.State(Looked(), time_to_live=3600)
    with gr.Row(elem_classes="split"):
        with gr.Column(scale=2, min_width=260):
            versions_html = table("Frozen versions", param="version", empty_value=EMPTY)
        with gr.Column(
            scale=5, min_width=320, visible=False, elem_classes="pane", elem_id="form-pane"
        ) as form_col:
            form = freeze_form()
            plan_html = report_view(elem_id="plan")
            hits = contamination_table(page, looked_state, lambda session, looked: looked.report)
        with gr.Column(
            scale=5, min_width=320, visible=False, elem_classes="pane", elem_id="version-pane"
        ) as version_col:
            version_html = version_panel()
            notice_html = notice()
            tabs = version_tabs(page, reading_state)

    pane = [versions_html, new_btn, form_col, version_col, notice_html, version_html, *tabs]
    page.on_load(show_page, pane)
    opened = page.on(versions_html.open, open_version, [page.project_id], pane)
    opened.then(fn=None, js="() => studio.reveal('version-pane')")
    page.on(version_html.close, close_pane, [page.project_id], pane)
    page.on(version_html.verify, verify_hash, [reading_state], [notice_html])

    offered = [versions_html, new_btn, form_col, version_col, form.name_dd, form.task_dd, form.specialty_dd]
    offered += [form.screening.against_dd, form.unreviewed_dd]
    begun = page.on(new_btn.click, open_form, [page.project_id], offered, problem=form.problem)
    counting = [page.project_id, *form.counted]
    page.on(begun.then, count_chosen, counting, [form.count_html], problem=form.problem)
    begun.then(fn=None, js="() => studio.reveal('form-pane')")
    for field in form.counted:
        page.on(field.change, count_chosen, counting, [form.count_html], problem=gr.State(None))
    then_radio = form.screening.then_radio
    page.on(then_radio.input, ask_reason, [then_radio], [form.screening.reason_tb], problem=form.problem)

    under_form = [form.progress_html, plan_html, *hits.outputs, looked_state]
    looking = [page.project_id, form.name_dd, *form.inputs]
    looked = page.on(form.look_btn.click, look_first, looking, under_form, problem=form.problem)
    looked.then(fn=None, js="() => studio.reveal('plan')")
    freezing = [page.project_id, looked_state, form.name_dd, *form.inputs]
    page.on(form.freeze_btn.click, freeze, freezing, [*under_form, *pane], problem=form.problem)
    page.on(form.close_btn.click, close_pane, [page.project_id], pane)
