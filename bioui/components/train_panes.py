"""What the Train page shows beside its list: a run, or nothing, in the order of the page's outputs."""

import gradio as gr

from bioui.components.job_panel import NO_HEAD, NO_LOG, NO_SETTINGS
from bioui.components.notice import NO_NOTICE
from bioui.components.progress import NO_PROGRESS
from bioui.components.run_alerts import NO_ALERTS
from bioui.components.run_compare import NO_HEAD as NO_COMPARISON
from bioui.components.run_list import MOST_COMPARED
from bioui.runs import (
    any_open,
    can_cancel,
    can_resume,
    get_run,
    log_of,
    look,
    panel_values,
    runs_value,
    settings_of,
    worker_notice,
)
from bioui.watching import RunWatch
from db.session import Session
from db.tables import Job

RUN_VIEWS = 12  # what `run_values` gives


def open_run(session: Session, project_id: int, job_id: int) -> tuple:
    """The list with that run beside it (0: the list alone), in the order of build()'s `everything`."""
    job = get_run(session, project_id, job_id) if job_id else None
    listed = runs_value(session, project_id, open_id=job_id)
    watch = look(session, RunWatch(), job, listed)
    frame = (
        listed,
        worker_notice(session),
        gr.Timer(active=any_open(session, project_id)),
        gr.Button(visible=True),
        gr.Column(visible=False),
        gr.Column(visible=job is not None),
        gr.Column(visible=False),
        gr.Column(visible=False),
        NO_COMPARISON,
        watch,
    )
    if job is None:
        nothing = (NO_HEAD, NO_PROGRESS, NO_NOTICE, NO_ALERTS)
        return (*frame, NO_LOG, NO_SETTINGS, "", *nothing, *(gr.skip(),) * (RUN_VIEWS - len(nothing)))
    return (*frame, log_of(job.id), settings_of(session, job), job.note, *run_values(session, job, watch))


def run_values(session: Session, job: Job, watch: RunWatch) -> tuple:
    """What is new of an open run at each look, in the order of build()'s `run`."""
    cancel_btn, resume_btn = gr.Button(visible=can_cancel(job)), gr.Button(visible=can_resume(job))
    return (*panel_values(session, job, watch), cancel_btn, resume_btn)


def linked_many(request: gr.Request, name: str) -> list[int]:
    """The numbers that the address names with commas between, each once."""
    parts = request.query_params.get(name, "").split(",")
    return list(dict.fromkeys(int(part) for part in parts if part.isdigit()))[:MOST_COMPARED]
