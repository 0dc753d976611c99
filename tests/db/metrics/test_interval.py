"""Intervals equal scipy's, over documents; where BCa is not defined the note says what stands in."""

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.proportion import proportion_confint

from db.metrics.interval import RESAMPLES, by_document, estimate, of_sums
from db.metrics.measures import columns_of, f1, get

DRAWN = np.random.default_rng(7)
SPANS = DRAWN.poisson((3, 1, 1.5), (60, 3)).astype(float)
DOCUMENTS = [f"d{n // 4}" for n in range(60)]


def binary(*right: int) -> np.ndarray:
    return columns_of(get("accuracy"), [{"right": one} for one in right])


def scipys(sums: np.ndarray, level: float = 0.95, seed: int = 3) -> tuple[float, float]:
    """The interval of F1 by scipy alone, its columns as paired samples."""
    found = stats.bootstrap(
        tuple(sums.T),
        lambda right, wrong, missed, axis: (
            2 * right.sum(axis) / (2 * right.sum(axis) + wrong.sum(axis) + missed.sum(axis))
        ),
        paired=True,
        vectorized=True,
        n_resamples=RESAMPLES,
        confidence_level=level,
        method="BCa",
        rng=np.random.default_rng(seed),
    )
    return tuple(found.confidence_interval)


def test_the_interval_is_scipys_bca():
    found = estimate(get("strict_f1"), SPANS, None, seed=3)
    assert (found.low, found.high) == pytest.approx(scipys(SPANS), abs=1e-12)
    assert found.value == pytest.approx(float(f1(SPANS.sum(0))))
    assert (found.n, found.clusters, found.note) == (60, 60, "")
    assert found.low < found.value < found.high


def test_rows_of_one_document_are_resampled_together():
    found = estimate(get("strict_f1"), SPANS, DOCUMENTS, level=0.9, seed=3)
    summed = SPANS.reshape(15, 4, 3).sum(1)
    assert np.array_equal(by_document(SPANS, DOCUMENTS), summed)
    assert (found.low, found.high) == pytest.approx(scipys(summed, level=0.9), abs=1e-12)
    assert (found.n, found.clusters) == (60, 15)


def test_rows_that_are_copies_within_documents_are_no_more_sure_than_the_documents():
    once = binary(*([1, 0, 1, 1, 0] * 8))
    thrice = np.repeat(once, 3, axis=0)
    documents = [str(n // 3) for n in range(120)]
    of_rows, of_documents = (estimate(get("accuracy"), thrice, names) for names in (None, documents))
    alone = estimate(get("accuracy"), once, None)
    assert (of_documents.low, of_documents.high) == pytest.approx((alone.low, alone.high))
    assert of_rows.high - of_rows.low < 0.7 * (of_documents.high - of_documents.low)


def test_the_same_seed_gives_the_same_interval_and_a_wider_level_a_wider_one():
    one, other = (estimate(get("strict_f1"), SPANS, DOCUMENTS, seed=5) for _ in range(2))
    assert one == other
    wide = estimate(get("strict_f1"), SPANS, DOCUMENTS, seed=5, level=0.99)
    assert wide.low < one.low
    assert one.high < wide.high


@pytest.mark.parametrize("right", [0, 1])
def test_all_right_or_all_wrong_has_the_exact_binomial_interval_and_never_certainty(right):
    found = estimate(get("accuracy"), binary(*[right] * 30), None)
    assert (found.low, found.high) == pytest.approx(proportion_confint(30 * right, 30, method="beta"))
    assert found.value == right
    assert found.low < found.high
    assert "Clopper-Pearson" in found.note
    clustered = estimate(get("accuracy"), binary(*[right] * 30), [str(n // 10) for n in range(30)])
    assert (clustered.low, clustered.high) == pytest.approx(proportion_confint(3 * right, 3, method="beta"))


@pytest.mark.parametrize(
    ("name", "counts", "documents", "value", "note"),
    [
        ("strict_f1", [], None, None, "There are no rows."),
        ("accuracy", [], [], None, "There are no rows."),
        ("numbers_kept", [{}, {}], None, None, "There is nothing to count in these rows."),
        ("strict_f1", [{"strict_right": 1}], None, 1.0, "One document alone tells nothing"),
        ("strict_f1", [{"strict_right": 1, "strict_wrong": 1}] * 9, None, 2 / 3, "counts the same"),
        ("strict_f1", [{"strict_right": n} for n in range(9)], None, 1.0, "Every resample gives the same"),
        ("numbers_kept", [{"numbers": 1, "numbers_kept": 1}] + [{}] * 9, None, 1.0, "Too many resamples"),
        ("accuracy", [{"right": 1}, {}], ["a", "a"], 0.5, "One document alone tells nothing"),
    ],
)
def test_where_there_is_no_interval_the_note_says_why(name, counts, documents, value, note):
    measure = get(name)
    found = estimate(measure, columns_of(measure, counts), documents)
    assert found.value == (None if value is None else pytest.approx(value))
    assert (found.low, found.high) == (None, None)
    assert note in found.note


def test_where_bca_is_not_defined_percentiles_stand_in_and_say_so():
    def is_reached(sums):  # a step: leaving any one row out does not change it, and a resample may
        return (sums[..., 0] >= 1).astype(float)

    found = of_sums(is_reached, np.array([[1.0], [0.0], [1.0], [0.0]]), 4)
    assert (found.value, found.low, found.high) == (1.0, 0.0, 1.0)
    assert found.note == "By percentiles: BCa is not defined for these rows."


def test_a_resample_with_nothing_to_count_does_not_spoil_the_interval():
    rows = np.array([[1.0, 2.0], [3.0, 3.0], [0.0, 0.0], [2.0, 4.0], [1.0, 1.0]] * 4)
    found = of_sums(get("numbers_kept").of, rows, 20)
    assert found.low < found.value < found.high


def test_of_many_rows_the_interval_is_near_to_the_normal_one():
    rows = np.column_stack([DRAWN.random(4_000) < 0.7, np.ones(4_000)]).astype(float)
    found = estimate(get("accuracy"), rows, None)
    half = 1.96 * np.sqrt(found.value * (1 - found.value) / 4_000)
    assert found.high - found.low == pytest.approx(2 * half, rel=0.1)


def test_documents_that_are_not_one_for_each_row_are_refused():
    with pytest.raises(ValueError, match="documents: 2 are named for 3 rows"):
        estimate(get("accuracy"), binary(1, 0, 1), ["a", "b"])
