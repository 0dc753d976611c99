import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from db import datasets, instructions, reviews
from db.content import Content
from db.datasets import Recipe
from db.enums import Category, Decision, Split
from db.policy import PolicyError
from db.session import read, write


def approve(people, project_id, number, category=Category.QA):
    content = Content(f"Question {number}?", output=f"Answer {number}.", category=category, task="qa")
    with write() as session:
        row = instructions.create_instruction(session, people.author, project_id, content)
        instructions.submit_for_review(session, people.author, row.id, version=1)
        reviews.review_instruction(session, people.reviewer, row.id, Decision.APPROVE, version=1)
        return row.id


@pytest.fixture
def dataset_id(people, project_id) -> int:
    with write() as session:
        return datasets.create_dataset(session, people.trainer, project_id, name="Ward questions").id


def freeze(people, dataset_id, recipe=None):
    with write() as session:
        return datasets.freeze(session, people.trainer, dataset_id, recipe or Recipe())


def test_a_version_holds_the_approved_and_only_those(people, project_id, dataset_id):
    for number in range(10):
        approve(people, project_id, number)
    with write() as session:
        instructions.create_instruction(session, people.author, project_id, Content("A draft"))
    version = freeze(people, dataset_id)
    assert version.counts == {"train": 8, "validation": 1, "test": 1}


def test_a_version_holds_the_approved_text_when_a_newer_draft_waits(people, project_id, dataset_id):
    instruction_id = approve(people, project_id, 1)
    edited = Content("Question 1?", output="Better.", category=Category.QA, task="qa")
    with write() as session:
        instructions.edit_instruction(session, people.author, instruction_id, edited, version=1)
    version = freeze(people, dataset_id, Recipe(validation=0, test=0))
    with read() as session:
        assert [row.output for row in datasets.list_rows(session, version.id)] == ["Answer 1."]


def test_the_same_content_and_seed_freeze_to_the_same_hash_and_another_seed_to_another(
    people, project_id, dataset_id
):
    for number in range(10):
        approve(people, project_id, number)
    first, again = freeze(people, dataset_id), freeze(people, dataset_id)
    reshuffled = freeze(people, dataset_id, Recipe(seed=1))
    assert first.content_hash == again.content_hash != reshuffled.content_hash
    assert [first.number, again.number, reshuffled.number] == [1, 1, 2]


def test_a_filter_chooses_by_category(people, project_id, dataset_id):
    approve(people, project_id, 1, Category.QA)
    approve(people, project_id, 2, Category.GEN)
    version = freeze(people, dataset_id, Recipe(categories=(Category.GEN,), validation=0, test=0))
    with read() as session:
        assert [row.category for row in datasets.list_rows(session, version.id, Split.TRAIN)] == [
            Category.GEN
        ]


@pytest.mark.parametrize("statement", ["UPDATE dataset_rows SET output = 'x'", "DELETE FROM dataset_rows"])
def test_the_database_itself_refuses_to_change_a_frozen_row(people, project_id, dataset_id, statement):
    approve(people, project_id, 1)
    version = freeze(people, dataset_id, Recipe(validation=0, test=0))
    with pytest.raises(IntegrityError, match="frozen"), write() as session:
        session.execute(text(statement))
    with read() as session:
        assert datasets.verify(session, version.id)


def test_freezing_nothing_is_refused_with_the_mend(people, dataset_id):
    with pytest.raises(ValueError, match="approve some"):
        freeze(people, dataset_id)


def test_shares_that_leave_nothing_to_train_on_are_refused():
    with pytest.raises(ValueError, match="nothing to train on"):
        Recipe(validation=0.5, test=0.5)


def test_a_clinician_may_not_freeze(people, project_id):
    with pytest.raises(PolicyError), write() as session:
        datasets.create_dataset(session, people.clinician, project_id, name="x")
