"""Judge runs as their page shows them: rows of the database in, plain values out."""

from bioui.components.empty import empty_state
from bioui.components.judge_result import (
    NO_RESULT,
    NO_ROW,
    AnswerSide,
    result_value,
    row_value,
)
from bioui.components.notice import NO_NOTICE, failure_value, notice_value
from bioui.components.progress import NO_PROGRESS, progress_value
from bioui.components.table import Column, Trail, cell, table_value
from bioui.present import ago, exact, status_chip
from db import evaluations, jobs, judge_figures, judgements
from db.enums import JobKind, JobStatus
from db.judging import rubrics
from db.judging.verdicts import Outcome
from db.session import Session
from db.tables import Evaluation, Job, TaskRow

COLUMNS = (Column("Run"), Column("Status", "status"))
ROW_COLUMNS = (Column("Row", "num"), Column("What was asked", "long"), Column("Outcome", "status"))
NO_RUNS = empty_state(
    "No judge run yet.", "Start one with Judge answers: two evaluations of one frozen task."
)
NO_ROWS = empty_state("No verdict yet.", "Rows appear here as the judge answers.")
PAGE_ROWS = 50
OUTCOME_WORDS = {
    Outcome.WIN: ("Won", "approved"),
    Outcome.LOSS: ("Lost", "attention"),
    Outcome.TIE: ("Tie", "draft"),
    Outcome.INCONSISTENT: ("Place decided", "review"),
}


def find_run(session: Session, project_id: int, job_id: int) -> Job:
    """The run, when it is this project's. Raises LookupError when it is not."""
    job = jobs.get_job(session, job_id)
    if job.project_id != project_id or job.kind is not JobKind.JUDGE:
        raise LookupError(f"This project has no judge run number {job_id}.")
    return job


def runs_value(session: Session, project_id: int, open_id: int = 0) -> dict:
    """The runs, newest first."""
    rows = [
        {"id": job.id, "opens": True, "cells": _cells(job)}
        for job in jobs.list_jobs(session, project_id, JobKind.JUDGE)
    ]
    return table_value(COLUMNS, rows, empty=NO_RUNS, current_id=open_id)


def _cells(job: Job) -> list[dict]:
    word, hue = status_chip(job.status)
    note = f"{job.step:,} of {job.total_steps:,} verdicts" if job.status.is_open and job.total_steps else ""
    pairs = (job.result or {}).get("pairs")
    if pairs:
        note = f"won {pairs['won']['value']:.0%} of {pairs['n']:,}"
    who = f"{ago(job.created_at)}, {job.created_by.full_name}"
    return [cell(job.name, note=who, title=exact(job.created_at)), cell(word, chip=hue, note=note)]


def sides(session: Session, job: Job) -> tuple[AnswerSide, AnswerSide | None]:
    """Whose answers are judged, and what they are compared with."""
    named = [
        session.get(Evaluation, job.spec[name]) for name in ("evaluation_id", "against_id") if job.spec[name]
    ]
    found = [
        AnswerSide(evaluations.title_of(one), "tuned" if one.adapter_id else "base") for one in named if one
    ]
    return found[0], found[1] if len(found) > 1 else None


def head_value(session: Session, job: Job) -> dict:
    word, hue = status_chip(job.status)
    ours, theirs = sides(session, job)
    task = session.get_one(Evaluation, job.spec["evaluation_id"]).task_version
    return {
        "id": job.id,
        "name": job.name,
        "status": word,
        "hue": hue,
        "ours": ours.name,
        "our_side": ours.side,
        "theirs": theirs.name if theirs else "",
        "their_side": theirs.side if theirs else "",
        "task": task.name,
        "rubric": job.spec["rubric"],
        "when": f"Asked for by {job.created_by.full_name} {ago(job.created_at)}.",
        "exact": exact(job.created_at),
    }


def bar_value(job: Job) -> dict:
    if job.status is JobStatus.QUEUED:
        return progress_value("waiting for a worker", 0, 0)
    if job.status is not JobStatus.RUNNING:
        return NO_PROGRESS
    return progress_value(job.phase or "starting", job.step, job.total_steps, unit="verdicts")


def outcome_value(job: Job) -> dict:
    """How a closed run ended and what to do next; nothing for an open or a finished one."""
    kept = "Every verdict so far is kept; Resume asks only for the rest."
    if job.status is JobStatus.CANCELLED:
        return notice_value("Cancelled", kept)
    if job.status is JobStatus.INTERRUPTED:
        return notice_value("Interrupted", job.error, kept, hue="review")
    if job.status is JobStatus.FAILED:
        return failure_value("Stopped", job.error[:1].upper() + job.error[1:], kept)
    return NO_NOTICE


def shown_result(session: Session, job: Job) -> dict:
    """What the run came to; of one that goes on or stopped, what its verdicts so far come to."""
    ours, theirs = sides(session, job)
    result = job.result if job.status is JobStatus.FINISHED else judge_figures.of_job(session, job)
    return result_value(result, ours, theirs) if result.get("spent", {}).get("calls") else NO_RESULT


def rows_page(
    session: Session, job: Job, trail: Trail, *, open_row: int | None = None
) -> tuple[dict, int | None]:
    """A page of judged rows, and the position behind which the next one begins."""
    outcomes = judgements.outcomes(session, job.id)
    listed = judgements.judged_rows(session, job.id, after=trail.before_id, limit=PAGE_ROWS + 1)
    page = listed[:PAGE_ROWS]
    rows = [
        {"id": row.position + 1, "opens": True, "cells": _row_cells(row, outcomes.get(row.position))}
        for row in page
    ]
    next_id = page[-1].position if len(listed) > PAGE_ROWS else None
    value = table_value(
        ROW_COLUMNS,
        rows,
        empty=NO_ROWS,
        trail=trail,
        page_rows=PAGE_ROWS,
        next_before_id=next_id,
        current_id=open_row,
        turns=("Earlier", "Later"),
    )
    return value, next_id


def _row_cells(row: TaskRow, outcome: Outcome | None) -> list[dict]:
    word, hue = OUTCOME_WORDS.get(outcome, ("Graded", "draft"))
    asked = " ".join((row.input or row.instruction).split())
    return [cell(f"{row.position + 1:,}"), cell(asked[:160]), cell(word, chip=hue)]


def open_row_value(session: Session, job: Job, position: int) -> dict:
    """One row with both answers and all that was said of them."""
    ours, theirs = sides(session, job)
    row = judgements.row_of(session, job, position)
    if row is None:
        return NO_ROW
    said = judgements.list_judgements(session, job.id, position)
    return row_value(row, said, ours, theirs, rubrics.get_rubric(job.spec["rubric"]))
