"""What two answers say differently where it matters, case by case as a clinician would read them."""

import sys

import pytest

from db import clinical_diff
from db.clinical import statements, terms
from db.clinical.denials import Status
from db.clinical.quantities import amounts
from db.clinical_diff import Kind, cue, differences, strays


def told(*texts) -> set[tuple]:
    """(kind, about) of every contradiction."""
    return {(one.kind.value, one.about) for one in differences(texts) if one.differs}


def silent(*texts) -> set[tuple]:
    """(kind, about) of what only some answers say."""
    return {(one.kind.value, one.about) for one in differences(texts) if not one.differs}


SAME_DOSE = [
    ("Give metformin 500 mg twice daily.", "Start metformin 0.5 g bid."),
    ("Digoxin 125 mcg daily.", "Digoxin 0.125 mg once a day."),
    ("Digoxin 125 µg od", "Digoxin 125 micrograms every day"),
    ("Levothyroxine 50 μg daily", "Levothyroxine 0.05 mg daily"),
    ("Amoxicillin 500 mg three times a day", "amoxicillin 500 mg TDS"),
    ("Amoxicillin 500 mg every 8 hours", "Amoxicillin 500 mg q8h"),
    ("Paracetamol 1 g every 6 hours", "Acetaminophen 1,000 mg qid"),
    ("Paracetamol 1 g every 4-6 hours", "Paracetamol 1000 mg every 4 to 6 hours"),
    ("Metformin 1 g/day", "Metformin 500 mg every 12 hours"),
    ("Metformin 1 g daily in 2 divided doses", "Metformin 500 mg b.i.d."),
    ("Methotrexate 15 mg once weekly", "Methotrexate 15 mg per week"),
    ("Vancomycin 15 mg/kg IV every 12 hours", "vancomycin 15 mg per kg intravenously q12h"),
    ("500 mg of metformin twice daily", "Metformin: 500 mg, twice a day"),
    ("Give two 500 mg tablets of paracetamol", "Paracetamol 1 g"),
    ("Enoxaparin 1 mg/kg twice daily", "Enoxaparin 1 mg/kg bd"),
    ("Prednisolone 40 mg in the morning", "Prednisolone 40 mg once daily"),
    ("Benzathine penicillin G 2.4 million units IM as a single dose",
     "Benzathine penicillin G 2,400,000 units IM, single dose"),
    ("Metformin 0,5 g bid", "Metformin 500 mg bid"),
    ("Amoxicillin-clavulanate 875/125 mg bid", "Co-amoxiclav 875/125 mg twice daily"),
    ("Start ramipril. The dose is 2.5 mg daily.", "Ramipril 2.5 mg daily"),
]  # fmt: skip

OTHER_DOSE = [
    ("Digoxin 125 mcg daily", "Digoxin 125 mg daily", "digoxin", "other dose"),
    ("Methotrexate 15 mg once weekly", "Methotrexate 15 mg daily", "methotrexate", "other frequency"),
    ("Metformin 500 mg bid", "Metformin 850 mg bid", "metformin", "other dose"),
    ("Metformin 500 mg bid", "Metformin 500 mg tid", "metformin", "other frequency"),
    ("Metformin 1.5 g/day", "Metformin 500 mg bid", "metformin", "other dose"),
    ("Adrenaline 0.5 mg IM", "Epinephrine 0.5 mg IV", "adrenaline", "other way of giving"),
    ("Paracetamol 15 mg/kg", "Paracetamol 1.5 mg/kg", "paracetamol", "other dose"),
    ("Insulin glargine 10 units at bedtime", "Insulin glargine 100 units at bedtime",
     "insulin glargine", "other dose"),
    ("Amoxicillin 500-1000 mg tid", "Amoxicillin 250-500 mg tid", "amoxicillin", "other dose"),
    ("Co-amoxiclav 875/125 mg bid", "Co-amoxiclav 500/125 mg bid", "amoxicillin-clavulanate", "other dose"),
    ("Aspirin 300 mg once daily", "Aspirin 300 mg as a single dose", "aspirin", "other frequency"),
]  # fmt: skip


@pytest.mark.parametrize(("one", "other"), SAME_DOSE)
def test_the_same_dose_in_other_words_is_no_difference(one, other):
    assert differences([one, other]) == []


@pytest.mark.parametrize(("one", "other", "drug", "note"), OTHER_DOSE)
def test_another_dose_of_one_drug_is_a_contradiction(one, other, drug, note):
    (found,) = [each for each in differences([one, other]) if each.kind is Kind.DOSE]
    assert (found.about, found.note, found.differs) == (drug, note, True)
    for text, part in zip((one, other), found.parts, strict=True):
        assert [text[start:end] for start, end in part.spans] == [part.words.split(", ")[0]]


def test_a_dose_that_says_how_often_beside_one_that_does_not_is_no_contradiction():
    assert told("Metformin 500 mg", "Metformin 500 mg twice daily") == set()
    assert silent("Metformin 500 mg", "Metformin 500 mg twice daily") == {("dose", "metformin")}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Take 2 tablets of paracetamol", "Take paracetamol 1 g"),  # how strong the tablet is, nobody said
        ("Paracetamol 1 g, maximum 4 g per day", "Paracetamol 1 g"),
        (
            "Glucose 7.0 mmol/L",
            "Glucose 126 mg/dL",
        ),  # the same by the substance's weight, which is not known here
        ("Potassium chloride 40 mEq", "Potassium chloride 40 mmol"),
    ],
)
def test_what_cannot_be_compared_is_never_called_a_contradiction(one, other):
    assert told(one, other) == set()


def test_a_dose_within_the_range_of_the_other_is_no_contradiction():
    assert told("Adrenaline 500 micrograms IM", "Epinephrine 0.3-0.5 mg IM") == set()
    assert told("Return if fever lasts 48-72 hours", "Return if fever lasts 3 days") == set()
    assert told("Adrenaline 1 mg IM", "Epinephrine 0.3-0.5 mg IM") == {("dose", "adrenaline")}


def test_the_frequency_of_one_drug_is_not_that_of_the_next():
    one = "Give co-amoxiclav 875/125 mg twice daily plus azithromycin 500 mg on day 1."
    assert told(one, "Azithromycin 500 mg on day 1.") == set()


def test_a_unit_of_one_letter_ends_its_sentence():
    text = "Potassium 5.9 mmol/L. No fever. Give ceftriaxone 1 g. Temperature 38.5 °C. Cough."
    read = statements.read(text)
    assert [(one.name, one.status) for one in read.findings][-1] == ("cough", Status.AFFIRMED)
    assert [one.about for one in read.numbers] == ["potassium", "body temperature"]


@pytest.mark.parametrize(
    "text",
    ["1" * 9_000, "1," * 3_000, "1/" * 3_000, "٣ mg ½ ⁹ ² 𝟓 mg", "0/0 mg", "every 0 hours", "1 mg/0 kg"],
)
def test_no_text_is_too_strange_to_be_read(text):
    assert differences([f"Give aspirin {text} every 0 hours", f"aspirin {text}"]) is not None


def test_of_two_drugs_in_a_sentence_each_keeps_its_dose():
    one = "Aspirin 75 mg and clopidogrel 75 mg daily"
    other = "Aspirin 75 mg and clopidogrel 300 mg daily"
    assert told(one, other) == {("dose", "clopidogrel")}


def test_a_titration_that_one_answer_adds_is_no_contradiction():
    one = "Start lisinopril 10 mg daily."
    other = "Start lisinopril 10 mg daily, then lisinopril 20 mg daily."
    assert told(one, other) == set()
    assert silent(one, other) == {("dose", "lisinopril")}


def test_a_drug_that_only_one_names_stands_apart_with_its_dose():
    (found,) = differences(["Give aspirin 300 mg.", "Give nothing yet."])
    assert (found.kind, found.about, found.differs) == (Kind.DRUG, "aspirin", False)
    assert [part.words for part in found.parts] == ["aspirin; 300 mg", ""]


def test_brand_and_generic_american_and_british_names_are_one_drug():
    assert differences(["Give Tylenol.", "Give paracetamol."]) == []
    assert differences(["Use albuterol.", "Use salbutamol."]) == []
    assert differences(["Give magnesium sulfate.", "Give magnesium sulphate."]) == []


def test_a_drug_of_no_list_is_known_by_its_stem():
    assert silent("Give zorbitinib.", "Wait.") == {("drug", "zorbitinib")}
    assert terms.drugs("This concept is not accepted, except at noon.") == []


def test_a_drug_that_only_names_a_disease_is_not_given():
    assert terms.drugs("heparin-induced thrombocytopenia and vancomycin-resistant enterococci") == []


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Give aspirin.", "Avoid aspirin."),
        ("Enoxaparin is given once warfarin is stopped.", "Enoxaparin bridging is not recommended."),
        ("Give aspirin.", "Do not give aspirin."),
        ("Continue metformin.", "Stop metformin."),
        ("Warfarin is recommended.", "Warfarin is contraindicated in pregnancy."),
        ("Warfarin is recommended.", "Warfarin is not recommended."),
        ("Do not stop bisoprolol.", "Stop bisoprolol."),
        ("Metformin should not be stopped.", "Metformin should be stopped."),
    ],
)
def test_a_drug_given_here_and_advised_against_there_is_a_contradiction(one, other):
    assert ("denial", statements.read(one).drugs[0].name) in told(one, other)


DENIALS = [
    ("No fever, chills, night sweats, weight loss, cough or haemoptysis.", "haemoptysis", Status.DENIED),
    ("Fever was absent.", "fever", Status.DENIED),
    ("He has fever but no cough.", "fever", Status.AFFIRMED),
    ("He has fever but no cough.", "cough", Status.DENIED),
    ("Denies chest pain; reports cough.", "cough", Status.AFFIRMED),
    ("The patient does not have asthma.", "asthma", Status.DENIED),
    ("No evidence of pneumonia.", "pneumonia", Status.DENIED),
    ("Pneumonia was ruled out.", "pneumonia", Status.DENIED),
    ("Rule out pneumonia.", "pneumonia", Status.UNSURE),
    ("Pneumonia cannot be excluded.", "pneumonia", Status.UNSURE),
    ("We cannot rule out pneumonia.", "pneumonia", Status.UNSURE),
    ("No change in cough.", "cough", Status.AFFIRMED),
    ("Not only fever but also cough.", "fever", Status.AFFIRMED),
    ("Risk of bleeding.", "bleeding", Status.UNSURE),
    ("Monitor for bleeding.", "bleeding", Status.UNSURE),
    ("Mother had asthma.", "asthma", Status.UNSURE),
    ("The patient is afebrile.", "fever", Status.DENIED),
    ("Fever: no.", "fever", Status.DENIED),
    ("Pneumonia without pleural effusion.", "pneumonia", Status.AFFIRMED),
    ("Without fever or cough.", "cough", Status.DENIED),
    ("No fever, BP 120/80, cough.", "cough", Status.AFFIRMED),
]  # fmt: skip


@pytest.mark.parametrize(("text", "finding", "status"), DENIALS)
def test_a_finding_is_affirmed_denied_or_neither(text, finding, status):
    assert [one.status for one in statements.read(text).findings if one.name == finding] == [status]


def test_a_finding_affirmed_here_and_denied_there_is_a_contradiction():
    assert told("The patient has fever.", "There is no fever.") == {("denial", "fever")}
    assert told("Suspect pneumonia.", "There is no pneumonia.") == set()
    assert silent("There is no fever.", "The skin is warm.") == {("denial", "fever")}
    assert told("Yes, that is safe.", "No, that is not safe.") == {("denial", "yes or no")}


@pytest.mark.parametrize(
    ("one", "other", "found"),
    [
        ("Potassium 5.9 mmol/L", "Potassium of 4.9 mmol/L", {("number", "potassium")}),
        ("Amoxicillin for 5 days", "Amoxicillin for 7 days", {("number", "amoxicillin")}),
        ("Amoxicillin for 7 days", "Amoxicillin for 1 week", set()),
        ("Fever of 38.5 °C", "Fever of 101.3 °F", set()),
        ("Haemoglobin 9 g/dL", "Hemoglobin 90 g/L", set()),
        ("Blood pressure 140/90 mmHg", "BP 130/80", {("number", "blood pressure")}),
        ("A 65-year-old man", "A 56-year-old man", {("number", "age")}),
        ("Potassium above 5.5 mmol/L", "Potassium below 5.5 mmol/L", {("number", "potassium")}),
        ("Oxygen saturation at least 94 %", "Oxygen saturation ≥ 94%", set()),
        ("Platelets 150 x 10^9/L", "Platelets 150 ×10⁹/L", set()),
    ],
)
def test_other_numbers_are_compared_by_what_they_count(one, other, found):
    assert told(one, other) == found


def test_numbers_in_names_are_no_quantities():
    text = "CYP2C19, COVID-19, IL-6, vitamin B12 and an eGFR of 45 mL/min/1.73 m2"
    assert [text[one.start : one.end] for one in amounts(text)] == ["45 mL/min"]


def test_three_answers_are_set_beside_each_other():
    found = differences(["Metformin 500 mg bid", "Metformin 500 mg bid", "Metformin 850 mg bid"])
    assert [(one.about, [part.words for part in one.parts]) for one in found] == [
        ("metformin", ["500 mg bid", "500 mg bid", "850 mg bid"])
    ]
    assert "disagree on 1 dose. Check each against" in cue(found, ["", "", ""], has_passage=True)


def test_what_the_passage_does_not_hold_is_found_by_kind():
    passage = "She takes metformin 500 mg twice daily. Potassium 5.9 mmol/L."
    answer = "Metformin 0.5 g bid. Potassium is 5.9. Add amlodipine 5 mg; recheck in 2 weeks."
    found = strays(answer, passage)
    assert [(one.kind, answer[one.start : one.end]) for one in found] == [
        (Kind.DRUG, "amlodipine"),
        (Kind.DOSE, "5 mg"),
        (Kind.NUMBER, "2 weeks"),
    ]


def test_the_cue_counts_contradictions_and_calls_agreement_no_proof():
    one = "Metformin 500 mg bid and aspirin 75 mg. No fever."
    other = "Metformin 850 mg bid and aspirin 300 mg. Fever is present."
    found = differences([one, other])
    assert cue(found, [one, other], has_passage=True) == (
        "The answers disagree on 2 doses and 1 negation. Check both against the source."
    )
    agreed = cue([], [one, one], has_passage=False)
    assert "That is no proof" in agreed
    assert "a source you trust" in agreed
    assert "cannot tell whether they agree" in cue([], ["Be well.", "Rest."], has_passage=False)


def test_places_are_characters_of_the_text_whatever_stands_before_them():
    one = "𝛽-blocker: give bisoprolol 2.5 mg daily 😀 for 5 days"
    (found,) = differences([one, "Give bisoprolol 5 mg daily for 5 days"])
    assert [one[start:end] for start, end in found.parts[0].spans] == ["2.5 mg daily"]


def test_a_very_long_text_is_read_in_time_that_grows_with_its_length():
    """Denials, doses and phrases look at what is near: twice the text is about twice the work."""
    sentence = "No fever; give metformin 500 mg twice daily for 7 days and potassium 5.9 mmol/L. "
    steps = [_steps(sentence * count) for count in (20, 40)]
    assert steps[1] < 2.6 * steps[0]


def _steps(text: str) -> int:
    """How many Python function calls reading takes: no clock, so a busy machine changes nothing."""
    count = 0

    def tick(*_):
        nonlocal count
        count += 1

    sys.setprofile(tick)
    try:
        statements.read.__wrapped__(text)
    finally:
        sys.setprofile(None)
    return count


def test_no_way_of_writing_names_two_drugs():
    assert terms.drugs("metformin")[0].name == "metformin"  # reading the lists raises where one does
    assert clinical_diff.differences(["", ""]) == []
