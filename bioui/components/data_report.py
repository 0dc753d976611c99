"""The answer to "Check data and time": what a run would read, how many steps, and roughly how long."""

from bioui.components.view import View
from bioui.present import counted, duration
from db.enums import JobStatus
from db.tables import Job

FASTER, SLOWER = 0.8, 1.4  # of the estimate: a busy machine slows a run more than an idle one speeds it

TEMPLATE = """
{{#if value.title}}
<section class="report" aria-live="polite">
  <h3>{{value.title}}</h3>
  <p class="report-stale">The settings have changed since. Check again for their figures.</p>
  {{#each value.sentences}}<p>{{this}}</p>{{/each}}
  {{#if value.marks}}
  <div class="lengths" role="img" aria-label="{{value.lengths}}">
    <div class="lengths-track">{{#each value.marks}}
      <span class="lengths-mark {{this.kind}}" style="left:{{this.at}}%"></span>{{/each}}</div>
  </div>
  <p class="lengths-words">{{value.lengths}}</p>
  <p class="field-help">{{value.basis}}</p>{{/if}}
</section>
{{/if}}
"""
# A report holds for the settings it was asked with.
ON_LOAD = """
const age = () => element.querySelector('.report')?.setAttribute('data-stale', '');
for (const event of ['input', 'change']) element.closest('.pane')?.addEventListener(event, age);
"""
NO_REPORT = {"title": "", "sentences": [], "marks": [], "lengths": "", "basis": ""}


def data_report() -> View:
    return View(TEMPLATE, NO_REPORT, on_load=ON_LOAD)


def report_value(job: Job, *, version: str) -> dict:
    """What the report says, or why there is none yet."""
    if job.status is JobStatus.FINISHED:
        return _result(job.result, job.spec, version)
    if job.status.is_open:
        waiting = job.status is JobStatus.QUEUED
        phase = "Waiting for a worker" if waiting else f"{(job.phase or 'starting').capitalize()} ..."
        return {
            **NO_REPORT,
            "title": "Checking the data",
            "sentences": [f"{phase} You can start without waiting."],
        }
    why = job.error[:1].upper() + job.error[1:] or "It was stopped before it had an answer."
    return {**NO_REPORT, "title": "The check failed", "sentences": [why, "Nothing was started."]}


def time_range(seconds: float) -> str:
    """An estimate as an honest range: `under a minute`, `3 to 6 minutes`, `2 to 3 hours`."""
    low, high = seconds * FASTER, seconds * SLOWER
    if high < 60:
        return "under a minute"
    unit, size = ("minute", 60) if high < 5400 else ("hour", 3600)
    first, last = max(1, low // size), max(1, -(-high // size))
    return f"{first:.0f} to {last:.0f} {unit}s" if last > first else f"about {counted(round(last), unit)}"


def _result(result: dict, spec: dict, version: str) -> dict:
    left_out = _left_out(result, spec["max_length"])
    rows = f"{result['kept']:,} of {counted(result['rows'], 'row')} are learned from" + (
        f"; left out: {left_out}." if left_out else "."
    )
    share = 100 * result["labelled_tokens"] / max(1, result["tokens"])
    tokens = (
        f"{result['tokens']:,} tokens an epoch, {share:.0f} % of them answers, which alone count in the "
        f"loss. {counted(result['steps'], 'step')} over {spec['epochs']:g} epochs."
    )
    settings = f"rank {spec['rank']}, batch size {spec['batch_size']}, {spec['epochs']:g} epochs"
    basis = (
        f"For {version} with {settings}. Timed on {result['device']}: {duration(result['seconds'])} "
        "when nothing else runs. Change a setting and check again."
    )
    return {
        "title": f"It will take {time_range(result['seconds'])}",
        "sentences": [rows, tokens],
        "marks": _marks(result, spec["max_length"]),
        "lengths": _length_words(result, spec["max_length"]),
        "basis": basis,
    }


def _left_out(result: dict, max_length: int) -> str:
    reasons = []
    if result["too_long"]:
        reasons.append(
            f"{result['too_long']:,} longer than {max_length:,} tokens (raise max length to keep them)"
        )
    if result["empty_answer"]:
        reasons.append(f"{result['empty_answer']:,} without an answer")
    return ", ".join(reasons)


def _length_words(result: dict, max_length: int) -> str:
    at = result["percentiles"]
    return (
        f"Row length in tokens: half up to {at['50']:,}, 90 % up to {at['90']:,}, 99 % up to {at['99']:,}, "
        f"longest kept {result['longest']:,}; the cut-off is {max_length:,}."
    )


def _marks(result: dict, max_length: int) -> list[dict]:
    """Where the percentiles stand on a line from nothing to the cut-off, in per cent."""
    lengths = [*result["percentiles"].values(), result["longest"]]
    return [{"at": round(100 * min(1, length / max_length), 1), "kind": "mark"} for length in lengths]
