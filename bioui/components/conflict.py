"""Two people saved the same record: both texts side by side, and a choice that loses neither.

Events of the View: `keep_mine`, `take_theirs`, `put_back`.
"""

from bioui.components.view import View
from bioui.components.word_diff import PARTS, word_diff
from db.content import FIELDS, Content
from db.instructions import StaleVersionError

TEMPLATE = (
    """
{{#if value.sentence}}<section class="conflict" role="alert" aria-label="Two versions">
  <p>{{value.sentence}}</p>
  {{#if value.fields}}<div class="conflict-heads" aria-hidden="true"><h3>Yours, not saved</h3><h3>{{value.theirs}}</h3></div>
  {{#each value.fields}}<h4>{{this.label}}</h4><div class="conflict-pair">
    <p>{{this.mine}}</p><p>"""
    + PARTS
    + """</p></div>{{/each}}
  <div class="conflict-acts">
    <button type="button" class="primary-btn" data-act="keep_mine">Keep mine as a new version</button>
    <button type="button" class="secondary-btn" data-act="take_theirs">Take theirs</button></div>
  {{else}}<div class="conflict-acts">
    <button type="button" class="secondary-btn" data-act="put_back">Put mine back into the form</button></div>{{/if}}
</section>{{/if}}
"""
)
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
