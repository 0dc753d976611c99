"""The regression gate's setting: how many points a general task may lose. An admin changes it."""

import gradio as gr

from bioui import boards
from bioui.components.fold import fold
from bioui.components.frame import Page
from bioui.components.problem import problem_area
from bioui.components.view import View
from bioui.handling import actor_of, needs
from db import gates
from db.policy import Right
from db.session import Session, read, write

TEMPLATE = '<p class="pane-lead">{{value.text}}</p>'


def gate_words(points: float | None, general: int) -> str:
    """What the gate asks for, and of which tasks."""
    if points is None:
        return "There is no gate: no adapter is marked. An admin sets one here."
    rule = f"No general task may lose more than {points:g} points against the base."
    if not general:
        return f"{rule} No task is marked as general yet; the Tasks page marks them."
    return f"{rule} General here: {general} of this project's tasks."


@needs(Right.READ)
def show_gate(project_id: int, request: gr.Request):
    with read() as session:
        can_set = actor_of(session, request).can(Right.MANAGE_PROJECT)
        return *_shown(session, project_id), gr.Column(visible=can_set)


@needs(Right.MANAGE_PROJECT)
def save_gate(project_id: int, has_gate: bool, points: float | None, request: gr.Request):
    """Keep the bound; every badge on the board follows it."""
    if has_gate and points is None:
        raise ValueError("points: it is empty; give how many may be lost, or take the gate away.")
    points = points if has_gate else None
    with write() as session:
        gates.set_points(session, actor_of(session, request), project_id, points)
        session.flush()
        return *_shown(session, project_id), boards.board_value(session, project_id, boards.look_of(request))


def _shown(session: Session, project_id: int) -> tuple:
    points = gates.points_of(session, project_id)
    words = gate_words(points, gates.count_general(session, project_id))
    return {"text": words}, points is not None, gates.DEFAULT_POINTS if points is None else points


def gate_setting(page: Page, board_html: View) -> None:
    """Lay the fold out and wire it."""
    with fold("Regression gate", elem_classes="lb-gate"):
        text_html = View(TEMPLATE, {"text": ""})
        with gr.Column(visible=False) as box:
            problem = problem_area()
            gate_cb = gr.Checkbox(True, label="Adapters are held against the gate", elem_id="field-gate")
            points_nb = gr.Number(
                gates.DEFAULT_POINTS,
                label="Points a general task may lose",
                info="Of a hundred, in the task's headline; an adapter that loses more on any of them fails.",
                elem_id="field-points",
            )
            with gr.Row(elem_classes="actions"):
                save_btn = gr.Button("Save the gate", size="sm")
    page.on_load(show_gate, [text_html, gate_cb, points_nb, box])
    saved = [text_html, gate_cb, points_nb, board_html]
    page.on(save_btn.click, save_gate, [page.project_id, gate_cb, points_nb], saved, problem=problem)
