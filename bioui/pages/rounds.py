"""Rounds: blind comparisons by several raters; made, watched, settled where raters disagree, and read."""

import gradio as gr

from bioui import leading
from bioui.components import round_form, round_panel
from bioui.components.disputes import disputes, settling_of
from bioui.components.frame import page_frame
from bioui.components.notice import NO_NOTICE, notice
from bioui.components.round_foot import export_link
from bioui.components.round_form import COUNTED, NAMES, draft_of, preview_value, rubric_of, title_of
from bioui.components.round_form import round_form as form_at
from bioui.components.round_list import round_list
from bioui.components.round_removed import NOTHING_REMOVED, removed_round, removed_value
from bioui.components.rubric_editor import with_rubric
from bioui.components.spread import spread
from bioui.components.table import row_id
from bioui.components.verdict import verdict_view
from bioui.components.verdict_agreement import agreement_view
from bioui.components.verdict_axes import axes_view
from bioui.components.verdict_groups import groups_view
from bioui.components.verdict_ranking import ranking_view
from bioui.handling import actor_of, linked, needs
from db import adjudication, rounds
from db.policy import Actor, Right
from db.session import Session, read, write

TITLE, PATH, RIGHT = "Rounds", "/rounds", Right.LEAD_ROUNDS
SECTION = "Playground"
SENTENCE = (
    "Several people vote on pairs of answers without knowing which model wrote which; a verdict comes of it."
)
FORM_OPEN = -1  # beside the list, in place of a round's id


# data -------------------------------------------------------------------------------------------------


def screen(
    session: Session,
    actor: Actor,
    project_id: int,
    open_id: int,
    request: gr.Request,
    *,
    removed: dict = NOTHING_REMOVED,
) -> tuple:
    """Everything but the form's fields, in the order of build()'s `shown`; FORM_OPEN opens the form."""
    is_form = open_id == FORM_OPEN
    led = leading.read_led(session, project_id, open_id) if open_id > 0 else None
    is_closed = led is not None and led.round.closed_at is not None
    return (
        open_id,
        removed,
        leading.rounds_value(session, project_id, open_id=open_id),
        gr.update(visible=not is_form),
        gr.update(visible=is_form),
        gr.update(visible=led is not None),
        leading.head_value(led, request) if led else round_panel.NO_HEAD,
        round_panel.raters_value(led.raters) if led else round_panel.NO_RATERS,
        leading.standing_value(led, actor) if led else NO_NOTICE,
        *(leading.figures(session, led, actor) if led else leading.NO_FIGURES),
        gr.update(visible=led is not None and not is_closed),
        gr.update(visible=is_closed),
    )


# handlers: the list and an open round -----------------------------------------------------------------


@needs(RIGHT)
def show_page(project_id: int, request: gr.Request):
    """The list; open is the round of ?round=, or with ?batch= the form for answers of that batch."""
    wanted, batch = linked(request, "round"), linked(request, "batch")
    with read() as session:
        known = {round.id for round in rounds.list_rounds(session, project_id)}
        open_id = wanted if wanted in known else FORM_OPEN if batch else 0
        shown = screen(session, actor_of(session, request), project_id, open_id, request)
        filled = round_form.choices(session, project_id, batch)
    if wanted and wanted not in known:
        gr.Info("The round of this link is not there any more.", duration=6)
    return *shown, *filled


@needs(RIGHT)
def open_round(project_id: int, event: gr.EventData, request: gr.Request):
    with read() as session:
        return screen(session, actor_of(session, request), project_id, row_id(event), request)


@needs(RIGHT)
def close_pane(project_id: int, request: gr.Request):
    with read() as session:
        return screen(session, actor_of(session, request), project_id, 0, request)


@needs(RIGHT)
def close_round(project_id: int, open_id: int, request: gr.Request):
    with write() as session:
        actor = actor_of(session, request)
        rounds.close(session, actor, _open(session, project_id, open_id))
        session.flush()
        return screen(session, actor, project_id, open_id, request)


@needs(RIGHT)
def reopen_round(project_id: int, open_id: int, request: gr.Request):
    with write() as session:
        actor = actor_of(session, request)
        rounds.reopen(session, actor, _open(session, project_id, open_id))
        session.flush()
        return screen(session, actor, project_id, open_id, request)


@needs(RIGHT)
def remove_round(project_id: int, open_id: int, request: gr.Request):
    with write() as session:
        actor = actor_of(session, request)
        gone = rounds.remove(session, actor, _open(session, project_id, open_id))
        session.flush()
        return screen(session, actor, project_id, 0, request, removed=removed_value(gone))


@needs(RIGHT)
def put_back(project_id: int, event: gr.EventData, request: gr.Request):
    with write() as session:
        actor = actor_of(session, request)
        back = rounds.remove(session, actor, row_id(event), removed=False)
        session.flush()
        return screen(session, actor, project_id, back.id, request)


@needs(RIGHT)
def settle(project_id: int, open_id: int, event: gr.EventData, request: gr.Request):
    """Store the decision on a pair that raters differ on, with its reason."""
    said = settling_of(event)
    with write() as session:
        actor = actor_of(session, request)
        leading.require_done(leading.read_led(session, project_id, open_id), actor)
        adjudication.adjudicate(session, actor, said.pair_id, said.choice, comment=said.reason)
        session.flush()
        return screen(session, actor, project_id, open_id, request)


def _open(session: Session, project_id: int, open_id: int) -> int:
    """The open round's id. Raises LookupError where none is open, or it is another project's."""
    if open_id <= 0:
        raise LookupError("Open a round first.")
    return rounds.get(session, project_id, open_id).id


# handlers: the form -----------------------------------------------------------------------------------


@needs(RIGHT)
def open_form(project_id: int, request: gr.Request):
    with read() as session:
        shown = screen(session, actor_of(session, request), project_id, FORM_OPEN, request)
        return *shown, *round_form.choices(session, project_id, linked(request, "batch"))


@needs(RIGHT)
def choose_source(project_id: int, source: int | None, request: gr.Request):
    """The sides, slices and raters of those answers."""
    with read() as session:
        return round_form.choices(session, project_id, source or 0)


@needs(RIGHT)
def choose_sides(project_id: int, source: int | None, one: str, other: str, request: gr.Request):
    with read() as session:
        return round_form.slice_choices(session, project_id, source or 0, one, other)


@needs(RIGHT)
@spread(*COUNTED)
def count(project_id: int, values: tuple, request: gr.Request):
    """What the form would make: pairs, votes, and the time that each rater gives."""
    with read() as session:
        return preview_value(draft_of(session, project_id, values))


@needs(RIGHT)
@spread(*NAMES)
def make(project_id: int, values: tuple, request: gr.Request):
    title, note, *counted, items = values
    title, axes = title_of(title), rubric_of(items)
    with write() as session:
        actor, draft = actor_of(session, request), draft_of(session, project_id, counted)
        made = rounds.create(
            session,
            actor,
            project_id,
            title=title,
            note=note or "",
            rubric=axes,
            pairs=[(pair.one_id, pair.other_id) for pair in draft.pairs],
            rater_ids=draft.rater_ids,
            overlap=draft.overlap,
            seed=draft.seed,
        )
        session.flush()
        return *screen(session, actor, project_id, made.id, request), "", ""


# layout and wiring ------------------------------------------------------------------------------------


def build() -> None:
    page = page_frame(TITLE, SENTENCE)
    with page.actions:
        new_btn = gr.Button("New round", variant="primary", visible=False, elem_id="new-round-btn")
    open_state = gr.State(0)
    removed_html = removed_round()
    with gr.Row(elem_classes="split"):
        with gr.Column(scale=2, min_width=260):
            list_html = round_list()
        with gr.Column(
            scale=3, min_width=320, visible=False, elem_classes="pane", elem_id="round-form"
        ) as form_col:
            form = form_at()
        with gr.Column(
            scale=4, min_width=320, visible=False, elem_classes="pane", elem_id="round-pane"
        ) as round_col:
            head_html = round_panel.round_head()
            raters_html = round_panel.rater_table()
            standing_html = notice()
            figures = [
                verdict_view(),
                ranking_view(),
                axes_view(),
                groups_view(),
                groups_view(),
                round_panel.agreement_head(),
                agreement_view(),
                disputes(),
                export_link(),
            ]
            with gr.Row(elem_classes="actions"):
                close_btn = gr.Button("Close the round", visible=False, elem_id="close-round-btn")
                reopen_btn = gr.Button("Reopen", visible=False, elem_id="reopen-round-btn")
                remove_btn = gr.Button("Remove", variant="stop", elem_id="remove-round-btn")

    shown = [open_state, removed_html, list_html, new_btn, form_col, round_col, head_html, raters_html,
             standing_html, *figures, close_btn, reopen_btn]  # fmt: skip
    page.on_load(show_page, [*shown, *form.filled])
    opened = page.on(list_html.open, open_round, [page.project_id], shown)
    page.on(head_html.close, close_pane, [page.project_id], shown)
    page.on(form.close_btn.click, close_pane, [page.project_id], shown)
    open_round_in = [page.project_id, open_state]
    page.on(close_btn.click, close_round, open_round_in, shown)
    page.on(reopen_btn.click, reopen_round, open_round_in, shown)
    page.on(remove_btn.click, remove_round, open_round_in, shown)
    page.on(figures[-2].settle, settle, open_round_in, shown)
    put = page.on(removed_html.undo, put_back, [page.project_id], shown)

    begun = page.on(new_btn.click, open_form, [page.project_id], [*shown, *form.filled])
    source, one, other = form.named("source", "one", "other")
    page.on(source.input, choose_source, [page.project_id, source], form.filled, problem=form.problem)
    for side in (one, other):
        page.on(side.input, choose_sides, [page.project_id, source, one, other],
                form.named("slices"), problem=form.problem)  # fmt: skip
    counting = [page.project_id, *form.named(*COUNTED)]
    for field in form.named(*COUNTED):
        page.on(field.change, count, counting, form.preview_html, problem=gr.State(None))
    making = [page.project_id, *form.inputs]
    made = page.on(
        form.save_btn.click, make, making, [*shown, *form.named("title", "note")],
        problem=form.problem, js=with_rubric(len(making) - 1), trigger_mode="once",
    )  # fmt: skip
    for step in (opened, made, put):
        step.then(fn=None, js="() => studio.reveal('round-pane')")
    begun.then(fn=None, js="() => studio.reveal('round-form')")
