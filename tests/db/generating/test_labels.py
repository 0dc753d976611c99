import pytest

from db.enums import Category
from db.generating import labels
from db.generating.labels import read_label, task_name


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("named_entity_recognition", "named_entity_recognition"),
        ("Named-Entity Recognition", "named_entity_recognition"),
        ("NER", "named_entity_recognition"),
        ("dialogueToNote", "dialogue_to_note"),
        ("PICO extraction", "pico_extraction"),
        ("  QA: drug/drug interaction!  ", "qa_drug_drug_interaction"),
        ("Übersicht", "bersicht"),
        ("???", ""),
        ("", ""),
    ],
)
def test_a_task_is_one_word_in_snake_case(text, name):
    assert task_name(text) == name


def test_a_long_task_ends_at_a_word():
    name = task_name("extract " * 40)
    assert len(name) <= labels.MAX_TASK
    assert set(name.split("_")) == {"extract"}


def test_a_good_label_is_not_mended():
    label = read_label("IE", "named_entity_recognition")
    assert (label.category, label.task, label.mends) == (Category.IE, "named_entity_recognition", ())


@pytest.mark.parametrize("value", [None, 3, ["QA"], {}, "", "x" * 10_000])
def test_a_label_of_any_type_is_read_and_says_what_was_mended(value):
    label = read_label(value, value)
    assert label.category is Category.OTHER
    assert any("OTHER until a person says" in mend for mend in label.mends)


def test_a_category_is_never_taken_from_the_task_when_it_was_named():
    assert read_label("GEN", "ner").category is Category.GEN


def test_known_tasks_hold_each_of_the_studios_and_of_the_projects_once():
    known = labels.known_tasks(["cytology_report", "named_entity_recognition", ""])
    assert list(known) == sorted(set(known))
    assert {"cytology_report", "named_entity_recognition"} <= set(known)
    assert all(task == task_name(task) for task in known)


@pytest.mark.parametrize(
    ("typed", "first"),
    [
        ("named entity recog", "named_entity_recognition"),
        ("Relation-Extract", "relation_extraction"),
        ("summarisation", "clinical_summarization"),
    ],
)
def test_the_nearest_known_task_is_suggested_first(typed, first):
    assert labels.suggest_tasks(typed, labels.known_tasks())[0] == first


def test_nothing_is_suggested_for_what_is_like_nothing():
    assert labels.suggest_tasks("zzz", labels.known_tasks()) == []
