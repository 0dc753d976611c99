"""A study in plain words: its place in the list, its head, how far it is, its arms, how it ended.

Plain values only: rows come in, what the views show goes out.
"""

from collections.abc import Sequence
from pathlib import Path

from bioui.components.empty import empty_state
from bioui.components.job_panel import head_on_load, time_taken
from bioui.components.notice import NO_NOTICE, notice_value
from bioui.components.progress import NO_PROGRESS, progress_value
from bioui.components.table import Column, cell, table_value
from bioui.components.view import View
from bioui.present import ago, counted, duration, exact, status_chip
from db import jobs
from db.enums import JobStatus, StudyKind
from db.studies import plan_of
from db.study_figures import KIND_WORDS
from db.study_steps import CLOSED, Standing, Step, count_runs
from db.tables import Job, Study, StudyArm

HEAD = Path(__file__).with_name("generate_run.hbs").read_text(encoding="utf-8")
ARMS = Path(__file__).with_name("study_arms.hbs").read_text(encoding="utf-8")
NO_HEAD = {"id": 0}
NO_ARMS: dict = {"arms": []}
WIDE = (
    Column("Study", "long"), Column("Status", "status"), Column("Measured", "num"), Column("Question"),
    Column("When", "time"), Column("By"), Column("Took", "time"),
)  # fmt: skip
BESIDE = (Column("Study"), Column("Status", "status"))
EMPTY = empty_state(
    "No study yet.",
    "A study tunes an adapter for each arm of a grid, measures them all on the same tasks, and is read back "
    "as one figure. Start one with New study, or try a paper's in miniature.",
)
_HUES = {Step.DONE: "approved", Step.FAILED: "attention"}


def study_head() -> View:
    return View(HEAD, NO_HEAD, on_load=head_on_load("study"))


def arms_table() -> View:
    return View(ARMS, NO_ARMS, elem_classes="study-arms-view")


def list_value(shown: Sequence[tuple[Study, Job, Sequence[Standing]]], *, open_id: int = 0) -> dict:
    """The studies, newest first; narrow while one, or the form, is open beside."""
    rows = [
        {
            "id": study.id,
            "opens": True,
            "cells": _narrow(study, job, found) if open_id else _wide(study, job, found),
        }
        for study, job, found in shown
    ]
    return table_value(BESIDE if open_id else WIDE, rows, empty=EMPTY, current_id=open_id)


def head_value(study: Study, job: Job, found: Sequence[Standing], *, base: str, version: str) -> dict:
    word, hue = status_chip(job.status)
    done = _measured(found)
    return {
        "id": study.id,
        "name": study.name,
        "status": word,
        "hue": hue,
        "lead": f"{KIND_WORDS[StudyKind(study.kind)]}: {counted(len(found), 'arm')} on {base}, "
        f"rows of {version}.",
        "when": f"Asked for by {job.created_by.full_name} {ago(job.created_at)}.",
        "exact": exact(job.created_at),
        "spoken": f"{word}, {done} of {len(found)} arms measured",
    }


def bar_value(job: Job, found: Sequence[Standing], left: float | None) -> dict:
    """The progress of an open study; `left` is seconds, where they can be told."""
    if job.status is JobStatus.QUEUED:
        return progress_value("waiting for a worker", 0, 0)
    if job.status is not JobStatus.RUNNING:
        return NO_PROGRESS
    phase = "stopping its runs" if job.cancel_requested_at else job.phase or "starting"
    done, total = count_runs(found)
    note = f"about {duration(left)} left" if left else ""
    measured = f"{_measured(found)} of {len(found)} arms measured"
    return progress_value(phase, done, total, unit="runs", note=" · ".join(filter(None, (note, measured))))


def outcome_value(job: Job, found: Sequence[Standing], log: str) -> dict:
    """How a closed study ended and what to do next; nothing for an open one."""
    missing = len(found) - _measured(found)
    lacks = f"{counted(missing, 'arm')} not measured." if missing else "Every arm is measured."
    if job.status is JobStatus.FINISHED:
        took = f"Took {time_taken(job)}."
        hue = "review" if missing else "approved"
        return notice_value("The study is done", lacks, took, hue=hue)
    if job.status is JobStatus.CANCELLED:
        return notice_value("Cancelled, and its runs with it", lacks, "Resume goes on with what is missing.")
    if job.status is JobStatus.INTERRUPTED:
        again = "It goes on by itself in a moment." if jobs.goes_on(job) else "Resume goes on from here."
        return notice_value("Interrupted", job.error, f"{lacks} {again}", hue="review")
    if job.status is JobStatus.FAILED:
        said = job.error[:1].upper() + job.error[1:]
        return notice_value("Not all arms could be measured", said, hue="attention", log=log)
    return NO_NOTICE


def arms_value(study: Study, found: Sequence[Standing], evaluated: dict[int, int]) -> dict:
    """The arms, where they stand, links to what they made; `evaluated` is position -> an evaluation."""
    return {
        "arms": [
            {
                "label": one.label,
                "trouble": one.trouble,
                "state": one.words.capitalize(),
                "hue": _HUES.get(one.step, "review" if one.runs else "draft"),
                "rows": f"{plan_of(arm).rows:,}" if plan_of(arm).rows else "–",
                "links": _links(study, arm, evaluated.get(one.position)),
            }
            for arm, one in zip(study.arms, found, strict=True)
        ]
    }


def cancel_sentence(study: Study, found: Sequence[Standing]) -> str:
    open_runs = sum(one.job is not None for one in found)
    return (
        f"Stop {study.name}? {counted(open_runs, 'run')} it asked for will be stopped too. What is measured "
        "stays in the figure, and the study can be resumed."
    )


def mark_of(found: Sequence[Standing]) -> tuple:
    """Differs whenever something of the arms has changed that a page shows."""
    return tuple((one.step, one.words, one.trouble) for one in found)


def settled(found: Sequence[Standing]) -> tuple:
    """Differs whenever the figure has."""
    return tuple(one.step for one in found if one.step in CLOSED)


def _links(study: Study, arm: StudyArm, evaluation: int | None) -> list[dict]:
    project = f"project={study.project_id}"
    links = []
    if arm.dataset_version_id:
        links.append(("Rows", f"/datasets?{project}&version={arm.dataset_version_id}"))
    if arm.train_job_id:
        links.append(("Training", f"/train?{project}&job={arm.train_job_id}"))
    if arm.adapter_id:
        links.append(("Adapter", f"/models?{project}&adapter={arm.adapter_id}"))
    if arm.evaluate_job_id:
        links.append(("Evaluation", f"/evaluate?{project}&job={arm.evaluate_job_id}"))
    if evaluation:
        links.append(("Answers", f"/results?{project}&evaluation={evaluation}"))
    return [{"text": text, "href": href} for text, href in links]


def _measured(found: Sequence[Standing]) -> int:
    return sum(one.step is Step.DONE for one in found)


def _wide(study: Study, job: Job, found: Sequence[Standing]) -> list[dict]:
    word, hue = status_chip(job.status)
    return [
        cell(study.name),
        cell(word, chip=hue),
        cell(f"{_measured(found)} / {len(found)}"),
        cell(KIND_WORDS[StudyKind(study.kind)]),
        cell(ago(study.created_at), title=exact(study.created_at)),
        cell(job.created_by.full_name),
        cell(time_taken(job)),
    ]


def _narrow(study: Study, job: Job, found: Sequence[Standing]) -> list[dict]:
    word, hue = status_chip(job.status)
    note = f"{ago(study.created_at)}, {job.created_by.full_name}"
    return [cell(study.name, note=note), cell(word, chip=hue, note=f"{_measured(found)} / {len(found)} arms")]
