"""The form of a run at work: the fields that go with a mode, and the prompt that follows what is typed."""

from dataclasses import dataclass

import gradio as gr

from bioui.components.frame import Page
from bioui.components.generate_form import (
    MODE_HELP,
    NAMES,
    GenerateForm,
    generate_form,
    spec_of,
    template_choices,
)
from bioui.components.generate_prompt import prompt_value, prompt_view, waiting
from bioui.components.notice import notice
from bioui.components.spread import spread
from bioui.components.view import View
from bioui.handling import Problem, needs
from db import generation_preview
from db.policy import Right
from db.session import read

RIGHT = Right.RUN_FACTORY
NOT_SHOWN = (
    "name",
    "profile",
    "against",
    "temperature",
    "timeout",
    "tries",
    "patience",
)  # change nothing of a prompt


@dataclass(frozen=True)
class StartForm:
    """The form with the prompt below it. `draw` holds the number of the draw that is shown, from 0."""

    form: GenerateForm
    missing_html: View
    prompt_html: View
    close_btn: gr.Button
    draw: gr.State


# handlers ---------------------------------------------------------------------------------------------


@needs(RIGHT)
def choose_mode(project_id: int, mode: str, request: gr.Request):
    """The fields that go with a mode."""
    if mode not in MODE_HELP:
        raise ValueError("mode: choose one of those offered.")
    with read() as session:
        templates = template_choices(session, project_id, mode)
    return (
        gr.Radio(info=MODE_HELP[mode]),
        gr.Dropdown(visible=mode == "evolve"),
        gr.Dropdown(choices=templates, value=0),
    )


@needs(RIGHT)
@spread(*NAMES)
def show_prompt(project_id: int, number: int, values: tuple, request: gr.Request):
    """The very prompt of a draw, and what the run may take; or what is missing for it, in a sentence."""
    return _prompt(project_id, number, values)


@needs(RIGHT)
@spread(*NAMES)
def draw_again(project_id: int, number: int, values: tuple, request: gr.Request):
    return _prompt(project_id, number + 1, values), number + 1


def _prompt(project_id: int, number: int, values: tuple) -> dict:
    with read() as session:
        try:
            _, spec = spec_of(values)
            pool = generation_preview.pool_of(session, project_id, spec)
            found = generation_preview.preview(session, project_id, spec, number, pool=pool)
            outlook = generation_preview.outlook(session, project_id, spec, pool=pool)
        except (ValueError, LookupError) as error:
            if isinstance(error, (KeyError, IndexError)):
                raise
            return waiting(f"No prompt yet: {Problem.of(error).text}")
        return prompt_value(found, project_id=project_id, outlook=outlook, spec=spec)


# layout and wiring ------------------------------------------------------------------------------------


def start_form(page: Page) -> StartForm:
    """Lay the form out where it is called, and let the prompt follow it."""
    with gr.Row(elem_classes="pane-head"):
        View("<h2>New run</h2>")
        close_btn = gr.Button("Close", size="sm", elem_classes="quiet")
    missing_html = notice()
    form = generate_form()
    with form.prompt_column:
        prompt_html = prompt_view()
    draw_state = gr.State(0)
    filled = [page.project_id, draw_state, *form.inputs]
    moded = page.on(
        form.input("mode").input, choose_mode, [page.project_id, form.input("mode")],
        [form.input("mode"), form.aim_dd, form.input("template_id")], problem=form.problem,
    )  # fmt: skip
    page.on(moded.then, show_prompt, filled, prompt_html, problem=form.problem)
    for name, component in zip(NAMES, form.inputs, strict=True):
        if name not in NOT_SHOWN and name != "mode":
            page.on(
                component.input, show_prompt, filled, prompt_html, problem=form.problem,
                trigger_mode="always_last",
            )  # fmt: skip
    page.on(
        form.another_btn.click, draw_again, filled, [prompt_html, draw_state], problem=form.problem,
        trigger_mode="always_last",
    )  # fmt: skip
    return StartForm(form, missing_html, prompt_html, close_btn, draw_state)
