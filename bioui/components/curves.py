"""Curves over training steps: axes named with units, a light grid, labels at the lines, and a table twin.

Python works out scales, ticks and paths as plain numbers. The lines are drawn in a stretched SVG and the
words in HTML around it, so that text keeps its size at any width; it knows nothing of jobs or metrics.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil, floor, isfinite, log10
from pathlib import Path

from bioui.components import empty
from bioui.components.view import View

Point = tuple[float, float]  # (step, value)

BUCKETS = 220  # a line is thinned to at most two points a bucket: its lowest and its highest
SMOOTH_FROM = 60  # points; a shorter line is drawn as it is
SMOOTHING = 0.9  # of an exponential moving average
LABEL_GAP = 17.0  # per cent of the height that two labels at the right edge keep apart
TABLE_ROWS = 60

TEMPLATE = Path(__file__).with_suffix(".hbs").read_text(encoding="utf-8") + empty.TEMPLATE + "{{/if}}"

# The pointer's values are read back from the drawn path, so every number crosses the wire once. A redraw
# closes the table and clears the readout; both are put back.
ON_LOAD = """
let open = false, pointer = null;
const point = () => {
  const chart = element.querySelector('.chart'), plot = element.querySelector('.chart-plot');
  if (!plot || pointer === null) return;
  const box = plot.getBoundingClientRect(), data = chart.dataset, said = [];
  const at = Math.min(1000, Math.max(0, (pointer - box.left) / box.width * 1000));
  let left = null;
  for (const line of plot.querySelectorAll('.chart-line:not(.faint)')) {
    let best = null;
    for (const each of line.points) if (!best || Math.abs(each.x - at) < Math.abs(best.x - at)) best = each;
    if (!best || (left !== null && Math.abs(best.x - left) > 60)) continue;
    if (left === null) left = best.x;
    const value = +data.y0 + (1 - best.y / 1000) * (data.y1 - data.y0);
    const text = Math.abs(value) < 1e-3 ? value.toExponential(1) : value.toPrecision(3);
    said.push(line.dataset.name + ' ' + text);
  }
  if (left === null) return;
  const cursor = plot.querySelector('.chart-cursor'), step = +data.x0 + left / 1000 * (data.x1 - data.x0);
  cursor.hidden = false;
  cursor.style.left = left / 10 + '%';
  const where = Math.round(step).toLocaleString('en') + ': ';
  chart.querySelector('.chart-readout').textContent = where + said.join(', ');
};
element.addEventListener('pointermove', (event) => {
  if (event.target.closest('.chart-plot')) { pointer = event.clientX; point(); }
});
element.addEventListener('pointerout', (event) => {
  const plot = event.target.closest('.chart-plot');
  if (!plot || plot.contains(event.relatedTarget)) return;
  pointer = null;
  plot.querySelector('.chart-cursor').hidden = true;
  element.querySelector('.chart-readout').textContent = '';
});
element.addEventListener('click', (event) => {
  const summary = event.target.closest('.twin > summary');
  if (summary) open = !summary.parentElement.open;
});
watch('value', () => {
  const twin = element.querySelector('.twin');
  if (twin) twin.open = open;
  point();
});
"""


@dataclass(frozen=True)
class Line:
    """One measured quantity: its name, its points (x, y), its hue: tuned (teal), base (slate) or quiet."""

    name: str
    points: Sequence[Point]
    hue: str = "tuned"
    smooth: bool = False  # once it is long, a moving average over the faint line
    smoothing: float = SMOOTHING  # weight of the past in that average, below 1


def curves(waiting: dict | None = None) -> View:
    """An empty chart that shows `waiting`, an empty_state."""
    nothing = empty.empty_state("No points yet.", "The curve appears with the first measured step.")
    return View(
        TEMPLATE, {"lines": [], "empty": waiting or nothing}, on_load=ON_LOAD, elem_classes="curves-view"
    )


def curves_value(lines: Sequence[Line], *, x_name: str, y_name: str, waiting: dict | None = None) -> dict:
    """The drawing of `lines`; names carry their units ("Step", "Loss (nats per token)"). NaN is not drawn."""
    drawn = [(line, points) for line in lines if (points := [p for p in line.points if isfinite(p[1])])]
    if not drawn:
        return {
            "lines": [],
            "empty": waiting or empty.empty_state("No points yet.", "They appear as they are measured."),
        }
    values = [value for _, points in drawn for _, value in points]
    y_ticks = ticks_around(min(values), max(values))
    x_low, x_high = _span([step for _, points in drawn for step, _ in points])
    place = _placer(x_low, x_high, y_ticks[0], y_ticks[-1])
    ends = [_end(line, points, place) for line, points in drawn]
    return {
        "x_name": x_name,
        "y_name": y_name,
        "x0": x_low,
        "x1": x_high,
        "y0": y_ticks[0],
        "y1": y_ticks[-1],
        "y_ticks": [{"label": number(tick), **_height(place((x_low, tick)))} for tick in y_ticks],
        "x_ticks": _x_ticks(x_low, x_high),
        "lines": [path for line, points in drawn for path in _paths(line, points, place)],
        "dots": [end for end, (_, points) in zip(ends, drawn, strict=True) if len(points) == 1],
        "labels": _apart([{**end} for end in ends]),
        "summary": f"{y_name} by {x_name.lower()}: "
        + "; ".join(f"{end['name']} {end['last']}" for end in ends),
        "head": [x_name, *(line.name for line, _ in drawn)],
        "table": _table([points for _, points in drawn]),
    }


def smoothed(points: Sequence[Point], smoothing: float = SMOOTHING) -> list[Point]:
    """An exponential moving average, divided by the weight seen so far, so that it starts unbiased."""
    average, weight, result = 0.0, 0.0, []
    for step, value in points:
        average = smoothing * average + (1 - smoothing) * value
        weight = smoothing * weight + (1 - smoothing)
        result.append((step, average / weight))
    return result


def thinned(points: Sequence[Point]) -> list[Point]:
    """At most 2 * BUCKETS + 1 points that keep every spike: the lowest and the highest of each stretch."""
    if len(points) <= 2 * BUCKETS:
        return list(points)
    size = len(points) / BUCKETS
    kept: list[Point] = []
    for bucket in range(BUCKETS):
        stretch = points[round(bucket * size) : round((bucket + 1) * size)]
        kept += sorted({min(stretch, key=lambda p: p[1]), max(stretch, key=lambda p: p[1])})
    return kept if kept[-1] == points[-1] else [*kept, points[-1]]


def ticks_around(low: float, high: float, about: int = 4) -> list[float]:
    """Roughly `about` round numbers; the first is at most `low`, the last at least `high`."""
    if high <= low:
        low, high = low - (abs(low) or 1) * 0.5, high + (abs(high) or 1) * 0.5
    step = _round_step((high - low) / about)
    return [
        round(step * index, 12) for index in range(floor(low / step + 1e-9), ceil(high / step - 1e-9) + 1)
    ]


def number(value: float) -> str:
    """Short and exact enough for a chart: 12,000, 3.42, 2e-05."""
    if value == 0:
        return "0"
    if abs(value) < 1e-3:
        return f"{value:.1e}".replace(".0e", "e").replace("e-0", "e-")
    if value == int(value) and abs(value) < 1e9:
        return f"{int(value):,}"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:,.3g}"


def _round_step(raw: float) -> float:
    power = 10.0 ** floor(log10(raw))
    return next(power * factor for factor in (1, 2, 5, 10) if power * factor >= raw * 0.999)


def _span(steps: list[float]) -> tuple[float, float]:
    """From step 0, for a curve that begins late begins late."""
    low, high = min(0, *steps), max(steps)
    return (low, high) if high > low else (low, low + 1)


def _placer(x_low: float, x_high: float, y_low: float, y_high: float) -> Callable[[Point], Point]:
    """(step, value) -> a place on the 1000 by 1000 canvas, y downwards."""
    return lambda point: (
        round((point[0] - x_low) / (x_high - x_low) * 1000, 1),
        round((y_high - point[1]) / (y_high - y_low) * 1000, 1),
    )


def _height(place: Point) -> dict:
    return {"y": place[1], "at": round(100 - place[1] / 10, 2)}


def _x_ticks(low: float, high: float) -> list[dict]:
    inside = [tick for tick in ticks_around(low, high) if low <= tick <= high and tick == round(tick)]
    return [{"label": f"{tick:,.0f}", "at": round((tick - low) / (high - low) * 100, 2)} for tick in inside]


def _paths(line: Line, points: list[Point], place: Callable) -> list[dict]:
    if not line.smooth or len(points) < SMOOTH_FROM:
        return [_path(line, points, place)]
    return [_path(line, points, place, "faint"), _path(line, smoothed(points, line.smoothing), place)]


def _path(line: Line, points: list[Point], place: Callable, weight: str = "") -> dict:
    path = " ".join(f"{x:g},{y:g}" for x, y in map(place, thinned(points)))
    return {"name": line.name, "hue": line.hue, "weight": weight, "path": path}


def _end(line: Line, points: list[Point], place: Callable) -> dict:
    """The label at a line's right end: its name and its last value."""
    last = smoothed(points, line.smoothing)[-1] if line.smooth and len(points) >= SMOOTH_FROM else points[-1]
    left, _ = place(last)
    return {
        "name": line.name,
        "hue": line.hue,
        "last": number(last[1]),
        "left": left / 10,
        **_height(place(last)),
    }


def _apart(labels: list[dict]) -> list[dict]:
    """Move labels up until none covers another."""
    lowest = 0.0
    for label in sorted(labels, key=lambda label: label["at"]):
        label["at"] = round(max(label["at"], lowest), 2)
        lowest = label["at"] + LABEL_GAP
    return labels


def _table(lines: list[list[Point]]) -> list[list[str]]:
    """A row a step, newest first, evenly chosen when there are many; a sparse line's steps are all kept."""
    values = [dict(points) for points in lines]
    steps = sorted({step for points in values for step in points}, reverse=True)
    chosen = set(steps[:: -(-len(steps) // TABLE_ROWS)])
    for points in values:
        chosen |= set(points) if len(points) <= TABLE_ROWS else set()
    return [
        [number(step), *(number(points[step]) if step in points else "" for points in values)]
        for step in steps
        if step in chosen
    ]
