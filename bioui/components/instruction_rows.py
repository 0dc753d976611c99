"""A list of instructions to read down and open: two lines of text, labels, status, author, time.

Events of the returned View: `open` (`event.id`), `older`, `newer`, `submit_drafts` (`event.count`). A click
asks first when the page's form holds text that is not saved (`data-unsaved` on the body).
"""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from bioui.components import chip, empty
from bioui.components.table import Trail
from bioui.components.view import View
from bioui.present import ago, counted, exact, shortened, status_chip
from db.tables import Instruction

TEMPLATE = (
    Path(__file__)
    .with_suffix(".hbs")
    .read_text(encoding="utf-8")
    .replace("@chip", chip.TEMPLATE)
    .replace("@empty", empty.TEMPLATE)
)


ON_LOAD = """
const open = (row) => {
  const unsaved = document.body.dataset.unsaved;
  if (unsaved && !window.confirm('The text in the form is not saved. Leave it?')) return;
  delete document.body.dataset.unsaved;
  for (const other of document.querySelectorAll('.item[aria-current]')) other.removeAttribute('aria-current');
  row.setAttribute('aria-current', 'true');
  studio.setParam('id', row.dataset.id);
  trigger('open', {id: Number(row.dataset.id)});
};
element.addEventListener('click', (event) => {
  const turn = event.target.closest('[data-turn]');
  if (turn) return turn.dataset.turn === 'older' ? trigger('older', {}) : trigger('newer', {});
  const many = event.target.closest('[data-submit]');
  if (many) return trigger('submit_drafts', {count: Number(many.dataset.submit)});
  const row = event.target.closest('.item');
  if (!row || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  open(row);
});
element.addEventListener('keydown', (event) => {
  const row = event.target.closest('.item');
  const step = {ArrowDown: 'nextElementSibling', ArrowUp: 'previousElementSibling'}[event.key];
  const next = row && step && row.parentElement[step];
  if (next) { event.preventDefault(); next.querySelector('.item').focus(); }
});
watch('value', () => {
  const count = document.querySelector('nav a[href^="/review"] .count');
  if (count && props.value.waiting !== null) {
    count.textContent = props.value.waiting;
    count.hidden = !props.value.waiting;
  }
  for (const name in props.value.params || {})
    studio.setParam(name, props.value.params[name].replace(/\\\\([\\\\$])/g, '$1'));
});
"""


def instruction_rows(label: str) -> View:
    """An empty list; give it `rows_value(...)`."""
    return View(TEMPLATE, rows_value([], 0, label=label), on_load=ON_LOAD)


def rows_value(
    rows: Sequence[Instruction],
    project_id: int,
    *,
    label: str = "Instructions",
    heading: str = "",
    page: str = "/curate",
    empty: dict | None = None,
    total: int = 0,
    trail: Trail = Trail(),
    has_next: bool = False,
    page_rows: int = 50,
    current_id: int = 0,
    drafts: int = 0,
    params: dict[str, str] | None = None,
    is_queue: bool = False,
    waiting: int | None = None,
) -> dict:
    """`drafts`: how many complete drafts may be submitted at once; `params`: what the address bar should say;
    `waiting`: the number the navigation shows beside Review.
    """
    first = (len(trail.before) - 1) * page_rows + 1
    pages = has_next or len(trail.before) > 1
    every = counted(total, "instruction")
    return {
        "label": label,
        "heading": heading,
        "rows": [_row(row, project_id, page, current_id, is_queue) for row in rows],
        "range": f"{first:,} to {first + len(rows) - 1:,} of {every}" if pages else every,
        "pages": pages,
        "has_newer": len(trail.before) > 1,
        "has_older": has_next,
        "empty": empty or {"title": ""},
        "drafts": drafts,
        "drafts_text": f"Submit {counted(drafts, 'complete draft')} of yours in this list",
        "params": params or {},
        "waiting": waiting,
    }


def _row(row: Instruction, project_id: int, page: str, current_id: int, is_queue: bool) -> dict:
    """In a queue every row has the same status, so it is not said, and the time is that of the submission."""
    at: datetime = row.submitted_at if is_queue and row.submitted_at else row.updated_at
    word, hue = status_chip(row.status)
    labels = [row.category, row.task.replace("_", " "), row.specialty]
    return {
        "id": row.id,
        "href": f"{page}?project={project_id}&id={row.id}",
        "text": shortened(row.instruction, 240),
        "chip": None if is_queue else chip.chip_value(word, hue),
        "labels": [label for label in labels if label],
        "author": row.author.full_name,
        "ago": ago(at),
        "exact": exact(at),
        "current": row.id == current_id,
    }
