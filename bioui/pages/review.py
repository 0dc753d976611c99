"""Review: read what others submitted and decide, one by one, fifty on a page, or a whole import."""

from dataclasses import dataclass

import gradio as gr

from bioui.components.approve_many import fifty_tab, imports_tab
from bioui.components.empty import empty_state
from bioui.components.frame import Page, page_frame
from bioui.components.instruction_rows import instruction_rows, rows_value
from bioui.components.reading import NOTHING_TO_READ, reading_pane, reading_value
from bioui.components.table import Trail
from bioui.components.view import View
from bioui.handling import actor_of, needs
from db import instructions, projects, reviews
from db.enums import Decision, InstructionStatus
from db.policy import Actor, Right
from db.session import Session, read, write
from db.tables import Instruction

TITLE, PATH, RIGHT = "Review", "/review", Right.REVIEW
EMPTY = empty_state("Nothing to review.", "New submissions appear here.")
OTHERS = "Yours, waiting for someone else"
SOLO = "Yours: this project is solo, so you may decide"
DONE = {
    Decision.APPROVE: "approved",
    Decision.REQUEST_CHANGES: "sent back to its author",
    Decision.REJECT: "rejected",
}


@dataclass(frozen=True)
class Reading:
    """What is in the reading pane: instruction `id` (0 for none) at the `version` that was shown."""

    project_id: int = 0
    id: int = 0
    version: int = 0


@dataclass(frozen=True)
class Desk:
    """What the page shows; `outputs` in the order it is wired."""

    queue: dict
    own: dict
    next_after: tuple | None
    reading: Reading
    pane: dict
    may_decide: bool

    def outputs(self) -> tuple:
        return (
            self.queue,
            self.own,
            self.next_after,
            self.reading,
            self.pane,
            gr.update(visible=self.may_decide),
        )


# data -------------------------------------------------------------------------------------------------


def desk(
    session: Session, actor: Actor, project_id: int, trail: Trail, *, wanted: int = 0, note: str = ""
) -> Desk:
    """A page of the queue with `wanted`, or else its first row, in the reading pane."""
    queue = reviews.list_queue(session, actor, project_id, after=trail.before_id)
    own = reviews.list_queue(session, actor, project_id, own=True)
    is_solo = projects.get_project(session, project_id).is_solo
    may_read = [*queue.rows, *(own.rows if is_solo else [])]
    record = _in_review(session, project_id, wanted) or next(iter(may_read), None)
    reading, pane, may_decide = Reading(project_id), {**NOTHING_TO_READ, "note": note}, False
    if record is not None:
        own_note, may_decide = _standing(session, actor, record, is_solo)
        reading = Reading(project_id, record.id, record.version)
        pane = reading_value(session, record, own=own_note, note=note)
    shown = queue_value(session, actor, project_id, queue, trail, reading.id)
    mine = own_value(session, actor, project_id, own, reading.id, SOLO if is_solo else OTHERS)
    return Desk(shown, mine, queue.next_after, reading, pane, may_decide)


def queue_value(
    session: Session, actor: Actor, project_id: int, queue: reviews.Queue, trail: Trail, current_id: int
) -> dict:
    """The submissions of others."""
    waiting = reviews.count_waiting(session, actor, project_id)
    return rows_value(
        queue.rows,
        project_id,
        label="To review",
        page=PATH,
        empty=EMPTY,
        total=waiting,
        trail=trail,
        has_next=queue.next_after is not None,
        current_id=current_id,
        is_queue=True,
        waiting=waiting,
    )


def own_value(
    session: Session, actor: Actor, project_id: int, own: reviews.Queue, current_id: int, heading: str
) -> dict:
    """One's own submissions, apart from the queue."""
    total = reviews.count_own_waiting(session, actor, project_id)
    return rows_value(
        own.rows,
        project_id,
        label="Yours",
        heading=heading if total else "",
        page=PATH,
        total=total,
        current_id=current_id,
        is_queue=True,
    )


def next_id(session: Session, actor: Actor, project_id: int, trail: Trail, decided: int) -> int:
    """The row after the decided one on this page of the queue; 0 when it was the last."""
    ids = [row.id for row in reviews.list_queue(session, actor, project_id, after=trail.before_id).rows]
    place = ids.index(decided) + 1 if decided in ids else 0
    return ids[place] if place < len(ids) else 0


# handlers ---------------------------------------------------------------------------------------------


@needs(RIGHT)
def show_page(project_id: int, request: gr.Request):
    wanted = request.query_params.get("id", "")
    with read() as session:
        actor = actor_of(session, request)
        shown = desk(session, actor, project_id, Trail(), wanted=int(wanted) if wanted.isdigit() else 0)
        return Trail(), *shown.outputs()


@needs(RIGHT)
def show_again(project_id: int, request: gr.Request):
    """The queue as it is now; Gradio also selects the first tab while the page is still loading."""
    if not project_id:
        return gr.skip()
    with read() as session:
        return Trail(), *desk(session, actor_of(session, request), project_id, Trail()).outputs()


@needs(RIGHT)
def open_row(project_id: int, trail: Trail, event: gr.EventData, request: gr.Request):
    with read() as session:
        actor = actor_of(session, request)
        record = _in_review(session, project_id, int(event.id))
        if record is None:
            raise LookupError(
                f"Number {event.id} no longer waits for a review; someone decided, or it was edited."
            )
        return desk(session, actor, project_id, trail, wanted=record.id).outputs()


@needs(RIGHT)
def turn_older(project_id: int, trail: Trail, after: tuple | None, request: gr.Request):
    with read() as session:
        trail = trail.older(after)
        return trail, *desk(session, actor_of(session, request), project_id, trail).outputs()


@needs(RIGHT)
def turn_newer(project_id: int, trail: Trail, request: gr.Request):
    with read() as session:
        trail = trail.newer()
        return trail, *desk(session, actor_of(session, request), project_id, trail).outputs()


@needs(RIGHT)
def approve(reading: Reading, trail: Trail, comment: str, request: gr.Request):
    return _decide(reading, trail, comment, request, Decision.APPROVE)


@needs(RIGHT)
def request_changes(reading: Reading, trail: Trail, comment: str, request: gr.Request):
    return _decide(reading, trail, comment, request, Decision.REQUEST_CHANGES)


@needs(RIGHT)
def reject(reading: Reading, trail: Trail, comment: str, request: gr.Request):
    return _decide(reading, trail, comment, request, Decision.REJECT)


def _decide(reading: Reading, trail: Trail, comment: str, request: gr.Request, decision: Decision) -> tuple:
    """Decide on the version that was read; the next of the queue opens by itself."""
    if not reading.id:
        raise ValueError("Nothing is open. Choose a submission from the queue.")
    with write() as session:
        actor = actor_of(session, request)
        following = next_id(session, actor, reading.project_id, trail, reading.id)
        reviews.review_instruction(
            session, actor, reading.id, decision, version=reading.version, comment=comment
        )
        session.flush()
        note = f"Number {reading.id} {DONE[decision]}."
        shown = desk(session, actor, reading.project_id, trail, wanted=following, note=note)
        if not shown.queue["rows"] and len(trail.before) > 1:
            trail = Trail()
            shown = desk(session, actor, reading.project_id, trail, note=note)
        return trail, *shown.outputs(), ""


def _in_review(session: Session, project_id: int, id: int) -> Instruction | None:
    if not id:
        return None
    try:
        record = instructions.get_instruction(session, id)
    except LookupError:
        return None
    waits = record.status is InstructionStatus.IN_REVIEW and record.project_id == project_id
    return record if waits else None


def _standing(session: Session, actor: Actor, record: Instruction, is_solo: bool) -> tuple[str, bool]:
    """What to tell someone who wrote this, and whether they may decide."""
    if not reviews.wrote(session, actor, record):
        return "", True
    if is_solo:
        return "You wrote this. The project is solo: your decision is recorded as a solo review.", True
    return "You wrote this, or edited it. It waits for another reviewer.", False


# layout and wiring ------------------------------------------------------------------------------------


def build() -> None:
    page = page_frame("Review", "Read what was submitted, and decide what the model may learn from.")
    with gr.Tabs(elem_classes="review-tabs"):
        with gr.Tab("One by one") as one_tab:
            refreshed = _one_by_one(page)
        with gr.Tab("50 on a page") as many_tab:
            approved_page = fifty_tab(page, many_tab)
        with gr.Tab("Whole imports") as whole_tab:
            approved_import = imports_tab(page, whole_tab)
    for event in (one_tab.select, approved_page.then, approved_import.then):
        page.on(event, show_again, [page.project_id], refreshed)


def _one_by_one(page: Page) -> list:
    """Lay the tab out and wire it; what a fresh look at the queue fills."""
    with gr.Row(elem_classes="split"):
        with gr.Column(scale=4, min_width=280, elem_classes="list-side"):
            queue_html = instruction_rows("To review")
            own_html = instruction_rows("Yours")
        with gr.Column(scale=8, min_width=300, elem_classes="pane", elem_id="reading"):
            pane_html = reading_pane()
            with gr.Column(visible=False, elem_classes="decision record-actions") as decision_col:
                comment_tb = gr.Textbox(
                    label="Comment", lines=1, max_lines=8, elem_id="field-comment",
                    info="Needed when you request changes or reject: say what should change.",
                )  # fmt: skip
                with gr.Row(elem_classes="actions"):
                    approve_btn = gr.Button("Approve", variant="primary", elem_id="approve-btn")
                    changes_btn = gr.Button("Request changes", elem_id="changes-btn")
                    reject_btn = gr.Button("Reject", variant="stop", elem_id="reject-btn")
                    View(KEYS_TEMPLATE, KEYS)
    reading_state, trail_state, after_state = gr.State(Reading()), gr.State(Trail()), gr.State(None)
    shown = [queue_html, own_html, after_state, reading_state, pane_html, decision_col]
    page.on_load(show_page, [trail_state, *shown])
    for rows_html in (queue_html, own_html):
        page.on(rows_html.open, open_row, [page.project_id, trail_state], shown)
    page.on(queue_html.older, turn_older, [page.project_id, trail_state, after_state], [trail_state, *shown])
    page.on(queue_html.newer, turn_newer, [page.project_id, trail_state], [trail_state, *shown])
    for button, handler in ((approve_btn, approve), (changes_btn, request_changes), (reject_btn, reject)):
        page.on(
            button.click, handler, [reading_state, trail_state, comment_tb],
            [trail_state, *shown, comment_tb], trigger_mode="once",
        )  # fmt: skip
    return [trail_state, *shown]


KEYS_TEMPLATE = """
<p class="keys">{{#each value}}<kbd>{{this.key}}</kbd> {{this.does}} {{/each}}</p>
"""
KEYS = [
    {"key": "a", "does": "approve"},
    {"key": "c", "does": "request changes"},
    {"key": "r", "does": "reject"},
]
