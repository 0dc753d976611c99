"""Where a figure and its interval stand on an axis: per cents of its width, and ticks at round numbers."""

from collections.abc import Iterable
from dataclasses import dataclass
from math import ceil, floor, log10

TICKS = 4  # steps, about


@dataclass(frozen=True)
class Axis:
    """An axis from `start` to `end`; both are multiples of `step`."""

    start: float
    end: float
    step: float

    def place(self, value: float) -> float:
        """Per cent of the width, cut to the axis."""
        share = (value - self.start) / (self.end - self.start)
        return round(100 * min(1.0, max(0.0, share)), 2)

    def interval(self, found: dict) -> dict:
        """The keys that a template draws one dot and its line by."""
        value, low, high = found.get("value"), found.get("low"), found.get("high")
        has_range = low is not None and high is not None
        left, right = (self.place(low), self.place(high)) if has_range else (0.0, 0.0)
        return {
            "has_value": value is not None,
            "at": 0.0 if value is None else self.place(value),
            "has_range": has_range,
            "left": left,
            "width": round(right - left, 2),
        }

    def ticks(self, label) -> list[dict]:
        steps = round((self.end - self.start) / self.step)
        marks = [self.start + number * self.step for number in range(steps + 1)]
        return [
            {"label": label(mark), "at": self.place(mark), "is_zero": abs(mark) < self.step / 1e6}
            for mark in marks
        ]


def bounds(found: Iterable[dict]) -> list[float]:
    """Every number that an axis must hold."""
    return [one[name] for one in found for name in ("value", "low", "high") if one.get(name) is not None]


def axis_from_zero(values: Iterable[float], *, least: float = 1.0) -> Axis:
    """From 0 to at least `least`, further where a figure is larger."""
    end = max([least, *values])
    step = _round_step(end)
    return Axis(0.0, ceil(end / step - 1e-9) * step, step)


def axis_about_zero(values: Iterable[float]) -> Axis:
    """As far to the left of zero as to the right, so that a gain and a loss are read alike."""
    reach = max([0.01, *map(abs, values)])
    step = _round_step(reach) * 2
    end = ceil(reach / step - 1e-9) * step
    return Axis(-end, end, step)


def _round_step(reach: float) -> float:
    """1, 2, 2.5 or 5 times a power of ten, about a quarter of the reach."""
    rough = reach / TICKS
    power = 10 ** floor(log10(rough))
    return next(size * power for size in (1, 2, 2.5, 5, 10) if size * power >= rough - 1e-12)
