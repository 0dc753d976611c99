"""An open training run: what it is, how far it is, how it ended, its log, and the settings it was given.

Plain values only: rows come in, what the views show goes out. `read_log` is the one look at a file.
"""

from pathlib import Path
from re import compile as pattern
from typing import Any

from bioui.components.notice import NO_NOTICE, failure_value, notice_value
from bioui.components.progress import NO_PROGRESS, progress_value
from bioui.components.train_form import label_of
from bioui.components.view import View
from bioui.present import ago, duration, exact, status_chip
from bioui.watching import RunWatch
from db import jobs
from db.enums import JobStatus, StopMode
from db.tables import Job
from db.tables.base import utc_now
from db.train_spec import TrainSpec

LOG_LINES = 200
LOG_BYTES = 64_000  # of the file's end, plenty for LOG_LINES
_TERMINAL_CODES = pattern(r"\x1b\[[0-9;?]*[A-Za-z]")

HEAD = """
{{#if value.id}}
<div class="pane-head"><h2>{{value.name}}</h2>
  <span class="chip chip-{{value.hue}}"><span class="chip-mark" aria-hidden="true"></span>
    {{value.status}}</span>
  <button type="button" class="quiet-btn" data-do="close">Close</button></div>
<p class="pane-lead">{{value.base}} tuned on <a href="{{value.version_href}}">{{value.version}}</a>.
  <span class="muted" title="{{value.exact}}">{{value.when}}</span></p>
<p class="sr-only" role="status">{{value.spoken}}</p>
{{/if}}
"""
# The address bar names the run that is shown, however it came to be shown.
_HEAD_ON_LOAD = """
element.addEventListener('click', (event) => {
  if (event.target.closest('[data-do]')) trigger('close', {});
});
if (props.value.id) studio.setParam('NAME', props.value.id);
watch('value', () => { studio.setParam('NAME', props.value.id || null); });
"""
NO_HEAD = {"id": 0}
LOG = """
{{#if value.path}}<h3>Log</h3>
<pre class="log" role="log" aria-label="Log of the run" tabindex="0">{{value.text}}</pre>
<p class="field-help">{{value.said}} <code>{{value.path}}</code></p>{{/if}}
"""
# Follows the end while the reader is at the end.
LOG_ON_LOAD = """
let follows = true;
const toEnd = () => requestAnimationFrame(() => {
  const box = element.querySelector('.log');
  if (box && follows) box.scrollTop = box.scrollHeight;
});
element.addEventListener('scroll', (event) => {
  const box = event.target;
  if (box.matches('.log')) follows = box.scrollHeight - box.scrollTop - box.clientHeight < 40;
}, true);
watch('value', toEnd);
toEnd();
"""
NO_LOG = {"path": "", "text": "", "said": ""}
SETTINGS = """
{{#if value.facts}}<details class="fold-quiet"><summary>Settings of this run</summary>
<dl class="facts">{{#each value.facts}}<dt>{{this.name}}</dt><dd>{{this.text}}</dd>{{/each}}</dl>
<h3>As a file</h3><pre class="sample" tabindex="0">{{value.yaml}}</pre>
</details>{{/if}}
"""
NO_SETTINGS = {"facts": []}


def head_on_load(name: str) -> str:
    """The script of a pane's head: a press on Close, and `?name=` in the address bar for what is open."""
    return _HEAD_ON_LOAD.replace("NAME", name)


def run_head() -> View:
    return View(HEAD, NO_HEAD, on_load=head_on_load("job"))


def log_tail() -> View:
    return View(LOG, NO_LOG, on_load=LOG_ON_LOAD)


def settings_list() -> View:
    return View(SETTINGS, NO_SETTINGS)


def head_value(job: Job, *, base: str, version: str) -> dict:
    word, hue = status_chip(job.status)
    share = 10 * (10 * job.step // job.total_steps) if job.total_steps else 0
    return {
        "id": job.id,
        "name": job.name,
        "status": word,
        "hue": hue,
        "base": base,
        "version": version,
        "version_href": f"/datasets?project={job.project_id}&version={job.spec['dataset_version_id']}",
        "when": f"Asked for by {job.created_by.full_name} {ago(job.created_at)}.",
        "exact": exact(job.created_at),
        "spoken": f"{word}, {share} percent" if job.status is JobStatus.RUNNING else word,
    }


def waiting_value(jobs_before: int) -> dict:
    """The progress of a run that no worker has taken yet."""
    before = {0: "It is the next one.", 1: "One other job is before it."}
    note = before.get(jobs_before, f"{jobs_before} other jobs are before it.")
    return progress_value("waiting for a worker", 0, 0, note=note)


def bar_value(job: Job, watch: RunWatch, *, jobs_before: int) -> dict:
    """The progress of an open run; nothing for a closed one."""
    if job.status is JobStatus.QUEUED:
        return waiting_value(jobs_before)
    if job.status is not JobStatus.RUNNING:
        return NO_PROGRESS
    phase = "stopping at the next step" if job.cancel_requested_at else job.phase or "starting"
    rate, speed = watch.steps_per_second, watch.last("tokens_per_second")
    return progress_value(
        phase,
        job.step,
        job.total_steps,
        seconds=job.step / rate if rate else None,
        note=f"{speed:,.0f} tokens/s" if speed else "",
    )


def outcome_value(job: Job, log: str) -> dict:
    """How a closed run ended and what to do next; nothing for an open one."""
    if job.status is JobStatus.FINISHED:
        return _finished(job)
    if job.status is JobStatus.CANCELLED:
        kept = "Resume goes on from the last checkpoint."
        if job.stop_mode is StopMode.DISCARD:
            kept = "Its checkpoints are gone; Resume begins anew."
        return notice_value(f"Cancelled{_at_step(job)}", "No adapter was made.", kept)
    if job.status is JobStatus.INTERRUPTED:
        return notice_value(f"Interrupted{_at_step(job)}", job.error, _how_it_goes_on(job), hue="review")
    if job.status is JobStatus.FAILED:
        mend = "Mend that and resume, or start a new run with other settings. The log below tells more."
        return failure_value(f"Failed{_at_step(job)}", job.error[:1].upper() + job.error[1:], mend, log=log)
    return NO_NOTICE


def cancel_sentences(job: Job) -> str:
    """What becomes of what was done."""
    where = f" It is at step {job.step:,} of {job.total_steps:,}." if job.total_steps else ""
    return (
        f"Stop {job.name}?{where} No adapter will be made. Stop and save writes a checkpoint first, and the "
        "run can be resumed from there; stop and discard leaves nothing behind."
    )


def settings_value(spec: TrainSpec, *, base: str, version: str, yaml: str) -> dict:
    """Every setting of a run by the name its field has, and all of them as a file."""
    shown = {"Base model": base, "Dataset version": version}
    for name, value in vars(spec).items():
        if name not in ("base_model_id", "dataset_version_id"):
            shown[label_of(name)] = said(value)
    return {"facts": [{"name": name, "text": text} for name, text in shown.items()], "yaml": yaml}


def said(value: Any) -> str:
    """A setting's value as people read it."""
    if isinstance(value, tuple):
        return " / ".join(value) or "none"
    return f"{value:g}" if isinstance(value, float) else str(value)


def log_path(jobs_dir: Path, job_id: int) -> Path:
    return jobs_dir / str(job_id) / "log.txt"


def read_log(path: Path) -> dict:
    """The last lines of a log file, as a terminal would show them."""
    if not path.is_file():
        return {
            **NO_LOG,
            "path": str(path),
            "said": "The log appears when a worker on this machine takes the job:",
        }
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - LOG_BYTES))
        text = file.read().decode("utf-8", errors="replace")
    lines = [line.rsplit("\r", 1)[-1] for line in _TERMINAL_CODES.sub("", text).rstrip("\n").split("\n")]
    said = f"The last {LOG_LINES} lines of" if len(lines) > LOG_LINES else "All of"
    return {"path": str(path), "text": "\n".join(lines[-LOG_LINES:]), "said": said}


def time_taken(job: Job) -> str:
    """How long the job's latest attempt has taken so far, or took."""
    if job.started_at is None:
        return ""
    return duration(((job.finished_at or utc_now()) - job.started_at).total_seconds())


def _how_it_goes_on(job: Job) -> str:
    if not jobs.goes_on(job):
        return "Nothing before the last checkpoint is lost; Resume goes on from there."
    return (
        f"It goes on by itself from the last checkpoint in a moment ({job.resumed + 1} of "
        f"{job.spec['resumes']} times)."
    )


def _finished(job: Job) -> dict:
    result = job.result
    parts = [f"Took {duration(result.get('seconds'))}"] if result.get("seconds") else []
    parts += [f"{result['tokens']:,} tokens"] if result.get("tokens") else []
    parts += _loss_words("validation loss", result.get("first_eval_loss"), result.get("eval_loss"))
    parts += _loss_words("training loss", result.get("first_loss"), result.get("loss"))
    sentence = "; ".join(parts) + "." if parts else ""
    if result.get("artifact"):
        sentence += f" Also kept at {result['artifact']}."
    if result.get("artifact_error"):
        sentence += f" {result['artifact_error']}"
    if "base_model_id" in result:  # every weight was tuned: a model of its own
        links = {"See it among the base models": f"/models?project={job.project_id}"}
        return notice_value("The model is ready", sentence, hue="approved", links=links)
    href = f"/playground?project={job.project_id}&adapter={result.get('adapter_id', '')}"
    return notice_value(
        "The adapter is ready", sentence, hue="approved", links={"Compare in the playground": href}
    )


def _loss_words(name: str, first: float | None, last: float | None) -> list[str]:
    return [f"{name} from {first:.3g} to {last:.3g}"] if first is not None and last is not None else []


def _at_step(job: Job) -> str:
    return f" at step {job.step:,} of {job.total_steps:,}" if job.total_steps else ""
