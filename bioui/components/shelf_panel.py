"""What lies on the desk, kept on the shelf: as a new prompt or a new version, with its history and its end.

`shelf_panel()` lays it out, `wire_shelf` wires it. The desk's state is any frozen dataclass with a
`version_id` (0: one's own) and a `picked` of (system, instruction, input).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import gradio as gr

from bioui.components.fold import fold
from bioui.components.frame import Page
from bioui.components.problem import problem_area
from bioui.components.shelf import shelf_value
from bioui.components.shelf_history import (
    NO_MEETING,
    meeting,
    meeting_value,
    removed_id,
    removed_list,
    removed_value,
    versions,
    versions_value,
)
from bioui.components.spread import spread
from bioui.components.view import View
from bioui.handling import actor_of, needs
from db import prompts
from db.enums import Category
from db.policy import Actor, Right
from db.prompts import PromptDraft, StalePromptError
from db.session import Session, read, write
from db.tables import PromptVersion

HEAD = "<p class='field-help'>{{value.text}}</p>"
OWN = {"text": "A prompt of your own. Kept on the shelf, others find it, and its answers can be compared."}
FIELDS = ("title", "category", "task", "specialty", "tags", "expected", "watch_for")
TEXTS = ("system", "instruction", "input")
CATEGORIES = {
    Category.QA: "Question",
    Category.IE: "Extraction",
    Category.GEN: "Writing",
    Category.OTHER: "Other",
}


@dataclass(frozen=True)
class ShelfPanel:
    """The panel's components."""

    head_html: View
    fields: list  # in the order of FIELDS
    save_btn: gr.Button
    new_btn: gr.Button
    remove_btn: gr.Button
    meeting_html: View
    versions_html: View
    removed_html: View
    number_state: gr.State  # the version that a save goes on top of; 0: that of the desk
    problem: View

    @property
    def shown(self) -> list:
        return [
            self.head_html, *self.fields, self.save_btn, self.remove_btn, self.meeting_html,
            self.versions_html, self.removed_html, self.number_state,
        ]  # fmt: skip

    @property
    def pickers(self) -> list:
        """Further events that lay a version on the desk, to be wired as the shelf's own `pick`."""
        return [self.versions_html.pick, self.meeting_html.pick]


# data -----------------------------------------------------------------------------------------------------


def panel_values(
    session: Session, project_id: int, version: PromptVersion | None, *, just: PromptVersion | None = None
) -> tuple:
    """Everything of the panel for the prompt on the desk, in the order of `shown`."""
    history = prompts.history(session, project_id, version.prompt_id) if version else []
    on_shelf = version is not None and version.prompt.removed_at is None
    return (
        head_value(version, history[0].number if history else 0),
        *_field_values(version),
        gr.update(visible=on_shelf, value=f"Save as version {history[0].number + 1}" if history else ""),
        gr.update(visible=on_shelf),
        NO_MEETING,
        versions_value(history),
        removed_value(prompts.list_shelf(session, project_id, removed=True), just),
        0,
    )


def head_value(version: PromptVersion | None, newest: int) -> dict:
    if version is None:
        return OWN
    which = (
        f"version {version.number}" if version.number == newest else f"version {version.number} of {newest}"
    )
    gone = " It was taken off the shelf." if version.prompt.removed_at else ""
    return {"text": f"On the desk lies {version.prompt.title}, {which}.{gone}"}


def draft(texts: Sequence[str], fields: Sequence) -> PromptDraft:
    """What the desk and the panel hold. Raises ValueError naming the field that cannot be."""
    given = dict(zip(FIELDS, fields, strict=True)) | dict(zip(TEXTS, texts, strict=True))
    tags, facts = given.pop("tags") or "", given.pop("expected") or ""
    return PromptDraft(
        tags=tuple(tags.split(",")),
        expected=tuple(facts.splitlines()),
        **{name: value or "" for name, value in given.items()},
    )


def _field_values(version: PromptVersion | None) -> tuple:
    if version is None:
        return ("", Category.QA.value, "", "", "", "", "")
    tags, facts = ", ".join(version.tags), "\n".join(version.expected)
    labels = (version.category.value, version.task, version.specialty)
    return (version.prompt.title, *labels, tags, facts, version.watch_for)


def _on_desk(session: Session, project_id: int, desk) -> PromptVersion | None:
    return prompts.get_version(session, project_id, desk.version_id) if desk.version_id else None


# handlers -------------------------------------------------------------------------------------------------


@needs(Right.COMPARE)
def show_panel(project_id: int, desk, request: gr.Request):
    with read() as session:
        return panel_values(session, project_id, _on_desk(session, project_id, desk))


@needs(Right.COMPARE)
@spread(*TEXTS, *FIELDS)
def save_version(project_id: int, desk, number: int, values: tuple, request: gr.Request):
    """The desk as the next version; where somebody was faster, both texts."""
    mine = draft(values[: len(TEXTS)], values[len(TEXTS) :])
    try:
        with write() as session:
            on_desk = _on_desk(session, project_id, desk)
            if on_desk is None:
                raise ValueError("prompt: none of the shelf lies on the desk; save it as a new one.")
            actor, number = actor_of(session, request), number or on_desk.number
            saved = prompts.save(session, actor, project_id, on_desk.prompt_id, mine, number=number)
            return _after(session, project_id, desk, saved)
    except StalePromptError as stale:
        skipped = [gr.skip()] * (len(FIELDS) + 3)
        shown = (*skipped, meeting_value(stale), gr.skip(), gr.skip(), stale.stored.number)
        return (*shown, gr.skip(), gr.skip())


@needs(Right.COMPARE)
@spread(*TEXTS, *FIELDS)
def save_new(project_id: int, desk, values: tuple, request: gr.Request):
    """The desk as a new prompt."""
    mine = draft(values[: len(TEXTS)], values[len(TEXTS) :])
    with write() as session:
        saved = prompts.add(session, actor_of(session, request), project_id, mine)
        return _after(session, project_id, desk, saved)


@needs(Right.COMPARE)
def remove(project_id: int, desk, request: gr.Request):
    with write() as session:
        version = _on_desk(session, project_id, desk)
        if version is None:
            raise ValueError("prompt: none of the shelf lies on the desk.")
        return _moved(session, actor_of(session, request), project_id, desk, version, prompts.remove)


@needs(Right.COMPARE)
def put_back(project_id: int, desk, event: gr.EventData, request: gr.Request):
    """A prompt that was taken off, on the shelf again."""
    with write() as session:
        version = prompts.get(session, project_id, removed_id(event)).versions[-1]
        return _moved(session, actor_of(session, request), project_id, desk, version, prompts.restore)


def _moved(session: Session, actor: Actor, project_id: int, desk, version: PromptVersion, move) -> tuple:
    move(session, actor, project_id, version.prompt_id)
    session.flush()
    just = version if move is prompts.remove else None
    shelf = shelf_value(prompts.list_shelf(session, project_id), desk.version_id)
    shown = panel_values(session, project_id, _on_desk(session, project_id, desk), just=just)
    return (*shown, shelf)


def _after(session: Session, project_id: int, desk, saved: PromptVersion) -> tuple:
    """Panel, desk and shelf with what was saved."""
    session.flush()
    session.refresh(saved)
    picked = replace(desk.picked, system=saved.system, instruction=saved.instruction, input=saved.input)
    shelf = shelf_value(prompts.list_shelf(session, project_id), saved.id)
    return (
        *panel_values(session, project_id, saved),
        replace(desk, version_id=saved.id, picked=picked),
        shelf,
    )


# layout and wiring ----------------------------------------------------------------------------------------


def shelf_panel() -> ShelfPanel:
    with fold("Keep on the shelf", elem_classes="shelf-panel"):
        head_html = View(HEAD, OWN)
        problem = problem_area()
        meeting_html = meeting()
        fields = _fields()
        with gr.Row(elem_classes="actions"):
            save_btn = gr.Button("", visible=False, size="sm", elem_id="shelf-save-btn")
            new_btn = gr.Button("Save as a new prompt", size="sm", elem_id="shelf-new-btn")
            remove_btn = gr.Button("Take off the shelf", visible=False, size="sm", elem_classes="quiet")
        removed_html = removed_list()
        versions_html = versions()
    number = gr.State(0)
    return ShelfPanel(
        head_html,
        fields,
        save_btn,
        new_btn,
        remove_btn,
        meeting_html,
        versions_html,
        removed_html,
        number,
        problem,
    )


def wire_shelf(page: Page, panel: ShelfPanel, *, shelf_html: View, desk: list) -> None:
    """`desk` holds the desk's state and the text boxes of system prompt, instruction and input."""
    state, *texts = desk
    saved = [*panel.shown, state, shelf_html]
    moved = [*panel.shown, shelf_html]
    here = [page.project_id, state]
    on_top = [*here, panel.number_state, *texts, *panel.fields]
    page.on(state.change, show_panel, here, panel.shown, problem=panel.problem)
    for press in (panel.save_btn.click, panel.meeting_html.keep_mine):
        page.on(press, save_version, on_top, saved, problem=panel.problem, trigger_mode="once")
    new = [*here, *texts, *panel.fields]
    page.on(panel.new_btn.click, save_new, new, saved, problem=panel.problem, trigger_mode="once")
    page.on(panel.remove_btn.click, remove, here, moved, problem=panel.problem)
    page.on(panel.removed_html.back, put_back, here, moved, problem=panel.problem)


def _fields() -> list:
    with gr.Row():
        title = gr.Textbox(label="Title", max_lines=1, elem_id="field-title")
        category = gr.Dropdown(
            [(word, each.value) for each, word in CATEGORIES.items()],
            value=Category.QA.value, label="Category", elem_id="field-category",
        )  # fmt: skip
    with gr.Row():
        task = gr.Textbox(label="Task", info="Such as lay_summary.", max_lines=1, elem_id="field-task")
        specialty = gr.Textbox(
            label="Specialty", info="Such as nephrology.", max_lines=1, elem_id="field-specialty"
        )
        tags = gr.Textbox(label="Tags", info="With commas between.", max_lines=1, elem_id="field-tags")
    expected = gr.Textbox(
        label="Expected facts",
        info="One a line; wordings that count alike with | between. Answers are searched for them as text.",
        lines=3,
        elem_id="field-expected",
    )
    watch_for = gr.Textbox(
        label="Watch for", info="What a clinician should check.", lines=2, elem_id="field-watch-for"
    )
    return [title, category, task, specialty, tags, expected, watch_for]
