"""Figures, gains and their intervals: numbers as they are written, and where they are drawn."""

import pytest

from bioui.components.result_axis import axis_about_zero, axis_from_zero
from bioui.components.result_figures import (
    GainRow,
    Side,
    figures_value,
    gains_value,
    p_words,
    with_interval,
)
from db.metrics import measures

ACCURACY, LENGTH, FAILURES = (measures.get(name) for name in ("accuracy", "length_ratio", "parse_failures"))


def figure(value, low=None, high=None, **more) -> dict:
    return {"value": value, "low": low, "high": high, "n": 1200, "clusters": 300, "note": "", **more}


@pytest.mark.parametrize(
    ("found", "unit", "words"),
    [
        (figure(0.772, 0.71, 0.8234), "share", "77.2 % (71.0 to 82.3)"),
        (figure(1.0), "share", "100.0 %"),
        (figure(1.3, 1.21, 1.4), "ratio", "1.30 (1.21 to 1.40)"),
        (figure(None), "share", "not defined"),
    ],
)
def test_a_figure_is_written_with_its_interval(found, unit, words):
    assert with_interval(found, unit) == words


def test_axes_are_round_and_hold_what_they_must():
    assert (axis_from_zero([0.4]).end, axis_from_zero([1.7]).end) == (1.0, 2.0)
    about = axis_about_zero([0.031, -0.07])
    assert (about.start, about.place(0.0), about.end >= 0.07) == (-about.end, 50.0, True)
    assert about.interval(figure(0.0, -9.0, 9.0))["width"] == 100.0  # cut to the axis
    assert [mark["is_zero"] for mark in about.ticks(str)].count(True) == 1


def test_both_models_stand_under_each_measure_and_a_ratio_has_its_own_axis():
    base = Side("starter", "base", {"accuracy": figure(0.5, 0.4, 0.6), "length_ratio": figure(2.5, 2.0, 3.0)})
    tuned = Side("mine", "tuned", {"accuracy": figure(0.75, 0.7, 0.8)})
    value = figures_value([ACCURACY, LENGTH, FAILURES], [base, tuned], headline="accuracy")
    accuracy, length = value["rows"]
    assert [(side["name"], side["at"], side["left"], side["width"]) for side in accuracy["sides"]] == [
        ("starter", 50.0, 40.0, 20.0), ("mine", 75.0, 70.0, 10.0),
    ]  # fmt: skip
    assert (accuracy["is_headline"], accuracy["span"], accuracy["sides"][1]["n"]) == (True, 2, "1,200")
    assert (length["span"], length["sides"][0]["own_axis"]) == (1, "axis: 0 to 3")


def test_a_gain_says_what_its_interval_shows():
    rows = [
        GainRow(ACCURACY, figure(0.052, 0.01, 0.094), figure(0.173, 0.03, 0.31), 0.0004, "McNemar", 40, 12),
        GainRow(FAILURES, figure(0.02, 0.01, 0.03), figure(None, note="the base has none"), 0.2, "x", 0, 6),
        GainRow(LENGTH, figure(-0.2, -0.5, 0.1), figure(-0.1, -0.2, 0.05), None, "y", 0, 0),
    ]  # fmt: skip
    value = gains_value("What tuning changed", "", rows)
    better, worse, unsure = value["rows"]
    assert (better["word"], better["absolute"]) == ("better", "+5.2 points (+1.0 to +9.4)")
    assert (better["relative"], better["p"]) == ("+17.3 % (+3.0 to +31.0)", "< 0.001")
    assert (better["gained"], better["lost"], better["at"] > 50) == ("40", "12", True)
    assert (worse["word"], worse["relative"]) == ("worse", "not defined")  # more failures are worse
    assert (worse["relative_note"], value["notes"]) == ("1", ["the base has none"])
    assert (unsure["word"], unsure["has_value"], unsure["absolute"]) == (
        "no clear difference", False, "-0.20 (-0.50 to +0.10)",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("p", "words"), [(0.0003, "< 0.001"), (0.0314, "0.031"), (0.42, "0.42"), (None, "–")]
)
def test_p_values(p, words):
    assert p_words(p) == words
