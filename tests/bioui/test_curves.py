import math

from bioui.components.curves import BUCKETS, Line, curves_value, number, smoothed, thinned, ticks_around


def draw(*lines):
    return curves_value(lines, x_name="Step", y_name="Loss (nats per token)")


def test_a_long_line_is_thinned_and_keeps_its_spike_and_its_end():
    points = [(step, 1.0) for step in range(5000)]
    points[3333] = (3333, 9.0)
    thin = thinned(points)
    assert len(thin) <= 2 * BUCKETS + 1
    assert (3333, 9.0) in thin
    assert thin[-1] == points[-1]


def test_ticks_are_round_and_hold_the_values():
    ticks = ticks_around(0.61, 3.4)
    assert ticks == [0, 1, 2, 3, 4]
    assert ticks_around(2, 2)[0] < 2 < ticks_around(2, 2)[-1]


def test_a_loss_that_is_no_number_does_not_break_the_curve():
    value = draw(Line("Training", [(1, 2.0), (2, math.nan), (3, 1.0)]))
    assert value["table"] == [["3", "1"], ["1", "2"]]


def test_nothing_measured_shows_what_will_come():
    assert draw(Line("Training", []))["lines"] == []


def test_a_single_point_is_a_dot():
    assert len(draw(Line("Training", [(4, 2.0)]))["dots"]) == 1


def test_labels_that_would_cover_each_other_are_moved_apart():
    value = draw(Line("Training", [(0, 3.0), (9, 1.0)]), Line("Validation", [(0, 3.0), (9, 1.02)], "quiet"))
    low, high = sorted(label["at"] for label in value["labels"])
    assert high - low >= 15


def test_the_moving_average_begins_at_the_first_value():
    assert smoothed([(0, 4.0), (1, 4.0)]) == [(0, 4.0), (1, 4.0)]


def test_the_table_twin_keeps_every_step_of_a_sparse_line():
    loss = [(step, 1.0) for step in range(1, 1001)]
    value = draw(Line("Training", loss), Line("Validation", [(333, 0.9), (1000, 0.8)], "quiet"))
    assert [row for row in value["table"] if row[2]] == [["1,000", "1", "0.8"], ["333", "1", "0.9"]]


def test_numbers_are_short():
    assert [number(value) for value in (0, 3e-4, 1.2345, 12000, 0.00012)] == [
        "0",
        "3e-4",
        "1.23",
        "12,000",
        "1.2e-4",
    ]
