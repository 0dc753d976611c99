"""Examples of one stage of the funnel: the record, the reason, and of a near copy the nearest one beside it.

Events of the View: `older`, `newer`, and `call` (`event.number`, from 0) for the call a record came from.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

from bioui.components.funnel_chart import MEANINGS, NAMES
from bioui.components.table import Trail
from bioui.components.view import View
from bioui.components.word_diff import PARTS, word_diff
from db import duplicates
from db.generating.funnel import Stage
from db.generation_figures import ExamplePage
from db.tables import Candidate, Instruction

TEMPLATE = Path(__file__).with_suffix(".hbs").read_text(encoding="utf-8").replace("@parts", PARTS)
ON_LOAD = """
element.addEventListener('click', (event) => {
  const turn = event.target.closest('[data-turn]');
  if (turn) return turn.dataset.turn === 'older' ? trigger('older', {}) : trigger('newer', {});
  const call = event.target.closest('[data-call]');
  if (call) trigger('call', {number: Number(call.dataset.call)});
});
"""
HINT = "Press a stage to see what it dropped, and why."
NO_EXAMPLES = {
    "title": "", "meaning": "", "hint": "", "reasons": [], "items": [], "range": "", "pages": False,
    "has_newer": False, "has_older": False,
}  # fmt: skip
SHOWN = 600  # characters of a broken stretch of a reply
END = 90  # characters at either end of a long stretch that two texts share
LONG = {"instruction": 2_000, "input": 400, "output": 400}  # characters: a longer text is folded
HUES = {Stage.KEPT: "approved", Stage.PHI: "attention", Stage.CONTAMINATED: "attention"}


def funnel_examples(hint: str = HINT) -> View:
    return View(TEMPLATE, {**NO_EXAMPLES, "hint": hint}, on_load=ON_LOAD, elem_classes="funnel-examples-view")


def examples_value(
    stage: Stage,
    page: ExamplePage,
    near: Mapping[int, Instruction],
    *,
    project_id: int,
    trail: Trail,
    reasons: Sequence[tuple[str, int]] = (),
) -> dict:
    """A page of the records that ended at `stage`; `near`: candidate id -> the record it is a copy of."""
    items = [record_item(candidate, near.get(candidate.id), project_id) for candidate in page.candidates]
    return {
        **_frame(stage, items, trail, page.next_before, total=page.total),
        "reasons": [{"text": text, "count": f"{count:,}"} for text, count in reasons if text],
    }


def verdict_item(
    detail: Mapping, texts: Mapping[str, str], near: Instruction | None, project_id: int
) -> dict:
    """One record with its verdict (`funnel.Verdict.record()`) and its texts."""
    stage = Stage(detail.get("stage", Stage.KEPT))
    return {
        "reason": detail.get("reason") or ("kept" if stage is Stage.KEPT else ""),
        "hue": HUES.get(stage, "draft"),
        "sentences": [_sentence(text) for text in (detail.get("detail"), *detail.get("mends", ())) if text],
        "near": _near(near, texts, project_id) if near else None,
        "texts": [
            {"label": name.capitalize(), "text": texts[name], "folded": bool(near) or len(texts[name]) > most}
            for name, most in LONG.items()
            if texts.get(name)
        ],
        "call": "", "number": 0, "href": "", "link": "", "raw": "",
    }  # fmt: skip


def record_item(candidate: Candidate, near: Instruction | None, project_id: int) -> dict:
    """One record of a reply, or the stretch of it that could not be read."""
    detail = {**candidate.detail, "stage": candidate.stage, "reason": candidate.reason}
    number, kept = candidate.call.number, candidate.instruction_id
    return {
        **verdict_item(detail, candidate.content or {}, near, project_id),
        "call": f"Call {number + 1:,}",
        "number": number,
        "href": f"/curate?project={project_id}&id={kept}" if kept else "",
        "link": f"Number {kept}" if kept else "",
        "raw": "" if candidate.content else _stretch(candidate),
    }


def _stretch(candidate: Candidate) -> str:
    """What could not be read, as it stands in the reply."""
    start, reply = candidate.detail.get("start", 0), candidate.call.reply
    raw = reply[start : candidate.detail.get("end") or len(reply)]
    return raw[:SHOWN] + ("…" if len(raw) > SHOWN else "")


def _near(other: Instruction, texts: Mapping, project_id: int) -> dict:
    before = duplicates.text_of(other.instruction, other.input)
    after = duplicates.text_of(texts.get("instruction", ""), texts.get("input", ""))
    href = f"/curate?project={project_id}&id={other.id}"
    return {"id": other.id, "href": href, "parts": list(map(_abridged, word_diff(before, after)))}


def _abridged(part: dict) -> dict:
    """A long stretch that both have, by its two ends."""
    text = part["text"]
    if part.get("added") or part.get("removed") or len(text) <= 3 * END:
        return part
    return {"text": f"{text[:END].rpartition(' ')[0]} … {text[-END:].partition(' ')[2]}"}


def _frame(
    stage: Stage, items: list[dict], trail: Trail, next_before: int | None, *, total: int | None = None
) -> dict:
    return {
        **NO_EXAMPLES,
        "title": NAMES[stage],
        "meaning": MEANINGS[stage],
        "items": items,
        "range": f"{total:,} in all" if total is not None else "",
        "pages": len(trail.before) > 1 or next_before is not None,
        "has_newer": len(trail.before) > 1,
        "has_older": next_before is not None,
    }


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]
