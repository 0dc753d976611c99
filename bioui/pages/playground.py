"""Playground: one prompt to several models, all answers side by side, a conversation, and a vote."""

import gradio as gr

from bioui.answering import BUSY, launch, runs
from bioui.components import empty
from bioui.components.acknowledgement import acknowledgement
from bioui.components.answers import answers_value
from bioui.components.conversation import NO_TALK, conversation, talk_value, turn_number
from bioui.components.desk import Desk, Typed, desk_form, desk_of, desk_values, settings_of
from bioui.components.empty import empty_state
from bioui.components.frame import page_frame
from bioui.components.problem import problem_area
from bioui.components.sending import sending, wire_sending
from bioui.components.shelf import picked_id, shelf
from bioui.components.shelf_panel import shelf_panel, wire_shelf
from bioui.components.sides_picker import (
    chosen_values,
    default_sides,
    has_tuned,
    opened_values,
    sides_picker,
    wire_sides,
)
from bioui.components.table import row_id
from bioui.components.view import View
from bioui.components.voting import show_vote, voting, wire_voting
from bioui.handling import actor_of, linked, needs
from bioui.shown import Shown, blinds, show, stored_value
from db import comparisons, processes, prompts, sides
from db.compare_spec import Sampling, SideSpec
from db.enums import ProcessRole
from db.policy import Actor, Right
from db.session import Session, read
from db.settings import from_environment
from db.tables import Comparison

TITLE, PATH, RIGHT = "Playground", "/playground", Right.COMPARE
SECTION = "Playground"
SENTENCE = "One prompt to a base model and to what was tuned on it: all answers, side by side."
CAUTION = """
<p class="caution" role="note"><strong>Not for clinical use.</strong><span>Models invent findings,
doses and references, and sound sure of them. Check every statement, and type nothing that could identify
a patient.</span></p>
"""
NO_ADAPTER = "An adapter is what tuning makes. Once one is trained, it answers here beside its base."
EMPTY = "{{#if value.empty.title}}" + empty.TEMPLATE + "{{/if}}"
SERVER = '{{#if value}}<p class="desk-note" role="status">{{value}}</p>{{/if}}'
BEGUN = Sampling()


# data -----------------------------------------------------------------------------------------------


def no_adapter(project_id: int, can_train: bool) -> dict:
    """What stands in place of the desk while there is nothing to compare."""
    if can_train:
        address = f"/train?project={project_id}"
        return empty_state("No adapter to compare yet.", NO_ADAPTER, href=address, link="Train an adapter")
    return empty_state(
        "No adapter to compare yet.", f"{NO_ADAPTER} Ask someone with the role trainer for one."
    )


def server_note(session: Session) -> str:
    """Why the model server went away, or why it answers slowly; "" where there is nothing to tell."""
    server = processes.find_alive(session, ProcessRole.MODEL_SERVER)
    if server is None:
        reason = processes.last_leave_reason(session)
        return f"{reason} The model server left, and is starting again." if reason else ""
    reason = server.detail.get("reason", "")
    return f"{reason} Meanwhile the model server answers on the CPU, which is slow." if reason else ""


def opened(
    session: Session, actor: Actor, comparison: Comparison, desk: Desk, typed: Typed
) -> tuple[tuple, tuple, tuple, tuple]:
    """A stored comparison on the page: what is shown of it, the desk, the settings, the sides."""
    shown = show(session, actor, comparison)
    return (
        (shown, stored_value(session, comparison, shown), *_talk(session, actor, comparison)),
        desk_values(session, comparison.project_id, desk_of(comparison, desk, typed)),
        settings_of(comparison),
        chosen_values(session, comparison.project_id, _askable(session, comparison)),
    )


def turns_before(session: Session, actor: Actor, follows: Comparison | None) -> dict:
    """The conversation that the next comparison goes on from."""
    if follows is None:
        return NO_TALK
    turns = comparisons.turns_of(session, follows)
    return talk_value(session, turns, blinds.order_of(actor, follows.id) or ())


def _talk(session: Session, actor: Actor, comparison: Comparison) -> tuple[dict, dict]:
    """The turns before an open comparison, and whether it can be followed up."""
    can_follow = comparison.emptied_at is None
    return turns_before(session, actor, comparison.follows), gr.update(visible=can_follow)


def _askable(session: Session, comparison: Comparison) -> list[SideSpec]:
    """Its sides that are still there."""
    found = []
    for answer in comparison.answers:
        side = sides.of_answer(answer)
        try:
            sides.title_of(session, side)
        except LookupError:
            continue
        found.append(side)
    return found


def _wanted_prompt(session: Session, project_id: int, request: gr.Request) -> Desk:
    """The desk with the prompt in the address, or else with the first of the shelf."""
    if prompt_id := linked(request, "prompt"):
        version = prompts.get(session, project_id, prompt_id).versions[-1]
    else:
        version = next(iter(prompts.list_shelf(session, project_id)), None)
    return Desk() if version is None else Desk(version.id, Typed.of(version))


# handlers -------------------------------------------------------------------------------------------


@needs(RIGHT)
def show_page(project_id: int, request: gr.Request):
    """Whether there is anything to ask; the model server is started ahead of the first press."""
    with read() as session:
        can_train = actor_of(session, request).can(Right.TRAIN)
        ready = has_tuned(session, project_id) or comparisons.count(session, project_id) > 0
        note = server_note(session)
    if not ready:
        return gr.update(visible=False), {"empty": no_adapter(project_id, can_train)}, ""
    launch.prepare(from_environment())
    return gr.update(visible=True), {"empty": {}}, note


@needs(RIGHT)
def show_desk(project_id: int, request: gr.Request):
    """The comparison in the address, or the prompt there, or the first of the shelf."""
    with read() as session:
        actor = actor_of(session, request)
        if comparison_id := linked(request, "comparison"):
            comparison = comparisons.get(session, project_id, comparison_id)
            page, desk, settings, _ = opened(session, actor, comparison, Desk(), Typed())
            chosen = _askable(session, comparison)
        else:
            page = (Shown(), answers_value(None), NO_TALK, gr.update(visible=False))
            desk = desk_values(session, project_id, _wanted_prompt(session, project_id, request))
            settings = (BEGUN.max_tokens, BEGUN.temperature, BEGUN.seed)
            chosen = default_sides(session, project_id, linked(request, "adapter"))
        return (*page, *desk, *settings, *opened_values(session, project_id, chosen))


@needs(RIGHT)
def open_comparison(
    project_id: int,
    desk: Desk,
    system: str,
    instruction: str,
    input: str,
    event: gr.EventData,
    request: gr.Request,
):
    """A recent comparison on the page, its prompt on the desk."""
    return _open(project_id, row_id(event), desk, Typed(system, instruction, input), request)


@needs(RIGHT)
def ask_again(
    project_id: int,
    shown: Shown,
    desk: Desk,
    system: str,
    instruction: str,
    input: str,
    request: gr.Request,
):
    """The shown comparison's prompt, sides and settings on the desk again."""
    return _open(project_id, shown.comparison_id, desk, Typed(system, instruction, input), request)


@needs(RIGHT)
def edit_turn(
    project_id: int,
    desk: Desk,
    system: str,
    instruction: str,
    input: str,
    event: gr.EventData,
    request: gr.Request,
):
    """An earlier turn on the desk: sent again, it becomes a branch beside what followed it."""
    with read() as session:
        turns = comparisons.turns_of(session, comparisons.get(session, project_id, desk.follows_id))
        number = turn_number(event)
        if number >= len(turns):
            raise ValueError("conversation: there is no such turn.")
        comparison_id = turns[number].id
    return _open(project_id, comparison_id, desk, Typed(system, instruction, input), request)


@needs(RIGHT)
def follow_up(
    project_id: int,
    shown: Shown,
    desk: Desk,
    system: str,
    instruction: str,
    input: str,
    request: gr.Request,
):
    """The desk empty for the next turn, the shown comparison among the turns before."""
    with read() as session:
        comparison = comparisons.get(session, project_id, shown.comparison_id)
        typed = Typed(system, instruction, input)
        # What was just asked stands in the conversation: only other text is worth laying aside.
        laid = Desk(picked=Typed.of(comparison), replaced=desk.replaced).lay(
            Typed(system=comparison.system), typed, follows_id=comparison.id
        )
        talk = turns_before(session, actor_of(session, request), comparison)
        chosen = chosen_values(session, project_id, _askable(session, comparison))
        return (talk, gr.update(visible=False), *desk_values(session, project_id, laid), *chosen)


@needs(RIGHT)
def begin_anew(project_id: int, desk: Desk, system: str, instruction: str, input: str, request: gr.Request):
    """A new conversation, on a blank page."""
    _require_idle(request)
    with read() as session:
        laid = desk.lay(Typed(), Typed(system, instruction, input))
        page = (Shown(), answers_value(None), NO_TALK, gr.update(visible=False))
        return (*page, *desk_values(session, project_id, laid))


@needs(RIGHT)
def pick_prompt(
    project_id: int,
    desk: Desk,
    system: str,
    instruction: str,
    input: str,
    event: gr.EventData,
    request: gr.Request,
):
    """A prompt of the shelf, or a blank page; either begins a conversation."""
    typed, version_id = Typed(system, instruction, input), picked_id(event)
    with read() as session:
        version = prompts.get_version(session, project_id, version_id) if version_id else None
        picked = Typed.of(version) if version else Typed()
        laid = desk.lay(picked, typed, version_id=version_id if version else 0)
        return (NO_TALK, *desk_values(session, project_id, laid))


@needs(RIGHT)
def put_back(project_id: int, desk: Desk, request: gr.Request):
    """Take up again what was typed."""
    with read() as session:
        return desk_values(
            session, project_id, Desk(picked=desk.replaced or desk.picked, follows_id=desk.follows_id)
        )


def _open(project_id: int, comparison_id: int, desk: Desk, typed: Typed, request: gr.Request) -> tuple:
    _require_idle(request)
    with read() as session:
        comparison = comparisons.get(session, project_id, comparison_id)
        page, laid, settings, chosen = opened(session, actor_of(session, request), comparison, desk, typed)
        return (*page, *laid, *settings, *chosen)


def _require_idle(request: gr.Request) -> None:
    if runs.get(request.session_hash):
        raise ValueError(BUSY)


# layout and wiring ----------------------------------------------------------------------------------


def build() -> None:
    page = page_frame(TITLE, SENTENCE)
    View(CAUTION, {})
    acknowledgement(page)
    empty_html = View(EMPTY, {"empty": {}}, elem_classes="empty-view")
    with gr.Row(elem_classes="desk") as desk_row:
        with gr.Column(elem_classes="desk-shelf", min_width=0):
            shelf_html = shelf()
        with gr.Column(elem_classes="desk-main", min_width=0):
            server_html = View(SERVER, "", elem_classes="note-view")
            picker = sides_picker()
            talk_html = conversation()
            form = desk_form()
            panel = shelf_panel()
            form_problem = problem_area()
            sent = sending()
            vote = voting()
    shown = gr.State(Shown())
    seen = [shown, sent.answers_html, talk_html, sent.follow_btn]
    laid = [*form.typed, form.note_html, shelf_html]
    whole = [*seen, *laid, *form.settings, *picker.chosen]
    typed = [page.project_id, *form.typed]
    here = [page.project_id, shown]

    page.on_load(show_page, [desk_row, empty_html, server_html])
    opening = page.on_load(show_desk, [*seen, *laid, *form.settings, *picker.opened])
    changed = [
        opening,
        page.on(vote.recent_html.open, open_comparison, typed, whole),
        page.on(sent.answers_html.again, ask_again, [*here, *form.typed], whole),
        page.on(talk_html.edit, edit_turn, typed, whole),
        page.on(talk_html.leave, begin_anew, typed, [*seen, *laid]),
        *wire_sending(page, sent, form, sides_dd=picker.sides_dd, shown=shown, problem=form_problem),
    ]
    for step in changed:
        page.on(step.then, show_vote, here, vote.shown)
    after = [talk_html, sent.follow_btn, *laid, *picker.chosen]
    page.on(sent.follow_btn.click, follow_up, [*here, *form.typed], after)
    for pick in (shelf_html.pick, *panel.pickers):
        page.on(pick, pick_prompt, typed, [talk_html, *laid])
    wire_shelf(page, panel, shelf_html=shelf_html, desk=form.typed)
    page.on(form.note_html.back, put_back, [page.project_id, form.state], laid)
    wire_sides(page, picker)
    wire_voting(page, vote, shown=shown, answers_html=sent.answers_html, talk_html=talk_html)
