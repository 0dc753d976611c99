"""The prompt templates of a project: written beside the prompt that they make, kept as versions."""

from pathlib import Path

import gradio as gr

from bioui.components import guideline_diff
from bioui.components.fold import fold
from bioui.components.frame import Page
from bioui.components.generate_form import MODES, OWN_TEMPLATE, template_choices
from bioui.components.generate_prompt import ROLES
from bioui.components.guideline_diff import NO_DIFF, folded
from bioui.components.problem import problem_area
from bioui.components.view import View
from bioui.components.word_diff import word_diff
from bioui.handling import Problem, actor_of, needs
from db import generation_preview, generation_runs, generation_templates
from db.content import Content
from db.enums import Category
from db.generate_spec import GenerateSpec
from db.generating import calls, prompts
from db.generating.draws import Seed
from db.generating.prompts import Mode, PromptTemplate
from db.policy import Right
from db.sandbox import TemplateFault
from db.session import Session, read, write
from db.tables import GenerationTemplate

TEMPLATE = Path(__file__).with_name("generate_template.hbs").read_text(encoding="utf-8")
RIGHT = Right.RUN_FACTORY
OWN = "the studio's own"
NO_PREVIEW = {"fault": "", "line": "", "messages": [], "sentence": ""}
SAMPLE = Seed(0, 1, Content("What is asked?", "A text to work on.", "The answer.", Category.QA, "passage_qa"))
SHOWN = 3  # seeds of the preview
NEW_NAME = "ours"  # where only the studio's own exists: a version of a new name


# data -------------------------------------------------------------------------------------------------


def preview_value(session: Session, project_id: int, mode: str, text: str) -> dict:
    """The prompt that the text makes of approved seeds; a broken text tells its line."""
    try:
        template = PromptTemplate("typed", 1, Mode(mode), text or "")
        pool = generation_runs.seed_pool(session, project_id, Mode(mode)) or [SAMPLE]
        spec = GenerateSpec(endpoint_id=1, mode=mode, seeds_per_call=min(SHOWN, len(pool)))
        drawn = calls.seeds_of(spec, pool, 0)
        request = calls.request_of(spec, template, drawn, 0)
    except ValueError as error:
        return {**NO_PREVIEW, "fault": Problem.of(error).text, "line": _line_of(error, text)}
    tokens = generation_preview.tokens_of(request)
    seeds = "an invented seed" if pool == [SAMPLE] else f"seeds {', '.join(str(seed.id) for seed in drawn)}"
    return {
        **NO_PREVIEW,
        "sentence": f"As it would be sent with {seeds}: about {tokens:,} tokens.",
        "messages": [
            {"role": ROLES.get(message["role"], message["role"]), "text": message["content"]}
            for message in request.messages
        ],
    }


def diff_value(session: Session, project_id: int, mode: str, template_id: int, text: str) -> dict:
    """From the chosen version to what is typed; while that is the same, from the version before to it."""
    chosen, name = _stored(session, project_id, mode, template_id)
    if _lines(text) != _lines(chosen):
        return _diff(chosen, text, name, "what is typed")
    before, earlier = _before(session, project_id, mode, template_id)
    if before is None:
        return {**NO_DIFF, "sentence": "Nothing was changed yet."}
    return _diff(before, chosen, earlier, name)


def named(session: Session, project_id: int, template_id: int) -> str:
    """The name under which the next version is kept."""
    row = _row(session, project_id, template_id)
    return row.name if row else NEW_NAME


def help_words(mode: str) -> str:
    names = ", ".join(prompts.shipped(Mode(mode)).names)
    return (
        f"It may print {names}. The line {prompts.PARTING} parts what the model is told from what is asked."
    )


# handlers ---------------------------------------------------------------------------------------------


@needs(RIGHT)
def show_tab(project_id: int, mode: str, template_id: int, text: str, request: gr.Request):
    """The chosen version; what was typed already stays."""
    with read() as session:
        shown = text or _stored(session, project_id, mode, template_id or 0)[0]
        return _opened(session, project_id, mode, template_id or 0, shown)


@needs(RIGHT)
def choose_mode(project_id: int, mode: str, request: gr.Request):
    """The studio's own template of that mode."""
    with read() as session:
        return _opened(session, project_id, mode, 0, _stored(session, project_id, mode, 0)[0])


@needs(RIGHT)
def choose_version(project_id: int, mode: str, template_id: int, request: gr.Request):
    with read() as session:
        return _opened(
            session, project_id, mode, template_id, _stored(session, project_id, mode, template_id)[0]
        )


@needs(RIGHT)
def follow_typing(project_id: int, mode: str, template_id: int, text: str, request: gr.Request):
    with read() as session:
        return (
            preview_value(session, project_id, mode, text),
            diff_value(session, project_id, mode, template_id or 0, text or ""),
        )


@needs(RIGHT)
def save(project_id: int, mode: str, name: str, text: str, request: gr.Request):
    """Keep what is typed as a new version."""
    if mode not in MODES:
        raise ValueError("template mode: choose one of those offered.")
    with write() as session:
        actor = actor_of(session, request)
        try:
            row = generation_templates.save_template(
                session, actor, project_id, name=name or "", mode=Mode(mode), text=text or ""
            )
        except ValueError as error:
            raise _at_our_field(error) from error
        session.flush()
        gr.Success(f"Kept as {row.name}, version {row.number}.", duration=4)
        return _opened(session, project_id, mode, row.id, text)


def _opened(session: Session, project_id: int, mode: str, template_id: int, text: str) -> tuple:
    """Everything of the tab, in the order of templates_tab's `shown`."""
    if mode not in MODES:
        raise ValueError("template mode: choose one of those offered.")
    return (
        gr.Dropdown(choices=template_choices(session, project_id, mode), value=template_id),
        gr.Textbox(value=text, info=help_words(mode)),
        named(session, project_id, template_id),
        preview_value(session, project_id, mode, text),
        diff_value(session, project_id, mode, template_id, text),
    )


def _at_our_field(error: ValueError) -> ValueError:
    """The same sentence at the field of this tab: the run's form has a name of its own."""
    text = str(error)
    return ValueError(f"template {text}") if text.startswith(("name:", "text:")) else error


def _stored(session: Session, project_id: int, mode: str, template_id: int) -> tuple[str, str]:
    """(text, name) of a version."""
    row = _row(session, project_id, template_id)
    if row is None:
        return prompts.shipped(Mode(mode)).text, OWN
    return row.body["text"], f"{row.name}, version {row.number}"


def _before(session: Session, project_id: int, mode: str, template_id: int) -> tuple[str | None, str]:
    """The version before a stored one: of the first, the studio's own."""
    row = _row(session, project_id, template_id)
    if row is None:
        return None, ""
    for other in generation_templates.list_templates(session, project_id):
        if other.name == row.name and other.number == row.number - 1:
            return other.body["text"], f"version {other.number}"
    return prompts.shipped(Mode(mode)).text, OWN


def _row(session: Session, project_id: int, template_id: int) -> GenerationTemplate | None:
    """None for the studio's own. Raises LookupError for a version of another project."""
    if not template_id:
        return None
    for row in generation_templates.list_templates(session, project_id):
        if row.id == template_id:
            return row
    raise LookupError(f"There is no prompt template number {template_id} in this project.")


def _diff(before: str, after: str, earlier: str, later: str) -> dict:
    parts = folded(word_diff(_lines(before), _lines(after)))
    return {**NO_DIFF, "before": earlier, "after": later, "parts": parts}


def _lines(text: str) -> str:
    return (text or "").replace("\r\n", "\n").strip()


def _line_of(error: ValueError, text: str) -> str:
    """The line that a fault names, with its number."""
    number = error.line if isinstance(error, TemplateFault) else None
    lines = (text or "").splitlines()
    return f"{number}  {lines[number - 1]}" if number and number <= len(lines) else ""


# layout and wiring ------------------------------------------------------------------------------------


def templates_tab(page: Page, tab: gr.Tab) -> None:
    """Lay the tab out and wire it."""
    problem = problem_area()
    with gr.Row(elem_classes="filters"):
        mode_dd = gr.Dropdown(
            [(words, mode) for mode, words in MODES.items()], value="grow", label="Mode",
            elem_id="field-template-mode", scale=1,
        )  # fmt: skip
        version_dd = gr.Dropdown(
            [OWN_TEMPLATE], value=0, label="Version", elem_id="field-template-version", scale=2
        )
    with gr.Row(elem_classes="template-split"):
        with gr.Column(min_width=300):
            text_tb = gr.Textbox(
                label="Template", lines=24, max_lines=32, elem_id="field-template-text",
                elem_classes="template-text",
            )  # fmt: skip
        with gr.Column(min_width=300, elem_classes="template-preview"):
            View('<p class="preview-label">The prompt it makes</p>', {})
            preview_html = View(TEMPLATE, NO_PREVIEW, elem_classes="template-preview-view")
    with fold("What changed"):
        diff_html = guideline_diff.guideline_diff()
    with gr.Row(elem_classes="field-row template-save"):
        name_tb = gr.Textbox(
            label="Name", max_lines=1, max_length=60, elem_id="field-template-name",
            info="A version is kept under its name; the newest is offered first.",
        )  # fmt: skip
    with gr.Row(elem_classes="actions"):
        save_btn = gr.Button("Save as a new version", variant="primary", elem_id="save-btn")
    shown = [version_dd, text_tb, name_tb, preview_html, diff_html]
    page.on(tab.select, show_tab, [page.project_id, mode_dd, version_dd, text_tb], shown, problem=problem)
    page.on(mode_dd.input, choose_mode, [page.project_id, mode_dd], shown, problem=problem)
    page.on(version_dd.input, choose_version, [page.project_id, mode_dd, version_dd], shown, problem=problem)
    # Not `input`: Gradio swallows the first one after the server has filled the box, a paste for instance.
    page.on(
        text_tb.change, follow_typing, [page.project_id, mode_dd, version_dd, text_tb],
        [preview_html, diff_html], problem=problem, trigger_mode="always_last",
    )  # fmt: skip
    page.on(
        save_btn.click, save, [page.project_id, mode_dd, name_tb, text_tb], shown, problem=problem,
        trigger_mode="once",
    )  # fmt: skip
