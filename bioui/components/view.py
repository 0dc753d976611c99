"""A piece of our own markup, filled with data that no one need trust.

Gradio renders a template twice: Handlebars first, then the result as a JavaScript template literal. So a
stored text with `${...}` would be run as code in the reader's browser, and one backslash breaks the page;
Handlebars' escaping covers neither. `View` escapes both in every string on its way to the browser.
"""

from typing import Any

import gradio as gr


class View(gr.HTML):
    """gr.HTML for data: `{{value.field}}` in the template, plain values (dicts, lists, text, numbers) in.

    Data goes in `value` only. `on_load` is JavaScript run once; it sees `element`, `trigger(event, data)`,
    `props` and `watch`. Listen on `element` itself: what is inside is replaced when the value changes.
    """

    def __init__(self, template: str, value: Any = None, *, on_load: str = "", **options) -> None:
        for forbidden in ("{{{", "{{&", "${", "`"):
            if forbidden in template:
                raise ValueError(f"template: {forbidden} would let stored text be run as code.")
        super().__init__(
            value=value,
            html_template=template,
            js_on_load=on_load or "void 0;",
            apply_default_css=False,
            container=False,
            padding=False,
            **options,
        )

    def postprocess(self, value: Any) -> Any:
        return escaped(value)

    def get_block_name(self) -> str:
        return "html"


def escaped(value: Any) -> Any:
    """`value` with every string safe inside a JavaScript template literal."""
    if isinstance(value, str):
        return value.replace("\\", "\\\\").replace("$", "\\$")
    if isinstance(value, dict):
        return {key: escaped(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [escaped(item) for item in value]
    return value
