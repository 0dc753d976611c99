"""Batches of comparisons as their page shows them: rows of the database in, plain values out."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import gradio as gr

from bioui.comparing import require_one_base, side_of
from bioui.components import batch_form
from bioui.components.batch_form import TASK, name_of, request_key, spec_of
from bioui.components.batch_rows import NO_ROWS, rows_value
from bioui.components.batch_run import (
    NO_HEAD,
    NO_LINKS,
    bar_value,
    head_value,
    links_value,
    outcome_value,
)
from bioui.components.batch_slices import NO_SLICES, slices_value
from bioui.components.empty import empty_state
from bioui.components.job_panel import NO_LOG, log_path, read_log, time_taken
from bioui.components.notice import NO_NOTICE
from bioui.components.progress import NO_PROGRESS
from bioui.components.table import Column, Trail, cell, table_value
from bioui.present import ago, exact, status_chip
from bioui.watching import mark_of
from db import assignments, audit, batch_figures, batches, jobs, queue
from db.batch_figures import Figures, Show
from db.compare_spec import require_sides
from db.enums import JobKind, JobStatus
from db.policy import Actor, Right
from db.session import Session
from db.settings import from_environment
from db.tables import Job

COLUMNS = (Column("Batch"), Column("Status", "status"))
NO_RUNS = empty_state("No batch yet.", "Put a file of prompts to a base and its adapters with New batch.")
ALL = "*"  # of the slices, in the list of them
SHOWS = {
    Show.ALL: "All rows",
    Show.DIFFER: "Answers differ",
    Show.APART: "A fact found on one side only",
    Show.MISSING: "A fact is missing",
    Show.CUT: "An answer was cut",
    Show.WAITING: "An answer is to come",
}
SMALL = 300  # prompts; figures of a larger batch are reckoned anew only once it is done


@dataclass(frozen=True)
class Look:
    """What this reader's page shows of the open batch."""

    slice: str | None = None  # None: all of them
    show: Show = Show.ALL
    words: str = ""
    trail: Trail = field(default_factory=Trail)
    next_first: int | None = None
    mark: tuple = ()
    answers: int = -1  # that the rows were last read with

    def with_filter(self, slice: str | None, show: str, words: str) -> "Look":
        """Another choice of rows, from the first page."""
        known = show if show in list(Show) else Show.ALL
        chosen = None if slice in (None, ALL) else slice
        return replace(self, slice=chosen, show=Show(known), words=(words or "")[:200], trail=Trail())


# The list and an open batch -------------------------------------------------------------------------------


def runs_value(session: Session, project_id: int, open_id: int = 0) -> dict:
    """The batches, newest first."""
    rows = [
        {"id": job.id, "opens": True, "cells": _cells(job)}
        for job in jobs.list_jobs(session, project_id, JobKind.COMPARE)
    ]
    return table_value(COLUMNS, rows, empty=NO_RUNS, current_id=open_id)


def run_values(session: Session, actor: Actor, job: Job) -> tuple:
    """Head, bar, outcome, links, cancel, resume and log of an open batch."""
    titles, colours = _sides(session, job)
    path = log_path(from_environment().jobs_dir, job.id)
    answered = batches.count_answers(session, job.id) > 0
    return (
        head_value(job, batches.count(session, job.id), titles, colours),
        bar_value(
            job,
            jobs_before=_jobs_before(session, job),
            answers_a_second=jobs.last_values(session, [job.id], "rows_per_second").get(job.id),
        ),
        outcome_value(job, log=str(path)),
        links_value(job, may_lead=actor.can(Right.LEAD_ROUNDS), answered=answered),
        gr.update(visible=can_cancel(job)),
        gr.update(visible=can_resume(job)),
        read_log(path),
    )


NO_RUN = (
    NO_HEAD,
    NO_PROGRESS,
    NO_NOTICE,
    NO_LINKS,
    gr.update(visible=False),
    gr.update(visible=False),
    NO_LOG,
)
NO_ANSWERS = (NO_SLICES, gr.skip(), gr.skip(), NO_ROWS)


def answers_values(session: Session, actor: Actor, job: Job, look: Look) -> tuple[tuple, Look]:
    """Slices, the lists of slices and of what to show, and the page of rows; with it the look."""
    titles, colours = _sides(session, job)
    figures = batch_figures.read(session, job.id, len(titles))
    awaited = assignments.still_blind(session, actor, job.project_id)
    hidden = awaited.keys() & {row.comparison.id for row in figures.rows}
    rows = batch_figures.chosen(figures.rows, slice=look.slice, show=look.show, words=look.words)
    if hidden and (look.show is not Show.ALL or look.words):  # a filter must not tell of what is withheld
        rows = [row for row in rows if row.comparison.id not in hidden]
    value, next_first = rows_value(
        rows, titles, colours, trail=look.trail, project_id=job.project_id, hidden=hidden
    )
    shown = NO_SLICES if hidden else slices_value(figures, titles, colours, look.slice)
    now = replace(look, next_first=next_first, mark=mark_of(job), answers=_answered(figures))
    return (shown, _slice_choices(figures, look), gr.update(value=look.show.value), value), now


def wants_rows(session: Session, job: Job, look: Look) -> bool:
    """Whether the rows are worth reading again: more answers are there, and the batch is small or done."""
    if batches.count_answers(session, job.id) == look.answers:
        return False
    return not job.status.is_open or batches.count(session, job.id) <= SMALL


def can_cancel(job: Job) -> bool:
    return (job.status.is_open and job.cancel_requested_at is None) or jobs.goes_on(job)


def can_resume(job: Job) -> bool:
    return job.status in (JobStatus.FAILED, JobStatus.CANCELLED, JobStatus.INTERRUPTED)


def cancel_sentence(job: Job) -> str:
    """What becomes of what was done."""
    where = f" It is at answer {job.step:,} of {job.total_steps:,}." if job.total_steps else ""
    return f"Stop {job.name}?{where} Answers so far are kept, and the batch can be resumed from there."


# The form -------------------------------------------------------------------------------------------------


def start(session: Session, actor: Actor, project_id: int, form_key: str, given: Mapping) -> Job:
    """Queue the batch that the form describes. Raises ValueError by the field, LookupError."""
    chosen = require_sides([side_of(key) for key in given["sides"] or ()])
    require_one_base(session, chosen)
    spec = spec_of(chosen, given)
    there = batch_form.found(session, project_id, given)
    if there is None:
        raise ValueError(f"{given['source']}: choose one.")
    suspects = batches.suspects(there.prompts)
    if suspects and not given["checked"]:
        raise ValueError(
            "checked: some prompts may hold patient data; take it out, or say that you have looked and "
            "there is none."
        )
    name = " ".join((given["name"] or "").split()) or name_of(given)
    job = batches.start(
        session,
        actor,
        project_id,
        spec,
        there.prompts,
        name=name,
        request_key=request_key(form_key, spec, name),
        task_version_id=int(given["task_id"]) if given["source"] == TASK else None,
    )
    if suspects:
        audit.record(session, actor, "sent_despite_warning", job, prompts=len(suspects))
    return job


# Parts ----------------------------------------------------------------------------------------------------


def _sides(session: Session, job: Job) -> tuple[list, list]:
    return batches.titles(session, job), [side.colour for side in batches.spec_of(job).sides]


def _answered(figures: Figures) -> int:
    return sum(column.answers for column in figures.total.columns)


def _slice_choices(figures: Figures, look: Look):
    named = [(part.name or "Without a slice", part.name) for part in figures.slices]
    return gr.update(
        choices=[("All slices", ALL), *named],
        value=ALL if look.slice is None else look.slice,
        visible=len(named) > 1,
    )


def _cells(job: Job) -> list[dict]:
    word, hue = status_chip(job.status)
    took = time_taken(job) if job.finished_at else ""
    done = took if job.status is JobStatus.FINISHED else f"{job.step:,} / {job.total_steps:,} answers"
    done = done if job.total_steps or took else ""
    who = f"{ago(job.created_at)}, {job.created_by.full_name}"
    return [cell(job.name, note=who, title=exact(job.created_at)), cell(word, chip=hue, note=done)]


def _jobs_before(session: Session, job: Job) -> int:
    """How many jobs, of all projects and kinds, are taken before a waiting one."""
    if job.status is not JobStatus.QUEUED:
        return 0
    line = [waiting.id for waiting in queue.list_waiting(session)]
    return line.index(job.id) + len(jobs.list_running(session))
