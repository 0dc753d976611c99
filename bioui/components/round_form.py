"""The form of a blind round: which answers are paired, who votes on them, and by which rubric."""

from collections.abc import Sequence
from dataclasses import dataclass

import gradio as gr

from bioui.components.fold import fold
from bioui.components.problem import problem_area
from bioui.components.rubric_editor import axes_of, rubric_editor
from bioui.components.view import View
from bioui.present import counted, duration, shortened
from db import jobs, round_drawing, rounds, sides
from db.enums import JobKind
from db.round_drawing import Candidates, Pair
from db.rubric import Axis
from db.session import Session
from db.tables import Comparison

RECENT = "Recent comparisons of the playground"
DRAWN = ("source", "one", "other", "slices", "per_slice", "seed")  # what the pairs follow from
COUNTED = (*DRAWN, "raters", "overlap")  # what the preview follows from
NAMES = ("title", "note", *COUNTED, "rubric")  # the order of the inputs
DEFAULT_OVERLAP, DEFAULT_PER_SLICE = 2, 20
PREVIEW = """
{{#if value.sum}}<div class="round-preview" role="status"><p><strong>{{value.sum}}</strong></p>
  {{#if value.slices}}<p>{{value.slices}}</p>{{/if}}{{#if value.left_out}}<p>{{value.left_out}}</p>{{/if}}
  </div>{{/if}}
"""
NO_PREVIEW: dict = {"sum": ""}


@dataclass(frozen=True)
class RoundForm:
    """Its parts; `inputs` stand in the order of NAMES, `filled` in that of `choices`."""

    problem: View
    preview_html: View
    inputs: list
    save_btn: gr.Button
    close_btn: gr.Button

    def named(self, *names: str) -> list:
        return [self.inputs[NAMES.index(name)] for name in names]

    @property
    def filled(self) -> list:
        return [*self.named("source", "one", "other", "slices", "raters"), self.preview_html]


@dataclass(frozen=True)
class Draft:
    """What the form says of the pairs and their raters."""

    pairs: Sequence[Pair]
    found: Candidates
    rater_ids: tuple[int, ...]
    overlap: int  # raters a pair
    seed: int

    @property
    def votes(self) -> int:
        return len(self.pairs) * self.overlap

    @property
    def seconds_each(self) -> float:
        """What a rater needs for their share, at a guess."""
        whole = sum(round_drawing.seconds_of(pair.words) for pair in self.pairs)
        return whole * self.overlap / len(self.rater_ids) if self.rater_ids else 0.0


def round_form() -> RoundForm:
    gr.Markdown("## A new round")
    problem = problem_area()
    title_tb = gr.Textbox(
        label="Title", elem_id="field-title", max_length=120, info="Raters read it; name no model in it."
    )
    source_dd = gr.Dropdown([(RECENT, 0)], value=0, label="Answers from", elem_id="field-answers-from")
    with gr.Row(elem_classes="field-row"):
        one_dd = gr.Dropdown([], label="First side", elem_id="field-first-side")
        other_dd = gr.Dropdown([], label="Second side", elem_id="field-second-side")
    slices_dd = gr.Dropdown(
        [], value=[], label="Slices", multiselect=True, elem_id="field-slices", visible=False,
        info="None chosen: all of them.",
    )  # fmt: skip
    with gr.Row(elem_classes="field-row"):
        per_slice_nb = gr.Number(
            DEFAULT_PER_SLICE, label="Pairs a slice", elem_id="field-pairs-a-slice", precision=0, minimum=0,
            info="0: all of them.",
        )  # fmt: skip
        seed_nb = gr.Number(
            0, label="Seed", elem_id="field-seed", precision=0, minimum=0,
            info="Draws the pairs, shuffles order and sides.",
        )  # fmt: skip
    raters_cg = gr.CheckboxGroup(
        [], label="Raters", elem_id="field-raters", info="People who may compare answers."
    )
    overlap_nb = gr.Number(
        DEFAULT_OVERLAP, label="Raters a pair", elem_id="field-overlap", precision=0, minimum=0,
        info="0: all of them. Agreement can only be told where a pair has two or more.",
    )  # fmt: skip
    note_tb = gr.Textbox(
        label="Note to the raters", lines=3, max_length=2000, elem_id="field-note",
        info="What the answers are for and what to look at. Tell nothing that gives a model away.",
    )  # fmt: skip
    with fold("Rubric"):
        rubric_html = rubric_editor()
    preview_html = View(PREVIEW, NO_PREVIEW, elem_classes="round-preview-view")
    with gr.Row(elem_classes="actions"):
        save_btn = gr.Button("Make the round", variant="primary", elem_id="make-round-btn")
        close_btn = gr.Button("Close", size="sm")
    inputs = [title_tb, note_tb, source_dd, one_dd, other_dd, slices_dd, per_slice_nb, seed_nb, raters_cg,
              overlap_nb, rubric_html]  # fmt: skip
    return RoundForm(problem, preview_html, inputs, save_btn, close_btn)


# data -------------------------------------------------------------------------------------------------


def source_choices(session: Session, project_id: int) -> list[tuple[str, int]]:
    batches = jobs.list_jobs(session, project_id, JobKind.COMPARE)
    return [(RECENT, 0), *((f"Batch {job.id}: {shortened(job.name, 60)}", job.id) for job in batches)]


def choices(session: Session, project_id: int, job_id: int) -> tuple:
    """What can be chosen of the answers of that batch (0: the playground's), in the order of `filled`."""
    sources = source_choices(session, project_id)
    job_id = job_id if job_id in [id for _, id in sources] else 0
    comparisons = _comparisons(session, project_id, job_id)
    found = round_drawing.list_sides(comparisons)
    named = [(sides.label_of(session, side), round_drawing.key_of(side)) for side in found]
    first, second = ([key for _, key in named] + ["", ""])[:2]
    raters = [(user.full_name, user.id) for user in rounds.list_raters(session)]
    return (
        gr.update(choices=sources, value=job_id),
        gr.update(choices=named, value=first or None),
        gr.update(choices=named, value=second or None),
        slice_choices(session, project_id, job_id, first, second),
        gr.update(choices=raters),
        {**NO_PREVIEW, "sum": "" if len(named) > 1 else _too_few(job_id)},
    )


def slice_choices(session: Session, project_id: int, job_id: int, one: str, other: str):
    """The slices of the pairs between these two sides, with their sizes; hidden where there is but one."""
    try:
        found = _candidates(session, project_id, job_id, one, other).slices
    except ValueError:
        return gr.update(choices=[], value=[], visible=False)
    named = [(f"{name or 'no slice'} ({count:,})", name) for name, count in found.items()]
    return gr.update(choices=named, value=[], visible=len(named) > 1)


def draft_of(session: Session, project_id: int, values: Sequence) -> Draft:
    """From the inputs in the order of COUNTED. Raises ValueError naming the field."""
    source, one, other, slices, per_slice, seed, raters, overlap = values
    found = _candidates(session, project_id, source or 0, one, other)
    seed = _whole("seed", seed)
    drawn = round_drawing.draw(
        found.pairs,
        slices=tuple(slices or ()),
        per_slice=_whole("pairs a slice", per_slice),
        seed=seed,
    )
    rater_ids = tuple(raters or ())
    return Draft(drawn, found, rater_ids, _overlap(overlap, len(rater_ids)), seed)


def preview_value(draft: Draft) -> dict:
    """`20 pairs × 2 raters = 40 votes, about 27 min each`, and what the draw took from each slice."""
    if not draft.pairs:
        return {**NO_PREVIEW, "sum": "No pair: these two sides have no prompt in common.", **_aside(draft)}
    if not draft.rater_ids:
        return {"sum": f"{counted(len(draft.pairs), 'pair')}. Choose who votes on them.", **_aside(draft)}
    product = f"{counted(len(draft.pairs), 'pair')} × {counted(draft.overlap, 'rater')}"
    each = duration(max(60, round(draft.seconds_each / 60) * 60)).replace(" 00 s", "")
    return {"sum": f"{product} = {counted(draft.votes, 'vote')}, about {each} each.", **_aside(draft)}


def title_of(value: str | None) -> str:
    if not (value or "").strip():
        raise ValueError("title: give the round a title; raters read it.")
    return value.strip()


def rubric_of(value: object) -> tuple[Axis, ...]:
    return axes_of(value)


def _aside(draft: Draft) -> dict:
    drawn: dict[str, int] = {}
    for pair in draft.pairs:
        drawn[pair.slice] = drawn.get(pair.slice, 0) + 1
    told = [
        f"{name or 'no slice'} {drawn.get(name, 0):,} of {of:,}" for name, of in draft.found.slices.items()
    ]
    left = [f"{counted(count, 'pair')} because {why}" for why, count in draft.found.left_out.items()]
    return {
        "slices": ", ".join(told) if len(told) > 1 else "",
        "left_out": f"Left out: {', '.join(left)}." if left else "",
    }


def _candidates(session: Session, project_id: int, job_id: int, one: str, other: str) -> Candidates:
    chosen = [_side(name, key) for name, key in (("first side", one), ("second side", other))]
    return round_drawing.candidates(_comparisons(session, project_id, job_id), *chosen)


def _comparisons(session: Session, project_id: int, job_id: int) -> list[Comparison]:
    return round_drawing.list_comparisons(session, project_id, job_id=job_id or None)


def _side(field: str, key: str):
    try:
        return round_drawing.side_of(key)
    except ValueError as error:
        raise ValueError(f"{field}: choose one of those that answered.") from error


def _overlap(value: float | None, raters: int) -> int:
    overlap = _whole("overlap", value)
    if overlap < 0 or (raters and overlap > raters):
        raise ValueError(f"overlap: {overlap:,} cannot be; give 1 to {raters:,}, or 0 for all raters.")
    return overlap or raters


def _whole(field: str, value: float | None) -> int:
    if value is None or isinstance(value, (str, bool)) or value != int(value):
        raise ValueError(f"{field}: give a whole number.")
    return int(value)


def _too_few(job_id: int) -> str:
    where = "This batch" if job_id else "The playground"
    return f"{where} holds no prompt yet that two sides have answered."
