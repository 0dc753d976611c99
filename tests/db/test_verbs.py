"""The verb and the noun of an instruction, as people really word instructions."""

import time

import pytest

from db.checks.verbs import read_verb
from db.samples import read_seeds

WORDINGS = {
    # plain orders
    "Summarise the note in one sentence.": "summarise note",
    "Summarize the following discharge letter for the GP.": "summarise letter",
    "List all gene-disease pairs about which the abstract makes a claim.": "list pair",
    "Extract the PICO elements of the trial abstract as one JSON object.": "extract element",
    "Write a short, clear summary for the family.": "write summary",
    "Give the name of the drug taken before this visit.": "give name",
    "Estimate this patient's creatinine clearance.": "estimate clearance",
    "Assign ICD-10 codes to this admission.": "assign code",
    "Identify diagnoses that the note names.": "identify diagnosis",
    "Compare both criteria for sepsis.": "compare criterion",
    "De-identify the letter: return the whole text.": "de-identify letter",
    "Find the drug prescribed today and copy its name.": "find drug",
    "Mark one of the options.": "mark option",
    # particles, people, pronouns
    "Look up the drug taken already from the report.": "look drug",
    "Tell me the newly prescribed medicine.": "tell medicine",
    "Condense it into a single question that a clinician could answer.": "condense question",
    "Respond to the prescriber's query about these medicines.": "respond query",
    "Act as a clinical ethics adviser to this team.": "act adviser",
    "Go through the record and put each finding on its own line.": "go record",
    "Help this person decide how soon the eye should be looked at.": "help person",
    # courtesies and openings
    "Please carefully classify the following claim.": "classify claim",
    "Can you translate this report into Spanish?": "translate report",
    "I would like you to write a referral letter.": "write letter",
    "Your task is to identify adverse events in the text.": "identify event",
    "Given the note below, predict the most likely diagnosis.": "predict diagnosis",
    "Given the age, sex, and history of the patient, predict the diagnosis.": "predict diagnosis",
    "Using only the record, write the discharge instructions.": "write instruction",
    "If the patient is pregnant, suggest an alternative.": "suggest alternative",
    "For each symptom in the note write a status.": "write status",
    "Named entity recognition: extract the chemicals.": "extract chemical",
    "You are a careful clinician. Draft a reply to this message.": "draft reply",
    "A tumour board needs the next step. Select one answer.": "select answer",
    "Translating the consent form into plain words.": "translate form",
    # questions
    "Which valve is narrowed?": "which valve",
    "What are the symptoms of cystinuria?": "what symptom",
    "What is (are) Kimura disease ?": "what disease",
    "How many weeks remain until the visit?": "how many week",
    "How to diagnose mulibrey nanism ?": "how nanism",
    "In which patients should metformin be avoided?": "which patient",
    "Does the patient report headaches?": "whether patient",
    "Is orthopnea reported?": "whether orthopnea",
    "When should warfarin be stopped?": "when warfarin",
    "According to the passage, which drug was given?": "which drug",
}
UNSURE = [
    "",
    "???",
    "Present illness?",
    "Metformin and lisinopril.",
    "Answer yes or no.",
    "One label for this claim, please: supported or contradicted.",
    "Explain how the drug works.",
    "Decide whether the claim holds.",
    "Is it safe?",
    "Question: none",
    "Résumez la note du patient.",
    "总结这份病历。",
    "The patient was discharged on Monday.",
    "Group those that refer to the same person.",
    "Explain it to the patient. Use running text.",  # its own verb has no noun; the next one's is not taken
]


@pytest.mark.parametrize(("text", "pair"), WORDINGS.items())
def test_the_verb_and_the_noun_are_read(text, pair):
    found = read_verb(text)
    assert found is not None
    assert f"{found.verb} {found.noun}" == pair


@pytest.mark.parametrize("text", UNSURE)
def test_what_is_not_sure_is_left_out(text):
    assert read_verb(text) is None


def test_most_of_the_seed_library_can_be_read():
    texts = [seed["instruction"] for seed in read_seeds()]
    assert sum(read_verb(text) is not None for text in texts) >= 0.75 * len(texts)


def test_a_hostile_text_costs_no_time():
    texts = [
        "(" * 100_000,
        "a, " * 50_000,
        "Given " * 30_000,
        "\n" * 50_000,
        "can you " * 20_000,
        "and " * 9_999,
    ]
    begun = time.perf_counter()
    for text in texts * 20:
        read_verb(text)
    assert time.perf_counter() - begun < 5
