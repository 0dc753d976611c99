"""The line above an open record: its number, status and author, when it was saved, and the way back from a deletion.

Event of the View: `undo` (`event.id`). It also holds the page's keys: Ctrl/Cmd+S saves, Ctrl/Cmd+Enter submits, n begins
a new record, / goes to the search.
"""

from bioui.components import chip
from bioui.components.view import View
from bioui.present import ago, exact, status_chip
from db.tables import Instruction
from db.tables.base import utc_now

TEMPLATE = (
    """
{{#if value.id}}<div class="record-head"><h2>Number {{value.id}}</h2>{{#with value.chip}}"""
    + chip.TEMPLATE
    + """{{/with}}
  <span>Version {{value.version}}{{#if value.in_force}}, version {{value.in_force}} in force{{/if}}</span>
  <span>{{value.author}}</span><time title="{{value.exact}}">{{value.ago}}</time><span>{{value.origin}}</span></div>
  <p class="record-note" role="status">{{#if value.note}}{{value.note}} <time data-clock="{{value.at}}"></time>{{/if}}</p>
{{else}}{{#if value.is_new}}<div class="record-head"><h2>New instruction</h2><span>Not saved yet</span></div>
{{else}}
  {{#if value.deleted}}<div class="notice" role="status"><p>Number {{value.deleted}} is deleted. Its versions are kept.</p>
    <button type="button" class="secondary-btn" data-undo="{{value.deleted}}">Undo</button></div>{{/if}}
  {{#if value.missing}}<div class="notice notice-attention" role="alert"><p>There is no instruction number {{value.missing}}
    in this project. It may have been deleted.</p></div>{{/if}}
  <div class="empty"><h3>Nothing open.</h3><p>Choose an instruction from the list, or write a new one.</p>
    <p class="keys"><kbd>n</kbd> new <kbd>/</kbd> search <kbd>Ctrl</kbd> <kbd>S</kbd> save
      <kbd>Ctrl</kbd> <kbd>Enter</kbd> submit</p></div>
{{/if}}{{/if}}
"""
)
ON_LOAD = """
const press = (id) => { const button = document.getElementById(id); if (button) button.click(); };
const mayLeave = () => !document.body.dataset.unsaved || window.confirm('The text in the form is not saved. Leave it?');
element.addEventListener('click', (event) => {
  const undo = event.target.closest('[data-undo]');
  if (undo) trigger('undo', {id: Number(undo.dataset.undo)});
});
document.addEventListener('keydown', (event) => {
  const typing = event.target.closest('input, textarea, select, [contenteditable]');
  const ctrl = event.ctrlKey || event.metaKey;
  const key = event.key.toLowerCase();
  if (ctrl && !event.shiftKey && key === 's') { event.preventDefault(); press('save-btn'); }
  else if (ctrl && key === 'enter') { event.preventDefault(); press('submit-btn'); }
  else if (typing || ctrl || event.altKey) return;
  else if (key === 'n') { event.preventDefault(); press('new-btn'); }
  else if (key === '/') { event.preventDefault(); document.querySelector('#search textarea, #search input').focus(); }
}, true);
document.addEventListener('click', (event) => {
  if (event.target.closest('#new-btn') && !mayLeave()) { event.preventDefault(); event.stopImmediatePropagation(); }
}, true);
window.addEventListener('beforeunload', (event) => { if (document.body.dataset.unsaved) event.preventDefault(); });
let shown = null;
watch('value', () => {
  const value = props.value;
  delete document.body.dataset.unsaved;
  studio.setParam('id', value.id ? value.id : null);
  for (const clock of element.querySelectorAll('[data-clock]'))
    clock.textContent = new Date(clock.dataset.clock).toLocaleTimeString('en-GB');
  const opened = value.is_new ? 'new' : value.id;
  const pane = document.getElementById('record');
  if (shown !== null && opened && opened !== shown && (pane.getBoundingClientRect().top < 0 || window.innerWidth <= 900))
    pane.scrollIntoView({block: 'start'});
  if (value.is_new) setTimeout(() => {
    const first = document.querySelector('#field-instruction textarea');
    if (first) first.focus();
  }, 60);
  shown = opened || 0;
});
"""
NOTHING_OPEN = {"id": 0, "is_new": False, "deleted": 0, "missing": "", "note": ""}


def record_head() -> View:
    return View(TEMPLATE, NOTHING_OPEN, on_load=ON_LOAD)


def head_value(record: Instruction, *, note: str = "") -> dict:
    """`note` is what was just done, such as Saved; the time is put beside it."""
    word, hue = status_chip(record.status)
    return {
        **NOTHING_OPEN,
        "id": record.id,
        "version": record.version,
        "in_force": record.approved_version if record.approved_version != record.version else 0,
        "chip": chip.chip_value(word, hue),
        "author": record.author.full_name,
        "ago": ago(record.updated_at),
        "exact": exact(record.updated_at),
        "origin": record.origin.capitalize(),
        "note": note,
        "at": utc_now().isoformat(),
    }
