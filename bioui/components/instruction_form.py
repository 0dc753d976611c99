"""The form of one instruction, and what was typed in it."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import wraps

import gradio as gr

from bioui.components.checks import checks
from bioui.components.view import View
from db.content import Content
from db.enums import Category

CATEGORIES = [
    ("Question answering", Category.QA.value),
    ("Information extraction", Category.IE.value),
    ("Generation", Category.GEN.value),
    ("Other", Category.OTHER.value),
]
DIFFICULTIES = [
    ("1  a student knows", 1),
    ("2  a graduate knows", 2),
    ("3  a clinician works it out", 3),
    ("4  an expert knows", 4),
    ("5  a specialist thinks", 5),
]


@dataclass(frozen=True)
class Typed:
    """What stands in the form, as the browser sent it, in the order of `Form.inputs`."""

    instruction: str = ""
    input: str = ""
    output: str = ""
    category: str | None = None
    difficulty: int | None = None
    task: str | None = ""
    specialty: str | None = ""
    tags: str = ""
    source: str = ""
    reason: str = ""

    def content(self) -> Content:
        """Raises ValueError naming the field."""
        return Content(
            instruction=self.instruction or "",
            input=self.input or "",
            output=self.output or "",
            category=Category(self.category or Category.OTHER),
            task=self.task or "",
            specialty=self.specialty or "",
            difficulty=int(self.difficulty or 3),
            tags=tuple((self.tags or "").split(",")),
            source=self.source or "",
        )

    @classmethod
    def of(cls, content: Content) -> "Typed":
        values = {**content.columns(), "tags": ", ".join(content.tags), "category": content.category.value}
        return cls(**values)

    @classmethod
    def labelled(cls, params: Mapping[str, str]) -> "Typed":
        """An empty form with the labels that a link names, such as those of a cell of the coverage."""
        level = params.get("difficulty", "")
        labels = {name: params[name] for name in ("task", "specialty") if params.get(name)}
        if params.get("category") in list(Category):
            labels["category"] = params["category"]
        return replace(BLANK, **labels, **({"difficulty": int(level)} if level in "12345" and level else {}))

    def values(self) -> list:
        """For the form's components, in order."""
        return [getattr(self, field) for field in self.__dataclass_fields__]


BLANK = Typed(category=Category.QA.value, difficulty=3)


def with_typed(handler: Callable) -> Callable:
    """`handler(record, typed, ...)` as Gradio calls it: with the form's fields one by one.

    Gradio counts a handler's parameters, and finds its event and its request by their annotations: so the
    signature says what is taken.
    """
    first, _typed, *others = inspect.signature(handler).parameters.values()
    place = inspect.Parameter.POSITIONAL_OR_KEYWORD
    fields = [inspect.Parameter(name, place) for name in Typed.__dataclass_fields__]
    signature = inspect.Signature([first, *fields, *others])

    @wraps(handler)
    def flat(*args, **kwargs):
        given = signature.bind(*args, **kwargs).args
        return handler(given[0], Typed(*given[1 : 1 + len(fields)]), *given[1 + len(fields) :])

    flat.__signature__ = signature
    flat.__annotations__ = {one.name: one.annotation for one in others}
    return flat


@dataclass(frozen=True)
class Form:
    """The components of the form: `inputs` in the order of Typed; `checks_html` has the event `pause`."""

    inputs: list
    task_dd: gr.Dropdown
    specialty_dd: gr.Dropdown
    checks_html: View


def instruction_form() -> Form:
    """Lay out the form. Its problems land under `field-<name>`."""
    with gr.Column(elem_id="instruction-form", elem_classes="instruction-form"):
        instruction_tb = gr.Textbox(
            label="Instruction",
            info="What the model is asked to do: who asks, for what, in which form.",
            elem_id="field-instruction",
            elem_classes="reading-field",
            lines=3,
            max_lines=16,
        )
        input_tb = gr.Textbox(
            label="Input",
            info="The passage, note or question it works on. Leave it empty where the instruction says all.",
            elem_id="field-input",
            elem_classes="reading-field",
            lines=4,
            max_lines=24,
        )
        output_tb = gr.Textbox(
            label="Output",
            info="The answer a careful expert would give, complete and checkable.",
            elem_id="field-output",
            elem_classes="reading-field",
            lines=5,
            max_lines=24,
        )
        checks_html = checks()
        category_radio = gr.Radio(
            CATEGORIES,
            label="Category",
            info="The group BioInstruct reports it under.",
            elem_id="field-category",
        )
        with gr.Row(elem_classes="pairs"):
            task_dd = gr.Dropdown(
                [],
                label="Task",
                info="Such as qa or named_entity_recognition. Choose one, or write a new one.",
                allow_custom_value=True,
                elem_id="field-task",
            )
            specialty_dd = gr.Dropdown(
                [],
                label="Specialty",
                info="The field of medicine whose experts would judge it.",
                allow_custom_value=True,
                elem_id="field-specialty",
            )
        difficulty_radio = gr.Radio(
            DIFFICULTIES, label="Difficulty", info="Who can answer it.", elem_id="field-difficulty"
        )
        with gr.Row(elem_classes="pairs"):
            tags_tb = gr.Textbox(
                label="Tags", info="Words to find it by, with commas between them.", elem_id="field-tags"
            )
            source_tb = gr.Textbox(
                label="Source", info="Where the text comes from, and its licence.", elem_id="field-source"
            )
        reason_tb = gr.Textbox(
            label="What changed",
            info="One line for the history; may stay empty.",
            elem_id="field-reason",
        )
    inputs = [instruction_tb, input_tb, output_tb, category_radio, difficulty_radio, task_dd, specialty_dd]
    return Form([*inputs, tags_tb, source_tb, reason_tb], task_dd, specialty_dd, checks_html)


def label_choices(used: Mapping[str, list[str]]) -> tuple[dict, dict]:
    """Updates that suggest the tasks and the specialties in use (`search.used_labels`)."""
    return gr.update(choices=used["task"]), gr.update(choices=used["specialty"])
