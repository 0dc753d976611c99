"""The first section of the page on coverage as plain values: matrix, open square, gaps, form."""

from collections.abc import Mapping

import gradio as gr

from bioui.components.coverage_cell import NOT_CHANGED, OpenCell, cell_value, gaps_value
from bioui.components.coverage_matrix import matrix_value
from bioui.handling import actor_of
from db import coverage
from db.coverage import Place, Target
from db.policy import Right
from db.session import Session

Undo = tuple[Place, Target | None]  # a place and the target it had


def matrix_side(
    session: Session, request: gr.Request, project_id: int, here: OpenCell,
    undo: Undo | None = None, said: dict = NOT_CHANGED,
) -> tuple:  # fmt: skip
    """All of the first section, in the order of the page's `side`."""
    actor = actor_of(session, request)
    cells = coverage.matrix(session, project_id)
    targets = coverage.get_targets(session, project_id)
    target = next((each for each in targets if here.can_have_target and each.place == here.place), None)
    may_set = actor.can(Right.MANAGE_PROJECT)
    square = (here.task, here.specialty) if here.is_open else None
    return (
        gr.Radio(value=here.difficulty or 0),
        matrix_value(cells, targets, difficulty=here.difficulty, is_open=square, project_id=project_id),
        cell_value(cells, targets, here, project_id=project_id, may_write=actor.can(Right.WRITE)),
        gaps_value(coverage.gaps_in(cells, targets), are_wanted=bool(targets)),
        gr.Column(visible=may_set and here.can_have_target),
        gr.Number(value=target.count if target else None),
        gr.Button(visible=target is not None),
        gr.Column(visible=False),
        said,
        here,
        undo,
    )


def opened_by(params: Mapping[str, str]) -> OpenCell:
    """The square that the address bar names, and its difficulty."""
    level = params.get("difficulty", "")
    difficulty = int(level) if level in ("1", "2", "3", "4", "5") else None
    task = params.get("task", "").strip()
    return OpenCell(task, params.get("specialty", "").strip() or None, difficulty, is_open=bool(task))
