"""Where two blind reviewers decided differently: both decisions beside the text, and the third person's."""

from pathlib import Path

import gradio as gr

from bioui.components import chip
from bioui.components.decision import decision_form, decision_updates
from bioui.components.empty import TEMPLATE as EMPTY_TEMPLATE
from bioui.components.empty import empty_state
from bioui.components.frame import Page
from bioui.components.instruction_rows import instruction_rows, rows_value
from bioui.components.reading import TEXT, text_value
from bioui.components.record_history import review_value
from bioui.components.view import View
from bioui.handling import actor_of, needs
from bioui.reviewing import Reading
from db import disagreements
from db.enums import Decision
from db.policy import Actor, Right
from db.session import Session, read, write

TEMPLATE = (
    Path(__file__)
    .with_suffix(".hbs")
    .read_text(encoding="utf-8")
    .replace("@passage", TEXT)
    .replace("@chip", chip.TEMPLATE)
    .replace("@empty", EMPTY_TEMPLATE)
)
NONE = empty_state(
    "No disagreement.",
    "Submissions drawn for blind double review appear here when their two reviewers decide differently.",
)
NOTHING = {"id": 0, "empty": NONE, "note": ""}
SETTLED = {
    Decision.APPROVE: "approved",
    Decision.REQUEST_CHANGES: "sent back to its author",
    Decision.REJECT: "rejected",
}


def tab_value(session: Session, actor: Actor, project_id: int, *, wanted: int = 0, note: str = "") -> tuple:
    """(list, open one, pane, decision form...) with `wanted` or the first one open."""
    found = disagreements.list_disagreements(session, actor, project_id)
    chosen = next((one for one in found if one.instruction.id == wanted), found[0] if found else None)
    current = chosen.instruction if chosen else None
    rows = rows_value(
        [one.instruction for one in found], project_id, label="Disagreements", page="/review",
        empty=NONE, total=disagreements.count_disagreements(session, project_id),
        current_id=current.id if current else 0, is_queue=True,
    )  # fmt: skip
    if current is None:
        return rows, Reading(project_id), {**NOTHING, "note": note}, *decision_updates(None)
    pane = {
        **text_value(current),
        "version": current.version,
        "href": f"/curate?project={project_id}&id={current.id}",
        "decisions": [review_value(review, current.category) for review in chosen.reviews],
        "may_settle": chosen.may_settle,
        "note": note,
        "empty": NONE,
    }
    form = decision_updates(current.category if chosen.may_settle else None)
    return rows, Reading(project_id, current.id, current.version), pane, *form


@needs(Right.ADJUDICATE)
def show_tab(project_id: int, request: gr.Request):
    with read() as session:
        return tab_value(session, actor_of(session, request), project_id)


@needs(Right.ADJUDICATE)
def open_one(project_id: int, event: gr.EventData, request: gr.Request):
    with read() as session:
        return tab_value(session, actor_of(session, request), project_id, wanted=int(event.id))


@needs(Right.ADJUDICATE)
def settle_approve(reading: Reading, comment: str, reasons: list, checklist: list, request: gr.Request):
    return _settle(reading, comment, reasons, checklist, request, Decision.APPROVE)


@needs(Right.ADJUDICATE)
def settle_changes(reading: Reading, comment: str, reasons: list, checklist: list, request: gr.Request):
    return _settle(reading, comment, reasons, checklist, request, Decision.REQUEST_CHANGES)


@needs(Right.ADJUDICATE)
def settle_reject(reading: Reading, comment: str, reasons: list, checklist: list, request: gr.Request):
    return _settle(reading, comment, reasons, checklist, request, Decision.REJECT)


HANDLERS = {
    Decision.APPROVE: settle_approve,
    Decision.REQUEST_CHANGES: settle_changes,
    Decision.REJECT: settle_reject,
}


def _settle(reading: Reading, comment, reasons, checklist, request: gr.Request, decision: Decision) -> tuple:
    if not reading.id:
        raise ValueError("Nothing is open. Choose a disagreement from the list.")
    with write() as session:
        actor = actor_of(session, request)
        disagreements.adjudicate(
            session, actor, reading.id, decision, version=reading.version, comment=comment or "",
            reasons=reasons or (), checklist=checklist or (),
        )  # fmt: skip
        session.flush()
        note = f"Number {reading.id} {SETTLED[decision]}."
        return tab_value(session, actor, reading.project_id, note=note)


def disagreement_tab(page: Page, tab: gr.Tab) -> list:
    """Lay the tab out and wire it; the steps after which the queue is shorter."""
    with gr.Row(elem_classes="split"):
        with gr.Column(scale=4, min_width=280, elem_classes="list-side"):
            list_html = instruction_rows("Disagreements")
        with gr.Column(scale=8, min_width=300, elem_classes="pane", elem_id="settling"):
            pane_html = View(TEMPLATE, NOTHING)
            form = decision_form("settle-")
    reading_state = gr.State(Reading())
    shown = [list_html, reading_state, pane_html, *form.outputs]
    page.on(tab.select, show_tab, [page.project_id], shown)
    page.on(list_html.open, open_one, [page.project_id], shown)
    said = [reading_state, *form.inputs]
    return [
        page.on(button.click, HANDLERS[decision], said, shown, trigger_mode="once")
        for decision, button in form.buttons.items()
    ]
