import json

import pytest

from db import rubric
from db.rubric import DEFAULT, Axis
from db.tables import Round

HARM = Axis("harm", "Harm", "How bad?", "choice", ("none", "mild"))
SEEN = Axis("seen", "Seen", "Is it seen?")


def test_the_default_has_quests_axes_and_every_one_says_what_it_asks():
    keys = [axis.key for axis in DEFAULT]
    assert keys == ["correct", "complete", "hallucination", "harm", "harm_likelihood", "clear"]
    assert all(axis.question.endswith("?") and axis.help for axis in DEFAULT)
    assert DEFAULT[3].values == ("none", "mild", "moderate", "severe")
    assert DEFAULT[0].values == ("yes", "no")


def test_a_round_keeps_its_rubric_as_json_and_reads_it_back():
    kept = json.loads(json.dumps(rubric.stored(DEFAULT)))
    assert rubric.of_round(Round(rubric=kept)) == DEFAULT
    assert rubric.check([]) == ()


def test_values_are_read_in_the_order_of_the_axes_and_open_ones_are_left_out():
    assert rubric.read({"seen": "yes", "harm": "mild"}, (HARM, SEEN)) == {"harm": "mild", "seen": "yes"}
    assert rubric.read({"harm": "", "seen": None}, (HARM, SEEN)) == {}
    assert rubric.read(None, (HARM,)) == {}


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"mood": "good"}, "'mood' is not one of its items"),
        ({"harm": "fatal"}, "'fatal' is no answer to harm; choose none, mild"),
        ({"seen": True}, "'True' is no answer to seen; choose yes, no"),
    ],
)
def test_what_the_rubric_does_not_know_is_refused(values, sentence):
    with pytest.raises(ValueError, match=sentence):
        rubric.read(values, (HARM, SEEN))


@pytest.mark.parametrize(
    ("item", "sentence"),
    [
        ({"title": "T", "question": "Q?"}, "key: an item of the rubric has none"),
        ({"key": "Two Words", "title": "T", "question": "Q?"}, "key: 'Two Words' cannot be"),
        ({"key": "a", "title": " ", "question": "Q?"}, "title: a has none"),
        ({"key": "a", "title": "T", "question": ""}, "question: a has none"),
        ({"key": "a", "title": "T" * 61, "question": "Q?"}, "title: 61 characters"),
        ({"key": "a", "title": "T", "question": "Q?", "kind": "slider"}, "kind: 'slider'"),
        ({"key": "a", "title": "T", "question": "Q?", "kind": "choice"}, "options: a has 0; give 2 to 8"),
        (
            {"key": "a", "title": "T", "question": "Q?", "kind": "choice", "options": ["x", "x "]},
            "options: those of a must differ",
        ),
        (
            {"key": "a", "title": "T", "question": "Q?", "options": "none"},
            "options: those of a must be a list",
        ),
        ({"key": "a", "title": "T", "question": "Q?", "weight": 2}, "'weight' is no field of an item"),
    ],
)
def test_an_item_that_cannot_be_is_named(item, sentence):
    with pytest.raises(ValueError, match=sentence):
        rubric.check([item])


def test_keys_are_there_once_and_a_rubric_stays_short():
    with pytest.raises(ValueError, match="seen is there twice"):
        rubric.check([SEEN, SEEN])
    with pytest.raises(ValueError, match="13 items"):
        rubric.check([Axis(f"a{number}", "T", "Q?") for number in range(13)])
