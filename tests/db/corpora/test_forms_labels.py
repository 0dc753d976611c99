"""The forms whose answer is one label or several: relations, inference, classification; and triples."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from db.corpora.forms import CannotWrite, Label, Obstacle, make_form, obstacle
from db.corpora.forms.prediction import FaultKind
from db.corpora.schema import PairsRow, TextRow
from tests.db.corpora.rows import GAD, masked, spanned

CODE = make_form("relation_code", GAD)
NLI = make_form("nli_word", tuple(map(Label, ("entailment", "contradiction", "neutral"))))
HOC = tuple(map(Label, ("resisting cell death", "inducing angiogenesis", "genomic instability and mutation")))
LABELS, LABEL_JSON = make_form("label_list", HOC), make_form("label_json", HOC)
TRIPLES = make_form("triples", (Label("INH", "inhibits"),))
PAIR = PairsRow("1", "1", "She has a fever.", "She is ill.", "entailment")


def test_gads_label_1_is_an_association():
    assert CODE.write(masked("1")) == "1"
    assert "1 = association; 0 = no association" in CODE.constraint()
    assert make_form("relation_name", GAD).write(masked("0")) == "no association"


@pytest.mark.parametrize(
    ("reply", "label"),
    [
        ("1", "1"),
        ("0.", "0"),
        ("Answer: 0", "0"),
        ("The code is 1", "1"),
        ("**1**", "1"),
        ("(0)", "0"),
        ("1 = association", "1"),
        ("1, association", "1"),
        ("There is no association", "0"),
        ("1\n\nThe sentence says so, in 0 words less.", "1"),
        ("```\n0\n```", "0"),
    ],
)
def test_a_code_is_found_in_a_reply(reply, label):
    assert CODE.parse(reply, masked("1")).labels == (label,)


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        ("", FaultKind.EMPTY),
        ("10", FaultKind.UNKNOWN_LABEL),
        ("1 (no association)", FaultKind.AMBIGUOUS),
        ("1, no association", FaultKind.AMBIGUOUS),
        ("0\n1", FaultKind.AMBIGUOUS),
        ("The gene and the disease are both mentioned here", FaultKind.UNPARSABLE),
    ],
)
def test_what_gives_no_single_code_counts_for_none(reply, kind):
    read = CODE.parse(reply, masked("1"))
    assert (read.labels, [fault.kind for fault in read.faults]) == ((), [kind])


def test_the_article_is_not_the_code_a():
    form = make_form("relation_code", (Label("INH", "A", "inhibitor"), Label("ACT", "B", "activator")))
    row = spanned("x y", ("c", ((0, 1),)), ("g", ((2, 3),)), relations=(("INH", 0, 1),))
    assert form.parse("A relation exists", row).labels == ()
    assert form.parse("A) inhibitor", row).labels == ("INH",)
    assert form.parse("$\\boxed{B}$", row).labels == ("ACT",)


@pytest.mark.parametrize(
    ("reply", "label"),
    [
        ("Neutral.", "neutral"),
        ("entails", "entailment"),
        ("It is not a contradiction; it is neutral", "neutral"),
        ("Answer: neutral\nThere is no contradiction.", "neutral"),
        ("Entailment, because nothing contradicts it", "entailment"),
        ("<think>entailment? contradiction?</think>neutral", "neutral"),
        ("Sentence 1: a\nSentence 2: b\nneutral", "neutral"),
    ],
)
def test_one_word_is_found_in_a_reply(reply, label):
    assert NLI.parse(reply, PAIR).labels == (label,)


@pytest.mark.parametrize("reply", ["not entailment", "neutral or entailment", "entailment\ncontradiction"])
def test_a_denied_or_doubled_word_is_none(reply):
    assert NLI.parse(reply, PAIR).labels == ()


@pytest.mark.parametrize(
    ("reply", "labels"),
    [
        ("None", ()),
        ("none of the above.", ()),
        ("Inducing Angiogenesis and resisting cell death", (0, 1)),
        ("inducing angiogenesis, genomic instability and mutation", (1, 2)),
        ("- inducing angiogenesis\n- resisting cell death", (0, 1)),
        ("The labels are: resisting cell death", (0,)),
        ('["inducing angiogenesis"]', (1,)),
        ("The text describes resisting cell death by tumours.", (0,)),
        ("metastasis, inducing angiogenesis", (1,)),
    ],
)
def test_labels_are_found_however_they_are_separated(reply, labels):
    wanted = tuple(HOC[index].name for index in labels)
    assert LABELS.parse(reply, TextRow("1", "1", "t")).labels == wanted
    assert LABEL_JSON.parse(reply, TextRow("1", "1", "t")).labels == wanted


def test_no_label_is_said_and_is_not_the_same_as_no_answer():
    row = TextRow("1", "1", "t")
    assert (LABELS.write(row), LABEL_JSON.write(row)) == ("None", "[]")
    assert LABELS.parse("None", row).faults == ()
    unsaid = LABELS.parse("This sentence reports the number of patients.", row)
    assert [fault.kind for fault in unsaid.faults] == [FaultKind.UNPARSABLE]
    unknown = LABELS.parse("metastasis", row)
    assert [fault.kind for fault in unknown.faults] == [FaultKind.UNKNOWN_LABEL]


def test_a_cut_off_list_keeps_its_whole_labels():
    read = LABEL_JSON.parse('["inducing angiogenesis", "resisting cell', TextRow("1", "1", "t"))
    assert (read.labels, read.faults[0].kind) == (("inducing angiogenesis",), FaultKind.CUT_OFF)


def test_a_row_with_a_label_the_template_lacks_is_refused():
    assert obstacle(LABELS, TextRow("1", "1", "t", ("metastasis",))) is Obstacle.UNKNOWN_LABEL
    assert obstacle(CODE, masked("2")) is Obstacle.UNKNOWN_LABEL
    assert obstacle(CODE, spanned("one two")) is Obstacle.NO_PAIR


TEXT = "aspirin inhibits COX-1; aspirin (low dose) inhibits poly(ADP) here"
DRUGS = [("c", ((0, 7),)), ("c", ((24, 31),)), ("g", ((17, 22),)), ("g", ((52, 61),))]
ROW = spanned(TEXT, *DRUGS, relations=(("INH", 0, 2), ("INH", 1, 3)))


def test_triples_say_which_mention_is_meant():
    assert TRIPLES.write(ROW) == '(aspirin; inhibits; COX-1)\n(aspirin [2]; inhibits; "poly(ADP)")'
    assert TRIPLES.parse(TRIPLES.write(ROW), ROW) == TRIPLES.gold(ROW)


@pytest.mark.parametrize(
    "reply",
    ["aspirin; INHIBITS; COX-1", "1. (aspirin; inhibits; COX-1", "The relation: (aspirin; inhibits; COX-1)."],
)
def test_a_sloppy_triple_is_read(reply):
    assert TRIPLES.parse(reply, ROW).pairs == TRIPLES.gold(ROW).pairs[:1]


@pytest.mark.parametrize(
    ("reply", "kinds"),
    [
        ("(aspirin; inhibits; COX-2)", [FaultKind.INVENTED]),
        ("(aspirin; activates; COX-1)", [FaultKind.UNKNOWN_LABEL]),
        ("(aspirin, inhibits, COX-1)", [FaultKind.UNPARSABLE]),
        ("none", []),
    ],
)
def test_what_a_triple_makes_up_is_not_counted(reply, kinds):
    read = TRIPLES.parse(reply, ROW)
    assert (read.pairs, [fault.kind for fault in read.faults]) == ((), kinds)


WORD = st.sampled_from(
    ["A", "1", "no", "relation", "DOWN", "IND-DOWN", "and", "x, y", "none", "C.", "(B)", "yes"]
)
NAMES = st.lists(st.lists(WORD, min_size=1, max_size=3).map(" ".join), min_size=1, max_size=5)


@settings(max_examples=300, deadline=None)
@given(NAMES, st.data())
def test_whatever_labels_are_called_they_come_back_or_are_refused(names, data):
    labels = tuple(map(Label, names))
    chosen = data.draw(st.lists(st.sampled_from(names), unique=True, max_size=3))
    one = data.draw(st.sampled_from(names))
    for name, row in (
        ("label_list", TextRow("1", "1", "t", tuple(chosen))),
        ("label_json", TextRow("1", "1", "t", tuple(chosen))),
        ("nli_word", PairsRow("1", "1", "a", "b", one)),
        ("relation_code", masked(one)),
        ("relation_name", masked(one)),
    ):
        try:
            form = make_form(name, labels)
            answer = form.write(row)
        except CannotWrite:
            continue
        except ValueError as refusal:
            assert str(refusal).startswith("labels: ")  # noqa: PT017
            continue
        assert form.parse(answer, row) == form.gold(row)
