"""The form of a study: its question, its data and tasks, one training for all arms; presets fill it in."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr
import yaml

from bioui.components.fold import fold
from bioui.components.problem import problem_area
from bioui.components.version_panel import version_name
from bioui.components.view import View
from db import datasets, registry, specs, studies, study_presets, task_versions
from db.enums import JobKind, StudyKind
from db.session import Session
from db.study_arms import ArmPlan
from db.study_figures import KIND_WORDS
from db.study_spec import COMPOSITIONS, MERGES, MIXTURES, PARTS, StudySpec
from db.train_yaml import DEFAULTS

TRAINED = ("rank", "alpha", "learning_rate", "epochs", "max_steps", "batch_size", "max_length")
PLAIN = ("name", "kind", "base_model_id", "dataset_version_id", "tasks", "rows")
VARIED = ("varies", "parts", "among", "mixture", "shares", "ranks", "merge", "seed")
TEXTS = ("weights", "training", "evaluation")  # settings by the line
NAMES = (*PLAIN, *VARIED, *TRAINED, *TEXTS)  # the order of the inputs
OWN = "My own settings"
MINIATURES = ("BioInstruct, miniature", "Llama2-MedTuned, miniature")  # made by a press, not by the form
PLAN = """
{{#if value.rows}}<h3>{{value.title}}</h3><div class="table-scroll"><table class="table">
  <thead><tr><th scope="col">Arm</th><th scope="col">Drawn from</th><th scope="col" class="col-num">Train rows</th></tr></thead>
  <tbody>{{#each value.rows}}<tr><th scope="row">{{this.label}}</th><td>{{this.drawn}}</td>
    <td class="col-num">{{this.rows}}</td></tr>{{/each}}</tbody></table></div>{{/if}}
"""  # noqa: E501 - markup
NO_PLAN: dict = {"rows": [], "title": ""}


@dataclass(frozen=True)
class StudyForm:
    """The form's components; `inputs` stand in the order of NAMES."""

    inputs: list[gr.components.Component]
    preset_dd: gr.Dropdown
    about_html: View
    plan_html: View
    problem: View
    check_btn: gr.Button
    start_btn: gr.Button

    def input(self, name: str) -> gr.components.Component:
        return self.inputs[NAMES.index(name)]


def study_form() -> StudyForm:
    """Lay the form out where it is called; the buttons come last."""
    problem = problem_area()
    with gr.Row(elem_classes="field-row"):
        preset_dd = gr.Dropdown(
            [OWN, *(preset.name for preset in study_presets.PRESETS if preset.name not in MINIATURES)],
            value=OWN, label="Begin with", info="Fills in what stands below; change what you like.",
            elem_id="field-preset",
        )  # fmt: skip
        name = gr.Textbox(label="Name", info=_help("name"), max_lines=1, elem_id="field-name")
    about_html = View('{{#if value}}<p class="preset-about">{{value}}</p>{{/if}}', "")
    kind = gr.Dropdown(
        [(words, kind.value) for kind, words in KIND_WORDS.items()], value=StudyKind.CATEGORY_TRANSFER.value,
        label="Question", info="What the arms of the grid differ in.", elem_id="field-kind",
    )  # fmt: skip
    with gr.Row(elem_classes="field-row"):
        base = gr.Dropdown(
            [], label="Base model", info="Each arm tunes an adapter on it.", elem_id="field-base-model"
        )
        version = gr.Dropdown(
            [], label="Dataset version", info="The arms' rows are drawn from its train split.",
            elem_id="field-dataset",
        )  # fmt: skip
    tasks = gr.Dropdown(
        [], multiselect=True, label="Tasks", info="All arms, and the untuned base, are measured on each.",
        elem_id="field-tasks",
    )  # fmt: skip
    rows = gr.Number(0, label="Rows an arm", info=_help("rows"), precision=0, elem_id="field-rows")
    with fold("What the arms differ in"), gr.Row(elem_classes="field-grid"):
        varied = [
            _choice("varies", "Composition", COMPOSITIONS),
            _choice("parts", "Divided by", PARTS),
            gr.Textbox("", label="Parts", info=f"{_help('among')} Commas between.", elem_id="field-among"),
            _choice("mixture", "Mixture", MIXTURES),
            gr.Textbox("0.1, 0.3, 1", label="Shares", info=_help("shares"), elem_id="field-shares"),
            gr.Textbox("4, 8, 16, 32", label="Ranks", info=_help("ranks"), elem_id="field-ranks"),
            _choice("merge", "Merge", MERGES),
            gr.Number(42, label="Seed", info=_help("seed"), precision=0, elem_id="field-seed"),
        ]
    with fold("Training, the same for all arms"):
        with gr.Row(elem_classes="field-grid"):
            trained = [_number_field(name) for name in TRAINED]
        training = _lines(
            "training", "More training settings", "One a line, such as `target: query and value`."
        )
    with fold("Mixture weights, and how arms are measured"):
        weights = _lines("weights", "Weights of the parts", "One a line, such as `QA: 22.8`, or none.")
        evaluation = _lines("evaluation", "Evaluation settings", "One a line, such as `max_tokens: 128`.")
    with gr.Row(elem_classes="actions"):
        start_btn = gr.Button("Start the study", variant="primary")
        check_btn = gr.Button("Show its arms")
    plan_html = View(PLAN, NO_PLAN)
    inputs = [name, kind, base, version, tasks, rows, *varied, *trained, weights, training, evaluation]
    return StudyForm(inputs, preset_dd, about_html, plan_html, problem, check_btn, start_btn)


def spec_of(values: Sequence[Any]) -> StudySpec:
    """The spec that the form says, its values in the order of NAMES. Raises ValueError naming the field."""
    given = dict(zip(NAMES, values, strict=True))
    for name, words in (("base_model_id", "base model"), ("dataset_version_id", "dataset")):
        if not given[name]:
            raise ValueError(f"{words}: choose one.")
    for name in (*TRAINED, "rows", "seed"):
        if given[name] is None:
            raise ValueError(f"{name.replace('_', ' ')}: it is empty; write a number.")
    training = {name: given.pop(name) for name in TRAINED}
    numbers = {"shares": float, "ranks": int}
    return StudySpec(
        **{
            **given,
            "name": given["name"] or "",
            "tasks": tuple(given["tasks"] or ()),
            "among": tuple(_split(given["among"])),
            **{
                name: tuple(_number(name, each, of) for each in _split(given[name]))
                for name, of in numbers.items()
            },
            "training": {**training, **_settings("training", given["training"])},
            "weights": _settings("weights", given["weights"]),
            "evaluation": _settings("evaluation", given["evaluation"]),
        }
    )


def shown_preset(name: str) -> list[Any]:
    """The values that a preset gives the inputs behind PLAIN's first; what it does not say is left alone.

    Raises LookupError for a preset there is not.
    """
    settings = {} if name == OWN else dict(study_presets.find(name).settings)
    training = {**DEFAULTS, **settings.get("training", {})}
    rest = {key: value for key, value in settings.get("training", {}).items() if key not in TRAINED}
    found: dict[str, Any] = {
        **{key: value for key, value in settings.items() if key in (*VARIED, "kind", "rows")},
        **{key: training[key] for key in TRAINED},
        "training": _as_lines(rest),
        "weights": _as_lines(settings.get("weights", {})),
        "evaluation": _as_lines(settings.get("evaluation", {})),
    }
    for key in ("shares", "ranks", "among"):
        if key in found:
            found[key] = ", ".join(
                f"{each:g}" if isinstance(each, float) else str(each) for each in found[key]
            )
    return [gr.skip() if key not in found else found[key] for key in NAMES]


def about_of(name: str) -> str:
    return "" if name == OWN else study_presets.find(name).about


def choices_of(session: Session, project_id: int) -> tuple[list, list, list]:
    """(bases, versions, tasks) as a dropdown takes them. The studies' own draws are left out."""
    bases = [(base.name, base.id) for base in registry.list_base_models(session)]
    versions = [
        (f"{version_name(version)} ({version.counts['train']:,} train rows)", version.id)
        for version in datasets.list_versions(session, project_id)
        if "study" not in version.recipe
    ]
    tasks = [
        (f"{task.name} ({task.category}, {task.rows:,} rows)", task.id)
        for task in task_versions.list_tasks(session, project_id)
    ]
    return bases, versions, tasks


def plan_value(session: Session, project_id: int, spec: StudySpec) -> dict:
    """The arms the study would have. Raises as `studies.create` does."""
    arms = studies.plan_arms(session, project_id, spec)
    runs = sum(1 if arm.kind == "base" else 2 for arm in arms)
    return {
        "title": f"{len(arms)} arms, {runs} runs",
        "rows": [{"label": arm.label, "drawn": _drawn(arm), "rows": f"{arm.rows:,}"} for arm in arms],
    }


def _drawn(arm: ArmPlan) -> str:
    if arm.kind == "merge":
        return "the experts' adapters"
    named = {part: rows for part, rows in arm.draw.items() if part}
    return ", ".join(f"{part.replace('_', ' ')} {rows:,}" for part, rows in named.items())


def _choice(name: str, label: str, choices: Sequence[str]) -> gr.Dropdown:
    return gr.Dropdown(
        list(choices), value=choices[0], label=label, info=_help(name), elem_id=f"field-{name}"
    )


def _number_field(name: str) -> gr.Number:
    label = name.replace("_", " ").capitalize()
    return gr.Number(DEFAULTS[name], label=label, elem_id=f"field-{name.replace('_', '-')}")


def _lines(name: str, label: str, info: str) -> gr.Textbox:
    return gr.Textbox("", label=label, info=info, lines=2, elem_id=f"field-{name}", elem_classes="yaml")


def _help(name: str) -> str:
    return specs.help_for(specs.SPECS[JobKind.STUDY], name)


def _split(text: str | None) -> list[str]:
    return [part.strip() for part in (text or "").split(",") if part.strip()]


def _number(name: str, text: str, kind: type) -> float | int:
    try:
        return kind(text)
    except ValueError as error:
        raise ValueError(f"{name}: {text[:40]!r} is no number; give numbers with commas between.") from error


def _settings(name: str, text: str | None) -> dict[str, Any]:
    try:
        found = yaml.safe_load(text or "") or {}
    except yaml.YAMLError as error:
        raise ValueError(f"{name}: these lines cannot be read; write one `setting: value` a line.") from error
    if not isinstance(found, dict) or not all(isinstance(key, str) for key in found):
        raise ValueError(f"{name}: write one `setting: value` a line.")
    return found


def _as_lines(settings: dict[str, Any]) -> str:
    return "\n".join(f"{name}: {yaml.safe_dump(value).splitlines()[0]}" for name, value in settings.items())
