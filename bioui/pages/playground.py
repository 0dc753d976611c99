"""Playground: one prompt to a base model and to a tuned adapter, both answers side by side, and a vote."""

from collections.abc import Iterator
from dataclasses import dataclass

import gradio as gr

from bioui import comparing
from bioui.comparing import Asked
from bioui.components.empty import TEMPLATE as EMPTY_TEMPLATE
from bioui.components.empty import empty_state
from bioui.components.frame import page_frame
from bioui.components.pair import PairState, pair, pair_value, stopped_side
from bioui.components.problem import problem_area
from bioui.components.shelf import picked_id, shelf, shelf_value
from bioui.components.table import Column, cell, row_id, table, table_value
from bioui.components.view import View
from bioui.components.vote import HIDDEN, LABELS, chosen, vote_bar, vote_value
from bioui.handling import actor_of, needs
from bioui.pair_run import PairRun, launch, runs
from bioui.present import ago, exact
from db import comparisons, registry
from db.comparisons import Sampling
from db.enums import Choice
from db.policy import Right
from db.session import Session, read, write
from db.settings import from_environment
from db.tables import Adapter, Comparison, Prompt

TITLE, PATH, RIGHT = "Playground", "/playground", Right.COMPARE
SENTENCE = (
    "One prompt to a base model and to the adapter tuned on it: both answers, side by side."
)
CAUTION = """
<p class="caution" role="note"><strong>Not for clinical use.</strong><span>Both models invent findings, doses and
references, and sound sure of them. Check every statement, and type nothing that could identify a patient.</span></p>
"""
RECENT = (
    Column("Prompt", "long"),
    Column("Adapter"),
    Column("Your vote", "status"),
    Column("By"),
    Column("When", "time"),
)
NONE_YET = empty_state(
    "No comparisons yet.", "Every finished pair is kept here, with its settings and your vote."
)
NOTE = """
{{#if value.replaced}}<p class="desk-note">Your own text made room for this prompt.
  <button type="button" class="quiet-btn" data-back>Put it back</button></p>{{/if}}
{{#if value.watch_for}}<p class="desk-note"><strong>Watch for</strong> {{value.watch_for}}</p>{{/if}}
"""
NOTE_ON_LOAD = """
element.addEventListener('click', (event) => { if (event.target.closest('[data-back]')) trigger('back', {}); });
"""
COMPARE, COMPARING = (
    gr.update(value="Compare", interactive=True),
    gr.update(value="Comparing…", interactive=False),
)


@dataclass(frozen=True)
class Desk:
    """What lies on the desk beside the text itself: the picked prompt, and the text it took the place of."""

    prompt_id: int = 0  # 0: one's own
    instruction: str = ""  # as picked
    input: str = ""
    replaced: tuple[str, str] | None = None

    def pick(self, prompt: Prompt | None, instruction: str, input: str) -> "Desk":
        """The desk with `prompt`; what was typed since the last pick is laid aside, not lost."""
        own = (instruction, input)
        is_typed = any(own) and own != (self.instruction, self.input)
        replaced = own if is_typed else self.replaced
        if prompt is None:
            return Desk(replaced=replaced)
        return Desk(prompt.id, prompt.instruction, prompt.input, replaced)


# data -----------------------------------------------------------------------------------------------


def adapter_choices(session: Session, project_id: int) -> list[tuple[str, int]]:
    """(name, base, data and date in one line, adapter id), newest first."""
    return [(_adapter_line(adapter), adapter.id) for adapter in registry.list_adapters(session, project_id)]


def recent_value(session: Session, actor, project_id: int, current_id: int = 0) -> dict:
    """The table of the latest comparisons with one's own votes."""
    found = comparisons.list_comparisons(session, project_id)
    votes = comparisons.list_votes(session, actor, [comparison.id for comparison in found])
    rows = [_recent_row(session, comparison, votes.get(comparison.id)) for comparison in found]
    return table_value(RECENT, rows, empty=NONE_YET, current_id=current_id)


def desk_values(session: Session, project_id: int, desk: Desk) -> tuple:
    """Desk, instruction, input, the note under them and the shelf."""
    prompts = comparisons.list_prompts(session, project_id)
    watch_for = next((prompt.watch_for for prompt in prompts if prompt.id == desk.prompt_id), "")
    note = {"watch_for": watch_for, "replaced": desk.replaced is not None}
    return desk, desk.instruction, desk.input, note, shelf_value(prompts, desk.prompt_id)


def get_comparison_of(session: Session, project_id: int, comparison_id: int) -> Comparison:
    """Raises LookupError for one of another project."""
    comparison = comparisons.get_comparison(session, comparison_id)
    if comparison.project_id != project_id:
        raise LookupError(f"There is no comparison number {comparison_id} in this project.")
    return comparison


def _adapter_line(adapter: Adapter) -> str:
    version = adapter.dataset_version
    data = f"{version.dataset.name} v{version.number}" if version else "data not recorded"
    return f"{adapter.name} · base {adapter.base_model.name} · {data} · {ago(adapter.created_at)}"


def _recent_row(session: Session, comparison: Comparison, choice: Choice | None) -> dict:
    hue = {Choice.BASE: "base", Choice.TUNED: "tuned"}.get(choice, "draft")
    return {
        "id": comparison.id,
        "opens": True,
        "cells": [
            cell(comparing.title_of(session, comparison)),
            cell(comparison.adapter.name, note="deleted" if comparison.adapter.deleted_at else ""),
            cell(LABELS[choice], chip=hue) if choice else cell(""),
            cell(comparison.created_by.full_name),
            cell(ago(comparison.created_at), title=exact(comparison.created_at)),
        ],
    }


def _asked_id(request: gr.Request, name: str) -> int:
    wanted = request.query_params.get(name, "")
    return int(wanted) if wanted.isdigit() else 0


# handlers: the desk ---------------------------------------------------------------------------------


@needs(RIGHT)
def show_adapters(project_id: int, request: gr.Request):
    """The adapters to choose from; the model server is started ahead of the first press."""
    with read() as session:
        choices = adapter_choices(session, project_id)
        can_train = actor_of(session, request).can(Right.TRAIN)
    if not choices:
        return (
            gr.update(choices=[], value=None),
            gr.update(visible=False),
            {"empty": no_adapter(project_id, can_train)},
        )
    launch.prepare(from_environment())
    wanted = _asked_id(request, "adapter")
    value = wanted if wanted in [id for _, id in choices] else choices[0][1]
    return gr.update(choices=choices, value=value), gr.update(visible=True), {"empty": {}}


@needs(RIGHT)
def show_desk(project_id: int, request: gr.Request):
    """The desk with the first prompt of the shelf, or with the one of the comparison in the URL."""
    with read() as session:
        if comparison_id := _asked_id(request, "comparison"):
            return desk_values(session, project_id, _desk_of(session, project_id, comparison_id))
        first = next(iter(comparisons.list_prompts(session, project_id)), None)
        return desk_values(session, project_id, Desk().pick(first, "", ""))


@needs(RIGHT)
def pick_prompt(
    project_id: int, desk: Desk, instruction: str, input: str, event: gr.EventData, request: gr.Request
):
    with read() as session:
        prompt = comparisons.get_prompt(session, picked_id(event)) if picked_id(event) else None
        return desk_values(session, project_id, desk.pick(prompt, instruction, input))


@needs(RIGHT)
def put_back(project_id: int, desk: Desk, request: gr.Request):
    instruction, input = desk.replaced or ("", "")
    with read() as session:
        return desk_values(session, project_id, Desk(0, instruction, input))


@needs(RIGHT)
def ask_again(
    project_id: int, comparison_id: int, desk: Desk, instruction: str, input: str, request: gr.Request
):
    """Lay a stored comparison's prompt on the desk."""
    with read() as session:
        again = _desk_of(session, project_id, comparison_id)
        replaced = desk.pick(None, instruction, input).replaced
        return desk_values(
            session, project_id, Desk(again.prompt_id, again.instruction, again.input, replaced)
        )


@needs(RIGHT)
def settings_again(project_id: int, comparison_id: int, request: gr.Request):
    """A stored comparison's adapter and settings."""
    with read() as session:
        comparison = get_comparison_of(session, project_id, comparison_id)
        gone = comparison.adapter.deleted_at is not None
        sampling = Sampling(**comparison.sampling)
        adapter = gr.skip() if gone else comparison.adapter_id
    return adapter, sampling.max_tokens, sampling.temperature, sampling.seed


def _desk_of(session: Session, project_id: int, comparison_id: int) -> Desk:
    comparison = get_comparison_of(session, project_id, comparison_id)
    return Desk(comparison.prompt_id or 0, comparison.instruction, comparison.input)


# handlers: the pair ---------------------------------------------------------------------------------


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
        yield from _stream(run, asked, request)
    finally:
        runs.end(request.session_hash)


def _stream(run: PairRun, asked: Asked, request: gr.Request) -> Iterator[tuple]:
    state = PairState()
    yield asked.value(state, running=True), COMPARING, 0, HIDDEN
    try:
        for state in run.follow(from_environment(), asked.request()):
            yield asked.value(state, running=True), *(gr.skip(),) * 3
    except (ValueError, LookupError) as error:
        state.failed, state.phase = True, "No answer"
        yield asked.value(state, running=False), COMPARE, gr.skip(), gr.skip()
        raise comparing.in_our_words(error, asked) if isinstance(error, ValueError) else error from error
    if not (state.is_done and state.has_text):  # stopped before the first word: nothing to keep
        yield asked.value(state, running=False), COMPARE, gr.skip(), gr.skip()
        return
    with write() as session:
        actor = actor_of(session, request)
        comparison = comparing.keep(session, actor, asked, state)
        session.flush()
        session.refresh(comparison)
        shown = comparing.stored_value(session, comparison)
    yield shown, COMPARE, comparison.id, vote_value(None)


@needs(RIGHT)
def stop(event: gr.EventData, request: gr.Request):
    """Ends the tab's own pair; a click that comes late does nothing."""
    if run := runs.get(request.session_hash):
        run.stop(stopped_side(event))


@needs(RIGHT)
def show_comparison(project_id: int, request: gr.Request):
    """The comparison in the URL, if one is."""
    comparison_id = _asked_id(request, "comparison")
    if not comparison_id:
        return pair_value(), 0
    with read() as session:
        return comparing.stored_value(
            session, get_comparison_of(session, project_id, comparison_id)
        ), comparison_id


@needs(RIGHT)
def open_comparison(project_id: int, event: gr.EventData, request: gr.Request):
    if runs.get(request.session_hash):
        raise ValueError("Two answers are on their way. Stop them, or wait, then open another comparison.")
    with read() as session:
        return comparing.stored_value(session, get_comparison_of(session, project_id, row_id(event))), row_id(
            event
        )


# handlers: the vote ---------------------------------------------------------------------------------


@needs(RIGHT)
def show_vote(project_id: int, comparison_id: int, request: gr.Request):
    """One's own vote on the open comparison, and the recent ones."""
    with read() as session:
        actor = actor_of(session, request)
        recent = recent_value(session, actor, project_id, comparison_id)
        if not comparison_id:
            return HIDDEN, "", "", recent
        vote = comparisons.get_vote(session, actor, comparison_id)
        if vote is None:
            return vote_value(None), "", "", recent
        return vote_value(vote.choice), vote.corrected_answer, vote.comment, recent


@needs(RIGHT)
def cast_vote(
    project_id: int,
    comparison_id: int,
    corrected_answer: str,
    comment: str,
    event: gr.EventData,
    request: gr.Request,
):
    return _vote(project_id, comparison_id, chosen(event), corrected_answer, comment, request)


@needs(RIGHT)
def save_note(project_id: int, comparison_id: int, corrected_answer: str, comment: str, request: gr.Request):
    with read() as session:
        vote = comparisons.get_vote(session, actor_of(session, request), comparison_id)
        if vote is None:
            raise ValueError("vote: say first which answer is better; your note is kept with the vote.")
        choice = vote.choice
    answer = _vote(project_id, comparison_id, choice, corrected_answer, comment, request)
    gr.Success("Your note is kept with your vote.", duration=4)
    return answer


def _vote(project_id: int, comparison_id: int, choice: Choice, corrected_answer: str, comment: str, request):
    with write() as session:
        actor = actor_of(session, request)
        get_comparison_of(session, project_id, comparison_id)
        comparisons.vote(
            session,
            actor,
            comparison_id,
            choice,
            corrected_answer=corrected_answer or "",
            comment=comment or "",
        )
        session.flush()
        return vote_value(choice), recent_value(session, actor, project_id, comparison_id)


def no_adapter(project_id: int, can_train: bool) -> dict:
    if can_train:
        return empty_state(
            "No adapter to compare yet.",
            "An adapter is what tuning makes. Once one is trained, it answers here beside its base.",
            href=f"/train?project={project_id}",
            link="Train an adapter",
        )
    return empty_state(
        "No adapter to compare yet.",
        "An adapter is what tuning makes. Ask someone with the role trainer to tune one in this project.",
    )


# layout and wiring ----------------------------------------------------------------------------------


def build() -> None:
    page = page_frame(TITLE, SENTENCE)
    View(CAUTION, {})
    empty_html = View("{{#if value.empty.title}}" + EMPTY_TEMPLATE + "{{/if}}", {"empty": {}})
    with gr.Row(elem_classes="desk") as desk_row:
        with gr.Column(elem_classes="desk-shelf", min_width=0):
            shelf_html = shelf()
        with gr.Column(elem_classes="desk-main", min_width=0):
            adapter_dd = gr.Dropdown(
                [],
                label="Adapter",
                info="The tuned side. Its own base answers beside it.",
                elem_id="field-adapter",
            )
            with gr.Row(elem_classes="desk-prompt"):
                instruction_tb = gr.Textbox(
                    label="Instruction", info="What both models are asked to do.", lines=5, max_lines=14,
                    elem_id="field-instruction",
                )  # fmt: skip
                input_tb = gr.Textbox(
                    label="Input", info="The note, passage or question it is about.", lines=5,
                    max_lines=14, elem_id="field-input",
                )  # fmt: skip
            note_html = View(
                NOTE, {"watch_for": "", "replaced": False}, on_load=NOTE_ON_LOAD, elem_classes="note-view"
            )
            longest_nb, temperature_sl, seed_nb, compare_btn = _settings_and_button()
            form_problem = problem_area()
            pair_html = pair()
            vote_html = vote_bar()
            corrected_tb, comment_tb, note_btn = _notes()
            with gr.Column(elem_classes="section recent"):
                View("<h2>Recent comparisons</h2>", {})
                recent_html = table("Recent comparisons", param="comparison", empty_value=NONE_YET)
    desk_state, comparison_state = gr.State(Desk()), gr.State(0)

    desk = [desk_state, instruction_tb, input_tb, note_html, shelf_html]
    settings = [longest_nb, temperature_sl, seed_nb]
    typed = [desk_state, instruction_tb, input_tb]
    voted = [vote_html, corrected_tb, comment_tb, recent_html]
    here = [page.project_id, comparison_state]

    page.on_load(show_adapters, [adapter_dd, desk_row, empty_html])
    page.on_load(show_desk, desk)
    opened = page.on_load(show_comparison, [pair_html, comparison_state])
    page.on(opened.then, show_vote, here, voted)

    page.on(shelf_html.pick, pick_prompt, [page.project_id, *typed], desk)
    page.on(note_html.back, put_back, [page.project_id, desk_state], desk)
    page.on(pair_html.again, ask_again, [*here, *typed], desk)
    page.on(pair_html.again, settings_again, here, [adapter_dd, *settings])

    compared = page.on(
        compare_btn.click, compare, [adapter_dd, *typed, *settings], [pair_html, compare_btn, comparison_state, vote_html],
        problem=form_problem,
    )  # fmt: skip
    page.on(compared.then, show_vote, here, voted)
    page.on(pair_html.stop, stop, None, [], problem=form_problem)
    opened = page.on(recent_html.open, open_comparison, [page.project_id], [pair_html, comparison_state])
    page.on(opened.then, show_vote, here, voted)

    page.on(vote_html.vote, cast_vote, [*here, corrected_tb, comment_tb], [vote_html, recent_html])
    page.on(note_btn.click, save_note, [*here, corrected_tb, comment_tb], [vote_html, recent_html])


def _settings_and_button() -> tuple:
    with gr.Row(elem_classes="desk-foot"):
        with gr.Accordion("Settings", open=False, elem_classes="desk-settings"), gr.Row():
            longest_nb = gr.Number(
                200, label="Longest answer", info="Tokens; both sides are cut off here.", precision=0, minimum=1,
                maximum=4096, elem_id="field-longest-answer",
            )  # fmt: skip
            temperature_sl = gr.Slider(
                0, 2, 0, step=0.1, label="Temperature",
                info="0 always takes the likeliest word; higher draws more freely.", elem_id="field-temperature",
            )  # fmt: skip
            seed_nb = gr.Number(
                0, label="Seed", info="The same seed gives the same answers; both sides share the dice.", precision=0,
                minimum=0, elem_id="field-seed",
            )  # fmt: skip
        with gr.Row(elem_classes="desk-go"):
            View("<p class='muted'><kbd>Ctrl</kbd> <kbd>Enter</kbd></p>", {})
            compare_btn = gr.Button("Compare", variant="primary", size="md", elem_id="compare-btn")
    return longest_nb, temperature_sl, seed_nb, compare_btn


def _notes() -> tuple:
    with gr.Accordion("Add a corrected answer or a comment", open=False, elem_classes="vote-notes"):
        with gr.Row(elem_classes="desk-prompt"):
            corrected_tb = gr.Textbox(
                label="Corrected answer", info="What a careful expert would have said. It can become an instruction.",
                lines=4, max_lines=14, elem_id="field-corrected-answer",
            )  # fmt: skip
            comment_tb = gr.Textbox(
                label="Comment", info="Why, in a sentence: what is wrong, missing or well put.", lines=4, max_lines=14,
                elem_id="field-comment",
            )  # fmt: skip
        with gr.Row(elem_classes="actions"):
            note_btn = gr.Button("Save with the vote", size="sm")
    return corrected_tb, comment_tb, note_btn
