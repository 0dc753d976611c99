"""Putting what is on the desk to the sides: checks before sending, answers as they come, stop, replay."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import gradio as gr

from bioui import comparing, replaying
from bioui.answering import Answering, runs
from bioui.comparing import Asked, Form
from bioui.components.acknowledgement import require_acknowledged
from bioui.components.answers import AnswersState, answers, replayed_position, stopped_position
from bioui.components.desk import Desk, DeskForm
from bioui.components.frame import Page
from bioui.components.privacy_warning import NO_WARNING, privacy_warning, warning_value
from bioui.components.retry import NO_FAILURE, failure, retry
from bioui.components.view import View
from bioui.handling import actor_of, needs
from bioui.model_server import ModelServerDown
from bioui.shown import Shown, blinds, running_value, shuffled, stored_value
from db import comparisons, prompt_privacy
from db.policy import Right
from db.session import Session, read, write
from db.settings import from_environment

IDLE = gr.update(value="Compare", interactive=True)
BUSY = gr.update(value="Comparing…", interactive=False)
AGAIN_EVERY = 12  # states of a replay between two that are shown: one a second


@dataclass(frozen=True)
class Sending:
    """Its components."""

    warning_html: View
    failure_html: View
    answers_html: View
    follow_btn: gr.Button


@dataclass(frozen=True)
class Step:
    """What a moment of answering changes on the page; None leaves it."""

    answers: dict | None = None
    button: Any = None
    shown: Shown | None = None
    warning: dict | None = None
    failure: dict | None = None
    follow: bool | None = None  # whether a follow-up can be asked

    def outputs(self) -> tuple:
        values = (self.answers, self.button, self.shown, self.warning, self.failure)
        told = tuple(gr.skip() if value is None else value for value in values)
        return (*told, gr.skip() if self.follow is None else gr.update(visible=self.follow))


# handlers -------------------------------------------------------------------------------------------


@needs(Right.COMPARE)
def compare(
    project_id: int,
    sides: list[str],
    desk: Desk,
    system: str,
    instruction: str,
    input: str,
    max_tokens: float,
    temperature: float,
    seed: float,
    blind: bool,
    request: gr.Request,
):
    """Stream all answers, then keep them; first warn of what looks like patient data."""
    typed = (system, instruction, input, max_tokens, temperature, seed)
    yield from _compare(project_id, Form(sides, *typed, desk.version_id, desk.follows_id), blind, request)


@needs(Right.COMPARE)
def compare_anyway(
    project_id: int,
    sides: list[str],
    desk: Desk,
    system: str,
    instruction: str,
    input: str,
    max_tokens: float,
    temperature: float,
    seed: float,
    blind: bool,
    request: gr.Request,
):
    """The same for someone who was warned; the audit log keeps who sent it."""
    typed = (system, instruction, input, max_tokens, temperature, seed)
    form = Form(sides, *typed, desk.version_id, desk.follows_id)
    yield from _compare(project_id, form, blind, request, was_warned=True)


@needs(Right.COMPARE)
def stop(event: gr.EventData, request: gr.Request):
    """Ends the tab's own answers; a click that comes late does nothing."""
    run, position = runs.get(request.session_hash), stopped_position(event)
    if run is None or (position is not None and position >= len(run.order)):
        return
    run.stop(None if position is None else run.order[position])


@needs(Right.COMPARE)
def replay(project_id: int, shown: Shown, event: gr.EventData, request: gr.Request):
    """Ask a stored comparison again, and say of each side whether it says the same."""
    wanted = replayed_position(event)
    if shown.is_blind:
        raise ValueError("replay: vote first; its figures would tell which side is which.")
    with read() as session:
        require_acknowledged(session, request)
        comparison = comparisons.get(session, project_id, shown.comparison_id)
        asked = replaying.asked_again(session, comparison)
        value = stored_value(session, comparison, shown)
    only = None if wanted is None or wanted >= len(shown.order) else wanted
    with _run_of(request, shown.order) as run:
        yield Step(_noted(value, only, "Asking again."), BUSY, failure=NO_FAILURE).outputs()
        state = asked.begin()
        try:
            for count, _ in enumerate(run.follow(from_environment(), asked.question, state)):
                if count % AGAIN_EVERY == 0:
                    yield Step(_noted(value, only, _how_far(state))).outputs()
        except ModelServerDown as error:
            yield Step(_noted(value, only, ""), IDLE, failure=failure([str(error)])).outputs()
            return
        except (ValueError, LookupError) as error:
            yield Step(_noted(value, only, ""), IDLE).outputs()
            raise comparing.in_our_words(error, asked) from error
    with read() as session:
        comparison = comparisons.get(session, project_id, shown.comparison_id)
        notes = replaying.notes_of(comparison, state)
        if only is not None:
            notes = {shown.order[only]: notes[shown.order[only]]}
        yield Step(stored_value(session, comparison, shown, notes), IDLE).outputs()


def _compare(
    project_id: int, form: Form, blind: bool, request: gr.Request, *, was_warned: bool = False
) -> Iterator[tuple]:
    with read() as session:
        require_acknowledged(session, request)
        asked = comparing.read_form(session, project_id, form)
        order = _order(session, request, asked, blind)
    texts = {"system prompt": asked.system, "instruction": asked.instruction, "input": asked.input}
    findings = prompt_privacy.look(texts)
    if findings and not was_warned:
        yield Step(warning=warning_value(findings)).outputs()
        return
    with _run_of(request, order or tuple(range(len(asked.sides)))) as run:
        if findings:
            with write() as session:
                prompt_privacy.note_sent(session, actor_of(session, request), project_id, findings)
        yield from _answer(run, asked, bool(order), request)


def _order(session: Session, request: gr.Request, asked: Asked, blind: bool) -> tuple[int, ...]:
    """The columns of a blind comparison, in the order of the turn before; () for an open one.

    Once a turn was revealed the conversation is open: whoever knows the columns is blind no more.
    """
    if not blind:
        return ()
    if asked.follows_id is None:
        return shuffled(len(asked.sides))
    return blinds.order_of(actor_of(session, request), asked.follows_id) or ()


@contextmanager
def _run_of(request: gr.Request, order: tuple[int, ...]) -> Iterator[Answering]:
    """The tab's one run, for as long as it lasts."""
    run = runs.begin(request.session_hash, order)
    try:
        yield run
    finally:
        runs.end(request.session_hash)


def _answer(run: Answering, asked: Asked, blind: bool, request: gr.Request) -> Iterator[tuple]:
    def value(*, running: bool) -> dict:
        return running_value(asked, state, run.order, running=running, blind=blind)

    state = asked.begin()
    yield Step(value(running=True), BUSY, Shown(), NO_WARNING, NO_FAILURE, follow=False).outputs()
    try:
        for _ in run.follow(from_environment(), asked.question, state):
            yield Step(value(running=True)).outputs()
    except ModelServerDown as error:
        _fail(state)
        yield Step(value(running=False), IDLE, failure=failure([str(error)])).outputs()
        return
    except (ValueError, LookupError) as error:
        _fail(state)
        yield Step(value(running=False), IDLE).outputs()
        raise comparing.in_our_words(error, asked) from error
    problems = list(comparing.problems_of(asked, state))
    told = failure(problems) if problems else None
    if not state.has_text or (problems and asked.follows_id):  # a conversation needs an answer of every side
        state.failed = bool(problems)
        yield Step(value(running=False), IDLE, failure=told).outputs()
        return
    yield replace(_keep(asked, state, run.order, blind, request), failure=told).outputs()


def _keep(
    asked: Asked, state: AnswersState, order: tuple[int, ...], blind: bool, request: gr.Request
) -> Step:
    """Store it and show it as stored."""
    with write() as session:
        actor = actor_of(session, request)
        comparison = comparing.keep(session, actor, asked, state)
        session.flush()
        session.refresh(comparison)
        kept = comparing.answered(state)
        columns = tuple(kept.index(position) for position in order if position in kept)
        shown = Shown(comparison.id, columns, is_blind=blind)
        if blind:
            blinds.begin(actor, comparison.id, columns)
        return Step(stored_value(session, comparison, shown), IDLE, shown, follow=True)


def _fail(state: AnswersState) -> None:
    state.failed, state.phase, state.waited = True, "No answer", 0.0


def _how_far(state: AnswersState) -> str:
    done = sum(column.is_done for column in state.columns)
    phase = state.phase.lower() if not state.has_text else f"{done} of {len(state.columns)} done"
    return f"Asking again: {phase}."


def _noted(value: dict, only: int | None, note: str) -> dict:
    """The value of the answers with that note under one column, or under all."""
    columns = [
        {**column, "note": note} if only in (None, at) else column
        for at, column in enumerate(value["columns"])
    ]
    return {**value, "columns": columns}


# layout and wiring ----------------------------------------------------------------------------------


def sending() -> Sending:
    """The places for a warning, a failure and the answers, and what goes on from them."""
    warning_html, failure_html, answers_html = privacy_warning(), retry(), answers()
    with gr.Row(elem_classes="follow-row"):
        follow_btn = gr.Button("Ask a follow-up", size="sm", visible=False, elem_id="follow-btn")
    return Sending(warning_html, failure_html, answers_html, follow_btn)


def wire_sending(
    page: Page, sent: Sending, form: DeskForm, *, sides_dd: gr.Dropdown, shown: gr.State, problem: View
) -> list:
    """The steps after which a comparison may stand on the page."""
    asked = [page.project_id, sides_dd, *form.typed, *form.settings, form.blind_cb]
    html = sent.answers_html
    told = [html, form.compare_btn, shown, sent.warning_html, sent.failure_html, sent.follow_btn]
    page.on(html.stop, stop, None, [], problem=problem)
    page.on(html.replay, replay, [page.project_id, shown], told, problem=problem)
    return [
        page.on(form.compare_btn.click, compare, asked, told, problem=problem),
        page.on(sent.failure_html.again, compare, asked, told, problem=problem),
        page.on(sent.warning_html.send, compare_anyway, asked, told, problem=problem),
    ]
