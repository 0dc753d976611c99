"""A dataset of the Hub as a source: named here, fetched by the job, so there is nothing to look at before."""

from dataclasses import dataclass

import gradio as gr

from bioui.components.convert_draft import Entry, entry_of
from bioui.components.convert_templates import base_of, body_of, is_shipped, template_choices
from bioui.components.view import View
from db import conversion_figures
from db.convert_spec import Source
from db.corpora import hub
from db.corpora.readers import FORMATS, get_format

_ABOUT = ("dataset", "config", "split", "revision", "name", "licence")
NAMES = (*_ABOUT, "format", "template", "columns", "options")
LEAD = (
    "Nothing is asked of the network on this page. When the conversion runs, the worker asks the Hub for "
    "this dataset by its name, without a token, and keeps a copy in the studio. So there is no preview of "
    "its rows, and they are counted then. Where the worker has no network, or its offline switch "
    "HF_HUB_OFFLINE is on, the conversion stops with a sentence that says so, and nothing is stored."
)


@dataclass(frozen=True)
class HubPart:
    """`inputs` stand in the order of NAMES."""

    inputs: list
    add_btn: gr.Button

    @property
    def format_dd(self) -> gr.Dropdown:
        return self.inputs[NAMES.index("format")]

    @property
    def template_dd(self) -> gr.Dropdown:
        return self.inputs[NAMES.index("template")]


def hub_part() -> HubPart:
    """Lay the part out where it is called."""
    View("<p class='muted'>{{value}}</p>", LEAD)
    with gr.Row(elem_classes="field-grid"):
        dataset_tb = _line("Dataset", "hub-dataset", "Its name on the Hub: owner/name.")
        config_tb = _line("Configuration", "hub-config", "Where it has several; else leave it empty.")
        split_tb = _line("Split", "hub-split", "Such as train or test; empty takes all of them.")
        revision_tb = _line("Revision", "hub-revision", "A tag or commit; empty takes the newest.")
    with gr.Row(elem_classes="field-grid"):
        name_tb = _line("Corpus", "hub-name", "What its records go by; the dataset's name unless given.")
        licence_tb = _line("Licence or terms", "hub-licence", "As its owner states it on the Hub.")
        format_dd = gr.Dropdown(
            formats(), value=None, label="Rows are", elem_id="field-hub-format",
            info="What each row of the dataset holds.",
        )  # fmt: skip
        template_dd = gr.Dropdown(
            [], value=None, label="Template", elem_id="field-hub-template", info="Those for such rows."
        )
    with gr.Row(elem_classes="field-grid"):
        columns_tb = gr.Textbox(
            label="Columns", lines=2, elem_id="field-hub-columns", placeholder="sentence1: premise",
            info="A line for each that is named otherwise: what is read, a colon, the dataset's column.",
        )  # fmt: skip
        options_tb = gr.Textbox(
            label="Options", lines=2, elem_id="field-hub-options", placeholder="type: Disease",
            info="Of the format, a line each; none is needed for most.",
        )  # fmt: skip
    with gr.Row(elem_classes="actions"):
        add_btn = gr.Button("Add the dataset to the mixture", elem_id="add-hub-btn")
    inputs = [
        dataset_tb, config_tb, split_tb, revision_tb, name_tb, licence_tb, format_dd, template_dd, columns_tb,
        options_tb,
    ]  # fmt: skip
    return HubPart(inputs, add_btn)


def formats() -> list[tuple[str, str]]:
    """Those that read records; the others are for files."""
    return [(f"{each.title}: {each.holds}", each.name) for each in FORMATS.values() if each.rows]


def templates_for(format: str | None, own: list[dict]) -> gr.Dropdown:
    if format not in {name for _, name in formats()}:
        raise ValueError("format: choose one of those offered.")
    choices = template_choices(conversion_figures.shape_of(format), own)
    return gr.Dropdown(choices=choices, value=choices[0][1] if choices else None)


def hub_entry(values: tuple, own: list[dict]) -> Entry:
    """What is added to the mixture, its rows not counted yet. Raises ValueError naming the field."""
    said = {name: (value or "").strip() for name, value in zip(NAMES, values, strict=True)}
    wanted = {name: said[name] for name in ("config", "split", "revision")}
    asked = hub.Wanted(said["dataset"], **wanted, columns=lines_of("columns", said["columns"]))
    if said["format"] not in {name for _, name in formats()}:
        raise ValueError("format: choose what the rows of the dataset hold.")
    if not said["template"]:
        raise ValueError("template: choose one for such rows.")
    options = lines_of("options", said["options"])
    get_format(said["format"]).settle(options)
    template = base_of(said["template"], own)
    if template.shape != conversion_figures.shape_of(said["format"]):
        raise ValueError("template: it is for other rows; choose one of those offered.")
    source = Source(
        name=said["name"] or asked.name,
        path=hub.place_for(asked.name),
        format=said["format"],
        template=template.name,
        template_version=str(template.version),
        options=options,
        licence=said["licence"],
        own_template={} if is_shipped(template) else body_of(template),
        hub={"name": asked.name, **wanted, "columns": dict(asked.columns)},
    )
    return entry_of(source, f"{asked.name} of the Hub", template.title, {}, rows=0, lost=0)


def lines_of(field: str, text: str) -> dict[str, str]:
    """`name: value`, a line each. Raises ValueError naming the field and the line."""
    found = {}
    for number, line in enumerate(text.splitlines(), start=1):
        name, colon, value = (part.strip() for part in line.partition(":"))
        if line.strip() and not (name and colon and value):
            raise ValueError(f"{field}: line {number} is no name, colon and value; write it so.")
        if line.strip():
            found[name] = value
    return found


def _line(label: str, slug: str, info: str) -> gr.Textbox:
    return gr.Textbox(label=label, max_lines=1, max_length=200, elem_id=f"field-{slug}", info=info)
