"""Tests and intervals of votes against values by hand, scipy, statsmodels and slow versions."""

from fractions import Fraction
from itertools import product

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import stats

from db.metrics.preference import (
    NO_SHARE,
    clustered_variance,
    decided_votes_needed,
    design_effect,
    least_clusters,
    none_seen_bound,
    share,
    sign_flip_test,
    sign_test,
    two_way_bootstrap,
    wilson,
)

# Votes as (won, prompt, rater).
votes = st.lists(st.tuples(st.booleans(), st.integers(0, 6), st.integers(0, 4)), min_size=2, max_size=40)


def clustered(prompts: int, raters: int, *, chance: float = 0.65, lean: float = 0.0, seed: int = 0):
    """Every rater votes on every prompt; a prompt leans by `lean` to one side."""
    draw = np.random.default_rng(seed)
    leans = draw.normal(0, lean, prompts)
    won = [float(draw.random() < chance + leans[p]) for p in range(prompts) for _ in range(raters)]
    return won, [p for p in range(prompts) for _ in range(raters)], list(range(raters)) * prompts


def test_the_sign_test_counts_all_outcomes_as_unlikely_as_this():
    # 9 of 10 by hand: 2 * (10 + 1) / 1024
    assert sign_test(9, 1) == pytest.approx(22 / 1024)
    assert sign_test(1, 9) == sign_test(9, 1)
    assert sign_test(5, 5) == 1.0
    assert sign_test(0, 0) is None
    assert sign_test(34, 18) == stats.binomtest(34, 52).pvalue == pytest.approx(0.0365, abs=1e-3)


def test_the_sign_flip_test_is_the_share_of_all_signs_that_go_as_far():
    # 3, 1 and -1: of 8 sums (5 3 3 1 -1 -3 -3 -5) six are 3 or more from zero
    assert sign_flip_test([3, 1, -1]) == pytest.approx(6 / 8)
    assert sign_flip_test([2, 2, 2]) == pytest.approx(2 / 8)
    assert sign_flip_test([0, 0]) == 1.0
    assert sign_flip_test([]) is None


@given(st.lists(st.integers(-4, 4), min_size=1, max_size=9))
def test_the_sign_flip_test_equals_the_listing_of_all_signs(differences):
    sums = [
        abs(sum(sign * abs(each) for sign, each in zip(signs, differences, strict=True)))
        for signs in product((-1, 1), repeat=len(differences))
    ]
    as_far = Fraction(sum(each >= abs(sum(differences)) for each in sums), len(sums))
    assert sign_flip_test(differences) == pytest.approx(float(as_far))


@given(st.integers(0, 60), st.integers(0, 60))
def test_with_one_vote_a_prompt_both_tests_are_the_same(won, lost):
    both = sign_test(won, lost), sign_flip_test([1] * won + [-1] * lost)
    assert both == (None, None) if won + lost == 0 else both[0] == pytest.approx(both[1])


def test_wilsons_interval_is_the_one_of_the_text_books():
    # Newcombe 1998, Statistics in Medicine 17:857: 81 of 263 gives 0.2553 to 0.3662
    assert wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert wilson(34, 52) == pytest.approx(stats.binomtest(34, 52).proportion_ci(method="wilson"))
    assert wilson(0, 20)[0] == 0.0
    assert wilson(20, 20)[1] == pytest.approx(1.0)


@settings(deadline=None)
@given(votes)
def test_the_two_way_variance_is_statsmodels(given):
    won, prompts, raters = (np.array(column) for column in zip(*given, strict=True))
    assume(min(len(set(prompts)), len(set(raters)), len(set(won))) > 1)
    groups = [np.unique(codes, return_inverse=True)[1] for codes in (prompts, raters)]
    ours = clustered_variance(won.astype(float), *groups)
    model = sm.OLS(won.astype(float), np.ones(len(won)))

    def theirs(codes) -> float:
        options = {"groups": codes, "use_correction": True}
        return float(model.fit(cov_type="cluster", cov_kwds=options).cov_params()[0, 0])

    both = np.unique(groups[0] * 100 + groups[1], return_inverse=True)[1]
    alone = [theirs(codes) for codes in groups]
    assert ours == pytest.approx(max(sum(alone) - theirs(both), *alone), abs=1e-12)


def test_votes_that_stand_alone_have_no_design_effect():
    won, prompts = np.array([1.0, 0, 1, 1, 0, 1]), np.arange(6)
    assert design_effect(won, prompts, prompts) == pytest.approx(1.0)


def test_a_prompt_that_all_raters_see_alike_counts_as_one_vote():
    won = [1.0, 1, 1, 0, 0, 0] * 10
    found = share(won, [place // 3 for place in range(60)], [place % 3 for place in range(60)])
    # 20 prompts of three like votes: 3 * 20 / 19 votes a prompt, less the raters' own nought
    assert found.design_effect == pytest.approx(3 * 59 / 60 * 20 / 19, rel=0.01)
    assert (found.low, found.high) == found.clustered
    assert found.high - found.low > found.wilson[1] - found.wilson[0]


def test_the_wider_interval_is_the_one_to_quote():
    alone = share([1.0, 0, 1, 1, 0, 0, 1, 1], range(8), range(8))
    assert (alone.low, alone.high) == pytest.approx(alone.wilson)
    lean = share(*clustered(20, 5, lean=0.4))
    assert lean.design_effect > 1.5
    assert (lean.low, lean.high) == lean.clustered


def test_where_all_votes_are_alike_a_prompt_counts_once():
    found = share([1.0] * 12, [place // 4 for place in range(12)], [place % 4 for place in range(12)])
    assert (found.low, found.high) == pytest.approx(wilson(3, 3))
    assert share([], [], []) == NO_SHARE


def test_clustered_intervals_hold_the_true_share_where_plain_ones_do_not():
    held = np.zeros(2)
    for seed in range(120):
        found = share(*clustered(40, 4, chance=0.6, lean=0.25, seed=seed))
        held += [low <= 0.6 <= high for low, high in (found.clustered, found.wilson)]
    assert held[0] / 120 > 0.9
    assert held[0] > held[1] + 6


@settings(deadline=None, max_examples=30)
@given(votes, st.randoms())
def test_the_order_of_votes_and_the_names_of_clusters_count_for_nothing(given, random):
    shuffled = random.sample(given, len(given))
    named = [(won, f"prompt {prompt}", f"rater {rater}") for won, prompt, rater in shuffled]
    one, other = (share(*map(list, zip(*rows, strict=True))) for rows in (given, named))
    assert (one.low, one.high, one.value) == pytest.approx((other.low, other.high, other.value))


@settings(deadline=None, max_examples=30)
@given(votes)
def test_to_swap_the_sides_mirrors_share_and_interval(given):
    won, *clusters = zip(*given, strict=True)
    one, other = share(won, *clusters), share([1 - each for each in won], *clusters)
    assert (one.value, one.low, one.high) == pytest.approx((1 - other.value, 1 - other.high, 1 - other.low))


def test_the_two_way_bootstrap_spreads_as_owens_theory_says():
    # Owen 2007: of votes that stand alone the bootstrap's variance is about three times the plain one.
    draw = np.random.default_rng(5)
    won = (draw.random(400) < 0.6).astype(float)
    low, high = two_way_bootstrap(won, range(400), range(400))
    plain = 2 * 1.96 * np.sqrt(won.mean() * (1 - won.mean()) / 400)
    assert (high - low) / plain == pytest.approx(np.sqrt(3), rel=0.1)
    # One rater: prompts alone are drawn, as scipy draws them.
    low, high = two_way_bootstrap(won, range(400), [1] * 400)
    theirs = stats.bootstrap((won,), np.mean, method="percentile", rng=np.random.default_rng(0))
    assert (low, high) == pytest.approx(theirs.confidence_interval, abs=0.01)
    assert two_way_bootstrap([1.0], ["only"], [1]) is None


def test_votes_needed_have_the_power_that_was_asked_for():
    for chance in (0.6, 0.65, 0.8):
        n = decided_votes_needed(chance)
        won = np.arange(n + 1)
        is_shown = np.array([stats.binomtest(int(each), n).pvalue < 0.05 for each in won])
        power = stats.binom.pmf(won, n, chance)[is_shown].sum()
        assert power == pytest.approx(0.8, abs=0.07)  # the exact test's steps
    assert decided_votes_needed(0.35) == decided_votes_needed(0.65)
    # By hand: ((1.95996 * 0.5 + 0.84162 * sqrt(0.65 * 0.35)) / 0.15)^2 = 84.8
    assert decided_votes_needed(0.65) == 85
    assert decided_votes_needed(1.0) == 6
    assert decided_votes_needed(0.5) is None


def test_fewer_clusters_than_this_cannot_bring_p_under_its_bound():
    assert least_clusters(0.95) == 6
    assert sign_test(6, 0) < 0.05 < sign_test(5, 0)
    assert sign_test(least_clusters(0.99), 0) < 0.01 <= sign_test(least_clusters(0.99) - 1, 0)


def test_the_rule_of_three_is_its_bounds_approximation():
    assert none_seen_bound(60) == pytest.approx(0.0487, abs=5e-5)
    assert none_seen_bound(60) == pytest.approx(
        stats.binomtest(0, 60, alternative="less").proportion_ci(0.95, method="exact").high
    )
    assert none_seen_bound(1000) == pytest.approx(3 / 1000, rel=0.01)
    assert none_seen_bound(0) is None
