"""An open batch: whose answers, how far it is, how it ended, and where its answers go from here."""

from collections.abc import Sequence

from bioui.components.job_panel import head_on_load, waiting_value
from bioui.components.notice import NO_NOTICE, failure_value, notice_value
from bioui.components.progress import NO_PROGRESS, progress_value
from bioui.components.view import View
from bioui.present import ago, counted, duration, exact, status_chip
from db import jobs
from db.enums import JobStatus, Side
from db.tables import Job

HEAD = """
{{#if value.id}}
<div class="pane-head"><h2>{{value.name}}</h2>
  <span class="chip chip-{{value.hue}}"><span class="chip-mark" aria-hidden="true"></span>
    {{value.status}}</span>
  <button type="button" class="quiet-btn" data-do="close">Close</button></div>
<p class="pane-lead batch-sides">{{#each value.sides}}<span class="side-name side-{{this.colour}}">
  <span class="side-mark" aria-hidden="true"></span>{{this.title}}</span>{{/each}}</p>
<p class="muted">{{value.said}} <span title="{{value.exact}}">{{value.when}}</span></p>
<p class="sr-only" role="status">{{value.spoken}}</p>
{{/if}}
"""
LINKS = """
{{#if value.shown}}<p class="batch-links">
  {{#if value.round}}<a class="secondary-btn" href="{{value.round}}">Make a blind round of it</a>{{/if}}
  {{#each value.files}}<a href="{{this.href}}" download>{{this.text}}</a>{{/each}}</p>{{/if}}
"""
NO_HEAD = {"id": 0}
NO_LINKS = {"shown": False}


def run_head() -> View:
    return View(HEAD, NO_HEAD, on_load=head_on_load("job"))


def run_links() -> View:
    return View(LINKS, NO_LINKS)


def head_value(job: Job, rows: int, titles: Sequence[str], colours: Sequence[Side]) -> dict:
    word, hue = status_chip(job.status)
    share = 10 * (10 * job.step // job.total_steps) if job.total_steps else 0
    drawn = "greedy" if not job.spec["temperature"] else f"temperature {job.spec['temperature']:g}"
    return {
        "id": job.id,
        "name": job.name,
        "status": word,
        "hue": hue,
        "sides": [
            {"title": title, "colour": colour.value} for title, colour in zip(titles, colours, strict=True)
        ],
        "said": f"{counted(rows, 'prompt')}, {drawn}, at most {job.spec['max_tokens']:,} tokens.",
        "when": f"Asked for by {job.created_by.full_name} {ago(job.created_at)}.",
        "exact": exact(job.created_at),
        "spoken": f"{word}, {share} percent" if job.status is JobStatus.RUNNING else word,
    }


def bar_value(job: Job, *, jobs_before: int, answers_a_second: float | None) -> dict:
    """The progress of an open batch in answers; nothing for a closed one."""
    if job.status is JobStatus.QUEUED:
        return waiting_value(jobs_before)
    if job.status is not JobStatus.RUNNING:
        return NO_PROGRESS
    phase = "stopping" if job.cancel_requested_at else job.phase or "starting"
    seconds = job.step / answers_a_second if answers_a_second and job.step else None
    return progress_value(phase, job.step, job.total_steps, unit="answers", seconds=seconds)


def outcome_value(job: Job, *, log: str) -> dict:
    """How a closed batch ended and what to do next; nothing for an open one."""
    done = f" at answer {job.step:,} of {job.total_steps:,}" if job.total_steps else ""
    kept = "Every answer so far is kept; Resume asks only for what is missing."
    if job.status is JobStatus.FINISHED:
        return notice_value("Every prompt is answered", *_told(job.result), hue="approved")
    if job.status is JobStatus.CANCELLED:
        return notice_value(f"Cancelled{done}", kept)
    if job.status is JobStatus.INTERRUPTED:
        on = kept
        if jobs.goes_on(job):
            times = f"{job.resumed + 1} of {job.spec['resumes']} times"
            on = f"Every answer so far is kept; it goes on by itself in a moment ({times})."
        return notice_value(f"Interrupted{done}", job.error, on, hue="review")
    if job.status is JobStatus.FAILED:
        return failure_value(f"Failed{done}", job.error[:1].upper() + job.error[1:], kept, log=log)
    return NO_NOTICE


def links_value(job: Job, *, may_lead: bool, answered: bool) -> dict:
    """Where the answers go from here: a blind round, and files."""
    if not answered:
        return NO_LINKS
    base = f"/batches/{job.id}/answers"
    return {
        "shown": True,
        "round": f"/rounds?project={job.project_id}&batch={job.id}" if may_lead else "",
        "files": [
            {"text": f"Take it as {suffix.upper()}", "href": f"{base}.{suffix}?project={job.project_id}"}
            for suffix in ("csv", "jsonl")
        ],
    }


def _told(result: dict) -> list[str]:
    took = [f"Took {duration(result['seconds'])}."] if result.get("seconds") else []
    if result.get("cut"):
        took.append(f"{counted(result['cut'], 'answer')} reached the longest allowed and were cut.")
    if result.get("refused"):
        took.append(f"{counted(result['refused'], 'answer')} could not be given; the rows say why.")
    return took
