"""Playground: one prompt to a base model and to a tuned adapter, both answers side by side, and a vote."""

from collections.abc import Iterator

import gradio as gr

from bioui import comparing
from bioui.comparing import Asked, get_comparison_of, number_in_url
from bioui.components import empty
from bioui.components.desk import Desk, desk_form, wire_desk
from bioui.components.empty import empty_state
from bioui.components.frame import page_frame
from bioui.components.pair import PairState, pair, pair_value, stopped_side
from bioui.components.problem import problem_area
from bioui.components.shelf import shelf
from bioui.components.table import row_id
from bioui.components.view import View
from bioui.components.vote import HIDDEN, vote_value
from bioui.components.voting import show_vote, voting, wire_voting
from bioui.handling import actor_of, needs
from bioui.pair_run import PairRun, launch, runs
from bioui.present import ago
from db import registry
from db.policy import Right
from db.session import Session, read, write
from db.settings import from_environment
from db.tables import Adapter

TITLE, PATH, RIGHT = "Playground", "/playground", Right.COMPARE
SENTENCE = "One prompt to a base model and to the adapter tuned on it: both answers, side by side."
CAUTION = """
<p class="caution" role="note"><strong>Not for clinical use.</strong><span>Both models invent findings,
doses and references, and sound sure of them. Check every statement, and type nothing that could identify
a patient.</span></p>
"""
NO_ADAPTER = "An adapter is what tuning makes. Once one is trained, it answers here beside its base."
EMPTY = "{{#if value.empty.title}}" + empty.TEMPLATE + "{{/if}}"
IDLE = gr.update(value="Compare", interactive=True)
BUSY = gr.update(value="Comparing…", interactive=False)


# data -----------------------------------------------------------------------------------------------


def adapter_choices(session: Session, project_id: int) -> list[tuple[str, int]]:
    """(name, base, data and date in one line, adapter id), newest first."""
    return [(_in_one_line(adapter), adapter.id) for adapter in registry.list_adapters(session, project_id)]


def no_adapter(project_id: int, can_train: bool) -> dict:
    """What stands in place of the desk while there is nothing to compare."""
    if can_train:
        address = f"/train?project={project_id}"
        return empty_state("No adapter to compare yet.", NO_ADAPTER, href=address, link="Train an adapter")
    return empty_state(
        "No adapter to compare yet.", f"{NO_ADAPTER} Ask someone with the role trainer for one."
    )


def _in_one_line(adapter: Adapter) -> str:
    version = adapter.dataset_version
    data = f"{version.dataset.name} v{version.number}" if version else "data not recorded"
    return f"{adapter.name} · base {adapter.base_model.name} · {data} · {ago(adapter.created_at)}"


# handlers -------------------------------------------------------------------------------------------


@needs(RIGHT)
def show_adapters(project_id: int, request: gr.Request):
    """The adapters to choose from; the model server is started ahead of the first press."""
    with read() as session:
        choices = adapter_choices(session, project_id)
        can_train = actor_of(session, request).can(Right.TRAIN)
    if not choices:
        nothing = {"empty": no_adapter(project_id, can_train)}
        return gr.update(choices=[], value=None), gr.update(visible=False), nothing
    launch.prepare(from_environment())
    wanted = number_in_url(request, "adapter")
    chosen = wanted if wanted in [id for _, id in choices] else choices[0][1]
    return gr.update(choices=choices, value=chosen), gr.update(visible=True), {"empty": {}}


@needs(RIGHT)
def show_comparison(project_id: int, request: gr.Request):
    """The comparison in the URL, if one is."""
    comparison_id = number_in_url(request, "comparison")
    if not comparison_id:
        return pair_value(), 0
    return _stored(project_id, comparison_id)


@needs(RIGHT)
def open_comparison(project_id: int, event: gr.EventData, request: gr.Request):
    if runs.get(request.session_hash):
        raise ValueError("Two answers are on their way. Stop them, or wait, then open another comparison.")
    return _stored(project_id, row_id(event))


@needs(RIGHT)
def compare(
    adapter_id: int | None,
    desk: Desk,
    instruction: str,
    input: str,
    max_tokens: float,
    temperature: float,
    seed: float,
    request: gr.Request,
):
    """Stream both answers, then keep them. Yields pair, Compare button, comparison id and vote bar."""
    with read() as session:
        asked = comparing.read_form(
            session,
            adapter_id=adapter_id,
            prompt_id=desk.prompt_id,
            instruction=instruction,
            input=input,
            max_tokens=max_tokens,
            temperature=temperature,
            seed=seed,
        )
    run = runs.begin(request.session_hash)
    try:
        yield from _answer(run, asked, request)
    finally:
        runs.end(request.session_hash)


@needs(RIGHT)
def stop(event: gr.EventData, request: gr.Request):
    """Ends the tab's own pair; a click that comes late does nothing."""
    if run := runs.get(request.session_hash):
        run.stop(stopped_side(event))


def _answer(run: PairRun, asked: Asked, request: gr.Request) -> Iterator[tuple]:
    state = PairState()
    yield asked.value(state, running=True), BUSY, 0, HIDDEN
    try:
        for state in run.follow(from_environment(), asked.request()):
            yield asked.value(state, running=True), gr.skip(), gr.skip(), gr.skip()
    except (ValueError, LookupError) as error:
        state.failed, state.phase, state.waited = True, "No answer", 0.0
        yield asked.value(state, running=False), IDLE, gr.skip(), gr.skip()
        raise comparing.in_our_words(error, asked) from error
    if state.is_done and state.has_text:
        yield _keep(asked, state, request)
    else:  # stopped before the first word: nothing to keep
        yield asked.value(state, running=False), IDLE, gr.skip(), gr.skip()


def _keep(asked: Asked, state: PairState, request: gr.Request) -> tuple:
    with write() as session:
        comparison = comparing.keep(session, actor_of(session, request), asked, state)
        session.flush()
        session.refresh(comparison)
        return comparing.stored_value(session, comparison), IDLE, comparison.id, vote_value(None)


def _stored(project_id: int, comparison_id: int) -> tuple[dict, int]:
    with read() as session:
        comparison = get_comparison_of(session, project_id, comparison_id)
        return comparing.stored_value(session, comparison), comparison_id


# layout and wiring ----------------------------------------------------------------------------------


def build() -> None:
    page = page_frame(TITLE, SENTENCE)
    View(CAUTION, {})
    empty_html = View(EMPTY, {"empty": {}}, elem_classes="empty-view")
    with gr.Row(elem_classes="desk") as desk_row:
        with gr.Column(elem_classes="desk-shelf", min_width=0):
            shelf_html = shelf()
        with gr.Column(elem_classes="desk-main", min_width=0):
            adapter_dd = gr.Dropdown(
                [],
                label="Adapter",
                info="The tuned side; its base answers beside it.",
                elem_id="field-adapter",
            )
            form = desk_form()
            form_problem = problem_area()
            pair_html = pair()
            vote = voting()
    comparison_state = gr.State(0)
    here = [page.project_id, comparison_state]
    opened = [pair_html, comparison_state]
    answered = [pair_html, form.compare_btn, comparison_state, vote.vote_html]

    page.on_load(show_adapters, [adapter_dd, desk_row, empty_html])
    on_opening = page.on_load(show_comparison, opened)
    on_click = page.on(vote.recent_html.open, open_comparison, [page.project_id], opened)
    on_answer = page.on(
        form.compare_btn.click,
        compare,
        [adapter_dd, *form.typed, *form.settings],
        answered,
        problem=form_problem,
    )
    for step in (on_opening, on_click, on_answer):
        page.on(step.then, show_vote, here, vote.shown)
    page.on(pair_html.stop, stop, None, [], problem=form_problem)
    wire_desk(page, form, shelf_html=shelf_html, pair_html=pair_html, adapter_dd=adapter_dd, here=here)
    wire_voting(page, vote, here=here)
