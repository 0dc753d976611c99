"""How far measures and judges go along with people: answers brought with people's scores, and the table."""

from collections.abc import Iterator
from pathlib import Path

import gradio as gr

from bioui.components.empty import TEMPLATE as EMPTY
from bioui.components.empty import empty_state
from bioui.components.fold import fold
from bioui.components.frame import Page
from bioui.components.problem import problem_area
from bioui.components.progress import NO_PROGRESS, progress_bar, progress_value
from bioui.components.view import View
from bioui.handling import actor_of, needs
from bioui.present import counted
from db import brought_answers, evaluations, jobs, rater_agreement
from db.brought_answers import Columns
from db.enums import JobKind, JobStatus
from db.metrics.interval import Interval
from db.policy import Right
from db.session import Session, read, write
from db.tables import Job

TEMPLATE = """
{{#if value.rows}}<div class="table-scroll" tabindex="0"><table class="table">
  <caption class="sr-only">Agreement with people</caption>
  <thead><tr><th scope="col">Beside {{value.human}}</th><th scope="col" class="col-num">Spearman</th>
    <th scope="col" class="col-num">ICC(2,1)</th><th scope="col" class="col-num">Weighted kappa</th>
    <th scope="col" class="col-num">Rows</th></tr></thead>
  <tbody>{{#each value.rows}}<tr><th scope="row">{{this.rater}}</th><td class="col-num">{{this.spearman}}</td>
    <td class="col-num">{{this.icc}}</td><td class="col-num">{{this.kappa}}</td>
    <td class="col-num">{{this.n}}</td></tr>{{/each}}</tbody></table></div>
<p class="field-help">Spearman: do both order the answers alike? ICC: do they give the same scores, 0 to 1?
  Kappa: do they choose the same of five equal grades? 95 % intervals; answers to one prompt are drawn
  together.</p>
{{else}}@empty{{/if}}
""".replace("@empty", EMPTY)
NOTHING = {
    "rows": [],
    "human": "",
    "empty": empty_state(
        "No answers with people's scores yet.",
        "Bring a file of answers that people scored; measures and judges are then set beside those people.",
    ),
}


def table_value(session: Session, project_id: int, evaluation_id: int, human: str) -> dict:
    """The agreement of every measure and of every finished judge run over these answers."""
    evaluation = evaluations.get_evaluation(session, project_id, evaluation_id)
    found = rater_agreement.agreement(session, evaluation.id, human, judges=_judges(session, evaluation))
    return {
        **NOTHING,
        "human": human,
        "rows": [
            {
                "rater": one.rater,
                "spearman": _figure(one.spearman),
                "icc": _figure(one.icc),
                "kappa": _figure(one.kappa),
                "n": f"{one.spearman.n:,}",
            }
            for one in found
        ],
    }


def _judges(session: Session, evaluation) -> list[Job]:
    listed = jobs.list_jobs(session, evaluation.project_id, JobKind.JUDGE)
    done = [job for job in listed if job.status is JobStatus.FINISHED and job.spec["grades"]]
    return [job for job in done if evaluation.id in (job.spec["evaluation_id"], job.spec["against_id"])]


def _figure(found: Interval) -> str:
    if found.value is None:
        return "not defined"
    bounds = "" if found.low is None else f" ({found.low:.2f} to {found.high:.2f})"
    return f"{found.value:.2f}{bounds}"


@needs(Right.READ)
def show_brought(project_id: int, request: gr.Request):
    """The answers there are, the newest chosen; whoever may evaluate can bring more."""
    with read() as session:
        brought = rater_agreement.list_brought(session, project_id)
        may = actor_of(session, request).can(Right.EVALUATE)
        newest = brought[0].id if brought else None
        chooser = gr.update(visible=bool(brought))
        return _answers(brought, newest), _humans(session, newest), chooser, gr.update(visible=may)


@needs(Right.READ)
def choose_answers(project_id: int, evaluation_id: int | None, request: gr.Request):
    with read() as session:
        if evaluation_id:
            evaluations.get_evaluation(session, project_id, evaluation_id)
        return _humans(session, evaluation_id)


@needs(Right.READ)
def reckon(project_id: int, evaluation_id: int | None, human: str | None, request: gr.Request) -> Iterator:
    """The table; it takes some seconds, and says so."""
    if not evaluation_id or not human:
        yield NO_PROGRESS, NOTHING
        return
    yield progress_value("Setting raters beside people", 0, 0), gr.skip()
    with read() as session:
        yield NO_PROGRESS, table_value(session, project_id, evaluation_id, human)


@needs(Right.EVALUATE)
def bring(
    project_id: int,
    answers: str | None,
    scores: str | None,
    name: str,
    prompt: str,
    reference: str,
    answer: str,
    instruction: str,
    request: gr.Request,
) -> Iterator:
    """Store the file's answers, score them, and choose them."""
    if not answers:
        raise ValueError("answers file: choose the file with the answers.")
    columns = Columns((prompt or "").strip(), (reference or "").strip(), (answer or "").strip())
    same = (gr.skip(),) * 3
    yield progress_value("Reading the answers", 0, 0), *same
    rows = brought_answers.read(Path(answers), columns, Path(scores) if scores else None)
    yield progress_value(f"Scoring {counted(len(rows), 'answer')}", 0, 0), *same
    with write() as session:
        actor = actor_of(session, request)
        given = {"name": name or "", "instruction": instruction or ""}
        evaluation_id = brought_answers.bring(session, actor, project_id, rows, **given).id
    with read() as session:
        summary = evaluations.summarise(session, evaluation_id)
    with write() as session:
        evaluations.close(evaluations.find(session, evaluation_id), summary)
    with read() as session:
        brought = rater_agreement.list_brought(session, project_id)
        chosen = _answers(brought, evaluation_id), _humans(session, evaluation_id)
        yield NO_PROGRESS, *chosen, gr.update(visible=True)


def _answers(brought: list, chosen: int | None) -> gr.Dropdown:
    named = [(f"{evaluations.title_of(one)} ({counted(one.rows, 'answer')})", one.id) for one in brought]
    return gr.Dropdown(choices=named, value=chosen)


def _humans(session: Session, evaluation_id: int | None) -> gr.Dropdown:
    names = rater_agreement.human_scores(session, evaluation_id) if evaluation_id else []
    usual = next((name for name in names if "f1" in name.casefold()), names[0] if names else None)
    return gr.Dropdown(choices=names, value=usual)


def judge_check(page: Page) -> None:
    """Lay the part out where it is called, and wire it."""
    with gr.Column(elem_classes="section", elem_id="raters"):
        View("<h2>Judges beside people</h2>")
        with gr.Row(elem_classes="field-grid", visible=False) as chooser_row:
            answers_dd = gr.Dropdown(
                [], label="Answers that people scored", elem_id="field-scored-answers", scale=2
            )
            human_dd = gr.Dropdown([], label="People's score", elem_id="field-people-s-score")
        bar_html, table_html = progress_bar(), View(TEMPLATE, NOTHING)
        with fold("Bring answers with people's scores", visible=False) as bring_col:
            problem = problem_area()
            with gr.Row():
                answers_file = gr.File(
                    label="Answers, a row each", type="filepath", height=110, elem_id="field-answers-file"
                )
                scores_file = gr.File(
                    label="Scores, if in a second file with the same rows",
                    type="filepath",
                    height=110,
                    elem_id="field-scores-file",
                )
            with gr.Row(elem_classes="field-grid"):
                name_tb = _text("Name", "What the answers go by.")
                prompt_tb = _text("Prompt column", "Holds what was asked or shown.")
                reference_tb = _text("Reference column", "Holds the reference text.")
                answer_tb = _text("Answer column", "Holds the answer that people scored.")
            instruction_tb = _text(
                "Instruction", "What was asked of every prompt, such as: Summarise the dialogue."
            )
            with gr.Row(elem_classes="actions"):
                bring_btn = gr.Button("Bring the answers", size="sm")
    chosen, at = [answers_dd, human_dd], page.project_id
    loaded = page.on_load(show_brought, [answers_dd, human_dd, chooser_row, bring_col])
    table = [bar_html, table_html]
    page.on(loaded.then, reckon, [at, *chosen], table)
    picked = page.on(answers_dd.input, choose_answers, [at, answers_dd], [human_dd])
    page.on(picked.then, reckon, [at, *chosen], table)
    page.on(human_dd.input, reckon, [at, *chosen], table)
    given = [answers_file, scores_file, name_tb, prompt_tb, reference_tb, answer_tb, instruction_tb]
    brought = page.on(
        bring_btn.click,
        bring,
        [at, *given],
        [bar_html, *chosen, chooser_row],
        problem=problem,
        trigger_mode="once",
    )
    page.on(brought.then, reckon, [at, *chosen], table)


def _text(label: str, info: str) -> gr.Textbox:
    return gr.Textbox(label=label, info=info, max_lines=1, elem_id=f"field-{label.lower().replace(' ', '-')}")
