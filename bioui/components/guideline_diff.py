"""What changed between two versions of the guidelines, word by word; long stretches that stayed fold."""

from pathlib import Path

from bioui.components.view import View
from bioui.components.word_diff import word_diff
from db.tables import Guideline

TEMPLATE = Path(__file__).with_suffix(".hbs").read_text(encoding="utf-8")
NO_DIFF = {"sentence": "", "before": "", "after": "", "parts": []}
SHOWN_LINES = 2  # of a folded stretch, at either end
_FOLDED_FROM = 8  # lines


def guideline_diff() -> View:
    return View(TEMPLATE, NO_DIFF, elem_classes="guideline-diff-view")


def diff_value(before: Guideline, after: Guideline) -> dict:
    """`before` is taken for the older text, whatever its number."""
    if before.number == after.number:
        return {**NO_DIFF, "sentence": "These are one and the same. Choose another version to compare with."}
    if before.body == after.body:
        return {**NO_DIFF, "sentence": f"Versions {before.number} and {after.number} have the same text."}
    return {
        **NO_DIFF,
        "before": f"version {before.number}",
        "after": f"version {after.number}",
        "parts": folded(word_diff(before.body, after.body)),
    }


def folded(parts: list[dict]) -> list[dict]:
    """The parts of a word diff; in place of a long kept one its two ends, and between them what is folded."""
    shown: list[dict] = []
    for place, part in enumerate(parts):
        lines = part["text"].splitlines(keepends=True)
        if part.get("added") or part.get("removed") or len(lines) < _FOLDED_FROM:
            shown.append(part)
            continue
        head = 0 if place == 0 else SHOWN_LINES
        tail = 0 if place == len(parts) - 1 else SHOWN_LINES
        middle = lines[head : len(lines) - tail]
        shown.append({"text": "".join(lines[:head])})
        shown.append({"text": "".join(middle).strip("\n"), "folded": f"{len(middle)} lines unchanged"})
        shown.append({"text": "".join(lines[len(lines) - tail :])})
    return [part for part in shown if part["text"]]
