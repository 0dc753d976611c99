"""The card of a version in the form of the Hugging Face Hub: its very text, to read, copy and download."""

from bioui.components.view import View
from db.cards import dataset_card
from db.session import Session
from db.tables import DatasetVersion

TEMPLATE = """
{{#if value.text}}
<p class="pane-links card-links">
  <button type="button" class="secondary-btn" data-copy="{{value.text}}">Copy</button>
  <button type="button" class="secondary-btn" data-file="{{value.file}}">Download README.md</button></p>
<p class="field-help">YAML for the Hub, then Markdown. Only what is recorded is said.</p>
<pre class="card-text" tabindex="0" aria-label="Card">{{value.text}}</pre>
{{/if}}
"""
# The file is the text on the page, so that what is read is what is taken away.
ON_LOAD = """
element.addEventListener('click', (event) => {
  const button = event.target.closest('[data-file]');
  if (!button) return;
  const text = element.querySelector('.card-text').textContent;
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([text], {type: 'text/markdown'}));
  link.download = button.dataset.file;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
});
"""
NO_CARD = {"text": "", "file": ""}


def card_view() -> View:
    return View(TEMPLATE, NO_CARD, on_load=ON_LOAD, elem_id="card")


def card_value(session: Session, version: DatasetVersion) -> dict[str, str]:
    return {"text": dataset_card(session, version.id), "file": "README.md"}
