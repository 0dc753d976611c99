"""The form of a judge run: whose answers, which endpoint and rubric, and what it may cost."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from hashlib import sha256
from json import dumps
from typing import Any

import gradio as gr

from bioui.components.fold import fold
from bioui.components.problem import problem_area
from bioui.components.view import View
from bioui.present import counted
from db import endpoints, evaluations, specs
from db.judge_runs import Estimate
from db.judge_spec import JudgeSpec
from db.judging import rubrics
from db.session import Session

SUBJECT = ("evaluation_id", "against_id", "endpoint_id", "rubric", "limit")
SETTINGS = (
    "pairs", "grades", "strip_style", "temperature", "max_tokens", "timeout", "tries", "budget_tokens",
    "budget_money", "seed", "resumes",
)  # fmt: skip
FIELDS = (*SUBJECT, *SETTINGS)  # the order of the inputs
DEFAULTS = {option.name: option.default for option in fields(JudgeSpec)}
LABELS = {
    "evaluation_id": "Answers",
    "against_id": "Compared with",
    "endpoint_id": "Judge",
    "limit": "Rows",
    "pairs": "Compare pairs",
    "grades": "Grade each answer",
    "strip_style": "Take looks out",
    "max_tokens": "Longest verdict",
    "budget_tokens": "Budget in tokens",
    "budget_money": "Budget in money",
    "resumes": "Go on by itself",
}
_HELP = {
    "evaluation_id": "The evaluation whose answers are judged.",
    "against_id": "Another evaluation of the same frozen task. Without one, answers are only graded.",
    "endpoint_id": "The model that judges, of the Endpoints page. It sees prompts, references and answers.",
}
COST = '{{#if value}}<p class="field-help" role="status">{{value}}</p>{{/if}}'


@dataclass(frozen=True)
class JudgeForm:
    """The form's components; `inputs` stand in the order of FIELDS."""

    inputs: list[gr.components.Component]
    problem: View
    cost: View
    start_btn: gr.Button

    @property
    def choices(self) -> list[gr.components.Component]:
        """The fields whose choices come from the database: answers, compared with, judge."""
        return self.inputs[:3]


def judge_form() -> JudgeForm:
    """Lay the form out where it is called."""
    problem = problem_area()
    subject = [_choice(name) for name in SUBJECT[:3]]
    subject.append(
        gr.Dropdown(
            [(f"{one.title} ({one.label})", one.label) for one in rubrics.list_rubrics()],
            value=rubrics.get_rubric(DEFAULTS["rubric"]).label,
            label="Rubric",
            info="What the judge looks at. A change of its words is a new version.",
            elem_id="field-rubric",
        )
    )
    subject.append(_field("limit"))
    with fold("How it is asked"), gr.Row(elem_classes="field-grid"):
        settings = [_field(name) for name in SETTINGS]
    cost = View(COST, "")
    with gr.Row(elem_classes="actions"):
        start_btn = gr.Button("Start judging", variant="primary")
    return JudgeForm([*subject, *settings], problem, cost, start_btn)


def choices(session: Session, project_id: int, evaluation_id: int = 0) -> tuple:
    """Updates of the three fields; of `evaluation_id` the other evaluations of its task are offered."""
    known = evaluations.list_evaluations(session, project_id, is_finished=True)
    chosen = next((one for one in known if one.id == evaluation_id), None)
    others = [
        one for one in known if chosen and one.task_version_id == chosen.task_version_id and one is not chosen
    ]
    served = [(endpoint.name, endpoint.id) for endpoint in endpoints.list_endpoints(session)]
    return (
        gr.Dropdown(choices=[_named(one) for one in known], value=evaluation_id if chosen else None),
        gr.Dropdown(choices=[("None: only grade", 0), *map(_named, others)], value=_base_of(chosen, others)),
        gr.Dropdown(choices=served, value=served[0][1] if len(served) == 1 else None),
    )


def spec_of(values: tuple) -> JudgeSpec:
    """What the form says. Raises ValueError naming the field."""
    given: Mapping[str, Any] = dict(zip(FIELDS, values, strict=True))
    for name in ("evaluation_id", "endpoint_id", "rubric"):
        if not given[name]:
            raise ValueError(f"{label_of(name).lower()}: none is chosen; choose one.")
    for name in (*SUBJECT[4:], *SETTINGS):
        if given[name] is None:
            raise ValueError(f"{label_of(name).lower()}: it is empty; {DEFAULTS[name]} is a safe value.")
    return JudgeSpec(**{**given, "against_id": given["against_id"] or 0})


def request_key(form_key: str, spec: JudgeSpec) -> str:
    """The same for two presses of one button on one unchanged form."""
    said = dumps(specs.to_json(spec), sort_keys=True)
    return f"judge:{form_key}:{sha256(said.encode()).hexdigest()[:16]}"


def cost_words(most: Estimate) -> str:
    money = f" and {most.money:,.2f} at the endpoint's prices" if most.money else ""
    asked = f"{counted(most.calls, 'verdict')} for {counted(most.rows, 'row')}"
    return f"{asked}: at most {most.tokens:,} tokens{money}."


def label_of(name: str) -> str:
    """What people call a setting."""
    return LABELS.get(name, name.replace("_", " ").capitalize())


def _named(evaluation) -> tuple[str, int]:
    words = f"{evaluations.title_of(evaluation)} on {evaluation.task_version.name}"
    return f"{words} ({evaluation.way}, number {evaluation.id})", evaluation.id


def _base_of(chosen, others) -> int:
    """The newest evaluation of the chosen one's own base, 0 for none."""
    if chosen is None or chosen.adapter_id is None:
        return 0
    bases = [one for one in others if one.adapter_id is None and one.base_model_id == chosen.base_model_id]
    return next((one.id for one in bases if one.way == chosen.way), 0)


def _choice(name: str) -> gr.Dropdown:
    slug = f"field-{label_of(name).lower().replace(' ', '-')}"
    return gr.Dropdown([], label=label_of(name), info=_HELP[name], elem_id=slug)


def _field(name: str) -> gr.components.Component:
    default = DEFAULTS[name]
    options = {
        "label": label_of(name),
        "info": specs.help_for(JudgeSpec, name),
        "elem_id": f"field-{label_of(name).lower().replace(' ', '-')}",
    }
    if isinstance(default, bool):
        return gr.Checkbox(default, **options)
    return gr.Number(default, **options)
