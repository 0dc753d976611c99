"""Rows of the task that were found among the train rows: both texts, with the words that they share marked.

Events of the returned View: `older`, `newer`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bioui.components import empty
from bioui.components.contamination_table import KINDS
from bioui.components.shared_words import shared_words
from bioui.components.table import Trail
from bioui.components.view import View
from bioui.present import counted

TEMPLATE = Path(__file__).with_suffix(".hbs").read_text(encoding="utf-8").replace("@empty", empty.TEMPLATE)
ON_LOAD = """
element.addEventListener('click', (event) => {
  const turn = event.target.closest('[data-turn]');
  if (turn) turn.dataset.turn === 'older' ? trigger('older', {}) : trigger('newer', {});
});
"""
PAGE_ROWS = 20
NO_TUNING = empty.empty_state(
    "No training to look through.",
    "This model was tuned on no dataset version of the studio; what its base has read is not known here.",
)
NOT_CHECKED = empty.empty_state(
    "Not looked for yet.",
    "An evaluation of a tuned model looks for the task's rows among its train rows first.",
)
NO_LEAKS_FOUND = empty.empty_state(
    "None found.", "No row of this task was found among the train rows. Paraphrases would not be found."
)
NO_LEAKS: dict = {"rows": [], "empty": NOT_CHECKED}


@dataclass(frozen=True)
class Leaked:
    """One row of the task and one train row that holds it; positions count from 0."""

    position: int
    href: str
    asked: str
    kind: str  # exact, n-gram or rouge-l
    score: float
    train_position: int
    train_href: str
    train: str


def leaks_view() -> View:
    return View(TEMPLATE, NO_LEAKS, on_load=ON_LOAD, elem_classes="result-leaks-view")


def leaks_value(
    rows: Sequence[Leaked], *, title: str, rule: str, trail: Trail, following: int | None, total: int
) -> dict:
    """A page of overlaps."""
    start = (len(trail.before) - 1) * PAGE_ROWS
    last = start + len(rows)
    return {
        "title": title,
        "rule": rule,
        "rows": [_row(row) for row in rows],
        "range": f"{start + 1:,}–{last:,} of {counted(total, 'overlap')}",
        "pages": total > PAGE_ROWS,
        "back": start > 0,
        "on": following is not None,
        "empty": NO_LEAKS_FOUND,
    }


def _row(row: Leaked) -> dict:
    asked, train = shared_words(row.asked, row.train)
    share = f"{row.score:.0%} of its runs" if row.kind == "n-gram" else ""
    return {
        "kind": KINDS.get(row.kind, row.kind),
        "score": share or (f"F1 {row.score:.2f}" if row.kind == "rouge-l" else ""),
        "number": f"{row.position + 1:,}",
        "href": row.href,
        "asked": asked,
        "train_number": f"{row.train_position + 1:,}",
        "train_href": row.train_href,
        "train": train,
    }
