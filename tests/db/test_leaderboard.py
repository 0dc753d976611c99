"""The leaderboard: newest scores in cells, gains beside them, means of groups, and its CSV."""

import csv
import io

import numpy as np
import pytest

from db import evaluations, leaderboard
from db.enums import Category, Way
from db.evaluations import Scored
from db.group_means import mean_of, relative_of
from db.leaderboard_table import as_csv
from db.metrics.interval import Interval
from db.session import read, write
from db.tables import BaseModel
from db.tasks.task import RowScore
from tests.db.evaluated import begin, evaluate, make_setting

HALF, MOST, ALL_BUT_ONE = [True] * 6 + [False] * 6, [True] * 9 + [False] * 3, [True] * 11 + [False]


@pytest.fixture
def setting(people, project_id):
    return make_setting(people, project_id)


def board_of(setting, **how):
    with read() as session:
        return leaderboard.read_board(session, setting.project_id, **how)


def column(board, title):
    return next(column.key for column in board.columns if column.title == title)


def test_the_newest_finished_scores_stand_in_the_cells_with_their_gains(setting):
    evaluate(setting, ALL_BUT_ONE)
    base = evaluate(setting, HALF)
    tuned = evaluate(setting, MOST, adapter=True)
    begin(setting, "General", adapter=True)  # under way: not on the board
    board = board_of(setting)
    assert [(row.kind, row.title) for row in board.rows] == [("base", "tiny"), ("adapter", "Ward v1")]
    assert [column.title for column in board.columns] == ["Letters"]
    key = column(board, "Letters")
    first, second = (row.cells[key] for row in board.rows)
    assert (first.evaluation_id, first.figure.value, first.gain) == (base, 0.5, None)
    assert (second.evaluation_id, second.against_id, second.figure.value) == (tuned, base, 0.75)
    assert second.figure.low < 0.75 < second.figure.high
    assert second.gain.absolute.value == pytest.approx(0.25)
    assert second.p == second.p_holm == pytest.approx(2 / 2**3)  # three of three
    assert second.leaks.sentence == "not looked for"
    assert (second.parse_failures, second.level) == (0, 0.95)
    assert board.due == 0


def test_a_gain_that_nobody_kept_is_reckoned_on_the_page_or_told_to_be_due(setting):
    evaluate(setting, HALF, keeps=False)
    evaluate(setting, MOST, adapter=True, keeps=False)
    assert board_of(setting, most_reckoned=0).due == 1
    assert board_of(setting).due == 0


def test_what_was_removed_leaves_the_board_and_the_one_before_it_comes_back(setting):
    evaluate(setting, HALF)
    newest = evaluate(setting, MOST)
    with write() as session:
        evaluations.remove(session, setting.people.trainer, setting.project_id, newest)
    [row] = board_of(setting).rows
    assert next(iter(row.cells.values())).figure.value == 0.5
    with write() as session:
        evaluations.put_back(session, setting.people.trainer, setting.project_id, newest)
    [row] = board_of(setting).rows
    assert next(iter(row.cells.values())).figure.value == 0.75


def test_likelihood_stands_beside_generation_in_a_column_of_its_own(setting):
    evaluate(setting, HALF)
    rows = [
        Scored(at, "A", RowScore(float(at < 4), at < 4, {"option_right": int(at < 4)})) for at in range(12)
    ]
    evaluate(setting, rows, way=Way.LIKELIHOOD)
    board = board_of(setting)
    assert sorted(column.measure for column in board.columns) == ["accuracy", "option_accuracy"]
    [row] = board.rows
    assert row.groups[Category.QA].figure.value == 0.5  # of what was written, not the mean of both


def test_the_mean_of_a_group_is_over_all_its_tasks_or_there_is_none(setting):
    for task in ("Letters", "General"):
        evaluate(setting, HALF, task)
    evaluate(setting, MOST, adapter=True)
    base, tuned = board_of(setting).rows
    assert base.groups[Category.QA].figure.value == 0.5
    assert tuned.groups[Category.QA].figure.value is None
    assert tuned.groups[Category.QA].missing == ("General",)
    evaluate(setting, ALL_BUT_ONE, "General", adapter=True)
    base, tuned = board_of(setting).rows
    mean = tuned.groups[Category.QA]
    assert mean.figure.value == pytest.approx((9 + 11) / 24)
    assert mean.gain.value == pytest.approx(8 / 24)
    assert mean.relative.value == pytest.approx(20 / 12 - 1)
    assert mean.gain.low < 8 / 24 < mean.gain.high
    assert 0 < mean.relative.low < mean.relative.value < mean.relative.high


def test_the_board_is_sorted_by_any_column_and_what_has_no_figure_comes_last(setting):
    with write() as session:
        other = BaseModel(name="another", location="/models/another")
        session.add(other)
        session.flush()
        other_id = other.id
    evaluate(setting, HALF)
    evaluate(setting, MOST, adapter=True)
    setting.base_id = other_id
    evaluate(setting, ALL_BUT_ONE, "General")
    board = board_of(setting)

    def sorted_by(key, **how):
        return [row.title for row in leaderboard.sort_rows(board, key, **how).rows]

    assert sorted_by(column(board, "Letters")) == ["Ward v1", "tiny", "another"]
    assert sorted_by(column(board, "Letters"), descending=False) == ["tiny", "Ward v1", "another"]
    assert sorted_by("name", descending=False) == ["another", "tiny", "Ward v1"]
    with pytest.raises(ValueError, match="^sort: the board has no column 99-odd"):
        sorted_by("99-odd")


def test_the_csv_holds_what_the_cells_say(setting):
    evaluate(setting, HALF)
    evaluate(setting, MOST, adapter=True)
    base, tuned = csv.DictReader(io.StringIO(as_csv(board_of(setting))))
    assert (base["model"], tuned["model"], tuned["gate"]) == ("tiny", "Ward v1", "not measured")
    assert float(tuned["Letters, Accuracy"]) == 0.75
    assert float(tuned["Letters, Accuracy gain"]) == 0.25
    assert float(tuned["Letters, Accuracy p after Holm"]) == 0.25
    assert base["Letters, Accuracy gain"] == ""
    assert float(tuned["QA mean relative"]) == 0.5


def test_the_interval_of_a_mean_is_that_of_resampling_all_tasks(setting):
    """Normal figures with known errors: the mean's interval is the textbook one."""
    figures = [Interval(0.5, 0.5 - 1.96 * 0.03, 0.5 + 1.96 * 0.03, 100, 100),
               Interval(0.7, 0.7 - 1.96 * 0.04, 0.7 + 1.96 * 0.04, 100, 100)]  # fmt: skip
    mean = mean_of(figures)
    assert mean.value == pytest.approx(0.6)
    assert mean.high - mean.value == pytest.approx(1.96 * 0.05 / 2)
    assert mean_of([figures[0], Interval(0.7, None, None, 5, 5)]).low is None


def test_the_interval_of_a_relative_gain_is_that_of_simulated_pairs():
    draw = np.random.default_rng(0)
    base = draw.normal(0.4, 0.02, 200_000)
    gain = draw.normal(0.1, 0.015, 200_000)
    ends = [0.025, 0.975]

    def interval(values, middle):
        return Interval(middle, *np.quantile(values, ends), 100, 100)

    found = relative_of(interval(base + gain, 0.5), interval(base, 0.4), interval(gain, 0.1))
    low, high = np.quantile((base + gain) / base - 1, ends)
    assert found.value == pytest.approx(0.25)
    assert (found.low, found.high) == pytest.approx((low, high), abs=0.004)
    nothing = relative_of(interval(gain, 0.1), Interval(0.0, 0.0, 0.1, 9, 9), interval(gain, 0.1))
    assert nothing.value is None
    assert "scores 0" in nothing.note
