"""Pairs of a round on which raters differ, laid out without the sides' names, and the vote that settles each.

Event of the View: `settle`, of which `settling_of` reads the pair, the choice and the reason. What is open
and typed stays in the browser; a refused decision leaves it there.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import gradio as gr

from bioui.components.ballot_bar import CHOICES, SAID
from bioui.components.view import View
from bioui.present import counted, shortened
from db.adjudication import Disagreement, Said

HERE = Path(__file__)
TEMPLATE = HERE.with_suffix(".hbs").read_text(encoding="utf-8")
ON_LOAD = HERE.with_suffix(".js").read_text(encoding="utf-8")
NO_DISPUTES: dict = {"round": 0, "rows": [], "sum": ""}
SHOWN = 100  # more of them are a matter for the rubric, not for a judge


@dataclass(frozen=True)
class Settling:
    """A decision as the browser sends it."""

    pair_id: int
    choice: str  # left, right, tie or both_bad
    reason: str


def disputes() -> View:
    return View(TEMPLATE, NO_DISPUTES, on_load=ON_LOAD, elem_id="disputes", elem_classes="disputes-view")


def disputes_value(round_id: int, found: Sequence[Disagreement], *, has_overlap: bool) -> dict:
    """Open ones before settled ones. `has_overlap`: some pair stands before two raters or more."""
    ordered = sorted(found, key=lambda one: one.settled is not None)
    waiting = sum(one.settled is None for one in found)
    nobody = "No rater differs from another so far." if has_overlap else ""
    told = f"{counted(len(found), 'pair')}, of which {waiting:,} wait for a decision." if found else nobody
    return {"round": round_id, "sum": told, "rows": [_row(one) for one in ordered[:SHOWN]]}


def settling_of(event: gr.EventData) -> Settling:
    """Raises ValueError for what the View never says."""
    pair_id, choice = getattr(event, "pair", None), getattr(event, "choice", None)
    if isinstance(pair_id, bool) or not isinstance(pair_id, int) or not 0 < pair_id < 2**53:
        raise ValueError("This is about no pair on the page; load the page again.")
    if choice not in dict(CHOICES):
        raise ValueError("decision: choose A, B, equally good or both bad.")
    reason = str(getattr(event, "reason", None) or "").strip()
    if not reason:
        raise ValueError("decision: say why in a sentence; the raters and the record need the reason.")
    return Settling(pair_id, choice, reason)


def _row(one: Disagreement) -> dict:
    laid, settled = one.laid, one.settled
    return {
        "id": one.pair_id,
        "title": shortened(laid.instruction, 90),
        "prompt": laid.instruction,
        "passage": laid.input,
        "left": laid.left,
        "right": laid.right,
        "said": [_said(said) for said in one.said],
        "settled": _said(settled) if settled else None,
        "status": "Settled" if settled else "Opposed" if one.is_opposed else "Split",
        "hue": "approved" if settled else "attention" if one.is_opposed else "review",
        "reason": settled.comment if settled else "",
        "choices": [
            {
                "choice": choice,
                "label": label,
                "pressed": "true" if settled and settled.left_right == choice else "false",
            }
            for choice, label in CHOICES
        ],
    }


def _said(said: Said) -> dict:
    words = SAID[said.left_right]
    return {
        "who": said.rater,
        "said": words[:1].upper() + words[1:],
        "comment": said.comment,
        "mirrored": said.is_mirrored and bool(said.comment),
    }
