"""The composition of a conversion, or of all a project holds: chosen, reckoned with progress, drawn."""

from collections.abc import Callable

import gradio as gr

from bioui.components.bar_chart import bar_charts
from bioui.components.composition_view import (
    NO_CHARTS,
    NO_HEAD,
    NO_TABLES,
    composition_head,
    composition_tables,
    head_value,
    labels_value,
    lengths_value,
    shares_value,
    tables_value,
)
from bioui.components.empty import TEMPLATE as EMPTY_TEMPLATE
from bioui.components.empty import empty_state
from bioui.components.frame import Page
from bioui.components.problem import problem_area
from bioui.components.progress import NO_PROGRESS, progress_bar, progress_value
from bioui.components.rank_chart import rank_charts
from bioui.components.version_panel import version_name
from bioui.components.view import View
from bioui.handling import needs
from bioui.work import Work
from db import composing, conversion_figures, datasets, freezing
from db.corpora import composition
from db.corpora.composition import Composition
from db.policy import Right
from db.session import Session, read
from db.tables import Job

RIGHT = Right.RUN_FACTORY
ALL = 0  # in place of a conversion's job: every record of the project
NOTHING = empty_state(
    "Nothing reckoned yet.",
    "Choose what to look at and reckon: rows, tokens and shares, lengths, labels, copies, and what "
    "evaluation sets it overlaps.",
)
NO_ROWS = empty_state("No record.", "What you chose holds no record; convert a corpus first.")
MARKUP = "{{#if value.empty.title}}" + EMPTY_TEMPLATE + "{{/if}}"


# data -------------------------------------------------------------------------------------------------


def scope_choices(session: Session, project_id: int) -> list[tuple[str, int]]:
    """All of the project, then its conversions that have records, newest first."""
    page = conversion_figures.list_runs(session, project_id, limit=200)
    made = [job for job in page.jobs if _has_records(session, page, job)]
    return [("Everything in the project", ALL), *((f"{job.name} (number {job.id})", job.id) for job in made)]


def version_choices(session: Session, project_id: int) -> list[tuple[str, int]]:
    return [(version_name(version), version.id) for version in datasets.list_versions(session, project_id)]


def reckon(
    project_id: int, scope: int, against: list[int], exact_tokens: bool, report: Callable[[int], None]
) -> Composition:
    """One pass over the records. Raises LookupError for what is not this project's."""
    with read() as session:
        conditions = conversion_figures.scope(session, project_id, scope or None)
        known = {id for _, id in version_choices(session, project_id)}
        if not set(against) <= known:
            raise LookupError("This project has no such dataset version.")
        sets = [freezing.evaluation_set(session, id) for id in against]
        rows = composing.stored_rows(session, conditions)
        for step in composition.analyse(rows, against=sets, exact_tokens=exact_tokens):
            if isinstance(step, Composition):
                return step
            report(step)
    raise RuntimeError("composition: the pass ended without a result")


# handlers ---------------------------------------------------------------------------------------------


@needs(RIGHT)
def show_tab(project_id: int, scope: int | None, request: gr.Request):
    """What can be looked at; the conversion of ?of= is chosen."""
    wanted = request.query_params.get("of", "")
    with read() as session:
        scopes = scope_choices(session, project_id)
        versions = version_choices(session, project_id)
    known = [id for _, id in scopes]
    asked = int(wanted) if wanted.isascii() and wanted.isdigit() and int(wanted) in known else None
    chosen = asked if asked is not None else scope if scope in known else known[min(1, len(known) - 1)]
    return gr.Dropdown(choices=scopes, value=chosen), gr.Dropdown(choices=versions)


@needs(RIGHT)
def show_composition(
    project_id: int, scope: int | None, against: list[int] | None, exact: bool, request: gr.Request
):
    """Reckon and draw; the counts so far are told meanwhile."""
    with read() as session:
        total = conversion_figures.count_in(
            session, conversion_figures.scope(session, project_id, scope or None)
        )
    busy, same = gr.Button(interactive=False), [gr.skip()] * 7
    yield progress_value("reckoning", 0, total, unit="rows"), *same[:-1], busy
    work = Work(
        lambda report: reckon(project_id, scope or ALL, list(against or ()), bool(exact), report), stops=True
    )
    for done in work.watch():
        yield progress_value("reckoning", done, total, unit="rows", seconds=work.seconds), *same
    yield NO_PROGRESS, *same[:-1], gr.Button(interactive=True)
    yield NO_PROGRESS, *drawn(work.result()), gr.Button(interactive=True)


def drawn(found: Composition) -> tuple:
    """Empty state, head, shares, lengths, labels, tables and whether labels are shown."""
    if not found.rows:
        return {"empty": NO_ROWS}, NO_HEAD, NO_CHARTS, NO_CHARTS, NO_CHARTS, NO_TABLES
    return (
        {"empty": empty_state("", "")},
        head_value(found),
        shares_value(found),
        lengths_value(found),
        labels_value(found),
        tables_value(found),
    )


def _has_records(session: Session, page: conversion_figures.RunPage, job: Job) -> bool:
    found = page.conversions.get(job.id)
    return found is not None and found.taken_back_at is None and bool(found.tally)


# layout and wiring ------------------------------------------------------------------------------------


def composition_tab(page: Page, tab: gr.Tab) -> None:
    """Lay the tab out and wire it."""
    problem = problem_area()
    with gr.Row(elem_classes="filters composition-choice"):
        scope_dd = gr.Dropdown([], value=None, label="Of what", elem_id="field-scope", scale=3)
        against_dd = gr.Dropdown(
            [],
            value=[],
            multiselect=True,
            label="Compare with evaluation sets",
            elem_id="field-against",
            scale=3,
        )
        exact_check = gr.Checkbox(label="Count tokens exactly", elem_id="field-exact", scale=2)
        reckon_btn = gr.Button("Reckon", variant="primary", elem_id="reckon-btn", scale=0)
    bar_html = progress_bar()
    empty_html = View(MARKUP, {"empty": NOTHING})
    head_html = composition_head()
    shares_html = rank_charts(elem_classes="composition-shares")
    lengths_html = bar_charts(0, elem_classes="small-charts composition-lengths")
    labels_html = rank_charts(elem_classes="composition-labels")
    tables_html = composition_tables()
    for charts in (shares_html, labels_html):
        charts.value = NO_CHARTS
    shown = [bar_html, empty_html, head_html, shares_html, lengths_html, labels_html, tables_html, reckon_btn]
    page.on(tab.select, show_tab, [page.project_id, scope_dd], [scope_dd, against_dd], problem=problem)
    page.on(
        reckon_btn.click, show_composition, [page.project_id, scope_dd, against_dd, exact_check], shown,
        problem=problem, trigger_mode="once", concurrency_limit=2,
    )  # fmt: skip
