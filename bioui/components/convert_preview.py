"""Real rows of a file beside the instructions that they become, letter by letter as they will be stored.

On request each answer is read back by the form's own parser, and compared with what the row says.
"""

from pathlib import Path

from bioui.components.convert_annotation import annotation_blocks
from bioui.components.view import View
from bioui.handling import Problem
from bioui.present import counted
from db.conversion_figures import Looked
from db.corpora import templates
from db.corpora.forms import OutputForm
from db.corpora.forms.prediction import Answers, Choice, Labels, Mentions, Pairs, Prediction, Text
from db.corpora.schema import Row
from db.corpora.templates import Rendered, RowFault, Template
from db.sandbox import TemplateFault

TEMPLATE = Path(__file__).with_suffix(".hbs").read_text(encoding="utf-8")
NO_PREVIEW = {"shown": False, "fault": "", "line": "", "lead": "", "lost": [], "unasked": "", "rows": []}
_LABELS_SHOWN = 8


def preview_view() -> View:
    return View(TEMPLATE, NO_PREVIEW, elem_classes="convert-preview", elem_id="convert-preview")


def preview_value(template: Template, looked: Looked, *, seed: int = 0, read_back: bool = False) -> dict:
    """The rows as they would be stored; a template that cannot be used tells its line instead."""
    try:
        rendered = templates.preview(template, looked.first, seed)
    except TemplateFault as fault:
        return fault_value(fault, template)
    form = template.prepared.form
    return {
        **NO_PREVIEW,
        "shown": True,
        "lead": _lead(looked),
        "lost": _lost(looked),
        "unasked": _unasked(looked),
        "rows": [
            _row(row, made, form, len(template.wordings), read_back)
            for row, made in zip(looked.first, rendered, strict=True)
        ],
    }


def fault_value(error: ValueError, template: Template | None = None) -> dict:
    """What is wrong with a template, with the line where one is named."""
    problem = Problem.of(error)
    told = f"{problem.field.capitalize()}: {problem.text}" if problem.field else problem.text
    return {**NO_PREVIEW, "shown": True, "fault": told, "line": _line_of(error, template)}


def items_of(prediction: Prediction, row: Row) -> list[str]:
    """What an answer says, item by item, in words."""
    text = getattr(row, "text", "")
    if isinstance(prediction, Mentions):
        found = [(" … ".join(text[a:b] for a, b in m.offsets), m.type) for m in sorted(prediction.mentions)]
        return [f"{words} ({kind})" for words, kind in found]
    if isinstance(prediction, Pairs):
        return [f"{text[slice(*p.head)]} – {p.type} – {text[slice(*p.tail)]}" for p in prediction.pairs]
    if isinstance(prediction, Labels):
        return list(prediction.labels)
    if isinstance(prediction, Choice):
        return [] if prediction.index is None else [row.choices[prediction.index]]
    if isinstance(prediction, Answers):
        return list(prediction.answers)
    return [prediction.text] if isinstance(prediction, Text) else []


def _row(row: Row, made: Rendered | RowFault, form: OutputForm, wordings: int, read_back: bool) -> dict:
    shown = {"id": row.id, "blocks": annotation_blocks(row), "split": row.split or "no split of its own"}
    if isinstance(made, RowFault):
        return {**shown, "fault": Problem.of(ValueError(made.sentence)).text}
    return {
        **shown,
        "fault": "",
        "instruction": made.instruction,
        "input": made.input,
        "output": made.output,
        "wording": f"Wording {made.wording + 1} of {wordings}",
        "back": _read_back(form, made.output, row) if read_back else None,
    }


def _read_back(form: OutputForm, output: str, row: Row) -> dict:
    said, gold = form.parse(output, row), form.gold(row)
    same = said == gold
    return {
        "equal": same,
        "word": "Read back equal" if same else "Read back otherwise",
        "hue": "approved" if same else "attention",
        "items": items_of(said, row) or ["nothing to find"],
        "wanted": [] if same else items_of(gold, row) or ["nothing to find"],
        "faults": [f"{fault.kind.replace('_', ' ')}: {fault.words}".rstrip(": ") for fault in said.faults],
    }


def _lead(looked: Looked) -> str:
    shown = counted(len(looked.first), "row")
    return f"{shown} of {looked.rows:,}, as they will be stored. The form carries {looked.carried:,} of them."


def _lost(looked: Looked) -> list[str]:
    """What the form cannot carry, by reason: counted over the whole file."""
    return [
        f"{counted(rows, 'row')}: {reason.value}. They are left out and counted as faults."
        for reason, rows in looked.obstacles.most_common()
    ]


def _unasked(looked: Looked) -> str:
    if not looked.unasked:
        return ""
    named = ", ".join(f"{kind} {times:,}" for kind, times in looked.unasked.most_common(_LABELS_SHOWN))
    more = " and more" if len(looked.unasked) > _LABELS_SHOWN else ""
    return f"The template does not ask for {named}{more}: the answers leave them out."


def _line_of(error: ValueError, template: Template | None) -> str:
    """The line that a fault names, with its number."""
    number = error.line if isinstance(error, TemplateFault) else None
    if not number or template is None:
        return ""
    field, _, which = str(error).partition(":")[0].partition(" ")
    place = int(which.split()[0]) - 1 if field == "wording" and which[:1].isdigit() else -1
    text = template.wordings[place] if 0 <= place < len(template.wordings) else template.input
    lines = text.splitlines()
    return f"{number}  {lines[number - 1]}" if number <= len(lines) else ""
