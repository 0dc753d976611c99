"""A list of instructions to read down and open: two lines of text, labels, status, author, time.

Events of the returned View: `open` (`event.id`), `older`, `newer`, `submit_drafts` (`event.count`) and `tick`
(`event.ids`: every row whose box is ticked, on all pages of the list).
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

from bioui.components import chip, empty
from bioui.components.table import Trail
from bioui.components.view import View
from bioui.present import ago, counted, exact, shortened, status_chip
from db.tables import Instruction
from db.words import Words, excerpt

TEMPLATE = (
    Path(__file__)
    .with_suffix(".hbs")
    .read_text(encoding="utf-8")
    .replace("@chip", chip.TEMPLATE)
    .replace("@empty", empty.TEMPLATE)
)


ON_LOAD = """
const ticked = new Set();
const showTicked = () => {
  for (const box of element.querySelectorAll('[data-tick]'))
    box.checked = ticked.has(Number(box.dataset.tick));
  const told = element.querySelector('.ticked');
  if (!told) return;
  told.hidden = !ticked.size;
  told.querySelector('b').textContent = ticked.size + ' ticked';
};
const tell = () => { showTicked(); trigger('tick', {ids: [...ticked]}); };
element.addEventListener('change', (event) => {
  const id = Number(event.target.dataset.tick);
  if (!id) return;
  event.target.checked ? ticked.add(id) : ticked.delete(id);
  tell();
});
const open = (row) => {
  for (const other of document.querySelectorAll('.item[aria-current]')) other.removeAttribute('aria-current');
  row.setAttribute('aria-current', 'true');
  studio.setParam('id', row.dataset.id);
  trigger('open', {id: Number(row.dataset.id)});
};
element.addEventListener('click', (event) => {
  if (event.target.closest('[data-tick]')) return;
  if (event.target.closest('[data-untick]')) { ticked.clear(); return tell(); }
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
  const next = row && step && row.closest('li')[step];
  if (next) { event.preventDefault(); next.querySelector('.item').focus(); }
});
watch('value', () => {
  const count = document.querySelector('nav a[href^="/review"] .count');
  if (count && props.value.waiting !== null) {
    count.textContent = props.value.waiting;
    count.hidden = !props.value.waiting;
  }
  showTicked();
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
    is_more: bool = False,
    trail: Trail = Trail(),
    has_next: bool = False,
    page_rows: int = 50,
    current_id: int = 0,
    drafts: int = 0,
    words: Words | None = None,
    can_tick: bool = False,
    holders: Mapping[int, str] | None = None,
    is_queue: bool = False,
    waiting: int | None = None,
) -> dict:
    """`drafts`: how many complete drafts may be submitted at once; `words`: what was searched for, to be
    marked; `holders`: who has a row in hand; `waiting`: the number the navigation shows beside Review.
    """
    first = (len(trail.before) - 1) * page_rows + 1
    pages = has_next or len(trail.before) > 1
    every = f"more than {total:,} instructions" if is_more else counted(total, "instruction")
    return {
        "label": label,
        "heading": heading,
        "rows": [
            {
                **_row(row, project_id, page, current_id, is_queue),
                **_text(row, words),
                "tick": can_tick,
                "holder": (holders or {}).get(row.id, ""),
            }
            for row in rows
        ],
        "range": f"{first:,} to {first + len(rows) - 1:,} of {every}" if pages else every,
        "pages": pages,
        "has_newer": len(trail.before) > 1,
        "has_older": has_next,
        "empty": empty or {"title": ""},
        "drafts": drafts,
        "drafts_text": f"Submit {counted(drafts, 'complete draft')} of yours in this list",
        "waiting": waiting,
    }


def _text(row: Instruction, sought: Words | None) -> dict:
    """The beginning of the instruction; for a search the stretch in which its words were found, marked."""
    if not sought:
        return {"parts": [{"text": shortened(row.instruction, 240)}], "field": ""}
    field, parts = excerpt(row, sought)
    return {"parts": parts, "field": "" if field == "instruction" else field.capitalize()}


def _row(row: Instruction, project_id: int, page: str, current_id: int, is_queue: bool) -> dict:
    """In a queue every row has the same status, so it is not said, and the time is that of the submission."""
    at: datetime = row.submitted_at if is_queue and row.submitted_at else row.updated_at
    word, hue = status_chip(row.status)
    labels = [row.category, row.task.replace("_", " "), row.specialty]
    return {
        "id": row.id,
        "href": f"{page}?project={project_id}&id={row.id}",
        "chip": None if is_queue else chip.chip_value(word, hue),
        "labels": [label for label in labels if label],
        "author": row.author.full_name,
        "ago": ago(at),
        "exact": exact(at),
        "current": row.id == current_id,
    }
