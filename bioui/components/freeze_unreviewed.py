"""The part of the freeze form that takes rows nobody reviewed: which runs, and what their samples say."""

from dataclasses import asdict

import gradio as gr

from bioui.present import counted
from db import unreviewed
from db.recipes import Recipe
from db.session import Session
from db.unreviewed import AuditedRun


def unreviewed_field() -> gr.Dropdown:
    """Hidden until there is a run to choose."""
    return gr.Dropdown(
        [], value=[], label="Generation runs, unreviewed rows too", multiselect=True, visible=False,
        elem_id="field-unreviewed-runs",
        info="Their rows that wait for a review go in as the model wrote them, and say so. The run's audit "
        "sample must be reviewed whole and be good enough.",
    )  # fmt: skip


def offered_runs(session: Session, project_id: int) -> gr.Dropdown:
    """The field with the project's runs, each with what its sample says."""
    runs = unreviewed.list_runs(session, project_id)
    choices = [(_label(session, project_id, run), run.job_id) for run in runs]
    return gr.Dropdown(choices=choices, value=[], multiselect=True, visible=bool(choices))


def job_numbers(chosen) -> tuple[int, ...]:
    """What the field says. Raises ValueError for what is no list of job numbers."""
    try:
        return tuple(int(number) for number in chosen or ())
    except (TypeError, ValueError) as error:
        raise ValueError("unreviewed runs: choose the runs from the list.") from error


def unreviewed_told(session: Session, project_id: int, recipe: Recipe) -> tuple[int, str]:
    """How many unreviewed rows would go in, and the sentence that says so, or what keeps a run's out."""
    runs = unreviewed.get_runs(session, project_id, recipe.unreviewed_runs)
    if not runs:
        return 0, ""
    for run in runs:
        if run.missing:
            return 0, run.missing[:1].upper() + run.missing[1:]
    rows = sum(unreviewed.count_unreviewed(session, project_id, recipe, run) for run in runs)
    return rows, f"Beside them {counted(rows, 'row')} that nobody reviewed."


def _label(session: Session, project_id: int, run: AuditedRun) -> str:
    rows = counted(unreviewed.count_unreviewed(session, project_id, Recipe(), run), "unreviewed row")
    return f"Run {run.job_id}, {run.name}: {_acceptance(run)}; {rows}"


def _acceptance(run: AuditedRun) -> str:
    found = run.audit
    if found is None:
        return "no sample drawn"
    if not found.is_complete or found.rate is None:
        return f"{found.sampled - found.decided:,} of the sample's {found.sampled:,} still to review"
    draws = len(found.draws)
    told = unreviewed.figures(found.accepted, found.sampled, **asdict(found.rate), draws=draws)
    return f"{told}, not enough" if run.missing else told
