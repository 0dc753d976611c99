"""Two people saved the same record: both texts side by side, and a choice that loses neither.

Events of the View: `keep_mine`, `take_theirs`, `put_back`.
"""

from pathlib import Path

from bioui.components.view import View
from bioui.components.word_diff import PARTS, word_diff
from db.content import FIELDS, Content
from db.instructions import StaleVersionError

TEMPLATE = Path(__file__).with_suffix(".hbs").read_text(encoding="utf-8").replace("@parts", PARTS)
ON_LOAD = """
element.addEventListener('click', (event) => {
  const button = event.target.closest('[data-act]');
  const act = ['keep_mine', 'take_theirs', 'put_back'].find((name) => button && button.dataset.act === name);
  if (act) trigger(act, {});
});
watch('value', () => { if (props.value.sentence) element.scrollIntoView({block: 'nearest'}); });
"""
NO_CONFLICT = {"sentence": "", "fields": []}


def conflict() -> View:
    return View(TEMPLATE, NO_CONFLICT, on_load=ON_LOAD, elem_classes="conflict-area")


def conflict_value(error: StaleVersionError, mine: Content) -> dict:
    """Both texts, field by field where they differ; theirs is marked against mine."""
    fields = [
        {"label": field.capitalize(), "mine": ours, "parts": word_diff(ours, theirs)}
        for field in FIELDS
        if (ours := _text(mine, field)) != (theirs := _text(error.stored, field))
    ]
    sentence = str(error).partition(": ")[2]
    if not fields:
        sentence += " The two texts are the same."
    return {"sentence": sentence, "theirs": f"Stored now, version {error.stored_version}", "fields": fields}


def taken_value() -> dict:
    """After `take_theirs`: the way back."""
    return {
        "sentence": "Their text is in the form. Yours is kept here until you leave the page.",
        "fields": [],
    }


def _text(content: Content, field: str) -> str:
    value = getattr(content, field)
    return ", ".join(value) if isinstance(value, tuple) else str(value)
