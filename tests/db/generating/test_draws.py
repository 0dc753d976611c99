from collections import Counter

import pytest

from db.content import Content
from db.enums import Category
from db.generating.draws import Seed, draw

POOL = [
    Seed(number, 1, Content(f"Question {number}?", category=category))
    for number, category in enumerate([Category.QA] * 30 + [Category.IE] * 8 + [Category.GEN] * 2, 1)
]


def ids(seed: int, call: int, pool=POOL, **how) -> list[int]:
    return [one.id for one in draw(seed, call, pool, **how)]


def test_a_draw_is_the_same_again_in_whatever_order_the_pool_stands():
    assert ids(7, 12, k=3) == ids(7, 12, POOL[::-1], k=3)
    assert ids(7, 12, k=3, by_category=True) == ids(7, 12, POOL[::-1], k=3, by_category=True)


def test_a_draw_stays_what_it_was_when_the_studio_first_drew_it():
    """Logged draws have to be reproducible by later versions too: these numbers may never change."""
    assert [ids(0, call) for call in range(3)] == [[33, 16, 19], [14, 15, 6], [36, 34, 19]]


def test_other_calls_and_other_seeds_draw_otherwise():
    assert len({tuple(ids(1, call)) for call in range(200)}) > 190
    assert len({tuple(ids(seed, 1)) for seed in range(200)}) > 190


def test_no_seed_is_drawn_twice_and_the_whole_pool_can_be():
    assert sorted(ids(3, 0, k=len(POOL))) == [one.id for one in POOL]
    assert sorted(ids(3, 0, k=len(POOL), by_category=True)) == [one.id for one in POOL]


def test_every_seed_comes_as_often_as_any_other():
    counts = Counter(id for call in range(8_000) for id in ids(5, call))
    expected = 8_000 * 3 / len(POOL)
    chi_squared = sum((counts[one.id] - expected) ** 2 / expected for one in POOL)
    assert chi_squared < 73  # 39 degrees of freedom: exceeded once in a thousand


def test_by_category_each_comes_as_often_as_any_other_however_few_seeds_it_has():
    drawn = [draw(5, call, POOL, k=2, by_category=True) for call in range(3_000)]
    assert all(one.content.category != other.content.category for one, other in drawn)
    counts = Counter(one.content.category for pair in drawn for one in pair)
    assert max(counts.values()) - min(counts.values()) < 200


@pytest.mark.parametrize("k", [0, -1, 41])
def test_a_number_of_seeds_that_cannot_be_is_refused(k):
    with pytest.raises(ValueError, match="^k:"):
        draw(1, 1, POOL, k=k)
