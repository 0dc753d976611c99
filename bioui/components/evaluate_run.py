"""An evaluation at work: its model, how far it is, the tasks it has scored, and how it ended."""

from collections.abc import Sequence
from dataclasses import dataclass

from bioui.components.evaluate_form import label_of
from bioui.components.job_panel import head_on_load, said, waiting_value
from bioui.components.notice import NO_NOTICE, failure_value, notice_value
from bioui.components.progress import NO_PROGRESS, progress_value
from bioui.components.view import View
from bioui.present import ago, counted, duration, exact, status_chip
from db import jobs
from db.enums import JobStatus
from db.evaluate_spec import EvaluateSpec
from db.tables import Job

HEAD = """
{{#if value.id}}
<div class="pane-head"><h2>{{value.name}}</h2>
  <span class="chip chip-{{value.hue}}"><span class="chip-mark" aria-hidden="true"></span>
    {{value.status}}</span>
  <button type="button" class="quiet-btn" data-do="close">Close</button></div>
<p class="pane-lead"><span class="chip chip-{{value.side}}">
  <span class="chip-mark" aria-hidden="true"></span>{{value.model}}</span>
  {{value.what}} <span class="muted" title="{{value.exact}}">{{value.when}}</span></p>
<p class="sr-only" role="status">{{value.spoken}}</p>
{{/if}}
"""
NO_HEAD = {"id": 0}
TASKS = """
{{#if value.tasks}}<div class="table-scroll" tabindex="0"><table class="table run-tasks">
  <caption class="sr-only">Tasks of this run</caption>
  <thead><tr><th scope="col">Task</th><th scope="col">Way</th><th scope="col" class="col-num">Rows</th>
    <th scope="col" class="col-num">Score (interval)</th>
    <th scope="col"><span class="sr-only">Results</span></th></tr></thead>
  <tbody>{{#each value.tasks}}<tr><th scope="row">{{this.name}}</th><td>{{this.way}}</td>
    <td class="col-num">{{this.rows}}</td><td class="col-num">{{this.figure}}</td>
    <td>{{#if this.href}}<a href="{{this.href}}">Results</a>{{/if}}</td></tr>{{/each}}</tbody>
</table></div>{{/if}}
"""
NO_TASKS = {"tasks": []}
SETTINGS = """
{{#if value.facts}}<details class="fold-quiet"><summary>Settings of this run</summary>
<dl class="facts">{{#each value.facts}}<dt>{{this.name}}</dt><dd>{{this.text}}</dd>{{/each}}</dl>
</details>{{/if}}
"""
NO_SETTINGS = {"facts": []}


@dataclass(frozen=True)
class TaskLine:
    """Where one task of a run stands."""

    name: str
    way: str = ""
    done: int = 0
    rows: int = 0
    figure: str = ""  # once all rows are scored
    href: str = ""  # of its results


def run_head() -> View:
    return View(HEAD, NO_HEAD, on_load=head_on_load("job"))


def run_tasks() -> View:
    return View(TASKS, NO_TASKS)


def run_settings() -> View:
    return View(SETTINGS, NO_SETTINGS)


def head_value(job: Job, *, model: str, is_adapter: bool) -> dict:
    word, hue = status_chip(job.status)
    share = 10 * (10 * job.step // job.total_steps) if job.total_steps else 0
    return {
        "id": job.id,
        "name": job.name,
        "status": word,
        "hue": hue,
        "model": model,
        "side": "tuned" if is_adapter else "base",
        "what": f"on {counted(len(job.spec['tasks']), 'frozen task')}.",
        "when": f"Asked for by {job.created_by.full_name} {ago(job.created_at)}.",
        "exact": exact(job.created_at),
        "spoken": f"{word}, {share} percent" if job.status is JobStatus.RUNNING else word,
    }


def bar_value(
    job: Job, *, jobs_before: int, rows_a_second: float | None, tokens_a_second: float | None
) -> dict:
    """The progress of an open run in rows; nothing for a closed one."""
    if job.status is JobStatus.QUEUED:
        return waiting_value(jobs_before)
    if job.status is not JobStatus.RUNNING:
        return NO_PROGRESS
    phase = "stopping after this batch" if job.cancel_requested_at else job.phase or "starting"
    seconds = job.step / rows_a_second if rows_a_second and job.step else None
    note = f"{tokens_a_second:,.0f} tokens/s" if tokens_a_second else ""
    return progress_value(phase, job.step, job.total_steps, unit="rows", seconds=seconds, note=note)


def outcome_value(job: Job, *, log: str) -> dict:
    """How a closed run ended and what to do next; nothing for an open one."""
    done = f" at row {job.step:,} of {job.total_steps:,}" if job.total_steps else ""
    if job.status is JobStatus.FINISHED:
        links = {}
        if found := job.result.get("evaluations"):
            links["Read the answers"] = f"/results?project={job.project_id}&evaluation={found[0]}"
        return notice_value("All rows are scored", *_told(job.result), hue="approved", links=links)
    if job.status is JobStatus.CANCELLED:
        return notice_value(f"Cancelled{done}", "What was scored is kept; Resume goes on from the next row.")
    if job.status is JobStatus.INTERRUPTED:
        on = "Every scored row is kept; Resume goes on from the next."
        if jobs.goes_on(job):
            times = f"{job.resumed + 1} of {job.spec['resumes']} times"
            on = f"Every scored row is kept; it goes on by itself in a moment ({times})."
        return notice_value(f"Interrupted{done}", job.error, on, hue="review")
    if job.status is JobStatus.FAILED:
        mend = "Mend that and resume; scored rows are kept. The log below tells more."
        return failure_value(f"Failed{done}", job.error[:1].upper() + job.error[1:], mend, log=log)
    return NO_NOTICE


def _told(result: dict) -> list[str]:
    """What a finished run says of itself; what nobody need know is left out."""
    took = f"Took {duration(result['seconds'])}" if result.get("seconds") else ""
    where = f"on {result['device']} in {result['precision']}" if result.get("device") else ""
    sentences = [f"{' '.join(part for part in (took, where) if part)}."] if took else []
    if result.get("too_long"):
        rows = counted(result["too_long"], "row")
        sentences.append(f"{rows} did not fit what the model takes in, and count as wrong.")
    if result.get("cut"):
        sentences.append(f"{counted(result['cut'], 'answer')} reached the longest allowed and were cut.")
    if result.get("leaks"):
        rows = counted(result["leaks"], "task row")
        sentences.append(f"{rows} stand among the adapter's train rows; scores without them are kept, too.")
    return sentences


def tasks_value(lines: Sequence[TaskLine]) -> dict:
    return {
        "tasks": [
            {
                "name": line.name,
                "way": line.way.capitalize(),
                "rows": f"{line.done:,} of {line.rows:,}" if line.done < line.rows else f"{line.rows:,}",
                "figure": line.figure,
                "href": line.href,
            }
            for line in lines
        ]
    }


def settings_value(spec: EvaluateSpec) -> dict:
    hidden = ("base_model_id", "adapter_id", "tasks")
    return {
        "facts": [
            {"name": label_of(name), "text": said(value)}
            for name, value in vars(spec).items()
            if name not in hidden
        ]
    }
