"""An encoder baseline in plain words: its head, how far its run is, its curves, its scores, its end.

Plain values only: rows come in, what the views show goes out.
"""

from collections.abc import Sequence
from pathlib import Path

from bioui.components.curves import Line, curves_value
from bioui.components.empty import empty_state
from bioui.components.job_panel import head_on_load, said, waiting_value
from bioui.components.notice import NO_NOTICE, failure_value, notice_value
from bioui.components.progress import NO_PROGRESS, progress_value
from bioui.components.result_figures import with_interval
from bioui.components.view import View
from bioui.present import ago, counted, duration, exact, status_chip
from bioui.watching import RunWatch
from db import encoders, jobs
from db.encoder_spec import STAND_IN, EncoderSpec
from db.enums import JobStatus
from db.metrics import measures
from db.tables import Evaluation, Job

HEAD = """
{{#if value.id}}
<div class="pane-head"><h2>{{value.name}}</h2>
  <span class="chip chip-{{value.hue}}"><span class="chip-mark" aria-hidden="true"></span>
    {{value.status}}</span>
  <button type="button" class="quiet-btn" data-do="close">Close</button></div>
<p class="pane-lead">{{value.began}}, tuned on {{value.train}}.
  <span class="muted" title="{{value.exact}}">{{value.when}}</span></p>
{{#if value.caution}}<p class="encoder-caution"><strong>Stand-in, not pretrained.</strong>
  {{value.caution}}</p>{{/if}}
<p class="sr-only" role="status">{{value.spoken}}</p>
{{/if}}
"""
NO_HEAD = {"id": 0}
SCORES = Path(__file__).with_name("encoder_scores.hbs").read_text(encoding="utf-8")
NO_SCORES: dict = {"rows": [], "ticks": [], "level": ""}
SETTINGS = """
{{#if value.facts}}<details class="fold-quiet"><summary>Settings and where it lies</summary>
<dl class="facts">{{#each value.facts}}<dt>{{this.name}}</dt><dd>{{this.text}}</dd>{{/each}}</dl>
</details>{{/if}}
"""
NO_SETTINGS: dict = {"facts": []}
CAUTION = (
    "A small encoder built here from a config. It knows only what its training rows taught it, so its scores "
    "are far below those of BioBERT and its kin, and stand for none of them."
)
LABELS = {
    "location": "Began from",
    "batch_size": "Batch size",
    "max_length": "Longest row",
    "resumes": "Goes on by itself",
    "level": "Confidence level",
}
NO_LOSS = empty_state("No loss yet.", "The curve begins with the first step.")
NO_LOOK = empty_state(
    "No look at a validation task.",
    "Score it on a task with validation rows, too: it is looked at each epoch.",
)


def encoder_head() -> View:
    return View(HEAD, NO_HEAD, on_load=head_on_load("job"))


def encoder_scores() -> View:
    return View(SCORES, NO_SCORES)


def encoder_settings() -> View:
    return View(SETTINGS, NO_SETTINGS)


def head_value(job: Job, *, train: str) -> dict:
    word, hue = status_chip(job.status)
    share = 10 * (10 * job.step // job.total_steps) if job.total_steps else 0
    location = job.spec["location"]
    began = encoders.title_of(location)
    return {
        "id": job.id,
        "name": job.name,
        "status": word,
        "hue": hue,
        "began": began[:1].upper() + began[1:],
        "train": train,
        "caution": CAUTION if location == STAND_IN else "",
        "when": f"Asked for by {job.created_by.full_name} {ago(job.created_at)}.",
        "exact": exact(job.created_at),
        "spoken": f"{word}, {share} percent" if job.status is JobStatus.RUNNING else word,
    }


def bar_value(job: Job, watch: RunWatch, *, jobs_before: int) -> dict:
    """The progress of an open run; nothing for a closed one."""
    if job.status is JobStatus.QUEUED:
        return waiting_value(jobs_before)
    if job.status is not JobStatus.RUNNING:
        return NO_PROGRESS
    phase = "stopping at the next step" if job.cancel_requested_at else job.phase or "starting"
    is_training = job.phase == "training"
    rate = watch.steps_per_second if is_training else None
    unit = "steps" if is_training else "rows"
    return progress_value(
        phase, job.step, job.total_steps, unit=unit, seconds=job.step / rate if rate else None
    )


def outcome_value(job: Job, *, log: str) -> dict:
    """How a closed run ended and what to do next; nothing for an open one."""
    where = f" at step {job.step:,} of {job.total_steps:,}" if job.total_steps else ""
    if job.status is JobStatus.FINISHED:
        href = f"/evaluate?project={job.project_id}"
        return notice_value(
            "The encoder is tuned and scored",
            *_finished(job.result),
            hue="approved",
            links={"See it on the leaderboard": href},
        )
    if job.status is JobStatus.CANCELLED:
        return notice_value(f"Cancelled{where}", "Resume goes on from the last checkpoint.")
    if job.status is JobStatus.INTERRUPTED:
        on = "Resume goes on from the last checkpoint."
        if jobs.goes_on(job):
            times = f"{job.resumed + 1} of {job.spec['resumes']} times"
            on = f"It goes on by itself from the last checkpoint in a moment ({times})."
        return notice_value(f"Interrupted{where}", job.error, on, hue="review")
    if job.status is JobStatus.FAILED:
        mend = "Mend that and resume, or start anew with other settings. The log below tells more."
        return failure_value(f"Failed{where}", job.error[:1].upper() + job.error[1:], mend, log=log)
    return NO_NOTICE


def loss_value(watch: RunWatch) -> dict:
    line = Line("Training", watch.points.get("loss", ()), "tuned", smooth=True)
    return curves_value([line], x_name="Step", y_name="Loss (nats)", waiting=NO_LOSS)


def looks_value(watch: RunWatch) -> dict:
    line = Line("Validation", [(step, 100 * value) for step, value in watch.points.get("validation", ())])
    return curves_value(
        [line], x_name="Step", y_name="Headline score on the validation task (%)", waiting=NO_LOOK
    )


def scores_value(found: Sequence[Evaluation], project_id: int, *, level: float) -> dict:
    """The headline of each finished evaluation with its interval, drawn on one axis from 0 to 100 %."""
    return {
        "level": f"{100 * level:g} %",
        "ticks": [0, 25, 50, 75, 100],
        "rows": [_score(each, project_id) for each in found],
    }


def score_words(evaluation: Evaluation) -> str:
    """`61.5 % (58.4 to 64.5)`."""
    return with_interval(evaluation.figures.get(evaluation.measure, {}))


def measure_title(evaluation: Evaluation) -> str:
    known = measures.MEASURES.get(evaluation.measure)
    return known.title if known else evaluation.measure


def settings_value(spec: EncoderSpec, *, train: str, tasks: Sequence[str], facts: dict[str, str]) -> dict:
    """Every setting by its name, and what is known of the encoder that was made."""
    shown = {"Trained on": train, "Scored on": ", ".join(tasks)}
    for name, value in vars(spec).items():
        if name not in ("train_task_id", "tasks", "name"):
            shown[label_of(name)] = encoders.title_of(value) if name == "location" else said(value)
    shown |= facts
    return {"facts": [{"name": name, "text": text} for name, text in shown.items() if text]}


def label_of(name: str) -> str:
    """What people call a setting."""
    return LABELS.get(name, name.replace("_", " ").capitalize())


def _score(evaluation: Evaluation, project_id: int) -> dict:
    figure = evaluation.figures.get(evaluation.measure, {})
    value, low, high = (figure.get(name) for name in ("value", "low", "high"))
    return {
        "task": evaluation.task_version.name,
        "measure": measure_title(evaluation),
        "rows": f"{evaluation.rows:,}",
        "figure": score_words(evaluation),
        "has_value": value is not None,
        "at": _per_cent(value),
        "has_range": None not in (low, high),
        "left": _per_cent(low),
        "width": round(_per_cent(high) - _per_cent(low), 2),
        "href": f"/results?project={project_id}&evaluation={evaluation.id}",
    }


def _per_cent(value: float | None) -> float:
    return round(100 * (value or 0.0), 2)


def _finished(result: dict) -> list[str]:
    parts = [f"Took {duration(result['seconds'])}"] if result.get("seconds") else []
    if result.get("rows"):
        parts.append(f"learned from {counted(result['rows'], 'row')}")
    if result.get("first_loss") is not None:
        parts.append(f"loss from {result['first_loss']:.3g} to {result['loss']:.3g}")
    said_of_rows = []
    if result.get("shortened"):
        said_of_rows.append(f"{counted(result['shortened'], 'row')} longer than the longest row")
    if result.get("unsaid"):
        said_of_rows.append(f"{counted(result['unsaid'], 'mention')} that no tags can say")
    sentences = ["; ".join(parts) + "."] if parts else []
    return sentences + (["Among them " + " and ".join(said_of_rows) + "."] if said_of_rows else [])
