"""Letting an adapter leave although it fails the regression gate, with a reason, on the Models page."""

import gradio as gr

from bioui.components.fold import fold
from bioui.components.frame import Page
from bioui.components.problem import problem_area
from bioui.components.view import View
from bioui.handling import actor_of, needs
from db import exports, gates
from db.gates import State
from db.policy import Right
from db.session import Session, read, write

TEMPLATE = '<p class="pane-lead">{{value.text}}</p>'
NO_WORDS = {"text": ""}


@needs(Right.EVALUATE)
def show_waiver(project_id: int, opened, request: gr.Request):
    """The part for the open adapter; closed where none is open, or it does not fail."""
    with read() as session:
        return _shown(session, project_id, opened)


@needs(Right.EVALUATE)
def waive(project_id: int, opened, reason: str, request: gr.Request):
    """Let the open adapter leave, for that reason."""
    with write() as session:
        adapter = exports.get_adapter(session, project_id, opened.adapter_id)
        gates.waive(session, actor_of(session, request), adapter.id, reason or "")
        session.flush()
        return _shown(session, project_id, opened)


@needs(Right.EVALUATE)
def withdraw(project_id: int, opened, request: gr.Request):
    """Let the gate hold the open adapter back again."""
    with write() as session:
        adapter = exports.get_adapter(session, project_id, opened.adapter_id)
        gates.withdraw_waiver(session, actor_of(session, request), adapter.id)
        session.flush()
        return _shown(session, project_id, opened)


def _shown(session: Session, project_id: int, opened) -> tuple:
    """(the fold, what it says, the reason, the two buttons)."""
    if not opened.adapter_id:
        return gr.Column(visible=False), NO_WORDS, "", gr.skip(), gr.skip()
    found = gates.verdict(session, exports.get_adapter(session, project_id, opened.adapter_id))
    if found.state is not State.FAILED:
        return gr.Column(visible=False), NO_WORDS, "", gr.skip(), gr.skip()
    may = "It may leave." if found.waiver else "It is not pushed to the Hub until somebody says why it may."
    reason = found.waiver.reason if found.waiver else ""
    return (
        gr.Column(visible=True),
        {"text": f"{found.sentence} {may}"},
        reason,
        gr.Button(visible=found.waiver is None),
        gr.Button(visible=found.waiver is not None),
    )


def gate_waiver(page: Page, opened_state: gr.State, steps: list[gr.events.Dependency]) -> None:
    """Lay the part out where it is called; `steps` are the events after which another model is open."""
    problem = problem_area()
    with fold("Regression gate: failed", visible=False) as box:
        words_html = View(TEMPLATE, NO_WORDS)
        reason_tb = gr.Textbox(
            label="Reason",
            info="Why it may leave although it fails. Kept with the adapter, and told on its card.",
            elem_id="field-reason",
        )
        with gr.Row(elem_classes="actions"):
            waive_btn = gr.Button("Waive the gate", size="sm")
            withdraw_btn = gr.Button("Take the waiver back", size="sm", visible=False)
    shown = [box, words_html, reason_tb, waive_btn, withdraw_btn]
    at = [page.project_id, opened_state]
    for step in steps:
        page.on(step.then, show_waiver, at, shown, problem=gr.State(None))
    page.on(waive_btn.click, waive, [*at, reason_tb], shown, problem=problem)
    page.on(withdraw_btn.click, withdraw, at, shown, problem=problem)
