"""Scores against cases worked out by hand."""

import pytest

from trainer.starter.score import accuracy, bootstrap, entity_f1, lines, mean, rouge_l, rouge_l_f1


def test_an_answer_counts_whatever_its_case_blanks_and_full_stop():
    assert accuracy(["Yes. ", "no", "gout"], ["yes", "yes", "gout"]).value == pytest.approx(2 / 3)


def test_an_entity_counts_only_with_its_type():
    predictions, references = ["drug: aspirin\ntest: ECG"], ["drug: aspirin\ncondition: ECG\nfinding: cough"]
    # one hit, two predicted, three expected
    assert entity_f1(predictions, references).value == pytest.approx(2 / 5)


def test_counts_are_pooled_over_rows():
    # hits 1 + 0, predicted 1 + 1, expected 1 + 3
    assert entity_f1(["drug: a", "drug: b"], ["drug: a", "drug: c\ndrug: d\ndrug: e"]).value == pytest.approx(
        2 / 6
    )


def test_part_of_a_name_does_not_count():
    assert entity_f1(["drug: insulin"], ["drug: insulin glargine"]).value == 0


def test_a_line_written_twice_is_one_hit_and_one_miss():
    assert entity_f1(["drug: a\ndrug: a"], ["drug: a"]).value == pytest.approx(2 / 3)


def test_lines_without_a_colon_are_skipped():
    assert set(lines("Here you are\nDrug: Aspirin ")) == {("drug", "aspirin")}


def test_rouge_l_is_twice_the_longest_common_subsequence_over_both_lengths():
    # LCS of "the cat sat" and "the dog sat down" is "the sat": 2 * 2 / (3 + 4)
    assert rouge_l_f1("The cat sat.", "the dog sat down") == pytest.approx(4 / 7)
    assert rouge_l_f1("", "") == 0
    assert rouge_l(["a b", "c"], ["a b", "d"]).value == pytest.approx(0.5)


def test_the_interval_holds_the_value_and_is_repeatable():
    score = bootstrap([0.0, 1.0] * 50, mean)
    assert score.low < score.value == 0.5 < score.high
    assert 0.38 < score.low < 0.43
    assert 0.57 < score.high < 0.62
    assert score == bootstrap([0.0, 1.0] * 50, mean)


def test_nothing_to_score_is_refused():
    with pytest.raises(ValueError, match="items"):
        accuracy([], [])
