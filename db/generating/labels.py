"""Category and task as a model names them: mended by stated rules, and put into the studio's words.

A model's label is a proposal. What cannot be mended is OTHER or empty, with a note, until a person says.
"""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from rapidfuzz import fuzz, process

from db.enums import Category

MAX_TASK = 60  # characters
# Tasks that the studio's seeds, presets and scorers know, by category: what a model is offered.
TASKS: dict[Category, tuple[str, ...]] = {
    Category.QA: (
        "multiple_choice",
        "yes_no_qa",
        "passage_qa",
        "literature_qa",
        "patient_question",
        "diagnostic_reasoning",
        "differential_diagnosis",
        "drug_information",
        "guideline_qa",
        "lab_interpretation",
        "pharmacology_calculation",
        "statistics_qa",
        "emergency_triage",
    ),
    Category.IE: (
        "named_entity_recognition",
        "relation_extraction",
        "negation_detection",
        "medication_status",
        "medication_attributes",
        "adverse_event_extraction",
        "lab_value_extraction",
        "temporal_ordering",
        "pico_extraction",
        "coreference",
        "abbreviation_expansion",
        "problem_list",
    ),
    Category.GEN: (
        "clinical_summarization",
        "question_summarization",
        "lay_summary",
        "dialogue_to_note",
        "discharge_instructions",
        "patient_education",
        "medication_counselling",
        "referral_letter",
        "radiology_impression",
        "handover_sbar",
    ),
    Category.OTHER: (
        "natural_language_inference",
        "text_classification",
        "clinical_coding",
        "trial_eligibility",
        "literature_screening",
        "evidence_appraisal",
        "error_detection",
        "ethics_reasoning",
    ),
}
_CATEGORY_OF_TASK = {task: category for category, tasks in TASKS.items() for task in tasks}
_CATEGORY_NAMES = {
    "qa": Category.QA,
    "question answering": Category.QA,
    "question and answer": Category.QA,
    "ie": Category.IE,
    "information extraction": Category.IE,
    "extraction": Category.IE,
    "gen": Category.GEN,
    "generation": Category.GEN,
    "text generation": Category.GEN,
    "other": Category.OTHER,
    "others": Category.OTHER,
}
_TASK_NAMES = {
    "ner": "named_entity_recognition",
    "re": "relation_extraction",
    "nli": "natural_language_inference",
    "mcqa": "multiple_choice",
    "multiple_choice_qa": "multiple_choice",
    "summarisation": "clinical_summarization",
    "summarization": "clinical_summarization",
    "clinical_summarisation": "clinical_summarization",
    "question_summarisation": "question_summarization",
    "classification": "text_classification",
}
_NO_LETTER = re.compile(r"[^a-z0-9]+")
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z][a-z])")


@dataclass(frozen=True)
class Label:
    """What a record is, and what had to be mended of what the model said."""

    category: Category
    task: str  # snake_case; empty where none was named
    mends: tuple[str, ...] = ()


def read_label(category: object, task: object) -> Label:
    """The label of two values as a reply holds them, of any type."""
    name, task_mend = _task(task)
    known = _CATEGORY_OF_TASK.get(name)
    spoken = " ".join(_NO_LETTER.sub(" ", category.lower()).split()) if isinstance(category, str) else ""
    found = _CATEGORY_NAMES.get(spoken)
    if found:
        mend = "" if category == found.value else "category: written as the studio writes it"
    elif known:
        found, mend = known, "category: not one of the four; taken from the task"
    else:
        found, mend = Category.OTHER, "category: not one of the four; OTHER until a person says"
    return Label(found, name, tuple(filter(None, (mend, task_mend))))


def task_name(text: str) -> str:
    """A task's name in snake_case, in the studio's own word where there is one; may be empty.

    >>> task_name("Named-Entity Recognition"), task_name("NER"), task_name("dialogueToNote")
    ('named_entity_recognition', 'named_entity_recognition', 'dialogue_to_note')
    """
    name = _NO_LETTER.sub("_", _HUMP.sub("_", text[: 4 * MAX_TASK]).lower()).strip("_")
    if len(name) > MAX_TASK:
        name = name[:MAX_TASK].rpartition("_")[0] or name[:MAX_TASK]
    return _TASK_NAMES.get(name, name)


def known_tasks(in_use: Collection[str] = ()) -> tuple[str, ...]:
    """The tasks to offer: those of the studio and those that the project uses, by name."""
    return tuple(sorted({*_CATEGORY_OF_TASK, *filter(None, in_use)}))


def suggest_tasks(text: str, known: Sequence[str], *, count: int = 3) -> list[str]:
    """The known tasks nearest to what was typed, best first; fewer than `count` where little is alike."""
    found = process.extract(
        task_name(text), known, scorer=fuzz.token_sort_ratio, limit=count, score_cutoff=60
    )
    return [task for task, _, _ in found]


def _task(value: object) -> tuple[str, str]:
    if not isinstance(value, str):
        return "", "task: none was named"
    name = task_name(value)
    if not name:
        return "", "task: none was named"
    return name, "" if name == value else "task: written as the studio writes it"
