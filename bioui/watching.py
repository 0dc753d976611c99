"""What a page has read of a running job, so that each look at the database asks only for what is new."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from bioui.components.curves import Line, Point, curves_value
from bioui.components.empty import empty_state
from db import jobs
from db.session import Session
from db.tables import Job, Metric

PACE_POINTS = 20  # the rate is that of the latest steps, not of a slow start
NO_LOSS = empty_state("No loss yet.", "The curve begins with the first step.")
NO_RATE = empty_state("No learning rate yet.", "It rises over the warm-up, then falls.")


@dataclass(frozen=True)
class RunWatch:
    """The metrics of one job read so far, and marks that tell when something shown has changed."""

    job_id: int = 0
    metric_id: int = 0
    attempt: int = 0
    points: Mapping[str, tuple[Point, ...]] = field(default_factory=dict)  # metric -> (step, value), by step
    times: tuple[tuple[int, float], ...] = ()  # (step, seconds since the epoch) of the latest attempt
    list_mark: str = ""
    job_mark: tuple = ()
    log_mark: tuple = ()

    @property
    def steps_per_second(self) -> float | None:
        """The rate over the latest steps, None before there are two."""
        if len(self.times) < 2 or self.times[-1][1] <= self.times[0][1]:
            return None
        (first, began), (last, ended) = self.times[0], self.times[-1]
        return (last - first) / (ended - began)

    def last(self, name: str) -> float | None:
        points = self.points.get(name)
        return points[-1][1] if points else None


def follow(session: Session, watch: RunWatch) -> RunWatch:
    """`watch` with the metrics that came since; the very same object when none did."""
    news = jobs.list_metrics(session, watch.job_id, after_id=watch.metric_id)
    for name in {metric.name for metric in news}:
        fresh = [metric for metric in news if metric.name == name]
        watch = replace(watch, points={**watch.points, name: _joined(watch.points.get(name, ()), fresh)})
    if not news:
        return watch
    times = () if news[-1].attempt != watch.attempt else watch.times
    times += tuple(
        (m.step, m.at.timestamp()) for m in news if m.name == "loss" and m.attempt == news[-1].attempt
    )
    return replace(watch, metric_id=news[-1].id, attempt=news[-1].attempt, times=times[-PACE_POINTS:])


def mark_of(job: Job) -> tuple:
    """Differs whenever the job has changed in a way that a page shows."""
    return (job.id, job.status, job.phase, job.step, job.total_steps, job.attempt, job.cancel_requested_at)


def loss_value(watch: RunWatch) -> dict:
    """Training and validation loss, and as a level the base model's validation loss before tuning."""
    loss, validation = watch.points.get("loss", ()), watch.points.get("eval_loss", ())
    lines = [Line("Training", loss, "tuned", smooth=True)]
    if len(validation) > 1:
        lines.append(Line("Validation", validation, "quiet"))
    if validation and validation[0][0] == 0:
        last_step = max(points[-1][0] for points in (loss, validation) if points)
        lines.append(Line("Base", [(0, validation[0][1]), (last_step, validation[0][1])], "base"))
    return curves_value(lines, x_name="Step", y_name="Loss (nats per token)", waiting=NO_LOSS)


def rate_value(watch: RunWatch) -> dict:
    lines = [Line("Rate", watch.points.get("learning_rate", ()), "tuned")]
    return curves_value(lines, x_name="Step", y_name="Learning rate", waiting=NO_RATE)


def _joined(known: Sequence[Point], news: Sequence[Metric]) -> tuple[Point, ...]:
    """Points by step. A resumed run goes back to its checkpoint: what it does again replaces what was."""
    points = list(known)
    for metric in news:
        while points and points[-1][0] >= metric.step:
            points.pop()
        points.append((metric.step, metric.value))
    return tuple(points)
