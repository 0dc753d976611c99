"""The answer to "Check data and time": what a run would read, how many steps, and roughly how long."""

from bioui.components.view import View
from bioui.present import counted, duration, size_words
from db.enums import JobStatus
from db.tables import Job

FASTER, SLOWER = 0.8, 1.4  # of the estimate: a busy machine slows a run more than an idle one speeds it

TEMPLATE = """
{{#if value.title}}
<section class="report" aria-live="polite">
  <h3>{{value.title}}</h3>
  <p class="report-stale">The settings have changed since. Check again for their figures.</p>
  {{#each value.sentences}}<p>{{this}}</p>{{/each}}
  {{#if value.warnings}}<ul class="alerts">{{#each value.warnings}}
    <li class="alert chip-review">{{this}}</li>{{/each}}</ul>{{/if}}
  {{#if value.facts}}<dl class="facts">{{#each value.facts}}
    <dt>{{this.name}}</dt><dd>{{this.text}}</dd>{{/each}}</dl>{{/if}}
  {{#if value.bars}}
  <figure class="lengths"><figcaption>Tokens a row, and how many rows have them</figcaption>
    <div class="length-bars" role="img" aria-label="{{value.lengths}}">{{#each value.bars}}
      <span class="length-bar {{#if this.is_over}}is-over{{/if}}" style="height:{{this.height}}%"
        title="{{this.title}}"></span>{{/each}}</div>
    <div class="length-axis" aria-hidden="true"><span>{{value.first}}</span><span>{{value.last}}</span></div>
  </figure>
  <p class="lengths-words">{{value.lengths}}</p>{{/if}}
  {{#if value.samples}}<details class="fold-quiet"><summary>Three rows as the model reads them</summary>
    <p class="field-help">What is marked counts in the loss; the rest is only read.</p>
    {{#each value.samples}}<p class="sample-head">{{this.head}}</p>
    <pre class="sample" tabindex="0">{{#each this.pieces}}<span
      {{#if this.labelled}}class="counts"{{/if}}>{{this.text}}</span>{{/each}}</pre>
    {{/each}}</details>{{/if}}
  {{#if value.basis}}<p class="field-help">{{value.basis}}</p>{{/if}}
</section>
{{/if}}
"""
# A report holds for the settings it was asked with.
ON_LOAD = """
const age = () => element.querySelector('.report')?.setAttribute('data-stale', '');
for (const event of ['input', 'change']) element.closest('.pane')?.addEventListener(event, age);
"""
NO_REPORT = {
    "title": "", "sentences": [], "warnings": [], "facts": [], "bars": [], "samples": [], "lengths": "",
    "first": "", "last": "", "basis": "",
}  # fmt: skip


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
    seconds = result.get("seconds")
    settings = f"rank {spec['rank']}, batch size {spec['batch_size']}, {spec['epochs']:g} epochs"
    timed = f"Timed on {result['device']}: {duration(seconds)} when nothing else runs. " if seconds else ""
    return {
        **NO_REPORT,
        "title": f"It will take {time_range(seconds)}" if seconds else "The data are ready",
        "sentences": [rows, tokens],
        "warnings": result.get("warnings", []),
        "facts": _facts(result),
        **_histogram(result, spec["max_length"]),
        "lengths": _length_words(result, spec["max_length"]),
        "samples": [_sample(sample) for sample in result.get("samples", [])],
        "basis": f"For {version} with {settings}. {timed}Change a setting and check again.",
    }


def _facts(result: dict) -> list[dict]:
    """Batches, memory, disk and duplicates, as far as the report has them."""
    found = []
    if "batching" in result:
        step = f"about {result['rows_a_step']:.0f} rows a step" if result.get("rows_a_step") else ""
        full = f"{result['fill']:.0%} of the places hold tokens" if result.get("fill") else ""
        found.append(("Batches", ", ".join(part for part in (result["batching"], step, full) if part)))
    if memory := result.get("memory"):
        there = f" of {size_words(memory['there'])}" if memory.get("there") else ""
        found.append(("Memory", f"{size_words(memory['low'])} to {size_words(memory['high'])}{there}"))
    if disk := result.get("disk"):
        found.append(("Disk", f"{size_words(disk['needed'])} needed, {size_words(disk['free'])} free"))
    if copies := result.get("duplicates"):
        parts = (
            (copies["train"], "within the training rows"),
            (copies["validation"], "within the validation rows"),
            (copies["validation_in_train"], "validation rows also trained on"),
            (copies["test_in_train"], "test rows also trained on"),
        )
        said = ", ".join(f"{count:,} {where}" for count, where in parts if count)
        found.append(("Copies", said or "none"))
    return [{"name": name, "text": text} for name, text in found]


def _histogram(result: dict, cut_off: int) -> dict:
    bars = result.get("histogram", [])
    if not bars:
        return {}
    most = max(bar["rows"] for bar in bars) or 1
    return {
        "bars": [
            {
                "height": max(1, round(100 * bar["rows"] / most)) if bar["rows"] else 0,
                "is_over": bar["from"] > cut_off,
                "title": f"{bar['from']:,} to {bar['to']:,} tokens: {counted(bar['rows'], 'row')}",
            }
            for bar in bars
        ],
        "first": f"{bars[0]['from']:,}",
        "last": f"{bars[-1]['to']:,} tokens",
    }


def _sample(sample: dict) -> dict:
    cut = ", cut" if sample.get("is_cut") else ""
    counts = f"{sample['labelled_tokens']:,} of them count{cut}"
    head = f"Row {sample['row']:,}: {sample['tokens']:,} tokens, {counts}"
    return {"head": head, "pieces": sample["pieces"]}


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
