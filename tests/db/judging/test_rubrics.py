"""Rubrics are found by name and version, and their words have a hash."""

from dataclasses import replace

import pytest

from db.judging import rubrics


def test_every_shipped_rubric_can_be_judged_by():
    assert {rubric.name for rubric in rubrics.list_rubrics()} == {"answer-quality", "clinical-note"}
    for rubric in rubrics.list_rubrics():
        names = [criterion.name for criterion in rubric.criteria]
        assert len(set(names)) == len(names) >= 3
        assert all((one.question, one.low, one.high) for one in rubric.criteria)
        assert "reason" not in names  # a field of the reply


def test_a_rubric_is_named_with_or_without_its_version():
    newest = rubrics.get_rubric("answer-quality")
    assert rubrics.get_rubric(newest.label) == newest
    with pytest.raises(LookupError, match="^rubric: 'answer-quality@99' is not one of answer-quality@1"):
        rubrics.get_rubric("answer-quality@99")


def test_other_words_are_another_rubric():
    rubric = rubrics.get_rubric("clinical-note")
    assert replace(rubric, pair=rubric.pair + " ").hash != rubric.hash
