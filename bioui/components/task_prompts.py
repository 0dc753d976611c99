"""Rows of a task exactly as they are put to a model, each with what is right; examples are turns before."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bioui.components.view import View
from bioui.present import counted
from db.tables import TaskRow
from db.task_drafts import Prepared

TEMPLATE = Path(__file__).with_suffix(".hbs").read_text(encoding="utf-8")
NO_PROMPTS: dict = {"lead": "", "left_out": [], "shots": [], "shots_word": "", "rows": []}
PREVIEWED = 3


def prompts_view(elem_id: str) -> View:
    return View(TEMPLATE, NO_PROMPTS, elem_classes="task-prompts-view", elem_id=elem_id)


def preview_value(prepared: Prepared) -> dict:
    """The first rows of a task that is not frozen yet."""
    shown = prepared.rows[:PREVIEWED]
    rows = f"{counted(len(prepared.rows), 'row')} to score"
    return {
        "lead": f"{rows}; the first {len(shown)}, as they will be asked. Hash {prepared.content_hash[:12]}.",
        "left_out": [
            f"{counted(times, 'row')} left out: {reason}" for reason, times in prepared.left_out.items()
        ],
        **_shots(prepared.examples),
        "rows": [
            {
                "place": f"Row {number:,}",
                "key": row.key,
                "question": _question(row.instruction, row.input),
                "reference": row.reference,
            }
            for number, row in enumerate(shown, start=1)
        ],
    }


def row_value(row: TaskRow | None, examples: Sequence[Mapping[str, str]]) -> dict:
    """One frozen row."""
    if row is None:
        return NO_PROMPTS
    return {
        "lead": "As every model is asked.",
        "left_out": [],
        **_shots(examples),
        "rows": [
            {
                "place": f"Row {row.position + 1:,}",
                "key": row.key,
                "question": _question(row.instruction, row.input),
                "reference": row.reference,
            }
        ],
    }


def _shots(examples: Sequence[Mapping[str, str]]) -> dict[str, Any]:
    """The examples, which stand before each question as earlier turns."""
    shots = [
        {"question": _question(one["instruction"], one["input"]), "answer": one["output"]} for one in examples
    ]
    return {"shots": shots, "shots_word": f"{counted(len(shots), 'example')} before each question"}


def _question(instruction: str, input: str) -> str:
    """What the user says: the instruction, a blank line, the input if there is one (trainer.prompts)."""
    return f"{instruction}\n\n{input}" if input else instruction
