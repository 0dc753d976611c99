"""Expected facts are looked for as strings: numbers and units in any spelling, words next to each other."""

import pytest

from db import expected


@pytest.mark.parametrize(
    ("fact", "answer"),
    [
        ("levothyroxine 75 micrograms", "| Levothyroxine | 75 mcg | daily |"),
        ("levothyroxine 75 micrograms", "Levothyroxine 75µg each morning."),
        ("1204 adults", "In 1,204 adults with heart failure"),
        ("2.5 mg", "apixaban 2.50 milligrams twice daily"),
        ("31 mL/min", "The clearance is about 31 ml per min, or 31 mL / min."),
        ("54%", "FEV1 is 54 percent of predicted"),
        ("subarachnoid haemorrhage | subarachnoid hemorrhage", "1. Subarachnoid Hemorrhage"),
        ("86/48", "blood pressure 86/48 mmHg"),
        ("her2 negative", '{"her2": "negative"}'),
        ("size mm 23", '{"size_mm": 23}'),
        ("PKD1", "pkd1 | autosomal dominant polycystic kidney disease"),
    ],
)
def test_a_fact_is_found_however_its_numbers_and_units_are_written(fact, answer):
    assert expected.check([fact], answer) == [expected.Fact(fact, True)]


@pytest.mark.parametrize(
    ("fact", "answer"),
    [
        ("5 mg", "amlodipine 2.5 mg"),
        ("5 mg", "amlodipine 15 mg"),
        ("75 micrograms", "levothyroxine 75 milligrams"),
        ("rash", "he was rushed, with trash everywhere"),
        ("calcium gluconate", "calcium, then gluconate"),
        ("PKD1", "PKD10"),
        ("0.65 to 1.30", "0.65 to 1.31"),
    ],
)
def test_a_near_miss_is_missing(fact, answer):
    assert expected.check([fact], answer) == [expected.Fact(fact, False)]


def test_it_is_honest_about_what_it_does_not_see():
    assert expected.count(["rash"], "There was no rash.") == 1
    assert expected.count(["high blood pressure"], "hypertension") == 0
    assert "denial" in expected.CAUTION


def test_a_fact_that_cannot_be_looked_for_is_refused():
    assert expected.clean(["  bone  marrow ", "", "bone marrow"]) == ("bone marrow",)
    with pytest.raises(ValueError, match=r"^expected: '\?\?' holds neither"):
        expected.clean(["??"])
    with pytest.raises(ValueError, match=r"^expected: a fact has 201 characters"):
        expected.clean(["a" * 201])
