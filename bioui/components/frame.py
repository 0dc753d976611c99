"""What every page stands in: a title with its one sentence, the place for problems, its project."""

from collections.abc import Callable, Sequence
from typing import Any

import gradio as gr

from bioui.components.problem import problem_area
from bioui.components.view import View
from bioui.handling import on, project_of
from db.session import read

TITLE_TEMPLATE = "<h1>{{value.title}}</h1><p>{{value.sentence}}</p>"


class Page:
    """The open page: `project_id` (a State), `problem` (its area), and `on` and `on_load` to wire with.

    `with page.actions:` lays out what stands at the title's right: one primary button, at most a second.
    """

    def __init__(self, actions: gr.Row) -> None:
        self.actions = actions
        self.project_id = gr.State(0)
        self.problem = problem_area()

    def on(self, event: Callable, handler: Callable, inputs=None, outputs=(), **options):
        """`handling.on` with this page's problem area; pass `problem=` for a form's own."""
        return on(event, handler, inputs, outputs, **{"problem": self.problem, **options})

    def on_load(self, handler: Callable, outputs: Sequence | Any = ()):
        """Call `handler(project_id, request)` when the page opens; the project is the one in the URL."""
        outputs = list(outputs) if isinstance(outputs, (list, tuple)) else [outputs]
        blocks = gr.context.Context.root_block
        return on(
            blocks.load,
            _with_project(handler, len(outputs)),
            None,
            [self.project_id, *outputs],
            problem=self.problem,
        )


def page_frame(title: str, sentence: str) -> Page:
    """The top of a page, laid out where it is called."""
    with gr.Row(elem_classes="page-head"):
        with gr.Column(elem_classes="page-title", min_width=0):
            View(TITLE_TEMPLATE, {"title": title, "sentence": sentence})
        actions = gr.Row(elem_classes="page-actions")
    return Page(actions)


def _with_project(handler: Callable, outputs: int) -> Callable:
    def opened(request: gr.Request):
        with read() as session:
            project_id = project_of(session, request).id
        answer = handler(project_id, request)
        return (project_id, *((answer,) if outputs == 1 else tuple(answer or ())))

    opened.__name__, opened.__module__ = handler.__name__, handler.__module__
    opened.right, opened.streams = handler.right, False
    return opened
