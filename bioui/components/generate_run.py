"""A generation run in plain words: its place in the list, its head, how far it is, what it took, its end.

Plain values only: rows come in, what the views show goes out.
"""

from collections.abc import Mapping
from pathlib import Path

from bioui.components.empty import empty_state
from bioui.components.generate_form import MODES
from bioui.components.generate_prompt import money
from bioui.components.job_panel import head_on_load, time_taken
from bioui.components.notice import NO_NOTICE, failure_value, notice_value
from bioui.components.progress import NO_PROGRESS, progress_value
from bioui.components.table import Column, Trail, cell, table_value
from bioui.components.view import View
from bioui.present import ago, counted, duration, exact, status_chip
from db.enums import JobStatus
from db.generate_spec import GenerateSpec
from db.generation_figures import RUNS, RunPage
from db.generation_runs import Totals
from db.tables import Job

HEAD = Path(__file__).with_suffix(".hbs").read_text(encoding="utf-8")
TALLY = Path(__file__).with_name("generate_tally.hbs").read_text(encoding="utf-8")
NO_HEAD = {"id": 0}
NO_TALLY = {"figures": []}
WIDE = (
    Column("Run", "long"), Column("Status", "status"), Column("Kept", "num"), Column("Mode"),
    Column("When", "time"), Column("By"), Column("Took", "time"),
)  # fmt: skip
BESIDE = (Column("Run"), Column("Status", "status"))  # while a run or the form is open
EMPTY = empty_state(
    "No generation run yet.",
    "A run shows approved seeds to an endpoint, asks for new instructions, and keeps what passes the filters "
    "for review. Start the first with New run.",
)
PAUSED = ("Paused", "draft")
NEAR = 0.9  # of a budget: then its bar warns


def run_head() -> View:
    return View(HEAD, NO_HEAD, on_load=head_on_load("run"))


def run_tally() -> View:
    return View(TALLY, NO_TALLY, elem_classes="tally-view")


def runs_value(page: RunPage, trail: Trail, *, open_id: int = 0, empty: dict = EMPTY) -> dict:
    """A page of the runs, newest first; narrow while something is open beside it."""
    rows = [
        {
            "id": job.id,
            "opens": True,
            "cells": _narrow(job, page.kept) if open_id else _wide(job, page.kept),
        }
        for job in page.jobs
    ]
    return table_value(
        BESIDE if open_id else WIDE, rows, empty=empty, total=page.total, trail=trail, page_rows=RUNS,
        next_before_id=page.next_before, current_id=open_id,
    )  # fmt: skip


def chip_of(job: Job) -> tuple[str, str]:
    """A run that someone stopped is paused: it can go on at any time."""
    if job.status is JobStatus.CANCELLED:
        return PAUSED
    if job.status is JobStatus.INTERRUPTED:
        return "Stopped", "attention"
    if job.status is JobStatus.RUNNING and job.cancel_requested_at:
        return "Pausing", "review"
    return status_chip(job.status)


def head_value(job: Job, spec: GenerateSpec, *, endpoint: str, kept: int) -> dict:
    word, hue = chip_of(job)
    return {
        "id": job.id,
        "name": job.name,
        "status": word,
        "hue": hue,
        "lead": f"{MODES[spec.mode]} on {endpoint}: {counted(spec.seeds_per_call, 'seed')} shown, "
        f"{spec.per_call} asked a call, {spec.target:,} wanted.",
        "when": f"Asked for by {job.created_by.full_name} {ago(job.created_at)}.",
        "exact": exact(job.created_at),
        "spoken": f"{word}, {10 * (10 * kept // spec.target)} percent kept",
    }


def bar_value(job: Job, spec: GenerateSpec, kept: int, *, jobs_before: int, per_minute: float | None) -> dict:
    """The progress of an open run; nothing for a closed one."""
    if job.status is JobStatus.QUEUED:
        before = {0: "It is the next one.", 1: "One other job is before it."}
        note = before.get(jobs_before, f"{jobs_before} other jobs are before it.")
        return progress_value("waiting for a worker", 0, 0, note=note)
    if job.status is not JobStatus.RUNNING:
        return NO_PROGRESS
    phase = "pausing: what is under way is taken in" if job.cancel_requested_at else job.phase or "starting"
    shown = min(kept, spec.target)
    seconds = 60 * shown / per_minute if per_minute else None
    return progress_value(phase, shown, spec.target, unit="records kept", seconds=seconds)


def tally_value(spec: GenerateSpec, totals: Totals, seconds: float, *, per_minute: float | None) -> dict:
    """What the run has done and spent, beside its budgets."""
    spoilt = [
        f"{number:,} {word}"
        for number, word in (
            (totals.failed, "failed"),
            (totals.lost, "lost"),
            (totals.calls - totals.answered - totals.failed - totals.lost, "under way"),
            (totals.unjudged, "not yet judged"),
        )
        if number
    ]
    rate = f"{per_minute:,.1f}" if per_minute else "–"
    unsure = f"up to {money(totals.unsettled_cost)} not settled" if totals.unsettled_cost else ""
    figures = [
        _figure("Kept", f"{totals.kept:,}", f"of {spec.target:,}", totals.kept, spec.target, warns=False),
        _figure("Calls", f"{totals.calls:,}", ", ".join(spoilt)),
        _figure("Kept per minute", rate),
        _figure(
            "Tokens", f"{totals.tokens:,}", _of(spec.budget_tokens), totals.tokens, spec.budget_tokens
        ),
        _figure(
            "Cost", money(totals.cost), ", ".join(filter(None, (_of(spec.budget_money), unsure))),
            totals.cost, spec.budget_money,
        ),
        _figure(
            "At work", duration(seconds), f"of {spec.budget_hours:g} h" if spec.budget_hours else "",
            seconds, spec.budget_hours * 3600,
        ),
    ]  # fmt: skip
    return {"figures": figures}


def outcome_value(job: Job, spec: GenerateSpec, totals: Totals, *, log: str) -> dict:
    """Why a closed run stopped and what to do next; nothing for an open one."""
    kept = f"{counted(totals.kept, 'record')} kept"
    project = f"project={job.project_id}"
    kept_links = {
        "Review what was kept": f"/review?{project}",
        "These records in Curate": f"/curate?{project}&job={job.id}",
    }
    review = kept_links if totals.kept else {}
    if job.status is JobStatus.FINISHED:
        title = "The run has all it was asked for" if totals.kept >= spec.target else "The run was ended"
        sentence = f"{kept}, in {counted(totals.calls, 'call')}. They wait for a review."
        return notice_value(title, sentence, hue="approved", links=review)
    if job.status is JobStatus.CANCELLED:
        return notice_value(
            f"Paused with {kept}", "Resume goes on from here; no call is made twice.", links=review
        )
    if job.status is JobStatus.INTERRUPTED:
        return notice_value(
            f"Stopped with {kept}",
            _sentence(job.error) or "It was interrupted.",
            "Nothing that was answered is lost. Change its limits below where one was reached, and resume.",
            hue="review",
            links=review,
        )
    if job.status is JobStatus.FAILED:
        mend = "Mend that and resume: no answered call is made again. The log below tells more."
        return failure_value(f"Failed with {kept}", _sentence(job.error), mend, log=log, links=review)
    return NO_NOTICE


def settings_facts(spec: GenerateSpec, *, endpoint: str, template: str, profile: str) -> list[dict]:
    """Every setting of a run by the name its field has."""
    shown = {"endpoint": endpoint, "prompt template": template, "filters": profile}
    for name, value in vars(spec).items():
        if name not in ("endpoint_id", "template_id", "profile") and (name != "aim" or spec.mode == "evolve"):
            shown[name.replace("_", " ")] = _setting(value)
    return [
        {"name": name.capitalize(), "text": text, "mono": False, "title": "", "href": ""}
        for name, text in shown.items()
    ]


def _setting(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        return ", ".join(f"version {one}" for one in value) or "none"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _wide(job: Job, kept: Mapping[int, int]) -> list[dict]:
    word, hue = chip_of(job)
    return [
        cell(job.name),
        cell(word, chip=hue),
        cell(f"{kept.get(job.id, 0):,} / {job.spec['target']:,}"),
        cell(MODES[job.spec["mode"]]),
        cell(ago(job.created_at), title=exact(job.created_at)),
        cell(job.created_by.full_name),
        cell(time_taken(job)),
    ]


def _narrow(job: Job, kept: Mapping[int, int]) -> list[dict]:
    word, hue = chip_of(job)
    note = f"{ago(job.created_at)}, {job.created_by.full_name}"
    done = f"{kept.get(job.id, 0):,} / {job.spec['target']:,}"
    return [cell(job.name, note=note), cell(word, chip=hue, note=done)]


def _figure(
    name: str, text: str, note: str = "", part: float = 0, whole: float = 0, *, warns: bool = True
) -> dict:
    percent = min(100.0, 100 * part / whole) if whole else 0
    return {
        "name": name,
        "text": text,
        "note": note,
        "track": bool(whole),
        "percent": round(percent, 1),
        "near": warns and percent >= 100 * NEAR,
    }


def _of(budget: float) -> str:
    return f"of {budget:,g}" if budget and budget < 1e6 else f"of {budget:,.0f}" if budget else ""


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]
