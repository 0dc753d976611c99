"""Two people saved the same record: both texts side by side, and a choice for each field that loses neither.

Events of the View: `merge` (`event.theirs`: the fields to take from the stored text; the others stay as
typed) and `put_back` (what was typed, after a merge).
"""

from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

from bioui.components.view import View
from bioui.components.word_diff import PARTS, word_diff
from db.content import FIELDS, Content

TEMPLATE = Path(__file__).with_suffix(".hbs").read_text(encoding="utf-8").replace("@parts", PARTS)
ON_LOAD = """
element.addEventListener('click', (event) => {
  const button = event.target.closest('[data-act]');
  if (!button) return;
  if (button.dataset.act === 'put_back') return trigger('put_back', {});
  const boxes = [...element.querySelectorAll('input[type=radio][value=theirs]')];
  if (button.dataset.act === 'all_theirs') for (const box of boxes) box.checked = true;
  if (button.dataset.act === 'all_mine')
    for (const box of element.querySelectorAll('input[type=radio][value=mine]')) box.checked = true;
  trigger('merge', {theirs: boxes.filter((box) => box.checked).map((box) => box.name)});
});
watch('value', () => { if (props.value.sentence) element.scrollIntoView({block: 'nearest'}); });
"""
NO_CONFLICT = {"sentence": "", "fields": []}
MERGED = {
    "sentence": "The merged text is in the form, on top of what is stored now. Look it over, and save.",
    "fields": [],
}


def conflict() -> View:
    return View(TEMPLATE, NO_CONFLICT, on_load=ON_LOAD, elem_classes="conflict-area")


def conflict_value(sentence: str, stored: Content, stored_version: int, mine: Content) -> dict:
    """Both texts, field by field where they differ; theirs is marked against mine."""
    fields = [
        {"name": field, "label": field.capitalize(), "mine": ours, "parts": word_diff(ours, theirs)}
        for field in FIELDS
        if (ours := _text(mine, field)) != (theirs := _text(stored, field))
    ]
    if not fields:
        sentence += " The two texts are the same."
    return {"sentence": sentence, "theirs": f"Stored now, version {stored_version}", "fields": fields}


def merged(mine: Content, stored: Content, theirs: Collection[str]) -> Content:
    """Mine, but for the fields named in `theirs`."""
    taken = {field: getattr(stored, field) for field in FIELDS if field in theirs}
    return replace(mine, **taken)


def _text(content: Content, field: str) -> str:
    value = getattr(content, field)
    return ", ".join(value) if isinstance(value, tuple) else str(value)
