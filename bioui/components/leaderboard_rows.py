"""How many rows a comparison needs: a small reckoning beside the board."""

import gradio as gr

from bioui.components.fold import fold
from bioui.components.frame import Page
from bioui.components.problem import problem_area
from bioui.components.view import View
from bioui.handling import needs
from bioui.present import counted
from db.metrics import sample_size
from db.policy import Right

TEMPLATE = """
{{#if value.rows}}<p class="lb-answer"><strong>{{value.rows}}</strong> {{value.sentence}}</p>
<p class="field-help">{{value.note}}</p>{{/if}}
"""
NOTHING = {"rows": "", "sentence": "", "note": ""}
NOTE = (
    "For measures that count a row right or wrong, each row a document of its own, two-sided at 0.05, by the "
    "power of the paired t test. Rows that share documents tell less; graded scores such as ROUGE-L usually "
    "vary less and need fewer."
)
MOST = 10_000_000  # rows; more than that no one has


@needs(Right.READ)
def reckon(
    share: float | None, points: float | None, changed: float | None, power: float | None, request: gr.Request
):
    """The rows that show a gain of so many points over a base that gets this share right."""
    for name, value in (("base score", share), ("gain", points), ("power", power)):
        if value is None:
            raise ValueError(f"{name}: it is empty; give a number of per cent.")
    if not 0 <= share <= 100 or not 0 < points <= 100 - share:
        raise ValueError(
            f"gain: {points:g} points on a base score of {share:g} % cannot be: together at most 100."
        )
    if changed and not points <= changed <= 100:
        raise ValueError(
            f"discordance: {changed:g} % is less than the gain, or more than 100; give 0 if it is unknown."
        )
    if not 0 < power < 100:
        raise ValueError(f"power: {power:g} is not between 0 and 100; 80 is usual.")
    rows = sample_size.rows_needed(
        points / 100,
        base_share=share / 100,
        discordance=changed / 100 if changed else None,
        power=power / 100,
    )
    if rows > MOST:
        raise ValueError(f"gain: {points:g} points need more than {MOST:,} rows; look for a larger gain.")
    sentence = (
        f"show a gain of {points:g} points over a base at {share:g} %, in {power:g} of 100 such comparisons."
    )
    return {"rows": counted(rows, "row"), "sentence": sentence, "note": NOTE}


def rows_reckoner(page: Page) -> None:
    """Lay the fold out and wire it."""
    with fold("How many rows do I need?", elem_classes="lb-reckoner"):
        problem = problem_area()
        with gr.Row(elem_classes="field-grid"):
            share_nb = gr.Number(
                50,
                label="Base score",
                info="Per cent of rows that the base gets right.",
                elem_id="field-base-score",
            )
            points_nb = gr.Number(
                5,
                label="Gain",
                info="Points that the comparison should be able to show.",
                elem_id="field-gain",
            )
            changed_nb = gr.Number(
                0,
                label="Rows that change",
                info="Per cent that only one of the two gets right, gained and lost together. 0: as if "
                "the two had nothing in common, which usually asks for more rows.",
                elem_id="field-discordance",
            )
            power_nb = gr.Number(
                80,
                label="Power",
                info="Per cent of comparisons that show it, if it is there.",
                elem_id="field-power",
            )
        with gr.Row(elem_classes="actions"):
            reckon_btn = gr.Button("Reckon", size="sm")
        answer_html = View(TEMPLATE, NOTHING)
    given = [share_nb, points_nb, changed_nb, power_nb]
    page.on(reckon_btn.click, reckon, given, answer_html, problem=problem)
    for field in given:
        page.on(field.submit, reckon, given, answer_html, problem=problem)
