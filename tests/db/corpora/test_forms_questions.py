"""The forms of answers to questions: choices, yes or no, short answers, free text."""

import pytest

from db.corpora.forms import Label, Obstacle, make_form, obstacle
from db.corpora.forms.prediction import Choice, FaultKind, tally
from db.corpora.schema import QaRow, T2tRow
from tests.db.corpora.rows import choice

LETTER, TEXT = make_form("choice_letter"), make_form("choice_text")
YES_NO = make_form("yes_no", tuple(map(Label, ("yes", "no", "maybe"))))
FACTOID, LIST = make_form("factoid"), make_form("answer_list")
DRUGS = ("Amoxicillin", "Aspirin", "Amoxicillin and clavulanate", "C-reactive protein")
ROW = choice(0, *DRUGS)


def question(type: str, *answers: str, **more) -> QaRow:
    return QaRow("1", "1", "Which?", type, answers, **more)


@pytest.mark.parametrize(
    ("reply", "index"),
    [
        ("A", 0),
        ("(b)", 1),
        ("A) Amoxicillin", 0),
        ("Amoxicillin", 0),
        ("The answer is A", 0),
        ("The correct answer is B because of the fever", 1),
        ("**C**", 2),
        ("$\\boxed{B}$", 1),
        ('{"answer": "C"}', 2),
        ("Answer: C-reactive protein", 3),
        ("I would give amoxicillin and clavulanate here", 2),
        ("A. Amoxicillin\nB. Aspirin\nAnswer: B", 1),
        ("A patient with fever should receive aspirin", 1),
        ("B\nExplanation: A is wrong", 1),
        ("<think>A?</think>\nB", 1),
    ],
)
def test_a_choice_is_found_in_a_reply(reply, index):
    assert LETTER.parse(reply, ROW) == Choice(index)
    assert TEXT.parse(reply, ROW) == Choice(index)


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        ("", FaultKind.EMPTY),
        ("E", FaultKind.UNKNOWN_LABEL),
        ("B. Amoxicillin", FaultKind.AMBIGUOUS),
        ("(A) or (B)", FaultKind.AMBIGUOUS),
        ("I do not know", FaultKind.UNPARSABLE),
    ],
)
def test_what_makes_no_single_choice_makes_none(reply, kind):
    read = LETTER.parse(reply, ROW)
    assert (read.index, [fault.kind for fault in read.faults]) == (None, [kind])


def test_choices_that_read_the_same_need_the_index():
    twice = ("yes", "yes", "no way")
    assert obstacle(LETTER, choice(1, *twice)) is Obstacle.SAME_CHOICES
    assert LETTER.write(choice(1, *twice, index=True)) == "B"
    assert obstacle(TEXT, choice(0, *twice, index=True)) is Obstacle.NOT_READ_BACK


def test_a_question_without_its_answer_is_refused():
    assert obstacle(LETTER, question("multiple_choice", choices=DRUGS)) is Obstacle.NO_ANSWER
    assert (
        obstacle(LETTER, question("multiple_choice", "Paracetamol", choices=DRUGS)) is Obstacle.NOT_A_CHOICE
    )
    assert obstacle(FACTOID, question("factoid")) is Obstacle.NO_ANSWER
    assert obstacle(make_form("made_text"), T2tRow("1", "1", "a", " ")) is Obstacle.NO_ANSWER


@pytest.mark.parametrize(
    ("reply", "labels"),
    [
        ("No", ("no",)),
        ("No, the trial was too small to say yes", ("no",)),
        ("Yes - there is no doubt", ("yes",)),
        ("The answer is no.", ("no",)),
        ("It is not known, so maybe", ("maybe",)),
        ("Yes, maybe.", ()),
        ("yes and no", ()),
        ("unclear", ()),
    ],
)
def test_yes_no_and_maybe(reply, labels):
    assert YES_NO.parse(reply, question("yesno", "no")).labels == labels


@pytest.mark.parametrize("reply", ["FGFR3", "Answer: FGFR3.", 'The answer is "fgfr3".', "- FGFR3\n", "CD333"])
def test_any_synonym_of_a_short_answer_is_right(reply):
    row = question("factoid", "FGFR3", "CD333")
    assert tally(FACTOID.parse(reply, row), FACTOID.gold(row)).f1 == 1.0
    assert tally(FACTOID.parse("FGFR2", row), FACTOID.gold(row)).f1 == 0.0


@pytest.mark.parametrize(
    "reply",
    [
        "- ankle swelling\n- cough",
        "1. ankle swelling\n2. cough",
        "ankle swelling; cough",
        '["cough", "ankle swelling"]',
        "The signs are:\n* oedema\n* cough\nThese are all.",
    ],
)
def test_a_list_is_read_in_every_usual_shape(reply):
    row = question("list", "ankle swelling", "cough", synonyms=(("oedema",), ()))
    assert tally(LIST.parse(reply, row), LIST.gold(row)).f1 == 1.0


def test_free_text_passes_for_itself():
    form = make_form("free_answer")
    row = question("free", "Drink enough.\n\n- Rest.\n")
    assert form.parse(form.write(row), row) == form.gold(row)
    assert form.write(question("yesno", "yes", long_answer="It helps.")) == "It helps."
    assert form.parse("", row).faults[0].kind is FaultKind.EMPTY
