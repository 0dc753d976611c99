"""The items that raters answer on each of two answers: add, reword, reorder, take away.

Everything happens in the browser. An event that stores the rubric takes the View as an input and, for its
place among the inputs, `js=with_rubric(place)`: then the handler is given what the fields say, for `axes_of`.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bioui.components.view import View
from db import rubric
from db.rubric import Axis

HERE = Path(__file__)
TEMPLATE = HERE.with_suffix(".hbs").read_text(encoding="utf-8")
TEXTS = ("key", "title", "question", "help", "options")
ON_LOAD = HERE.with_suffix(".js").read_text(encoding="utf-8")


def rubric_editor() -> View:
    return View(
        TEMPLATE,
        rubric_value(rubric.DEFAULT),
        on_load=ON_LOAD,
        elem_id="field-rubric",
        elem_classes="rubric-view",
    )


def rubric_value(axes: Sequence[Axis]) -> dict:
    return {
        "most": rubric.MAX_AXES,
        "axes": [
            {
                "key": axis.key,
                "title": axis.title,
                "question": axis.question,
                "help": axis.help,
                "is_choice": axis.kind == "choice",
                "options": ", ".join(axis.options),
            }
            for axis in axes
        ],
    }


def with_rubric(place: int) -> str:
    """JavaScript that puts the editor's items among an event's inputs, at that place."""
    return f"(...given) => {{ given[{place}] = {{axes: studio.readRubric()}}; return given; }}"


def axes_of(value: Any) -> tuple[Axis, ...]:
    """The items as the editor sent them. Raises ValueError naming what is wrong with which."""
    given = value.get("axes") if isinstance(value, dict) else None
    if not isinstance(given, list) or not all(isinstance(item, dict) for item in given):
        raise ValueError("rubric: it does not read as a list of items; load the page again.")
    return rubric.check([_axis(number, item) for number, item in enumerate(given, 1)])


def _axis(number: int, item: dict) -> Axis:
    text = {
        name: str(item.get(name) or "").strip() for name in ("key", "title", "question", "help", "options")
    }
    is_choice = bool(item.get("is_choice"))
    options = [option.strip() for option in text["options"].split(",") if option.strip()]
    try:
        return Axis(
            key=text["key"] or _key_of(text["title"]) or f"item_{number}",
            title=text["title"],
            question=text["question"],
            kind="choice" if is_choice else "yes_no",
            options=tuple(options) if is_choice else (),
            help=text["help"],
        )
    except ValueError as error:
        what = str(error).partition(": ")[2] or str(error)
        raise ValueError(f"rubric: item {number}: {what}") from error


def _key_of(title: str) -> str:
    """`harm_if_followed`: what votes store the answers to an item under."""
    letters = "".join(mark if mark.isascii() and mark.isalnum() else " " for mark in title.lower())
    return "_".join(letters.split()).lstrip("0123456789_")[:40]
