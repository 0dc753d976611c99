"""What somebody typed and did not save, wherever it was: where to go on, or to throw it away.

Event of the View: `drop` (`event.id`, the number of the record, 0 for a new one, or GUIDELINES).
"""

from pathlib import Path

from bioui.components.open_record import find_record, says_no_more, typed_of
from bioui.components.view import View
from bioui.present import ago, exact, shortened
from db import typed_guidelines, typed_texts
from db.policy import Actor
from db.session import Session
from db.tables import TypedText

TEMPLATE = Path(__file__).with_suffix(".hbs").read_text(encoding="utf-8")
ON_LOAD = """
element.addEventListener('click', (event) => {
  const button = event.target.closest('[data-drop]');
  if (button) trigger('drop', {id: button.dataset.drop});
});
"""
GUIDELINES = "guidelines"
NOTHING_KEPT = {"rows": []}


def kept_typing() -> View:
    return View(TEMPLATE, NOTHING_KEPT, on_load=ON_LOAD, elem_classes="notice-area")


def kept_typing_value(session: Session, actor: Actor, project_id: int) -> dict:
    """The latest first; shown to nobody but who typed it."""
    kept = typed_texts.list_kept(session, actor, project_id)
    rows = [_guidelines_row(session, actor, project_id), *(_row(session, one) for one in kept)]
    return {"rows": [row for row in rows if row]}


def forget(session: Session, actor: Actor, project_id: int, id: int | str) -> None:
    """Throw away what was typed there: `id` as the View's `drop` tells it."""
    if id == GUIDELINES:
        typed_guidelines.drop(session, actor, project_id)
    else:
        typed_texts.drop(session, actor, project_id, int(id))


def _guidelines_row(session: Session, actor: Actor, project_id: int) -> dict | None:
    kept = typed_guidelines.find(session, actor, project_id)
    return kept and {
        "id": GUIDELINES,
        "name": "Guidelines",
        "href": f"/guidelines?project={project_id}&edit=1",
        "text": shortened(kept.body, 90),
        "ago": ago(kept.saved_at),
        "exact": exact(kept.saved_at),
    }


def _row(session: Session, kept: TypedText) -> dict | None:
    """None where nothing would be lost: what is stored says the same."""
    stored = find_record(session, kept.project_id, kept.instruction_id) if kept.instruction_id else None
    typed = typed_of(kept)
    if says_no_more(typed, stored):
        return None
    place = f"id={kept.instruction_id}" if kept.instruction_id else "new=1"
    is_gone = bool(kept.instruction_id) and stored is None
    number = f"Number {kept.instruction_id}{', deleted since' if is_gone else ''}"
    return {
        "id": kept.instruction_id,
        "name": number if kept.instruction_id else "New instruction",
        "href": "" if is_gone else f"/curate?project={kept.project_id}&{place}",
        "text": shortened(typed.instruction or typed.input or typed.output or "", 90),
        "ago": ago(kept.saved_at),
        "exact": exact(kept.saved_at),
    }
