"""The form of a training run: what is tuned on what, and the LoRA settings with the spec's own help."""

from dataclasses import dataclass, fields
from hashlib import sha256
from json import dumps
from typing import Any

import gradio as gr

from bioui.components.fold import fold
from bioui.components.problem import problem_area
from bioui.components.version_panel import version_name
from bioui.components.view import View
from db import datasets, registry, specs
from db.session import Session
from db.train_spec import SCHEDULERS, TARGET_PRESETS, TrainSpec

COMMON = ("rank", "learning_rate", "epochs", "batch_size", "max_length")
MORE = ("alpha", "dropout", "target", "accumulation", "warmup", "scheduler", "weight_decay", "seed")
FIELDS = ("base_model_id", "dataset_version_id", "adapter_name", *COMMON, *MORE)  # the order of the inputs
CHOICES = {"target": list(TARGET_PRESETS), "scheduler": list(SCHEDULERS)}
DEFAULTS = {option.name: option.default for option in fields(TrainSpec)}


@dataclass(frozen=True)
class LoraForm:
    """The form's components; `inputs` stand in the order of FIELDS."""

    inputs: list[gr.components.Component]
    problem: View
    check_btn: gr.Button
    start_btn: gr.Button

    @property
    def base_dd(self) -> gr.components.Component:
        return self.inputs[0]

    @property
    def version_dd(self) -> gr.components.Component:
        return self.inputs[1]

    @property
    def name_tb(self) -> gr.components.Component:
        return self.inputs[2]


def lora_form() -> LoraForm:
    """Lay the form out where it is called; the buttons come last."""
    problem = problem_area()
    with gr.Row(elem_classes="field-row"):
        base_dd = gr.Dropdown(
            [],
            label="Base model",
            info="The weights that are tuned. They stay as they are.",
            elem_id="field-base-model",
        )
        version_dd = gr.Dropdown(
            [],
            label="Dataset version",
            info="Only its train split is learned from.",
            elem_id="field-dataset-version",
        )
    name_tb = gr.Textbox(
        label="Adapter name",
        info=specs.help_for(TrainSpec, "adapter_name"),
        elem_id="field-adapter-name",
        max_lines=1,
    )
    with gr.Row(elem_classes="field-grid"):
        common = [_field(name) for name in COMMON]
    with fold("More settings"), gr.Row(elem_classes="field-grid"):
        more = [_field(name) for name in MORE]
    with gr.Row(elem_classes="actions"):
        start_btn = gr.Button("Start training", variant="primary")
        check_btn = gr.Button("Check data and time")
    return LoraForm([base_dd, version_dd, name_tb, *common, *more], problem, check_btn, start_btn)


def spec_of(values: tuple[Any, ...]) -> TrainSpec:
    """The spec that the form says, its values in the order of FIELDS. Raises ValueError naming the field."""
    given = dict(zip(FIELDS, values, strict=True))
    if not given["base_model_id"]:
        raise ValueError("base model: choose the model to tune.")
    if not given["dataset_version_id"]:
        raise ValueError("dataset version: choose what to train on; freeze a version first if there is none.")
    for name in (*COMMON, *MORE):
        if given[name] is None:
            label = name.replace("_", " ")
            raise ValueError(f"{label}: it is empty; {DEFAULTS[name]:g} is a safe value.")
    return TrainSpec(**{**given, "adapter_name": (given["adapter_name"] or "").strip()})


def request_key(form_key: str, spec: TrainSpec, kind: str) -> str:
    """The same for two presses of one button on one unchanged form."""
    said = dumps(specs.to_json(spec), sort_keys=True)
    return f"{kind}:{form_key}:{sha256(said.encode()).hexdigest()[:16]}"


def base_choices(session: Session) -> list[tuple[str, int]]:
    return [(base.name, base.id) for base in registry.list_base_models(session)]


def version_choices(session: Session, project_id: int) -> list[tuple[str, int]]:
    """The versions of a project, newest first."""
    return [
        (f"{version_name(version)} ({version.counts.get('train', 0):,} rows to train on)", version.id)
        for version in datasets.list_versions(session, project_id)
    ]


def suggested_name(session: Session, version_id: int | None) -> str:
    """A free adapter name after the version, "" without one."""
    if not version_id:
        return ""
    version = datasets.get_version(session, version_id)
    return registry.free_adapter_name(session, f"{version.dataset.name} v{version.number}")


def _field(name: str) -> gr.components.Component:
    label = name.replace("_", " ").capitalize()
    options = {
        "value": DEFAULTS[name],
        "label": label,
        "info": specs.help_for(TrainSpec, name),
        "elem_id": f"field-{name.replace('_', '-')}",
    }
    return gr.Dropdown(CHOICES[name], **options) if name in CHOICES else gr.Number(**options)
