"""How long a project keeps the texts of its playground, and what a shorter time would empty."""

import gradio as gr

from bioui.components.frame import Page
from bioui.components.problem import problem_area
from bioui.components.view import View
from bioui.handling import actor_of, needs
from bioui.present import counted
from db import retention
from db.policy import Right
from db.projects import get_project
from db.session import Session, read, write

TEMPLATE = """
<p class="field-help" role="status">{{value.told}}</p>
"""
NOT_TOLD = {"told": ""}
FOR_EVER = "Texts are kept for ever."


def days_of(given: float | None) -> int | None:
    """What was typed as whole days; None for 0 or nothing. Raises ValueError, naming the field."""
    if not given:
        return None
    if isinstance(given, bool) or not isinstance(given, int | float) or int(given) != given:
        raise ValueError("days: give a whole number of days, 0 for ever.")
    return int(given)


def told_value(session: Session, project_id: int, days: int | None) -> dict:
    """What keeping texts for so many days comes to now."""
    if days is None:
        return {"told": FOR_EVER}
    older = len(retention.list_older(session, project_id, days))
    if not older:
        return {"told": f"Kept for {counted(days, 'day')}, nothing would be emptied now."}
    gone = "Once saved, their texts are gone for good within the hour."
    return {"told": f"Older now: {counted(older, 'comparison')}. {gone}"}


@needs(Right.MANAGE_PROJECT)
def show_retention(project_id: int, request: gr.Request):
    with read() as session:
        days = retention.days_of(get_project(session, project_id))
        return days or 0, told_value(session, project_id, days)


@needs(Right.MANAGE_PROJECT)
def preview_retention(project_id: int, given, request: gr.Request):
    """Before anything is saved: how many texts so many days would take."""
    with read() as session:
        return told_value(session, project_id, days_of(given))


@needs(Right.MANAGE_PROJECT)
def save_retention(project_id: int, given, request: gr.Request):
    days = days_of(given)
    with write() as session:
        retention.set_days(session, actor_of(session, request), project_id, days)
        told = told_value(session, project_id, days)
    gr.Success("Saved.", duration=4)
    return told


def retention_form(page: Page) -> None:
    """The form, laid out where it is called."""
    with gr.Column(elem_classes="section"):
        gr.Markdown("## Texts of the playground")
        problem = problem_area()
        days_num = gr.Number(
            label="Days that they are kept", value=0, precision=0, minimum=0, maximum=retention.LONGEST,
            elem_id="field-keep-days",
            info="Older prompts, answers and comments are emptied; votes, rubrics and figures stay, and so "
            "does what became an instruction, belongs to an open round or to a batch that runs. 0: for ever.",
        )  # fmt: skip
        told_html = View(TEMPLATE, NOT_TOLD)
        with gr.Row(elem_classes="actions"):
            save_btn = gr.Button("Save days", elem_id="save-days-btn")
    page.on_load(show_retention, [days_num, told_html])
    page.on(days_num.input, preview_retention, [page.project_id, days_num], told_html, problem=problem)
    page.on(save_btn.click, save_retention, [page.project_id, days_num], told_html, problem=problem)
