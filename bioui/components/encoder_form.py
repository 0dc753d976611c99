"""The form of an encoder baseline: where it begins, what it learns from, what it is scored on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import gradio as gr

from bioui.components.encoder_run import label_of
from bioui.components.fold import fold
from bioui.components.problem import problem_area
from bioui.components.view import View
from bioui.present import counted
from db import encoders, specs
from db.encoder_heads import TITLES, Head
from db.encoder_spec import STAND_IN, EncoderSpec
from db.enums import Split
from db.tables import TaskVersion
from db.train_spec import PRECISIONS

SETTINGS = (
    "epochs", "learning_rate", "batch_size", "max_length", "warmup", "weight_decay", "precision", "seed",
    "level", "revision", "resumes",
)  # fmt: skip
FIELDS = ("location", "name", "train_task_id", "tasks", *SETTINGS)  # the order of the inputs
DEFAULTS = {option.name: option.default for option in fields(EncoderSpec) if option.name in SETTINGS}
STAND_IN_NOTE = (
    "The stand-in was never pretrained: a small encoder for a machine without BioBERT's weights. Its scores "
    "are no baseline to publish."
)


@dataclass(frozen=True)
class EncoderForm:
    """The form's components; `inputs` stand in the order of FIELDS."""

    inputs: list[gr.components.Component]
    note: View
    problem: View
    start_btn: gr.Button

    @property
    def by_name(self) -> dict[str, gr.components.Component]:
        return dict(zip(FIELDS, self.inputs, strict=True))


def encoder_form() -> EncoderForm:
    """Lay the form out where it is called."""
    problem = problem_area()
    location_dd = gr.Dropdown(
        [(title, location) for location, title in encoders.KNOWN.items()],
        value=next(iter(encoders.KNOWN)),
        label="Begins from",
        info="One of these, owner/name on the Hub, or the whole path of a folder on this machine.",
        allow_custom_value=True,
        elem_id="field-location",
    )
    note_html = View("{{#if value.text}}<p class='field-help'>{{value.text}}</p>{{/if}}", {"text": ""})
    name_tb = gr.Textbox(label="Name", info=specs.help_for(EncoderSpec, "name"), elem_id="field-name")
    train_dd = gr.Dropdown(
        [],
        value=None,
        label="Learns from",
        info="A frozen task with training rows.",
        elem_id="field-train-task",
    )
    tasks_dd = gr.Dropdown(
        [],
        value=[],
        multiselect=True,
        label="Scored on",
        info="Other frozen rows of the same task. Validation rows are looked at each epoch, too.",
        elem_id="field-tasks",
    )
    with fold("Settings"), gr.Row(elem_classes="field-grid"):
        settings = [_field(name) for name in SETTINGS]
    with gr.Row(elem_classes="actions"):
        start_btn = gr.Button("Start tuning", variant="primary")
    return EncoderForm([location_dd, name_tb, train_dd, tasks_dd, *settings], note_html, problem, start_btn)


def train_choices(found: Sequence[tuple[TaskVersion, Head]]) -> list[tuple[str, int]]:
    """What can be learned from: never test rows."""
    return [(_named(version, head), version.id) for version, head in found if version.split != Split.TEST]


def scored_choices(
    found: Sequence[tuple[TaskVersion, Head]], train_task_id: int | None
) -> list[tuple[str, int]]:
    """What can be scored beside the chosen training rows: the same task and labels, other rows."""
    chosen = next(((v, h) for v, h in found if v.id == train_task_id), None)
    if chosen is None:
        return []
    train, head = chosen
    return [
        (_named(version, other), version.id)
        for version, other in found
        if version.id != train.id
        and version.task == train.task
        and (other.kind, other.takes_several) == (head.kind, head.takes_several)
        and set(other.labels) <= set(head.labels)
    ]


def spec_of(given: Mapping[str, Any]) -> EncoderSpec:
    """The spec that the form says. Raises ValueError naming the field."""
    if not given["train_task_id"]:
        raise ValueError("train task: choose the frozen task with the rows to learn from.")
    for name in SETTINGS:
        if given[name] is None:
            raise ValueError(f"{name.replace('_', ' ')}: it is empty; {DEFAULTS[name]} is a safe value.")
    return EncoderSpec(
        location=str(given["location"] or "").strip(),
        train_task_id=int(given["train_task_id"]),
        tasks=tuple(int(id) for id in given["tasks"] or ()),
        name=(given["name"] or "").strip(),
        **{name: _typed(name, given[name]) for name in SETTINGS},
    )


def settings_for(location: str) -> dict[str, float]:
    """Epochs and learning rate that suit an encoder: the stand-in has everything to learn."""
    own = encoders.STAND_IN_SETTINGS if location == STAND_IN else {}
    return {name: own.get(name, DEFAULTS[name]) for name in encoders.STAND_IN_SETTINGS}


def default_values(**changed) -> tuple:
    """The form's values as it opens, in the order of FIELDS, with some changed."""
    nothing = {"location": next(iter(encoders.KNOWN)), "name": "", "train_task_id": None, "tasks": []}
    return tuple({**DEFAULTS, **nothing, **changed}[name] for name in FIELDS)


def _named(version: TaskVersion, head: Head) -> str:
    return f"{version.name} ({counted(version.rows, 'row')}, {TITLES[head.kind]})"


def _typed(name: str, value: Any) -> Any:
    """A number field gives floats; whole settings are whole."""
    if isinstance(DEFAULTS[name], int) and isinstance(value, float) and value.is_integer():
        return int(value)
    return value.strip() if isinstance(value, str) else value


def _field(name: str) -> gr.components.Component:
    options = {
        "label": label_of(name),
        "info": specs.help_for(EncoderSpec, name),
        "elem_id": f"field-{name.replace('_', '-')}",
    }
    if name == "precision":
        choices = [("Auto", "auto"), *((each, each) for each in PRECISIONS[1:])]
        return gr.Dropdown(choices, value=DEFAULTS[name], **options)
    if isinstance(DEFAULTS[name], str):
        return gr.Textbox(DEFAULTS[name], **options)
    return gr.Number(DEFAULTS[name], **options)
