"""What a reviewer says of a text: the points they checked, why not, a comment, and one of three decisions."""

from dataclasses import dataclass

import gradio as gr

from bioui.components.record_history import REASONS
from db.checklists import CHECKLISTS
from db.enums import Category, Decision

CHOICES = [(words.capitalize(), reason.value) for reason, words in REASONS.items()]


@dataclass(frozen=True)
class DecisionForm:
    """The parts; `inputs` in the order (comment, reasons, checklist), as `db.reviews` takes them."""

    column: gr.Column
    checklist_cbg: gr.CheckboxGroup
    inputs: list
    buttons: dict[Decision, gr.Button]

    @property
    def outputs(self) -> list:
        """What `decision_updates` and `CLEARED` fill, in order."""
        return [self.column, self.checklist_cbg, *self.inputs[:2]]


def decision_form(prefix: str = "") -> DecisionForm:
    """Laid out where it is called, hidden. `prefix` keeps the ids of a second one on a page apart."""
    with gr.Column(visible=False, elem_classes="decision") as column:
        checklist_cbg = gr.CheckboxGroup(
            [], label="Checked", elem_id=f"field-{prefix}checklist", elem_classes="checklist",
            info="Tick what you made sure of. An unticked point blocks nothing, and stays visible.",
        )  # fmt: skip
        reasons_cbg = gr.CheckboxGroup(
            CHOICES, label="Why not", info="When you request changes or reject.",
            elem_id=f"field-{prefix}reasons", elem_classes="reasons",
        )  # fmt: skip
        comment_tb = gr.Textbox(
            label="Comment", lines=1, max_lines=8, elem_id=f"field-{prefix}comment",
            info="For the author: what should change. Needed where no reason above says it.",
        )  # fmt: skip
        with gr.Row(elem_classes="actions record-actions"):
            buttons = {
                Decision.APPROVE: gr.Button("Approve", variant="primary", elem_id=f"{prefix}approve-btn"),
                Decision.REQUEST_CHANGES: gr.Button("Request changes", elem_id=f"{prefix}changes-btn"),
                Decision.REJECT: gr.Button("Reject", variant="stop", elem_id=f"{prefix}reject-btn"),
            }
    return DecisionForm(column, checklist_cbg, [comment_tb, reasons_cbg, checklist_cbg], buttons)


def decision_updates(category: Category | None) -> tuple:
    """For `DecisionForm.outputs`: the form emptied for a text of that category, hidden for None."""
    points = [(point.text, point.code) for point in CHECKLISTS[category]] if category else []
    return gr.update(visible=category is not None), gr.update(choices=points, value=[]), "", []
