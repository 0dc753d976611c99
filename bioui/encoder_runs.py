"""Encoder baselines as their page shows them: rows of the database in, plain values out."""

from dataclasses import replace

import gradio as gr

from bioui.components.empty import empty_state
from bioui.components.encoder_run import (
    NO_HEAD,
    NO_SCORES,
    NO_SETTINGS,
    bar_value,
    head_value,
    looks_value,
    loss_value,
    measure_title,
    outcome_value,
    score_words,
    scores_value,
    settings_value,
)
from bioui.components.job_panel import NO_LOG, log_path, read_log, time_taken
from bioui.components.notice import NO_NOTICE
from bioui.components.progress import NO_PROGRESS
from bioui.components.table import Column, cell, table_value
from bioui.handling import linked
from bioui.present import ago, exact, status_chip
from bioui.runs import worker_notice
from bioui.watching import RunWatch, follow, mark_of
from db import encoders, evaluations, jobs, queue, specs, task_versions
from db.encoder_spec import STAND_IN
from db.enums import JobKind, JobStatus, Split
from db.session import Session
from db.settings import from_environment
from db.tables import Encoder, Evaluation, Job

WIDE = (
    Column("Encoder"), Column("Began from"), Column("Trained on"), Column("Score (interval)", "long"),
    Column("Status", "status"), Column("When", "time"),
)  # fmt: skip
BESIDE = (Column("Encoder"), Column("Status", "status"))
EMPTY = empty_state(
    "No encoder yet.",
    "An encoder such as BioBERT, tuned on a task's training rows, is the baseline beside the language models "
    "on the leaderboard. Freeze a task's train rows and its test rows, then start with Tune an encoder.",
)
FORM_OPEN = -1  # beside the list, in place of a run's number


def linked_encoder(session: Session, project_id: int, request: gr.Request) -> int:
    """The job of ?encoder=, 0 where there is none: other pages know an encoder by its own number."""
    wanted = linked(request, "encoder")
    return encoders.get_encoder(session, project_id, wanted).job_id or 0 if wanted else 0


def find_run(session: Session, project_id: int, job_id: int) -> Job:
    """The run, when it is this project's. Raises LookupError when it is not."""
    job = jobs.get_job(session, job_id)
    if job.project_id != project_id or job.kind is not JobKind.TRAIN_ENCODER:
        raise LookupError(f"This project has no encoder run number {job_id}.")
    return job


def any_open(session: Session, project_id: int) -> bool:
    listed = jobs.list_jobs(session, project_id, JobKind.TRAIN_ENCODER)
    return any(job.status.is_open or jobs.goes_on(job) for job in listed)


def can_cancel(job: Job) -> bool:
    return (job.status.is_open and job.cancel_requested_at is None) or jobs.goes_on(job)


def can_resume(job: Job) -> bool:
    return job.status in (JobStatus.FAILED, JobStatus.CANCELLED, JobStatus.INTERRUPTED)


def cancel_sentence(job: Job) -> str:
    """What becomes of what was done."""
    where = f" It is at step {job.step:,} of {job.total_steps:,}." if job.total_steps else ""
    return (
        f"Stop {job.name}?{where} It writes a checkpoint first, and can be resumed from there; no encoder is "
        "made until it is through."
    )


# The list -------------------------------------------------------------------------------------------------


def list_value(session: Session, project_id: int, *, open_id: int = 0) -> dict:
    """Runs and the encoders they made, newest first; narrow while something is open beside it."""
    listed = jobs.list_jobs(session, project_id, JobKind.TRAIN_ENCODER)
    made = {encoder.job_id: encoder for encoder in encoders.list_encoders(session, project_id)}
    scores = encoders.list_scores(session, [encoder.id for encoder in made.values()])
    tasks = {version.id: version.name for version in task_versions.list_tasks(session, project_id)}
    rows = []
    for job in listed:
        encoder = made.get(job.id)
        if encoder is None and job.status is JobStatus.FINISHED:
            continue  # removed
        found = scores.get(encoder.id, []) if encoder else []
        cells = _narrow(job) if open_id else _wide(job, tasks, encoder, found)
        rows.append({"id": job.id, "opens": True, "cells": cells})
    columns = BESIDE if open_id else WIDE
    return table_value(columns, rows, empty=EMPTY, current_id=open_id or None)


def _narrow(job: Job) -> list[dict]:
    word, hue = status_chip(job.status)
    note = _standing(job) or ago(job.created_at)
    return [cell(job.name, note=_origin(job), title=exact(job.created_at)), cell(word, chip=hue, note=note)]


def _wide(job: Job, tasks: dict[int, str], encoder: Encoder | None, found: list[Evaluation]) -> list[dict]:
    word, hue = status_chip(job.status)
    best = sorted(found, key=lambda each: each.task_version.split != Split.TEST)
    first = best[0] if best else None
    others = [f"{score_words(each)}, {each.task_version.name}" for each in best[1:]]
    notes = [f"{measure_title(first)}, {first.task_version.name}", *others] if first else []
    return [
        cell(job.name),
        cell(_origin(job), note="" if job.spec["location"] != STAND_IN else "no baseline to publish"),
        cell(tasks.get(job.spec["train_task_id"], f"task {job.spec['train_task_id']}")),
        cell(score_words(first) if first else "–", note="\n".join(notes)),
        cell(word, chip=hue, note=_standing(job)),
        cell(ago(job.created_at), note=job.created_by.full_name, title=exact(job.created_at)),
    ]


def _origin(job: Job) -> str:
    return encoders.title_of(job.spec["location"])


def _standing(job: Job) -> str:
    if job.status is JobStatus.RUNNING and job.total_steps:
        return f"{job.step:,} / {job.total_steps:,}"
    return time_taken(job) if job.status is JobStatus.FINISHED else ""


# An open run ----------------------------------------------------------------------------------------------


def look(session: Session, watch: RunWatch, job: Job | None, listed: dict) -> RunWatch:
    """`watch` with all that is new of the list and of the open run, if one is open."""
    if job is None:
        return RunWatch(list_mark=str(listed), beside=watch.beside)
    watch = watch if watch.job_id == job.id else RunWatch(job_id=job.id)
    path = log_path(from_environment().jobs_dir, job.id)
    return replace(
        follow(session, watch),
        list_mark=str(listed),
        job_mark=mark_of(job),
        log_mark=(path.stat().st_size,) if path.is_file() else (),
    )


def open_run(session: Session, project_id: int, job_id: int) -> tuple:
    """The list with that run beside it (0: the list alone), in the order of the page's `everything`."""
    job = find_run(session, project_id, job_id) if job_id else None
    listed = list_value(session, project_id, open_id=job_id)
    watch = look(session, RunWatch(), job, listed)
    frame = (
        listed,
        worker_notice(session) if any_open(session, project_id) else NO_NOTICE,
        gr.Timer(active=any_open(session, project_id)),
        gr.Column(visible=False),
        gr.Column(visible=job is not None),
        gr.Column(visible=False),
        watch,
    )
    if job is None:
        hidden = gr.Button(visible=False), gr.Button(visible=False)
        return (*frame, NO_LOG, NO_HEAD, NO_PROGRESS, NO_NOTICE, loss_value(watch), looks_value(watch),
                NO_SCORES, NO_SETTINGS, *hidden)  # fmt: skip
    return (*frame, log_of(job.id), *run_values(session, job, watch))


def run_values(session: Session, job: Job, watch: RunWatch) -> tuple:
    """What is new of an open run at each look: the head, bar, outcome, curves, scores, settings, buttons."""
    spec = specs.from_json(job.kind, job.spec)
    made = encoders.of_job(session, job.id)
    names = {version.id: version.name for version in task_versions.list_tasks(session, job.project_id)}
    train = names.get(spec.train_task_id, f"task {spec.train_task_id}")
    tasks = [names.get(id, f"task {id}") for id in spec.tasks]
    found = evaluations.list_evaluations(session, job.project_id, job_id=job.id, is_finished=True)
    log = str(log_path(from_environment().jobs_dir, job.id))
    return (
        head_value(job, train=train),
        bar_value(job, watch, jobs_before=_jobs_before(session, job)),
        outcome_value(job, log=log),
        loss_value(watch),
        looks_value(watch),
        scores_value(found[::-1], job.project_id, level=spec.level),
        settings_value(spec, train=train, tasks=tasks, facts=_facts(job, made)),
        gr.Button(visible=can_cancel(job)),
        gr.Button(visible=can_resume(job)),
    )


def log_of(job_id: int) -> dict:
    return read_log(log_path(from_environment().jobs_dir, job_id))


def _facts(job: Job, made: Encoder | None) -> dict[str, str]:
    """What is known of the encoder itself, once there is one."""
    if made is None:
        return {}
    return {
        "Head": made.head,
        "Exact revision": made.revision,
        "Weights (SHA-256)": made.weights_hash,
        "Lies in": made.path,
        "Device": " ".join(filter(None, (job.result.get("device", ""), job.result.get("dtype", "")))),
    }


def _jobs_before(session: Session, job: Job) -> int:
    """How many jobs, of all projects and kinds, are taken before a waiting one."""
    if job.status is not JobStatus.QUEUED:
        return 0
    line = [waiting.id for waiting in queue.list_waiting(session)]
    return line.index(job.id) + len(jobs.list_running(session))
