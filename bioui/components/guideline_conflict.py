"""Two people wrote the guidelines at once: both texts side by side, and ways on that lose neither.

Events of the View: `keep_mine`, `take_theirs`, `put_back`.
"""

from pathlib import Path

from bioui.components.guideline_diff import folded
from bioui.components.view import View
from bioui.components.word_diff import word_diff
from db.guidelines import StaleGuidelineError

TEMPLATE = Path(__file__).with_suffix(".hbs").read_text(encoding="utf-8")
ON_LOAD = """
element.addEventListener('click', (event) => {
  const button = event.target.closest('[data-act]');
  const act = ['keep_mine', 'take_theirs', 'put_back'].find((name) => button && button.dataset.act === name);
  if (act) trigger(act, {});
});
watch('value', () => {
  if (props.value.sentence) requestAnimationFrame(() => element.scrollIntoView({block: 'start'}));
});
"""
NO_CONFLICT = {"sentence": "", "sides": [], "next": 0}


def guideline_conflict() -> View:
    return View(TEMPLATE, NO_CONFLICT, on_load=ON_LOAD, elem_classes="conflict-area guideline-conflict")


def conflict_value(error: StaleGuidelineError, mine: str) -> dict:
    """Each side with the words marked that only it has."""
    stored = error.stored
    parts = word_diff(mine, stored.body)
    changed = f", because: {stored.reason}" if stored.reason else ""
    return {
        "sentence": str(error).partition(": ")[2],
        "next": stored.number + 1,
        "sides": [
            {"title": "Yours, not saved", "parts": _side(parts, without="added")},
            {
                "title": f"Version {stored.number}, by {stored.author.full_name}{changed}",
                "parts": _side(parts, without="removed"),
            },
        ],
    }


def taken_value() -> dict:
    """After `take_theirs`: the way back."""
    return {
        **NO_CONFLICT,
        "sentence": "Their text is in the editor. Yours is kept here until you save or leave the page.",
    }


def _side(parts: list[dict], *, without: str) -> list[dict]:
    return folded([part for part in parts if not part.get(without)])
