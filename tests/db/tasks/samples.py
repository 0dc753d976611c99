"""A small invented file for each task, in the very form that its docstring states."""

import json
from pathlib import Path

_MCQ = [
    {"question": f"Which vitamin prevents disease {n}?", "options": {"A": "Vitamin A", "B": "Vitamin C",
     "C": "Vitamin D", "D": "Vitamin K"}, "answer_idx": letter}
    for n, letter in enumerate("BCDA", start=1)
]  # fmt: skip
_MEDMCQA = [
    {"question": f"Which nerve supplies muscle {n}?", "opa": "Radial", "opb": "Ulnar", "opc": "Median",
     "opd": "Axillary", "cop": n, "subject_name": "Anatomy"}
    for n in (1, 2, 3, 4)
]  # fmt: skip
_ANATOMY = '"Which of these nerves supplies the deltoid, the one muscle?",Axillary,Radial,Median,Ulnar,A\n'
_MATHS = '"What is the derivative of x^2?",x,2x,x^2,2,B\n'
_PUBMEDQA = {
    str(pmid): {"QUESTION": f"Does rest help group {pmid}?", "CONTEXTS": [f"We asked {pmid} people."],
                "final_decision": decision, "LONG_ANSWER": f"In group {pmid} rest did not cure 3 of 9."}
    for pmid, decision in ((11, "yes"), (12, "maybe"), (13, "no"))
}  # fmt: skip
_BIOASQ = {"questions": [
    {"id": "y1", "type": "yesno", "body": "Is scurvy due to lack of vitamin C?", "exact_answer": "yes",
     "snippets": [{"text": "Scurvy follows lack of vitamin C."}], "ideal_answer": ["Yes."]},
    {"id": "f1", "type": "factoid", "body": "Which vitamin prevents scurvy?",
     "exact_answer": [["vitamin C", "ascorbic acid"]]},
    {"id": "l1", "type": "list", "body": "Name two fat-soluble vitamins.",
     "exact_answer": [["vitamin A", "retinol"], ["vitamin D"]]},
    {"id": "s1", "type": "summary", "body": "What is scurvy?", "ideal_answer": ["A lack of vitamin C."]},
]}  # fmt: skip
_NER = "Familial\tO\nbreast\tB-{0}\ncancer\tI-{0}\nand\tO\nasthma\tB-{0}\n:\tO\n\nNo\tO\nfinding\tO\n"
_CHEMPROT = [
    {"text": "<< Simvastatin >> inhibits [[ HMG-CoA reductase ]].", "label": "INHIBITOR"},
    {"text": "[[ Kinase A ]] is made into << product B >>.", "label": "SUBSTRATE"},
]
_GAD = [
    {"sentence": "@GENE$ variants are associated with @DISEASE$.", "label": 1},
    {"sentence": "In @DISEASE$, @GENE$ played no part.", "label": 0},
]
_CLINICAL = [
    {"text": "@treatment$ was given for @problem$ .", "label": "TrAP"},
    {"text": "@test$ and @problem$ are on the list .", "label": "false"},
]
_COREFERENCE = [
    {"id": "1", "document_id": "n1", "label": "same",
     "text": "<< Mr. Lee >> was admitted with chest pain. [[ He ]] was given aspirin."},
    {"id": "2", "document_id": "n1", "label": "different",
     "text": "<< Mr. Lee >> was seen by [[ his brother ]]."},
]  # fmt: skip
_MEDNLI = [
    {"sentence1": "He denies chest pain.", "sentence2": "The patient has angina.",
     "gold_label": "contradiction", "pairID": "a1"},
    {"sentence1": "She has had fever for days.", "sentence2": "She is febrile.",
     "gold_label": "entailment", "pairID": "a2"},
]  # fmt: skip
_STATUS = [
    {"id": f"n12-{n}", "document_id": "n12", "snippet": snippet, "medication": "lisinopril", "status": status}
    for n, (snippet, status) in enumerate(
        (("Stopped lisinopril for cough.", "discontinued"), ("Continue lisinopril 5 mg.", "active"),
         ("Consider lisinopril if pressure rises.", "neither")), start=1,
    )
]  # fmt: skip
_HOC = [
    {"text": "VEGF blockade reduced vessel density.", "label": ["inducing angiogenesis"]},
    {"text": "Cells live on.", "label": ["resisting cell death", "sustaining proliferative signaling"]},
    {"text": "We thank the staff.", "label": []},
]  # fmt: skip
_MTS = (
    "ID,section_header,section_text,dialogue\n"
    '0,ALLERGY,No known drug allergies.,"Doctor: Any allergies? Patient: Not that I know of."\n'
    '1,MEDICATIONS,"Aspirin, 100 mg daily.","Doctor: What do you take? Patient: Aspirin, 100 mg a day."\n'
)
_NOTES = [
    {"encounter_id": "D2N001", "dialogue": "[doctor] hi\n[patient] my knee hurts", "note": "Knee pain."}
]
_CHATS = [
    {"instruction": "If you are a doctor, please answer.", "input": "My knee hurts.", "output": "Rest it."}
]
_MEQSUM = 'CHQ,Summary\n"MESSAGE: my son was bitten by a dog","What is the treatment for a dog bite?"\n'
_SUMMARIES = [{"text": "The heart is normal in size. No effusion.", "summary": "No acute disease."}]

FILES: dict[str, tuple[str, object]] = {
    "medqa": ("medqa.jsonl", _MCQ),
    "medmcqa": ("medmcqa.jsonl", _MEDMCQA),
    "mmlu-medical": ("anatomy_test.csv", _ANATOMY),
    "mmlu-general": ("college_mathematics_test.csv", _MATHS),
    "pubmedqa": ("pqal.json", _PUBMEDQA),
    "bioasq-yesno": ("bioasq.json", _BIOASQ),
    "bioasq-factoid": ("bioasq.json", _BIOASQ),
    "bioasq-list": ("bioasq.json", _BIOASQ),
    "bioasq-summary": ("bioasq.json", _BIOASQ),
    "ner-disease": ("ncbi.tsv", _NER.format("Disease")),
    "ner-chemical": ("cdr.tsv", _NER.format("Chemical")),
    "ner-gene": ("bc2gm.tsv", _NER.format("Gene")),
    "ner-entity": ("jnlpba.tsv", _NER.format("DNA")),
    "ner-molecular": ("jnlpba.tsv", _NER.format("DNA")),
    "ner-event": ("i2b2.tsv", _NER.format("event")),
    "ner-clinical": ("i2b2.tsv", _NER.format("problem")),
    "re-chemprot": ("chemprot.jsonl", _CHEMPROT),
    "re-gad": ("gad.jsonl", _GAD),
    "re-clinical": ("i2b2.jsonl", _CLINICAL),
    "coreference": ("coreference.jsonl", _COREFERENCE),
    "mednli": ("mednli.jsonl", _MEDNLI),
    "medication-status": ("status.jsonl", _STATUS),
    "hoc": ("hoc.jsonl", _HOC),
    "mts-dialog": ("mts.csv", _MTS),
    "dialogue-note": ("aci.jsonl", _NOTES),
    "patient-answer": ("icliniq.jsonl", _CHATS),
    "question-summary": ("meqsum.csv", _MEQSUM),
    "summary": ("summaries.jsonl", _SUMMARIES),
    "conclusion": ("pqal.json", _PUBMEDQA),
}


def write(folder: Path, name: str) -> Path:
    """The sample file of a task, in that folder."""
    file, content = FILES[name]
    return write_file(folder / file, content)


def write_file(path: Path, content: object) -> Path:
    """Text as it is, a list as JSON lines, any other value as JSON."""
    if isinstance(content, list):
        content = "".join(json.dumps(each) + "\n" for each in content)
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return path
