"""The playground's measurement: an exchanged side, a lost pair and an order that is broken are counted."""

import pytest

from tests.bench import people
from tests.bench.people import EVENTS, Pair, Side

BASE, TUNED = Side("base", {"base_model_id": 1}, None), Side("tuned", {"adapter_id": 1}, None)
EXPECTED = {("base", "Why?"): "no idea", ("tuned", "Why?"): "because"}


def pair(
    sent: float, *, person: int = 0, begun: float | None = None, answers=("no idea", "because"), error=""
):
    """Sent then, in the queue a moment later."""
    begun = sent + 1.0 if begun is None else begun
    return Pair(
        person, "Why?", (BASE, TUNED), sent, sent + 0.01, [begun, begun + 0.5], list(answers), 2, error
    )


def test_an_answer_that_is_not_its_sides_is_counted_and_so_is_a_pair_without_answers():
    asked = [pair(float(number), person=number % 2) for number in range(8)]
    whole = people.figures(asked, EXPECTED)
    assert (whole["wrong_sides"], whole["errors"], whole["pairs"], whole["telling"]) == (0, 0, 8, 1.0)
    assert whole["p95_wait_s"] == pytest.approx(1.5)
    asked[3].answers.reverse()  # the two sides exchanged
    asked[5].answers[1] = "because it"
    asked[6].error = "gone"
    broken = people.figures(asked, EXPECTED)
    assert (broken["wrong_sides"], broken["errors"], broken["pairs"]) == (3, 1, 7)


def test_who_came_first_for_certain_must_begin_first_but_for_the_time_between_two_lists_of_events():
    first, second = pair(0.0, begun=5.0), pair(1.0, begun=6.0)
    assert people.out_of_order([first, second]) == (0, 1)
    second.begun = [5.0 - 2 * EVENTS, 9.0]
    assert people.out_of_order([first, second]) == (1, 1)
    second.begun = [5.0 - EVENTS / 2, 9.0]
    assert people.out_of_order([first, second]) == (0, 1)
    together = pair(0.005, begun=4.0)  # sent before the first one was known to be in the queue
    assert people.out_of_order([first, together]) == (0, 0)


def test_prompts_all_differ_and_every_ordered_choice_of_sides_comes_as_often():
    third = Side("third", {"adapter_id": 2}, None)
    planned = people.plan([BASE, TUNED, third], 120, 20)
    assert len({pair.text for pair in planned}) == 120
    choices = [tuple(side.name for side in pair.sides) for pair in planned]
    assert {choices.count(choice) for choice in set(choices)} == {20}
    assert len(set(choices)) == 6
    assert {sum(pair.person == person for pair in planned) for person in range(20)} == {6}
