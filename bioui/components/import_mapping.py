"""Which column of a file becomes which field of a record, and what else is to be said of its rows."""

from dataclasses import dataclass

import gradio as gr

from bioui.components.instruction_form import CATEGORIES
from bioui.components.view import View
from db.enums import Category, Provenance
from db.exchange.plan import ImportOptions
from db.exchange.survey import Survey

# field -> (its label, what it is for), in the order of a record
FIELDS = {
    "conversation": ("Conversation", "A list of turns; the first question and the last answer are taken."),
    "instruction": ("Instruction", "What the model is asked to do."),
    "input": ("Input", "The text that it is about."),
    "output": ("Output", "The answer a careful expert would give."),
    "category": ("Category", "QA, IE, GEN or OTHER."),
    "task": ("Task", "Such as qa, ner, summarization."),
    "specialty": ("Specialty", ""),
    "difficulty": ("Difficulty", "1 to 5."),
    "tags": ("Tags", "A list, or words between semicolons."),
    "source": ("Source", ""),
    "key": ("Key", "The row's own name: a row with a known one changes that record."),
    "licence": ("Licence", ""),
    "provenance": ("Provenance", "native, synthetic or translated."),
}
PROVENANCES = [
    ("People wrote it", Provenance.NATIVE.value),
    ("A model wrote it", Provenance.SYNTHETIC.value),
    ("Translated", Provenance.TRANSLATED.value),
]
NO_COLUMN = ("Not in the file", "")
OPTIONS = (
    "category", "task", "specialty", "provenance", "licence", "is_restricted", "flatten", "keep_system",
)  # fmt: skip
FORM = (*(f"column_of_{name}" for name in FIELDS), *OPTIONS)
"""The names of what the form gives, in the order of `Mapping.inputs`."""

FIELD = '<p class="map-label"><b>{{value.label}}</b>{{#if value.help}}<span>{{value.help}}</span>{{/if}}</p>'
VALUES = (
    '{{#if value.values}}<ul class="map-values">{{#each value.values}}<li>{{this}}</li>{{/each}}</ul>'
    '{{else}}<p class="map-none">{{value.none}}</p>{{/if}}'
)
NO_VALUES = {"values": [], "none": ""}


@dataclass(frozen=True)
class Mapping:
    """`columns` are the dropdowns and `values` the views of first values, both in the order of FIELDS;
    `inputs` gives FORM; `talk` are the parts for files of conversations, `outputs` all that a file sets.
    """

    columns: list[gr.Dropdown]
    values: list[View]
    options: list
    talk: list

    @property
    def inputs(self) -> list:
        return [*self.columns, *self.options]

    @property
    def outputs(self) -> list:
        return [*self.columns, *self.values, *self.talk]


def mapping_updates(survey: Survey | None) -> list:
    """For `Mapping.outputs`: the guess, the first values of its columns; None empties the form."""
    names = survey.columns if survey else ()
    guess = survey.mapping if survey else {}
    choices = [NO_COLUMN, *((name, name) for name in names)]
    columns = [gr.update(choices=choices, value=guess.get(name, "")) for name in FIELDS]
    values = [values_of(survey, guess.get(name, "")) for name in FIELDS]
    talks = bool(survey and survey.has_conversations)
    return [*columns, *values, gr.update(visible=talks), gr.update(visible=talks)]


def values_of(survey: Survey | None, column: str) -> dict:
    """The first values of a column."""
    if not survey or not column:
        return NO_VALUES
    found = survey.first_values.get(column, ())
    return {"values": list(found), "none": "" if found else "Empty in the first rows."}


def options_of(values: tuple) -> ImportOptions:
    """What the form says. Raises ValueError naming the field."""
    columns, given = values[: len(FIELDS)], dict(zip(OPTIONS, values[len(FIELDS) :], strict=True))
    mapping = {name: column for name, column in zip(FIELDS, columns, strict=True) if column}
    twice = next((column for column in mapping.values() if list(mapping.values()).count(column) > 1), None)
    if twice is not None:
        first, second = [FIELDS[name][0] for name, column in mapping.items() if column == twice][:2]
        raise ValueError(f"columns: {twice[:40]} is chosen for {first} and for {second}; choose one of them.")
    return ImportOptions(
        mapping=mapping,
        flatten=bool(given["flatten"]),
        keep_system=bool(given["keep_system"]),
        category=Category(given["category"] or Category.OTHER),
        task=given["task"] or "",
        specialty=given["specialty"] or "",
        provenance=Provenance(given["provenance"] or Provenance.NATIVE),
        licence=given["licence"] or "",
        is_restricted=bool(given["is_restricted"]),
    )


def mapping_form() -> Mapping:
    columns, values, talk = [], [], []
    with gr.Column(elem_classes="map", elem_id="field-columns"):
        for name, (label, help) in FIELDS.items():
            with gr.Row(elem_classes="map-row", visible=name != "conversation") as row:
                View(FIELD, {"label": label, "help": help}, elem_classes="map-field")
                columns.append(
                    gr.Dropdown(
                        [NO_COLUMN], value="", label=f"Column of {label.lower()}", show_label=False,
                        container=False, min_width=160, elem_id=f"column-{name}", elem_classes="map-column",
                    )
                )  # fmt: skip
                values.append(View(VALUES, NO_VALUES, elem_classes="map-first"))
            if name == "conversation":
                talk.append(row)
    options, talks = _options()
    return Mapping(columns, values, options, [*talk, talks])


def _options() -> tuple[list, gr.Column]:
    """(the fields of OPTIONS in order, the part that is for conversations)."""
    with gr.Row(elem_classes="field-grid"):
        task_tb = gr.Textbox(
            label="Task of rows that name none", info="Such as qa. Without a task a row stays a draft.",
            elem_id="import-task",
        )  # fmt: skip
        category_dd = gr.Dropdown(
            CATEGORIES, value=Category.QA.value, label="Category of those rows", elem_id="import-category",
            info="Used where a task is given.",
        )  # fmt: skip
        specialty_tb = gr.Textbox(
            label="Specialty of those rows", info="May stay empty.", elem_id="import-specialty"
        )
        licence_tb = gr.Textbox(
            label="Licence of rows that name none", info="Such as CC BY 4.0.", elem_id="import-licence"
        )
    provenance_radio = gr.Radio(
        PROVENANCES, value=Provenance.NATIVE.value, label="Who wrote the text", elem_classes="in-line",
        info="Kept with every row, so that a data set can say what it is made of.",
    )  # fmt: skip
    restricted_check = gr.Checkbox(
        label="These rows are under a data-use agreement", elem_id="import-restricted",
        info="They never leave the studio: no export and no push to the Hub takes them.",
    )  # fmt: skip
    with gr.Column(visible=False, elem_classes="talk-options") as talks:
        flatten_check = gr.Checkbox(
            label="Write the turns between the first question and the last answer into the input",
            info="Without it a conversation of more than two turns is invalid.", elem_id="import-flatten",
        )  # fmt: skip
        system_check = gr.Checkbox(
            label="Put a system message before the instruction", info="Without it, it is left out.",
            elem_id="import-system",
        )  # fmt: skip
    fields = [
        category_dd, task_tb, specialty_tb, provenance_radio, licence_tb, restricted_check, flatten_check,
        system_check,
    ]  # fmt: skip
    return fields, talks
