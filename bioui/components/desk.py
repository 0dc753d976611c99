"""The playground's desk: the picked prompt as text to change, what to watch for in its answers, the settings.

Picking another prompt never loses text: what was typed is laid aside and can be put back.
"""

from dataclasses import dataclass

import gradio as gr

from bioui.comparing import get_comparison_of, number_in_url
from bioui.components.fold import fold
from bioui.components.frame import Page
from bioui.components.shelf import picked_id, shelf_value
from bioui.components.view import View
from bioui.handling import needs
from db import comparisons
from db.comparisons import Sampling
from db.policy import Right
from db.session import Session, read
from db.tables import Prompt

NOTE = """
{{#if value.replaced}}<p class="desk-note">Your own text made room for this prompt.
  <button type="button" class="quiet-btn" data-back>Put it back</button></p>{{/if}}
{{#if value.watch_for}}<p class="desk-note"><strong>Watch for</strong> {{value.watch_for}}</p>{{/if}}
"""
NO_NOTE = {"watch_for": "", "replaced": False}
NOTE_ON_LOAD = """
element.addEventListener('click', (event) => {
  if (event.target.closest('[data-back]')) trigger('back', {});
});
"""


@dataclass(frozen=True)
class Desk:
    """What lies on the desk beside the text itself: the picked prompt, and the text it took the place of."""

    prompt_id: int = 0  # 0: one's own
    instruction: str = ""  # as picked
    input: str = ""
    replaced: tuple[str, str] | None = None

    def pick(self, prompt: Prompt | None, instruction: str, input: str) -> "Desk":
        """The desk with `prompt`, or with a blank page; what was typed since the last pick is laid aside."""
        own = (instruction or "", input or "")
        is_typed = any(own) and own != (self.instruction, self.input)
        replaced = own if is_typed else self.replaced
        if prompt is None:
            return Desk(replaced=replaced)
        return Desk(prompt.id, prompt.instruction, prompt.input, replaced)


@dataclass(frozen=True)
class DeskForm:
    """The desk's components."""

    state: gr.State
    instruction_tb: gr.Textbox
    input_tb: gr.Textbox
    note_html: View
    longest_nb: gr.Number
    temperature_sl: gr.Slider
    seed_nb: gr.Number
    compare_btn: gr.Button

    @property
    def typed(self) -> list:
        return [self.state, self.instruction_tb, self.input_tb]

    @property
    def settings(self) -> list:
        return [self.longest_nb, self.temperature_sl, self.seed_nb]


# data -----------------------------------------------------------------------------------------------


def desk_values(session: Session, project_id: int, desk: Desk) -> tuple:
    """Desk, instruction, input, the note under them and the shelf."""
    prompts = comparisons.list_prompts(session, project_id)
    watch_for = next((prompt.watch_for for prompt in prompts if prompt.id == desk.prompt_id), "")
    note = {"watch_for": watch_for, "replaced": desk.replaced is not None}
    return desk, desk.instruction, desk.input, note, shelf_value(prompts, desk.prompt_id)


def desk_of(session: Session, project_id: int, comparison_id: int) -> Desk:
    """The desk as it lay for a stored comparison."""
    comparison = get_comparison_of(session, project_id, comparison_id)
    return Desk(comparison.prompt_id or 0, comparison.instruction, comparison.input)


# handlers -------------------------------------------------------------------------------------------


@needs(Right.COMPARE)
def show_desk(project_id: int, request: gr.Request):
    """The desk with the first prompt of the shelf, or with the one of the comparison in the URL."""
    with read() as session:
        if comparison_id := number_in_url(request, "comparison"):
            return desk_values(session, project_id, desk_of(session, project_id, comparison_id))
        first = next(iter(comparisons.list_prompts(session, project_id)), None)
        return desk_values(session, project_id, Desk().pick(first, "", ""))


@needs(Right.COMPARE)
def pick_prompt(
    project_id: int, desk: Desk, instruction: str, input: str, event: gr.EventData, request: gr.Request
):
    with read() as session:
        prompt = comparisons.get_prompt(session, picked_id(event)) if picked_id(event) else None
        return desk_values(session, project_id, desk.pick(prompt, instruction, input))


@needs(Right.COMPARE)
def put_back(project_id: int, desk: Desk, request: gr.Request):
    """Take up again what was typed."""
    instruction, input = desk.replaced or (desk.instruction, desk.input)
    with read() as session:
        return desk_values(session, project_id, Desk(0, instruction, input))


@needs(Right.COMPARE)
def ask_again(
    project_id: int, comparison_id: int, desk: Desk, instruction: str, input: str, request: gr.Request
):
    """Lay a stored comparison's prompt on the desk."""
    with read() as session:
        again = desk_of(session, project_id, comparison_id)
        replaced = desk.pick(None, instruction, input).replaced
        fresh = Desk(again.prompt_id, again.instruction, again.input, replaced)
        return desk_values(session, project_id, fresh)


@needs(Right.COMPARE)
def settings_again(project_id: int, comparison_id: int, request: gr.Request):
    """A stored comparison's adapter (where it was not deleted) and settings."""
    with read() as session:
        comparison = get_comparison_of(session, project_id, comparison_id)
        adapter = comparison.adapter_id if comparison.adapter.deleted_at is None else gr.skip()
        sampling = Sampling(**comparison.sampling)
    return adapter, sampling.max_tokens, sampling.temperature, sampling.seed


# layout and wiring ----------------------------------------------------------------------------------


def desk_form() -> DeskForm:
    with gr.Row(elem_classes="desk-prompt"):
        instruction_tb = gr.Textbox(
            label="Instruction",
            info="What both models are asked to do.",
            lines=5,
            max_lines=14,
            elem_id="field-instruction",
        )
        input_tb = gr.Textbox(
            label="Input",
            info="The note, passage or question it is about.",
            lines=5,
            max_lines=14,
            elem_id="field-input",
        )
    note_html = View(NOTE, NO_NOTE, on_load=NOTE_ON_LOAD, elem_classes="note-view")
    with gr.Row(elem_classes="desk-foot"):
        with fold("Settings", elem_classes="desk-settings"), gr.Row():
            settings = _settings()
        with gr.Row(elem_classes="desk-go"):
            View("<p><kbd>Ctrl</kbd> <kbd>Enter</kbd></p>", {}, elem_classes="desk-keys")
            compare_btn = gr.Button("Compare", variant="primary", size="md", elem_id="compare-btn")
    return DeskForm(gr.State(Desk()), instruction_tb, input_tb, note_html, *settings, compare_btn)


def wire_desk(
    page: Page, form: DeskForm, *, shelf_html: View, pair_html: View, adapter_dd: gr.Dropdown, here: list
) -> None:
    """`here` is the project and the open comparison."""
    desk = [*form.typed, form.note_html, shelf_html]
    page.on_load(show_desk, desk)
    page.on(shelf_html.pick, pick_prompt, [page.project_id, *form.typed], desk)
    page.on(form.note_html.back, put_back, [page.project_id, form.state], desk)
    page.on(pair_html.again, ask_again, [*here, *form.typed], desk)
    page.on(pair_html.again, settings_again, here, [adapter_dd, *form.settings])


def _settings() -> tuple:
    return (
        gr.Number(
            Sampling.max_tokens,
            label="Longest answer",
            info="Tokens; both sides are cut off here.",
            precision=0,
            minimum=1,
            maximum=4096,
            elem_id="field-longest-answer",
        ),
        gr.Slider(
            0,
            2,
            Sampling.temperature,
            step=0.1,
            label="Temperature",
            info="0 always takes the likeliest word.",
            elem_id="field-temperature",
        ),
        gr.Number(
            Sampling.seed,
            label="Seed",
            info="Both sides draw with the same dice.",
            precision=0,
            minimum=0,
            elem_id="field-seed",
        ),
    )
