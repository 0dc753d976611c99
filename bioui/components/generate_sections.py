"""The sections of an open run: the records of a stage, the calls, the audit sample, settings and log."""

from dataclasses import dataclass, field, replace

import gradio as gr

from bioui.components.facts import fact_list
from bioui.components.frame import Page
from bioui.components.funnel_chart import stage_of
from bioui.components.funnel_examples import HINT, NO_EXAMPLES, examples_value, funnel_examples
from bioui.components.generate_audit import (
    NO_AUDIT,
    USUAL,
    audit_value,
    audit_view,
    can_draw,
    interval_of,
)
from bioui.components.generate_calls import NO_CALL, NO_CALLS, call_value, call_view, calls_value
from bioui.components.interval_chart import NO_INTERVALS, intervals
from bioui.components.job_panel import NO_LOG, log_tail
from bioui.components.table import Trail, row_id, table, table_value
from bioui.components.view import View
from bioui.generating import funnel_of, linked_run, log_of, settings_of
from bioui.handling import actor_of, needs
from db import generation_audits, generation_figures, generation_runs
from db.generating.funnel import Stage
from db.policy import Right
from db.session import Session, read, write
from db.tables import Job

SECTIONS = {
    "records": "Records",
    "calls": "Calls",
    "audit": "Audit sample",
    "settings": "Settings and log",
}
RIGHT = Right.RUN_FACTORY
NO_TABLE = table_value([], [], empty=NO_CALLS)
NO_FACTS = {"facts": []}


@dataclass(frozen=True)
class Opened:
    """What the sections of a run show."""

    section: str = "records"
    stage: str = ""
    examples: Trail = field(default_factory=Trail)
    calls: Trail = field(default_factory=Trail)
    call: int | None = None  # its number, from 0


@dataclass(frozen=True)
class Sections:
    """The components; `outputs` in the order that `sections_value` fills them."""

    outputs: list
    opened: gr.State
    calls_html: View
    log_html: View


def nothing_open() -> tuple:
    """The sections while no run is open."""
    return (
        Opened(), "records", *(gr.skip(),) * len(SECTIONS), NO_EXAMPLES, NO_TABLE, NO_CALL, NO_AUDIT,
        NO_INTERVALS, gr.skip(), NO_FACTS, NO_LOG,
    )  # fmt: skip


def sections_value(session: Session, job: Job, opened: Opened) -> tuple:
    """All sections of a run: the open one filled, the others empty until they are opened."""
    section = opened.section
    columns = (gr.Column(visible=name == section) for name in SECTIONS)
    records = _examples(session, job, opened) if section == "records" else NO_EXAMPLES
    calls, call = _calls(session, job, opened) if section == "calls" else (NO_TABLE, NO_CALL)
    audit = _audit(session, job) if section == "audit" else (NO_AUDIT, NO_INTERVALS, gr.skip())
    settings = (settings_of(session, job), log_of(job.id)) if section == "settings" else (NO_FACTS, NO_LOG)
    return opened, section, *columns, records, calls, call, *audit, *settings


def fresh_calls(session: Session, job: Job, opened: Opened) -> dict:
    """The list of calls for a tick: only the first page, which alone grows, and only while it is seen."""
    if opened.section != "calls" or opened.calls != Trail():
        return gr.skip()
    return _calls(session, job, replace(opened, call=None))[0] if opened.call is None else gr.skip()


# handlers ---------------------------------------------------------------------------------------------


@needs(RIGHT)
def choose_section(project_id: int, opened: Opened, section: str, request: gr.Request):
    if section not in SECTIONS:
        raise ValueError("There is no such section.")
    return _shown(project_id, replace(opened, section=section, calls=Trail(), call=None), request)


@needs(RIGHT)
def open_stage(project_id: int, opened: Opened, event: gr.EventData, request: gr.Request):
    """The records that ended at a stage of the funnel."""
    stage = stage_of(event.stage)
    now = replace(opened, section="records", stage=stage.value, examples=Trail())
    with read() as session:
        job = linked_run(session, project_id, request)
        return funnel_of(session, job, stage=stage.value), *sections_value(session, job, now)


@needs(RIGHT)
def older_examples(project_id: int, opened: Opened, request: gr.Request):
    with read() as session:
        job = linked_run(session, project_id, request)
        page = generation_figures.list_examples(
            session, job.id, opened.stage, before=opened.examples.before_id
        )
    return _shown(project_id, replace(opened, examples=opened.examples.older(page.next_before)), request)


@needs(RIGHT)
def newer_examples(project_id: int, opened: Opened, request: gr.Request):
    return _shown(project_id, replace(opened, examples=opened.examples.newer()), request)


@needs(RIGHT)
def older_calls(project_id: int, opened: Opened, request: gr.Request):
    with read() as session:
        job = linked_run(session, project_id, request)
        page = generation_figures.list_calls(session, job.id, before=opened.calls.before_id)
    trail = opened.calls.older(page.next_before)
    return _shown(project_id, replace(opened, calls=trail, call=None), request)


@needs(RIGHT)
def newer_calls(project_id: int, opened: Opened, request: gr.Request):
    return _shown(project_id, replace(opened, calls=opened.calls.newer(), call=None), request)


@needs(RIGHT)
def open_call(project_id: int, opened: Opened, event: gr.EventData, request: gr.Request):
    """A call of the list, whose row's id is its number + 1."""
    return _shown(project_id, replace(opened, section="calls", call=row_id(event) - 1), request)


@needs(RIGHT)
def open_call_of(project_id: int, opened: Opened, event: gr.EventData, request: gr.Request):
    """The call that an example came from."""
    number = int(event.number)
    trail = Trail((None, number + 1)) if number >= 0 else Trail()
    return _shown(project_id, replace(opened, section="calls", calls=trail, call=number), request)


@needs(RIGHT)
def close_call(project_id: int, opened: Opened, request: gr.Request):
    return _shown(project_id, replace(opened, call=None), request)


@needs(Right.REVIEW)
def draw_sample(project_id: int, opened: Opened, size: float | None, request: gr.Request):
    """Draw the run's next audit sample."""
    if size is None or size != int(size):
        raise ValueError(f"size: say how many records to draw; {USUAL} is usual.")
    with write() as session:
        job = linked_run(session, project_id, request)
        actor = actor_of(session, request)
        earlier = len(generation_audits.list_samples(session, job.id))
        generation_audits.draw_sample(session, actor, job.id, size=int(size), seed=42 + earlier)
        session.flush()
        return sections_value(session, job, replace(opened, section="audit"))


def _shown(project_id: int, opened: Opened, request: gr.Request) -> tuple:
    with read() as session:
        return sections_value(session, linked_run(session, project_id, request), opened)


def _examples(session: Session, job: Job, opened: Opened) -> dict:
    if not opened.stage:
        return {**NO_EXAMPLES, "hint": HINT}
    page = generation_figures.list_examples(session, job.id, opened.stage, before=opened.examples.before_id)
    nearest = {one.id: (one.detail.get("near") or {}).get("id") for one in page.candidates}
    texts = generation_figures.texts_of(session, [id for id in nearest.values() if id])
    counts = [
        (count.reason, count.rows)
        for count in generation_runs.funnel_counts(session, job.id)
        if count.stage == opened.stage
    ]
    return examples_value(
        Stage(opened.stage), page, {id: texts[near] for id, near in nearest.items() if near in texts},
        project_id=job.project_id, trail=opened.examples, reasons=counts,
    )  # fmt: skip


def _calls(session: Session, job: Job, opened: Opened) -> tuple[dict, dict]:
    page = generation_figures.list_calls(session, job.id, before=opened.calls.before_id)
    listed = calls_value(page, opened.calls, current=opened.call)
    if opened.call is None:
        return listed, NO_CALL
    call = generation_figures.get_call(session, job.id, opened.call)
    candidates = generation_figures.candidates_of(session, call.id)
    return listed, call_value(call, candidates, project_id=job.project_id)


def _audit(session: Session, job: Job) -> tuple:
    found = generation_audits.audit_of(session, job.id)
    undecided = generation_audits.list_undecided(session, job.id)
    kept = generation_runs.count_kept(session, job.id)
    return (
        audit_value(found, undecided, project_id=job.project_id),
        interval_of(found),
        gr.Row(visible=can_draw(found, kept)),
    )


# layout and wiring ------------------------------------------------------------------------------------


def run_sections(page: Page, funnel_html: View) -> Sections:
    """Lay the sections out; a press on a stage of the funnel fills the first."""
    section_radio = gr.Radio(
        [(words, name) for name, words in SECTIONS.items()], value="records", show_label=False,
        container=False, label="Of this run", elem_classes="tabs-row", elem_id="run-sections",
    )  # fmt: skip
    opened_state = gr.State(Opened())
    columns = {}
    for name in SECTIONS:
        with gr.Column(visible=name == "records", elem_id=f"run-{name}", elem_classes="tab-body") as column:
            columns[name] = column
    with columns["records"]:
        examples_html = funnel_examples()
    with columns["calls"]:
        call_html = call_view()
        calls_html = table("Calls", empty_value=NO_CALLS)
    with columns["audit"]:
        audit_html = audit_view()
        interval_html = intervals()
        with gr.Row(elem_classes="actions audit-draw", visible=False) as draw_row:
            size_nb = gr.Number(
                USUAL, label="Records to draw", precision=0, elem_id="field-size", min_width=160, scale=0
            )
            draw_btn = gr.Button("Draw a sample", elem_id="draw-btn")
    with columns["settings"]:
        settings_html, log_html = fact_list(), log_tail()
    outputs = [
        opened_state, section_radio, *columns.values(), examples_html, calls_html, call_html, audit_html,
        interval_html, draw_row, settings_html, log_html,
    ]  # fmt: skip
    at = [page.project_id, opened_state]
    page.on(section_radio.input, choose_section, [*at, section_radio], outputs)
    staged = page.on(funnel_html.stage, open_stage, at, [funnel_html, *outputs])
    page.on(examples_html.older, older_examples, at, outputs)
    page.on(examples_html.newer, newer_examples, at, outputs)
    page.on(calls_html.older, older_calls, at, outputs)
    page.on(calls_html.newer, newer_calls, at, outputs)
    shown = page.on(calls_html.open, open_call, at, outputs)
    followed = page.on(examples_html.call, open_call_of, at, outputs)
    page.on(call_html.close, close_call, at, outputs)
    page.on(draw_btn.click, draw_sample, [*at, size_nb], outputs, trigger_mode="once")
    staged.then(fn=None, js="() => studio.reveal('run-records')")
    for step in (shown, followed):
        step.then(fn=None, js="() => studio.reveal('call-detail')")
    return Sections(outputs, opened_state, calls_html, log_html)
