"""Free text by hand: ROUGE, concepts, numbers with units, negations, and texts of nothing at all."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from db.metrics import concepts, texts
from db.metrics.concepts import concepts_of

REFERENCE = (
    "The patient is a 54-year-old man with hypertension and type 2 diabetes. He denies fever and chest pain. "
    "Metformin 500 mg twice daily was started; blood pressure was 150/90 mmHg."
)


def test_rouge_by_hand():
    counts = texts.count("The cat sat.", "the cat ran away")
    assert counts["rouge_1"] == pytest.approx(2 * 2 / (3 + 4))
    assert counts["rouge_2"] == pytest.approx(2 * 1 / (2 + 3))
    assert counts["rouge_l"] == pytest.approx(2 * 2 / (3 + 4))
    swapped = texts.count("away ran cat the", "the cat ran away")
    assert (swapped["rouge_1"], swapped["rouge_2"], swapped["rouge_l"]) == (1.0, 0.0, 2 * 1 / 8)
    assert texts.rouge(list("aaab"), list("abb")) == pytest.approx(2 * 2 / (4 + 3))


def test_the_same_text_keeps_everything():
    counts = texts.count(REFERENCE, REFERENCE)
    assert counts["rouge_1"] == counts["rouge_2"] == counts["rouge_l"] == 1.0
    assert counts["concepts_right"] > 4
    assert counts["concepts_wrong"] == counts["concepts_missed"] == 0
    assert counts["numbers"] == counts["numbers_kept"] == counts["numbers_said"] > 4
    assert counts["numbers_added"] == counts["negations_turned"] == 0
    assert counts["negations"] == counts["negations_kept"] > 1
    assert counts["words"] == counts["reference_words"]


def test_numbers_lost_kept_and_added_with_their_units():
    assert texts.numbers("1. Take 1,000 mg for three days.\n2. Then 5.0 ml") == {
        ("1000", "mg"),
        ("3", "day"),
        ("5", "ml"),
    }
    counts = texts.count(
        "Metformin 500 mcg for 7 days, then 2", "Metformin 500 mg for 7 days, then 2 ml", "at 7 days"
    )
    assert (counts["numbers"], counts["numbers_kept"]) == (3.0, 2.0)  # 7 days, and 2 without its unit
    assert (counts["numbers_said"], counts["numbers_added"]) == (3.0, 1.0)  # 500 mcg is new
    of_source = texts.count("Weight is 80 kg", "Weight is stable", source="He weighs 80 kg")
    assert (of_source["numbers"], of_source["numbers_added"]) == (0.0, 0.0)


def test_a_negation_is_kept_turned_or_left_out():
    assert texts.denied("No fever, no cough. She has pain.") == {"fever", "cough"}
    reference = "The patient denies fever. Cough is absent. No vomiting."
    kept = texts.count("No fever, no cough, no vomiting.", reference)
    assert (kept["negations"], kept["negations_kept"], kept["negations_turned"]) == (3.0, 3.0, 0.0)
    turned = texts.count("The patient has fever. No cough.", reference)
    assert (turned["negations_kept"], turned["negations_turned"]) == (1.0, 1.0)  # vomiting is left out


def test_concepts_under_any_of_their_names():
    clinical = concepts_of(
        "54M, HTN and T2DM, on an ACE inhibitor and NSAIDs. SOB, no haemoptysis; CXR clear."
    )
    plain = concepts_of(
        "High blood pressure and type II diabetes, on angiotensin-converting enzyme inhibitors and a "
        "non-steroidal anti-inflammatory drug. Shortness of breath, no coughing up blood; chest X-rays clear."
    )
    assert (
        clinical
        == plain
        == {
            "hypertension",
            "type 2 diabetes",
            "angiotensin-converting enzyme inhibitor",
            "non-steroidal anti-inflammatory drug",
            "dyspnoea",
            "haemoptysis",
            "chest X-ray",
        }
    )


def test_the_longest_name_counts_and_spelling_does_not():
    assert concepts_of("type 1 diabetes") == {"type 1 diabetes"}
    assert concepts_of("iron-deficiency anemia") == concepts_of("Iron deficiency anaemia")
    assert concepts_of("esophageal varices, diarrhea, edema") == concepts_of(
        "oesophageal varices, diarrhoea, oedema"
    )
    assert concepts_of("Tylenol") == concepts_of("paracetamol") == concepts_of("acetaminophen")


def test_an_abbreviation_counts_in_capitals_only():
    assert concepts_of("an arb in the mi area, tb") == set()
    assert concepts_of("an ARB after MI, TB") == {
        "angiotensin receptor blocker",
        "myocardial infarction",
        "tuberculosis",
    }
    assert concepts_of("PRE-MI XMIX") == set()
    assert concepts_of("hives") == {"urticaria"}  # and not HIV


def test_the_list_is_large_and_no_way_of_writing_names_two_concepts():
    known = concepts.load()  # raises where one does
    names = [name for name, _ in concepts.entries()]
    assert len(names) == len(set(names)) > 900
    for name, ways in concepts.entries():
        for way in (name, *ways):
            assert concepts_of(way) == {name}, way
    assert known.longest < 8


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=60), st.text(max_size=60))
def test_no_text_raises_and_shares_stay_shares(answer, reference):
    counts = texts.count(answer, reference, answer)
    for name in ("rouge_1", "rouge_2", "rouge_l"):
        assert 0 <= counts[name] <= 1
    assert counts["numbers_kept"] <= counts["numbers"]
    assert counts["numbers_added"] == 0  # the source has all that the answer says
    assert counts["negations_kept"] + counts["negations_turned"] <= counts["negations"]


@pytest.mark.parametrize("text", ["", "   \n", "。。。", "\x00", "### ", "5" * 400])
def test_texts_of_nothing(text):
    assert texts.count(text, "No fever for 3 days")["numbers"] == 1.0
    assert texts.count("No fever for 3 days", text)["rouge_l"] == 0.0
