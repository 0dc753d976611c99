"""Strict and relaxed spans, duplicates, invented words and kinds of error, by hand on one sentence."""

from hypothesis import given, settings
from hypothesis import strategies as st

from db.corpora.forms.prediction import (
    Answers,
    Choice,
    Fault,
    FaultKind,
    Labels,
    Mention,
    Mentions,
    Pair,
    Pairs,
    Text,
)
from db.metrics import answers, labels, spans
from db.metrics.labels import per_label
from db.metrics.measures import columns_of, get

# "aspirin and ibuprofen tablets for breast cancer"
ASPIRIN, IBUPROFEN, TABLETS = (0, 7), (12, 21), (12, 29)
CANCER, BREAST = (34, 47), (34, 40)


def mentions(*items: tuple[str, tuple[int, int]], faults=()) -> Mentions:
    return Mentions(tuple(Mention(type, (span,)) for type, span in items), tuple(faults))


GOLD = mentions(("Drug", ASPIRIN), ("Drug", IBUPROFEN), ("Disease", CANCER))


def test_one_sentence_by_hand():
    said = mentions(
        ("Drug", ASPIRIN),  # right
        ("Drug", TABLETS),  # boundary: overlaps ibuprofen
        ("Drug", CANCER),  # type
        ("Disease", (30, 33)),  # spurious: "for"
        ("Drug", ASPIRIN),  # said twice
        faults=[Fault(FaultKind.INVENTED, "paracetamol"), Fault(FaultKind.REPEATED, "aspirin")],
    )
    assert spans.count(said, GOLD) == {
        "right": 0.0,
        "unparsed": 0.0,
        "said": 4 + 2 + 1,
        "invented": 1.0,
        "repeated": 2.0,
        "strict_right": 1.0,
        "strict_wrong": 3.0,
        "strict_missed": 2.0,
        "relaxed_right": 2.0,
        "relaxed_wrong": 2.0,
        "relaxed_missed": 1.0,
        "right:Drug": 1.0,
        "wrong:Drug": 2.0,
        "missed:Drug": 1.0,
        "wrong:Disease": 1.0,
        "missed:Disease": 1.0,
        "error:boundary": 1.0,
        "error:type": 1.0,
        "error:spurious": 1.0,
    }


def test_an_answer_that_says_the_gold_is_right_in_every_way():
    counts = spans.count(GOLD, GOLD)
    assert counts["right"] == 1.0
    assert counts["strict_right"] == counts["relaxed_right"] == counts["said"] == 3.0
    assert not any(key.startswith("error:") for key in counts)


def test_nothing_said_and_nothing_to_find_is_right_but_an_empty_reply_is_a_parse_failure():
    assert spans.count(mentions(), mentions())["right"] == 1.0
    empty = spans.count(mentions(faults=[Fault(FaultKind.EMPTY)]), mentions())
    assert (empty["right"], empty["unparsed"]) == (0.0, 1.0)
    only_invented = spans.count(mentions(faults=[Fault(FaultKind.INVENTED, "x")]), GOLD)
    assert (only_invented["unparsed"], only_invented["strict_missed"], only_invented["said"]) == (
        0.0,
        3.0,
        1.0,
    )


def test_a_gold_span_that_nothing_touches_is_missed():
    assert spans.errors(mentions(("Drug", BREAST)).items, GOLD.items) == {"type": 1, "missed": 2}


def test_one_gold_span_answers_for_one_said_span():
    halves = mentions(("Disease", BREAST), ("Disease", (41, 47)))
    counts = spans.count(halves, mentions(("Disease", CANCER)))
    assert (counts["relaxed_right"], counts["relaxed_wrong"], counts["relaxed_missed"]) == (1.0, 1.0, 0.0)


def test_the_relaxed_pairing_is_the_one_with_the_most_matches():
    # The long said span overlaps both gold spans; taken for the first, it would leave the short one none.
    gold = mentions(("D", (0, 4)), ("D", (5, 9)))
    said = mentions(("D", (3, 6)), ("D", (0, 2)))
    assert spans.matched(said.items, gold.items) == 2


def test_a_broken_up_mention_overlaps_by_any_of_its_parts_and_counts_strictly_by_all():
    gold = Mentions((Mention("D", ((0, 4), (10, 14))),))
    part = Mentions((Mention("D", ((10, 14),)),))
    counts = spans.count(part, gold)
    assert (counts["strict_right"], counts["relaxed_right"], counts["error:boundary"]) == (0.0, 1.0, 1.0)


def test_a_relation_overlaps_where_both_its_ends_do_and_direction_counts():
    gold = Pairs((Pair("treats", ASPIRIN, CANCER),))
    near = spans.count(Pairs((Pair("treats", ASPIRIN, BREAST),)), gold)
    turned = spans.count(Pairs((Pair("treats", CANCER, ASPIRIN),)), gold)
    other = spans.count(Pairs((Pair("causes", ASPIRIN, CANCER),)), gold)
    assert (near["strict_right"], near["relaxed_right"], near["error:boundary"]) == (0.0, 1.0, 1.0)
    assert (turned["relaxed_right"], turned["error:spurious"]) == (0.0, 1.0)
    assert other["error:type"] == 1.0


def test_types_and_errors_are_added_up_over_rows():
    rows = [
        spans.count(mentions(("Drug", ASPIRIN), ("Disease", BREAST)), GOLD),
        spans.count(GOLD, GOLD),
        spans.count(mentions(("Drug", CANCER)), GOLD),
    ]
    drug, disease = sorted(per_label(rows), key=lambda line: line["label"], reverse=True)
    assert drug == {
        "label": "Drug",
        "gold": 6,
        "right": 3,
        "wrong": 1,
        "missed": 3,
        "precision": 3 / 4,
        "recall": 3 / 6,
        "f1": 2 * 3 / (2 * 3 + 1 + 3),
    }
    assert (disease["right"], disease["wrong"], disease["missed"]) == (1, 1, 2)
    assert spans.error_table(rows) == {"boundary": 1, "type": 1, "spurious": 0, "missed": 3}
    measure = get("strict_f1")
    assert float(measure.of(columns_of(measure, rows).sum(0))) == 2 * 4 / (2 * 4 + 2 + 5)


span = st.tuples(st.integers(0, 12), st.integers(0, 12)).map(lambda ends: (min(ends), max(ends)))
faults = st.lists(st.builds(Fault, st.sampled_from(FaultKind), st.text(max_size=3)), max_size=3).map(tuple)
named = st.sampled_from(("A", "B", ""))
predictions = st.one_of(
    st.builds(
        Mentions,
        st.lists(st.builds(Mention, named, st.lists(span, min_size=1, max_size=2).map(tuple))).map(tuple),
        faults,
    ),
    st.builds(Pairs, st.lists(st.builds(Pair, named, span, span), max_size=4).map(tuple), faults),
    st.builds(Labels, st.lists(named, max_size=3).map(tuple), faults),
    st.builds(Choice, st.none() | st.integers(0, 4), faults),
    st.builds(Answers, st.lists(st.text(max_size=4), max_size=3).map(tuple), faults),
    st.builds(Text, st.text(max_size=9), faults),
)


@settings(max_examples=150, deadline=None)
@given(predictions, predictions)
def test_no_prediction_of_any_kind_raises_and_relaxed_is_never_below_strict(said, gold):
    counts = spans.count(said, gold)
    assert (
        counts["strict_right"] <= counts["relaxed_right"] <= counts["strict_right"] + counts["strict_wrong"]
    )
    assert counts["invented"] + counts["repeated"] <= counts["said"]
    for found in (counts, labels.count(said, gold), answers.count(said, gold)):
        assert all(value >= 0 for value in found.values())
