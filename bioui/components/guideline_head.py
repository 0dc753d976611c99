"""The line above an open version of the guidelines: which one, whose, since when, what it changed.

Events of the View: `bring_back` (`event.number`, and `event.on`, the version in force as the reader saw it),
`drop` (throw away what was typed and not saved).
"""

from pathlib import Path

from bioui.components import empty
from bioui.components.view import View
from bioui.present import ago, exact
from db.tables import Guideline, TypedGuideline

TEMPLATE = Path(__file__).with_suffix(".hbs").read_text(encoding="utf-8").replace("@empty", empty.TEMPLATE)
# The address bar names an earlier version, and nothing where the one in force is open.
ON_LOAD = """
element.addEventListener('click', (event) => {
  if (event.target.closest('[data-drop]')) return trigger('drop', {});
  const button = event.target.closest('[data-bring-back]');
  if (!button) return;
  trigger('bring_back', {number: Number(button.dataset.bringBack), on: Number(button.dataset.on)});
});
watch('value', () => {
  const value = props.value;
  if (value.number || value.empty) studio.setParam('version', value.old ? value.number : null);
});
"""
NOTHING = {"number": 0, "old": False, "current": 0, "note": "", "missing": "", "empty": None, "typed": ""}
NO_GUIDELINES = empty.empty_state(
    "No guidelines yet.",
    "What this project's authors and reviewers hold to will be here, and beside the forms they work with. "
    "Every review remembers the version it was made under.",
)


def guideline_head() -> View:
    return View(TEMPLATE, NOTHING, on_load=ON_LOAD, elem_classes="guideline-head-view")


def head_value(
    shown: Guideline | None,
    current: Guideline | None,
    *,
    may_write: bool,
    note: str = "",
    missing: str = "",
    typed: TypedGuideline | None = None,
) -> dict:
    """`note` is what was just done; `missing` a version that was asked for and does not exist; `typed` what
    the reader wrote and did not save.
    """
    told = {**NOTHING, "typed": ago(typed.saved_at) if typed else "", "note": note}
    if shown is None or current is None:
        return {**told, "empty": NO_GUIDELINES}
    return {
        **told,
        "number": shown.number,
        "old": shown.number != current.number,
        "current": current.number,
        "href": f"/guidelines?project={shown.project_id}",
        "may_write": may_write,
        "author": shown.author.full_name,
        "ago": ago(shown.created_at),
        "exact": exact(shown.created_at),
        "reason": shown.reason,
        "missing": missing,
    }
