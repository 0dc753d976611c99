import pytest

from db.checks import quality
from db.checks.similarity import NearestText, rouge_l
from db.content import Content


def lcs_f1(left: list[str], right: list[str]) -> float:
    """ROUGE-L F1 by the textbook's table, to hold the fast one against."""
    table = [[0] * (len(right) + 1) for _ in range(len(left) + 1)]
    for i, a in enumerate(left):
        for j, b in enumerate(right):
            table[i + 1][j + 1] = table[i][j] + 1 if a == b else max(table[i][j + 1], table[i + 1][j])
    return 2 * table[-1][-1] / (len(left) + len(right))


def test_rouge_l_equals_the_textbook():
    left = "the patient was started on metformin for type 2 diabetes"
    right = "for type 2 diabetes the patient takes metformin daily"
    assert rouge_l(left, right) == pytest.approx(lcs_f1(left.split(), right.split()))


def test_greek_letters_tell_two_questions_apart():
    assert rouge_l("What does α-catenin bind?", "What does β-catenin bind?") < 1


def test_the_nearest_text_is_found_among_many_and_one_can_be_left_out():
    texts = NearestText()
    for number in range(50):
        texts.put(number, f"Describe finding {number} of the chest radiograph in plain words")
    texts.put(99, "List the drugs named in the discharge letter")
    found = texts.nearest("List all the drugs named in this discharge letter")
    assert found.id == 99
    assert found.score == pytest.approx(
        rouge_l(
            "List all the drugs named in this discharge letter",
            "List the drugs named in the discharge letter",
        )
    )
    assert texts.nearest("List the drugs named in the discharge letter", except_id=99).id != 99


def test_nothing_in_common_has_no_nearest():
    texts = NearestText()
    texts.put(1, "alpha beta")
    assert texts.nearest("gamma") is None
    assert texts.nearest("") is None


@pytest.mark.parametrize(
    ("content", "field"),
    [
        (Content("Summarise the following note.", output="A summary.", task="x"), "input"),
        (
            Content("Say what you think of it.", output="As an AI language model, I cannot.", task="x"),
            "output",
        ),
        (Content("Explain <|im_start|> to me.", output="A marker.", task="x"), "instruction"),
        (Content("Explain what asthma is.", task="x"), "output"),
    ],
)
def test_faults_are_named_with_their_field(content, field):
    assert any(line.startswith(f"{field}:") for line in quality.advise(content))


def test_a_sound_text_gets_no_advice():
    assert quality.advise(Content("Explain what asthma is.", output="Narrowed airways.", task="qa")) == []
