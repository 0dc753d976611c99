"""What a run's calls ask, by their numbers."""

from collections import Counter

import pytest

from db.content import Content
from db.enums import Category
from db.generate_spec import GenerateSpec
from db.generating import calls, prompts
from db.generating.draws import Seed
from db.generating.prompts import Mode
from db.generating.targets import read_shares

POOL = [
    Seed(n, 1, Content(f"Question {n}?", "A passage.", "An answer.", Category.QA, "qa")) for n in range(9)
]


@pytest.mark.parametrize(
    "text",
    [
        "QA 23, IE 34, GEN 33, OTHER 10",
        "qa: 23, ie: 34, gen: 33, other: 10",
        "QA=23%,IE=34%,GEN=33%,OTHER=10%",
    ],
)
def test_shares_are_read_as_people_write_them(text):
    wanted = {Category.QA: 23, Category.IE: 34, Category.GEN: 33, Category.OTHER: 10}
    assert read_shares(text) == wanted
    assert read_shares(" ") == {}


@pytest.mark.parametrize("text", ["QA", "questions 3", "QA 1, QA 2", "QA -1", "QA nan", "QA 0, IE 0"])
def test_shares_that_make_no_sense_are_refused_by_name(text):
    with pytest.raises(ValueError, match="^shares: "):
        GenerateSpec(1, shares=text)


@pytest.mark.parametrize("mode", [Mode.GROW, Mode.FROM_PASSAGE])
def test_a_run_asks_for_the_shares_that_were_wanted(mode):
    spec, template = GenerateSpec(1, per_call=5, mode=mode, shares="QA 1, IE 3"), prompts.shipped(mode)
    asked = Counter()
    for number in range(40):
        shown = calls.seeds_of(spec, POOL, number)
        words = " ".join(one["content"] for one in calls.request_of(spec, template, shown, number).messages)
        for count in range(1, 6):
            asked.update({name: count for name in ("QA", "IE") if f"{count} of category {name}" in words})
    assert asked == {"QA": 50, "IE": 150}


def test_without_shares_nothing_is_said_of_them():
    spec, template = GenerateSpec(1), prompts.shipped(Mode.GROW)
    request = calls.request_of(spec, template, calls.seeds_of(spec, POOL, 0), 0)
    assert not any("of category" in message["content"] for message in request.messages)
