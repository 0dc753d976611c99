"""What counts as an identifier of a person, and what does not. Every person and number here is invented.

In a row of IDENTIFIERS, ⟦ and ⟧ stand around the very characters that must be found, and nothing else may be.
"""

import json
import os
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from db import samples
from db.checks import phi
from db.checks.phi import Kind
from db.checks.phi.span import fold

IDENTIFIERS = [
    # dates
    (Kind.DATE, "She was born on ⟦12 March 1961⟧ and lives alone."),
    (Kind.DATE, "DOB ⟦03/11/1958⟧, allergic to penicillin."),
    (Kind.DATE, "Admitted ⟦2024-02-17⟧ with sepsis."),
    (Kind.DATE, "He was seen in clinic on ⟦March 3rd, 2023⟧ with a new tremor."),
    (Kind.DATE, "Discharged on the ⟦21st of July 2022⟧ on apixaban 5 mg."),
    (Kind.DATE, "Blood taken ⟦14.09.2021⟧: potassium 5.9 mmol/L."),
    (Kind.DATE, "Date of operation: ⟦7-Aug-2020⟧, right hemicolectomy."),
    (Kind.DATE, "Seen ⟦4/5/21⟧, review in 6 weeks."),
    (Kind.DATE, "She was admitted on ⟦14 March⟧ with chest pain."),
    (Kind.DATE, "Died in ⟦November 2019⟧ of heart failure."),
    (Kind.DATE, "Result timed ⟦2023-05-01T08:30Z⟧, troponin 41 ng/L."),
    # ages
    (Kind.AGE, "A ⟦92-year-old⟧ woman fell at home."),
    (Kind.AGE, "This man, ⟦aged 97⟧, takes bisoprolol 2.5 mg."),
    (Kind.AGE, "Patient is ⟦101 years old⟧ and walks with a frame."),
    (Kind.AGE, "⟦93yo⟧ with a fractured neck of femur."),
    (Kind.AGE, "A ⟦ninety-four-year-old⟧ retired teacher is confused."),
    (Kind.AGE, "⟦Age: 95⟧. Sex: F. Weight 48 kg."),
    # telephones
    (Kind.PHONE, "Ring the daughter on ⟦01632 960456⟧ tonight."),
    (Kind.PHONE, "Reach him at ⟦(415) 555-0132⟧ after five."),
    (Kind.PHONE, "Her number is ⟦212-555-0178⟧."),
    (Kind.PHONE, "Contact ⟦+44 7700 900123⟧ for results."),
    (Kind.PHONE, "Mobile: ⟦07700 900 987⟧; no landline."),
    (Kind.PHONE, "Next of kin, tel. ⟦5550 1234⟧, speaks Polish."),
    (Kind.PHONE, "Fax ⟦617.555.0143⟧ the letter to the surgery."),
    (Kind.PHONE, "Rappeler le patient au ⟦+33 6 39 98 12 34⟧."),
    # addresses in the net
    (Kind.EMAIL, "Write to ⟦demo.daughter@ward7.example⟧ with any change."),
    (Kind.EMAIL, "⟦j_o'leary+labs@mail.hospital.nhs.uk⟧ asked for a copy.".replace("o'", "o")),
    (Kind.URL, "Photographs at ⟦https://photos.my-family.net/album?id=77⟧."),
    (Kind.URL, "She writes a diary on ⟦www.my-sarcoma-year.blog⟧ every week."),
    (Kind.IP, "The portal was last opened from ⟦192.168.44.17⟧."),
    (Kind.IP, "Telemetry came from ⟦2001:db8:85a3::8a2e:370:7334⟧."),
    # postal addresses
    (Kind.ADDRESS, "He lives at ⟦14 Sample Street⟧ with his brother."),
    (Kind.ADDRESS, "Home visit to ⟦221B Baker Street⟧ was declined."),
    (Kind.ADDRESS, "Postcode ⟦SW1A 1AA⟧, lives on the third floor."),
    (Kind.ADDRESS, "Moved to Springfield, ⟦IL 62704⟧ last spring."),
    (Kind.ADDRESS, "Letters go to ⟦P.O. Box 4711⟧, not to the flat."),
    (Kind.ADDRESS, "Wohnhaft ⟦Musterstraße 12⟧, dritter Stock."),
    # numbers behind a label
    (Kind.RECORD, "MRN ⟦1234567⟧, ward 7."),
    (Kind.RECORD, "Hosp no. ⟦A123456⟧. Known COPD."),
    (Kind.RECORD, "Hospital number: ⟦RX-00-4471⟧, seen today."),
    (Kind.RECORD, "Medical record # ⟦88-12-345⟧ was reviewed."),
    (Kind.RECORD, "Patient ID ⟦P004512⟧ withdrew consent."),
    (Kind.ACCOUNT, "Insurance policy no. ⟦QX-7781-2290⟧ covers the stay."),
    (Kind.ACCOUNT, "Member ID: ⟦W1234 56789⟧, group plan."),
    (Kind.ACCOUNT, "She paid with ⟦4111 1111 1111 1111⟧ at the desk."),
    (Kind.ACCOUNT, "Refund to ⟦GB82 WEST 1234 5698 7654 32⟧ please."),
    (Kind.NATIONAL, "SSN ⟦536-90-4399⟧ on the form."),
    (Kind.NATIONAL, "NHS number ⟦943 476 5919⟧ confirmed.".replace("NHS number", "Spine match")),
    (Kind.NATIONAL, "His insurance record shows ⟦AB 12 34 56 C⟧."),
    (Kind.NATIONAL, "Medicare beneficiary ⟦1EG4-TE5-MK73⟧ since last year."),
    (Kind.NATIONAL, "Passport number ⟦X1234567⟧ was copied."),
    (Kind.NATIONAL, "DNI ⟦12345678Z⟧, vive sola."),
    (Kind.NATIONAL, "Codice fiscale ⟦RSSMRA85T10A562S⟧ in cartella."),
    (Kind.VEHICLE, "Licence plate ⟦AB12 345⟧ was seen at the crash."),
    (Kind.VEHICLE, "The car, VIN ⟦1M8GDM9AXKP042788⟧, was written off."),
    (Kind.DEVICE, "Pacemaker serial no. ⟦PJN412233S⟧, implanted years ago."),
    # other scripts
    (Kind.PHONE, "هاتف المريض ⟦٠٧٧٠٠٩٠٠١٢٣⟧ للاتصال"),
    (Kind.DATE, "تاريخ الميلاد ⟦١٢/٠٣/١٩٦١⟧ في بغداد"),
    (Kind.DATE, "תאריך לידה: ⟦12/03/1961⟧, גבר"),
    (Kind.DATE, "患者は⟦2021/03/12⟧に入院した。"),
    (Kind.PHONE, "Téléphone de l’épouse : ⟦+33 6 39 98 45 67⟧ – joignable"),
    (Kind.EMAIL, "🩺 Ответ на ⟦ivan.p@klinika.example⟧, срочно"),
    (Kind.DATE, "Née le ⟦12‑03‑1961⟧ à Lyon"),  # non-breaking hyphens
]

NO_IDENTIFIERS = [
    "The trial is registered as NCT01234567 and ISRCTN12345678.",
    "EudraCT 2015-001234-56 was amended twice.",
    "See PMID: 12345678 and PMC7654321 for the cohort.",
    "doi:10.1001/jama.2020.12839 reports the subgroup.",
    "The GJB2 variant c.35delG is common; p.V600E is in BRAF.",
    "rs429358 and rs7412 define the APOE alleles.",
    "Chromosome position chr17:41244936G>A (GRCh37) was called.",
    "NM_004004.6:c.109G>A, NP_003995.2:p.(Val37Ile).",
    "ENSG00000139618 maps to 13q13.1.",
    "Blood pressure 120/80 mmHg, pulse 72/min, SpO2 98%.",
    "Potassium 5.9 mmol/L, creatinine 142 umol/L, eGFR 38 mL/min/1.73 m2.",
    "Platelets 150,000 to 400,000 per microlitre are normal.",
    "Take amoxicillin 500 mg three times daily for 7 days.",
    "Co-careldopa 25/100 three times a day, at 07:30, 12:30 and 18:00.",
    "Symptoms began 2 weeks ago and grew worse over 3 days.",
    "The 2019 guideline replaced the one of 2007.",
    "Between 1998 and 2005, 12,345 births were recorded.",
    "A 67-year-old man with type 2 diabetes.",
    "Adults aged 90 or over were excluded.",
    "People over 90 years old need a lower dose.",
    "Participants were aged 65 to 95 years.",
    "The mean age of 91 patients was not reported.",
    "At a median age of 92, frailty is common.",
    "Store at 90 days; aged 95 days mice were used.",
    "ICD-10 code E11.9 and SNOMED CT 44054006 both apply.",
    "LOINC 2345-7 is glucose; CPT 99213 is an office visit.",
    "EC 3.4.21.4 is trypsin; CAS 50-78-2 is aspirin.",
    "HLA-A*02:01:01 was typed; HPV types 6/11/16 were found.",
    "CD4 350 cells/mm3, viral load 1,250,000 copies/mL.",
    "Visual acuity 6/9 right, 6/12 left.",
    "Pain score 7/10; GCS 15/15; Apgar 9/10.",
    "The FDA approved the drug on 5 June 2015.",
    "Last updated 3 May 2021; accessed 12 June 2022.",
    "On 11 March 2020, the World Health Organization spoke of a pandemic.",
    "N Engl J Med 2021;384(5):403-416.",
    "We searched MEDLINE from inception to 31 December 2020.",
    "Call 1-800-422-6237 or NHS 111; in an emergency 999.",
    "More at https://www.nhs.uk/conditions/asthma/ and https://doi.org/10.1056/NEJMoa2034577.",
    "Version 1.2.3.4 of the software; build 10.4.1.",
    "IL-6, TNF-alpha, BRCA1, TP53 and HER2 were measured.",
    "OMIM 219700, Orphanet ORPHA:586, HP:0001250.",
    "p < 0.001, OR 1.45 (95% CI 1.20-1.75), n = 1,204.",
    "T 38.1, RR 22, BP 98/61, HR 118, GCS 14, urine 20 mL/h.",
    "The primer 5'-ACGTACGTTAGC-3' anneals at 58 degrees.",
    "MKTAYIAKQRQISFVKSHFSRQLEERLGLIEVQAPILSRVGDGTQDNLSGAEKAVQVKVKALPDAQFEVV",
    "UniProt P04637 and GenBank AB123456.1 were aligned.",
    "Give 1 L of 0.9% sodium chloride over 8 hours, then 125 mL/h.",
    "The hospital has 450 beds and sees 120,000 patients a year.",
    "Her mother died of breast cancer at 46.",
    "Chapter 4, section 2.10.3, table 12-1.",
    "He may walk 10 metres; march fracture of the 2nd metatarsal.",
    "المريض يعاني من ارتفاع ضغط الدم ١٤٠/٩٠",
    "患者血压120/80，心率72次/分。",
    "GSE12345 and PRJNA123456 hold the reads.",
    "A dose of 100 200 1000 mg was escalated in cohorts.",
    "",
]


def unmarked(marked: str) -> tuple[str, int, int]:
    """The text without its marks, and where they stood."""
    start, end = marked.index("⟦"), marked.index("⟧") - 1
    return marked.replace("⟦", "").replace("⟧", ""), start, end


def test_the_tables_are_long_enough_to_mean_something():
    assert len(IDENTIFIERS) >= 40
    assert len(NO_IDENTIFIERS) >= 40


@pytest.mark.parametrize(("kind", "marked"), IDENTIFIERS)
def test_an_identifier_is_found_to_the_character(kind, marked):
    text, start, end = unmarked(marked)
    found = [(span.start, span.end, span.kind) for span in phi.find(text)]
    assert found == [(start, end, kind)], [text[span.start : span.end] for span in phi.find(text)]


@pytest.mark.parametrize("text", NO_IDENTIFIERS)
def test_what_only_looks_like_one_is_let_through(text):
    assert [(text[span.start : span.end], span.kind) for span in phi.find(text)] == []


def test_offsets_hold_behind_characters_of_every_width():
    before = "🧬 ıİßﬁ ͏é ‏שלום‎ \u00a0"
    text = f"{before}MRN 1234567"
    (span,) = phi.find(text)
    assert text[span.start : span.end] == "1234567"
    assert len(fold(text)) == len(text)


def test_every_identifier_of_a_letter_is_found():
    letter = (
        "Discharge letter. Patient: Ms Example Patient, MRN 0004411, born 01/01/1932, of 1 Sample Street. "
        "This 93-year-old was brought in on 3 March 2025. Ring 01632 960456 or write to d.d@example.org. "
        "BP 120/80, potassium 4.1 mmol/L, co-careldopa 25/100. Review in 6 weeks."
    )
    found = [letter[span.start : span.end] for span in phi.find(letter)]
    assert found == [
        "0004411",
        "01/01/1932",
        "1 Sample Street",
        "93-year-old",
        "3 March 2025",
        "01632 960456",
        "d.d@example.org",
    ]


def test_spans_that_overlap_become_one():
    text = "NHS number 943 476 5919."
    (span,) = phi.find(text)
    assert text[span.start : span.end] == "943 476 5919"


# The pre-screen -----------------------------------------------------------------------------------------

PIECES = st.sampled_from(
    [
        *(unmarked(marked)[0] for _, marked in IDENTIFIERS),
        *NO_IDENTIFIERS,
        *("MRN", "born", "www.", "://", "@", "ninety", "one hundred", "year-old", "http", "Straße 4"),
        *("٤٢", "𝟗𝟐", "９２", "aged", "Tel:", "chr", "rs"),
    ]
)
TEXTS = st.one_of(
    st.text(),
    st.text("0123456789/-.:@ abcMRN\u0661\uff19\u200f\u2011", max_size=40),
    st.lists(st.one_of(PIECES, st.text(max_size=8)), max_size=6).map("".join),
    st.builds(lambda text, drop: "".join(c for c in text if c not in drop), PIECES, st.text("0123456789@:.")),
)


@given(TEXTS)
@example("ＷＷＷ.abc.de")
@example("a＠b.de")
def test_the_pre_screen_skips_only_texts_in_which_the_full_check_finds_nothing(text):
    found = phi.find(text)
    assert phi.may_hold(text) or not found
    for one, next_one in pairwise(found):
        assert one.end <= next_one.start
    assert all(0 <= span.start < span.end <= len(text) for span in found)


def test_the_pre_screen_lets_plain_prose_pass_and_stops_at_a_digit():
    assert not phi.may_hold("Explain what asthma is, in plain words.")
    assert phi.may_hold("Explain asthma in 3 sentences.")


# Long texts ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "unit",
    [
        "a",
        "1",
        "1 ",
        "1-",
        "1.",
        "a.",
        "a@",
        "A1",
        "0",
        "(1",
        "x://",
        "a:",
        "12/",
        "Aa ",
        "MRN ",
        "ninety ",
        "\u0661",
        "MRN 1234567 NCT01234567 ",
    ],
)
def test_a_hundred_thousand_characters_take_seconds_whatever_they_are(unit):
    text = (unit * 100_000)[:100_000]
    phi.find("warm 1234567")
    begun = time.process_time()
    phi.find(text)
    assert time.process_time() - begun < 5


def test_an_identifier_at_the_end_of_a_long_text_is_found():
    text = "Potassium 4.1 mmol/L, repeat in 2 days. " * 2_500 + "MRN 1234567"
    (span,) = phi.find(text)
    assert text[span.start :] == "1234567"


# The seed library ---------------------------------------------------------------------------------------


def test_the_seed_library_is_flagged_only_where_it_invents_a_patient():
    flagged = {
        seed["id"]
        for seed in samples.read_seeds()
        for field in ("instruction", "input", "output")
        if phi.find(seed[field])
    }
    assert flagged <= {
        "ie-thyroid-clinic-lab-values",
        "ie-hip-fracture-letter-deidentify",
        "ie-statin-interaction-case-report",
        "ie-lung-trial-screening",
    }
    assert "ie-hip-fracture-letter-deidentify" in flagged


# Names by a local model -----------------------------------------------------------------------------------


@pytest.fixture
def ner_folder(tmp_path) -> Path:
    """A spaCy pipeline on disk that knows three names."""
    from db.checks.phi.light_import import without_torch

    with without_torch():
        import spacy
    pipeline = spacy.blank("en", meta={"name": "ward", "version": "0.1.0"})
    ruler = pipeline.add_pipe("entity_ruler")
    ruler.add_patterns(
        [
            {"label": "PERSON", "pattern": "Edith Example"},
            {"label": "GPE", "pattern": "Testville"},
            {"label": "ORG", "pattern": "Placeholder General Hospital"},
            {"label": "DRUG", "pattern": "metformin"},
        ]
    )
    folder = tmp_path / "ner"
    pipeline.to_disk(folder)
    return folder


NAMED = "Edith Example of Testville takes metformin; discharged from Placeholder General Hospital."


def test_names_are_said_to_be_unchecked_without_a_model(monkeypatch):
    monkeypatch.delenv("STUDIO_NER_DIR", raising=False)
    assert phi.find(NAMED) == []
    assert not phi.may_hold(NAMED)
    assert any("names of people" in line for line in phi.not_checked())
    assert not any("names of people" in line for line in phi.checked())


def test_a_local_model_finds_people_places_and_organisations(monkeypatch, ner_folder):
    monkeypatch.setenv("STUDIO_NER_DIR", str(ner_folder))
    assert phi.may_hold(NAMED)
    assert [(NAMED[span.start : span.end], span.kind) for span in phi.find(NAMED)] == [
        ("Edith Example", Kind.PERSON),
        ("Testville", Kind.PLACE),
        ("Placeholder General Hospital", Kind.ORGANISATION),
    ]
    assert any("en_ward 0.1.0" in line for line in phi.checked())
    assert not any("names of people" in line for line in phi.not_checked())


def test_a_model_reads_long_texts_piece_by_piece_with_true_offsets(monkeypatch, ner_folder):
    monkeypatch.setenv("STUDIO_NER_DIR", str(ner_folder))
    text = "The dose was kept. " * 6_000 + NAMED
    people = [span for span in phi.find(text) if span.kind is Kind.PERSON]
    assert [text[span.start : span.end] for span in people] == ["Edith Example"]


@pytest.mark.parametrize("content", [{}, {"config.json": json.dumps({"model_type": "bert"})}])
def test_a_folder_that_holds_no_spacy_pipeline_is_an_error_and_not_a_clean_text(
    monkeypatch, tmp_path, content
):
    for name, text in content.items():
        (tmp_path / name).write_text(text)
    monkeypatch.setenv("STUDIO_NER_DIR", str(tmp_path))
    with pytest.raises(ValueError, match="^STUDIO_NER_DIR:"):
        phi.find("No digits here.")


def test_a_pipeline_that_knows_no_names_is_an_error(monkeypatch, tmp_path):
    from db.checks.phi.light_import import without_torch

    with without_torch():
        import spacy
    spacy.blank("en").to_disk(tmp_path / "blank")
    monkeypatch.setenv("STUDIO_NER_DIR", str(tmp_path / "blank"))
    with pytest.raises(ValueError, match="names no people"):
        phi.find("No digits here.")


def test_checking_loads_neither_torch_nor_transformers_and_leaves_both_importable():
    code = (
        "import sys; from db.checks import phi; heavy = {'spacy', 'presidio_analyzer'}; "
        "assert not heavy & set(sys.modules); assert phi.find('NHS 943 476 5919'); "
        "assert 'spacy' in sys.modules; assert not {'torch', 'transformers'} & set(sys.modules); "
        "import importlib.util as u; assert u.find_spec('torch') and u.find_spec('transformers')"
    )
    here = Path(__file__).parents[2]
    ran = subprocess.run(
        [sys.executable, "-c", code], cwd=here, env=os.environ, capture_output=True, text=True
    )
    assert ran.returncode == 0, ran.stderr
