"""How far two raters agree on a scale, such as a judge or a measure against clinicians.

For ordered scores: percent, weighted kappa, Spearman's rank correlation, and intraclass correlation. For
labels without an order see `db.agreement`. Intervals are BCa's over documents, except of ICC, where the F
distribution gives them. What is not defined is None, and the interval's note says why.
"""

from collections.abc import Hashable, Sequence
from typing import Literal

import numpy as np

from db.metrics.interval import LEVEL, Interval, bootstrap, by_document, estimate, of_sums
from db.metrics.measures import divided, get

ALIKE = "One rater gave the same score throughout, so there is nothing to go along with."
TOO_FEW = "Two raters and two items are the least that can be compared."
_NOTHING = 1e-12
Weights = Literal["linear", "quadratic"]


def percent(
    first: Sequence[Hashable],
    second: Sequence[Hashable],
    documents: Sequence[str] | None = None,
    *,
    level: float = LEVEL,
    seed: int = 0,
) -> Interval:
    """The share of items that both rated the same, 0 to 1."""
    _check(first, second)
    rows = np.array([[float(a == b), 1.0] for a, b in zip(first, second, strict=True)]).reshape(-1, 2)
    return estimate(get("accuracy"), rows, documents, level=level, seed=seed)


def weighted_kappa(
    first: Sequence[float],
    second: Sequence[float],
    documents: Sequence[str] | None = None,
    *,
    scale: Sequence[float] = (),
    weights: Weights = "quadratic",
    level: float = LEVEL,
    seed: int = 0,
) -> Interval:
    """Cohen's weighted kappa (1968): 1 - sum(w observed) / sum(w expected), w growing with the distance of
    the two scores' places on the scale. `scale` are all the scores there are; else those that occur.
    """
    _check(first, second)
    order = sorted(set(scale) | set(first) | set(second))
    places, size = {score: place for place, score in enumerate(order)}, len(order)
    cells = np.zeros((len(first), size * size))
    at = [places[a] * size + places[b] for a, b in zip(first, second, strict=True)]
    cells[np.arange(len(first)), at] = 1
    distance = np.abs(np.subtract.outer(np.arange(size), np.arange(size))).astype(float)
    cost = distance if weights == "linear" else distance**2

    def kappa(sums: np.ndarray) -> np.ndarray:  # (..., size * size): the table of both raters' scores
        table = sums.reshape(*sums.shape[:-1], size, size)
        by_chance = table.sum(-1)[..., :, None] * table.sum(-2)[..., None, :]
        total = table.sum((-2, -1))
        return 1 - divided((table * cost).sum((-2, -1)) * total, (by_chance * cost).sum((-2, -1)))

    return of_sums(kappa, by_document(cells, documents), len(cells), level=level, seed=seed)


def spearman(
    first: Sequence[float],
    second: Sequence[float],
    documents: Sequence[str] | None = None,
    *,
    level: float = LEVEL,
    seed: int = 0,
) -> Interval:
    """Spearman's rank correlation, ties by their mean rank (scipy.stats.spearmanr)."""
    _check(first, second)
    pairs = np.column_stack([np.asarray(first, float), np.asarray(second, float)]).reshape(-1, 2)
    groups = _groups(len(pairs), documents)
    value = _correlation(pairs)
    if not np.isfinite(value):
        return Interval(None, None, None, len(pairs), len(groups), ALIKE if len(pairs) > 1 else TOO_FEW)

    def of(drawn: np.ndarray) -> float:  # places of documents
        return _correlation(pairs[np.concatenate([groups[place] for place in drawn])])

    low, high, note = bootstrap(of, len(groups), level=level, seed=seed, vectorized=False)
    return Interval(value, low, high, len(pairs), len(groups), note)


def icc(
    ratings: Sequence[Sequence[float]], kind: Literal["2,1", "3,1"] = "2,1", *, level: float = LEVEL
) -> Interval:
    """Intraclass correlation of single ratings: `ratings` has a row for each item, a column for each rater.

    "2,1": do raters, drawn from many, give the same scores? (absolute agreement); "3,1": do these very raters
    go along with each other, each on a scale of their own? (consistency). Shrout & Fleiss 1979, Psychological
    Bulletin 86:420, the intervals as well. Every item needs every rater.
    """
    table = np.asarray(ratings, float).reshape(len(ratings), len(ratings[0]) if ratings else 0)
    n, k = table.shape
    if n < 2 or k < 2:
        return Interval(None, None, None, n, n, TOO_FEW)
    squares = _mean_squares(table)
    if sum(squares) < _NOTHING:
        return Interval(None, None, None, n, n, "Every score is the same, so there is nothing to agree on.")
    value, low, high = (_consistency if kind == "3,1" else _absolute)(*squares, n, k, level)
    if not np.isfinite([low, high]).all():
        return Interval(value, None, None, n, n, "The raters agree wholly, which leaves no scatter to go by.")
    return Interval(value, low, high, n, n)


def _mean_squares(table: np.ndarray) -> tuple[float, float, float]:
    """Of the two-way analysis of variance: between items, between raters, and what is left."""
    n, k = table.shape
    mean, of_items, of_raters = table.mean(), table.mean(1), table.mean(0)
    rest = table - of_items[:, None] - of_raters[None, :] + mean
    return (
        float(k * ((of_items - mean) ** 2).sum() / (n - 1)),
        float(n * ((of_raters - mean) ** 2).sum() / (k - 1)),
        float((rest**2).sum() / ((n - 1) * (k - 1))),
    )


def _consistency(
    items: float, raters: float, rest: float, n: int, k: int, level: float
) -> tuple[float, float, float]:
    """ICC(3,1) with its bounds; these are NaN where nothing is left over."""
    from scipy.stats import f

    value = float(divided(items - rest, items + (k - 1) * rest))
    if rest < _NOTHING:
        return value, np.nan, np.nan
    tail, free = (1 + level) / 2, ((n - 1), (n - 1) * (k - 1))
    ratios = items / rest / f.ppf(tail, *free), items / rest * f.ppf(tail, *reversed(free))
    low, high = ((ratio - 1) / (ratio + k - 1) for ratio in ratios)
    return value, float(low), float(high)


def _absolute(
    items: float, raters: float, rest: float, n: int, k: int, level: float
) -> tuple[float, float, float]:
    """ICC(2,1) with its bounds, by Satterthwaite's degrees of freedom; these are NaN where nothing is left
    over.
    """
    from scipy.stats import f

    value = float(divided(items - rest, items + (k - 1) * rest + k * (raters - rest) / n))
    if rest < _NOTHING:
        return value, np.nan, np.nan
    ratio = raters / rest
    own = n * (1 + (k - 1) * value) - k * value
    free = (k - 1) * (n - 1) * (k * value * ratio + own) ** 2
    free /= (n - 1) * (k * value * ratio) ** 2 + own**2
    tail, scatter = (1 + level) / 2, k * raters + (k * n - k - n) * rest
    down, up = f.ppf(tail, n - 1, free), f.ppf(tail, free, n - 1)
    low = n * (items - down * rest) / (down * scatter + n * items)
    high = n * (up * items - rest) / (scatter + n * up * items)
    return value, float(low), float(high)


def _groups(n: int, documents: Sequence[str] | None) -> list[list[int]]:
    """The places of each document's items."""
    found: dict[Hashable, list[int]] = {}
    for place, document in enumerate(range(n) if documents is None else documents):
        found.setdefault(document, []).append(place)
    return list(found.values())


def _correlation(pairs: np.ndarray) -> float:
    """Pearson's correlation of the ranks; NaN where one side has one score only."""
    from scipy.stats import rankdata

    if len(pairs) < 2:
        return float("nan")
    ranks = rankdata(pairs, axis=0) - (len(pairs) + 1) / 2
    scatter = np.sqrt((ranks**2).sum(0)).prod()
    return float(divided((ranks[:, 0] * ranks[:, 1]).sum(), scatter))


def _check(first: Sequence, second: Sequence) -> None:
    if len(first) != len(second):
        raise ValueError(f"second: {len(second)} scores for {len(first)} items; give one for each.")
