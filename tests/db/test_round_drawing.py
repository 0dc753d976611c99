"""Pairs that a round can be made of: who answered, what is left out, and lots that a seed draws again."""

import pytest

from db import round_drawing
from db.round_drawing import Pair, draw
from db.session import read
from tests.db.compared import Sides, compare
from tests.db.compared import sides as sides


def found(project_id: int, one, other):
    with read() as session:
        return round_drawing.candidates(round_drawing.list_comparisons(session, project_id), one, other)


def test_only_pairs_that_somebody_could_prefer_one_of_are_offered(people, project_id, sides: Sides):
    first, ids = compare(people.trainer, project_id, {sides.tuned: "Two words", sides.base: "One"})
    compare(people.trainer, project_id, {sides.base: "Same", sides.tuned: " Same "})
    compare(people.trainer, project_id, {sides.base: "", sides.tuned: "Said"})
    compare(people.trainer, project_id, {sides.base: "Else", sides.other: "Said"})
    compare(people.trainer, project_id, {sides.tuned: "Then", sides.base: "Next"}, follows_id=first)
    offered = found(project_id, sides.base, sides.tuned)
    assert [(pair.one_id, pair.other_id) for pair in offered.pairs] == [tuple(ids)]  # as they stand in it
    assert offered.left_out == {
        "both answers are the same": 1,
        "an answer is empty": 1,
        "it is a later turn of a conversation": 1,
    }
    with read() as session:
        known = round_drawing.list_sides(round_drawing.list_comparisons(session, project_id))
    assert set(known) == {sides.base, sides.tuned, sides.other}
    with pytest.raises(ValueError, match="^second side: it is the first one"):
        found(project_id, sides.base, sides.base)


def test_a_side_goes_through_a_form_and_comes_back(sides: Sides):
    assert round_drawing.side_of(round_drawing.key_of(sides.tuned)) == sides.tuned
    for wrong in (None, "", "7", '{"base_model_id": 1, "adapter_id": 2}', '{"x": 1}'):
        with pytest.raises(ValueError, match="^side: "):
            round_drawing.side_of(wrong)


PAIRS = [Pair(at, 2 * at, 2 * at + 1, "renal" if at % 3 else "cardiac", 100) for at in range(30)]


def test_each_slice_gives_as_many_as_are_asked_for_and_all_where_it_has_fewer():
    drawn = draw(PAIRS, per_slice=12, seed=3)
    assert [sum(pair.slice == name for pair in drawn) for name in ("cardiac", "renal")] == [10, 12]
    assert drawn == sorted(drawn, key=PAIRS.index)
    assert draw(PAIRS, per_slice=0) == PAIRS


def test_the_same_seed_draws_the_same_and_a_slice_left_out_changes_no_other():
    both = draw(PAIRS, per_slice=5, seed=3)
    assert both == draw(PAIRS, per_slice=5, seed=3)
    assert both != draw(PAIRS, per_slice=5, seed=4)
    alone = draw(PAIRS, slices=("renal",), per_slice=5, seed=3)
    assert alone == [pair for pair in both if pair.slice == "renal"]


@pytest.mark.parametrize("wrong", [{"per_slice": -1}, {"seed": -1}, {"seed": 2**31}])
def test_a_number_that_cannot_be_is_refused_by_its_name(wrong):
    with pytest.raises(ValueError, match="^(pairs a slice|seed): "):
        draw(PAIRS, **wrong)
