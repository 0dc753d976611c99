"""The form that adds a task: which one, over which rows, with how many examples before each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr

from bioui.components.convert_fields import OPTION_FIELDS, option_fields, option_updates, told_options
from bioui.components.fold import fold
from bioui.components.problem import problem_area
from bioui.components.progress import progress_bar
from bioui.components.task_kind import is_frozen_dataset, kind_value, kind_view, task_choices
from bioui.components.task_prompts import prompts_view
from bioui.components.view import View
from db import datasets
from db.corpora import files, readers
from db.corpora.readers import Option
from db.enums import Category, Split
from db.session import Session
from db.settings import from_environment
from db.task_drafts import MAX_SHOTS, TaskDraft
from db.tasks import TASKS

SETTINGS = ("form", "labels", "wording")  # of tasks; the form shows those that the chosen one knows
SOURCE = ("file", "kept", "format")
DATASET = ("version", "rows")
DRAWN = ("shots", "examples", "limit", "seed")
ABOUT = ("name", "licence", "restricted", "general", "split", "leave_out")
NAMES = ("task", *SOURCE, *OPTION_FIELDS, *DATASET, *SETTINGS, *DRAWN, *ABOUT)
FROM_FILE = ("Told from the file", "")
WHOLE_FILE = [
    ("Test rows, where the file tells them; else all", ""),
    *((split.value, split.value) for split in Split),
]


@dataclass(frozen=True)
class DatasetDraft:
    """A task over a frozen dataset version, as someone asks for it (`task_versions.freeze_dataset`)."""

    dataset_version_id: int
    split: str
    category: Category
    shots: int = 0
    seed: int = 0
    limit: int = 0
    name: str = ""
    is_general: bool = False


Draft = TaskDraft | DatasetDraft


@dataclass(frozen=True)
class TaskForm:
    """The form's components; `inputs` in the order of NAMES."""

    inputs: list
    kind_html: View
    file_col: gr.Column
    dataset_col: gr.Column
    options: list
    problem: View
    progress_html: View
    preview_html: View
    look_btn: gr.Button
    freeze_btn: gr.Button
    close_btn: gr.Button

    def input(self, name: str):
        return self.inputs[NAMES.index(name)]

    @property
    def chosen(self) -> list:
        """What another task changes, in the order of `task_updates`."""
        names = ("format", "general", *SETTINGS)
        return [self.kind_html, self.file_col, self.dataset_col, *map(self.input, names), *self.options]


def task_form() -> TaskForm:
    """Lay the form out where it is called."""
    with gr.Row(elem_classes="pane-head"):
        View('<h2 class="form-title">Add a task</h2>')
        close_btn = gr.Button("Close", size="sm", elem_classes="quiet", elem_id="close-form-btn")
    problem = problem_area()
    task_dd = gr.Dropdown(
        task_choices(), value=None, label="Task", elem_id="field-task",
        info="What is asked, and how an answer counts.",
    )  # fmt: skip
    kind_html = kind_view()
    with gr.Column(visible=False, elem_classes="task-source") as file_col:
        source, options = _source_fields()
    with gr.Column(visible=False, elem_classes="task-source") as dataset_col:
        dataset = _dataset_fields()
    settings = _setting_fields()
    drawn = _drawn_fields()
    about = _about_fields()
    progress_html = progress_bar()
    with gr.Row(elem_classes="actions"):
        look_btn = gr.Button("Preview", elem_id="look-btn")
        freeze_btn = gr.Button("Freeze the task", variant="primary", interactive=False, elem_id="freeze-btn")
    preview_html = prompts_view("task-preview")
    inputs = [task_dd, *source, *options, *dataset, *settings, *drawn, *about]
    return TaskForm(
        inputs, kind_html, file_col, dataset_col, options, problem, progress_html, preview_html,
        look_btn, freeze_btn, close_btn,
    )  # fmt: skip


def task_updates(name: str) -> tuple:
    """The form for a task: what it is, where its rows come from, what it may be told."""
    if name not in TASKS:
        raise ValueError("task: choose one of those offered.")
    task = TASKS[name]
    known = {option.name: option for option in task.options_of()}
    formats = [(readers.get_format(each).title, each) for each in task.formats]
    format = task.formats[0] if task.formats else None
    is_dataset = is_frozen_dataset(name)
    return (
        kind_value(name),
        gr.Column(visible=not is_dataset),
        gr.Column(visible=is_dataset),
        gr.Dropdown(
            [FROM_FILE, *formats] if len(formats) > 1 else formats, value="" if len(formats) > 1 else format
        ),
        task.is_general,
        *(_setting_update(known.get(setting)) for setting in SETTINGS),
        *option_updates(format, dict(getattr(task, "told", {}))),
    )


def format_updates(name: str, format: str) -> list[dict]:
    """The options of one of the task's formats; those of its first where it is told from the file."""
    formats = TASKS[name].formats if name in TASKS else ()
    if not formats or format not in ("", *formats):
        raise ValueError("format: choose one of those offered.")
    return option_updates(format or formats[0], dict(getattr(TASKS[name], "told", {})))


def fresh(session: Session, project_id: int) -> list:
    """What the choices of the form are now: the kept files, twice, and the frozen dataset versions."""
    kept = kept_files()
    versions = [
        (f"{version.dataset.name}, version {version.number}", version.id)
        for version in datasets.list_versions(session, project_id)
    ]
    return [gr.Dropdown(choices=kept), gr.Dropdown(choices=kept), gr.Dropdown(choices=versions)]


def kept_files() -> list[tuple[str, str]]:
    """The corpora that the studio holds, by the names that people gave them, newest first."""
    folder = files.folder_of(from_environment().data_dir)
    found = [path for path in folder.glob("[0-9a-f]*/*") if not path.name.startswith(".")]
    found.sort(key=lambda path: path.stat().st_mtime, reverse=True)
    names = [path.name for path in found]
    return [
        (path.name if names.count(path.name) == 1 else f"{path.name} ({path.parent.name[:6]})",
         path.relative_to(folder).as_posix())
        for path in found
    ]  # fmt: skip


def draft_of(values: tuple) -> Draft:
    """What the form asks for, its files brought into the studio. Raises ValueError naming the field."""
    said = dict(zip(NAMES, values, strict=True))
    name = said["task"]
    if name not in TASKS:
        raise ValueError("task: choose one of those offered.")
    drawn: dict[str, Any] = {field: _whole(said[field], field) for field in ("shots", "limit", "seed")}
    if is_frozen_dataset(name):
        return _dataset_draft(said, drawn)
    format = said["format"] or ""
    return TaskDraft(
        name,
        _brought(said["file"], said["kept"]),
        (said["name"] or "").strip(),
        format=format,
        reader=told_options(format or TASKS[name].formats[0], said),
        settings=_settings(name, said),
        split=said["split"] or "",
        **drawn,
        examples=_brought(None, said["examples"]) if said["examples"] else "",
        is_general=bool(said["general"]),
        licence=(said["licence"] or "").strip(),
        is_restricted=bool(said["restricted"]),
        leave_out=bool(said["leave_out"]),
    )


def _dataset_draft(said: Mapping[str, Any], drawn: Mapping[str, Any]) -> DatasetDraft:
    if not said["version"]:
        raise ValueError("version: choose a frozen dataset version; the Datasets page freezes them.")
    return DatasetDraft(
        int(said["version"]),
        said["rows"] or Split.TEST,
        TASKS[said["task"]].category,
        name=(said["name"] or "").strip(),
        is_general=bool(said["general"]),
        **drawn,
    )


def _brought(upload: str | None, kept: str | None) -> str:
    """The path of an uploaded file, else of the kept one that was chosen."""
    if upload:
        return files.keep(from_environment().data_dir, Path(upload))
    if not kept:
        raise ValueError("file: choose a file, or one that is here already.")
    return kept


def _settings(name: str, said: Mapping[str, Any]) -> dict[str, str]:
    known = {option.name: option for option in TASKS[name].options_of()}
    told = {field: str(said[field] or "").strip() for field in SETTINGS if field in known}
    return {field: value for field, value in told.items() if value and value != known[field].default}


def _whole(value: object, field: str) -> int:
    try:
        number = float(str(value if value not in (None, "") else 0))
        if number != int(number):
            raise ValueError
    except (ValueError, OverflowError):
        raise ValueError(f"{field}: write a whole number.") from None
    return int(number)


# Layout -----------------------------------------------------------------------------------------------


def _source_fields() -> tuple[list, list]:
    with gr.Row(elem_classes="field-grid"):
        file_up = gr.File(
            label="File of the rows to score", type="filepath", elem_id="field-file", height=120
        )
        with gr.Column(min_width=240):
            kept_dd = gr.Dropdown(
                [], value=None, label="Or a file that is here already", elem_id="field-kept",
                info="Brought earlier, for a task or a conversion; an uploaded file goes first. Datasets of "
                "the Hub come by the shell: python -m trainer task add --hub.",
            )  # fmt: skip
            format_dd = gr.Dropdown(
                [], value=None, label="Format", elem_id="field-format", info="How the file is written."
            )
    return [file_up, kept_dd, format_dd], option_fields()


def _dataset_fields() -> list:
    with gr.Row(elem_classes="field-grid"):
        version_dd = gr.Dropdown(
            [], value=None, label="Frozen dataset version", elem_id="field-version",
            info="Its rows of this group are asked as they were frozen.",
        )  # fmt: skip
        rows_dd = gr.Dropdown(
            [split.value for split in Split], value=Split.TEST.value, label="Rows", elem_id="field-rows",
            info="The split that is scored. Examples come from its train rows.",
        )  # fmt: skip
    return [version_dd, rows_dd]


def _setting_fields() -> list:
    with gr.Row(elem_classes="field-grid"):
        form_dd = gr.Dropdown([], value=None, label="Answer's form", visible=False, elem_id="field-form")
        labels_tb = gr.Textbox(label="Labels", max_lines=1, visible=False, elem_id="field-labels")
        wording_dd = gr.Dropdown([], value=None, label="Wording", visible=False, elem_id="field-wording")
    return [form_dd, labels_tb, wording_dd]


def _drawn_fields() -> list:
    with gr.Row(elem_classes="field-grid"):
        shots_nb = gr.Number(
            0, label="Examples before each row", precision=0, minimum=0, maximum=MAX_SHOTS,
            elem_id="field-shots", info="0 asks without examples. None of them is ever scored.",
        )  # fmt: skip
        examples_dd = gr.Dropdown(
            [], value=None, label="File of examples", elem_id="field-examples",
            info="A file that is here already; the file's own train rows unless chosen.",
        )  # fmt: skip
        limit_nb = gr.Number(
            0, label="At most so many rows", precision=0, minimum=0, elem_id="field-limit",
            info="Drawn by the seed. 0 takes every row.",
        )  # fmt: skip
        seed_nb = gr.Number(
            0, label="Seed", precision=0, minimum=0, elem_id="field-seed",
            info="Of both draws; the same seed gives the same rows.",
        )  # fmt: skip
    return [shots_nb, examples_dd, limit_nb, seed_nb]


def _about_fields() -> list:
    with gr.Row(elem_classes="field-grid"):
        name_tb = gr.Textbox(
            label="Name", max_lines=1, max_length=120, elem_id="field-name",
            info="What tables call it; the task's title unless given.",
        )  # fmt: skip
        licence_tb = gr.Textbox(
            label="Licence or terms",
            max_lines=1,
            elem_id="field-licence",
            info="As the file's owner states it.",
        )
    with fold("Which rows, and under what terms"), gr.Row(elem_classes="field-grid"):
        split_dd = gr.Dropdown(WHOLE_FILE, value="", label="Split of the file", elem_id="field-split")
        restricted_check = gr.Checkbox(
            label="Under a data-use agreement", elem_id="field-restricted",
            info="Its texts never leave the machine.",
        )  # fmt: skip
        general_check = gr.Checkbox(
            label="General ability", elem_id="field-general",
            info="The regression gate looks at it: tuning must not cost here.",
        )  # fmt: skip
        leave_out_check = gr.Checkbox(
            label="Leave out what cannot be written", elem_id="field-leave-out",
            info="Rows that the answer's form cannot carry are counted and left out, not refused.",
        )  # fmt: skip
    return [name_tb, licence_tb, restricted_check, general_check, split_dd, leave_out_check]


def _setting_update(option: Option | None) -> dict:
    if option is None:
        return gr.update(visible=False)
    choices: Sequence[tuple[str, str]] = [(_word(choice), choice) for choice in option.choices]
    if choices:
        return gr.update(visible=True, choices=choices, value=option.default, info=option.help)
    return gr.update(visible=True, value=option.default, info=option.help)


def _word(choice: str) -> str:
    return choice.replace("_", " ")
