"""Every measure by hand, and what is summed when a row says nothing."""

import subprocess
import sys

import numpy as np
import pytest

from db.metrics.measures import MEASURES, columns_of, get, tables_of

SPANS = ({"strict_right": 3, "strict_wrong": 1}, {"strict_right": 1, "strict_missed": 2}, {})


def value(name: str, *counts) -> float:
    measure = get(name)
    return float(measure.of(columns_of(measure, counts).sum(0)))


@pytest.mark.parametrize(
    ("name", "counts", "by_hand"),
    [
        ("accuracy", ({"right": 1}, {"right": 0}, {}, {"right": 1}), 2 / 4),
        ("parse_failures", ({"unparsed": 1}, {}), 1 / 2),
        ("exact_match", ({"exact": 1}, {}), 1 / 2),
        ("strict_f1", SPANS, 2 * 4 / (2 * 4 + 1 + 2)),
        ("strict_precision", SPANS, 4 / 5),
        ("strict_recall", SPANS, 4 / 6),
        ("strict_f1", ({},), 1.0),  # nothing to find, nothing said
        ("strict_f1", ({"strict_missed": 2},), 0.0),
        ("strict_precision", ({"strict_missed": 2},), 0.0),
        ("strict_precision", ({},), 1.0),
        ("strict_recall", ({"strict_wrong": 2},), 0.0),
        ("strict_recall", ({},), 1.0),
        ("relaxed_f1", ({"relaxed_right": 1, "relaxed_wrong": 2},), 2 / 4),
        ("paper_f1", ({"paper_right": 1, "paper_missed": 1},), 2 / 3),
        ("invented", ({"invented": 1, "said": 4}, {"said": 0}), 1 / 4),
        ("invented", ({},), 0.0),
        ("repeated", ({"repeated": 2, "said": 4},), 2 / 4),
        ("rouge_l", ({"rouge_l": 0.25}, {"rouge_l": 0.75}, {}), 1 / 3),
        ("concept_f1", ({"concepts_right": 2, "concepts_wrong": 1, "concepts_missed": 3},), 4 / 8),
        ("numbers_kept", ({"numbers_kept": 1, "numbers": 2}, {"numbers": 2}), 1 / 4),
        ("numbers_added", ({"numbers_added": 1, "numbers_said": 2},), 1 / 2),
        ("negations_kept", ({"negations_kept": 3, "negations": 4},), 3 / 4),
        ("negations_turned", ({"negations_turned": 1, "negations": 4},), 1 / 4),
        ("length_ratio", ({"words": 30, "reference_words": 20},), 1.5),
        ("option_accuracy", ({"option_right": 1}, {}), 1 / 2),
        ("option_accuracy_first", ({"first_right": 1},), 1.0),
        ("option_accuracy_normalised", ({"normalised_right": 0},), 0.0),
    ],
)
def test_a_measure_is_what_its_counts_give_by_hand(name, counts, by_hand):
    assert value(name, *counts) == pytest.approx(by_hand, abs=1e-15)


def test_the_labels_of_macro_and_micro_f1_are_found_from_the_rows():
    # gold a a b b c, said a b b b -
    rows = (
        {"right:a": 1},
        {"wrong:b": 1, "missed:a": 1},
        {"right:b": 1},
        {"right:b": 1},
        {"missed:c": 1},
    )
    of_a, of_b, of_c = 2 / 3, 4 / 5, 0.0
    assert value("macro_f1", *rows) == pytest.approx((of_a + of_b + of_c) / 3)
    assert value("micro_f1", *rows) == pytest.approx(2 * 3 / (2 * 3 + 1 + 2))


def test_two_models_get_the_same_columns_even_when_one_never_says_a_label():
    ours, theirs = tables_of(get("macro_f1"), [{"right:a": 1}], [{"wrong:b": 1, "missed:a": 1}])
    assert ours.shape == theirs.shape == (1, 6)  # right, wrong, missed of a and of b
    assert get("macro_f1").of(ours[0]) == 1.0  # b is neither in the gold nor said here: it is left out
    assert get("macro_f1").of(theirs[0]) == 0.0


def test_no_rows_have_columns_all_the_same():
    assert columns_of(get("strict_f1"), []).shape == (0, 3)
    assert columns_of(get("macro_f1"), []).shape == (0, 0)


def test_an_undefined_share_is_not_a_number_and_so_is_told_from_0():
    assert np.isnan(value("numbers_kept", {}))
    assert np.isnan(value("length_ratio", {"words": 3}))


def test_every_measure_takes_sums_of_any_leading_shape():
    for measure in MEASURES.values():
        width = 6 if measure.columns[0].endswith("*") else len(measure.columns)
        sums = np.arange(2 * 3 * width, dtype=float).reshape(2, 3, width)
        assert measure.of(sums).shape == (2, 3)
        assert measure.of(sums)[1, 2] == pytest.approx(float(measure.of(sums[1, 2])))
        assert measure.title
        assert measure.help.endswith(".")


def test_an_unknown_measure_is_named_in_one_sentence():
    with pytest.raises(LookupError, match="measure: 'f2' is not one of accuracy"):
        get("f2")


def test_importing_the_metrics_loads_neither_scipy_nor_statsmodels():
    names = "interval measures paired sample_size spans labels choices texts concepts paper answers raters"
    code = (
        "import sys\n"
        + "".join(f"import db.metrics.{name}\n" for name in names.split())
        + "print([name for name in sys.modules if name.split('.')[0] in ('scipy', 'statsmodels', 'torch')])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "[]\n"
