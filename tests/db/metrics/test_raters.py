"""Agreement of two raters on a scale equals the published example, scipy and statsmodels."""

import numpy as np
import pytest
from scipy.stats import spearmanr
from statsmodels.stats.inter_rater import cohens_kappa

from db.metrics.raters import ALIKE, TOO_FEW, icc, percent, spearman, weighted_kappa

# Shrout & Fleiss 1979, table 2: six targets, four judges.
JUDGES = [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]]
DRAWN = np.random.default_rng(1)
FIRST = DRAWN.integers(1, 6, 120)
SECOND = np.clip(FIRST + DRAWN.integers(-1, 2, 120), 1, 5)


def test_icc_is_that_of_shrout_and_fleiss():
    absolute, consistent = icc(JUDGES), icc(JUDGES, "3,1")
    assert (absolute.value, absolute.low, absolute.high) == pytest.approx((0.290, 0.019, 0.761), abs=5e-4)
    assert (consistent.value, consistent.low, consistent.high) == pytest.approx(
        (0.715, 0.342, 0.946), abs=5e-4
    )
    assert (absolute.n, absolute.note) == (6, "")


def test_a_judge_who_is_always_one_higher_is_consistent_and_not_in_agreement():
    scores = np.array([1, 2, 3, 4, 5, 3, 2, 4])
    noise = np.array([0, 0, 0, 0, 0, 0.1, -0.1, 0])
    ratings = np.column_stack([scores, scores + 1 + noise])
    assert icc(ratings.tolist(), "3,1").value > 0.99
    assert icc(ratings.tolist()).value == pytest.approx(0.78, abs=0.02)


@pytest.mark.parametrize("weights", ["linear", "quadratic"])
def test_weighted_kappa_is_statsmodels_and_its_interval_near_to_the_asymptotic_one(weights):
    table = np.zeros((5, 5))
    np.add.at(table, (FIRST - 1, SECOND - 1), 1)
    theirs = cohens_kappa(table, wt=weights)
    ours = weighted_kappa(FIRST.tolist(), SECOND.tolist(), weights=weights)
    assert ours.value == pytest.approx(theirs.kappa)
    assert (ours.low, ours.high) == pytest.approx((theirs.kappa_low, theirs.kappa_upp), abs=0.03)


def test_a_score_nobody_gave_counts_on_the_scale():
    # 1 and 5 are two places apart where no other score occurs, four where the scale has them.
    first, second = [1, 1, 5, 5, 3], [1, 5, 5, 5, 3]
    assert weighted_kappa(first, second).value == weighted_kappa(first, second, scale=(1, 3, 5)).value
    uneven = weighted_kappa([1, 1, 5, 4], [1, 5, 5, 5])
    assert uneven.value != pytest.approx(weighted_kappa([1, 1, 5, 4], [1, 5, 5, 5], scale=range(1, 6)).value)


def test_spearman_is_scipys_and_documents_widen_its_interval():
    alone = spearman(FIRST.tolist(), SECOND.tolist())
    assert alone.value == pytest.approx(spearmanr(FIRST, SECOND).statistic)
    assert alone.low < alone.value < alone.high
    twice = (
        [score for score in FIRST.tolist() for _ in range(2)],
        [s for s in SECOND.tolist() for _ in range(2)],
    )
    documents = [str(n // 2) for n in range(240)]
    clustered = spearman(*twice, documents)
    assert (clustered.n, clustered.clusters) == (240, 120)
    assert clustered.high - clustered.low == pytest.approx(alone.high - alone.low, rel=0.1)


def test_percent_by_hand():
    found = percent(["a", "b", "a", "c"] * 5, ["a", "b", "c", "c"] * 5)
    assert found.value == 0.75
    assert found.low < 0.75 < found.high
    assert percent([1, 2], [1, 2]).low == pytest.approx(0.025 ** (1 / 2))  # exact, not certain


@pytest.mark.parametrize(
    ("first", "second"), [([], []), ([3], [3]), ([3, 3], [3, 3]), ([1, 2, 3], [4, 4, 4])]
)
def test_too_little_to_agree_on_gives_no_figure_or_no_interval_and_never_nan(first, second):
    pairs = list(zip(first, second, strict=True))
    for found in (
        percent(first, second),
        weighted_kappa(first, second),
        spearman(first, second),
        icc(pairs),
        icc(pairs, "3,1"),
    ):
        figures = [figure for figure in (found.value, found.low, found.high) if figure is not None]
        assert np.isfinite(figures).all()
        assert found.value is not None or found.note
    assert spearman(first, second).note == (TOO_FEW if len(first) < 2 else ALIKE)


def test_whole_agreement_is_1_without_a_claim_of_certainty():
    scores = [1, 2, 3, 4, 5, 3]
    for found in (
        weighted_kappa(scores, scores),
        spearman(scores, scores),
        icc(list(zip(scores, scores, strict=True))),
    ):
        assert found.value == pytest.approx(1.0)
        assert found.low is None
        assert found.note


def test_other_items_are_refused():
    with pytest.raises(ValueError, match="second: 1 scores for 2 items"):
        spearman([1, 2], [1])
