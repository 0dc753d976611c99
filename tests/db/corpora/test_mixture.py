"""What a mixture takes of its sources, and that neither order nor repetition changes the draw."""

import random

import pytest

from db.corpora import paper, presets
from db.corpora.drawing import Census, is_negative
from db.corpora.mixture import Count, Mixture, Part, plan
from db.corpora.schema import Entity, KbRow, Relation, TextRow
from db.enums import Split

TRAIN, VALIDATION, TEST = Split.TRAIN, Split.VALIDATION, Split.TEST


def counts(**train):
    return {name: {TRAIN: Count(rows)} for name, rows in train.items()}


def taken(planned):
    return {each.source: each.train for each in planned.sources}


# Planning ------------------------------------------------------------------------------------------------


def test_without_caps_every_source_gives_all_it_has():
    assert taken(plan(Mixture(()), counts(a=7, b=3))) == {"a": 7, "b": 3}


def test_a_source_is_capped_and_one_with_too_little_is_short():
    mixture = Mixture((Part("a", rows=5), Part("b", rows=5)))
    planned = plan(mixture, counts(a=7, b=3))
    assert taken(planned) == {"a": 5, "b": 3}
    assert (planned.of("a").short_by, planned.of("b").short_by, planned.short_by) == (0, 2, 2)


def test_what_nobody_brought_is_missing_and_short_by_all_of_it():
    planned = plan(Mixture((Part("a", rows=5), Part("gone", rows=40))), counts(a=5))
    assert planned.missing == ("gone",)
    assert planned.of("gone").short_by == planned.short_by == 40


def test_a_total_is_shared_by_size():
    assert taken(plan(Mixture((), total=100), counts(a=900, b=100))) == {"a": 90, "b": 10}


def test_weights_pull():
    mixture = Mixture((Part("a"), Part("b", weight=3)), total=400)
    assert taken(plan(mixture, counts(a=1000, b=1000))) == {"a": 100, "b": 300}


def test_a_high_temperature_nears_equal_shares():
    sizes = counts(a=10_000, b=100_000)
    by_size, flatter, flat = (
        taken(plan(Mixture((), total=1100, temperature=heat), sizes))["a"] for heat in (1, 2, 100)
    )
    assert by_size == 100
    assert flatter == round(1100 / (1 + 10**0.5))
    assert 530 < flat < 550


def test_what_a_small_source_cannot_give_the_others_do():
    mixture = Mixture((Part("a", weight=10), Part("b"), Part("c")), total=300)
    assert taken(plan(mixture, counts(a=100, b=1000, c=1000))) == {"a": 100, "b": 100, "c": 100}


def test_a_total_that_all_together_cannot_reach_is_short():
    planned = plan(Mixture((), total=50), counts(a=10, b=20))
    assert (planned.train, planned.short_by) == (30, 20)


def test_shares_always_sum_up_to_the_total():
    draw = random.Random(4)
    for _ in range(200):
        sizes = counts(**{f"s{n}": draw.randint(0, 500) for n in range(draw.randint(1, 9))})
        parts = tuple(Part(name, weight=draw.uniform(0.1, 9)) for name in sizes)
        total = draw.randint(1, 1500)
        planned = plan(Mixture(parts, total=total, temperature=draw.uniform(1, 9)), sizes)
        have = sum(home[TRAIN].total for home in sizes.values())
        assert planned.train == min(total, have)
        assert all(each.train <= each.available[TRAIN].total for each in planned.sources)


def test_negatives_are_kept_up_to_a_ratio_and_the_rest_is_told():
    there = {"ner": {TRAIN: Count(positive=100, negative=300), VALIDATION: Count(10, 30)}}
    planned = plan(Mixture((Part("ner", negatives=0.5),)), there).of("ner")
    assert (planned.train, planned.negatives_left_out) == (150, 250)
    assert planned.measured == {VALIDATION: 40}  # what is measured on comes as its makers meant it


def test_caps_shape_what_is_trained_on_and_leave_the_other_splits_whole():
    there = {"a": {TRAIN: Count(80), None: Count(20), VALIDATION: Count(30), TEST: Count(9)}}
    planned = plan(Mixture((Part("a", rows=50, splits=(TRAIN, VALIDATION)),)), there).of("a")
    assert (planned.train, planned.measured, planned.rows) == (50, {VALIDATION: 30}, 80)


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        (lambda: Part("a", rows=-1), "rows"),
        (lambda: Part("a", rows=True), "rows"),
        (lambda: Part("a", weight=0), "weight"),
        (lambda: Part("a", negatives=-0.5), "negatives"),
        (lambda: Part("a", splits=()), "splits"),
        (lambda: Part(" "), "mixture"),
        (lambda: Mixture((Part("a"), Part("a"))), "mixture"),
        (lambda: Mixture((), total=0), "total"),
        (lambda: Mixture((), temperature=0.5), "temperature"),
        (lambda: Mixture((), seed=-1), "seed"),
    ],
)
def test_what_cannot_be_is_refused_by_field(wrong, field):
    with pytest.raises(ValueError, match=f"^{field}: "):
        wrong()


def test_the_papers_composition_tells_what_nobody_brought_yet_and_what_is_short():
    nothing = plan(paper.mixture(), {})
    assert nothing.short_by == presets.ROWS == 200_252
    assert len(nothing.missing) == 11
    some = plan(paper.mixture(), {"ncbi-disease": {TRAIN: Count(5_424)}, "hoc": {TRAIN: Count(12_000)}})
    assert some.of("ncbi-disease").short_by == 0
    assert some.of("hoc").short_by == 119
    assert some.short_by == presets.ROWS - 5_424 - 12_000
    assert plan(paper.mixture(first_release=True), {}).short_by == presets.ROWS + 4_796


# Drawing -------------------------------------------------------------------------------------------------


def rows(count, negative_every=0, home=TRAIN):
    """(source, id, split, negative) of so many rows."""
    return [("a", f"r{n}", home, bool(negative_every and n % negative_every == 0)) for n in range(count)]


def drawn(mixture, listed):
    census = Census(mixture)
    for row in listed:
        census.add(*row)
    draw = census.draw()
    return {row[1] for row in listed if draw.takes(*row)}, draw


def test_a_draw_takes_exactly_what_the_plan_says():
    listed = rows(1000, negative_every=4)
    chosen, draw = drawn(Mixture((Part("a", rows=300, negatives=0.1),)), listed)
    assert len(chosen) == draw.plan.train == 300
    negatives = chosen & {row[1] for row in listed if row[3]}
    assert 0 < len(negatives) <= 75


def test_the_order_of_the_rows_does_not_enter_the_draw():
    listed = rows(500, negative_every=3)
    mixture = Mixture((Part("a", rows=123, negatives=0.2),), seed=7)
    mixed = random.Random(0).sample(listed, len(listed))
    assert drawn(mixture, listed)[0] == drawn(mixture, mixed)[0]


def test_another_seed_draws_other_rows_and_a_larger_cap_only_adds_some():
    listed = rows(500)
    first, other, larger = (
        drawn(Mixture((Part("a", rows=size),), seed=seed), listed)[0]
        for size, seed in ((100, 1), (100, 2), (200, 1))
    )
    assert first != other
    assert first < larger


def test_a_draw_is_even_over_the_file():
    chosen, _ = drawn(Mixture((Part("a", rows=2000),)), rows(10_000))
    halves = [sum(int(id[1:]) < 5000 for id in chosen), sum(int(id[1:]) >= 5000 for id in chosen)]
    assert min(halves) > 900


def test_rows_to_measure_on_are_all_taken_and_left_out_splits_are_not():
    listed = rows(50) + rows(40, home=VALIDATION) + [("a", f"t{n}", TEST, False) for n in range(30)]
    census = Census(Mixture((Part("a", rows=10, splits=(TRAIN, VALIDATION)),)))
    for row in listed:
        census.add(*row)
    draw = census.draw()
    by_split = {home: sum(draw.takes(*row) for row in listed if row[2] is home) for home in Split}
    assert by_split == {TRAIN: 10, VALIDATION: 40, TEST: 0}


def test_a_source_without_a_row_is_there_and_not_missing():
    census = Census(Mixture((Part("a", rows=3),)))
    census.open("a")
    draw = census.draw()
    assert draw.plan.missing == ()
    assert draw.plan.of("a").short_by == 3


def test_a_row_without_anything_to_find_is_negative():
    mention = Entity("e1", "Disease", ("gout",), ((0, 4),))
    other = Entity("e2", "Gene", ("ABC",), ((5, 8),))
    with_relation = KbRow("1", "d", "gout ABC", (mention, other), (Relation("r", "CPR:3", "e1", "e2"),))
    none = KbRow("1", "d", "gout ABC", (mention, other), (Relation("r", "No_Relation", "e1", "e2"),))
    assert not is_negative(with_relation)
    assert is_negative(none)
    assert is_negative(KbRow("2", "d", "nothing here"))
    assert not is_negative(KbRow("3", "d", "gout ABC", (mention,)))
    assert is_negative(KbRow("3", "d", "gout ABC", (mention,)), "relation_extraction")
    assert is_negative(TextRow("4", "d", "text"))
    assert not is_negative(TextRow("4", "d", "text", ("x",)))
