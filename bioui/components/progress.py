"""How far long work is: phase, count, rate, time left."""

from bioui.components.view import View
from bioui.present import duration

TEMPLATE = """
{{#if value.phase}}<div class="progress">
  <div class="progress-head"><strong>{{value.phase}}</strong><span>{{value.count}}</span></div>
  <div class="progress-track {{#unless value.known}}progress-unknown{{/unless}}" role="progressbar"
    aria-label="{{value.phase}}" aria-valuemin="0" aria-valuemax="100"
    {{#if value.known}}aria-valuenow="{{value.percent}}"{{/if}}>
    <div class="progress-fill" style="width: {{value.percent}}%"></div></div>
  <p class="progress-foot">{{value.pace}}</p>
</div>{{/if}}
"""
NO_PROGRESS = {"phase": "", "count": "", "known": False, "percent": 0, "pace": ""}


def progress_bar() -> View:
    return View(TEMPLATE, NO_PROGRESS, elem_classes="progress-view")


def progress_value(
    phase: str, done: int, total: int, *, unit: str = "steps", seconds: float | None = None, note: str = ""
) -> dict:
    """`seconds` is how long the `done` units took; rate and time left follow from it. total 0 = not known."""
    rate = done / seconds if seconds and done else 0.0
    left = (total - done) / rate if rate and total else None
    pace = [f"{_rate(rate, unit)}" if rate else "", f"about {duration(left)} left" if left else "", note]
    return {
        "phase": phase[:1].upper() + phase[1:],
        "count": f"{done:,} of {total:,} {unit}" if total else (f"{done:,} {unit}" if done else ""),
        "known": total > 0,
        "percent": round(100 * min(done, total) / total, 1) if total else 0,
        "pace": " · ".join(part for part in pace if part),
    }


def _rate(per_second: float, unit: str) -> str:
    """`2.4 steps/s`, or `25 s a step` for slow work."""
    if per_second >= 0.5:
        return f"{per_second:,.1f} {unit}/s"
    return f"{duration(1 / per_second)} a {unit.removesuffix('s')}"
