"""What a page has read of a running job, so that each look at the database asks only for what is new."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from bioui.components.curves import Line, Point, curves_value, thinned
from bioui.components.empty import empty_state
from db import jobs
from db.curves import latest_metrics, read_curves
from db.session import Session
from db.tables import Job, Metric

MOST_POINTS = 1_000  # held of a curve; a longer one is thinned again
PACE_POINTS = 20  # the rate is that of the latest steps, not of a slow start
NO_LOSS = empty_state("No loss yet.", "The curve begins with the first step.")


@dataclass(frozen=True)
class Chart:
    """A chart of one metric: what its line and its axis are called, and what it says while it is empty."""

    metric: str
    label: str
    axis: str
    says: str = "It comes with the first steps."
    smooth: bool = False
    scale: float = 1

    def points_of(self, watch: "RunWatch") -> Sequence[Point]:
        return [(step, value * self.scale) for step, value in watch.points.get(self.metric, ())]


SMALL = (
    Chart("learning_rate", "Rate", "Learning rate", "It rises over the warm-up, then falls."),
    Chart("grad_norm", "Norm", "Gradient norm, before clipping", smooth=True),
    Chart("tokens_per_second", "Speed", "Tokens a second", smooth=True),
    Chart("memory", "Memory", "Memory (GiB)", scale=1 / 1024),  # measured in MiB
)


@dataclass(frozen=True)
class RunWatch:
    """The metrics of one job read so far, and marks that tell when something shown has changed."""

    job_id: int = 0
    metric_id: int = 0
    attempt: int = 0
    points: Mapping[str, tuple[Point, ...]] = field(default_factory=dict)  # metric -> (step, value), by step
    times: tuple[tuple[int, float], ...] = ()  # (step, seconds since the epoch) of the latest attempt
    beside: int = 0  # what stands beside the list, where it is no run: the form, a comparison
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
    if not watch.metric_id:
        watch = _opened(session, watch)
    news = jobs.list_metrics(session, watch.job_id, after_id=watch.metric_id)
    for name in {metric.name for metric in news}:
        fresh = [metric for metric in news if metric.name == name]
        watch = replace(watch, points={**watch.points, name: _joined(watch.points.get(name, ()), fresh)})
    if not news:
        return watch
    times = () if news[-1].attempt != watch.attempt else watch.times
    times += _times(news, news[-1].attempt)
    return replace(watch, metric_id=news[-1].id, attempt=news[-1].attempt, times=times[-PACE_POINTS:])


def _opened(session: Session, watch: RunWatch) -> RunWatch:
    """All there is so far, thinned by the database: a run of many steps opens as fast as a short one."""
    found = read_curves(session, watch.job_id)
    if not found.newest:
        return watch
    latest = latest_metrics(session, watch.job_id, "loss", limit=PACE_POINTS)
    attempt = latest[-1].attempt if latest else 0
    return replace(
        watch,
        metric_id=found.newest,
        points=found.points,
        attempt=attempt,
        times=_times(latest, attempt),
    )


def _times(metrics: Sequence[Metric], attempt: int) -> tuple[tuple[int, float], ...]:
    """When each step of an attempt was logged."""
    return tuple((m.step, m.at.timestamp()) for m in metrics if m.name == "loss" and m.attempt == attempt)


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


def small_values(watch: RunWatch) -> list[dict]:
    """The charts beside the loss, in the order of SMALL."""
    return [
        curves_value(
            [Line(chart.label, chart.points_of(watch), smooth=chart.smooth)],
            x_name="Step",
            y_name=chart.axis,
            waiting=empty_state(f"No {chart.label.lower()} yet.", chart.says),
        )
        for chart in SMALL
    ]


def _joined(known: Sequence[Point], news: Sequence[Metric]) -> tuple[Point, ...]:
    """Points by step. A resumed run goes back to its checkpoint: what it does again replaces what was."""
    points = list(known)
    for metric in news:
        while points and points[-1][0] >= metric.step:
            points.pop()
        points.append((metric.step, metric.value))
    return tuple(points if len(points) <= MOST_POINTS else thinned(points))
