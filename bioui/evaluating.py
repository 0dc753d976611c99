"""Evaluations at work as the Leaderboard page shows them: rows of the database in, plain values out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import gradio as gr

from bioui.components.empty import empty_state
from bioui.components.evaluate_form import Model, chosen_tasks, spec_of
from bioui.components.evaluate_run import (
    NO_HEAD,
    NO_SETTINGS,
    NO_TASKS,
    TaskLine,
    bar_value,
    head_value,
    outcome_value,
    settings_value,
    tasks_value,
)
from bioui.components.job_panel import NO_LOG, log_path, read_log, time_taken
from bioui.components.notice import NO_NOTICE, notice_value
from bioui.components.progress import NO_PROGRESS
from bioui.components.result_figures import with_interval
from bioui.components.table import Column, cell, table_value
from bioui.components.train_form import request_key
from bioui.present import ago, counted, exact, status_chip
from bioui.runs import worker_notice
from bioui.watching import mark_of
from db import evaluations, jobs, queue, registry, specs, task_versions
from db.enums import JobKind, JobStatus, Way
from db.policy import Actor
from db.session import Session
from db.settings import from_environment
from db.tables import Evaluation, Job
from db.tables.base import utc_now

COLUMNS = (Column("Run"), Column("Status", "status"))
NO_RUNS = empty_state("No evaluation yet.", "Start the first with Evaluate models.")
NO_TASK = "Freeze a task first: its rows and prompts are then the same for every model."
RUN_VIEWS = 6  # what `run_values` gives


@dataclass(frozen=True)
class Watch:
    """What a page has seen of the list, of the open run and of the board; marks tell when one has changed."""

    job_id: int = 0
    list_mark: str = ""
    job_mark: tuple = ()
    log_mark: tuple = ()
    board_mark: tuple = ()


def find_run(session: Session, project_id: int, job_id: int) -> Job:
    """The run, when it is this project's. Raises LookupError when it is not."""
    job = jobs.get_job(session, job_id)
    if job.project_id != project_id or job.kind is not JobKind.EVALUATE:
        raise LookupError(f"This project has no evaluation run number {job_id}.")
    return job


def newest(session: Session, project_id: int) -> Job | None:
    return next(iter(jobs.list_jobs(session, project_id, JobKind.EVALUATE, limit=1)), None)


def any_open(session: Session, project_id: int) -> bool:
    listed = jobs.list_jobs(session, project_id, JobKind.EVALUATE)
    return any(job.status.is_open or jobs.goes_on(job) for job in listed)


def can_cancel(job: Job) -> bool:
    return (job.status.is_open and job.cancel_requested_at is None) or jobs.goes_on(job)


def can_resume(job: Job) -> bool:
    return job.status in (JobStatus.FAILED, JobStatus.CANCELLED, JobStatus.INTERRUPTED)


def cancel_sentence(job: Job) -> str:
    """What becomes of what was done."""
    where = f" It is at row {job.step:,} of {job.total_steps:,}." if job.total_steps else ""
    return f"Stop {job.name}?{where} Scored rows are kept, and the run can be resumed from there."


# The list and an open run -------------------------------------------------------------------------------


def runs_value(session: Session, project_id: int, *, open_id: int = 0) -> dict:
    """The runs, newest first."""
    rows = [
        {"id": job.id, "opens": True, "cells": _cells(job)}
        for job in jobs.list_jobs(session, project_id, JobKind.EVALUATE)
    ]
    return table_value(COLUMNS, rows, empty=NO_RUNS, current_id=open_id)


def _cells(job: Job) -> list[dict]:
    word, hue = status_chip(job.status)
    took = time_taken(job) if job.finished_at else ""
    done = took if job.status is JobStatus.FINISHED else f"{job.step:,} / {job.total_steps:,} rows"
    done = done if job.total_steps or took else ""
    who = f"{ago(job.created_at)}, {job.created_by.full_name}"
    return [cell(job.name, note=who, title=exact(job.created_at)), cell(word, chip=hue, note=done)]


def under_way(session: Session, project_id: int) -> dict:
    """What runs or waits, in one line above the board; nothing when nothing does."""
    listed = jobs.list_jobs(session, project_id, JobKind.EVALUATE)
    running = [job for job in listed if job.status is JobStatus.RUNNING]
    waiting = sum(job.status is JobStatus.QUEUED for job in listed)
    parts = [f"{job.name}: {job.step:,} of {job.total_steps:,} rows" for job in running]
    parts += [f"{waiting:,} waiting"] if waiting else []
    first = (running or [job for job in listed if job.status is JobStatus.QUEUED] or [None])[0]
    return {"text": "; ".join(parts), "id": first.id if first else 0}


def look(session: Session, watch: Watch, job: Job | None, listed: dict, *, project_id: int) -> Watch:
    """`watch` with all that is new of the list, the board and the open run, if one is open."""
    finished = evaluations.list_evaluations(session, project_id, is_finished=True, limit=1)
    marks: dict[str, Any] = {
        "list_mark": str(listed),
        "board_mark": (finished[0].id, finished[0].finished_at) if finished else (),
    }
    if job is None:
        return Watch(**marks)
    path = log_path(from_environment().jobs_dir, job.id)
    return replace(
        watch,
        job_id=job.id,
        job_mark=mark_of(job),
        log_mark=(path.stat().st_size,) if path.is_file() else (),
        **marks,
    )


def open_run(session: Session, project_id: int, job_id: int) -> tuple:
    """The list with that run beside it (0: the board alone), in the order of the page's `everything`."""
    job = find_run(session, project_id, job_id) if job_id else None
    listed = runs_value(session, project_id, open_id=job_id)
    watch = look(session, Watch(), job, listed, project_id=project_id)
    frame = (
        listed,
        worker_notice(session) if job or any_open(session, project_id) else NO_NOTICE,
        under_way(session, project_id),
        gr.Timer(active=any_open(session, project_id)),
        gr.Row(visible=job is not None),
        gr.Column(visible=False),
        gr.Column(visible=job is not None),
        gr.Column(visible=False),
        watch,
    )
    if job is None:
        hidden = gr.Button(visible=False), gr.Button(visible=False)
        return (*frame, NO_LOG, NO_SETTINGS, NO_HEAD, NO_PROGRESS, NO_NOTICE, NO_TASKS, *hidden)
    settings = settings_value(specs.from_json(job.kind, job.spec))
    return (*frame, log_of(job.id), settings, *run_values(session, job))


def run_values(session: Session, job: Job) -> tuple:
    """What is new of an open run at each look, in the order of the page's `run`."""
    log = str(log_path(from_environment().jobs_dir, job.id))
    return (
        head_value(job, model=model_name(session, job), is_adapter=bool(job.spec["adapter_id"])),
        bar_value(job, jobs_before=_jobs_before(session, job), **_pace(session, job)),
        outcome_value(job, log=log),
        tasks_value(_task_lines(session, job)),
        gr.Button(visible=can_cancel(job)),
        gr.Button(visible=can_resume(job)),
    )


def log_of(job_id: int) -> dict:
    return read_log(log_path(from_environment().jobs_dir, job_id))


def model_name(session: Session, job: Job) -> str:
    """The adapter's name, or the base's; of one that is gone its number."""
    try:
        if job.spec["adapter_id"]:
            return registry.get_adapter(session, job.spec["adapter_id"]).name
        return registry.get_base_model(session, job.spec["base_model_id"]).name
    except LookupError:
        return f"adapter {job.spec['adapter_id']}, deleted"


def _pace(session: Session, job: Job) -> dict[str, float | None]:
    """Rows and tokens a second, as the run told last."""
    names = {"rows_a_second": "rows_per_second", "tokens_a_second": "tokens_per_second"}
    return {key: jobs.last_values(session, [job.id], name).get(job.id) for key, name in names.items()}


def _jobs_before(session: Session, job: Job) -> int:
    """How many jobs, of all projects and kinds, are taken before a waiting one."""
    if job.status is not JobStatus.QUEUED:
        return 0
    line = [waiting.id for waiting in queue.list_waiting(session)]
    return line.index(job.id) + len(jobs.list_running(session))


def _task_lines(session: Session, job: Job) -> list[TaskLine]:
    """The tasks of a run in its order: those begun with their evaluations, the others as they wait."""
    begun: dict[int, list[Evaluation]] = {}
    for found in reversed(evaluations.list_evaluations(session, job.project_id, job_id=job.id)):
        begun.setdefault(found.task_version_id, []).append(found)
    names = {task.id: task for task in task_versions.list_tasks(session, job.project_id)}
    lines = []
    for id in job.spec["tasks"]:
        lines += [_begun_line(found) for found in begun.get(id, ())]
        if id not in begun:
            task = names.get(id)
            lines.append(TaskLine(task.name if task else f"Task {id}", rows=task.rows if task else 0))
    return lines


def _begun_line(found: Evaluation) -> TaskLine:
    figure = found.figures.get(found.measure, {}) if found.finished_at else {}
    return TaskLine(
        found.task_version.name,
        found.way,
        found.rows_done,
        found.rows,
        with_interval(figure) if figure else "",
        f"/results?project={found.project_id}&evaluation={found.id}" if found.rows_done else "",
    )


# The form -----------------------------------------------------------------------------------------------


def start(
    session: Session,
    actor: Actor,
    project_id: int,
    form_key: str,
    models: Sequence[Model],
    given: Mapping[str, Any],
) -> tuple[list[Job], bool]:
    """Queue a run for each model, bases that were offered before the rest; the jobs, and whether any is new.

    One form pressed twice is one set of jobs. Raises ValueError by the field, LookupError for a task that is
    not the project's.
    """
    tasks = chosen_tasks(given)
    for id in tasks:
        task_versions.get_task(session, project_id, id)
    bases = unscored_bases(session, project_id, models, tasks, given["way"]) if given["with_base"] else {}
    wanted = [(_base(session, id), missing) for id, missing in bases.items()]
    wanted += [(model, tasks) for model in models]
    asked_at, queued = utc_now(), []
    for model, ids in wanted:
        spec = spec_of(model, ids, given)
        name = f"{model.name} on {counted(len(ids), 'task')}"
        key = request_key(form_key, spec, JobKind.EVALUATE)
        queued.append(
            jobs.enqueue(session, actor, project_id, JobKind.EVALUATE, spec, name=name, request_key=key)
        )
    session.flush()
    return queued, any(job.created_at >= asked_at for job in queued)


def unscored_bases(
    session: Session, project_id: int, models: Sequence[Model], tasks: Sequence[int], way: str
) -> dict[int, list[int]]:
    """Base -> the chosen tasks on which it has no score beside the chosen adapters' scores to be.

    Bases that are chosen themselves are left out, and those that a run already waits or works for.
    """
    chosen = {model.base_id for model in models if not model.adapter_id}
    wanted: dict[int, list[int]] = {}
    for base_id in dict.fromkeys(model.base_id for model in models if model.adapter_id):
        if base_id in chosen:
            continue
        scored = _scored_tasks(session, project_id, base_id, way)
        if missing := [id for id in tasks if id not in scored]:
            wanted[base_id] = missing
    return wanted


def base_words(session: Session, wanted: Mapping[int, Sequence[int]]) -> str:
    """What the box says that adds the bases."""
    named = [
        f"{registry.get_base_model(session, id).name} ({counted(len(tasks), 'task')})"
        for id, tasks in wanted.items()
    ]
    return f"Score the base, too: {' and '.join(named)} without a score. Gains are measured against it."


def missing_notice(session: Session, project_id: int) -> dict:
    """What the form lacks before any run can start, and where to get it."""
    links = {"Freeze a task": f"/tasks?project={project_id}"}
    return notice_value("No frozen task yet", NO_TASK, hue="review", links=links)


def _scored_tasks(session: Session, project_id: int, base_id: int, way: str) -> set[int]:
    """The tasks that a base has answered in that way, or is about to."""
    found = evaluations.list_evaluations(session, project_id, base_model_id=base_id, is_finished=True)
    of_base = [one for one in found if one.adapter_id is None]
    scored = {one.task_version_id for one in of_base if way == "auto" or one.way == Way(way)}
    for job in jobs.list_jobs(session, project_id, JobKind.EVALUATE):
        same = job.spec["base_model_id"] == base_id and not job.spec["adapter_id"]
        if same and job.status.is_open and job.spec["way"] in ("auto", way):
            scored |= set(job.spec["tasks"])
    return scored


def _base(session: Session, base_id: int) -> Model:
    return Model(base_id, 0, registry.get_base_model(session, base_id).name)
