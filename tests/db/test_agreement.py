"""Agreement against published tables, and against slow reference versions written from the definitions."""

import math
from itertools import combinations, permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from db.agreement import (
    NO_OVERLAP,
    ONE_LABEL,
    Measure,
    cohen_kappa,
    fleiss_kappa,
    krippendorff_alpha,
    of_pair,
    percent_agreement,
)

# Fleiss' table of 14 raters, 10 subjects and 5 categories, as Wikipedia's article on his kappa works it out.
FLEISS = [
    [0, 0, 0, 0, 14],
    [0, 2, 6, 4, 2],
    [0, 0, 3, 5, 6],
    [0, 3, 9, 2, 0],
    [2, 2, 8, 1, 1],
    [7, 7, 0, 0, 0],
    [3, 2, 6, 3, 0],
    [2, 5, 3, 2, 2],
    [6, 5, 2, 1, 0],
    [0, 2, 2, 3, 7],
]
# Krippendorff 2011, "Computing Krippendorff's alpha-reliability", section C: 4 observers, 12 units.
KRIPPENDORFF = [
    [1, 2, 3, 3, 2, 1, 4, 1, 2, None, None, None],
    [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, None, 3],
    [None, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, None],
    [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, None],
]


def from_counts(rows) -> list[dict]:
    """Items whose raters gave each label as often as the row says."""
    labels = [[label for label, count in enumerate(row) for _ in range(count)] for row in rows]
    return [dict(enumerate(given)) for given in labels]


def from_observers(observers) -> list[dict]:
    return [
        {rater: label for rater, label in enumerate(unit) if label is not None}
        for unit in zip(*observers, strict=True)
    ]


def two_by_two(yes_yes, yes_no, no_yes, no_no) -> tuple[list, list]:
    first = ["yes"] * (yes_yes + yes_no) + ["no"] * (no_yes + no_no)
    second = ["yes"] * yes_yes + ["no"] * yes_no + ["yes"] * no_yes + ["no"] * no_no
    return first, second


@pytest.mark.parametrize(
    ("cells", "expected"),
    [((20, 5, 10, 15), 0.4), ((45, 15, 25, 15), 0.1304), ((25, 35, 5, 35), 0.2593)],
)
def test_cohens_kappa_of_the_textbook_tables(cells, expected):
    measured = cohen_kappa(*two_by_two(*cells))
    assert measured.value == pytest.approx(expected, abs=5e-5)
    assert measured.n == sum(cells)
    assert measured.low < measured.value < measured.high


def test_fleiss_kappa_of_fleiss_table_is_0_210():
    assert fleiss_kappa(from_counts(FLEISS)).value == pytest.approx(0.210, abs=5e-4)


def test_krippendorffs_canonical_example_is_0_743():
    measured = krippendorff_alpha(from_observers(KRIPPENDORFF))
    assert measured.value == pytest.approx(0.743, abs=5e-4)
    assert measured.n == 11  # the twelfth unit has one value and pairs with nothing


# Slow versions, from the definitions ------------------------------------------------------------------


def slow_percent(items):
    shares = []
    for item in items:
        pairs = list(combinations(item.values(), 2))
        if pairs:
            shares.append(sum(a == b for a, b in pairs) / len(pairs))
    return sum(shares) / len(shares) if shares else None


def slow_cohen(first, second):
    n = len(first)
    if not n:
        return None
    observed = sum(a == b for a, b in zip(first, second, strict=True)) / n
    expected = sum(first.count(label) * second.count(label) for label in set(first)) / n**2
    return None if expected == 1 else (observed - expected) / (1 - expected)


def slow_fleiss(items):
    """For items that all have the same number of ratings."""
    given = [label for item in items for label in item.values()]
    expected = sum((given.count(label) / len(given)) ** 2 for label in set(given))
    return None if len(set(given)) == 1 else (slow_percent(items) - expected) / (1 - expected)


def slow_alpha(items):
    """1 - D_o / D_e over ordered pairs of values, as Krippendorff writes it."""
    units = [list(item.values()) for item in items if len(item) > 1]
    values = [value for unit in units for value in unit]
    n = len(values)
    expected = sum(a != b for a, b in permutations(values, 2)) / (n * (n - 1)) if n > 1 else 0
    if not expected:
        return None
    observed = sum(sum(a != b for a, b in permutations(unit, 2)) / (len(unit) - 1) for unit in units) / n
    return 1 - observed / expected


LABELS = st.sampled_from(["approve", "request_changes", "reject"])
SPARSE = st.lists(st.dictionaries(st.integers(1, 4), LABELS), max_size=12)
COMPLETE = st.integers(2, 4).flatmap(
    lambda raters: st.lists(
        st.fixed_dictionaries(dict.fromkeys(range(raters), LABELS)), min_size=1, max_size=12
    )
)
PAIRS = st.lists(st.tuples(LABELS, LABELS), max_size=20)


def same(measured: Measure, expected: float | None) -> bool:
    if expected is None:
        return measured.value is None and bool(measured.note)
    return measured.value is not None and math.isclose(measured.value, expected, abs_tol=1e-9)


@settings(max_examples=200, deadline=None)
@given(SPARSE)
def test_percent_and_alpha_equal_their_definitions(items):
    assert same(percent_agreement(items, resamples=50), slow_percent(items))
    assert same(krippendorff_alpha(items, resamples=50), slow_alpha(items))


@settings(max_examples=200, deadline=None)
@given(COMPLETE)
def test_fleiss_equals_its_definition(items):
    assert same(fleiss_kappa(items, resamples=50), slow_fleiss(items))


@settings(max_examples=200, deadline=None)
@given(PAIRS)
def test_cohen_equals_its_definition(pairs):
    first, second = [a for a, _ in pairs], [b for _, b in pairs]
    assert same(cohen_kappa(first, second, resamples=50), slow_cohen(first, second))


@settings(max_examples=200, deadline=None)
@given(SPARSE)
def test_no_figure_is_ever_nan_and_every_missing_one_says_why(items):
    for measure in (percent_agreement, fleiss_kappa, krippendorff_alpha):
        measured = measure(items, resamples=50)
        for figure in (measured.value, measured.low, measured.high):
            assert figure is None or math.isfinite(figure)
        assert measured.note or None not in (measured.value, measured.low, measured.high)


# Intervals --------------------------------------------------------------------------------------------


def test_the_interval_is_that_of_resampling_items_one_by_one():
    first, second = two_by_two(20, 5, 10, 15)
    rng = np.random.default_rng(1)
    drawn = []
    for _ in range(2000):
        places = rng.integers(0, len(first), len(first))
        drawn.append(slow_cohen([first[i] for i in places], [second[i] for i in places]))
    low, high = np.quantile([value for value in drawn if value is not None], [0.025, 0.975])
    measured = cohen_kappa(first, second)
    assert measured.low == pytest.approx(low, abs=0.03)
    assert measured.high == pytest.approx(high, abs=0.03)


def test_the_same_seed_gives_the_same_interval():
    items = from_observers(KRIPPENDORFF)
    assert krippendorff_alpha(items, seed=3) == krippendorff_alpha(items, seed=3)
    assert krippendorff_alpha(items, seed=3) != krippendorff_alpha(items, seed=4)


def test_more_items_give_a_narrower_interval():
    few, many = (cohen_kappa(*two_by_two(20 * k, 5 * k, 10 * k, 15 * k)) for k in (1, 16))
    assert many.high - many.low < (few.high - few.low) / 3


# What is not defined ----------------------------------------------------------------------------------


def test_nothing_rated_twice_has_no_figure_and_says_so():
    for items in ([], [{1: "approve"}, {2: "reject"}]):
        for measure in (percent_agreement, fleiss_kappa, krippendorff_alpha):
            assert measure(items) == Measure(None, None, None, 0, NO_OVERLAP)
    assert cohen_kappa([], []).note == NO_OVERLAP


def test_one_label_only_has_no_kappa_but_full_agreement():
    items = [{1: "approve", 2: "approve"}] * 9
    assert fleiss_kappa(items).note == krippendorff_alpha(items).note == ONE_LABEL
    assert cohen_kappa(*of_pair(items, 1, 2)).value is None
    assert percent_agreement(items) == Measure(1.0, 1.0, 1.0, 9)


def test_fleiss_leaves_out_what_fewer_people_rated_and_tells_it():
    items = [*from_counts(FLEISS), {1: 0, 2: 1}]
    measured = fleiss_kappa(items)
    assert measured.value == pytest.approx(0.210, abs=5e-4)
    assert (measured.n, measured.note) == (10, "Left out, for they have other than 14 ratings: 1.")


def test_lists_of_unequal_length_are_refused():
    with pytest.raises(ValueError, match="^second:"):
        cohen_kappa(["approve"], [])
