"""The editor of the guidelines: Markdown at the left, as readers will see it at the right."""

from dataclasses import dataclass
from pathlib import Path

import gradio as gr
from gradio.events import Dependency

from bioui.components.autosave import autosave
from bioui.components.frame import Page
from bioui.components.guideline_conflict import guideline_conflict
from bioui.components.guideline_text import guideline_text, rendered
from bioui.components.problem import problem_area
from bioui.components.view import View
from bioui.handling import needs
from db.guidelines import MAX_REASON
from db.policy import Right

OUTLINE = Path(__file__).with_name("guideline_outline.md").read_text(encoding="utf-8").strip()
HEAD = """
{{#if value.title}}<div class="guideline-head"><h2>{{value.title}}</h2>
  <span>{{value.note}}</span></div>{{/if}}
"""
NO_HEAD = {"title": "", "note": "", "dirty": False}
FIELDS = "#field-guideline, #field-reason"
# Cancel throws away what was typed, and asks first. `dirty` says that the server put such a text there.
ON_LOAD = """
window.studioEditor?.abort(); // a View that is mounted again takes over
const over = window.studioEditor = new AbortController();
let isTyped = props.value.dirty;
document.addEventListener('input', (event) => {
  if (event.target.closest('@fields')) isTyped = true;
}, {signal: over.signal});
document.addEventListener('click', (event) => {
  if (!event.target.closest('#cancel-btn')) return;
  if (isTyped && !window.confirm('Throw away what you typed?')) {
    event.preventDefault();
    event.stopImmediatePropagation();
  } else delete document.body.dataset.unsaved;
}, {capture: true, signal: over.signal});
watch('value', () => {
  isTyped = props.value.dirty;
  if (!props.value.title) delete document.body.dataset.unsaved;
  if (props.value.title && !props.value.dirty) setTimeout(() => {
    const text = document.querySelector('#field-guideline textarea');
    if (text) text.focus({preventScroll: true});
  }, 60);
});
""".replace("@fields", FIELDS)


@dataclass(frozen=True)
class Writing:
    """What is being written: on top of which version, and the one that came in between, if one did."""

    number: int = 0
    theirs: int = 0
    mine: str = ""  # what was typed, while their text stands in the editor


@dataclass(frozen=True)
class GuidelineEditor:
    """`whole` is hidden until someone writes; `filled` is what opening it fills, in the order of `opened`."""

    whole: gr.Column
    head_html: View
    conflict_html: View
    body_tb: gr.Textbox
    reason_tb: gr.Textbox
    preview_md: gr.Markdown
    kept_html: View
    outline_btn: gr.Button
    save_btn: gr.Button
    cancel_btn: gr.Button
    writing_state: gr.State
    problem: View
    outlined: Dependency  # the outline was put into the editor

    @property
    def typed(self) -> list:
        return [self.writing_state, self.body_tb, self.reason_tb]


def head_value(number: int, *, dirty: bool = False, back: str = "") -> dict:
    """Above the editor: the version that saving makes; `back` is when the text was typed that came back."""
    on = f"on top of version {number}" if number else "the first"
    came_back = f". What you typed {back} is back" if back else ""
    return {"title": f"Writing version {number + 1}", "note": on + came_back, "dirty": dirty}


@needs(Right.GUIDE)
def preview(body: str, request: gr.Request):
    return rendered(body or "")


@needs(Right.GUIDE)
def fill_outline(writing: Writing, request: gr.Request):
    """The studio's outline in the editor, its preview, the head, and the offer taken away."""
    return OUTLINE, rendered(OUTLINE), head_value(writing.number, dirty=True), gr.update(visible=False)


def guideline_editor(page: Page) -> GuidelineEditor:
    with gr.Column(visible=False, elem_classes="guideline-editor", elem_id="guideline-editor") as whole:
        problem = problem_area()
        head_html = View(HEAD, NO_HEAD, on_load=ON_LOAD, elem_classes="guideline-head-view")
        conflict_html = guideline_conflict()
        with gr.Row(elem_classes="guideline-pair"):
            with gr.Column(min_width=300, elem_classes="guideline-write"):
                body_tb = gr.Textbox(
                    label="Text, in Markdown", lines=24, max_lines=24, elem_id="field-guideline",
                    placeholder="# What we write, and for whom",
                )  # fmt: skip
            with gr.Column(min_width=300, elem_classes="guideline-preview", elem_id="guideline-preview"):
                View('<p class="preview-label">As readers will see it</p>', {})
                preview_md = guideline_text()
        with gr.Column(elem_classes="guideline-save record-actions"):
            reason_tb = gr.Textbox(
                label="What changed", elem_id="field-reason", max_length=MAX_REASON,
                info="One line for the list of versions, such as: doses need a route.",
            )  # fmt: skip
            with gr.Row(elem_classes="actions"):
                save_btn = gr.Button("Save as a new version", variant="primary", elem_id="save-btn")
                cancel_btn = gr.Button("Cancel", elem_id="cancel-btn")
                outline_btn = gr.Button(
                    "Start from the studio's outline", visible=False, elem_id="outline-btn"
                )
                kept_html = autosave(FIELDS)
    writing_state = gr.State(Writing())
    # Not `input`: Gradio swallows the first one after the server has filled the box, a paste for instance.
    page.on(body_tb.change, preview, [body_tb], preview_md, problem=problem, trigger_mode="always_last")
    outlined = page.on(
        outline_btn.click, fill_outline, [writing_state], [body_tb, preview_md, head_html, outline_btn],
        problem=problem,
    )  # fmt: skip
    return GuidelineEditor(
        whole, head_html, conflict_html, body_tb, reason_tb, preview_md, kept_html, outline_btn, save_btn,
        cancel_btn, writing_state, problem, outlined,
    )  # fmt: skip
