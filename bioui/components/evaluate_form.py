"""The form of an evaluation: which models answer which frozen tasks, and how they are run."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import gradio as gr

from bioui.components.fold import fold
from bioui.components.problem import problem_area
from bioui.components.view import View
from bioui.present import counted
from db import registry, specs
from db.enums import Category
from db.evaluate_spec import EvaluateSpec
from db.session import Session
from db.tables import TaskVersion
from db.train_spec import PRECISIONS

GROUPS = {
    Category.QA: "Question answering",
    Category.IE: "Information extraction",
    Category.GEN: "Generation",
    Category.OTHER: "Other tasks",
}
SETTINGS = (
    "way", "cyclic", "max_tokens", "batch_tokens", "precision", "look_for_leaks", "level", "seed", "resumes",
)  # fmt: skip
FIELDS = ("models", "with_base", *GROUPS, *SETTINGS)  # the order of the inputs
DEFAULTS = {option.name: option.default for option in fields(EvaluateSpec)}
CHOICES: dict[str, list] = {
    "way": [("Auto", "auto"), ("Generation", "generation"), ("Likelihood", "likelihood")],
    "precision": [("Auto", "auto"), *((name, name) for name in PRECISIONS[1:])],
}
LABELS = {
    "way": "Way",
    "cyclic": "Average over cyclic orders",
    "max_tokens": "Longest answer",
    "batch_tokens": "Tokens in a batch",
    "look_for_leaks": "Look for leaks",
    "level": "Confidence level",
    "resumes": "Go on by itself",
}


@dataclass(frozen=True)
class Model:
    """What can be evaluated: a base (adapter_id 0), or an adapter on its base."""

    base_id: int
    adapter_id: int
    name: str

    @property
    def key(self) -> str:
        return f"adapter:{self.adapter_id}" if self.adapter_id else f"base:{self.base_id}"


@dataclass(frozen=True)
class EvaluateForm:
    """The form's components; `inputs` stand in the order of FIELDS."""

    inputs: list[gr.components.Component]
    problem: View
    start_btn: gr.Button

    @property
    def models_dd(self) -> gr.components.Component:
        return self.inputs[0]

    @property
    def base_cb(self) -> gr.components.Component:
        return self.inputs[1]

    @property
    def task_groups(self) -> list[gr.components.Component]:
        return self.inputs[2 : 2 + len(GROUPS)]


def evaluate_form() -> EvaluateForm:
    """Lay the form out where it is called."""
    problem = problem_area()
    models_dd = gr.Dropdown(
        [],
        label="Models",
        info="Bases and adapters; one run each, on the very same prompts.",
        multiselect=True,
        elem_id="field-models",
    )
    base_cb = gr.Checkbox(True, label="Score the base, too", visible=False, elem_id="field-with-base")
    with gr.Column(elem_id="field-tasks", elem_classes="task-groups"):
        groups = [
            gr.CheckboxGroup([], label=label, visible=False, elem_classes="task-group")
            for label in GROUPS.values()
        ]
    with fold("How it is run"), gr.Row(elem_classes="field-grid"):
        settings = [_field(name) for name in SETTINGS]
    with gr.Row(elem_classes="actions"):
        start_btn = gr.Button("Start evaluating", variant="primary")
    return EvaluateForm([models_dd, base_cb, *groups, *settings], problem, start_btn)


def list_models(session: Session, project_id: int) -> list[Model]:
    """Every base and every adapter of the project, an adapter behind its base."""
    adapters = registry.list_adapters(session, project_id)
    models = []
    for base in registry.list_base_models(session):
        models.append(Model(base.id, 0, base.name))
        models += [Model(base.id, one.id, one.name) for one in adapters if one.base_model_id == base.id]
    return models


def model_choices(models: Sequence[Model]) -> list[tuple[str, str]]:
    """What the list of models offers, in words that tell bases from adapters."""
    bases = {model.base_id: model.name for model in models if not model.adapter_id}
    of = lambda model: f"on {bases[model.base_id]}" if model.adapter_id else "base"  # noqa: E731
    return [(f"{model.name} ({of(model)})", model.key) for model in models]


def task_choices(tasks: Sequence[TaskVersion], category: str) -> list[tuple[str, int]]:
    """The frozen tasks of one group; those the regression gate looks at say so."""
    return [
        (f"{task.name} ({counted(task.rows, 'row')}{', general' if task.is_general else ''})", task.id)
        for task in tasks
        if task.category == category
    ]


def chosen_models(models: Sequence[Model], keys: Sequence[str] | None) -> list[Model]:
    """The models behind the chosen keys. Raises ValueError for none, or for one that is gone."""
    by_key = {model.key: model for model in models}
    if not keys:
        raise ValueError("models: choose at least one base or adapter.")
    if gone := [key for key in keys if key not in by_key]:
        raise ValueError(f"models: {gone[0]} is not in this project any more; open the form anew.")
    return [by_key[key] for key in dict.fromkeys(keys)]


def chosen_tasks(given: Mapping[str, Any]) -> list[int]:
    """The ids of the chosen tasks, group by group."""
    return [int(id) for group in GROUPS for id in given[group] or ()]


def spec_of(model: Model, tasks: Sequence[int], given: Mapping[str, Any]) -> EvaluateSpec:
    """One model's spec. Raises ValueError naming the field."""
    for name in SETTINGS:
        if given[name] is None:
            raise ValueError(f"{name.replace('_', ' ')}: it is empty; {DEFAULTS[name]} is a safe value.")
    settings = {name: given[name] for name in SETTINGS}
    return EvaluateSpec(model.base_id, tuple(tasks), adapter_id=model.adapter_id, **settings)


def label_of(name: str) -> str:
    """What people call a setting."""
    return LABELS.get(name, name.replace("_", " ").capitalize())


def _field(name: str) -> gr.components.Component:
    default = DEFAULTS[name]
    options = {
        "label": label_of(name),
        "info": specs.help_for(EvaluateSpec, name),
        "elem_id": f"field-{name.replace('_', '-')}",
    }
    if name in CHOICES:
        return gr.Dropdown(CHOICES[name], value=default, **options)
    if isinstance(default, bool):
        return gr.Checkbox(default, **options)
    return gr.Number(default, **options)
