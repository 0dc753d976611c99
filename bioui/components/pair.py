"""The pair of answers: base and tuned in two equal columns, streaming together.

The template is a fixed frame; assets/pair.js writes texts into it as text nodes, so that while an answer
grows nothing else is drawn again: a selection, an open provenance and the screen reader's place all stay.

Events of the returned View, each wired with `page.on(pair_html.stop, ...)`:
  stop   one side, or both, shall end; `stopped_side(event)` says which
  again  the shown comparison's prompt is wanted on the desk
"""

from dataclasses import dataclass, field
from pathlib import Path

import gradio as gr

from bioui.components.view import View
from bioui.components.word_diff import word_diff
from bioui.present import counted
from db.enums import Side

ON_LOAD = (Path(__file__).parent.parent / "assets" / "pair.js").read_text(encoding="utf-8")
ENDINGS = {
    "stop": "ended by itself",
    "length": "cut off at the longest answer",
    "cancelled": "stopped by hand",
}


@dataclass
class SideState:
    """One answer as far as it has come."""

    text: str = ""
    finish_reason: str = ""  # stop, length or cancelled; "" while it is not done
    tokens: int = 0
    tokens_per_second: float = 0.0
    first_token_seconds: float | None = None
    provenance: dict = field(default_factory=dict)

    def stored_provenance(self) -> dict:
        """What is kept with the answer: the server's words, and how fast it came."""
        figures = {
            "tokens": self.tokens,
            "tokens_per_second": self.tokens_per_second,
            "first_token_seconds": self.first_token_seconds,
        }
        return {**self.provenance, "figures": figures}

    @classmethod
    def of_stored(cls, text: str, finish_reason: str, provenance: dict) -> "SideState":
        figures = provenance.get("figures", {})
        return cls(text, finish_reason, provenance=provenance, **figures)


@dataclass
class PairState:
    """Both answers, and what is happening in one short sentence."""

    sides: dict[Side, SideState] = field(default_factory=lambda: {side: SideState() for side in Side})
    phase: str = ""
    waited: float = 0.0  # seconds in this phase, 0 once there is something to read
    failed: bool = False

    @property
    def is_done(self) -> bool:
        return all(side.finish_reason for side in self.sides.values())

    @property
    def has_text(self) -> bool:
        return any(side.text for side in self.sides.values())

    def apply(self, event: dict) -> None:
        """Take in one event of the model server."""
        kind = event["type"]
        if kind == "start":
            self.phase = _waiting_for(event["queue"], event["loading"])
        elif kind == "delta":
            self.phase = "Answering"
            side = self.sides[Side(event["side"])]
            side.text = (side.text + event["text"]).lstrip()  # models often begin with a blank
        elif kind == "done":
            side = self.sides[Side(event["side"])]
            for name in ("finish_reason", "tokens", "tokens_per_second", "first_token_seconds", "provenance"):
                setattr(side, name, event[name])


def pair() -> View:
    """An empty pair."""
    return View("<div class='pair'></div>", pair_value(), on_load=ON_LOAD, elem_classes="pair-view")


def pair_value(
    state: PairState | None = None,
    *,
    title: str = "",
    prompt: str = "",
    names: dict[Side, str] | None = None,
    running: bool = False,
    comparison_id: int = 0,
    caption: str = "",
    link: str = "",
) -> dict:
    """What the pair shows. Without a state, the shape of what will come."""
    shown = state or PairState()
    marked = _marked(shown) if not running and shown.is_done else {}
    return {
        "stage": _stage(state, running),
        "phase": f"{shown.phase} · {shown.waited:.0f} s" if shown.waited >= 1 else shown.phase,
        "title": title,
        "prompt": prompt,
        "caption": caption,
        "link": link,
        "comparison_id": comparison_id,
        "sides": [
            {
                "side": side.value,
                "name": (names or {}).get(side, ""),
                "text": answer.text,
                "done": bool(answer.finish_reason),
                "figures": _figures(answer),
                "ending": ENDINGS.get(answer.finish_reason, answer.finish_reason),
                "provenance": provenance_rows(answer.provenance),
                "marked": marked.get(side, []),
            }
            for side, answer in shown.sides.items()
        ],
    }


def stopped_side(event: gr.EventData) -> Side | None:
    """The side that shall stop, None for both."""
    side = getattr(event, "side", None)
    return Side(side) if side else None


def provenance_rows(provenance: dict) -> list[list[str]]:
    """[name, value] lines of an answer's provenance, in reading order; what is not known is left out."""
    base, adapter = provenance.get("base") or {}, provenance.get("adapter") or {}
    batch, sampling = provenance.get("batch") or {}, provenance.get("sampling") or {}
    rows = [
        ("Base", base.get("name")),
        ("Base revision", base.get("revision")),
        ("Adapter", adapter.get("name")),
        ("Adapter hash", adapter.get("hash")),
        ("Changed since tuning", " and ".join(adapter.get("changed_since_tuning") or [])),
        ("Template hash", provenance.get("template_hash")),
        ("Number type", provenance.get("dtype")),
        ("Device", provenance.get("device")),
        (
            "Batch",
            batch and f"{batch.get('rows')} rows, {counted(batch.get('prompt_tokens', 0), 'prompt token')}",
        ),
        ("Sampling", sampling and _sampling(sampling)),
        ("Seed", sampling.get("seed")),
        ("Versions", ", ".join(f"{name} {v}" for name, v in (provenance.get("packages") or {}).items())),
    ]
    return [[name, str(value)] for name, value in rows if value not in (None, "", {})]


def _waiting_for(queue: int, loading: bool) -> str:
    if queue:
        return f"Waiting for {counted(queue, 'comparison')} before this one"
    return "Loading the model" if loading else "Reading the prompt"


def _stage(state: PairState | None, running: bool) -> str:
    if state is None:
        return "empty"
    if state.failed:
        return "failed"
    return "running" if running else "done"


def _figures(answer: SideState) -> list[str]:
    """How the answer came: first token, speed, length. Empty until it is done."""
    if not answer.finish_reason:
        return []
    first, speed = answer.first_token_seconds, answer.tokens_per_second
    return [
        *([f"first token {first:.2f} s"] if first is not None else []),
        *([f"{speed:,.0f} tokens/s"] if speed else []),
        counted(answer.tokens, "token"),
    ]


def _sampling(sampling: dict) -> str:
    temperature, longest = sampling.get("temperature", 0), counted(sampling.get("max_tokens", 0), "token")
    drawn = f"temperature {temperature:g}" if temperature else "greedy"
    return f"{drawn}, at most {longest}"


def _marked(state: PairState) -> dict[Side, list[list]]:
    """Both texts in stretches [text, differs], for marking what only one side says."""
    parts = word_diff(state.sides[Side.BASE].text, state.sides[Side.TUNED].text)
    absent = {Side.BASE: "added", Side.TUNED: "removed"}
    return {
        side: [[part["text"], len(part) > 1] for part in parts if absent[side] not in part] for side in Side
    }
