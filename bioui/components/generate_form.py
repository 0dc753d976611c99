"""The form of a generation run: who is asked, what it is shown, how much is wanted, what it may cost."""

from dataclasses import dataclass, fields
from typing import Any

import gradio as gr

from bioui.components.fold import fold
from bioui.components.problem import problem_area
from bioui.components.version_panel import version_name
from bioui.components.view import View
from db import datasets, endpoints, generation_templates, projects, specs
from db.generate_spec import GenerateSpec
from db.generating import profiles
from db.session import Session

NAMES = (
    "endpoint_id", "name", "mode", "aim", "template_id", "target", "seeds_per_call", "per_call",
    "by_category", "shares", "budget_tokens", "budget_money", "budget_hours", "profile", "against",
    "temperature", "seed", "max_tokens", "timeout", "tries", "patience",
)  # fmt: skip
BUDGETS = ("budget_tokens", "budget_money", "budget_hours")
WHOLE = (
    "target", "seeds_per_call", "per_call", "budget_tokens", "seed", "max_tokens", "tries", "patience",
)  # fmt: skip
MODES = {
    "grow": "Grow new instructions",
    "evolve": "Evolve seeds",
    "answer_only": "Answer seeds again",
    "from_passage": "Draft from passages",
}
MODE_HELP = {
    "grow": "A few seeds are shown, and new ones like them are asked for.",
    "evolve": "One seed is made deeper, narrower or fit for other readers; new ones name it as their parent.",
    "answer_only": "One seed's question is answered anew; the new record names it as its parent.",
    "from_passage": "The input of a seed is the passage; what is not grounded in it is dropped.",
}
AIMS = [
    ("Deepen: more steps, more knowledge", "deepen"),
    ("Constrain: one more condition", "constrain"),
    ("For other readers", "audience"),
]
DEFAULTS = {option.name: option.default for option in fields(GenerateSpec)}
OWN_TEMPLATE = ("The studio's own", 0)
LABELS = {
    "target": "Kept records wanted",
    "seeds_per_call": "Seeds in a prompt",
    "per_call": "New ones asked in a call",
    "budget_tokens": "Tokens at most",
    "budget_money": "Money at most",
    "budget_hours": "Hours at most",
    "max_tokens": "Longest reply",
    "timeout": "Wait for a reply",
    "tries": "Tries for a call",
    "patience": "Patience",
}


@dataclass(frozen=True)
class GenerateForm:
    """The form's components. `inputs` stand in the order of NAMES."""

    inputs: list
    aim_dd: gr.Dropdown
    problem: View
    start_btn: gr.Button
    another_btn: gr.Button
    prompt_column: gr.Column

    def input(self, name: str):
        return self.inputs[NAMES.index(name)]


def generate_form() -> GenerateForm:
    """Lay the form out where it is called; what a run would ask goes into `prompt_column`."""
    problem = problem_area()
    with gr.Row(elem_classes="field-row"):
        endpoint_dd = gr.Dropdown(
            [],
            label="Endpoint",
            elem_id="field-endpoint",
            info="The server that writes. It is shown the seeds.",
        )
        name_tb = gr.Textbox(
            label="Name", max_lines=1, max_length=80, elem_id="field-name",
            info="What the run is called, in lists and records.",
        )  # fmt: skip
    mode_radio = gr.Radio(
        [(words, mode) for mode, words in MODES.items()], value="grow", label="Mode", elem_id="field-mode",
        info=MODE_HELP["grow"],
    )  # fmt: skip
    with gr.Row(elem_classes="field-row"):
        template_dd = gr.Dropdown(
            [OWN_TEMPLATE], value=0, label="Prompt template", elem_id="field-template",
            info="Templates are written under Prompt templates.",
        )  # fmt: skip
        aim_dd = gr.Dropdown(
            AIMS, value="deepen", label="How seeds evolve", elem_id="field-aim", visible=False,
            info="What is asked of each seed.",
        )  # fmt: skip
    with gr.Row(elem_classes="field-grid"):
        amounts = [_number(name) for name in ("target", "seeds_per_call", "per_call")]
    category_cb = gr.Checkbox(
        False, label="Draw from all categories alike", elem_id="field-by-category",
        info="Each prompt shows seeds of as many categories as there are, however many seeds each has.",
    )  # fmt: skip
    shares_tb = gr.Textbox(
        label="Shares of the categories", max_lines=1, max_length=80, elem_id="field-shares",
        placeholder="QA 23, IE 34, GEN 33, OTHER 10",
        info="How many of the new ones are to be of each; empty leaves it to the model. "
        "BioInstruct came to QA 22.8, IE 33.8, GEN 33.5, OTHER 10.",
    )  # fmt: skip
    with gr.Row(elem_classes="field-grid"):
        budgets = [_number(name) for name in BUDGETS]
    with fold("More settings"), gr.Row(elem_classes="field-grid"):
        profile_dd = gr.Dropdown([], label="Filters", elem_id="field-profile", info="What drops a record.")
        against_dd = gr.Dropdown(
            [], value=[], multiselect=True, label="Evaluation sets", elem_id="field-against",
            info=specs.help_for(GenerateSpec, "against"),
        )  # fmt: skip
        more = [
            _number(name) for name in ("temperature", "seed", "max_tokens", "timeout", "tries", "patience")
        ]
    prompt_column = gr.Column(elem_classes="generate-prompt-column")
    with gr.Row(elem_classes="actions"):
        start_btn = gr.Button("Start the run", variant="primary", elem_id="start-btn")
        another_btn = gr.Button("Another draw", elem_id="another-btn")
    inputs = [
        endpoint_dd, name_tb, mode_radio, aim_dd, template_dd, *amounts, category_cb, shares_tb,
        *budgets, profile_dd, against_dd, *more,
    ]  # fmt: skip
    return GenerateForm(inputs, aim_dd, problem, start_btn, another_btn, prompt_column)


def spec_of(values: tuple[Any, ...]) -> tuple[str, GenerateSpec]:
    """The run's name and spec, from values in the order of NAMES. Raises ValueError naming the field."""
    given = dict(zip(NAMES, values, strict=True))
    name = (given.pop("name") or "").strip()
    if not given["endpoint_id"]:
        raise ValueError("endpoint: choose the server that writes; add one under Endpoints if there is none.")
    for field, value in given.items():
        if value is None and field not in ("aim", "profile", "against", "shares"):
            label = LABELS.get(field, field.replace("_", " ").capitalize())
            raise ValueError(f"{field.replace('_', ' ')}: {label} is empty; {DEFAULTS[field]} is usual.")
    given |= {name: given[name] or DEFAULTS[name] for name in ("profile", "aim", "shares")}
    given["against"] = tuple(given["against"] or ())
    return name, GenerateSpec(**given)


def endpoint_choices(session: Session) -> list[tuple[str, int]]:
    return [(f"{one.name} ({one.model})", one.id) for one in endpoints.list_endpoints(session)]


def template_choices(session: Session, project_id: int, mode: str) -> list[tuple[str, int]]:
    """The templates of a mode: the studio's own, then the project's, the newest first."""
    stored = generation_templates.list_templates(session, project_id)
    return [
        OWN_TEMPLATE,
        *((f"{row.name}, version {row.number}", row.id) for row in stored if row.body["mode"] == mode),
    ]


def version_choices(session: Session, project_id: int) -> list[tuple[str, int]]:
    """The frozen versions of a project: what models will be measured on may not be generated."""
    return [(version_name(version), version.id) for version in datasets.list_versions(session, project_id)]


def profile_choices(session: Session, project_id: int) -> list[tuple[str, str]]:
    chosen = profiles.profile_of(projects.get_project(session, project_id)).name
    return [(f"The project's own ({chosen})", ""), *((name, name) for name in profiles.SHIPPED)]


def _number(name: str) -> gr.Number:
    return gr.Number(
        DEFAULTS[name],
        label=LABELS.get(name, name.replace("_", " ").capitalize()),
        info=specs.help_for(GenerateSpec, name),
        elem_id=f"field-{name.replace('_', '-')}",
        precision=0 if name in WHOLE else None,
    )
