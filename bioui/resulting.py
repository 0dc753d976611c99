"""Evaluations as the Results page shows them: stored rows in, plain values out.

A pair is two evaluations of one task version. The base stands on the left in slate, the tuned one on the
right in teal; of two that are alike the one that is compared against stands on the left.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import gradio as gr

from bioui.components.chip import chip_value
from bioui.components.result_figures import NO_FIGURES, Side, figures_value, shown, with_interval
from bioui.components.result_head import NO_HEAD, NO_RESULTS, facts_of, looks_technical
from bioui.components.result_tables import tables_value
from bioui.present import ago, counted, exact
from db import evaluations
from db.enums import Way
from db.evaluations import WITHOUT_LEAKS
from db.leaks import Badge
from db.metrics import measures
from db.metrics.measures import Measure
from db.session import Session
from db.tables import Evaluation, TaskVersion

WAYS = {
    Way.GENERATION: "by what it wrote",
    Way.LIKELIHOOD: "by likelihood of the options",
    Way.ENCODER: "by its head",
}
PATH = "/results"
WITHOUT_TITLE = "Figures without leaked rows"


@dataclass(frozen=True)
class Chosen:
    """Which evaluations are open, by their numbers; 0 for none. `against_id` stands on the left."""

    evaluation_id: int = 0
    against_id: int = 0


@dataclass(frozen=True)
class Pair:
    """The open evaluation, and on its left the one it is compared against, if any."""

    evaluation: Evaluation
    against: Evaluation | None = None

    @property
    def chosen(self) -> Chosen:
        return Chosen(self.evaluation.id, self.against.id if self.against else 0)

    @property
    def sides(self) -> list[tuple[Evaluation, str]]:
        """Each with its hue, from left to right."""
        if self.against is None:
            return [(self.evaluation, "tuned" if is_tuned(self.evaluation) else "base")]
        return [(self.against, "base"), (self.evaluation, "tuned")]

    @property
    def is_of_base(self) -> bool:
        """Whether the left one is a base and the right one is tuned: then a gain is what tuning did."""
        return self.against is not None and is_tuned(self.evaluation) and not is_tuned(self.against)


def is_tuned(evaluation: Evaluation) -> bool:
    return evaluation.adapter_id is not None or evaluation.encoder_id is not None


def open_pair(session: Session, project_id: int, evaluation_id: int, against_id: int = 0) -> Pair:
    """The two as they stand side by side. Raises LookupError where the project has none such, ValueError
    where they answered different tasks.
    """
    evaluation = evaluations.get_evaluation(session, project_id, evaluation_id)
    if not against_id or against_id == evaluation_id:
        return Pair(evaluation)
    against = evaluations.get_evaluation(session, project_id, against_id)
    if against.task_version_id != evaluation.task_version_id:
        raise ValueError(
            "against: it answered another task; choose an evaluation of "
            f"{evaluation.task_version.name}, frozen as version {evaluation.task_version_id}."
        )
    if is_tuned(against) and not is_tuned(evaluation):
        evaluation, against = against, evaluation
    return Pair(evaluation, against)


def newest_pair(session: Session, project_id: int, task_version_id: int | None = None) -> Pair | None:
    """What opens where nothing is named: the newest evaluation, finished ones first, beside its base's."""
    found = evaluations.list_evaluations(session, project_id, task_version_id=task_version_id)
    finished = [each for each in found if each.finished_at is not None]
    if not found:
        return None
    evaluation = (finished or found)[0]
    return Pair(evaluation, _base_of(evaluation, finished))


def _base_of(evaluation: Evaluation, others: Sequence[Evaluation]) -> Evaluation | None:
    """The newest evaluation of the untuned base on the same task, asked in the same way."""
    if evaluation.adapter_id is None:
        return None
    return next(
        (
            each
            for each in others
            if not is_tuned(each)
            and each.base_model_id == evaluation.base_model_id
            and each.task_version_id == evaluation.task_version_id
            and each.way is evaluation.way
        ),
        None,
    )


# the choice ---------------------------------------------------------------------------------------------


def choice_values(session: Session, project_id: int, pair: Pair | None) -> tuple:
    """The three lists, with what is open chosen."""
    every = evaluations.list_evaluations(session, project_id)
    versions = {each.task_version_id: each.task_version for each in every}
    if pair is None:
        return gr.Dropdown(choices=[], value=None), *(gr.Dropdown(choices=[], value=None),) * 2
    here = [each for each in every if each.task_version_id == pair.evaluation.task_version_id]
    labels = _labels(here)
    choices = [(labels[each.id], each.id) for each in here]
    others = [(label, id) for label, id in choices if id != pair.evaluation.id]
    return (
        gr.Dropdown(choices=task_choices(list(versions.values())), value=pair.evaluation.task_version_id),
        gr.Dropdown(choices=choices, value=pair.evaluation.id),
        gr.Dropdown(choices=[("Nothing", 0), *others], value=pair.chosen.against_id),
    )


def task_choices(versions: Sequence[TaskVersion]) -> list[tuple[str, int]]:
    """Each by its name; where two have one name, with the beginning of the hash."""
    names = [version.name for version in versions]
    return [
        (
            version.name
            if names.count(version.name) == 1
            else f"{version.name} ({version.content_hash[:8]}, {counted(version.rows, 'row')})",
            version.id,
        )
        for version in versions
    ]


def name_of(evaluation: Evaluation) -> str:
    return evaluations.title_of(evaluation)


def _labels(listed: Sequence[Evaluation]) -> dict[int, str]:
    """id -> the model and the way; where that says too little, the evaluation's number."""
    plain = {each.id: f"{name_of(each)}, {WAYS[each.way]}" for each in listed}
    said = list(plain.values())
    return {
        each.id: plain[each.id]
        + (f", number {each.id}" if said.count(plain[each.id]) > 1 else "")
        + ("" if each.finished_at else f" ({each.rows_done:,} of {each.rows:,} rows so far)")
        for each in listed
    }


# the head -----------------------------------------------------------------------------------------------


def head_value(pair: Pair | None, project_id: int, leaks: Mapping[int, Badge] | None = None) -> dict:
    """`leaks`: evaluation -> what is known of its task's rows among its train rows."""
    if pair is None:
        return {**NO_HEAD, "empty": {**NO_RESULTS, "href": f"/evaluate?project={project_id}"}}
    return {
        "evaluation": pair.chosen.evaluation_id,
        "against": pair.chosen.against_id,
        "sides": [_side(each, hue, project_id, (leaks or {}).get(each.id)) for each, hue in pair.sides],
        "headline": headline(pair),
        "task": _facts(_task_facts(pair.evaluation.task_version)),
    }


def headline(pair: Pair) -> str:
    """The task's own measure in one sentence; "" while not all rows are scored."""
    name = pair.evaluation.measure
    told = [
        f"{name_of(each)}: {with_interval(each.figures[name], measures.get(name).unit)}"
        for each, _ in pair.sides
        if name and name in each.figures
    ]
    return f"{measures.get(name).title}. {'; '.join(told)}." if told else ""


def figures_of(session: Session, pair: Pair) -> tuple[dict, dict]:
    """Every measure of both, and once more without the rows that were found among the train rows."""
    said = {
        "headline": pair.evaluation.measure,
        "level": evaluations.level_of(session, pair.evaluation),
    }
    every, others = figure_sides(pair), figure_sides(pair, WITHOUT_LEAKS)
    left = figures_value(measures_shown(pair), others, title=WITHOUT_TITLE, **said)
    return figures_value(measures_shown(pair), every, **said), left if left["rows"] else NO_FIGURES


def figure_sides(pair: Pair, suffix: str = "") -> list[Side]:
    """The figures of each side; with `suffix`, those kept under keys that end in it, by the plain keys."""
    return [
        Side(
            name_of(each),
            hue,
            {
                key.removesuffix(suffix): figure
                for key, figure in each.figures.items()
                if key.removesuffix(suffix) in measures.MEASURES and key.endswith(suffix)
            },
        )
        for each, hue in pair.sides
    ]


def measures_shown(pair: Pair) -> list[Measure]:
    """Those that either side has, in the order of their task: the headline first."""
    sides = (pair.evaluation, *filter(None, [pair.against]))
    names = dict.fromkeys(key for each in sides for key in each.figures)
    known = [measures.get(name) for name in names if name in measures.MEASURES]
    return sorted(known, key=lambda measure: measure.name != pair.evaluation.measure)


def _side(evaluation: Evaluation, hue: str, project_id: int, leaked: Badge | None) -> dict:
    badges = [] if evaluation.finished_at else [chip_value(_so_far(evaluation), "review")]
    if leaked and evaluation.adapter:
        badges.append(
            chip_value(f"Leaks: {leaked.sentence}", _LEAK_HUES[leaked.found is None, bool(leaked.found)])
        )
    return {
        "name": name_of(evaluation),
        "hue": hue,
        "about": _about(evaluation),
        "badges": badges,
        "facts": _facts(_model_facts(evaluation, project_id)),
    }


_LEAK_HUES = {
    (True, False): "draft",
    (False, True): "attention",
    (False, False): "approved",
}  # unknown, found


def _about(evaluation: Evaluation) -> str:
    base = f"tuned on {evaluation.base_model.name}" if evaluation.adapter and evaluation.base_model else ""
    return " · ".join(filter(None, [base, WAYS[evaluation.way], counted(evaluation.rows_done, "row")]))


def _so_far(evaluation: Evaluation) -> str:
    return f"{evaluation.rows_done:,} of {evaluation.rows:,} rows so far"


def _model_facts(evaluation: Evaluation, project_id: int) -> list[tuple[str, str, str]]:
    """(name, words, href)."""
    job = evaluation.job_id
    facts = [
        ("Model", name_of(evaluation), ""),
        ("Asked", WAYS[evaluation.way], ""),
        ("Begun", f"{ago(evaluation.created_at)}, {exact(evaluation.created_at)}", ""),
    ]
    if job:
        facts.insert(2, ("Job", f"number {job}", f"/evaluate?project={project_id}&job={job}"))
    return [*facts, *((name, words, "") for name, words in facts_of(evaluation.provenance))]


def _task_facts(version: TaskVersion) -> list[tuple[str, str, str]]:
    facts = [
        ("Name", version.name),
        ("Kind", version.task),
        ("Hash", version.content_hash),
        ("Rows", f"{version.rows:,}"),
        ("Split", version.split),
        ("Examples before each prompt", f"{len(version.examples):,}"),
        ("Licence", version.licence),
        ("Data-use agreement", "yes: its texts stay here" if version.is_restricted else ""),
        *facts_of(version.settings),
    ]
    return [(name, words, "") for name, words in facts if words]


def _facts(facts: Sequence[tuple[str, str, str]]) -> list[dict]:
    return [
        {"name": name, "text": words, "href": href, "mono": looks_technical(words)}
        for name, words, href in facts
    ]


# the two ways of asking -----------------------------------------------------------------------------------


def ways_of(session: Session, pair: Pair) -> dict:
    """The same model's scores by generation and by likelihood, where it was asked in both ways."""
    rows = []
    for evaluation, hue in pair.sides:
        others = _same_model(session, evaluation)
        by_way = {each.way: each for each in reversed(others) if each.finished_at}
        if {Way.GENERATION, Way.LIKELIHOOD} <= by_way.keys():
            wrote, likely = by_way[Way.GENERATION], by_way[Way.LIKELIHOOD]
            rows.append(
                {
                    "name": name_of(evaluation),
                    "hue": hue,
                    "generation": _headline_figure(wrote),
                    "likelihood": _headline_figure(likely),
                    "failures": shown(wrote.figures.get("parse_failures", {}).get("value")),
                }
            )
    return {"rows": rows}


def _same_model(session: Session, evaluation: Evaluation) -> list[Evaluation]:
    """Of this task, newest first."""
    found = evaluations.list_evaluations(
        session, evaluation.project_id, task_version_id=evaluation.task_version_id,
        base_model_id=evaluation.base_model_id, adapter_id=evaluation.adapter_id,
    )  # fmt: skip
    return [each for each in found if each.adapter_id == evaluation.adapter_id and not each.encoder_id]


def _headline_figure(evaluation: Evaluation) -> str:
    name = evaluation.measure
    if name not in evaluation.figures:
        return "not scored"
    return f"{measures.get(name).title} {with_interval(evaluation.figures[name], measures.get(name).unit)}"


def tables_of(pair: Pair) -> dict:
    """The tables that each side's task stored."""
    return tables_value([(name_of(each), hue, each.tables) for each, hue in pair.sides])
