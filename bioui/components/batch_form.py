"""The form of a batch: where its prompts come from, who answers and how; and what it would ask.

Nothing is stored before Start; the preview reads the very prompts that a start would store.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from hashlib import sha256
from json import dumps
from pathlib import Path

import gradio as gr

from bioui.components.fold import fold
from bioui.components.problem import problem_area
from bioui.components.sides_picker import SidesPicker, sides_picker
from bioui.components.view import View
from bioui.present import counted, shortened
from db import batch_prompts, batches, prompts, task_versions
from db.batch_prompts import COLUMNS, MAX_ROWS, Found
from db.compare_spec import CompareSpec, SideSpec
from db.session import Session

FILE, SHELF, TASK = "file", "shelf", "task"
ANY = ""
SOURCE = ("source", "file", "specialty", "tag", "task_id", "limit")
SETTINGS = ("max_tokens", "temperature", "seed", "resumes")
FIELDS = (*SOURCE, "checked", "name", "sides", *SETTINGS)  # the order of the inputs
DEFAULTS = {option.name: option.default for option in fields(CompareSpec)}
PREVIEW = """
{{#if value.count}}<section class="batch-preview" role="status"><h3>{{value.count}}</h3>
  {{#if value.slices}}<p class="batch-chips">{{#each value.slices}}
    <span class="chip chip-draft">{{this}}</span>{{/each}}</p>{{/if}}
  <ol>{{#each value.first}}<li><b>{{this.key}}</b> {{this.text}}
    {{#if this.facts}}<span class="muted">{{this.facts}}</span>{{/if}}</li>{{/each}}</ol>
  {{#if value.passed}}<p class="muted">Columns passed over: {{value.passed}}.</p>{{/if}}
  {{#if value.suspects}}<div class="batch-suspects"><p><strong>May hold patient data</strong>
    {{value.suspects}} Take it out, or say below that you have looked at it.</p></div>{{/if}}
</section>{{/if}}
"""
NO_PREVIEW = {"count": ""}


@dataclass(frozen=True)
class BatchForm:
    """The form's components; `inputs` stand in the order of FIELDS."""

    inputs: list[gr.components.Component]
    picker: SidesPicker
    preview_html: View
    problem: View
    start_btn: gr.Button

    @property
    def source(self) -> list:
        return self.inputs[: len(SOURCE)]

    @property
    def checked_cb(self) -> gr.components.Component:
        return self.inputs[len(SOURCE)]

    @property
    def choices(self) -> list:
        """The fields whose choices come from the database: specialty, tag, task."""
        return self.inputs[2:5]

    @property
    def parts(self) -> list:
        """What a source shows of the form: file, specialty, tag, task, rows."""
        return self.inputs[1:6]


# data -----------------------------------------------------------------------------------------------------


def choices(session: Session, project_id: int) -> tuple:
    """Specialties and tags of the shelf, and the frozen tasks."""
    shelf = prompts.list_shelf(session, project_id)
    specialties = sorted({version.specialty for version in shelf if version.specialty})
    tags = sorted({tag for version in shelf for tag in version.tags})
    tasks = [
        (f"{task.name} · {counted(task.rows, 'row')}", task.id)
        for task in task_versions.list_tasks(session, project_id)
    ]
    return (
        gr.update(choices=[("All", ANY), *((name, name) for name in specialties)], value=ANY),
        gr.update(choices=[("All", ANY), *((tag, tag) for tag in tags)], value=ANY),
        gr.update(choices=tasks, value=tasks[0][1] if tasks else None),
    )


def visible_parts(source: str) -> tuple:
    """Only the fields of that source."""
    shown = {FILE: (0,), SHELF: (1, 2), TASK: (3, 4)}.get(source, ())
    return tuple(gr.update(visible=place in shown) for place in range(5))


def found(session: Session, project_id: int, given: Mapping) -> Found | None:
    """The prompts that the form names; None while it names none. Raises ValueError, LookupError."""
    if given["source"] == SHELF:
        chosen = {"specialty": given["specialty"] or "", "tag": given["tag"] or ""}
        return batch_prompts.of_shelf_where(session, project_id, **chosen)
    if given["source"] == TASK:
        if not given["task_id"]:
            return None
        limit = _whole("rows", given["limit"], 1, MAX_ROWS)
        return batch_prompts.of_task(session, project_id, int(given["task_id"]), limit=limit)
    return batch_prompts.read_file(Path(given["file"])) if given["file"] else None


def preview_values(there: Found | None) -> tuple:
    """What a start would store, and the box to tick where something in it looks like patient data."""
    value = _preview(there) if there else NO_PREVIEW
    return value, gr.update(visible=bool(value.get("suspects")), value=False)


def _preview(there: Found) -> dict:
    slices = there.slices
    suspects = batches.suspects(there.prompts)
    named = ", ".join(f"{one.key} ({', '.join(one.kinds)})" for one in suspects[:5])
    more = f" and {len(suspects) - 5:,} more" if len(suspects) > 5 else ""
    return {
        "count": counted(len(there.prompts), "prompt"),
        "slices": [f"{name or 'no slice'}: {rows:,}" for name, rows in list(slices.items())[:12]]
        if len(slices) > 1
        else [],
        "first": [
            {
                "key": prompt.key,
                "text": shortened(f"{prompt.instruction} {prompt.input}", 140),
                "facts": counted(len(prompt.expected), "expected fact") if prompt.expected else "",
            }
            for prompt in there.prompts[:3]
        ],
        "passed": ", ".join(there.passed_over),
        "suspects": f"{counted(len(suspects), 'prompt')}: {named}{more}." if suspects else "",
    }


def spec_of(sides: Sequence[SideSpec], given: Mapping) -> CompareSpec:
    """Raises ValueError naming the field that cannot be."""
    numbers = {name: DEFAULTS[name] if given[name] is None else given[name] for name in SETTINGS}
    return CompareSpec(tuple(sides), **numbers)


def name_of(given: Mapping) -> str:
    """What the batch goes by where nobody named it."""
    if given["source"] == FILE:
        return Path(given["file"]).stem[:80]
    if given["source"] == SHELF:
        return " · ".join(part for part in ("Shelf", given["specialty"], given["tag"]) if part)
    return f"Task {given['task_id']}"


def request_key(form_key: str, spec: CompareSpec, name: str) -> str:
    """The same form pressed twice is one batch."""
    said = dumps([form_key, repr(spec), name])
    return sha256(said.encode()).hexdigest()


def _whole(field: str, value: float | None, low: int, high: int) -> int:
    if value is None or int(value) != value or not low <= value <= high:
        raise ValueError(f"{field}: give a whole number from {low:,} to {high:,}.")
    return int(value)


# layout ---------------------------------------------------------------------------------------------------


def batch_form() -> BatchForm:
    problem = problem_area()
    source_rd = gr.Radio(
        [("A file", FILE), ("The shelf", SHELF), ("A frozen task", TASK)],
        value=FILE,
        label="Prompts from",
        elem_id="field-source",
    )
    file_up = gr.File(
        label=f"CSV with a header, JSONL, or text with a prompt a line. Columns: {', '.join(COLUMNS)}",
        type="filepath",
        file_types=[".csv", ".tsv", ".jsonl", ".json", ".txt"],
        height=120,
        elem_id="field-file",
    )
    with gr.Row():
        specialty_dd = gr.Dropdown([], label="Specialty", visible=False, elem_id="field-specialty")
        tag_dd = gr.Dropdown([], label="Tag", visible=False, elem_id="field-tag")
    with gr.Row():
        task_dd = gr.Dropdown([], label="Task", visible=False, elem_id="field-task")
        limit_nb = gr.Number(100, label="Rows", precision=0, visible=False, elem_id="field-rows")
    preview_html = View(PREVIEW, NO_PREVIEW)
    checked_cb = gr.Checkbox(
        label="I have looked at them: no patient data",
        container=False,
        visible=False,
        elem_id="field-checked",
    )
    name_tb = gr.Textbox(label="Name", info="The file's unless given.", max_lines=1, elem_id="field-name")
    picker = sides_picker()
    with fold("Settings"), gr.Row():
        settings = _settings()
    start_btn = gr.Button("Start batch", variant="primary", elem_id="start-batch-btn")
    source = [source_rd, file_up, specialty_dd, tag_dd, task_dd, limit_nb]
    inputs = [*source, checked_cb, name_tb, picker.sides_dd, *settings]
    return BatchForm(inputs, picker, preview_html, problem, start_btn)


def _settings() -> list:
    help_of = {option.name: option.metadata.get("help", "") for option in fields(CompareSpec)}
    return [
        gr.Number(
            DEFAULTS["max_tokens"], label="Longest answer", info=help_of["max_tokens"], precision=0,
            elem_id="field-max-tokens",
        ),
        gr.Slider(
            0, 2, DEFAULTS["temperature"], step=0.1, label="Temperature", info=help_of["temperature"],
            elem_id="field-temperature",
        ),
        gr.Number(DEFAULTS["seed"], label="Seed", info=help_of["seed"], precision=0, elem_id="field-seed"),
        gr.Number(
            DEFAULTS["resumes"], label="Go on by itself", info=help_of["resumes"], precision=0,
            elem_id="field-resumes",
        ),
    ]  # fmt: skip
