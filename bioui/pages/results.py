"""Results: the figures of an evaluation or of two side by side, and every answer behind them."""

from collections.abc import Iterator

import gradio as gr

from bioui.components.frame import page_frame
from bioui.components.progress import NO_PROGRESS
from bioui.components.result_figures import NO_GAINS
from bioui.components.result_head import result_head
from bioui.components.result_tabs import no_tab_values, result_tabs, tab_values
from bioui.gained import gain_steps
from bioui.handling import actor_of, needs
from bioui.predicted import Browsing
from bioui.resulting import PATH as RESULTS_PATH
from bioui.resulting import Chosen, Pair, choice_values, head_value, newest_pair, open_pair
from db import leaks
from db.policy import Right
from db.session import Session, read

FORGET = """() => {
  for (const name of ['show', 'q', 'fault', 'of', 'row']) studio.setParam(name, null);
}"""  # what an address said of the list of predictions before
TITLE, PATH, RIGHT, SECTION = "Results", RESULTS_PATH, Right.READ, "Evaluate"


# handlers ---------------------------------------------------------------------------------------------


@needs(RIGHT)
def show_page(project_id: int, request: gr.Request):
    """As the address says: evaluation, against, tab, and of the predictions show, q, fault, row."""
    asked = request.query_params
    evaluation_id, against_id = _number(asked, "evaluation"), _number(asked, "against")
    tab = asked.get("tab", "") or ("predictions" if asked.get("row") or asked.get("show") else "figures")
    with read() as session:
        if evaluation_id:
            pair = open_pair(session, project_id, evaluation_id, against_id or 0)
        else:
            pair = newest_pair(session, project_id)
        browsing = Browsing()
        if pair is not None:
            browsing = Browsing.of(pair, *(asked.get(name, "") for name in ("show", "q", "fault", "of")))
        return _shown(session, project_id, pair, tab, browsing, _number(asked, "row"))


@needs(RIGHT)
def choose_task(project_id: int, task_version_id: int | None, tab: str, request: gr.Request):
    with read() as session:
        return _shown(session, project_id, newest_pair(session, project_id, task_version_id or 0), tab)


@needs(RIGHT)
def choose_models(
    project_id: int, evaluation_id: int | None, against_id: int | None, tab: str, request: gr.Request
):
    """Another evaluation of the same task, or another one beside it."""
    if not evaluation_id:
        raise ValueError("evaluation: choose one.")
    with read() as session:
        pair = open_pair(session, project_id, evaluation_id, against_id or 0)
        return _shown(session, project_id, pair, tab)


@needs(RIGHT)
def choose_tab(project_id: int, chosen: Chosen, tab: str, request: gr.Request):
    with read() as session:
        pair = _pair(session, project_id, chosen)
        return tab_values(session, pair, tab, Browsing.of(pair) if pair else Browsing())


@needs(RIGHT)
def show_gains(project_id: int, chosen: Chosen, request: gr.Request) -> Iterator:
    """What one gained over the other, reckoned where nobody had yet: a second a measure."""
    if not chosen.against_id:
        yield NO_GAINS, NO_PROGRESS
        return
    with read() as session:
        actor = actor_of(session, request)
    yield from gain_steps(project_id, actor, chosen)


def _shown(
    session: Session,
    project_id: int,
    pair: Pair | None,
    tab: str,
    browsing: Browsing | None = None,
    position: int | None = None,
) -> tuple:
    """In the order of build()'s `shown`."""
    if pair is None:
        return (
            *choice_values(session, project_id, None),
            head_value(None, project_id),
            Chosen(),
            *no_tab_values(),
        )
    return (
        *choice_values(session, project_id, pair),
        head_value(pair, project_id, {each.id: leaks.badge_of(session, each) for each, _ in pair.sides}),
        pair.chosen,
        *tab_values(session, pair, tab, browsing or Browsing.of(pair), position=position),
    )


def _pair(session: Session, project_id: int, chosen: Chosen) -> Pair | None:
    if not chosen.evaluation_id:
        return None
    return open_pair(session, project_id, chosen.evaluation_id, chosen.against_id)


def _number(asked, name: str) -> int | None:
    value = asked.get(name, "")
    return int(value) if value.isdigit() and len(value) < 19 else None


# layout and wiring ------------------------------------------------------------------------------------


def build() -> None:
    page = page_frame(
        "Results", "What a model scored on a task, how sure that is, and every answer behind the figure."
    )
    with gr.Row(elem_classes="field-row result-choice"):
        task_dd = gr.Dropdown([], label="Task", elem_id="field-task")
        evaluation_dd = gr.Dropdown([], label="Evaluation", elem_id="field-evaluation")
        against_dd = gr.Dropdown([], label="Beside", elem_id="field-against")
    head_html = result_head()
    chosen_state = gr.State(Chosen())
    tabs = result_tabs(page, chosen_state)
    shown = [task_dd, evaluation_dd, against_dd, head_html, chosen_state, *tabs.outputs]
    here = [page.project_id, chosen_state]
    steps = [
        page.on_load(show_page, shown),
        page.on(task_dd.input, choose_task, [page.project_id, task_dd, tabs.radio], shown),
    ]
    task_dd.input(fn=None, js=FORGET)
    for dropdown in (evaluation_dd, against_dd):
        choosing = [page.project_id, evaluation_dd, against_dd, tabs.radio]
        dropdown.input(fn=None, js=FORGET)
        steps.append(page.on(dropdown.input, choose_models, choosing, shown))
    for step in steps:
        page.on(step.then, show_gains, here, tabs.gains)
    page.on(tabs.radio.input, choose_tab, [*here, tabs.radio], tabs.outputs)
