"""Conversions as the Convert page shows them: jobs and rows of the database in, plain values out."""

from dataclasses import dataclass

import gradio as gr

from bioui.components.convert_draft import Draft
from bioui.components.convert_run import (
    FAULT_COLUMNS,
    NO_HEAD,
    NO_TALLY,
    bar_value,
    faults_value,
    head_value,
    outcome_value,
    runs_value,
    tally_value,
)
from bioui.components.empty import empty_state
from bioui.components.job_panel import NO_LOG, log_path, read_log
from bioui.components.notice import NO_NOTICE
from bioui.components.progress import NO_PROGRESS
from bioui.components.table import Trail, table_value
from bioui.components.train_form import request_key
from bioui.handling import linked
from bioui.runs import can_cancel, can_resume
from bioui.watching import mark_of
from db import conversion_figures, conversions, jobs, specs
from db.enums import JobKind, JobStatus
from db.policy import Actor
from db.session import Session
from db.settings import from_environment
from db.tables import Conversion, Job
from db.tables.base import utc_now

NO_FAULTS = table_value(FAULT_COLUMNS, [], empty=empty_state("", ""))
RUN = ("head", "bar", "outcome", "tally", "faults", "log", "cancel", "resume", "take back")  # of `run_values`


@dataclass(frozen=True)
class Watch:
    """What a page has seen of the list and of the open conversion; marks tell when something has changed."""

    list_mark: str = ""
    job_mark: tuple = ()


def find_run(session: Session, project_id: int, job_id: int) -> Job:
    """The job, when it is a conversion of this project. Raises LookupError when it is not."""
    job = jobs.get_job(session, job_id)
    if job.project_id != project_id or job.kind is not JobKind.CONVERT:
        raise LookupError(f"This project has no conversion of job number {job_id}.")
    return job


def list_value(session: Session, project_id: int, trail: Trail, *, open_id: int = 0) -> dict:
    page = conversion_figures.list_runs(session, project_id, before=trail.before_id)
    return runs_value(page, trail, open_id=open_id)


def start_conversion(
    session: Session, actor: Actor, project_id: int, key: str, draft: Draft, name: str, privacy: bool
) -> tuple[Job, bool]:
    """Queue what was put together: the job, and whether it is new. A double click is one."""
    spec = draft.spec(name, check_privacy=privacy)
    asked_at = utc_now()
    request = request_key(key, spec, JobKind.CONVERT) if key else None
    job = conversions.start(session, actor, project_id, spec, request_key=request)
    session.flush()
    return job, job.created_at >= asked_at


def look(session: Session, job: Job | None, listed: dict) -> Watch:
    if job is None:
        return Watch(str(listed))
    found = conversions.of_job(session, job.id)
    seen = (found.rows_read, found.taken_back_at) if found else ()
    return Watch(str(listed), (*mark_of(job), *seen))


def any_open(session: Session, project_id: int) -> bool:
    return any(job.status.is_open for job in jobs.list_jobs(session, project_id, JobKind.CONVERT))


def run_values(session: Session, job: Job | None, faults: Trail) -> tuple:
    """What build()'s `run` shows: of no job, nothing."""
    shut = gr.Button(visible=False)
    if job is None:
        return NO_HEAD, NO_PROGRESS, NO_NOTICE, NO_TALLY, NO_FAULTS, NO_LOG, shut, shut, shut
    found = conversions.of_job(session, job.id)
    path = log_path(from_environment().jobs_dir, job.id)
    rate = jobs.last_values(session, [job.id], "rows_per_second").get(job.id)
    before = jobs.count_open(session) - 1 if job.status is JobStatus.QUEUED else 0
    gone = found is not None and found.taken_back_at is not None
    left = conversion_figures.count_rows(session, found.id) if found is not None else 0
    return (
        head_value(job, found, specs.from_json(job.kind, job.spec)),
        bar_value(job, jobs_before=before, rate=rate),
        outcome_value(job, found, log=str(path)),
        tally_value(found),
        faults_value(found, faults),
        read_log(path),
        gr.Button(visible=can_cancel(job)),
        gr.Button(visible=can_resume(job) and not gone),
        gr.Button(visible=bool(left) and not job.status.is_open),
    )


def linked_conversion(session: Session, project_id: int, request: gr.Request) -> tuple[Job, Conversion]:
    """The conversion that the address names. Raises LookupError where it is not there or has not begun."""
    job = find_run(session, project_id, linked(request, "run"))
    found = conversions.of_job(session, job.id)
    if found is None:
        raise LookupError("This conversion has not begun; there is nothing in it yet.")
    return job, found
