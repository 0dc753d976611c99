"""The rows that hold evaluation texts: which text, how it was found, the words both share; by pages.

`contamination_table(page, state, report_of)` lays it out; `report_of(session, value of the state)` gives the
report that is paged through, and `hits_value` its first page.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import gradio as gr

from bioui.components.frame import Page
from bioui.components.view import View
from bioui.handling import needs
from bioui.present import counted, shortened
from db.policy import Right
from db.session import read

PAGE_ROWS = 25
KINDS = {"exact": "The same words", "n-gram": "Words in a row", "rouge-l": "ROUGE-L"}
TEMPLATE = Path(__file__).with_suffix(".hbs").read_text(encoding="utf-8")
ON_LOAD = """
element.addEventListener('click', (event) => {
  const turn = event.target.closest('[data-turn]');
  if (turn) turn.dataset.turn === 'older' ? trigger('older', {}) : trigger('newer', {});
});
"""
NO_HITS = {"rows": []}


@dataclass(frozen=True)
class ContaminationTable:
    """`outputs` are the view and where in the hits it is: a `hits_value(...)` and a number."""

    hits_html: View
    start_state: gr.State

    @property
    def outputs(self) -> list:
        return [self.hits_html, self.start_state]


def contamination_table(page: Page, state: gr.State, report_of: Callable) -> ContaminationTable:
    start_state = gr.State(0)
    hits_html = View(TEMPLATE, NO_HITS, on_load=ON_LOAD, elem_classes="hits-view")
    found = ContaminationTable(hits_html, start_state)

    def turned(project_id: int, value, start: int) -> tuple[dict, int]:
        with read() as session:
            report = report_of(session, value)
        start = max(0, start) if start < len(_hits(report)) else max(0, start - PAGE_ROWS)
        return hits_value(project_id, report, start), start

    @needs(Right.READ)
    def next_hits(project_id: int, value, start: int, request: gr.Request):
        return turned(project_id, value, start + PAGE_ROWS)

    @needs(Right.READ)
    def hits_before(project_id: int, value, start: int, request: gr.Request):
        return turned(project_id, value, start - PAGE_ROWS)

    asked = [page.project_id, state, start_state]
    page.on(hits_html.older, next_hits, asked, found.outputs)
    page.on(hits_html.newer, hits_before, asked, found.outputs)
    return found


def hits_value(project_id: int, report: dict, start: int = 0) -> dict:
    """A page of a report's hits, from number `start` on."""
    hits = _hits(report)
    if not hits:
        return NO_HITS
    found = report["contamination"]
    passages = found.get("passages", [])
    last = min(start + PAGE_ROWS, len(hits))
    left_off = f"; {found['hits_left_off']:,} more were found and not kept" if found["hits_left_off"] else ""
    return {
        "rule": found["rule"],
        "rows": [
            _hit(project_id, hits[at], passages[at] if at < len(passages) else "")
            for at in range(start, last)
        ],
        "range": f"{start + 1:,}–{last:,} of {counted(len(hits), 'match', 'matches')}{left_off}",
        "pages": len(hits) > PAGE_ROWS,
        "back": start > 0,
        "on": last < len(hits),
    }


def _hits(report: dict) -> list[dict]:
    return report.get("contamination", {}).get("hits", [])


def _hit(project_id: int, hit: dict, passage: str) -> dict:
    share = f"{100 * hit['score']:.0f} % of its runs" if hit["kind"] == "n-gram" else ""
    row = "dropped" if hit["row"] is None else f"row {hit['row'] + 1:,}"
    number = hit["instruction"]
    return {
        "record": f"Number {number}" if number else "no record",
        "href": f"/curate?project={project_id}&id={number}" if number else "",
        "fate": row,
        "set": hit["set"],
        "text": f"text {hit['text'] + 1:,}",
        "kind": KINDS[hit["kind"]],
        "score": share or (f"F1 {hit['score']:.2f}" if hit["kind"] == "rouge-l" else ""),
        "passage": passage,
        "excerpt": shortened(passage, 220) or "not kept",
    }
