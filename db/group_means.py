"""Means over the tasks of a group, as BioInstruct reports them, with intervals made from those of the tasks.

Tasks are taken as independent. The interval of a mean of independent figures follows from their intervals
by the method of variance estimates recovery (Zou and Donner 2008, Statistics in Medicine 27:1693): the
distances from the values to the ends are added as squares. It needs no row to be read, keeps the intervals'
lopsidedness, and since each task's interval is a bootstrap over its documents, so is the mean's. A relative
gain is a ratio of two means of the same rows: delta method on its logarithm, with the covariance that the
paired gain's interval implies.
"""

from collections.abc import Sequence
from math import exp, sqrt

from db.metrics.interval import Interval

METHOD = (
    "A mean of tasks, each counting the same. Its interval combines the tasks' own, taken as independent "
    "(variance estimates recovery); that of a relative gain is by the delta method."
)


def mean_of(figures: Sequence[Interval]) -> Interval:
    """The mean, each figure counting the same; without an interval where one of them has none."""
    n, clusters = sum(one.n for one in figures), sum(one.clusters for one in figures)
    values = [one.value for one in figures if one.value is not None]
    if not values or len(values) < len(figures):
        return Interval(None, None, None, n, clusters, "A task of the group has no figure.")
    value = sum(values) / len(values)
    if any(one.low is None or one.high is None for one in figures):
        return Interval(value, None, None, n, clusters, "A task of the group has no interval.")
    below = sqrt(sum((one.value - one.low) ** 2 for one in figures)) / len(figures)
    above = sqrt(sum((one.high - one.value) ** 2 for one in figures)) / len(figures)
    return Interval(value, value - below, value + above, n, clusters, METHOD)


def relative_of(tuned: Interval, base: Interval, gain: Interval) -> Interval:
    """How much more the one mean is than the other, as a share of the other: 0.173 is +17.3 %.

    `gain` is the mean of the paired differences; where the three allow no interval there is none.
    """
    n, clusters = tuned.n, tuned.clusters
    if tuned.value is None or base.value is None:
        return Interval(None, None, None, n, clusters, "A task of the group has no figure.")
    if base.value <= 0:
        return Interval(None, None, None, n, clusters, "The base scores 0: no gain is a share of that.")
    ratio = tuned.value / base.value
    halves = [_half(one) for one in (tuned, base, gain)]
    if ratio <= 0 or None in halves:
        return Interval(ratio - 1, None, None, n, clusters, "Too little is known for an interval.")
    own, other, both = halves
    shared = own**2 + other**2 - both**2  # twice the covariance
    square = (own / tuned.value) ** 2 + (other / base.value) ** 2 - shared / (tuned.value * base.value)
    if square < 0:
        return Interval(ratio - 1, None, None, n, clusters, "Too little is known for an interval.")
    width = exp(sqrt(square))
    return Interval(ratio - 1, ratio / width - 1, ratio * width - 1, n, clusters, METHOD)


def _half(one: Interval) -> float | None:
    """Half its width."""
    return None if one.low is None or one.high is None else (one.high - one.low) / 2
