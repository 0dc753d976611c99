"""What stands above the list once a round was removed: the way back (event `undo`, with the round's id)."""

from bioui.components.view import View
from db.tables import Round

TEMPLATE = """
{{#if value.id}}<div class="notice" role="status" data-id="{{value.id}}">
  <p>The round “{{value.title}}” was removed; its votes are kept.
  <button type="button" class="quiet-btn" data-undo>Put it back</button></p></div>{{/if}}
"""
ON_LOAD = """
element.addEventListener('click', (event) => {
  const button = event.target.closest('[data-undo]');
  if (button) trigger('undo', {id: Number(button.closest('[data-id]').dataset.id)});
});
"""
NOTHING_REMOVED: dict = {"id": 0}


def removed_round() -> View:
    return View(TEMPLATE, NOTHING_REMOVED, on_load=ON_LOAD, elem_classes="undo-view")


def removed_value(round: Round) -> dict:
    return {"id": round.id, "title": round.title}
