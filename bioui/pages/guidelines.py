"""Guidelines: what a project's authors and reviewers hold to, every version of it, and what each changed."""

from dataclasses import dataclass, replace
from typing import Any

import gradio as gr

from bioui.components import guideline_conflict
from bioui.components.autosave import NOT_KEPT, kept_value
from bioui.components.empty import empty_state
from bioui.components.frame import Page, page_frame
from bioui.components.guideline_conflict import NO_CONFLICT
from bioui.components.guideline_diff import NO_DIFF, diff_value, guideline_diff
from bioui.components.guideline_editor import NO_HEAD, GuidelineEditor, Writing, guideline_editor, head_value
from bioui.components.guideline_head import guideline_head
from bioui.components.guideline_head import head_value as shown_head
from bioui.components.guideline_text import guideline_text, rendered
from bioui.components.table import Column, cell, row_id, table, table_value
from bioui.components.view import View
from bioui.handling import actor_of, needs
from bioui.present import ago, exact
from db import guidelines, typed_guidelines
from db.guidelines import StaleGuidelineError
from db.policy import Actor, Right
from db.session import Session, read, write
from db.tables import Guideline

TITLE, PATH, RIGHT = "Guidelines", "/guidelines", Right.READ
VERSIONS = (Column("Version", "num"), Column("What changed", "long"), Column("When", "time"))
NO_VERSIONS = empty_state("", "")
BUTTON = """
{{#if value.word}}<button type="button" class="primary-btn" data-edit>{{value.word}}</button>{{/if}}
"""
# The address bar says that one writes (?edit=1): a reload comes back to the editor.
ON_EDIT = """
let isAsked = new URLSearchParams(window.location.search).get('edit') === '1';
element.addEventListener('click', (event) => {
  if (event.target.closest('[data-edit]')) trigger('edit', {});
});
watch('value', () => {
  studio.setParam('edit', props.value.writing || isAsked ? 1 : null);
  if (isAsked && props.value.word) trigger('edit', {});
  isAsked = false;
});
"""
NO_BUTTON = {"word": "", "writing": False}
WRITING = {"word": "", "writing": True}
STAYS = [gr.skip()] * 10  # the outputs of Shown that a refused save leaves alone: all but the last two


# data -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Shown:
    """Everything the page shows while nobody writes, in the order of build()'s `shown`."""

    head: dict
    text: str
    versions: dict
    button: dict
    before: Any
    after: Any
    diff: dict
    has_any: bool

    def outputs(self) -> tuple:
        """With the editor put away."""
        side = gr.update(visible=self.has_any)
        reading = (self.head, self.text, self.versions, self.button, self.before, self.after, self.diff)
        return (*reading, side, gr.update(visible=True), gr.update(visible=False), NO_HEAD, NO_CONFLICT)


def shown_value(
    session: Session, actor: Actor, project_id: int, number: int = 0, *, note: str = "", missing: str = ""
) -> Shown:
    """Version `number` open (0: the one in force), compared with the one before it."""
    may_write = actor.can(Right.GUIDE)
    typed = typed_guidelines.find(session, actor, project_id) if may_write else None
    current = guidelines.current_guideline(session, project_id)
    if current is None:
        word = "Go on writing" if typed else "Write the guidelines" if may_write else ""
        head = shown_head(None, None, may_write=may_write, note=note, typed=typed)
        nothing = gr.update(choices=[], value=None)
        rows = table_value(VERSIONS, [], empty=NO_VERSIONS)
        return Shown(head, "", rows, {**NO_BUTTON, "word": word}, nothing, nothing, NO_DIFF, False)
    shown = guidelines.get_guideline(session, project_id, number) if number else current
    before = max(shown.number - 1, 1)
    choices = [(_choice(n, current.number), n) for n in range(current.number, 0, -1)]
    return Shown(
        head=shown_head(shown, current, may_write=may_write, note=note, missing=missing, typed=typed),
        text=rendered(shown.body),
        versions=versions_value(guidelines.list_guidelines(session, project_id), shown.number),
        button={**NO_BUTTON, "word": "Go on writing" if typed else "Edit" if may_write else ""},
        before=gr.update(choices=choices, value=before),
        after=gr.update(choices=choices, value=shown.number),
        diff=changes_value(session, project_id, before, shown.number),
        has_any=True,
    )


def versions_value(versions: list[Guideline], current_id: int) -> dict:
    """The table of versions, newest first."""
    rows = [
        {
            "id": version.number,
            "opens": True,
            "cells": [
                cell(str(version.number)),
                cell(version.reason or _reason_of(version), note=version.author.full_name),
                cell(ago(version.created_at), title=exact(version.created_at)),
            ],
        }
        for version in versions
    ]
    return table_value(VERSIONS, rows, empty=NO_VERSIONS, current_id=current_id)


def changes_value(session: Session, project_id: int, before: int, after: int) -> dict:
    """The word diff of two versions."""
    if before == after == 1:
        return {**NO_DIFF, "sentence": "This is the first version. What a later one changes is shown here."}
    first, second = (guidelines.get_guideline(session, project_id, n) for n in (before, after))
    return diff_value(first, second)


def _choice(number: int, current: int) -> str:
    return f"Version {number}, in force" if number == current else f"Version {number}"


def _reason_of(version: Guideline) -> str:
    return "The first version" if version.number == 1 else "Nothing noted"


# handlers ---------------------------------------------------------------------------------------------


@needs(RIGHT)
def show_page(project_id: int, request: gr.Request):
    """The version that the address names, else the one in force."""
    wanted = request.query_params.get("version", "")
    number = int(wanted) if wanted.isdecimal() and len(wanted) < 10 else 0
    with read() as session:
        actor = actor_of(session, request)
        try:
            return shown_value(session, actor, project_id, number, missing="" if number else wanted).outputs()
        except LookupError:
            return shown_value(session, actor, project_id, missing=wanted).outputs()


@needs(RIGHT)
def open_version(project_id: int, event: gr.EventData, request: gr.Request):
    with read() as session:
        return shown_value(session, actor_of(session, request), project_id, row_id(event)).outputs()


@needs(RIGHT)
def compare(project_id: int, before: int | None, after: int | None, request: gr.Request):
    if before is None or after is None:
        return NO_DIFF
    with read() as session:
        return changes_value(session, project_id, int(before), int(after))


@needs(Right.GUIDE)
def begin(project_id: int, request: gr.Request):
    """The editor, with what one typed and did not save, else with the text in force."""
    with read() as session:
        typed = typed_guidelines.find(session, actor_of(session, request), project_id)
        current = guidelines.current_guideline(session, project_id)
        if typed is None:
            number, body, reason = (current.number, current.body, "") if current else (0, "", "")
            writing, head, both, kept = Writing(number), head_value(number), NO_CONFLICT, NOT_KEPT
        else:
            number, body, reason = typed.base_number, typed.body, typed.reason
            writing, both = _against(current, Writing(number), body)
            head, kept = head_value(number, dirty=True, back=ago(typed.saved_at)), kept_value(typed.saved_at)
    return (
        writing, head, both, body, reason, rendered(body), kept,
        gr.update(visible=not body), gr.update(visible=False), gr.update(visible=True), WRITING,
    )  # fmt: skip


def _against(current: Guideline | None, writing: Writing, body: str) -> tuple[Writing, dict]:
    """Both texts, where another version came in since the typing began."""
    if current is None or current.number <= writing.number:
        return writing, NO_CONFLICT
    told = guideline_conflict.conflict_value(StaleGuidelineError(current), body)
    return replace(writing, theirs=current.number), told


@needs(Right.GUIDE)
def keep(project_id: int, writing: Writing, body: str, reason: str, request: gr.Request):
    """Keep what is typed, so that a closed tab loses nothing."""
    with write() as session:
        actor = actor_of(session, request)
        kept_at = typed_guidelines.keep(session, actor, project_id, writing.number, body or "", reason or "")
    return kept_value(kept_at) if kept_at else NOT_KEPT


@needs(RIGHT)
def cancel(project_id: int, request: gr.Request):
    """Away with the editor and what was typed there; the version in force is shown."""
    with write() as session:
        typed_guidelines.drop(session, actor_of(session, request), project_id)
        session.flush()
        return shown_value(session, actor_of(session, request), project_id).outputs()


@needs(Right.GUIDE)
def save(project_id: int, writing: Writing, body: str, reason: str, request: gr.Request):
    return _store(project_id, writing, body, reason, request, number=writing.number)


@needs(Right.GUIDE)
def keep_mine(project_id: int, writing: Writing, body: str, reason: str, request: gr.Request):
    """Save on top of the version that was shown beside it: one that came after that is shown first."""
    return _store(project_id, writing, body, reason, request, number=writing.theirs or writing.number)


@needs(Right.GUIDE)
def take_theirs(project_id: int, writing: Writing, body: str, request: gr.Request):
    """Their text into the editor, to go on from; what was typed is handed back to be kept."""
    with read() as session:
        theirs = guidelines.get_guideline(session, project_id, writing.theirs)
    kept = Writing(theirs.number, mine=body or "")
    head = head_value(theirs.number, dirty=True)
    return kept, head, guideline_conflict.taken_value(), theirs.body, rendered(theirs.body)


@needs(Right.GUIDE)
def put_back(writing: Writing, request: gr.Request):
    """One's own text again, now on top of theirs."""
    head = head_value(writing.number, dirty=True)
    return replace(writing, mine=""), head, NO_CONFLICT, writing.mine, rendered(writing.mine)


@needs(Right.GUIDE)
def bring_back(project_id: int, event: gr.EventData, request: gr.Request):
    earlier = int(event.number)
    with write() as session:
        actor = actor_of(session, request)
        stored = guidelines.bring_back(session, actor, project_id, earlier, number=int(event.on))
        session.flush()
        is_new = stored.number > int(event.on)
        note = f"Version {earlier} is in force again, as version {stored.number}."
        note = note if is_new else f"Version {stored.number} has that very text: nothing was changed."
        return shown_value(session, actor, project_id, note=note).outputs()


def _store(project_id: int, writing: Writing, body: str, reason: str, request: gr.Request, *, number: int):
    """Save and show the new version; where another came in between, both texts, and the editor as it is."""
    try:
        with write() as session:
            actor = actor_of(session, request)
            stored = guidelines.write_guideline(
                session, actor, project_id, body or "", number=number, reason=reason or ""
            )
            typed_guidelines.drop(session, actor, project_id)
            session.flush()
            is_new = stored.number > number
            note = f"Saved. Version {stored.number} is in force now." if is_new else "Nothing was changed."
            return (Writing(), *shown_value(session, actor, project_id, note=note).outputs())
    except StaleGuidelineError as stale:
        told = guideline_conflict.conflict_value(stale, body)
        kept = replace(writing, theirs=stale.stored.number)
        return (kept, *STAYS, head_value(writing.number, dirty=True), told)


# layout and wiring ------------------------------------------------------------------------------------


def build() -> None:
    page = page_frame(
        TITLE,
        "What this project's authors and reviewers hold to. Every review remembers the version it was "
        "made under.",
    )
    with page.actions:
        edit_html = View(BUTTON, NO_BUTTON, on_load=ON_EDIT)
    editor = guideline_editor(page)
    with gr.Row(elem_classes="split guideline-split") as reading_row:
        with gr.Column(scale=7, min_width=300, elem_classes="guideline-main", elem_id="guideline"):
            head_html = guideline_head()
            with gr.Tabs(elem_classes="guideline-tabs"):
                with gr.Tab("Text"):
                    text_md = guideline_text()
                with gr.Tab("Changes"):
                    with gr.Row(elem_classes="filters"):
                        before_dd = gr.Dropdown([], label="From", elem_id="field-before", min_width=160)
                        after_dd = gr.Dropdown([], label="To", elem_id="field-after", min_width=160)
                    diff_html = guideline_diff()
        with gr.Column(scale=4, min_width=280, visible=False, elem_classes="pane") as side_col:
            gr.Markdown("## Versions")
            versions_html = table("Versions", empty_value=NO_VERSIONS)

    shown = [head_html, text_md, versions_html, edit_html, before_dd, after_dd, diff_html, side_col,
             reading_row, editor.whole, editor.head_html, editor.conflict_html]  # fmt: skip
    page.on_load(show_page, shown)
    opened = page.on(versions_html.open, open_version, [page.project_id], shown)
    opened.then(fn=None, js="() => studio.reveal('guideline')")
    for choice in (before_dd, after_dd):
        page.on(choice.input, compare, [page.project_id, before_dd, after_dd], diff_html)
    page.on(head_html.bring_back, bring_back, [page.project_id], shown)
    page.on(head_html.drop, cancel, [page.project_id], shown)
    _wire_editor(page, editor, shown, edit_html, reading_row)


def _wire_editor(page: Page, editor: GuidelineEditor, shown: list, edit_html: View, reading_row) -> None:
    own = {"problem": editor.problem}
    begun = [editor.writing_state, editor.head_html, editor.conflict_html, editor.body_tb, editor.reason_tb,
             editor.preview_md, editor.kept_html, editor.outline_btn, reading_row, editor.whole,
             edit_html]  # fmt: skip
    page.on(edit_html.edit, begin, [page.project_id], begun)
    page.on(editor.cancel_btn.click, cancel, [page.project_id], shown)
    typed = [page.project_id, *editor.typed]
    page.on(editor.kept_html.keep, keep, typed, editor.kept_html, trigger_mode="always_last", **own)
    stored = [editor.writing_state, *shown]
    page.on(editor.save_btn.click, save, typed, stored, trigger_mode="once", **own)
    conflict = editor.conflict_html
    page.on(conflict.keep_mine, keep_mine, typed, stored, trigger_mode="once", **own)
    text = [editor.writing_state, editor.head_html, conflict, editor.body_tb, editor.preview_md]
    page.on(
        conflict.take_theirs,
        take_theirs,
        [page.project_id, editor.writing_state, editor.body_tb],
        text,
        **own,
    )
    back = page.on(conflict.put_back, put_back, [editor.writing_state], text, **own)
    for step in (editor.outlined, back):  # texts that nobody typed here, and that are not saved
        page.on(step.success, keep, typed, editor.kept_html, **own)
