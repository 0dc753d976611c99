"""Training runs as the Train page shows them: rows of the database in, plain values out, jobs queued."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from bioui.components.data_report import report_value
from bioui.components.empty import empty_state
from bioui.components.film_strip import film_value
from bioui.components.job_panel import (
    bar_value,
    head_value,
    log_path,
    outcome_value,
    read_log,
    settings_value,
    time_taken,
)
from bioui.components.notice import NO_NOTICE, notice_value
from bioui.components.run_alerts import alerts_value
from bioui.components.run_list import run_list_value
from bioui.components.table import Column, cell
from bioui.components.train_form import request_key, spec_of, yaml_of
from bioui.components.version_panel import version_name
from bioui.present import ago, exact, status_chip
from bioui.watching import RunWatch, follow, loss_value, mark_of, small_values
from db import alerts, datasets, jobs, processes, queue, registry, sample_answers, specs
from db.enums import JobKind, JobStatus, ProcessRole
from db.policy import Actor
from db.session import Session
from db.settings import from_environment
from db.tables import Job
from db.tables.base import utc_now

WIDE = (
    Column("Run"),
    Column("Status", "status"),
    Column("Progress", "num"),
    Column("Loss", "num"),
    Column("Validation", "num"),
    Column("When", "time"),
    Column("By"),
    Column("Took", "time"),
)
BESIDE = (Column("Run"), Column("Status", "status"))  # while a run or the form is open
FORM_OPEN, COMPARISON_OPEN = -1, -2  # beside the list, in place of the id of an open run
EMPTY = empty_state(
    "No run yet.",
    "A run tunes an adapter on a frozen version, in the background. Start the first with New run.",
)
NO_WORKER = notice_value(
    "No worker is running",
    "Runs wait in the queue until one starts. Start the studio without --no-worker, or run "
    "python -m trainer worker on a machine that shares its database and data folder.",
    hue="review",
)


def runs_value(session: Session, project_id: int, *, open_id: int = 0) -> dict:
    """The list of runs, newest first; narrow while something is open beside it."""
    found = jobs.list_jobs(session, project_id, JobKind.TRAIN)
    losses = jobs.last_values(session, [job.id for job in found], "loss")
    checked = jobs.last_values(session, [job.id for job in found], "eval_loss")
    line = [job.id for job in queue.list_waiting(session, project_id, (JobKind.TRAIN,))]
    rows = [
        {
            "id": job.id,
            "name": job.name,
            "cells": _narrow(job, line) if open_id else _wide(job, line, losses, checked),
        }
        for job in sorted(found, key=lambda job: _rank(job, line))
    ]
    columns = BESIDE if open_id else WIDE
    return run_list_value(columns, rows, empty=EMPTY, current_id=open_id, picks=not open_id)


def get_run(session: Session, project_id: int, job_id: int) -> Job:
    """The training run, when it is this project's. Raises LookupError when it is not."""
    job = jobs.get_job(session, job_id)
    if job.project_id != project_id or job.kind is not JobKind.TRAIN:
        raise LookupError(f"This project has no training run number {job_id}.")
    return job


def worker_notice(session: Session) -> dict:
    return NO_NOTICE if processes.find_alive(session, ProcessRole.WORKER) else NO_WORKER


def panel_values(session: Session, job: Job, watch: RunWatch) -> tuple[dict, ...]:
    """What an open run shows now: head, progress, outcome, alerts, loss, the small charts, sample answers."""
    base, version = _names(session, job)
    return (
        head_value(job, base=base, version=version),
        bar_value(job, watch, jobs_before=_jobs_before(session, job)),
        outcome_value(job, str(_log_path(job.id))),
        alerts_value(alerts.list_alerts(session, job.id)),
        loss_value(watch),
        *small_values(watch),
        film_value(sample_answers.list_answers(session, job.id)),
    )


def _jobs_before(session: Session, job: Job) -> int:
    """How many runs, of all projects, are taken before a waiting one."""
    if job.status is not JobStatus.QUEUED:
        return 0
    line = [waiting.id for waiting in queue.list_waiting(session, kinds=(JobKind.TRAIN,))]
    return line.index(job.id) + len(jobs.list_running(session, (JobKind.TRAIN,)))


def settings_of(session: Session, job: Job) -> dict:
    base, version = _names(session, job)
    spec = specs.from_json(job.kind, job.spec)
    return settings_value(spec, base=base, version=version, yaml=yaml_of(session, spec))


def report_of(session: Session, job: Job) -> dict:
    return report_value(job, version=_names(session, job)[1])


def can_cancel(job: Job) -> bool:
    return (job.status.is_open and job.cancel_requested_at is None) or jobs.goes_on(job)


def can_resume(job: Job) -> bool:
    return job.status in (JobStatus.FAILED, JobStatus.CANCELLED, JobStatus.INTERRUPTED)


def look(session: Session, watch: RunWatch, job: Job | None, listed: dict) -> RunWatch:
    """`watch` with all that is new of the list and of the open run, if one is open."""
    if job is None:
        return RunWatch(beside=watch.beside, list_mark=str(listed))
    if job.id != watch.job_id:
        watch = RunWatch(job.id)
    path = _log_path(job.id)
    log_mark = (path.stat().st_size,) if path.is_file() else ()
    fresh = follow(session, watch)
    job_mark = (*mark_of(job), alerts.count(session, job.id), sample_answers.count(session, job.id))
    return replace(fresh, list_mark=str(listed), job_mark=job_mark, log_mark=log_mark)


def log_of(job_id: int) -> dict:
    return read_log(_log_path(job_id))


def move(session: Session, actor: Actor, job: Job, *, earlier: bool) -> None:
    """Let a waiting run change places with the one before or behind it."""
    line = [waiting.id for waiting in queue.list_waiting(session, job.project_id, (JobKind.TRAIN,))]
    if job.id not in line:
        raise ValueError(f"queue: {job.name} waits no longer; nothing was moved.")
    at = line.index(job.id)
    if earlier and at > 0:
        queue.move(session, actor, job.id, before=line[at - 1])
    elif not earlier and at + 1 < len(line):
        queue.move(session, actor, job.id, before=line[at + 2] if at + 2 < len(line) else None)


def any_open(session: Session, project_id: int) -> bool:
    return any(
        job.status.is_open or jobs.goes_on(job) for job in jobs.list_jobs(session, project_id, JobKind.TRAIN)
    )


def enqueue(
    session: Session, actor: Actor, project_id: int, kind: JobKind, form_key: str, values: tuple
) -> tuple[Job, bool]:
    """Queue what the form says: the job, and whether it is new. One form pressed twice is one job."""
    spec = spec_of(values)
    registry.get_base_model(session, spec.base_model_id)
    if datasets.get_version(session, spec.dataset_version_id).dataset.project_id != project_id:
        raise LookupError(f"This project has no dataset version number {spec.dataset_version_id}.")
    asked_at, key = utc_now(), request_key(form_key, spec, kind)
    job = jobs.enqueue(session, actor, project_id, kind, spec, name=spec.adapter_name, request_key=key)
    return job, job.created_at >= asked_at


def _rank(job: Job, line: list[int]) -> tuple[int, int]:
    """Where a run stands in the list: those at work, then those that wait in their order, then the closed."""
    if job.id in line:
        return 1, line.index(job.id)
    return (0 if job.status is JobStatus.RUNNING else 2), -job.id


def _wide(job: Job, line: list[int], losses: Mapping[int, float], checked: Mapping[int, float]) -> list[dict]:
    word, hue = status_chip(job.status)
    return [
        cell(job.name, note=job.note.split("\n")[0][:80]),
        cell(word, chip=hue),
        {**cell(_progress(job)), **_moves(job, line)},
        cell(_loss(losses.get(job.id))),
        cell(_loss(checked.get(job.id))),
        cell(ago(job.created_at), title=exact(job.created_at)),
        cell(job.created_by.full_name),
        cell(time_taken(job)),
    ]


def _narrow(job: Job, line: list[int]) -> list[dict]:
    word, hue = status_chip(job.status)
    note = f"{ago(job.created_at)}, {job.created_by.full_name}"
    status = cell(word, chip=hue, note=_progress(job))
    return [cell(job.name, note=note), {**status, **_moves(job, line)}]


def _moves(job: Job, line: list[int]) -> dict:
    """The arrows of a waiting run; `line` is the ids that wait, in the order they are taken."""
    if job.id not in line or len(line) < 2:
        return {}
    return {"moves": True, "earlier": job.id != line[0], "later": job.id != line[-1]}


def _loss(loss: float | None) -> str:
    return "" if loss is None else f"{loss:.3f}"


def _progress(job: Job) -> str:
    return f"{job.step:,} / {job.total_steps:,}" if job.total_steps else ""


def _names(session: Session, job: Job) -> tuple[str, str]:
    """The base model and the dataset version of a job, by name."""
    version = datasets.get_version(session, job.spec["dataset_version_id"])
    return registry.get_base_model(session, job.spec["base_model_id"]).name, version_name(version)


def _log_path(job_id: int) -> Path:
    return log_path(from_environment().jobs_dir, job_id)
