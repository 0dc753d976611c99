"""Gains by hand and by scipy and statsmodels: McNemar, randomisation by document, Holm, sample sizes."""

import json
from dataclasses import asdict

import numpy as np
import pytest
from scipy.stats import binom, permutation_test
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.power import TTestPower
from statsmodels.stats.proportion import proportion_confint

from db.metrics.measures import f1, get
from db.metrics.paired import MCNEMAR, RANDOMISATION, Gain, compare, detectable, holm, rows_needed

NOW = [1, 1, 1, 1, 1, 1, 1, 1, 0, 0]
BEFORE = [1, 1, 1, 1, 0, 0, 0, 0, 1, 0]  # 4 gained, 1 lost


def right(values) -> list[dict[str, float]]:
    return [{"right": value} for value in values]


def spans(rows) -> list[dict[str, float]]:
    return [dict(zip(("strict_right", "strict_wrong", "strict_missed"), row, strict=True)) for row in rows]


def test_ten_rows_by_hand():
    gain = compare(get("accuracy"), right(NOW), right(BEFORE), None)
    assert gain.absolute.value == pytest.approx(0.3)
    assert gain.relative.value == pytest.approx(0.6)  # of 0.5
    assert (gain.gained, gain.lost, gain.n) == (4, 1, 10)
    assert gain.test == MCNEMAR
    assert gain.p == pytest.approx(2 * (1 + 5) / 2**5)  # of five changed rows, at most one the other way
    assert gain.absolute.low < 0.3 < gain.absolute.high


def test_mcnemar_is_statsmodels():
    drawn = np.random.default_rng(2)
    now, before = drawn.random(200) < 0.7, drawn.random(200) < 0.6
    gain = compare(get("accuracy"), right(now), right(before), None)
    table = [[(now & before).sum(), (now & ~before).sum()], [(~now & before).sum(), (~now & ~before).sum()]]
    assert gain.p == pytest.approx(mcnemar(table, exact=True).pvalue)
    assert (gain.gained, gain.lost) == (table[0][1], table[1][0])


def test_rows_that_share_documents_are_not_tested_as_if_each_were_one():
    now, before = right([1, 1, 1, 1, 1, 1, 0, 0]), right([0] * 8)
    alone = compare(get("accuracy"), now, before, None)
    together = compare(get("accuracy"), now, before, list("aaaaaabb"))
    assert together.test == RANDOMISATION
    assert alone.p == pytest.approx(2 / 2**6)
    assert together.p == pytest.approx(1.0, abs=0.02)  # one document changed: its coin falls either way
    assert (together.gained, together.lost) == (6, 0)


def test_randomisation_is_scipys_permutation_test_by_pairs():
    drawn = np.random.default_rng(5)
    now, before = drawn.poisson((4, 1, 1), (9, 3)), drawn.poisson((3, 1, 2), (9, 3))
    gain = compare(get("strict_f1"), spans(now), spans(before), None)
    assert gain.test == RANDOMISATION

    def difference(x, y, axis):  # of places: below 9 the one, from 9 on the other
        both = np.vstack([now, before])
        return f1(both[x].sum(-2)) - f1(both[y].sum(-2))

    exact = permutation_test(
        (np.arange(9), np.arange(9) + 9), difference, permutation_type="samples", vectorized=True
    )
    assert gain.absolute.value == pytest.approx(exact.statistic)
    assert gain.p == pytest.approx(exact.pvalue, abs=0.015)


def test_macro_f1_of_two_models_is_compared_over_the_labels_of_both():
    now = [{"right:a": 1}, {"right:b": 1}, {"right:a": 1}, {"right:b": 1}] * 5
    before = [{"right:a": 1}, {"missed:b": 1, "wrong:a": 1}] * 10
    gain = compare(get("macro_f1"), now, before, None)
    assert gain.absolute.value == pytest.approx(1 - (2 * 10 / (2 * 10 + 10) + 0) / 2)
    assert (gain.gained, gain.lost) == (10, 0)
    assert gain.p < 0.01


def test_less_is_better_for_parse_failures_so_a_drop_counts_as_gained():
    gain = compare(get("parse_failures"), [{}] * 3, [{"unparsed": 1}, {}, {}], None)
    assert gain.absolute.value == pytest.approx(-1 / 3)
    assert (gain.gained, gain.lost) == (1, 0)


def test_a_model_against_itself_gains_nothing_and_is_not_certain_of_it():
    gain = compare(get("accuracy"), right(NOW), right(NOW), None)
    low, _ = proportion_confint(10, 10, method="beta")
    assert (gain.absolute.value, gain.p, gain.gained, gain.lost) == (0.0, 1.0, 0, 0)
    assert (gain.absolute.low, gain.absolute.high) == pytest.approx((low - 1, 1 - low))
    assert (gain.relative.value, gain.relative.low) == (0.0, None)
    assert gain.relative.note
    of_spans = compare(get("strict_f1"), spans([(2, 1, 0)] * 5), spans([(2, 1, 0)] * 5), None)
    assert (of_spans.absolute.value, of_spans.absolute.low, of_spans.p) == (0.0, None, 1.0)


@pytest.mark.parametrize("up", [True, False])
def test_every_row_gained_or_lost_has_the_exact_bound(up):
    now, before = (right([1] * 20), right([0] * 20)) if up else (right([0] * 20), right([1] * 20))
    gain = compare(get("accuracy"), now, before, None)
    low, _ = proportion_confint(20, 20, method="beta")
    bounds = (2 * low - 1, 1.0)
    assert (gain.absolute.low, gain.absolute.high) == pytest.approx(bounds if up else (-1.0, 1 - 2 * low))
    assert gain.p == pytest.approx(2 / 2**20)


def test_a_gain_over_a_score_of_0_is_no_share_of_it():
    gain = compare(get("strict_f1"), spans([(1, 0, 1), (2, 0, 0)] * 4), spans([(0, 1, 2)] * 8), None)
    assert gain.relative.value is None
    assert gain.relative.note == "The other scores 0: no gain is a share of that."
    near = compare(get("accuracy"), right([1, 1, 1, 1] * 5), right([1] + [0] * 19), None)
    assert near.relative.value == pytest.approx(19)
    assert near.relative.low is None
    assert "Too many resamples" in near.relative.note


def test_no_rows_and_one_row_have_no_interval_and_no_exception():
    none = compare(get("accuracy"), [], [], None)
    assert (none.n, none.p, none.absolute.value) == (0, None, None)
    assert compare(get("macro_f1"), [], [], None).n == 0
    one = compare(get("strict_f1"), spans([(1, 0, 0)]), spans([(0, 1, 1)]), ["d"])
    assert (one.absolute.value, one.absolute.low, one.n) == (1.0, None, 1)
    undefined = compare(get("numbers_kept"), [{}], [{}], None)
    assert (undefined.p, undefined.absolute.value, undefined.gained) == (None, None, 0)


def test_other_rows_are_refused():
    with pytest.raises(ValueError, match="against: 2 rows for 1; compare the same rows"):
        compare(get("accuracy"), right([1]), right([1, 0]), None)


def test_a_gain_is_kept_as_json_and_comes_back():
    gain = compare(get("accuracy"), right(NOW), right(BEFORE), None)
    assert Gain.of_json(json.loads(json.dumps(asdict(gain)))) == gain


def test_holm_by_hand_with_what_was_not_tested_left_as_it_is():
    assert holm([0.01, None, 0.04, 0.03]) == [
        pytest.approx(0.03),
        None,
        pytest.approx(0.06),
        pytest.approx(0.06),
    ]
    assert holm([0.5, 0.9]) == [1.0, 1.0]
    assert holm([None]) == [None]
    assert holm([]) == []


def test_rows_needed_is_statsmodels_power_of_paired_differences():
    share, difference = 0.5, 0.05
    changed = share * (1 - share - difference) + (share + difference) * (1 - share)
    effect = difference / np.sqrt(changed - difference**2)
    by_statsmodels = TTestPower().solve_power(effect_size=effect, alpha=0.05, power=0.8)
    assert rows_needed(difference, base_share=share) == int(np.ceil(by_statsmodels))
    effect = 0.02 / (0.2 * np.sqrt(2 * (1 - 0.5)))
    by_statsmodels = TTestPower().solve_power(effect_size=effect, alpha=0.01, power=0.9)
    assert rows_needed(0.02, spread=0.2, correlation=0.5, alpha=0.01, power=0.9) == int(
        np.ceil(by_statsmodels)
    )


@pytest.mark.parametrize(("difference", "discordance"), [(0.05, 0.2), (0.1, 0.3), (0.2, 0.25)])
def test_so_many_rows_give_the_exact_mcnemar_test_nearly_that_power(difference, discordance):
    rows = rows_needed(difference, discordance=discordance)
    better = (discordance + difference) / 2 / discordance  # of the changed rows
    power = 0.0
    for changed in range(6, rows + 1):
        gained = np.arange(changed + 1)
        is_shown = 2 * binom.cdf(np.minimum(gained, changed - gained), changed, 0.5) <= 0.05
        power += binom.pmf(changed, rows, discordance) * binom.pmf(gained, changed, better)[is_shown].sum()
    assert 0.72 < power < 0.85


def test_what_can_be_detected_is_the_inverse_of_the_rows_needed():
    for plan in (
        {"base_share": 0.6},
        {"base_share": 0.6, "correlation": 0.4},
        {"discordance": 0.2},
        {"spread": 0.3},
    ):
        assert detectable(rows_needed(0.05, **plan), **plan) == pytest.approx(0.05, abs=3e-4)
    assert detectable(4, base_share=0.5) is None  # no result of four rows reaches 0.05
    assert rows_needed(1.0, base_share=0.0) == 6
    assert rows_needed(0.02, base_share=0.5, correlation=0.8) < rows_needed(0.02, base_share=0.5)


@pytest.mark.parametrize(
    ("plan", "field"),
    [
        ({"difference": 0, "base_share": 0.5}, "difference"),
        ({"difference": 0.1}, "base_share"),
        ({"difference": 0.6, "base_share": 0.5}, "difference"),
        ({"difference": 0.3, "discordance": 0.2}, "difference"),
        ({"difference": 0.1, "discordance": 0}, "discordance"),
        ({"difference": 0.1, "base_share": 1.5}, "base_share"),
        ({"difference": 0.1, "spread": 0}, "spread"),
        ({"difference": 0.1, "base_share": 0.5, "power": 1}, "power"),
        ({"difference": 0.1, "base_share": 0.5, "alpha": 0}, "alpha"),
        ({"difference": 0.1, "base_share": 0.5, "correlation": 1}, "correlation"),
    ],
)
def test_a_plan_that_cannot_be_is_refused_by_its_field(plan, field):
    with pytest.raises(ValueError, match=f"^{field}: "):
        rows_needed(**plan)
