"""What a rater says of a pair beside the vote: the rubric for A and B, a corrected answer, a comment.

Events of the View, all with plain values:
  vote   `ballot_of(event)` is what was said: choice, rubric by letter, correction, comment
  skip   `skipped(event)` is the assignment and why there is no opinion on it
The value holds texts and the assignment's id: nothing in it, in its order or its names tells whose text
stands on which side. What was typed stays in the browser until the server has it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import gradio as gr

from bioui.components.ballot_bar import CHOICES
from bioui.components.view import View
from db.content import MAX_CHARACTERS
from db.rubric import Axis

HERE = Path(__file__)
TEMPLATE = HERE.with_suffix(".hbs").read_text(encoding="utf-8")
ON_LOAD = HERE.with_suffix(".js").read_text(encoding="utf-8")
NO_BALLOT: dict = {"id": 0}
LETTERS = ("A", "B")
REASONS = {"not_my_field": "not my field", "cannot_tell": "cannot tell"}


@dataclass(frozen=True)
class Ballot:
    """What the browser says of one pair, as untrusted as anything from there."""

    assignment_id: int
    choice: str  # left, right, tie or both_bad; A stands on the left
    left: Mapping[str, str] = field(default_factory=dict)  # axis -> value
    right: Mapping[str, str] = field(default_factory=dict)
    corrected: str = ""
    comment: str = ""


def ballot() -> View:
    return View(TEMPLATE, NO_BALLOT, on_load=ON_LOAD, elem_classes="ballot-view")


def ballot_value(
    assignment_id: int, texts: Sequence[str], axes: Sequence[Axis], said: Ballot | None = None
) -> dict:
    """The form for that pair: `texts` are A's and B's, `said` is what was said before and was taken back."""
    by_letter = dict(zip(LETTERS, (said.left, said.right) if said else ({}, {}), strict=True))
    corrected, comment = (said.corrected, said.comment) if said else ("", "")
    return {
        "id": assignment_id,
        "chosen": said.choice if said else "",
        "axes": [_axis(number, axis, by_letter) for number, axis in enumerate(axes, 1)],
        "texts": [{"letter": letter, "text": text} for letter, text in zip(LETTERS, texts, strict=True)],
        "corrected": corrected,
        "comment": comment,
        "has_own": bool(corrected or comment),
        "most": MAX_CHARACTERS,
    }


def ballot_of(event: gr.EventData) -> Ballot:
    """Raises ValueError for what no form of ours says."""
    choice = getattr(event, "choice", None)
    if choice not in dict(CHOICES):
        raise ValueError("vote: choose A, B, equally good or both bad.")
    rubric = getattr(event, "rubric", None) or {}
    sides = [rubric.get(letter) or {} for letter in LETTERS] if isinstance(rubric, dict) else [None]
    if not all(isinstance(side, dict) for side in sides):
        raise ValueError("rubric: it does not read as answers on A and B; load the page again.")
    return Ballot(
        assignment_of(event),
        choice,
        *sides,
        corrected=_text(event, "corrected"),
        comment=_text(event, "comment"),
    )


def assignment_of(event: gr.EventData) -> int:
    """The assignment that an event is about. Raises ValueError for none."""
    given = getattr(event, "assignment", None)
    if isinstance(given, bool) or not isinstance(given, int) or not 0 < given < 2**53:
        raise ValueError("This is about no pair on the page; load the page again.")
    return given


def skipped(event: gr.EventData) -> tuple[int, str]:
    """The assignment and the reason. Raises ValueError for none of the reasons."""
    reason = REASONS.get(str(getattr(event, "reason", "")))
    if reason is None:
        raise ValueError(f"skip: say why: {' or '.join(REASONS.values())}.")
    return assignment_of(event), reason


def _axis(number: int, axis: Axis, by_letter: Mapping[str, Mapping[str, str]]) -> dict:
    return {
        "number": number,
        "title": axis.title,
        "question": axis.question,
        "help": axis.help,
        "cells": [
            {
                "letter": letter,
                "kind": axis.kind,
                "name": f"{letter}-{axis.key}",
                "options": [
                    {"value": value, "label": value.capitalize(), "checked": said.get(axis.key) == value}
                    for value in axis.values
                ],
            }
            for letter, said in by_letter.items()
        ],
    }


def _text(event: gr.EventData, name: str) -> str:
    return str(getattr(event, name, None) or "").strip()
