"""Agreement between raters: percent, Cohen's and Fleiss' kappa, Krippendorff's alpha, with intervals.

Pure statistics on plain values. An *item* is what was rated once by each of some raters: a mapping from
rater to label, missing raters left out. Nothing here is ever NaN: where a figure is not defined, its value is
None and `note` says why.

Every figure is a function of sums over items, so the bootstrap resamples items (with replacement, percentile
interval) by drawing how often each distinct pattern of ratings occurs: the same distribution, far less work.
"""

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

RESAMPLES = 2000
LEVEL = 0.95
_FEWEST = 0.5  # share of the resamples that must be defined for an interval to mean anything

Item = Mapping[Hashable, Hashable]  # rater -> label
NO_OVERLAP = "No item was rated by two or more people."
ONE_LABEL = "Every rating is the same, so chance alone would agree as well; kappa and alpha say nothing here."


@dataclass(frozen=True)
class Measure:
    """A figure with its bootstrap interval over `n` items; the figures are None where `note` says why."""

    value: float | None
    low: float | None
    high: float | None
    n: int
    note: str = ""


def percent_agreement(items: Sequence[Item], *, seed: int = 0, resamples: int = RESAMPLES) -> Measure:
    """The mean over items of the share of rater pairs that gave the same label, 0 to 1."""
    table = _shared(items)

    def share(sums: np.ndarray) -> np.ndarray:  # (..., 2): agreement, items
        return _divided(sums[..., 0], sums[..., 1])

    rows = np.column_stack([_pair_agreement(table), np.ones(len(table))])
    return _measure(rows, share, seed, resamples)


def cohen_kappa(
    first: Sequence[Hashable], second: Sequence[Hashable], *, seed: int = 0, resamples: int = RESAMPLES
) -> Measure:
    """Cohen's kappa (1960) of two raters' labels of the same items, in the same order.

    kappa = (p_o - p_e) / (1 - p_e); p_e is the agreement that their own label shares would give by chance.
    """
    if len(first) != len(second):
        raise ValueError(f"second: {len(second)} labels for {len(first)} items; give one for each.")
    labels = _labels([*first, *second])
    size = len(labels)
    cells = np.zeros((len(first), size * size))
    places = [labels[a] * size + labels[b] for a, b in zip(first, second, strict=True)]
    cells[np.arange(len(first)), places] = 1

    def kappa(sums: np.ndarray) -> np.ndarray:  # (..., size * size): the table of both raters' labels
        table = sums.reshape(*sums.shape[:-1], size, size)
        total = table.sum((-2, -1))
        observed = _divided(np.trace(table, axis1=-2, axis2=-1), total)
        expected = _divided((table.sum(-1) * table.sum(-2)).sum(-1), total**2)
        return _divided(observed - expected, 1 - expected)

    return _measure(cells, kappa, seed, resamples)


def fleiss_kappa(items: Sequence[Item], *, seed: int = 0, resamples: int = RESAMPLES) -> Measure:
    """Fleiss' kappa (1971): raters may differ from item to item, their number may not.

    Items with another number of ratings than most (of two or more) are left out, and `note` tells how many.
    """
    table = _shared(items)
    raters = table.sum(1)
    usual = int(np.bincount(raters.astype(int)).argmax()) if len(table) else 0
    kept = table[raters == usual]

    def kappa(sums: np.ndarray) -> np.ndarray:  # (..., labels + 2): counts of labels, agreement, items
        counts, agreement, n = sums[..., :-2], sums[..., -2], sums[..., -1]
        shares = _divided(counts, counts.sum(-1, keepdims=True))
        expected = (shares**2).sum(-1)
        return _divided(_divided(agreement, n) - expected, 1 - expected)

    rows = np.column_stack([kept, _pair_agreement(kept), np.ones(len(kept))])
    left_out = len(table) - len(kept)
    note = f"Left out, for they have other than {usual} ratings: {left_out}." if left_out else ""
    return _measure(rows, kappa, seed, resamples, note=note)


def krippendorff_alpha(items: Sequence[Item], *, seed: int = 0, resamples: int = RESAMPLES) -> Measure:
    """Krippendorff's alpha for nominal data; raters may be missing anywhere.

    alpha = 1 - D_o / D_e from the coincidences of labels within items (Krippendorff 2011, "Computing
    Krippendorff's alpha-reliability"); items with one rating count for nothing.
    """
    table = _shared(items)  # (n, labels)
    pairs = table[:, :, None] * table[:, None, :] - table[:, :, None] * np.eye(table.shape[1])
    size = table.shape[1]
    rows = (pairs / np.maximum(table.sum(1) - 1, 1)[:, None, None]).reshape(len(table), size * size)

    def alpha(sums: np.ndarray) -> np.ndarray:  # (..., size * size): coincidences
        coincidences = sums.reshape(*sums.shape[:-1], size, size)
        marginals = coincidences.sum(-1)
        total = marginals.sum(-1)
        observed = total - np.trace(coincidences, axis1=-2, axis2=-1)
        expected = total**2 - (marginals**2).sum(-1)
        return 1 - _divided((total - 1) * observed, expected)

    return _measure(rows, alpha, seed, resamples)


def of_pair(items: Sequence[Item], first: Hashable, second: Hashable) -> tuple[list, list]:
    """The labels of two raters on the items that both rated, for `cohen_kappa`."""
    both = [item for item in items if first in item and second in item]
    return [item[first] for item in both], [item[second] for item in both]


def _measure(
    rows: np.ndarray,
    statistic: Callable[[np.ndarray], np.ndarray],
    seed: int,
    resamples: int,
    *,
    note: str = "",
) -> Measure:
    """The statistic of the rows' sum, and its interval over resampled rows (items)."""
    n = len(rows)
    if n == 0:
        return Measure(None, None, None, 0, NO_OVERLAP)
    value = float(statistic(rows.sum(0)))
    if np.isnan(value):
        return Measure(None, None, None, n, ONE_LABEL)
    patterns, counts = np.unique(rows, axis=0, return_counts=True)
    drawn = np.random.default_rng(seed).multinomial(n, counts / n, size=resamples)
    values = statistic(drawn @ patterns)
    values = values[~np.isnan(values)]
    if len(values) < _FEWEST * resamples:
        return Measure(value, None, None, n, "Too few items for an interval.")
    tail = (1 - LEVEL) / 2
    low, high = np.quantile(values, [tail, 1 - tail])
    return Measure(value, float(low), float(high), n, note)


def _shared(items: Sequence[Item]) -> np.ndarray:
    """How often each label was given, a row for each item that two or more rated: (n, labels)."""
    labels = _labels([label for item in items for label in item.values()])
    table = np.zeros((len(items), len(labels)))
    for row, item in enumerate(items):
        for label in item.values():
            table[row, labels[label]] += 1
    return table[table.sum(1) >= 2] if len(table) else table


def _labels(given: Sequence[Hashable]) -> dict[Hashable, int]:
    return {label: place for place, label in enumerate(dict.fromkeys(given))}


def _pair_agreement(table: np.ndarray) -> np.ndarray:
    """For each row of label counts, the share of its rater pairs that agree."""
    raters = table.sum(1)
    return ((table * (table - 1)).sum(1)) / np.maximum(raters * (raters - 1), 1)


def _divided(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """part / whole, NaN where the whole is nothing."""
    part, whole = np.broadcast_arrays(np.asarray(part, float), np.asarray(whole, float))
    return np.divide(part, whole, out=np.full(part.shape, np.nan), where=np.abs(whole) > 1e-12)
