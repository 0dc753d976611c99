"""The form of one instruction, and what the page says about the text while it is typed."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import gradio as gr

from bioui.components.view import View
from bioui.components.word_diff import PARTS, word_diff
from bioui.present import counted, shortened
from db import duplicates, instructions, search
from db.checks import quality
from db.content import Content
from db.duplicates import Kind, Near
from db.enums import Category
from db.session import Session

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

# Typing pauses -> the View's `pause` event. Nothing is sent while keys are still coming.
PAUSE_SECONDS = 0.6
PAUSE = """
let timer = 0;
document.addEventListener('input', (event) => {
  if (!event.target.closest('SELECTOR')) return;
  UNSAVED
  clearTimeout(timer);
  timer = setTimeout(() => trigger('pause', {}), MILLISECONDS);
});
"""
SHOW_SUMMARY = """
watch('value', () => {
  const note = document.getElementById('checks-note');
  if (note) note.textContent = props.value.summary || '';
});
"""

CHECKS = Path(__file__).with_name("checks.hbs").read_text(encoding="utf-8").replace("@parts", PARTS)
NO_CHECKS = {"ready": False}


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

    def values(self) -> list:
        """For the form's components, in order."""
        return [getattr(self, field) for field in self.__dataclass_fields__]


BLANK = Typed(category=Category.QA.value, difficulty=3)


def with_typed(handler: Callable) -> Callable:
    """`handler(first, typed, request)` as Gradio calls it: with the form's fields one by one."""

    def flat(
        first,
        instruction: str,
        input: str,
        output: str,
        category: str,
        difficulty: int,
        task: str,
        specialty: str,
        tags: str,
        source: str,
        reason: str,
        request: gr.Request,
    ):
        typed = Typed(instruction, input, output, category, difficulty, task, specialty, tags, source, reason)
        return handler(first, typed, request)

    flat.__name__, flat.__module__, flat.__doc__ = handler.__name__, handler.__module__, handler.__doc__
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
        checks_html = View(CHECKS, NO_CHECKS, on_load=pause("#instruction-form", unsaved=True) + SHOW_SUMMARY)
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


def pause(selector: str, *, unsaved: bool = False) -> str:
    """JavaScript for a View: `pause` is triggered when typing inside `selector` has rested."""
    return (
        PAUSE.replace("SELECTOR", selector)
        .replace("UNSAVED", "document.body.dataset.unsaved = '1';" if unsaved else "")
        .replace("MILLISECONDS", str(int(PAUSE_SECONDS * 1000)))
    )


def checks_value(session: Session, project_id: int, typed: Typed, record_id: int) -> dict:
    """Counts, advice and the nearest stored instruction for what stands in the form."""
    if not (typed.instruction or "").strip():
        return NO_CHECKS
    content = typed.content()
    advice, near = advice_value(content), near_value(session, project_id, content, record_id)
    lengths = [("instruction", content.instruction), ("input", content.input), ("output", content.output)]
    return {
        "ready": True,
        "counts": [
            {"words": f"{len(text.split()):,}", "label": f"words of {name}"} for name, text in lengths if text
        ],
        "tokens": f"{about_tokens(content):,}",
        "advice": advice,
        "near": near,
        "summary": _summary(advice, near),
    }


def advice_value(content: Content) -> list[dict]:
    """quality.advise, the field apart from the sentence."""
    return [
        dict(zip(("field", "sentence"), told.split(": ", 1), strict=True)) for told in quality.advise(content)
    ]


def near_value(session: Session, project_id: int, content: Content, record_id: int) -> dict | None:
    """The stored instruction that decides about the text; where it is near, with what differs."""
    found = duplicates.find_near(session, project_id, content, except_ids={record_id})
    if found is None:
        return None
    stored = instructions.get_instruction(session, found.id)
    theirs = duplicates.text_of(stored.instruction, stored.input)
    ours = duplicates.text_of(content.instruction, content.input)
    is_near = found.kind is not Kind.NONE
    return {
        "id": found.id,
        "score": f"{found.score:.2f}",
        "is_copy": found.stops,
        "title": f"Near {found.kind}." if is_near else "",
        "told": _near_told(found),
        "href": f"/curate?project={project_id}&id={found.id}",
        "parts": word_diff(theirs, ours) if is_near else [{"text": shortened(theirs, 400)}],
    }


def _near_told(found: Near) -> str:
    if found.stops:
        return f", above {found.bound:.2f}. Change yours, or edit that one instead."
    if found.kind is Kind.VARIANT:
        return f". Each names something that the other does not: it passes up to {found.bound:.2f}."
    return ""


def _summary(advice: list[dict], near: dict | None) -> str:
    """One line for beside the buttons, where the checks themselves may be out of sight."""
    said = [f"{near['title'].removesuffix('.')} of number {near['id']}"] if near and near["is_copy"] else []
    return ". ".join([*said, counted(len(advice), "remark")] if advice else said)


def about_tokens(content: Content) -> int:
    """Tokens of the whole record by the rule of thumb of four characters each."""
    return round(sum(len(text) for text in (content.instruction, content.input, content.output)) / 4)


def label_choices(session: Session, project_id: int) -> tuple[dict, dict]:
    """Updates that suggest the tasks and the specialties in use."""
    used = search.used_labels(session, project_id)
    return gr.update(choices=used["task"]), gr.update(choices=used["specialty"])
