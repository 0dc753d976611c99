from collections import Counter

import pytest

from db.enums import Category
from db.generating.targets import targets_of

# The shares of BioInstruct's 25,005 instructions.
BIOINSTRUCT = {Category.IE: 33.8, Category.GEN: 33.5, Category.QA: 22.8, Category.OTHER: 10.0}


@pytest.mark.parametrize("n", [1, 3, 7, 20])
@pytest.mark.parametrize("seed", [0, 1, 99])
def test_a_run_comes_to_its_shares(n, seed):
    calls = 25_005 // n
    counts = Counter()
    for call in range(calls):
        asked = targets_of(seed, call, n, BIOINSTRUCT)
        assert sum(target.count for target in asked) == n
        counts.update({target.category: target.count for target in asked})
    for category, share in BIOINSTRUCT.items():
        assert abs(counts[category] - calls * n * share / 100.1) < 10


def test_the_same_call_asks_for_the_same():
    assert targets_of(3, 17, 5, BIOINSTRUCT) == targets_of(3, 17, 5, dict(reversed(BIOINSTRUCT.items())))
    assert len({targets_of(seed, 17, 5, BIOINSTRUCT) for seed in range(20)}) > 3


def test_a_category_without_a_share_is_never_asked_for():
    for call in range(500):
        asked = targets_of(1, call, 3, {Category.QA: 1, Category.GEN: 0})
        assert [target.category for target in asked] == [Category.QA]


@pytest.mark.parametrize("shares", [{}, {"QA": 0}, {"QA": -1}, {"QA": float("nan")}, {"QA": True}, {"XX": 1}])
def test_shares_that_make_no_sense_are_refused(shares):
    with pytest.raises(ValueError):
        targets_of(1, 1, 3, shares)
