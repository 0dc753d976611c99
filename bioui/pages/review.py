"""Review: read what others submitted and decide, one by one, fifty on a page, or a whole import."""

from collections.abc import Collection

import gradio as gr

from bioui.components.approve_many import fifty_tab, imports_tab
from bioui.components.decision import decision_form
from bioui.components.disagreement_tab import disagreement_tab
from bioui.components.frame import Page, page_frame
from bioui.components.guideline_fold import guideline_fold
from bioui.components.instruction_rows import instruction_rows
from bioui.components.lease_bar import lease_bar
from bioui.components.reading import reading_pane
from bioui.components.remarks import remarks
from bioui.components.table import Trail
from bioui.components.view import View
from bioui.handling import actor_of, needs
from bioui.reviewing import PATH as REVIEW_PATH
from bioui.reviewing import Reading, desk, find_submission, leave, next_id, renewed, take
from db import privacy, reviews
from db.enums import Decision
from db.policy import Right
from db.session import read, write

TITLE, PATH, RIGHT = "Review", REVIEW_PATH, Right.REVIEW
DONE = {
    Decision.APPROVE: "approved",
    Decision.REQUEST_CHANGES: "sent back to its author",
    Decision.REJECT: "rejected",
}


# handlers ---------------------------------------------------------------------------------------------


@needs(RIGHT)
def show_page(project_id: int, request: gr.Request):
    wanted = request.query_params.get("id", "")
    return _from_the_top(project_id, request, wanted=int(wanted) if wanted.isdigit() else 0)


@needs(RIGHT)
def go_away(project_id: int, request: gr.Request):
    """Another tab is open, where the queue may change."""
    return True


@needs(RIGHT)
def come_back(project_id: int, reading: Reading, is_away: bool, request: gr.Request):
    """The first tab again, where it was left. Gradio selects it when the page loads, too: then nothing is."""
    return (False, *_from_the_top(project_id, request, wanted=reading.id)) if is_away else gr.skip()


@needs(RIGHT)
def show_again(project_id: int, reading: Reading, request: gr.Request):
    """The queue after many were decided on."""
    return _from_the_top(project_id, request, wanted=reading.id)


@needs(RIGHT)
def open_row(project_id: int, trail: Trail, reading: Reading, event: gr.EventData, request: gr.Request):
    """Another one in the reading pane; the one before goes back to the queue."""
    with write() as session:
        actor = actor_of(session, request)
        record = find_submission(session, project_id, int(event.id))
        if record.id != reading.id:
            leave(session, actor, reading)
    return _shown(project_id, trail, request, wanted=record.id)


@needs(RIGHT)
def turn_older(project_id: int, trail: Trail, reading: Reading, after: tuple | None, request: gr.Request):
    trail = trail.older(after)
    return trail, *_shown(project_id, trail, request, wanted=reading.id)


@needs(RIGHT)
def turn_newer(project_id: int, trail: Trail, reading: Reading, request: gr.Request):
    trail = trail.newer()
    return trail, *_shown(project_id, trail, request, wanted=reading.id)


@needs(RIGHT)
def pass_on(reading: Reading, trail: Trail, request: gr.Request):
    """Give back what is open, and take another."""
    with write() as session:
        actor = actor_of(session, request)
        leave(session, actor, reading)
        following = next_id(session, actor, reading.project_id, trail, reading.id)
    return _shown(reading.project_id, trail, request, wanted=following, skip=[reading.id])


def _from_the_top(project_id: int, request: gr.Request, *, wanted: int) -> tuple:
    return Trail(), *_shown(project_id, Trail(), request, wanted=wanted)


def _shown(
    project_id: int, trail: Trail, request: gr.Request, *, wanted: int, skip: Collection[int] = ()
) -> tuple:
    """Take what will be read in hand, and show it; only the taking holds the write lock."""
    with write() as session:
        reading_id = take(session, actor_of(session, request), project_id, wanted=wanted, skip=skip)
    with read() as session:
        return desk(session, actor_of(session, request), project_id, trail, reading_id=reading_id).outputs()


@needs(RIGHT)
def renew(reading: Reading, request: gr.Request):
    with write() as session:
        return renewed(session, actor_of(session, request), reading)


@needs(RIGHT)
def approve(
    reading: Reading, trail: Trail, comment: str, reasons: list, checklist: list, request: gr.Request
):
    return _decide(reading, trail, comment, reasons, checklist, request, Decision.APPROVE)


@needs(RIGHT)
def request_changes(
    reading: Reading, trail: Trail, comment: str, reasons: list, checklist: list, request: gr.Request
):
    return _decide(reading, trail, comment, reasons, checklist, request, Decision.REQUEST_CHANGES)


@needs(RIGHT)
def reject(reading: Reading, trail: Trail, comment: str, reasons: list, checklist: list, request: gr.Request):
    return _decide(reading, trail, comment, reasons, checklist, request, Decision.REJECT)


HANDLERS = {
    Decision.APPROVE: approve,
    Decision.REQUEST_CHANGES: request_changes,
    Decision.REJECT: reject,
}


def _decide(
    reading: Reading, trail: Trail, comment, reasons, checklist, request: gr.Request, decision: Decision
) -> tuple:
    """Decide on the version that was read; the next of the queue opens by itself."""
    if not reading.id:
        raise ValueError("Nothing is open. Choose a submission from the queue.")
    with write() as session:
        actor = actor_of(session, request)
        following = next_id(session, actor, reading.project_id, trail, reading.id)
        review = reviews.review_instruction(
            session, actor, reading.id, decision, version=reading.version, comment=comment or "",
            reasons=reasons or (), checklist=checklist or (),
        )  # fmt: skip
        session.flush()
        note = _note(reading.id, decision, reviews.is_sealed(session, review))
        following = take(session, actor, reading.project_id, wanted=following)
    with read() as session:
        actor = actor_of(session, request)
        shown = desk(session, actor, reading.project_id, trail, reading_id=following, note=note)
        if not shown.queue["rows"] and len(trail.before) > 1:
            trail = Trail()
            shown = desk(session, actor, reading.project_id, trail, reading_id=following, note=note)
        return trail, *shown.outputs()


def _note(id: int, decision: Decision, is_sealed: bool) -> str:
    if is_sealed:
        return f"Your decision on number {id} is kept. A second reviewer decides without seeing it."
    return f"Number {id} {DONE[decision]}."


@needs(Right.CLEAR_PRIVACY)
def clear_flag(reading: Reading, trail: Trail, event: gr.EventData, request: gr.Request):
    """Say that a flagged text tells of no real person."""
    with write() as session:
        actor = actor_of(session, request)
        record = find_submission(session, reading.project_id, reading.id)
        if int(event.flag) not in [
            flag.id for flag in privacy.list_flags(session, record.id, record.version)
        ]:
            raise LookupError("That flag is not one of this version; reload the page.")
        privacy.clear(session, actor, int(event.flag), str(event.reason))
    with read() as session:
        actor = actor_of(session, request)
        shown = desk(session, actor, reading.project_id, trail, reading_id=reading.id, note="Flag cleared.")
        return shown.pane


# layout and wiring ------------------------------------------------------------------------------------


def build() -> None:
    page = page_frame("Review", "Read what was submitted, and decide what the model may learn from.")
    with gr.Tabs(elem_classes="review-tabs"):
        with gr.Tab("One by one") as one_tab:
            reading_state, refreshed = _one_by_one(page)
        with gr.Tab("50 on a page") as many_tab:
            approved = [fifty_tab(page, many_tab)]
        with gr.Tab("Whole imports") as whole_tab:
            approved.append(imports_tab(page, whole_tab))
        with gr.Tab("Disagreements") as disputed_tab:
            approved += disagreement_tab(page, disputed_tab)
    away_state = gr.State(False)
    for tab in (many_tab, whole_tab, disputed_tab):
        page.on(tab.select, go_away, [page.project_id], away_state)
    here = [page.project_id, reading_state]
    page.on(one_tab.select, come_back, [*here, away_state], [away_state, *refreshed])
    for step in approved:
        page.on(step.success, show_again, here, refreshed)


def _one_by_one(page: Page) -> tuple[gr.State, list]:
    """Lay the tab out and wire it; what is read, and what a fresh look at the queue fills."""
    with gr.Row(elem_classes="split"):
        with gr.Column(scale=4, min_width=280, elem_classes="list-side"):
            queue_html = instruction_rows("To review")
            own_html = instruction_rows("Yours")
        with gr.Column(scale=8, min_width=300, elem_classes="pane", elem_id="reading"):
            lease_html = lease_bar()
            guideline_fold(page, right=RIGHT)
            pane_html = reading_pane()
            reading_state = gr.State(Reading())
            remarks(page, reading_state, right=RIGHT)
            form = decision_form()
            with form.column:
                View(KEYS_TEMPLATE, KEYS)
    trail_state, after_state = gr.State(Trail()), gr.State(None)
    shown = [queue_html, own_html, after_state, reading_state, pane_html, lease_html, *form.outputs]
    page.on_load(show_page, [trail_state, *shown])
    here = [page.project_id, trail_state, reading_state]
    for rows_html in (queue_html, own_html):
        page.on(rows_html.open, open_row, here, shown)
    page.on(queue_html.older, turn_older, [*here, after_state], [trail_state, *shown])
    page.on(queue_html.newer, turn_newer, here, [trail_state, *shown])
    page.on(lease_html.active, renew, [reading_state], lease_html)
    page.on(lease_html.pass_on, pass_on, [reading_state, trail_state], shown)
    page.on(pane_html.clear, clear_flag, [reading_state, trail_state], pane_html)
    for decision, button in form.buttons.items():
        page.on(
            button.click, HANDLERS[decision], [reading_state, trail_state, *form.inputs],
            [trail_state, *shown], trigger_mode="once",
        )  # fmt: skip
    return reading_state, [trail_state, *shown]


KEYS_TEMPLATE = """
<p class="keys">{{#each value}}<kbd>{{this.key}}</kbd> {{this.does}} {{/each}}</p>
"""
KEYS = [
    {"key": "a", "does": "approve"},
    {"key": "c", "does": "request changes"},
    {"key": "r", "does": "reject"},
]
