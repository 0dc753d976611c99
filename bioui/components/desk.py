"""The playground's desk: the picked prompt as text to change, what to watch for in its answers, the settings.

Picking another prompt never loses text: what was typed is laid aside and can be put back.
"""

from dataclasses import dataclass

import gradio as gr

from bioui.components.fold import fold
from bioui.components.shelf import shelf_value
from bioui.components.view import View
from db import prompts
from db.compare_spec import Sampling
from db.session import Session
from db.tables import Comparison, PromptVersion

NOTE = """
{{#if value.replaced}}<p class="desk-note">Your own text made room for this prompt.
  <button type="button" class="quiet-btn" data-back>Put it back</button></p>{{/if}}
{{#if value.watch_for}}<p class="desk-note"><strong>Watch for</strong> {{value.watch_for}}</p>{{/if}}
"""
NOTE_ON_LOAD = """
element.addEventListener('click', (event) => {
  if (event.target.closest('[data-back]')) trigger('back', {});
});
"""
NO_NOTE = {"watch_for": "", "replaced": False}


@dataclass(frozen=True)
class Typed:
    """A prompt as it stands in the form."""

    system: str = ""
    instruction: str = ""
    input: str = ""

    @classmethod
    def of(cls, prompt: PromptVersion | Comparison) -> "Typed":
        return cls(prompt.system, prompt.instruction, prompt.input)

    @property
    def is_empty(self) -> bool:
        return not (self.instruction.strip() or self.input.strip())


@dataclass(frozen=True)
class Desk:
    """What lies on the desk beside the text itself: whose prompt it is, what it follows, what it replaced."""

    version_id: int = 0  # 0: one's own
    picked: Typed = Typed()
    follows_id: int = 0  # the comparison that the next one goes on from; 0 begins a conversation
    replaced: Typed | None = None

    def lay(self, picked: Typed, typed: Typed, *, version_id: int = 0, follows_id: int = 0) -> "Desk":
        """The desk with that prompt; what was typed since the last one is laid aside."""
        is_own = not typed.is_empty and typed != self.picked
        return Desk(version_id, picked, follows_id, typed if is_own else self.replaced)


@dataclass(frozen=True)
class DeskForm:
    """The desk's components."""

    state: gr.State
    system_tb: gr.Textbox
    instruction_tb: gr.Textbox
    input_tb: gr.Textbox
    note_html: View
    longest_nb: gr.Number
    temperature_sl: gr.Slider
    seed_nb: gr.Number
    blind_cb: gr.Checkbox
    compare_btn: gr.Button

    @property
    def typed(self) -> list:
        return [self.state, self.system_tb, self.instruction_tb, self.input_tb]

    @property
    def settings(self) -> list:
        return [self.longest_nb, self.temperature_sl, self.seed_nb]


def desk_values(session: Session, project_id: int, desk: Desk) -> tuple:
    """Desk, system prompt, instruction, input, the note under them and the shelf."""
    shelf = prompts.list_shelf(session, project_id)
    version = prompts.get_version(session, project_id, desk.version_id) if desk.version_id else None
    note = {"watch_for": version.watch_for if version else "", "replaced": desk.replaced is not None}
    picked = desk.picked
    marked = shelf_value(shelf, desk.version_id)
    return desk, picked.system, picked.instruction, picked.input, note, marked


def desk_of(comparison: Comparison, desk: Desk, typed: Typed) -> Desk:
    """The desk as it lay for a stored comparison."""
    return desk.lay(
        Typed.of(comparison),
        typed,
        version_id=comparison.prompt_version_id or 0,
        follows_id=comparison.follows_id or 0,
    )


def settings_of(comparison: Comparison) -> tuple[int, float, int]:
    sampling = Sampling(**comparison.sampling)
    return sampling.max_tokens, sampling.temperature, sampling.seed


# layout ---------------------------------------------------------------------------------------------


def desk_form() -> DeskForm:
    with fold("System prompt", elem_classes="desk-system"):
        system_tb = gr.Textbox(
            label="System prompt",
            info="How all sides shall answer: their role, the reader, the form. May stay empty.",
            lines=2,
            max_lines=8,
            elem_id="field-system-prompt",
        )
    with gr.Row(elem_classes="desk-prompt"):
        instruction_tb = gr.Textbox(
            label="Instruction",
            info="What all sides are asked to do.",
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
            blind_cb = gr.Checkbox(
                label="Blind until I vote", container=False, elem_id="field-blind", elem_classes="desk-blind"
            )
            View("<p><kbd>Ctrl</kbd> <kbd>Enter</kbd></p>", {}, elem_classes="desk-keys")
            compare_btn = gr.Button("Compare", variant="primary", size="md", elem_id="compare-btn")
    typed = (gr.State(Desk()), system_tb, instruction_tb, input_tb)
    return DeskForm(*typed, note_html, *settings, blind_cb, compare_btn)


def _settings() -> tuple:
    return (
        gr.Number(
            Sampling.max_tokens,
            label="Longest answer",
            info="Tokens; every side is cut off here.",
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
            info="All sides draw with the same dice.",
            precision=0,
            minimum=0,
            elem_id="field-seed",
        ),
    )
