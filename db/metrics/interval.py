"""How sure a figure is: its interval by the BCa bootstrap over documents (scipy.stats.bootstrap).

Rows of one document are alike, so documents are resampled, not rows. Every measure is a function of sums
(`db.metrics.measures`), so a resample is a vector of how often each document was drawn, times the documents'
sums.

scipy and statsmodels are imported inside the functions of this package: together they take over a second,
which the browser side would otherwise pay at its start.
"""

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from db.metrics.measures import Measure

LEVEL = 0.95
RESAMPLES = 2000
MOST_FOR_BCA = 20_000  # documents: BCa leaves each out in turn, which takes time by their square
_CELLS = 2_000_000  # of one batch of resamples, so that memory stays at some tens of megabytes
_WIDTH = 1e-9  # below it an interval is rounding
_EXACT = "Every row is alike, so the interval is the exact binomial one (Clopper-Pearson) over documents."
_ALIKE = "Every document counts the same, so they tell nothing of how others would differ."

Statistic = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Interval:
    """A figure with its interval over `n` rows of `clusters` documents.

    Nothing here is NaN: what is not defined is None, and `note` says why, or how the interval was made where
    it is not BCa's.
    """

    value: float | None
    low: float | None
    high: float | None
    n: int
    clusters: int
    note: str = ""


def estimate(
    measure: Measure,
    counts: np.ndarray,
    documents: Sequence[str] | None,
    *,
    level: float = LEVEL,
    seed: int = 0,
) -> Interval:
    """The measure of `counts` (n, columns) with its interval.

    `documents` names each row's document; None: every row is one of its own.
    """
    sums = by_document(counts, documents)
    n, clusters = len(counts), len(sums)
    if n == 0:
        return Interval(None, None, None, 0, 0, "There are no rows.")
    value = float(measure.of(counts.sum(0)))
    if measure.is_binary and value in (0.0, 1.0):
        bound = least_share(clusters, level)
        low, high = (bound, 1.0) if value else (0.0, 1.0 - bound)
        return Interval(value, low, high, n, clusters, _EXACT)
    return of_sums(measure.of, sums, n, level=level, seed=seed)


def of_sums(
    statistic: Statistic, sums: np.ndarray, n: int, *, level: float = LEVEL, seed: int = 0
) -> Interval:
    """A statistic of the sum of `sums` (clusters, columns) with its BCa interval over clusters."""
    clusters = len(sums)
    if clusters == 0:
        return Interval(None, None, None, n, 0, "There are no rows.")
    value = float(statistic(sums.sum(0)))
    if not np.isfinite(value):
        return Interval(None, None, None, n, clusters, "There is nothing to count in these rows.")
    if clusters > 1 and np.ptp(sums, axis=0).max() == 0:
        return Interval(value, None, None, n, clusters, _ALIKE)
    low, high, note = bootstrap(_of_places(statistic, sums), clusters, level=level, seed=seed)
    return Interval(value, low, high, n, clusters, note)


def by_document(counts: np.ndarray, documents: Sequence[str] | None) -> np.ndarray:
    """The rows' counts added up by document: (documents, columns), in the order they first occur."""
    if documents is None:
        return np.asarray(counts, float)
    if len(documents) != len(counts):
        raise ValueError(f"documents: {len(documents)} are named for {len(counts)} rows; name one for each.")
    places = {name: place for place, name in enumerate(dict.fromkeys(documents))}
    sums = np.zeros((len(places), counts.shape[1]))
    np.add.at(sums, [places[name] for name in documents], counts)
    return sums


def least_share(n: int, level: float = LEVEL) -> float:
    """The Clopper-Pearson bound below which a share is not, when all of n trials had it."""
    from scipy.stats import binomtest

    return float(binomtest(n, n).proportion_ci(confidence_level=level, method="exact").low)


def bootstrap(
    of: Callable[..., np.ndarray | float], clusters: int, *, level: float, seed: int, vectorized: bool = True
) -> tuple[float | None, float | None, str]:
    """(low, high, note) of a statistic of clusters, which are given by their places, an array (..., drawn).

    Both are None where no interval can be had.
    """
    from scipy import stats

    if clusters < 2:
        return None, None, "One document alone tells nothing of how others would differ."
    method = "BCa" if clusters <= MOST_FOR_BCA else "percentile"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of degenerate data: told by the note
        result = stats.bootstrap(
            (np.arange(clusters),),
            of,
            n_resamples=RESAMPLES,
            batch=max(1, _CELLS // clusters),
            vectorized=vectorized,
            confidence_level=level,
            method=method,
            rng=np.random.default_rng(seed),
        )
    low, high = result.confidence_interval
    if np.isfinite(low) and np.isfinite(high) and high - low > _WIDTH:
        note = "" if method == "BCa" else f"More than {MOST_FOR_BCA:,} documents: by percentiles, not BCa."
        return float(low), float(high), note
    return _of_percentiles(result.bootstrap_distribution, level)


def _of_percentiles(values: np.ndarray, level: float) -> tuple[float | None, float | None, str]:
    """Where BCa is not defined: the percentiles of the resamples that are, if nearly all are."""
    tail = (1 - level) / 2
    defined = values[np.isfinite(values)]
    if len(defined) < (1 - tail) * len(values):
        return None, None, "Too many resamples had nothing to count: too few rows do for an interval."
    low, high = np.quantile(defined, [tail, 1 - tail])
    if high - low < _WIDTH:
        return None, None, "Every resample gives the same, so they tell nothing of how others would differ."
    return float(low), float(high), "By percentiles: BCa is not defined for these rows."


def _of_places(statistic: Statistic, sums: np.ndarray) -> Callable[..., np.ndarray]:
    """The statistic of clusters given by their places, as scipy draws them: (..., drawn) -> (...).

    A resample is counted, (..., clusters), and the counts times the clusters' sums are its sums. scipy also
    asks for each set with one cluster left out; there the whole less the missing one is far less work.
    """
    clusters, whole = len(sums), sums.sum(0)

    def of(places: np.ndarray, axis: int = -1) -> np.ndarray:
        places = np.moveaxis(places, axis, -1)
        if places.shape[-1] == clusters - 1:
            missing = clusters * (clusters - 1) // 2 - places.sum(-1)
            return statistic(whole - sums[missing])
        return statistic(_drawn(places, clusters) @ sums)

    return of


def _drawn(places: np.ndarray, clusters: int) -> np.ndarray:
    """How often each cluster was drawn: (..., drawn) -> (..., clusters)."""
    flat = places.reshape(-1, places.shape[-1])
    offsets = np.arange(len(flat))[:, None] * clusters
    counts = np.bincount((flat + offsets).ravel(), minlength=len(flat) * clusters)
    return counts.reshape(*places.shape[:-1], clusters).astype(float)
