"""The vote bar below a pair of answers: four choices, each with its key.

Events of the returned View: `vote`, with `chosen(event)`.
"""

import gradio as gr

from bioui.components.view import View
from db.enums import Choice

LABELS = {
    Choice.BASE: "Base is better",
    Choice.TUNED: "Tuned is better",
    Choice.TIE: "Equally good",
    Choice.BOTH_BAD: "Both are bad",
}
HIDDEN = {"choices": [], "said": ""}

TEMPLATE = """
{{#if value.choices}}
<div class="vote" role="group" aria-labelledby="vote-title">
  <p class="vote-title" id="vote-title">Which answer is better?</p>
  <div class="vote-choices">{{#each value.choices}}
    <button type="button" class="vote-btn vote-{{this.choice}}" data-choice="{{this.choice}}"
      data-key="{{this.key}}" aria-pressed="{{this.pressed}}" aria-keyshortcuts="{{this.key}}">
      <kbd>{{this.key}}</kbd> {{this.label}}</button>{{/each}}
  </div>
  <p class="vote-said" role="status">{{value.said}}</p>
</div>
{{/if}}
"""
ON_LOAD = """
const vote = (button) => trigger('vote', {choice: button.dataset.choice});
element.addEventListener('click', (event) => {
  const button = event.target.closest('[data-choice]');
  if (button) vote(button);
});
document.addEventListener('keydown', (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
  if (event.target.closest('input, textarea, select, [contenteditable="true"]')) return;
  const button = element.querySelector('[data-key="' + CSS.escape(event.key) + '"]');
  if (button) { event.preventDefault(); button.focus(); vote(button); }
});
"""


def vote_bar() -> View:
    """A bar that is hidden until there is something to vote on."""
    return View(TEMPLATE, HIDDEN, on_load=ON_LOAD, elem_classes="vote-view")


def vote_value(choice: Choice | None) -> dict:
    """The bar with one's own vote pressed."""
    choices = [
        {
            "choice": each.value,
            "label": label,
            "key": str(key),
            "pressed": "true" if each is choice else "false",
        }
        for key, (each, label) in enumerate(LABELS.items(), 1)
    ]
    said = f"Your vote: {LABELS[choice].lower()}. Vote again to change it." if choice else ""
    return {"choices": choices, "said": said}


def chosen(event: gr.EventData) -> Choice:
    """The choice that was voted for. Raises ValueError for none of ours."""
    try:
        return Choice(getattr(event, "choice", None))
    except ValueError as error:
        raise ValueError("vote: choose base, tuned, equally good or both bad.") from error
