"""One model against another on the same rows: the gain, its interval, and whether chance would do as well.

- Gains are differences of the measure, absolute and as a share of the other's value, with BCa intervals over
  documents; both models' answers to a document are resampled together.
- Where a row is right or wrong and stands alone in its document, the exact McNemar test (statsmodels).
- Otherwise approximate randomisation (Noreen 1989, "Computer-Intensive Methods for Testing Hypotheses"): both
  models' answers to a document change places by the toss of a coin (scipy.stats.monte_carlo_test).
- Over several tasks, Holm's correction (statsmodels).

How many rows a comparison needs stands in `db.metrics.sample_size`.
"""

import gc
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from db.metrics import interval
from db.metrics.interval import LEVEL, Interval
from db.metrics.measures import Counts, Measure, divided, tables_of
from db.metrics.sample_size import detectable, rows_needed

__all__ = ["Gain", "compare", "detectable", "holm", "rows_needed"]

MCNEMAR = "exact McNemar test"
RANDOMISATION = "approximate randomisation"
TOSSES = 9_999
_CELLS = 4_000_000  # of one batch of tosses


@dataclass(frozen=True)
class Gain:
    """What one model scores more than another on the same `n` rows.

    `absolute` is in the measure's unit; `relative` a share of the other's value (0.173 is +17.3 %). Where
    less is better a gain is negative. `gained` and `lost` count rows that got better and worse.
    """

    absolute: Interval
    relative: Interval
    p: float | None  # two-sided; None where there is nothing to test
    test: str
    n: int
    gained: int
    lost: int

    @classmethod
    def of_json(cls, value: Mapping[str, Any]) -> "Gain":
        """The inverse of dataclasses.asdict."""
        intervals = {name: Interval(**value[name]) for name in ("absolute", "relative")}
        return cls(**{**value, **intervals})


def compare(
    measure: Measure,
    counts: Sequence[Counts] | np.ndarray,
    against: Sequence[Counts] | np.ndarray,
    documents: Sequence[str] | None,
    *,
    level: float = LEVEL,
    seed: int = 0,
) -> Gain:
    """The gain of `counts` over `against`, row by row the same questions.

    Both are the rows' counts, or both arrays (n, columns) of the same columns (see `measures.tables_of`).
    Raises ValueError where their rows are not as many.
    """
    if len(counts) != len(against):
        raise ValueError(f"against: {len(against)} rows for {len(counts)}; compare the same rows.")
    if not isinstance(counts, np.ndarray) or not isinstance(against, np.ndarray):
        counts, against = tables_of(measure, counts, against)
    rows = np.hstack([counts, against])
    sums = interval.by_document(rows, documents)
    n, width = len(rows), counts.shape[1]
    settings = {"level": level, "seed": seed}

    def difference(both: np.ndarray) -> np.ndarray:
        return measure.of(both[..., :width]) - measure.of(both[..., width:])

    def relative(both: np.ndarray) -> np.ndarray:
        return divided(difference(both), np.abs(measure.of(both[..., width:])))

    absolute = interval.of_sums(difference, sums, n, **settings)
    if measure.is_binary and n:
        absolute = _if_all_alike(absolute, rows[:, 0] - rows[:, width], level)
    gained, lost = _changed(measure, counts, against)
    if measure.is_binary and len(sums) == n:
        p, test = _mcnemar(counts[:, 0], against[:, 0]), MCNEMAR
    else:
        p, test = _randomisation(difference, sums, width, seed), RANDOMISATION
    return Gain(absolute, _relative(relative, sums, n, settings), p, test, n, gained, lost)


def holm(ps: Sequence[float | None]) -> list[float | None]:
    """p-values corrected for their number by Holm's step-down method; what is None stays None."""
    from statsmodels.stats.multitest import multipletests

    given = [p for p in ps if p is not None]
    gc.freeze()  # multipletests collects garbage at each call: half a second in a large process
    try:
        corrected = iter(multipletests(given, method="holm")[1].tolist() if given else [])
    finally:
        gc.unfreeze()
    return [None if p is None else next(corrected) for p in ps]


def _relative(statistic: interval.Statistic, sums: np.ndarray, n: int, settings: dict[str, Any]) -> Interval:
    if len(sums) and not np.isfinite(statistic(sums.sum(0))):
        return Interval(None, None, None, n, len(sums), "The other scores 0: no gain is a share of that.")
    return interval.of_sums(statistic, sums, n, **settings)


def _if_all_alike(absolute: Interval, differences: np.ndarray, level: float) -> Interval:
    """Where every row changed alike, or none did, a bound in place of no interval.

    With all of m documents alike, at least a share `s` of all documents is (Clopper-Pearson); the rest may
    differ by 1 up or down.
    """
    if np.ptp(differences) != 0:
        return absolute
    rest = 1 - interval.least_share(absolute.clusters, level)
    change = float(differences[0])
    low, high = {0.0: (-rest, rest), 1.0: (1 - 2 * rest, 1.0), -1.0: (-1.0, 2 * rest - 1)}[change]
    note = "Every row changed alike, so the bounds come from the exact binomial interval over documents."
    return Interval(change, low, high, absolute.n, absolute.clusters, note)


def _changed(measure: Measure, counts: np.ndarray, against: np.ndarray) -> tuple[int, int]:
    """How many rows are better and worse, each measured alone; undefined ones are neither."""
    now, before = measure.of(counts), measure.of(against)
    more, less = int((now > before).sum()), int((now < before).sum())
    return (more, less) if measure.higher_is_better else (less, more)


def _mcnemar(now: np.ndarray, before: np.ndarray) -> float | None:
    """Two-sided exact p of the rows that changed: as many one way as the other?"""
    from statsmodels.stats.contingency_tables import mcnemar

    if not len(now):
        return None
    now, before = now > 0, before > 0
    table = [
        [int((now & before).sum()), int((now & ~before).sum())],
        [int((~now & before).sum()), int((~now & ~before).sum())],
    ]
    changed = table[0][1] + table[1][0]
    return float(mcnemar(table, exact=True).pvalue) if changed else 1.0


def _randomisation(difference: interval.Statistic, sums: np.ndarray, width: int, seed: int) -> float | None:
    """Two-sided p of the difference when each document's two answers may change places.

    Only documents where the two differ are tossed: the others change nothing.
    """
    from scipy.stats import monte_carlo_test

    if not len(sums) or not np.isfinite(difference(sums.sum(0))):
        return None
    swaps = np.hstack([sums[:, width:] - sums[:, :width], sums[:, :width] - sums[:, width:]])
    swaps = swaps[np.any(swaps != 0, axis=1)]
    if not len(swaps):
        return 1.0
    whole = sums.sum(0)
    generator = np.random.default_rng(seed)

    def of_swapped(is_swapped: np.ndarray, axis: int = -1) -> np.ndarray:
        return difference(whole + np.moveaxis(is_swapped, axis, -1).astype(float) @ swaps)

    return float(
        monte_carlo_test(
            np.zeros(len(swaps)),
            lambda size: generator.integers(0, 2, size=size, dtype=np.int8),
            of_swapped,
            vectorized=True,
            n_resamples=TOSSES,
            batch=max(1, _CELLS // len(swaps)),
        ).pvalue
    )
