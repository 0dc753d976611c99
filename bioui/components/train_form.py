"""The form of a training run: what is tuned on what, the settings with the spec's own help, presets, YAML."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from json import dumps
from typing import Any

import gradio as gr

from bioui.components.fold import fold
from bioui.components.problem import problem_area
from bioui.components.version_panel import version_name
from bioui.components.view import View
from db import datasets, registry, specs, train_presets, train_spec, train_yaml
from db.session import Session
from db.train_spec import TrainSpec
from db.train_yaml import DEFAULTS

COMMON = ("method", "rank", "learning_rate", "epochs", "batch_size", "max_length")
FOLDS = {
    "More on the method": ("alpha", "dropout", "target", "neftune"),
    "More on the steps": (
        "accumulation", "scheduler", "warmup", "weight_decay", "clip", "max_steps", "seed",
    ),
    "Rows and memory": ("too_long", "batching", "precision", "checkpointing"),
    "What is watched and kept": (
        "evaluate_every", "patience", "keep", "save_every", "sample_every", "sample_prompts", "track",
    ),
    "Where it runs": (
        "resumes", "processes", "strategy", "launcher", "machines", "partition", "account", "minutes",
    ),
}  # fmt: skip
SETTINGS = (*COMMON, *(name for names in FOLDS.values() for name in names))
FIELDS = ("base_model_id", "dataset_version_id", "adapter_name", *SETTINGS)  # the order of the inputs
CHOICES: dict[str, list] = {
    "method": [
        ("LoRA", "lora"), ("rsLoRA", "rslora"), ("DoRA", "dora"), ("QLoRA, 4-bit", "qlora"),
        ("Full fine-tuning", "full"),
    ],
    "target": list(train_spec.TARGET_PRESETS),
    "scheduler": [(name.replace("_", " ").capitalize(), name) for name in train_spec.SCHEDULERS],
    "too_long": [("Drop the row", "drop"), ("Cut its answer", "cut")],
    "batching": [(name.capitalize(), name) for name in train_spec.BATCHINGS],
    "precision": [("Auto", "auto"), *((name, name) for name in train_spec.PRECISIONS[1:])],
    "checkpointing": [("Auto", "auto"), ("On", "on"), ("Off", "off")],
    "keep": [("The last", "last"), ("The best by validation loss", "best")],
    "track": [("Nothing more", "none"), ("TensorBoard", "tensorboard"), ("trackio", "trackio")],
    "strategy": [("DDP", "ddp"), ("FSDP", "fsdp")],
    "launcher": [("This worker", "here"), ("Slurm", "slurm")],
}  # fmt: skip
LABELS = {
    "clip": "Gradient clipping",
    "neftune": "NEFTune noise",
    "too_long": "Rows that are too long",
    "max_length": "Longest row",
    "max_steps": "Steps at most",
    "checkpointing": "Activation checkpointing",
    "keep": "Weights kept",
    "track": "Also write for",
    "resumes": "Go on by itself",
    "minutes": "Time limit",
    "launcher": "Run by",
    "batching": "Batches",
}
OWN_SETTINGS = "My own settings"


@dataclass(frozen=True)
class TrainForm:
    """The form's components; `inputs` stand in the order of FIELDS, `settings` in that of SETTINGS."""

    inputs: list[gr.components.Component]
    preset_dd: gr.Dropdown
    preset_html: View
    yaml_tb: gr.Textbox
    write_btn: gr.Button
    fill_btn: gr.Button
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

    @property
    def settings(self) -> list[gr.components.Component]:
        return self.inputs[3:]


def train_form() -> TrainForm:
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
    with gr.Row(elem_classes="field-row"):
        name_tb = gr.Textbox(
            label="Adapter name",
            info=specs.help_for(TrainSpec, "adapter_name"),
            elem_id="field-adapter-name",
            max_lines=1,
        )
        preset_dd = gr.Dropdown(
            _preset_choices(),
            value=OWN_SETTINGS,
            label="Settings to begin with",
            info="Fills in all that stands below; change what you like.",
            elem_id="field-preset",
        )
    preset_html = View('{{#if value}}<p class="preset-about">{{value}}</p>{{/if}}', "")
    with gr.Row(elem_classes="field-grid"):
        settings = [_field(name) for name in COMMON]
    for label, names in FOLDS.items():
        with fold(label), gr.Row(elem_classes="field-grid"):
            settings += [_field(name) for name in names]
    with fold("As a file"):
        yaml_tb = gr.Textbox(
            lines=10,
            max_lines=24,
            label="The run as YAML",
            info="For version control, another studio, or python -m trainer submit train --spec run.yaml",
            elem_id="field-file",
            elem_classes="yaml",
            buttons=["copy"],
        )
        with gr.Row(elem_classes="actions"):
            write_btn = gr.Button("Write it from the form", size="sm")
            fill_btn = gr.Button("Fill the form from it", size="sm")
    with gr.Row(elem_classes="actions"):
        start_btn = gr.Button("Start training", variant="primary")
        check_btn = gr.Button("Check data and time")
    inputs = [base_dd, version_dd, name_tb, *settings]
    return TrainForm(
        inputs, preset_dd, preset_html, yaml_tb, write_btn, fill_btn, problem, check_btn, start_btn
    )


def spec_of(values: Sequence[Any]) -> TrainSpec:
    """The spec that the form says, its values in the order of FIELDS. Raises ValueError naming the field."""
    given = dict(zip(FIELDS, values, strict=True))
    if not given["base_model_id"]:
        raise ValueError("base model: choose the model to tune.")
    if not given["dataset_version_id"]:
        raise ValueError("dataset version: choose what to train on; freeze a version first if there is none.")
    for name in SETTINGS:
        if given[name] is None:
            raise ValueError(f"{name.replace('_', ' ')}: it is empty; {DEFAULTS[name]} is a safe value.")
    prompts = tuple(line.strip() for line in (given["sample_prompts"] or "").splitlines() if line.strip())
    name = (given["adapter_name"] or "").strip()
    return TrainSpec(**{**given, "adapter_name": name, "sample_prompts": prompts})


def shown_settings(settings: Mapping[str, Any]) -> list[Any]:
    """The values of the form's `settings`, what is not given at its default."""
    full = {**DEFAULTS, **settings}
    return ["\n".join(full[name]) if name == "sample_prompts" else full[name] for name in SETTINGS]


def yaml_of(session: Session, spec: TrainSpec) -> str:
    version = datasets.get_version(session, spec.dataset_version_id)
    base = registry.get_base_model(session, spec.base_model_id)
    return train_yaml.write(spec, base=base.name, dataset=version.dataset.name, version=version.number)


def read_yaml(session: Session, project_id: int, text: str) -> tuple[int, int, str, list[Any]]:
    """Base, version, name and settings that a YAML text says. Raises ValueError or LookupError."""
    recipe = train_yaml.read(text)
    bases = {base.name: base.id for base in registry.list_base_models(session)}
    if recipe.base not in bases:
        raise LookupError(f"base: this studio has no base model named {recipe.base}.")
    versions = [v for v in datasets.list_versions(session, project_id) if v.dataset.name == recipe.dataset]
    wanted = [v for v in versions if recipe.version in (None, v.number)]
    if not wanted:
        raise LookupError(f"dataset: this project has no such version of a dataset named {recipe.dataset}.")
    version = max(wanted, key=lambda v: v.number)
    spec = recipe.spec(bases[recipe.base], version.id)  # so that a wrong value is named before it is shown
    return (
        bases[recipe.base],
        version.id,
        recipe.name,
        shown_settings({n: getattr(spec, n) for n in SETTINGS}),
    )


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


def label_of(name: str) -> str:
    """What people call a setting."""
    return LABELS.get(name, name.replace("_", " ").capitalize())


def _preset_choices() -> list[tuple[str, str]]:
    named = [(f"{preset.name} ({preset.group.lower()})", preset.name) for preset in train_presets.PRESETS]
    return [(OWN_SETTINGS, OWN_SETTINGS), *named]


def _field(name: str) -> gr.components.Component:
    default = DEFAULTS[name]
    options = {
        "label": label_of(name),
        "info": specs.help_for(TrainSpec, name),
        "elem_id": f"field-{name.replace('_', '-')}",
    }
    if name in CHOICES:
        own = {"allow_custom_value": True} if name == "target" else {}
        return gr.Dropdown(CHOICES[name], value=default, **own, **options)
    if isinstance(default, tuple):
        return gr.Textbox("", lines=3, **options)
    if isinstance(default, str):
        return gr.Textbox(default, max_lines=1, max_length=64, **options)
    return gr.Number(default, **options)
