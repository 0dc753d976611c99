"""What became of a prompt of the shelf: its versions with what each changed, two texts that met, what was
taken off.

Events: `pick` of `versions()` and `meeting()` (`shelf.picked_id(event)`: the version to lay on the desk),
`keep_mine` of `meeting()`, `back` of `removed_list()` (`removed_id(event)`: the prompt).
"""

from collections.abc import Sequence
from pathlib import Path

import gradio as gr

from bioui.components.view import View
from bioui.components.word_diff import CHANGES, PARTS, word_diff
from bioui.present import ago, exact
from db.prompts import FIELDS, PromptDraft, StalePromptError, draft_of
from db.tables import PromptVersion

LABELS = {
    "watch_for": "Watch for",
    "expected": "Expected facts",
    "system": "System prompt",
}
MEETING = Path(__file__).with_name("shelf_meeting.hbs").read_text(encoding="utf-8").replace("@parts", PARTS)
VERSIONS = """
{{#if value.versions}}<h3>Versions of {{value.title}}</h3><ol class="history">{{#each value.versions}}
  <li><p class="history-head"><b>Version {{this.number}}</b> <span>{{this.author}}</span>
    <time title="{{this.exact}}">{{this.ago}}</time>
    <button type="button" class="quiet-btn" data-pick="{{this.id}}">Lay on the desk</button></p>
    {{#if this.changes}}@changes{{else}}<p class="muted">{{this.nothing}}</p>{{/if}}</li>{{/each}}</ol>{{/if}}
""".replace("@changes", CHANGES)
REMOVED = """
{{#if value.just}}<p class="desk-note" role="status">{{value.just.title}} was taken off the shelf.
  Its answers and votes stay.
  <button type="button" class="quiet-btn" data-back="{{value.just.id}}">Undo</button></p>{{/if}}
{{#if value.gone}}<details class="fold-quiet"><summary>Taken off the shelf ({{value.count}})</summary>
  <ul class="shelf-gone">{{#each value.gone}}<li>{{this.title}}
    <button type="button" class="quiet-btn" data-back="{{this.id}}">Put back</button></li>{{/each}}</ul>
</details>{{/if}}
"""
ON_LOAD = """
element.addEventListener('click', (event) => {
  const button = event.target.closest('[data-pick], [data-mine], [data-back]');
  if (!button) return;
  if (button.dataset.pick) trigger('pick', {id: Number(button.dataset.pick)});
  else if (button.dataset.back) trigger('back', {id: Number(button.dataset.back)});
  else trigger('keep_mine', {});
});
"""
NO_VERSIONS = {"versions": []}
NO_MEETING = {"sentence": "", "fields": [], "next": 0, "id": 0}
NO_REMOVED = {"just": None, "gone": [], "count": 0}


def versions() -> View:
    return View(VERSIONS, NO_VERSIONS, on_load=ON_LOAD)


def meeting() -> View:
    return View(MEETING, NO_MEETING, on_load=ON_LOAD, elem_classes="conflict-area")


def removed_list() -> View:
    return View(REMOVED, NO_REMOVED, on_load=ON_LOAD)


def removed_id(event: gr.EventData) -> int:
    return int(event.id)


def versions_value(newest_first: Sequence[PromptVersion]) -> dict:
    """Each version with what it changed against the one before."""
    if not newest_first:
        return NO_VERSIONS
    before = [*newest_first[1:], None]
    return {
        "title": newest_first[0].prompt.title,
        "versions": [
            {
                "id": version.id,
                "number": version.number,
                "author": version.created_by.full_name if version.created_by else "The studio",
                "ago": ago(version.created_at),
                "exact": exact(version.created_at),
                "changes": changes(draft_of(earlier), draft_of(version)) if earlier else [],
                "nothing": "The title alone." if earlier else "The first text.",
            }
            for version, earlier in zip(newest_first, before, strict=True)
        ],
    }


def meeting_value(error: StalePromptError) -> dict:
    """Both texts, field by field where they differ; theirs is marked against mine."""
    theirs = error.theirs
    fields = [
        {
            "label": label_of(name),
            "mine": _text(error.mine, name),
            "parts": word_diff(_text(error.mine, name), _text(theirs, name)),
        }
        for name in FIELDS
        if getattr(error.mine, name) != getattr(theirs, name)
    ]
    sentence = str(error).partition(": ")[2]
    return {
        "sentence": sentence if fields else f"{sentence} The two texts are the same.",
        "fields": fields,
        "number": error.stored.number,
        "next": error.stored.number + 1,
        "id": error.stored.id,
    }


def removed_value(gone: Sequence[PromptVersion], just: PromptVersion | None = None) -> dict:
    """`just` is what was taken off this moment: its undo stands in front."""
    listed = [{"id": version.prompt_id, "title": version.prompt.title} for version in gone]
    first = {"id": just.prompt_id, "title": just.prompt.title} if just else None
    return {"just": first, "gone": listed, "count": len(listed)}


def changes(before: PromptDraft, after: PromptDraft) -> list[dict]:
    """The fields that differ, each with its word diff."""
    return [
        {"label": label_of(name), "parts": word_diff(_text(before, name), _text(after, name))}
        for name in FIELDS
        if getattr(before, name) != getattr(after, name)
    ]


def label_of(name: str) -> str:
    return LABELS.get(name, name.capitalize())


def _text(draft: PromptDraft, name: str) -> str:
    value = getattr(draft, name)
    if isinstance(value, tuple):
        return ("\n" if name == "expected" else ", ").join(value)
    return str(value)
