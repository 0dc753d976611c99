"""Guidelines as a page shows them: Markdown, of which nothing but text, lists, tables and links gets through.

Gradio's own sanitizing takes scripts out and leaves forms, styles and ids in: a stored text could still lay a
log-in form over the page. So HTML in the Markdown is shown as the text it is, pictures (which would tell
another server who reads) as links, and Gradio's sanitizing stands behind that.
"""

from functools import lru_cache

import gradio as gr
from markdown_it import MarkdownIt
from markdown_it.token import Token

_DEEPEST = 6  # h6


def guideline_text(**options) -> gr.Markdown:
    """An empty place for `rendered` guidelines."""
    return gr.Markdown(sanitize_html=True, latex_delimiters=[], elem_classes="guideline-text", **options)


@lru_cache(maxsize=64)  # every page that shows them asks for the same few texts
def rendered(markdown: str) -> str:
    """Safe HTML on one line, for `guideline_text`.

    On one line, because Gradio reads it as Markdown once more, where an empty line would end the HTML.
    """
    tokens = _parser.parse(markdown)
    for token in tokens:
        _lower(token)
    html = _parser.renderer.render(tokens, _parser.options, {})
    return html.strip().replace("\n", "&#10;")


def _lower(token: Token) -> None:
    """A heading goes one level down, below the page's own; a link leaves the page open."""
    if token.type in ("heading_open", "heading_close"):
        token.tag = f"h{min(int(token.tag[1:]) + 1, _DEEPEST)}"
    for child in token.children or []:
        if child.type == "link_open" and str(child.attrGet("href")).startswith(("http:", "https:")):
            child.attrSet("target", "_blank")
            child.attrSet("rel", "noopener noreferrer")


_parser = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"]).disable("image")
