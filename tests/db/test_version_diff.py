"""What changed between two versions, and where texts and adapters came from."""

import pytest

from db import datasets, lineage, registry
from db.datasets import FrozenRow, Recipe
from db.enums import Split
from db.session import read, write
from db.tables import BaseModel, Instruction
from db.version_diff import Difference, compare_versions, read_change
from tests.db.frozen import add_approved, add_questions, add_revision, freeze, new_dataset, question


@pytest.fixture
def dataset_id(people, project_id) -> int:
    return new_dataset(people, project_id)


@pytest.fixture
def ids(people, project_id) -> list[int]:
    return add_questions(people, project_id, 10)


@pytest.fixture
def two(people, project_id, dataset_id, ids):
    """Two versions: one record retired, one in a new revision, one added."""
    recipe = Recipe(validation=0, test=0)
    first = freeze(people, dataset_id, recipe)
    with write() as session:
        session.get(Instruction, ids[0]).status = "retired"
        add_revision(session, people, ids[1], 2, question(1, output="A better answer."))
        session.get(Instruction, ids[1]).approved_version = 2
        new = add_approved(session, people, project_id, question(30))
    return first, freeze(people, dataset_id, recipe), new


def compare(before, after):
    with read() as session:
        return compare_versions(session, before.id, after.id)


def test_added_removed_and_changed_are_told_apart(two, ids):
    first, second, new = two
    diff = compare(first, second)
    assert diff.counts == {"added": 1, "removed": 1, "changed": 1, "moved": 0}
    assert diff.unchanged == 8
    told = {change.instruction_id: set(change.differences) for change in diff.changes}
    assert told == {new: {Difference.ADDED}, ids[0]: {Difference.REMOVED}, ids[1]: {Difference.CHANGED}}


def test_both_texts_of_a_change_can_be_read(two, ids):
    first, second, new = two
    diff = compare(first, second)
    with read() as session:
        sides = {c.instruction_id: read_change(session, diff, c) for c in diff.changes}
    assert [row.output for row in sides[ids[1]]] == ["Answer 1.", "A better answer."]
    assert sides[new][0] is None
    assert sides[ids[0]][1] is None


def test_rows_that_moved_are_found_and_nothing_else(people, dataset_id, ids):
    first = freeze(people, dataset_id, Recipe(test=0.3, seed=1))
    second = freeze(people, dataset_id, Recipe(test=0.3, seed=2))
    diff = compare(first, second)
    with read() as session:
        homes = [
            {row.instruction_id: row.split for row in datasets.list_rows(session, v.id)}
            for v in (first, second)
        ]
    moved = {id for id in ids if homes[0][id] is not homes[1][id]}
    assert moved
    assert {change.instruction_id for change in diff.page(Difference.MOVED)} == moved
    assert diff.unchanged == 10 - len(moved)
    for change in diff.changes:
        assert (change.split_before, change.split_after) == tuple(
            home[change.instruction_id] for home in homes
        )


def test_a_version_does_not_differ_from_itself(two):
    assert compare(two[0], two[0]).changes == ()
    assert compare(two[0], two[0]).unchanged == 10


def test_new_terms_are_a_change(people, dataset_id, ids):
    first = freeze(people, dataset_id)
    with write() as session:
        session.get(Instruction, ids[4]).licence = "MIT"
    diff = compare(first, freeze(people, dataset_id))
    assert [change.instruction_id for change in diff.page(Difference.CHANGED)] == [ids[4]]


def test_rows_without_an_instruction_are_matched_by_what_they_say(people, dataset_id):
    def freeze_texts(numbers, test=()):
        rows = [FrozenRow(Split.TEST if n in test else Split.TRAIN, question(n)) for n in numbers]
        with write() as session:
            dataset = session.get(datasets.Dataset, dataset_id)
            return datasets.freeze_rows(session, people.trainer, dataset, rows, recipe={})

    diff = compare(freeze_texts([1, 2, 2, 3]), freeze_texts([4, 3, 2, 1], test=[1]))
    assert diff.counts == {"added": 1, "removed": 1, "changed": 0, "moved": 1}
    assert diff.unchanged == 2


def test_changes_are_paged_by_key(people, project_id, dataset_id, ids):
    first = freeze(people, dataset_id)
    with write() as session:
        for number in range(100, 125):
            add_approved(session, people, project_id, question(number))
    diff = compare(first, freeze(people, dataset_id))
    seen, page = [], diff.page(Difference.ADDED, limit=10)
    while page:
        seen += page
        page = diff.page(Difference.ADDED, after=page[-1].key, limit=10)
    assert len(seen) == len({change.instruction_id for change in seen}) == 25


def test_a_version_that_is_not_there_is_said_to_be_missing(two):
    with read() as session, pytest.raises(LookupError, match="version number 99"):
        compare_versions(session, two[0].id, 99)


# Lineage -------------------------------------------------------------------------------------------------


def add_adapter(people, project_id, version, name, data_hash=None):
    with write() as session:
        base = session.get(BaseModel, 1) or BaseModel(id=1, name="tiny", location="/nowhere")
        session.add(base)
        session.flush()
        return registry.register_adapter(
            session, project_id=project_id, name=name, path="/nowhere", adapter_hash="a", base_model_id=1,
            base_revision="", template_hash="", dataset_version_id=version.id if version else None,
            data_hash=data_hash or version.content_hash, seed=0, spec={}, packages={},
        ).id  # fmt: skip


def test_every_adapter_of_a_version_is_listed_a_deleted_one_too(people, project_id, two):
    first, second, _ = two
    kept = add_adapter(people, project_id, first, "Kept")
    gone = add_adapter(people, project_id, first, "Gone")
    twin = add_adapter(people, project_id, None, "Same rows elsewhere", data_hash=first.content_hash)
    odd = add_adapter(people, project_id, first, "Other rows", data_hash="0" * 64)
    add_adapter(people, project_id, second, "Other version")
    with write() as session:
        registry.delete_adapter(session, people.trainer, gone)
    with read() as session:
        found = lineage.list_trained(session, first.id)
    assert [row.adapter.id for row in found] == [odd, twin, gone, kept]
    assert [row.is_same_data for row in found] == [False, True, True, True]


def test_the_versions_of_an_instruction_are_listed_with_its_revision(two, ids):
    first, second, new = two
    with read() as session:
        both = lineage.list_memberships(session, ids[1])
        only = lineage.list_memberships(session, new)
    assert [(m.version_id, m.number, m.revision) for m in both] == [(second.id, 2, 2), (first.id, 1, 1)]
    assert [(m.dataset_name, m.number, m.split) for m in only] == [("Ward questions", 2, Split.TRAIN)]
