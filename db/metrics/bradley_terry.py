"""How strong each of several sides is, from votes between two of them at a time.

The model of Bradley & Terry (1952) with ties by Davidson (1970, JASA 65:317): of two sides with strengths
a and b (log-odds) one wins with odds e^a, the other with e^b, and a tie has nu e^((a + b) / 2). Unlike Elo's
running scores the fit does not depend on the order of the votes.

By maximum likelihood (scipy), after every two sides that met are given one more vote that is split in halves:
so a side that always won stays finite, and of two sides without ties the strengths differ by
log((won + 1/2) / (lost + 1/2)). Intervals are the wider of two: percentiles of a bootstrap that draws whole
prompts, and the normal distribution by the likelihood's curvature (a side that always won has no bootstrap
to speak of).
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np

RESAMPLES = 1000
_SPLIT = np.array([0.5, 0.5, 0.0])
_WIDEST = 15.0  # of log(nu): beyond it ties are as good as never, or as good as always
_CELLS = 2_000_000


@dataclass(frozen=True)
class Bout:
    """One vote: the winner is named first, unless it is a tie."""

    prompt: Hashable
    first: str
    second: str
    is_tie: bool = False


@dataclass(frozen=True)
class Fit:
    """Strengths in log-odds, mean 0, and the share of decided votes against the others, each with its ends.

    Arrays (sides,), and (2, sides) for the ends: low and high.
    """

    names: tuple[str, ...]
    strengths: np.ndarray
    shares: np.ndarray
    strength_ends: np.ndarray
    share_ends: np.ndarray


def fit(bouts: Sequence[Bout], *, level: float = 0.95, seed: int = 0) -> Fit:
    """Raises ValueError where some sides are linked to the others by no vote, not even through third ones."""
    names = tuple(sorted({name for bout in bouts for name in (bout.first, bout.second)}))
    pairs, counts = _counts(bouts, names)
    _require_linked(names, pairs)
    whole, tails = counts.sum(0), [(1 - level) / 2, (1 + level) / 2]
    found = _solved(whole[None], pairs, len(names))
    generator = np.random.default_rng(seed)
    draws = [_by_curvature(found[0], whole, pairs, generator)]
    if len(counts) > 1:
        draws.append(log_strengths(_resampled(counts, generator), pairs, len(names)))
    strengths = _centred(found)
    return Fit(
        names,
        strengths[0],
        shares_against_others(strengths)[0],
        _widest([np.quantile(drawn, tails, axis=0) for drawn in draws]),
        _widest([np.quantile(shares_against_others(drawn), tails, axis=0) for drawn in draws]),
    )


def log_strengths(counts: np.ndarray, pairs: np.ndarray, sides: int) -> np.ndarray:
    """The fitted log-strengths (sets, sides), mean 0, of sets of votes.

    `counts` (sets, pairs, 3) holds how often the first won, the second won, and neither; `pairs` (pairs, 2)
    the places of the two. All sets are fitted at once: the likelihood is a sum over them.
    """
    return _centred(_solved(counts, pairs, sides))


def shares_against_others(strengths: np.ndarray) -> np.ndarray:
    """The share of decided votes each side would win, were it set against each other one as often."""
    from scipy.special import expit

    sides = strengths.shape[-1]
    won = expit(strengths[..., :, None] - strengths[..., None, :])
    return (won.sum(-1) - 0.5) / (sides - 1)  # less the half against itself


def _solved(counts: np.ndarray, pairs: np.ndarray, sides: int) -> np.ndarray:
    """(sets, sides + 1): the log-strengths of the greatest likelihood, and log(nu) in the last column."""
    from scipy.optimize import minimize

    given = counts + _SPLIT
    has_ties = bool(counts[..., 2].any())
    never = -2 * _WIDEST  # log(nu) where nothing is a tie
    of_sides = np.eye(sides + 1)

    def loss(flat: np.ndarray) -> tuple[float, np.ndarray]:
        values = flat.reshape(len(counts), sides + 1)
        logits = _logits(values, pairs)
        norm = np.logaddexp.reduce(logits, -1, keepdims=True)
        rest = given.sum(-1, keepdims=True) * np.exp(logits - norm) - given
        slope = sum((rest[..., at] + rest[..., 2] / 2) @ of_sides[pairs[:, at]] for at in (0, 1))
        slope[:, -1] = rest[..., 2].sum(-1) * has_ties
        return float((given * (norm - logits)).sum()), slope.ravel()

    start = np.zeros((len(counts), sides + 1))
    start[:, -1] = 0.0 if has_ties else never
    bounds = ([(None, None)] * sides + [(never, _WIDEST)]) * len(counts)
    options = {"maxiter": 2000, "maxfun": 4000, "ftol": 1e-15, "gtol": 1e-6}
    found = minimize(loss, start.ravel(), jac=True, method="L-BFGS-B", bounds=bounds, options=options)
    return found.x.reshape(start.shape)


def _logits(values: np.ndarray, pairs: np.ndarray) -> np.ndarray:
    """(sets, pairs, 3): of the first, of the second, of a tie."""
    first, second = values[:, pairs[:, 0]], values[:, pairs[:, 1]]
    return np.stack([first, second, (first + second) / 2 + values[:, -1:]], -1)


def _by_curvature(
    values: np.ndarray, whole: np.ndarray, pairs: np.ndarray, generator: np.random.Generator
) -> np.ndarray:
    """(resamples, sides): log-strengths drawn by the normal distribution that the information gives."""
    chances = np.exp(_logits(values[None], pairs)[0])
    chances /= chances.sum(-1, keepdims=True)
    information = np.zeros((len(values), len(values)))
    for pair, chance, n in zip(pairs, chances, (whole + _SPLIT).sum(-1), strict=True):
        design = np.zeros((3, len(values)))  # of the three logits
        design[[0, 1], pair] = 1.0
        design[2, pair], design[2, -1] = 0.5, 1.0
        information += n * design.T @ (np.diag(chance) - np.outer(chance, chance)) @ design
    spread = np.linalg.pinv(information, rcond=1e-10, hermitian=True)
    drawn = generator.multivariate_normal(values, spread, RESAMPLES, method="eigh")
    return drawn[:, :-1] - drawn[:, :-1].mean(-1, keepdims=True)


def _centred(values: np.ndarray) -> np.ndarray:
    strengths = values[:, :-1]
    return strengths - strengths.mean(-1, keepdims=True)


def _widest(ends: Sequence[np.ndarray]) -> np.ndarray:
    return np.stack([np.min([each[0] for each in ends], 0), np.max([each[1] for each in ends], 0)])


def _counts(bouts: Sequence[Bout], names: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """(pairs, 2) places of the sides that met, and (prompts, pairs, 3) who won of them how often."""
    places = {name: place for place, name in enumerate(names)}
    met = sorted({tuple(sorted((places[bout.first], places[bout.second]))) for bout in bouts})
    of_pair = {pair: at for at, pair in enumerate(met)}
    of_prompt = {prompt: at for at, prompt in enumerate(sorted({bout.prompt for bout in bouts}, key=str))}
    counts = np.zeros((len(of_prompt), len(met), 3))
    for bout in bouts:
        one, other = places[bout.first], places[bout.second]
        how = 2 if bout.is_tie else int(one > other)
        counts[of_prompt[bout.prompt], of_pair[(min(one, other), max(one, other))], how] += 1
    return np.array(met, int).reshape(-1, 2), counts


def _require_linked(names: Sequence[str], pairs: np.ndarray) -> None:
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    if len(names) < 2:
        raise ValueError("sides: there are no votes between two of them yet.")
    links = coo_array((np.ones(len(pairs)), pairs.T), shape=(len(names), len(names)))
    groups, group_of = connected_components(links, directed=False)
    if groups > 1:
        told = [[n for n, at in zip(names, group_of, strict=True) if at == group] for group in range(groups)]
        parts = "; ".join(", ".join(each) for each in told)
        raise ValueError(f"sides: no vote links these, so they have no common scale: {parts}.")


def _resampled(counts: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """(resamples, pairs, 3): the votes of as many prompts, drawn anew."""
    prompts = len(counts)
    flat = counts.reshape(prompts, -1)
    batch = max(1, _CELLS // prompts)
    drawn = [
        generator.multinomial(prompts, np.full(prompts, 1 / prompts), min(batch, RESAMPLES - start)) @ flat
        for start in range(0, RESAMPLES, batch)
    ]
    return np.concatenate(drawn).reshape(RESAMPLES, *counts.shape[1:])
