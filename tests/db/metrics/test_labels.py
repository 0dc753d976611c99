"""Labels, choices and short answers: counts, the confusion matrix and the majority line by hand."""

import pytest

from db.corpora.forms.prediction import Answers, Choice, Fault, FaultKind, Labels
from db.metrics import answers, choices, labels
from db.metrics.measures import columns_of, get


def one(label: str = "", *faults: FaultKind) -> Labels:
    return Labels((label,) if label else (), tuple(Fault(kind) for kind in faults))


NLI = [
    (one("entailment"), one("entailment")),
    (one("neutral"), one("entailment")),
    (one("neutral"), one("neutral")),
    (one("", FaultKind.AMBIGUOUS), one("contradiction")),
    (one("neutral"), one("entailment")),
]
COUNTS = [labels.count(said, gold) for said, gold in NLI]


def figure(name: str, counts) -> float:
    measure = get(name)
    return float(measure.of(columns_of(measure, counts).sum(0)))


def test_five_rows_by_hand():
    assert figure("accuracy", COUNTS) == 2 / 5
    assert figure("parse_failures", COUNTS) == 1 / 5
    of_entailment, of_neutral, of_contradiction = 2 / 4, 2 / 4, 0.0
    assert figure("macro_f1", COUNTS) == pytest.approx((of_entailment + of_neutral + of_contradiction) / 3)
    assert figure("micro_f1", COUNTS) == pytest.approx(4 / (4 + 2 + 3))


def test_the_confusion_matrix_has_a_column_for_answers_without_a_label():
    assert labels.confusion(COUNTS) == {
        "labels": ["contradiction", "entailment", "neutral"],
        "said": ["contradiction", "entailment", "neutral", labels.NO_LABEL],
        "cells": [[0, 0, 0, 1], [0, 1, 2, 0], [0, 0, 1, 0]],
    }


def test_the_majority_line_is_what_always_giving_the_commonest_answer_scores():
    always, counts = labels.majority(COUNTS)
    assert always == ("entailment",)
    assert figure("accuracy", counts) == 3 / 5
    assert figure("macro_f1", counts) == pytest.approx((6 / 8 + 0 + 0) / 3)
    assert figure("parse_failures", counts) == 0.0
    assert labels.majority([]) == ((), [])


def test_several_labels_a_row_have_a_table_and_no_confusion_matrix():
    hoc = [
        labels.count(Labels(("growth", "invasion")), Labels(("growth", "angiogenesis"))),
        labels.count(Labels(()), Labels(())),  # none of them is an answer
        labels.count(Labels(("growth",)), Labels(("growth",))),
    ]
    assert [row["right"] for row in hoc] == [0.0, 1.0, 1.0]
    assert labels.confusion(hoc) is None
    assert [
        (line["label"], line["right"], line["wrong"], line["missed"]) for line in labels.per_label(hoc)
    ] == [
        ("angiogenesis", 0, 0, 1),
        ("growth", 2, 0, 0),
        ("invasion", 0, 1, 0),
    ]
    assert figure("micro_f1", hoc) == 4 / (4 + 1 + 1)
    assert labels.majority(hoc)[0] == ()  # each of the three once: the first in order


def test_labels_with_a_colon_keep_it():
    counts = [labels.count(one("CPR:4"), one("CPR:3"))]
    assert labels.gold_of(counts[0]) == ("CPR:3",)
    assert labels.said_of(counts[0]) == ("CPR:4",)
    assert [line["label"] for line in labels.per_label(counts)] == ["CPR:3", "CPR:4"]


def test_no_rows_have_no_confusion():
    assert labels.confusion([]) is None
    assert labels.per_label([]) == []


def test_a_written_choice_is_right_wrong_or_unread():
    gold = Choice(1)
    assert answers.count_choice(Choice(1), gold) == {"right": 1.0, "unparsed": 0.0}
    assert answers.count_choice(Choice(0), gold) == {"right": 0.0, "unparsed": 0.0}
    several = Choice(None, (Fault(FaultKind.AMBIGUOUS, "A and B"),))
    assert answers.count_choice(several, gold) == {"right": 0.0, "unparsed": 1.0}
    assert answers.count_choice(several, Choice(None))["right"] == 0.0


def test_short_answers_by_their_wordings():
    gold = Answers(("acetaminophen", "ibuprofen"), synonyms=(("paracetamol",), ()))
    both = answers.count(Answers(("Ibuprofen.", "paracetamol")), gold)
    assert (both["right"], both["strict_right"]) == (1.0, 2.0)
    half = answers.count(Answers(("paracetamol", "aspirin")), gold)
    assert (half["strict_right"], half["strict_wrong"], half["strict_missed"]) == (1.0, 1.0, 1.0)
    factoid = Answers(("PCSK9", "proprotein convertase 9"), one_of=True)
    assert answers.count(Answers(("pcsk9",)), factoid)["right"] == 1.0
    assert answers.count(Answers((), (Fault(FaultKind.EMPTY),)), factoid)["unparsed"] == 1.0


def test_each_rule_of_the_options_chooses_as_by_hand():
    # Two options in their two orders. The long one's sum is lower; per token and per character it is higher.
    nats = [[-4.0, -6.0], [-3.0, -9.0]]
    tokens = [[1, 4], [1, 4]]
    chosen = choices.choose(nats, tokens, ["no", "myocardial infarction"])
    assert chosen == choices.Chosen(cyclic=1, first=0, normalised=1)  # -3.5 against -1.875; -2 against -0.29
    assert choices.count(chosen, 1) == {"option_right": 1.0, "first_right": 0.0, "normalised_right": 1.0}


def test_a_place_that_is_favoured_loses_by_the_cyclic_mean():
    # The model adds two nats to whatever stands first; the second option is a little better.
    nats = [[-1.0, -2.5], [-3.0, -0.5]]
    chosen = choices.choose(nats, [[1, 1], [1, 1]], ["A", "B"])
    assert (chosen.first, chosen.cyclic) == (0, 1)


def test_equal_and_impossible_options_and_none_at_all_do_not_raise():
    assert choices.choose([[-1.0, -1.0]], [[1, 1]], ["a", "b"]).first == 0
    impossible = choices.choose([[float("nan"), float("-inf"), -5.0]], [[0, 1, 1]], ["", "b", "c"])
    assert impossible == choices.Chosen(2, 2, 2)
    assert choices.choose([], [], []) == choices.Chosen(None, None, None)
    assert set(choices.count(choices.Chosen(None, None, None), None).values()) == {0.0}
