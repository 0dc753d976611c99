"""The form that freezes a version: which dataset, which instructions, how split and how checked."""

from dataclasses import dataclass, field

import gradio as gr

from bioui.components.fold import fold
from bioui.components.freeze_screening import NAMES as SCREENING
from bioui.components.freeze_screening import ScreeningPart, Sought, screening_part, sought_of
from bioui.components.freeze_unreviewed import job_numbers, unreviewed_field, unreviewed_told
from bioui.components.problem import problem_area
from bioui.components.progress import progress_bar
from bioui.components.version_splits import CATEGORY_WORDS, SPLIT_WORDS
from bioui.components.view import View
from bioui.present import counted
from db import datasets
from db.datasets import Recipe
from db.enums import Category, Origin, Split
from db.recipes import NEAR, NearOn
from db.session import Session

COUNT = '<p class="count-line" role="status"><strong>{{value.count}}</strong>{{value.rest}}</p>'
NO_COUNT = {"count": "", "rest": ""}
FILTERS = ("categories", "origins", "task", "specialty", "text")
SHARES = ("validation", "test", "seed")
# The order of the form's inputs.
NAMES = (*FILTERS, *SHARES, "near", "near_on", "by_source", "unreviewed_runs", *SCREENING)
NEAR_ON = [
    ("Instruction and input", NearOn.PROMPT.value),
    ("The input alone, where there is one", NearOn.INPUT.value),
]


@dataclass(frozen=True)
class Chosen:
    """What the form says."""

    recipe: Recipe = field(default_factory=Recipe)
    sought: Sought = field(default_factory=Sought)


@dataclass(frozen=True)
class FreezeForm:
    """The form's components. `inputs` stand in the order of NAMES."""

    name_dd: gr.Dropdown
    inputs: list
    task_dd: gr.Dropdown
    specialty_dd: gr.Dropdown
    unreviewed_dd: gr.Dropdown
    screening: ScreeningPart
    count_html: View
    progress_html: View
    problem: View
    look_btn: gr.Button
    freeze_btn: gr.Button
    close_btn: gr.Button

    @property
    def counted(self) -> list:
        """The inputs that the count of instructions depends on."""
        return [*self.inputs[: len(FILTERS) + len(SHARES)], self.unreviewed_dd]


def freeze_form() -> FreezeForm:
    """Lay the form out where it is called."""
    with gr.Row(elem_classes="pane-head"):
        View('<h2 class="form-title">Freeze a version</h2>')
        close_btn = gr.Button("Close", size="sm", elem_classes="quiet")
    problem = problem_area()
    name_dd = gr.Dropdown(
        [], label="Dataset", allow_custom_value=True, elem_id="field-name", value=None,
        info="Choose one to add a version to it, or type the name of a new one.",
    )  # fmt: skip
    filters = _filter_fields()
    unreviewed_dd = unreviewed_field()
    shares = _share_fields()
    with fold("Near copies"), gr.Row(elem_classes="field-row"):
        near_nb = gr.Number(
            NEAR, label="Near-duplicate bound", elem_id="field-near", step=0.05,
            info="Rows with a ROUGE-L F1 above it share a split: none is tested on what it was shown.",
        )  # fmt: skip
        near_on_radio = gr.Radio(
            NEAR_ON, value=NearOn.PROMPT.value, label="Measured on", elem_classes="stacked",
            info="The input alone suits rows that share an instruction's wording.",
        )  # fmt: skip
    by_source_cb = gr.Checkbox(
        True, label="Rows of a corpus keep their source's split",
        info="Test rows of a published corpus stay test rows. Shares and seed are for all the others.",
    )  # fmt: skip
    screening = screening_part()
    count_html = View(COUNT, NO_COUNT)
    with gr.Row(elem_classes="actions"):
        freeze_btn = gr.Button("Freeze", variant="primary")
        look_btn = gr.Button("Look first")
    progress_html = progress_bar()
    inputs = [*filters, *shares, near_nb, near_on_radio, by_source_cb, unreviewed_dd, *screening.inputs]
    return FreezeForm(
        name_dd, inputs, filters[2], filters[3], unreviewed_dd, screening, count_html, progress_html, problem,
        look_btn, freeze_btn, close_btn,
    )  # fmt: skip


def chosen_of(values: tuple) -> Chosen:
    """What the inputs, in the order of NAMES, say. Raises ValueError naming the field."""
    own = len(NAMES) - len(SCREENING)
    return Chosen(recipe_of(*values[:own]), sought_of(*values[own:]))


def recipe_of(
    categories,
    origins,
    task,
    specialty,
    text,
    validation=0.0,
    test=0.0,
    seed=0.0,
    near=NEAR,
    near_on="",
    by_source=True,
    unreviewed_runs=(),
) -> Recipe:
    """The recipe that the form says. Raises ValueError naming the field."""
    if near is None:
        raise ValueError("near: give a score above 0 and up to 1, such as 0.7.")
    return Recipe(
        categories=tuple(Category(name) for name in categories or ()),
        origins=tuple(Origin(name) for name in origins or ()),
        task=task or "",
        specialty=specialty or "",
        text=(text or "").strip(),
        validation=_share("validation", validation),
        test=_share("test", test),
        seed=_whole_seed(seed),
        near=near,
        near_on=NearOn(near_on or NearOn.PROMPT),
        by_source=bool(by_source),
        unreviewed_runs=job_numbers(unreviewed_runs),
    )


def count_value(session: Session, project_id: int, chosen: Recipe, validation, test) -> dict:
    """What freezing would take: `63 approved instructions: 24 QA, ...`, what is unreviewed, the split."""
    by_category = datasets.count_eligible(session, project_id, chosen)
    approved = sum(by_category.values())
    waiting, told = unreviewed_told(session, project_id, chosen)
    if not approved and not waiting:
        said = told or "Approve some, or widen the filter."
        return {"count": "No approved instruction matches.", "rest": f" {said}"}
    parts = [f"{by_category[name]:,} {CATEGORY_WORDS[name]}" for name in Category if by_category.get(name)]
    named = f": {', '.join(parts)}." if parts else "."
    rest = [named, told, _split_sentence(approved + waiting, validation, test)]
    return {"count": counted(approved, "approved instruction"), "rest": " ".join(filter(None, rest))}


def _filter_fields() -> list:
    """Categories, origins, task, specialty, text: as FILTERS names them."""
    categories_cbg = gr.CheckboxGroup(
        [(CATEGORY_WORDS[name], name.value) for name in Category], label="Categories",
        info="None ticked takes all of them.",
    )  # fmt: skip
    with gr.Row(elem_classes="field-row"):
        task_dd = gr.Dropdown([("Any", "")], value="", label="Task", info="Take one task only.")
        specialty_dd = gr.Dropdown(
            [("Any", "")], value="", label="Specialty", info="Take one specialty only."
        )
    with gr.Row(elem_classes="field-row"):
        origins_dd = gr.Dropdown(
            [(name.value.capitalize(), name.value) for name in Origin], label="Origin", multiselect=True,
            info="How they came into the studio.",
        )  # fmt: skip
        text_tb = gr.Textbox(label="Text", info="Words that must occur in them.", elem_id="field-filter")
    return [categories_cbg, origins_dd, task_dd, specialty_dd, text_tb]


def _share_fields() -> list:
    """Validation, test, seed."""
    with gr.Row(elem_classes="field-row"):
        return [
            gr.Number(0.1, label="Validation", info="Share measured while training.", step=0.05,
                      elem_id="field-validation"),
            gr.Number(0.1, label="Test", info="Share kept for the end.", elem_id="field-test", step=0.05),
            gr.Number(0, label="Seed", info="The same seed gives the same split.", elem_id="field-seed",
                      step=1),
        ]  # fmt: skip


def _split_sentence(total: int, validation: float | None, test: float | None) -> str:
    try:
        shares = Recipe(validation=_share("validation", validation), test=_share("test", test))
    except ValueError:
        return ""  # said at the field when the button is pressed
    counts = (round(total * shares.validation), round(total * shares.test))
    parts = zip((max(0, total - sum(counts)), *counts), Split, strict=True)
    return "Split: " + ", ".join(f"{count:,} to {SPLIT_WORDS[split]}" for count, split in parts) + "."


def _share(field: str, share: float | None) -> float:
    if share is None:
        raise ValueError(f"{field}: give a share of the rows, from 0 to below 1, such as 0.1.")
    return share


def _whole_seed(seed: float | None) -> int:
    if seed is None or seed != int(seed) or not 0 <= seed < 2**31:
        raise ValueError("seed: give a whole number from 0 to 2,147,483,647.")
    return int(seed)
