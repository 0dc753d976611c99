"""A conversion in plain words: its place in the list, its head, how far it is, its rows, its end.

Plain values only: rows come in, what the views show goes out.
"""

from pathlib import Path

from bioui.components.empty import empty_state
from bioui.components.job_panel import head_on_load, time_taken
from bioui.components.notice import NO_NOTICE, failure_value, notice_value
from bioui.components.progress import NO_PROGRESS, progress_value
from bioui.components.table import Column, Trail, cell, table_value
from bioui.components.view import View
from bioui.present import ago, counted, exact, status_chip
from db import conversions
from db.conversion_figures import RUNS, RunPage
from db.convert_spec import ConvertSpec
from db.enums import JobStatus
from db.tables import Conversion, Job

HEAD = Path(__file__).with_suffix(".hbs").read_text(encoding="utf-8")
TALLY = Path(__file__).with_name("convert_tally.hbs").read_text(encoding="utf-8")
NO_HEAD = {"id": 0}
NO_TALLY = {"figures": [], "rows": [], "columns": []}
WIDE = (
    Column("Conversion", "long"), Column("Status", "status"), Column("Records", "num"),
    Column("When", "time"), Column("By"), Column("Took", "time"),
)  # fmt: skip
BESIDE = (Column("Conversion"), Column("Status", "status"))
EMPTY = empty_state(
    "No conversion yet.",
    "A conversion reads annotated corpora and stores each row as an instruction with its input and output. "
    "Bring a file, look at what its rows become, and start.",
)
FAULT_COLUMNS = (Column("Row", "num"), Column("Source"), Column("What is wrong", "long"))
FAULTS = 20  # a page
TAKEN_BACK = ("Taken back", "draft")
# What becomes of a row, in words and in the order of the work.
FATES = {
    "read": "Read",
    "left_out": "Left out by the mixture",
    "faulty": "Faulty",
    "copies_within": "Copies within the source",
    "copies_across": "Copies of another source",
    "copies_stored": "Copies of what was here",
    "stored": "Stored",
    "flagged": "With privacy flags",
}


def run_head() -> View:
    return View(HEAD, NO_HEAD, on_load=head_on_load("run"))


def run_tally() -> View:
    return View(TALLY, NO_TALLY, elem_classes="convert-tally-view")


def runs_value(page: RunPage, trail: Trail, *, open_id: int = 0) -> dict:
    """A page of the conversions, newest first; narrow while one is open beside it."""
    make = _narrow if open_id else _wide
    rows = [
        {"id": job.id, "opens": True, "cells": make(job, page.conversions.get(job.id))} for job in page.jobs
    ]
    return table_value(
        BESIDE if open_id else WIDE, rows, empty=EMPTY, total=page.total, trail=trail, page_rows=RUNS,
        next_before_id=page.next_before, current_id=open_id,
    )  # fmt: skip


def chip_of(job: Job, conversion: Conversion | None) -> tuple[str, str]:
    if conversion is not None and conversion.taken_back_at is not None:
        return TAKEN_BACK
    if job.status is JobStatus.RUNNING and job.cancel_requested_at:
        return "Stopping", "review"
    return status_chip(job.status)


def head_value(job: Job, conversion: Conversion | None, spec: ConvertSpec) -> dict:
    word, hue = chip_of(job, conversion)
    share = 10 * (10 * job.step // job.total_steps) if job.total_steps else 0
    files = counted(len(spec.sources), "file")
    return {
        "id": job.id,
        "name": job.name,
        "status": word,
        "hue": hue,
        "lead": f"{files} of {counted(len(spec.names), 'source')}: {', '.join(spec.names)}.",
        "when": f"Asked for by {job.created_by.full_name} {ago(job.created_at)}.",
        "exact": exact(job.created_at),
        "spoken": f"{word}, {share} percent" if job.status is JobStatus.RUNNING else word,
    }


def bar_value(job: Job, *, jobs_before: int, rate: float | None) -> dict:
    """The progress of an open conversion; nothing for a closed one."""
    if job.status is JobStatus.QUEUED:
        before = {0: "It is the next one.", 1: "One other job is before it."}
        note = before.get(jobs_before, f"{jobs_before} other jobs are before it.")
        return progress_value("waiting for a worker", 0, 0, note=note)
    if job.status is not JobStatus.RUNNING:
        return NO_PROGRESS
    phase = "stopping after this batch" if job.cancel_requested_at else job.phase or "starting"
    seconds = job.step / rate if rate and job.total_steps else None
    return progress_value(phase, job.step, job.total_steps, unit="rows", seconds=seconds)


def tally_value(conversion: Conversion | None) -> dict:
    """What became of the rows so far: in all, and source by source."""
    if conversion is None or not conversion.tally:
        return NO_TALLY
    found = conversions.result_of(conversion)
    shown = [fate for fate in FATES if found["totals"].get(fate) or fate in ("read", "stored")]
    return {
        "figures": [{"name": FATES[fate], "text": f"{found['totals'].get(fate, 0):,}"} for fate in shown],
        "columns": [FATES[fate] for fate in shown],
        "rows": [
            {"name": source, "cells": [f"{counts.get(fate, 0):,}" for fate in shown]}
            for source, counts in found["sources"].items()
        ],
    }


def faults_value(conversion: Conversion | None, trail: Trail) -> dict:
    """A page of the first faults, by their place among all rows."""
    faults = conversions.faults_of(conversion) if conversion is not None else []
    total = _count(conversion, "faulty")
    start = int(trail.before_id or 0)
    shown = faults[start : start + FAULTS]
    rows = [
        {
            "id": fault.number,
            "cells": [
                cell(f"{fault.number:,}"),
                cell(fault.source, note=fault.row_id),
                cell(fault.sentence),
            ],
        }
        for fault in shown
    ]
    none = empty_state("No fault.", "Rows that become no instruction are listed here, each with its reason.")
    return table_value(
        FAULT_COLUMNS, rows, empty=none, total=max(total, len(faults)), trail=trail, page_rows=FAULTS,
        next_before_id=start + FAULTS if len(faults) > start + FAULTS else None,
    )  # fmt: skip


def outcome_value(job: Job, conversion: Conversion | None, *, log: str) -> dict:
    """How a closed conversion ended and what to do next; nothing for an open one."""
    stored = _count(conversion, "stored")
    kept = f"{counted(stored, 'record')} stored"
    if conversion is not None and conversion.taken_back_at is not None:
        return notice_value(
            "Taken back", "Its records are gone, as if it had never run. The files stay in the studio."
        )
    links = links_of(job) if stored else {}
    if job.status is JobStatus.FINISHED:
        sentence = "They are drafts. Look through them in Curate and hand them in; reviewers then see them."
        return notice_value(kept[:1].upper() + kept[1:], sentence, hue="approved", links=links)
    if job.status is JobStatus.CANCELLED:
        return notice_value(f"Cancelled with {kept}", "Resume goes on at the first unread row.", links=links)
    if job.status is JobStatus.INTERRUPTED:
        return notice_value(
            f"Interrupted with {kept}", job.error, "Resume goes on at the first row that is not settled.",
            hue="review", links=links,
        )  # fmt: skip
    if job.status is JobStatus.FAILED:
        mend = "Mend that and resume, take it back, or start a new one. The log below tells more."
        error = job.error[:1].upper() + job.error[1:]
        return failure_value(f"Failed with {kept}", error, mend, log=log, links=links)
    return NO_NOTICE


def links_of(job: Job) -> dict[str, str]:
    """Curate at its records, the reviewers' queue, and what they are made of."""
    project = f"project={job.project_id}"
    return {
        "These records in Curate": f"/curate?{project}&job={job.id}",
        "Review": f"/review?{project}",
        "What they are made of": f"/convert?{project}&tab=composition&of={job.id}",
    }


def take_back_words(name: str, rows: int, touched: dict[str, int]) -> str:
    """What taking back would delete, or why it cannot be."""
    if touched:
        told = ", ".join(f"{count:,} {what}" for what, count in touched.items())
        return (
            f"People have worked on records of {name} ({told}), so it cannot be taken back whole. "
            "Retire or delete the others in Curate."
        )
    return (
        f"Take {name} back? {counted(rows, 'record')} will be deleted for good, with their history and "
        "privacy flags. Nobody has edited or reviewed one of them. This cannot be undone."
    )


def _count(conversion: Conversion | None, fate: str) -> int:
    if conversion is None:
        return 0
    return sum(counts.get(fate, 0) for counts in conversion.tally.values())


def _wide(job: Job, conversion: Conversion | None) -> list[dict]:
    word, hue = chip_of(job, conversion)
    return [
        cell(job.name),
        cell(word, chip=hue),
        cell(f"{_count(conversion, 'stored'):,}" if conversion else ""),
        cell(ago(job.created_at), title=exact(job.created_at)),
        cell(job.created_by.full_name),
        cell(time_taken(job)),
    ]


def _narrow(job: Job, conversion: Conversion | None) -> list[dict]:
    word, hue = chip_of(job, conversion)
    note = f"{ago(job.created_at)}, {job.created_by.full_name}"
    stored = counted(_count(conversion, "stored"), "record") if conversion else ""
    return [cell(job.name, note=note), cell(word, chip=hue, note=stored)]
