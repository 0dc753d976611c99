import json
import random
import re

import pytest

from db.generating.grounding import GroundingRule, Lack, check, split_sentences
from tests.corpora import corpus

NOTE = (
    "A 64-year-old man presented with three days of fever and productive cough. He denies chest pain or "
    "haemoptysis. Temperature 38.6 C, heart rate 104 per minute, oxygen saturation 91 % on room air. Chest "
    "radiograph shows left lower lobe consolidation without effusion. He was started on amoxicillin 1 g "
    "every eight hours and clarithromycin 500 mg twice daily. No evidence of pulmonary embolism was seen on "
    "CT. Penicillin allergy was denied. White cells 15,200 per microlitre. Follow-up radiograph in six weeks."
)


@pytest.mark.parametrize(
    "answer",
    [
        "The chest radiograph shows left lower lobe consolidation.",
        "He has no chest pain.",
        "He was given amoxicillin 1 g every 8 hours.",
        "Clarithromycin 500 mg twice daily was started.",
        "CT shows no pulmonary embolism.",
        "Fever for 3 days; oxygen saturation 91%.",
        "No effusion is seen.",
        "He has no penicillin allergy.",
        "White cells were 15200 per microlitre.",
        "64-year-old man with fever and cough, left lower lobe consolidation, treated with amoxicillin.",
        "- amoxicillin 1 g\n- clarithromycin 500 mg",
        "1. fever\n2. productive cough",
        "Effusion: absent\nFever: present",
        "Haemoptysis was denied.",
    ],
)
def test_what_the_passage_says_is_supported(answer):
    found = check(answer, NOTE)
    assert (found.is_grounded, found.unchecked) == (True, 0)


@pytest.mark.parametrize(
    ("answer", "stretch", "lack"),
    [
        ("The chest radiograph shows right lower lobe consolidation.", "right", Lack.OPPOSITE),
        ("The man has chest pain.", "man has chest pain", Lack.DENIAL),
        ("CT shows a pulmonary embolism.", "CT shows a pulmonary embolism", Lack.DENIAL),
        ("The patient has penicillin allergy.", "patient has penicillin allergy", Lack.DENIAL),
        ("The man has no fever.", "man has no fever", Lack.DENIAL),
        ("He was given amoxicillin 2 g every 8 hours.", "2", Lack.NUMBER),
        ("He was given amoxicillin 1 mg every eight hours.", "1", Lack.NUMBER),
        ("A follow-up radiograph is due in six months.", "six", Lack.NUMBER),
        ("The heart rate was 91 per minute.", "91", Lack.NUMBER),
        ("He had fever of 39.6 C.", "39.6", Lack.NUMBER),
        ("The cause is Streptococcus pneumoniae.", "Streptococcus pneumoniae", Lack.WORDS),
        ("Treatment was doxycycline.", "doxycycline", Lack.WORDS),
        ("Clarithromycin amoxicillin consolidation cough fever man.", None, Lack.ORDER),
    ],
)
def test_what_it_does_not_say_is_shown_by_place_and_reason(answer, stretch, lack):
    found = check(answer, NOTE)
    assert not found.is_grounded
    places = [(answer[one.start : one.end], one.lack) for one in found.unsupported]
    if stretch is None:
        assert lack in [why for _, why in places]
    else:
        assert any(stretch in text and why is lack for text, why in places)


def test_swapped_measurements_are_seen():
    found = check("Heart rate 38.6, temperature 104.", NOTE)
    assert [one.lack for one in found.unsupported] == [Lack.NUMBER, Lack.NUMBER]


def test_each_sentence_says_where_it_comes_from():
    found = check("He denies chest pain. Follow-up radiograph in six weeks.", NOTE)
    first, second = found.sentences
    assert [NOTE[start:end] for start, end in first.sources] == ["He denies chest pain or haemoptysis."]
    assert any("six weeks" in NOTE[start:end] for start, end in second.sources)


@pytest.mark.parametrize("answer", ["Yes.", "Not stated.", "no", ""])
def test_an_answer_without_content_words_is_not_called_wrong_but_unchecked(answer):
    found = check(answer, NOTE)
    assert found.is_grounded
    assert found.unchecked == bool(answer)


def test_labels_that_the_instruction_asks_for_need_no_support():
    asked = "List each drug as DRUG: name and each symptom as SYMPTOM: name."
    answer = "DRUG: amoxicillin\nDRUG: clarithromycin\nSYMPTOM: fever"
    assert check(answer, NOTE, instruction=asked).is_grounded
    assert not check("MEDICINE: aspirin", NOTE, instruction=asked).is_grounded


def test_the_bounds_are_the_curators():
    answer = "The radiograph shows dense left lower lobe consolidation typical of bacteria."
    assert not check(answer, NOTE, GroundingRule(coverage=0.9)).is_grounded
    assert check(answer, NOTE, GroundingRule(coverage=0.5)).is_grounded


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"coverage": 1.1}, "coverage"),
        ({"coverage": "0.6"}, "coverage"),
        ({"order": float("nan")}, "order"),
        ({"sentences": 0}, "sentences"),
        ({"sentences": True}, "sentences"),
    ],
)
def test_bounds_that_make_no_sense_are_refused_by_name(values, field):
    with pytest.raises(ValueError, match=f"^{field}:"):
        GroundingRule(**values)


def test_sentences_end_where_a_reader_says_so():
    text = "Dose is 2.5 mg, e.g. Twice daily. See Dr. Who vs. placebo! \n\n - Next line\n 3. third 5 mg"
    assert [text[start:end] for start, end in split_sentences(text)] == [
        "Dose is 2.5 mg, e.g. Twice daily.",
        "See Dr. Who vs. placebo!",
        "Next line",
        "third 5 mg",
    ]


def test_every_passage_supports_itself():
    assert check(NOTE, NOTE).is_grounded
    assert all(sentence.coverage == 1 for sentence in check(NOTE, NOTE).sentences)


@pytest.mark.parametrize(
    "text", ["1" * 20_000, "no " * 6_000, "a. " * 6_000, "\n" * 20_000, "9." * 10_000, ";" * 20_000]
)
def test_odd_texts_are_checked_without_an_error(text):
    assert check(text, text) is not None
    assert check(text, NOTE) is not None


# On real abstracts ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def abstracts() -> list[tuple[str, str]]:
    """Abstracts of PubMedQA, each with one longer sentence of it."""
    rows = json.loads(corpus("pubmedqa", "ori_pqal.json").read_text(encoding="utf-8"))
    rng, chosen = random.Random(0), []
    for row in list(rows.values())[:200]:
        text = "\n".join(row["CONTEXTS"])
        sentences = [text[start:end] for start, end in split_sentences(text) if end - start > 60]
        if sentences:
            chosen.append((text, rng.choice(sentences)))
    assert len(chosen) > 190
    return chosen


def passing(pairs) -> float:
    found = [check(answer, passage).is_grounded for passage, answer in pairs]
    assert len(found) > 50
    return sum(found) / len(found)


def test_a_sentence_of_an_abstract_is_supported_by_it(abstracts):
    assert passing(abstracts) > 0.99


def test_a_sentence_of_another_abstract_is_not(abstracts):
    moved = abstracts[7:] + abstracts[:7]
    assert (
        passing((passage, answer) for (passage, _), (_, answer) in zip(abstracts, moved, strict=True)) < 0.01
    )


def test_a_changed_number_is_seen(abstracts):
    def changed(answer: str) -> str | None:
        number = re.search(r"\b\d+(?:\.\d+)?\b", answer)
        if number is None:
            return None
        return f"{answer[: number.start()]}{float(number[0]) * 1.3 + 1:.1f}{answer[number.end() :]}"

    pairs = [(passage, other) for passage, answer in abstracts if (other := changed(answer))]
    assert passing(pairs) < 0.05


def test_an_added_denial_is_seen_nine_times_in_ten(abstracts):
    def denied(answer: str) -> str | None:
        if re.search(r"\bno[t]?\b", answer):
            return None
        found = re.sub(r"\b(was|were|is|are)\b", r"\1 not", answer, count=1)
        return found if found != answer else None

    pairs = [(passage, other) for passage, answer in abstracts if (other := denied(answer))]
    assert passing(pairs) < 0.15
