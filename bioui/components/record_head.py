"""The line above an open record: its number, status and author, when it was saved, how to undo a deletion.

Event of the View: `undo` (`event.id`). It also holds the page's keys: Ctrl or Cmd with S saves, with Enter
submits, n begins a new record, / goes to the search.
"""

from pathlib import Path

from bioui.components import chip
from bioui.components.view import View
from bioui.present import ago, exact, status_chip
from db.tables import Instruction
from db.tables.base import utc_now

TEMPLATE = Path(__file__).with_suffix(".hbs").read_text(encoding="utf-8").replace("@chip", chip.TEMPLATE)
ON_LOAD = """
const mayLeave = () => !document.body.dataset.unsaved
  || window.confirm('The text in the form is not saved. Leave it?');
element.addEventListener('click', (event) => {
  const undo = event.target.closest('[data-undo]');
  if (undo) trigger('undo', {id: Number(undo.dataset.undo)});
});
document.addEventListener('click', (event) => {
  if (!event.target.closest('#new-btn') || mayLeave()) return;
  event.preventDefault();
  event.stopImmediatePropagation();
}, true);
window.addEventListener('beforeunload', (event) => {
  if (document.body.dataset.unsaved) event.preventDefault();
});
let shown = null;
watch('value', () => {
  const value = props.value;
  delete document.body.dataset.unsaved;
  studio.setParam('id', value.id ? value.id : null);
  for (const clock of element.querySelectorAll('[data-clock]'))
    clock.textContent = new Date(clock.dataset.clock).toLocaleTimeString('en-GB');
  const opened = value.is_new ? 'new' : value.id;
  const pane = document.getElementById('record');
  const isAway = pane.getBoundingClientRect().top < 0 || window.innerWidth <= 900;
  if (shown !== null && opened && opened !== shown && isAway)
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
