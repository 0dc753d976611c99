"""The answers of a comparison: two to six equal columns (one does too), streaming together.

The template is a fixed frame; assets/answers.js writes texts into it as text nodes, so that while an answer
grows nothing else is drawn again: a selection, an open provenance and the screen reader's place all stay.

Events of the returned View, each wired with `page.on(answers_html.stop, ...)`:
  stop    one side, or all, shall end; `stopped_position(event)` says which
  again   the shown comparison's prompt is wanted on the desk
  replay  one answer shall be asked for again as its provenance says; `replayed_position(event)` says which
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import gradio as gr

from bioui.components.answer_marks import LETTERS, marks_value
from bioui.components.answer_provenance import provenance_rows
from bioui.components.view import View
from bioui.markdown_tree import Tree, tree
from bioui.present import counted
from db.enums import Side

ON_LOAD = (Path(__file__).parent.parent / "assets" / "answers.js").read_text(encoding="utf-8")

KINDS = {Side.BASE: "Base", Side.TUNED: "Tuned"}
ENDINGS = {
    "stop": "ended by itself",
    "length": "cut off at the longest answer",
    "cancelled": "stopped by hand",
}


@dataclass
class ColumnState:
    """One side's answer as far as it has come. `kind` is the word before the title; by colour where empty.

    `measured` are the lines of `bioui.measured`, `note` is a sentence under the answer (what a replay said),
    `problem` why this side alone gave no answer.
    """

    title: str
    colour: Side
    text: str = ""
    finish_reason: str = ""  # stop, length or cancelled; "" while it is not done
    tokens: int = 0
    tokens_per_second: float = 0.0
    first_token_seconds: float | None = None
    provenance: dict = field(default_factory=dict)
    kind: str = ""
    measured: Sequence[dict] = ()
    note: str = ""
    problem: str = ""

    @property
    def is_done(self) -> bool:
        return bool(self.finish_reason or self.problem)


@dataclass
class AnswersState:
    """All answers, and what is happening in one short sentence."""

    columns: list[ColumnState]
    phase: str = ""
    waited: float = 0.0  # seconds in this phase, 0 once there is something to read
    failed: bool = False

    @property
    def is_done(self) -> bool:
        return all(column.is_done for column in self.columns)

    @property
    def has_text(self) -> bool:
        return any(column.text for column in self.columns)

    def apply(self, event: dict) -> None:
        """Take in one event of the model server; unknown ones say nothing."""
        kind = event["type"]
        if kind == "start":
            self._alternates = event.get("passes") == "alternating"
            self.phase = _waiting_for(event["queue"], event["loading"])
        elif kind == "queue":
            self.phase = _waiting_for(event["ahead"], False)
        elif kind == "delta":
            self.phase = "Answering, a word of each in turn" if self._alternates else "Answering"
            column = self.columns[event["position"]]
            column.text = (column.text + event["text"]).lstrip()  # models often begin with a blank
        elif kind == "done":
            column = self.columns[event["position"]]
            for name in ("finish_reason", "tokens", "tokens_per_second", "first_token_seconds", "provenance"):
                setattr(column, name, event[name])
        elif kind == "error":
            self.failed, self.phase, self.waited = True, "No answer", 0.0

    _alternates: bool = field(default=False, repr=False)


def answers() -> View:
    """The shape of what will come."""
    return View(
        "<div class='answers'></div>", answers_value(None), on_load=ON_LOAD, elem_classes="answers-view"
    )


def answers_value(
    state: AnswersState | None,
    *,
    title: str = "",
    prompt: str = "",
    passage: str = "",
    running: bool = False,
    comparison_id: int = 0,
    caption: str = "",
    link: str = "",
    blind: bool = False,
) -> dict:
    """What the columns show. Without a state, the shape of what will come.

    `prompt` is the instruction, `passage` the input that the answers must be checked against. With `blind`
    the value holds nothing that tells the sides apart, nor the way to where they are told.
    """
    columns = state.columns if state else []
    is_over = state is not None and not running and not state.failed and state.is_done
    trees = [tree(column.text) if is_over and column.text else None for column in columns]
    return {
        "stage": _stage(state, running),
        "phase": _phase(state),
        "title": title,
        "prompt": prompt,
        "passage": passage,
        "caption": "" if blind else caption,
        "link": "" if blind else link,
        "comparison_id": 0 if blind else comparison_id,
        "blind": blind,
        "columns": [
            _column(column, position, trees[position], blind) for position, column in enumerate(columns)
        ],
        **marks_value(trees if is_over else [], passage=passage, prompt=prompt),
    }


def stopped_position(event: gr.EventData) -> int | None:
    """The column that shall stop, None for all."""
    return _position(event)


def replayed_position(event: gr.EventData) -> int | None:
    """The column that shall be asked for again, None for all."""
    return _position(event)


def _position(event: gr.EventData) -> int | None:
    """Raises ValueError for what is no place of a column."""
    position = getattr(event, "position", None)
    if position is None:
        return None
    if isinstance(position, bool) or not isinstance(position, int) or not 0 <= position < len(LETTERS):
        raise ValueError("answer: there is no such answer; press the button beneath one.")
    return position


def _waiting_for(queue: int, loading: bool) -> str:
    if queue:
        return f"Waiting for {counted(queue, 'comparison')} before this one"
    return "Loading the model" if loading else "Reading the prompt"


def _stage(state: AnswersState | None, running: bool) -> str:
    if state is None:
        return "empty"
    if state.failed:
        return "failed"
    return "running" if running else "done"


def _phase(state: AnswersState | None) -> str:
    if state is None:
        return ""
    return f"{state.phase} · {state.waited:.0f} s" if state.waited >= 1 else state.phase


def _column(column: ColumnState, position: int, shown: Tree | None, blind: bool) -> dict:
    letter = LETTERS[position]
    common = {
        "letter": letter,
        "text": column.text,
        "tree": list(shown.nodes) if shown else [],
        "done": column.is_done,
        "problem": "This answer could not be had." if blind and column.problem else column.problem,
    }
    if blind:
        told = {
            "colour": "",
            "kind": f"Answer {letter}",
            "title": "",
            "figures": [],
            "ending": "",
            "note": "",
        }
        return {**common, **told, "provenance": [], "measured": []}
    return {
        **common,
        "colour": column.colour.value,
        "kind": column.kind or KINDS[column.colour],
        "title": column.title,
        "figures": _figures(column),
        "ending": ENDINGS.get(column.finish_reason, column.finish_reason),
        "note": column.note,
        "provenance": provenance_rows(column.provenance),
        "measured": list(column.measured),
    }


def _figures(column: ColumnState) -> list[str]:
    """How the answer came: first token, speed, length. Empty until it is done."""
    if not column.finish_reason:
        return []
    first, speed = column.first_token_seconds, column.tokens_per_second
    return [
        *([f"first token {first:.2f} s"] if first is not None else []),
        *([f"{speed:,.0f} tokens/s"] if speed else []),
        counted(column.tokens, "token"),
    ]
