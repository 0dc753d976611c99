"""How sure a share of votes is: tests, intervals and the votes that are still lacking.

Votes on one prompt are alike, and so are the votes of one rater, so that many votes tell less than as many
strangers would. Two reckonings stand beside each other, and the more cautious one is quoted:

- as if every vote stood alone: the exact sign test and Wilson's interval (1927);
- clustered: a test that turns all votes on a prompt over together, and Wilson's interval of as many votes as
  the clusters are worth, by the two-way variance of Cameron, Gelbach & Miller (2011, Journal of Business &
  Economic Statistics 29:238) for prompts and raters.

The two-way bootstrap (Owen 2007, Annals of Applied Statistics 1:386) is given as well, and not quoted: it
counts a vote's own noise up to three times, so that it is too wide where votes stand alone.
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np

LEVEL = 0.95
POWER = 0.8
RESAMPLES = 2000
_CELLS = 2_000_000  # of one batch of resamples


@dataclass(frozen=True)
class Share:
    """A share of `n` votes (0 to 1) with the interval to quote: the wider of `wilson` and `clustered`.

    `design_effect` is how many votes tell as much as one that stands alone. Without votes all is None.
    """

    value: float | None
    low: float | None
    high: float | None
    wilson: tuple[float, float] | None
    clustered: tuple[float, float] | None
    design_effect: float
    n: int
    prompts: int
    raters: int


NO_SHARE = Share(None, None, None, None, None, 1.0, 0, 0, 0)


def share(
    values: Sequence[float],
    prompts: Sequence[Hashable],
    raters: Sequence[Hashable],
    *,
    level: float = LEVEL,
) -> Share:
    """The mean of votes that are each 0 or 1 (0.5: split), given with its prompt and its rater."""
    votes = np.asarray(values, float)
    if not len(votes):
        return NO_SHARE
    groups = _codes(prompts), _codes(raters)
    effect = design_effect(votes, *groups)
    alone = wilson(votes.sum(), len(votes), level)
    clustered = wilson(votes.sum() / effect, len(votes) / effect, level)
    low, high = max(alone, clustered, key=lambda ends: ends[1] - ends[0])
    counts = (int(codes.max()) + 1 for codes in groups)
    return Share(float(votes.mean()), low, high, alone, clustered, effect, len(votes), *counts)


def wilson(count: float, n: float, level: float = LEVEL) -> tuple[float, float]:
    """Wilson's score interval of a share; both may be fractions (statsmodels)."""
    from statsmodels.stats.proportion import proportion_confint

    low, high = proportion_confint(count, n, alpha=1 - level, method="wilson")
    return max(0.0, float(low)), min(1.0, float(high))


def design_effect(votes: np.ndarray, prompts: np.ndarray, raters: np.ndarray) -> float:
    """The variance of the mean of clustered votes over that of as many votes that stand alone; 1 or more.

    Where all votes are the same there is no variance to go by, and a prompt counts for one vote.
    """
    mean, n = votes.mean(), len(votes)
    alone = mean * (1 - mean) / max(1, n - 1)
    if alone < 1e-12:
        return n / float(len(np.unique(prompts)))
    found = clustered_variance(votes, prompts, raters)
    return float(np.clip(found / alone, 1.0, n))


def clustered_variance(votes: np.ndarray, prompts: np.ndarray, raters: np.ndarray) -> float:
    """The variance of the mean: by prompts + by raters - by both at once, and no less than by one of them.

    Each with the factor G / (G - 1) for G clusters. A single cluster tells nothing and counts as none.
    """
    rest = votes - votes.mean()
    both = _codes(list(zip(prompts.tolist(), raters.tolist(), strict=True)))
    of_prompts, of_raters, of_both = (_variance(rest, codes) for codes in (prompts, raters, both))
    return max(of_prompts + of_raters - of_both, of_prompts, of_raters)


def sign_test(won: int, lost: int) -> float | None:
    """Two-sided exact p of the decided votes: is each as likely as the other? None where there are none."""
    from scipy.stats import binomtest

    return float(binomtest(won, won + lost).pvalue) if won + lost else None


def sign_flip_test(differences: Sequence[int]) -> float | None:
    """Two-sided exact p when each cluster's difference (won - lost) may as well have had the other sign.

    The distribution of the sum over all 2^G ways, by convolution. None where there are no clusters. With
    differences of 1 and -1 alone it is the sign test.
    """
    from scipy.stats import binom

    if not len(differences):
        return None
    sizes, counts = np.unique(np.abs([each for each in differences if each]), return_counts=True)
    chances = np.ones(1)  # of the sum of the clusters that keep a plus sign
    for size, count in zip(sizes.astype(int), counts, strict=True):
        step = np.zeros(size * count + 1)
        step[::size] = binom.pmf(np.arange(count + 1), count, 0.5)
        chances = np.convolve(chances, step)
    total = len(chances) - 1
    sums = 2 * np.arange(total + 1) - total
    return float(min(1.0, chances[np.abs(sums) >= abs(sum(differences))].sum()))


def two_way_bootstrap(
    values: Sequence[float],
    prompts: Sequence[Hashable],
    raters: Sequence[Hashable],
    *,
    level: float = LEVEL,
    seed: int = 0,
) -> tuple[float, float] | None:
    """The percentile interval of the mean when prompts and raters are both drawn anew (Owen 2007).

    None where there is but one prompt.
    """
    rows, columns = _codes(prompts), _codes(raters)
    shape = tuple(int(codes.max(initial=-1)) + 1 for codes in (rows, columns))
    if shape[0] < 2:
        return None
    given, sums = np.zeros(shape), np.zeros(shape)
    np.add.at(given, (rows, columns), 1.0)
    np.add.at(sums, (rows, columns), np.asarray(values, float))
    generator = np.random.default_rng(seed)
    batch = max(1, _CELLS // max(shape))
    means = []
    for start in range(0, RESAMPLES, batch):
        size = min(batch, RESAMPLES - start)
        of_rows, of_columns = (generator.multinomial(n, np.full(n, 1 / n), size) for n in shape)
        whole = ((of_rows @ given) * of_columns).sum(1)
        part = ((of_rows @ sums) * of_columns).sum(1)
        means.append(part[whole > 0] / whole[whole > 0])  # the drawn raters may have seen no drawn prompt
    low, high = np.quantile(np.concatenate(means), [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def decided_votes_needed(share: float, *, level: float = LEVEL, power: float = POWER) -> int | None:
    """How many votes, each standing alone, the sign test needs to show this share, with this power.

    By the normal approximation of the binomial (statsmodels), and never fewer than the exact test needs to
    reach its bound at all. None for a share of one half, which no number of votes shows.
    """
    from statsmodels.stats.power import normal_sample_size_one_tail

    away = abs(share - 0.5)
    if away < 1e-9:
        return None
    alpha = 1 - level
    spread = float(np.sqrt(share * (1 - share)))
    votes = normal_sample_size_one_tail(away, power, alpha / 2, std_null=0.5, std_alternative=spread)
    return max(least_clusters(level), int(np.ceil(float(votes) - 1e-9)))


def least_clusters(level: float = LEVEL) -> int:
    """Fewer than these, all for one side, cannot bring the exact test's p, 2 / 2^n, under its bound."""
    alpha = 1 - level
    least = int(np.ceil(np.log2(2 / alpha)))
    return least if 2 / 2**least < alpha else least + 1


def none_seen_bound(n: int, level: float = LEVEL) -> float | None:
    """What a share is at most when nothing was seen in n trials: 1 - (1 - level)^(1/n), one-sided.

    The rule of three (Hanley & Lippman-Hand 1983, JAMA 249:1743), 3/n at 95 %, is its approximation.
    """
    return 1 - (1 - level) ** (1 / n) if n else None


def _variance(rest: np.ndarray, codes: np.ndarray) -> float:
    sums = np.bincount(codes, rest)
    clusters = len(sums)
    return float((sums**2).sum() * clusters / (clusters - 1)) / len(rest) ** 2 if clusters > 1 else 0.0


def _codes(names: Sequence[Hashable]) -> np.ndarray:
    """The names' places in their sorted order, so that the votes' own order counts for nothing."""
    places = {name: place for place, name in enumerate(sorted(set(names), key=lambda name: (str(name), 0)))}
    return np.array([places[name] for name in names], int)
