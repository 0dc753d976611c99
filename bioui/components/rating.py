"""The rubric beside a vote: each item for the left and the right answer, every one of them optional.

Event of the returned View: `rate`, with `rated(event)`, after each press.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import gradio as gr

from bioui.components.answers import LETTERS
from bioui.components.view import View
from db.rubric import Axis

TEMPLATE = Path(__file__).with_suffix(".hbs").read_text(encoding="utf-8")
ON_LOAD = """
element.addEventListener('click', (event) => {
  const button = event.target.closest('[data-axis]');
  if (!button) return;
  const was = button.getAttribute('aria-pressed') === 'true';
  for (const each of button.parentNode.children) each.setAttribute('aria-pressed', each === button && !was);
  const said = {left: {}, right: {}};
  for (const each of element.querySelectorAll('[aria-pressed="true"]'))
    said[each.dataset.side][each.dataset.axis] = each.dataset.value;
  trigger('rate', said);
});
"""
NO_RATING: dict = {"axes": [], "heads": []}
SIDES = ("left", "right")


def rating() -> View:
    return View(TEMPLATE, NO_RATING, on_load=ON_LOAD, elem_classes="rating-view")


def rating_value(
    axes: Sequence[Axis],
    pair: tuple[int, int],
    names: tuple[str, str],
    said: Mapping[str, Mapping[str, str]],
) -> dict:
    """`pair` are the columns rated, `names` their sides (empty under a blind), `said` as `rated` gives it."""
    letters = [LETTERS[at] for at in pair]
    return {
        "heads": [{"letter": letter, "name": name} for letter, name in zip(letters, names, strict=True)],
        "axes": [
            {
                "title": axis.title,
                "question": axis.question,
                "cells": [
                    {
                        "letter": letter,
                        "label": f"{axis.title}, answer {letter}",
                        "options": _options(axis, side, said.get(side, {}).get(axis.key)),
                    }
                    for letter, side in zip(letters, SIDES, strict=True)
                ],
            }
            for axis in axes
        ],
    }


def rated(event: gr.EventData) -> dict[str, dict[str, str]]:
    """{left or right: {axis: value}}. Raises ValueError for what is no rating."""
    said = {side: getattr(event, side, None) or {} for side in SIDES}
    if not all(isinstance(values, dict) for values in said.values()):
        raise ValueError("rubric: it does not read as a rating; load the page again.")
    return said


def _options(axis: Axis, side: str, said: str | None) -> list[dict]:
    return [
        {
            "value": value,
            "word": value.capitalize(),
            "axis": axis.key,
            "side": side,
            "pressed": "true" if value == said else "false",
        }
        for value in axis.values
    ]
