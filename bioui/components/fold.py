"""A part of a form that opens and closes in the browser; its fields, and what is typed in them, stay put.

Gradio's own Accordion takes a closed part off the page, and with it whatever the server was not yet told.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import gradio as gr

from bioui.components.view import View

TEMPLATE = '<button type="button" data-fold aria-expanded="false">{{value}}</button>'


@contextmanager
def fold(label: str, *, elem_classes: str = "", visible: bool = True) -> Iterator[gr.Column]:
    """Closed until its label is pressed (studio.js), or a problem is at one of its fields."""
    with gr.Column(elem_classes=f"fold {elem_classes}", visible=visible) as whole:
        View(TEMPLATE, label, elem_classes="fold-label")
        with gr.Column(elem_classes="fold-body"):
            yield whole
