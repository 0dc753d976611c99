"""The line above an open record: its number, status, author, when it was saved, what can be taken back.

Events of the View: `undo` (`event.id`, a deletion), `discard` (the typing that came back), `withdraw` (a
submission), `retire` (`event.reason`) and `reinstate` (an approved text).
"""

from pathlib import Path

from bioui.components import chip
from bioui.components.guideline_fold import REVIEWED_UNDER
from bioui.components.view import View
from bioui.present import ago, exact, status_chip
from db import lifecycle
from db.lifecycle import Move
from db.policy import Actor, Right
from db.session import Session
from db.tables import Instruction, User
from db.tables.base import utc_now

TEMPLATE = (
    Path(__file__)
    .with_suffix(".hbs")
    .read_text(encoding="utf-8")
    .replace("@chip", chip.TEMPLATE)
    .replace("@under", REVIEWED_UNDER)
)
ON_LOAD = """
element.addEventListener('click', (event) => {
  const button = event.target.closest('[data-act]');
  if (!button) return;
  const acts = ['undo', 'discard', 'withdraw', 'retire', 'reinstate'];
  const act = acts.find((name) => button.dataset.act === name);
  const box = button.closest('.reasoned');
  const reason = box ? box.querySelector('input').value : '';
  trigger(act, {id: Number(button.dataset.of || 0), reason});
});
let shown = null;
watch('value', () => {
  const value = props.value;
  delete document.body.dataset.unsaved;
  const kept = document.querySelector('.kept');
  if (kept) kept.replaceChildren();
  studio.setParam('id', value.id ? value.id : null);
  for (const name of ['new', 'difficulty']) studio.setParam(name, null);
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
NOTHING_OPEN = {"id": 0, "is_new": False, "deleted": 0, "missing": "", "note": "", "kept": ""}


def record_head() -> View:
    return View(TEMPLATE, NOTHING_OPEN, on_load=ON_LOAD)


def head_value(
    session: Session, actor: Actor, record: Instruction, *, note: str = "", under: dict | None = None
) -> dict:
    """`note` is what was just done, such as Saved, with the time beside it; `under` the guidelines' line."""
    word, hue = status_chip(record.status)
    is_reviewer = actor.can(Right.REVIEW)
    may_write = actor.can(Right.WRITE) and (is_reviewer or record.author_id == actor.id)
    assignee = session.get(User, record.assignee_id) if record.assignee_id else None
    return {
        **NOTHING_OPEN,
        "id": record.id,
        "version": record.version,
        "in_force": record.approved_version if record.approved_version != record.version else 0,
        "chip": chip.chip_value(word, hue),
        "author": record.author.full_name,
        "assignee": assignee.full_name if assignee else "",
        "ago": ago(record.updated_at),
        "exact": exact(record.updated_at),
        "origin": record.origin.capitalize(),
        "under": under,
        "note": note,
        "at": utc_now().isoformat(),
        "may_withdraw": may_write and lifecycle.can_move(record, Move.WITHDRAW),
        "may_retire": is_reviewer and lifecycle.can_move(record, Move.RETIRE),
        "may_reinstate": is_reviewer and lifecycle.can_move(record, Move.REINSTATE),
    }
