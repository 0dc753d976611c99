"""The calls of a run: a paged list, and one of them with its seeds, its raw reply and what became of it.

A reply is a stranger's text: it is shown as text, never as markup.
"""

from collections import Counter
from pathlib import Path

from bioui.components import facts
from bioui.components.empty import empty_state
from bioui.components.facts import fact
from bioui.components.funnel_chart import NAMES
from bioui.components.funnel_examples import HUES
from bioui.components.generate_prompt import money
from bioui.components.table import Column, Trail, cell, table_value
from bioui.components.view import View
from bioui.present import ago, counted, exact, shortened
from db.enums import CallState
from db.generating.funnel import Stage
from db.generation_figures import CALLS, CallPage
from db.tables import Candidate, GenerationCall

TEMPLATE = Path(__file__).with_suffix(".hbs").read_text(encoding="utf-8").replace("@facts", facts.TEMPLATE)
ON_LOAD = """
element.addEventListener('click', (event) => {
  if (event.target.closest('[data-close]')) trigger('close', {});
});
"""
NO_CALL = {"title": "", "facts": []}
NO_CALLS = empty_state("No call yet.", "Each request to the endpoint is written here before it leaves.")
COLUMNS = (
    Column("Call", "num"), Column("State", "status"), Column("Seeds"), Column("Records"),
    Column("Tries", "num"), Column("Tokens", "num"), Column("Cost", "num"), Column("Seconds", "num"),
)  # fmt: skip
STATES = {
    CallState.ASKED: ("Under way", "review"),
    CallState.ANSWERED: ("Answered", "approved"),
    CallState.FAILED: ("Failed", "attention"),
    CallState.LOST: ("Lost", "attention"),
}
ENDS = {
    Stage.PARSED: "not read",
    Stage.LENGTH: "by length",
    Stage.BLACKLIST: "by form",
    Stage.GROUNDED: "not grounded",
    Stage.DUPLICATE: "near copy",
    Stage.PHI: "patient data",
    Stage.CONTAMINATED: "evaluation text",
    Stage.KEPT: "kept",
}
LONGEST = 200_000  # characters of a reply that are shown


def call_view() -> View:
    return View(TEMPLATE, NO_CALL, on_load=ON_LOAD, elem_classes="call-view", elem_id="call-detail")


def calls_value(page: CallPage, trail: Trail, *, current: int | None = None) -> dict:
    """`current` is the number, from 0, of the call that is open. A row's id is its number + 1."""
    rows = [
        {
            "id": call.number + 1,
            "opens": True,
            "cells": [
                cell(f"{call.number + 1:,}"),
                cell(STATES[call.state][0], chip=STATES[call.state][1]),
                cell(", ".join(str(id) for id, _ in call.draw)),
                cell(ends_words(call, page.ends.get(call.id, Counter()))),
                cell(f"{call.tries:,}"),
                cell(f"{call.tokens_in + call.tokens_out:,}", note="estimated" if call.is_estimate else ""),
                cell(money(call.cost + call.unsettled_cost)),
                cell(f"{call.seconds:.1f}" if call.answered_at else "–"),
            ],
        }
        for call in page.calls
    ]
    return table_value(
        COLUMNS, rows, empty=NO_CALLS, total=page.total, trail=trail, page_rows=CALLS,
        next_before_id=page.next_before, current_id=None if current is None else current + 1,
    )  # fmt: skip


def call_value(call: GenerationCall, candidates: list[Candidate], *, project_id: int) -> dict:
    word, hue = STATES[call.state]
    return {
        "title": f"Call {call.number + 1:,}",
        "state": word,
        "hue": hue,
        "facts": _facts(call),
        "seeds": [
            {
                "href": f"/curate?project={project_id}&id={id}",
                "name": f"number {id}",
                "note": f"version {version}",
                "end": "" if place == len(call.draw) else ", ",
            }
            for place, (id, version) in enumerate(call.draw, 1)
        ],
        "error": call.error,
        "items": [_item(candidate, project_id) for candidate in candidates],
        "has_reply": call.answered_at is not None,
        "reply": call.reply[:LONGEST] or "(nothing)",
        "length": f"{counted(len(call.reply), 'character')}, ended by {call.finish_reason or 'nothing told'}",
    }


def ends_words(call: GenerationCall, ends: Counter[str]) -> str:
    """`4 kept, 1 near copy`."""
    if call.state is CallState.ANSWERED and call.judged_at is None:
        return "not yet judged"
    order = [Stage.KEPT, *(stage for stage in Stage if stage is not Stage.KEPT)]
    return ", ".join(f"{ends[stage]} {ENDS[stage]}" for stage in order if ends[stage])


def _facts(call: GenerationCall) -> list[dict]:
    estimated = ", estimated" if call.is_estimate else ""
    perhaps = f", and perhaps {money(call.unsettled_cost)} for nothing" if call.unsettled_cost else ""
    return [
        fact("Asked", ago(call.asked_at), title=exact(call.asked_at)),
        fact("Tries", f"{call.tries}" + (f", {call.unsettled} perhaps in vain" if call.unsettled else "")),
        fact("Tokens", f"{call.tokens_in:,} in, {call.tokens_out:,} out{estimated}"),
        fact("Cost", money(call.cost) + perhaps),
        fact("Took", f"{call.seconds:.2f} s" if call.answered_at else "–"),
        fact("Template", call.template_version),
        fact("Prompt", call.prompt_hash[:16], mono=True, title=f"SHA-256 {call.prompt_hash}"),
    ]


def _item(candidate: Candidate, project_id: int) -> dict:
    stage = Stage(candidate.stage)
    text = (candidate.content or {}).get("instruction", "")
    sentence = candidate.detail.get("detail", "")
    return {
        "stage": "Not read" if stage is Stage.PARSED else NAMES[stage],
        "hue": HUES.get(stage, "review" if stage is Stage.PARSED else "draft"),
        "text": shortened(text, 120) if text else candidate.reason,
        "why": sentence[:1].upper() + sentence[1:],
        "id": candidate.instruction_id,
        "href": f"/curate?project={project_id}&id={candidate.instruction_id}"
        if candidate.instruction_id
        else "",
    }
