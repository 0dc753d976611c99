"""Strengths against closed forms, statsmodels' logistic regression, and each fit alone."""

import numpy as np
import pytest
import statsmodels.api as sm
from scipy.optimize import minimize

from db.metrics.bradley_terry import Bout, fit, log_strengths, shares_against_others


def bouts(won: dict[tuple[str, str], int], ties: dict[tuple[str, str], int] | None = None) -> list[Bout]:
    """A prompt of its own for each."""
    found = [(*names, False) for names, count in won.items() for _ in range(count)]
    found += [(*names, True) for names, count in (ties or {}).items() for _ in range(count)]
    return [Bout(place, *each) for place, each in enumerate(found)]


def circle(seed: int = 1, ties: float = 0.0, sides: str = "ABCD", n: int = 240) -> list[Bout]:
    draw = np.random.default_rng(seed)
    strengths = np.linspace(1.2, -1.2, len(sides))
    found = []
    for place in range(n):
        a, b = draw.choice(len(sides), 2, replace=False)
        if draw.random() > 1 / (1 + np.exp(strengths[b] - strengths[a])):
            a, b = b, a
        found.append(Bout(place // 4, sides[a], sides[b], bool(draw.random() < ties)))
    return found


def test_of_two_sides_the_strengths_differ_by_the_log_odds():
    found = fit(bouts({("A", "B"): 34, ("B", "A"): 18}))
    assert found.strengths[0] - found.strengths[1] == pytest.approx(np.log(34.5 / 18.5), abs=1e-5)
    assert found.strengths.sum() == pytest.approx(0, abs=1e-9)
    assert found.shares == pytest.approx([34.5 / 53, 18.5 / 53], abs=1e-5)


def test_ties_pull_no_side_up_and_davidsons_nu_is_their_share():
    # Equal sides: with strengths 0 the likeliest nu makes a tie as likely as it was seen.
    found = fit(bouts({("A", "B"): 10, ("B", "A"): 10}, {("A", "B"): 15}))
    assert found.strengths == pytest.approx([0, 0], abs=1e-6)
    some = fit(bouts({("A", "B"): 30, ("B", "A"): 10}))
    more = fit(bouts({("A", "B"): 30, ("B", "A"): 10}, {("A", "B"): 40}))
    # Of two sides nu fits the ties wholly, but ties also say that the two are near each other.
    assert 0 < more.strengths[0] <= some.strengths[0] + 1e-6


def test_several_sides_are_fitted_as_logistic_regression_fits_them():
    given = circle()
    names = sorted({bout.first for bout in given} | {bout.second for bout in given})
    pairs = sorted({tuple(sorted((bout.first, bout.second))) for bout in given})
    halves = [Bout("half", *pair) for pair in pairs] + [Bout("half", b, a) for a, b in pairs]
    weights = [1.0] * len(given) + [0.5] * len(halves)
    design = np.zeros((len(weights), len(names)))
    for row, bout in enumerate([*given, *halves]):
        design[row, names.index(bout.first)], design[row, names.index(bout.second)] = 1, -1
    # Every row won by its first: the same with turned rows lost, so that both outcomes are there.
    rows, outcomes = np.vstack([design, -design])[:, 1:], [1.0] * len(design) + [0.0] * len(design)
    model = sm.GLM(outcomes, rows, family=sm.families.Binomial(), freq_weights=[*weights, *weights])
    theirs = np.concatenate([[0], model.fit(tol=1e-12).params])
    assert fit(given).strengths == pytest.approx(theirs - theirs.mean(), abs=1e-4)


def test_ties_are_fitted_as_a_slow_version_of_davidsons_likelihood_does():
    given = circle(ties=0.25)
    names = sorted({bout.first for bout in given} | {bout.second for bout in given})
    pairs = sorted({tuple(sorted((bout.first, bout.second))) for bout in given})
    votes = [(names.index(b.first), names.index(b.second), b.is_tie, 1.0) for b in given]
    votes += [(names.index(a), names.index(b), False, 0.5) for pair in pairs for a, b in (pair, pair[::-1])]

    def loss(values: np.ndarray) -> float:
        strengths, nu = np.exp(values[:-1]), np.exp(values[-1])
        total = 0.0
        for a, b, is_tie, weight in votes:
            tie = nu * np.sqrt(strengths[a] * strengths[b])
            part = tie if is_tie else strengths[a]
            total -= weight * np.log(part / (strengths[a] + strengths[b] + tie))
        return total + values[:-1].mean() ** 2  # which strengths' scale leaves open

    theirs = minimize(loss, np.zeros(len(names) + 1)).x[:-1]
    assert fit(given).strengths == pytest.approx(theirs, abs=2e-3)


def test_a_side_that_always_wins_stays_finite_and_its_interval_is_wide():
    found = fit(bouts({("A", "B"): 20}))
    assert found.strengths[0] - found.strengths[1] == pytest.approx(np.log(20.5 / 0.5), abs=1e-4)
    low, high = found.share_ends[:, 0]
    assert low < 0.9 < 0.98 < high < 1
    assert np.isfinite(found.strength_ends).all()


def test_many_sets_are_fitted_at_once_as_each_alone():
    draw = np.random.default_rng(3)
    pairs = np.array([(0, 1), (0, 2), (1, 2)])
    counts = draw.integers(0, 15, (30, 3, 3)).astype(float)
    at_once = log_strengths(counts, pairs, 3)
    alone = np.concatenate([log_strengths(each[None], pairs, 3) for each in counts])
    assert at_once == pytest.approx(alone, abs=1e-4)


def test_shares_against_others_order_as_strengths_do_and_their_mean_is_one_half():
    shares = shares_against_others(np.array([[1.0, 0.2, -0.4, -0.8]]))[0]
    assert list(shares) == sorted(shares, reverse=True)
    assert shares.mean() == pytest.approx(0.5)


def test_the_order_of_votes_counts_for_nothing():
    given = circle(ties=0.1)
    assert fit(given[::-1]).strengths == pytest.approx(fit(given).strengths)
    assert fit(given[::-1]).strength_ends == pytest.approx(fit(given).strength_ends)


def test_votes_on_one_prompt_are_drawn_together():
    apart = fit(bouts({("A", "B"): 60, ("B", "A"): 30}))
    together = [Bout(place // 10, "A", "B") for place in range(60)]
    together += [Bout(6 + place // 10, "B", "A") for place in range(30)]
    narrow, wide = (np.ptp(found.share_ends[:, 0]) for found in (apart, fit(together)))
    assert wide > 1.8 * narrow


def test_sides_that_no_vote_links_have_no_common_scale():
    with pytest.raises(ValueError, match=r"no vote links these.*A, B; C, D"):
        fit(bouts({("A", "B"): 3, ("C", "D"): 4}))
    with pytest.raises(ValueError, match="no votes between two"):
        fit([])
