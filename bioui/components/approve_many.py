"""Approving more than one at a time, without approving what nobody saw.

Two ways: fifty on a page, each shown in full with the button below the last; or a whole import, of which a
sample is shown and whose number and a comment must be typed. Each row gets a review of its own either way.
"""

from datetime import datetime
from pathlib import Path

import gradio as gr

from bioui.components.checks import advice_value
from bioui.components.empty import TEMPLATE as EMPTY_TEMPLATE
from bioui.components.empty import empty_state
from bioui.components.frame import Page
from bioui.components.reading import TEXT, text_value
from bioui.components.table import Trail
from bioui.components.view import View
from bioui.handling import actor_of, needs
from bioui.present import ago, counted, exact
from db import imports, reviews
from db.content import content_of
from db.policy import Actor, Right
from db.session import Session, read, write
from db.tables import Instruction

SAMPLE = 20  # rows of an import shown, spread evenly over it
CARDS = (
    Path(__file__)
    .with_name("cards.hbs")
    .read_text(encoding="utf-8")
    .replace("@passage", TEXT)
    .replace("@empty", EMPTY_TEMPLATE.replace("value.", "this."))
)
ON_LOAD = """
element.addEventListener('click', (event) => {
  const turn = event.target.closest('[data-turn]');
  if (turn) turn.dataset.turn === 'older' ? trigger('older', {}) : trigger('newer', {});
});
"""
NOTHING = empty_state("Nothing to review.", "New submissions appear here.")
NO_IMPORT = empty_state(
    "No import waits.", "Rows that were imported and submitted together appear here as one."
)


# data -------------------------------------------------------------------------------------------------


def cards_value(
    rows: list[Instruction], *, heading: str, empty: dict, trail: Trail = Trail(), more: bool = False
):
    """Rows in full, with the faults the checks find."""
    first = (len(trail.before) - 1) * 50 + 1
    return {
        "heading": heading,
        "cards": [{**text_value(row), "advice": advice_value(content_of(row))} for row in rows],
        "pages": more or len(trail.before) > 1,
        "has_newer": len(trail.before) > 1,
        "has_older": more,
        "range": f"{first:,} to {first + len(rows) - 1:,}",
        "empty": empty,
    }


def page_value(session: Session, actor: Actor, project_id: int, trail: Trail) -> tuple:
    """A page of the queue in full: (cards, the pairs shown, where the next page begins, the button)."""
    queue = reviews.list_queue(session, actor, project_id, after=trail.before_id)
    waiting = reviews.count_waiting(session, actor, project_id)
    cards = cards_value(
        queue.rows, heading=f"{counted(waiting, 'submission')} of others, oldest first.", empty=NOTHING,
        trail=trail, more=queue.next_after is not None,
    )  # fmt: skip
    shown = [(row.id, row.version) for row in queue.rows]
    label = f"Approve the {len(shown)} shown on this page"
    return cards, shown, queue.next_after, gr.update(value=label, visible=bool(shown))


def import_choices(session: Session, actor: Actor, project_id: int) -> list[tuple[str, str]]:
    """(what to call it, its key) of each import that waits."""
    return [
        (
            f"{imports.name_of_import(session, batch.first_id)} by {batch.author_name}, {ago(batch.at)}: "
            f"{counted(batch.rows, 'row')} waiting",
            key_of(batch),
        )
        for batch in reviews.list_imports(session, actor, project_id)
    ]


def key_of(batch: reviews.WaitingImport) -> str:
    return f"{batch.author_id} {batch.at.isoformat()}"


def find_import(
    session: Session, actor: Actor, project_id: int, key: str | None
) -> reviews.WaitingImport | None:
    return next((b for b in reviews.list_imports(session, actor, project_id) if key_of(b) == key), None)


def import_value(session: Session, actor: Actor, project_id: int, key: str | None) -> tuple:
    """(sample in full, number box, button) of the chosen import."""
    batch = find_import(session, actor, project_id, key)
    if batch is None:
        return cards_value([], heading="", empty=NO_IMPORT), *_approval(0)
    rows = reviews.sample_import(session, actor, project_id, batch, size=SAMPLE)
    heading = (
        f"{len(rows)} of {counted(batch.rows, 'row')}, spread evenly from the first to the last. "
        f"Imported {exact(batch.at)}."
    )
    return cards_value(rows, heading=heading, empty=NO_IMPORT), *_approval(batch.rows)


# handlers ---------------------------------------------------------------------------------------------


@needs(Right.REVIEW)
def show_page(project_id: int, request: gr.Request):
    with read() as session:
        return Trail(), *page_value(session, actor_of(session, request), project_id, Trail())


@needs(Right.REVIEW)
def older(project_id: int, trail: Trail, after, request: gr.Request):
    with read() as session:
        trail = trail.older(after)
        return trail, *page_value(session, actor_of(session, request), project_id, trail)


@needs(Right.REVIEW)
def newer(project_id: int, trail: Trail, request: gr.Request):
    with read() as session:
        trail = trail.newer()
        return trail, *page_value(session, actor_of(session, request), project_id, trail)


@needs(Right.REVIEW)
def approve_shown(project_id: int, shown: list[tuple[int, int]], comment: str, request: gr.Request):
    """Approve what stood on the page, as the version that stood there."""
    with write() as session:
        actor = actor_of(session, request)
        done = reviews.approve_shown(session, actor, project_id, shown, comment=comment)
        page = page_value(session, actor, project_id, Trail())
    left = len(shown) - done
    gr.Success(f"{done:,} approved." + (f" {left:,} changed meanwhile and still wait." if left else ""))
    return Trail(), *page, ""


@needs(Right.REVIEW)
def show_imports(project_id: int, request: gr.Request):
    """The imports that wait, the first one chosen."""
    with read() as session:
        actor = actor_of(session, request)
        choices = import_choices(session, actor, project_id)
        first = choices[0][1] if choices else None
        chosen = gr.update(choices=choices, value=first, visible=bool(choices))
        return chosen, *import_value(session, actor, project_id, first)


@needs(Right.REVIEW)
def choose_import(project_id: int, key: str, request: gr.Request):
    with read() as session:
        return import_value(session, actor_of(session, request), project_id, key)


@needs(Right.REVIEW)
def approve_import(project_id: int, key: str, number: str, comment: str, request: gr.Request):
    """Approve all rows of one import that wait, when their number was typed and a comment given."""
    typed = (number or "").replace(",", "").strip()
    if not typed.isdigit():
        raise ValueError("number: type how many rows you approve, in digits.")
    author_id, at = key.split(" ", 1)
    with write() as session:
        done = reviews.approve_import(
            session, actor_of(session, request), project_id, int(author_id), datetime.fromisoformat(at),
            count=int(typed), comment=comment,
        )  # fmt: skip
    gr.Success(f"{counted(done, 'row')} approved.")
    with read() as session:
        actor = actor_of(session, request)
        choices = import_choices(session, actor, project_id)
        first = choices[0][1] if choices else None
        chosen = gr.update(choices=choices, value=first, visible=bool(choices))
        return chosen, *import_value(session, actor, project_id, first), ""


# layout and wiring ------------------------------------------------------------------------------------


def fifty_tab(page: Page, tab: gr.Tab):
    """Lay the tab out and wire it; the step after which the queue is shorter."""
    cards_html = View(CARDS, cards_value([], heading="", empty=NOTHING), on_load=ON_LOAD)
    comment_tb = gr.Textbox(
        label="Comment",
        info="Kept with each of the reviews; may stay empty.",
        lines=2,
        elem_classes="narrow",
    )
    with gr.Row(elem_classes="actions"):
        approve_btn = gr.Button("Approve", variant="primary", visible=False, elem_id="approve-shown-btn")
    trail_state, shown_state, after_state = gr.State(Trail()), gr.State([]), gr.State(None)
    shown = [trail_state, cards_html, shown_state, after_state, approve_btn]
    page.on(tab.select, show_page, [page.project_id], shown)
    page.on(cards_html.older, older, [page.project_id, trail_state, after_state], shown)
    page.on(cards_html.newer, newer, [page.project_id, trail_state], shown)
    return page.on(
        approve_btn.click, approve_shown, [page.project_id, shown_state, comment_tb], [*shown, comment_tb]
    )


def imports_tab(page: Page, tab: gr.Tab):
    """Lay the tab out and wire it; the step after which the queue is shorter."""
    import_radio = gr.Radio([], label="Import", visible=False, elem_classes="stacked")
    sample_html = View(CARDS, cards_value([], heading="", empty=NO_IMPORT), on_load=ON_LOAD)
    with gr.Column(visible=False, elem_classes="narrow") as approval_col:
        comment_tb = gr.Textbox(
            label="What you checked", lines=2, elem_id="field-checked",
            info="Such as how many rows you read, and against what. Kept with each of the reviews.",
        )  # fmt: skip
        number_tb = gr.Textbox(
            label="Number", elem_id="field-number", info="Type the number of rows to approve."
        )
        with gr.Row(elem_classes="actions"):
            approve_btn = gr.Button("Approve all", elem_id="approve-import-btn")
    shown = [sample_html, approval_col, number_tb, approve_btn]
    page.on(tab.select, show_imports, [page.project_id], [import_radio, *shown])
    page.on(import_radio.input, choose_import, [page.project_id, import_radio], shown)
    return page.on(
        approve_btn.click, approve_import, [page.project_id, import_radio, number_tb, comment_tb],
        [import_radio, *shown, comment_tb], show_progress="minimal", concurrency_limit=2,
    )  # fmt: skip


def _approval(rows: int) -> tuple[dict, dict, dict]:
    """The block with the number box and the button, for an import of that many rows."""
    return (
        gr.update(visible=rows > 0),
        gr.update(value="", info=f"Type {rows} to approve all of them."),
        gr.update(value=f"Approve all {rows:,} of this import"),
    )
