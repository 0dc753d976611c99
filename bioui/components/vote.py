"""The vote bar below the answers: which two are voted on, and four choices, each with its key.

Events of the returned View: `vote`, with `chosen(event)`; `pair`, with `chosen_pair(event)`, where there are
more than two answers.
"""

from collections.abc import Sequence
from pathlib import Path

import gradio as gr

from bioui.components.answers import LETTERS
from bioui.components.view import View

CHOICES = ("left", "right", "tie", "both_bad")
HIDDEN: dict = {"choices": [], "columns": [], "said": "", "links": []}

TEMPLATE = Path(__file__).with_suffix(".hbs").read_text(encoding="utf-8")
ON_LOAD = """
const vote = (button) => trigger('vote', {choice: button.dataset.choice});
element.addEventListener('click', (event) => {
  const button = event.target.closest('[data-choice]');
  if (button) vote(button);
});
element.addEventListener('change', (event) => {
  if (!event.target.matches('[data-pair]')) return;
  const [left, right] = ['left', 'right'].map((side) => element.querySelector('[data-pair="' + side + '"]'));
  if (left.value === right.value) {
    const other = event.target === left ? right : left;
    other.selectedIndex = event.target.selectedIndex ? 0 : 1;
  }
  trigger('pair', {left: Number(left.value), right: Number(right.value)});
});
document.addEventListener('keydown', (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
  if (event.target.closest('input:not([type=radio]), textarea, select, [contenteditable="true"]')) return;
  const button = element.querySelector('[data-key="' + CSS.escape(event.key) + '"]');
  if (button) { event.preventDefault(); button.focus(); vote(button); }
});
"""


def vote_bar() -> View:
    """A bar that is hidden until there is something to vote on."""
    return View(TEMPLATE, HIDDEN, on_load=ON_LOAD, elem_classes="vote-view")


def vote_value(
    names: Sequence[str],
    colours: Sequence[str],
    pair: tuple[int, int],
    *,
    choice: str = "",
    said: str = "",
    links: Sequence[dict] = (),
) -> dict:
    """The bar for the columns of `pair`, one's own vote pressed.

    `names` and `colours` are those of all columns, from the left; both of empty texts under a blind.
    """
    left, right = pair
    labels = (f"{LETTERS[left]} is better", f"{LETTERS[right]} is better", "Equally good", "Both are bad")
    notes = (names[left], names[right], "", "")
    hues = (colours[left], colours[right], "", "")
    return {
        "choices": [
            {
                "choice": each,
                "label": labels[at],
                "note": notes[at],
                "colour": f"vote-{hues[at]}" if hues[at] else "",
                "key": str(at + 1),
                "pressed": "true" if each == choice else "false",
            }
            for at, each in enumerate(CHOICES)
        ],
        "columns": [
            {"at": at, "name": f"{LETTERS[at]} {name}".strip(), "left": at == left, "right": at == right}
            for at, name in enumerate(names)
        ]
        if len(names) > 2
        else [],
        "said": said or (f"Your vote: {words(choice, pair)}. Vote again to change it." if choice else ""),
        "links": list(links),
    }


def words(choice: str, pair: tuple[int, int]) -> str:
    """A choice in a sentence: `A is better`, `equally good`."""
    left, right = (LETTERS[at] for at in pair)
    named = {"left": f"{left} is better", "right": f"{right} is better", "tie": "equally good"}
    return named.get(choice, "both are bad")


def chosen(event: gr.EventData) -> str:
    """left, right, tie or both_bad. Raises ValueError for none of these."""
    choice = getattr(event, "choice", None)
    if choice not in CHOICES:
        raise ValueError("vote: choose one of the two, equally good or both bad.")
    return choice


def chosen_pair(event: gr.EventData) -> tuple[int, int]:
    """The columns to vote on, from the left. Raises ValueError for no columns."""
    pair = getattr(event, "left", None), getattr(event, "right", None)
    if not all(isinstance(at, int) and not isinstance(at, bool) for at in pair):
        raise ValueError("vote: choose two different answers.")
    return pair
