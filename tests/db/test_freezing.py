"""Freezing: what is recorded, which rows stay together, and that the same freezes to the same."""

import pytest
from sqlalchemy import select

from db import datasets
from db.content import Content
from db.datasets import FrozenRow, Recipe
from db.enums import Category, Origin, Provenance, Split
from db.freezing_rows import document_of
from db.recipes import NearOn
from db.session import read, write
from db.tables import (
    AuditLine,
    DatasetRow,
    DatasetVersion,
    Instruction,
    Project,
)
from tests.db.frozen import add_approved, add_questions, freeze, new_dataset, question, rows_of

ALL_TO_TRAIN = Recipe(validation=0, test=0)


@pytest.fixture
def dataset_id(people, project_id) -> int:
    return new_dataset(people, project_id)


@pytest.fixture
def ids(people, project_id) -> list[int]:
    return add_questions(people, project_id, 20)


# The same again ------------------------------------------------------------------------------------------


def test_freezing_the_same_again_gives_the_same_version_and_leaves_no_trace(people, dataset_id, ids):
    first = freeze(people, dataset_id)
    with read() as session:
        lines = session.scalars(select(AuditLine)).all()
    again = freeze(people, dataset_id)
    with read() as session:
        assert again.id == first.id
        assert len(session.scalars(select(AuditLine)).all()) == len(lines)
        assert datasets.same_sentence(datasets.get_version(session, again.id)) == (
            "Nothing has changed since version 1 of Ward questions: the rows and their splits have the same "
            f"hash, {first.content_hash[:12]}. No new version was made."
        )


def test_another_dataset_may_hold_the_same_rows_under_the_same_hash(people, project_id, dataset_id, ids):
    first, other = freeze(people, dataset_id), freeze(people, new_dataset(people, project_id, "Copy"))
    assert first.content_hash == other.content_hash
    assert first.id != other.id


def test_going_back_to_an_older_content_is_a_new_version(people, dataset_id, ids):
    first = freeze(people, dataset_id)
    freeze(people, dataset_id, Recipe(seed=1))
    assert freeze(people, dataset_id).number == 3
    assert freeze(people, dataset_id).content_hash == first.content_hash


def test_order_of_insertion_and_ids_change_nothing(people, project_id, ids):
    backwards = project_id + 1
    with write() as session:
        session.add(Project(id=backwards, name="Ward 8"))
        session.flush()
        for number in reversed(range(20)):
            add_approved(session, people, backwards, question(number))
    one, other = (freeze(people, new_dataset(people, project, "Same")) for project in (project_id, backwards))
    assert one.content_hash == other.content_hash
    said = [[(row.instruction, row.split, row.near_group) for row in rows_of(v.id)] for v in (one, other)]
    assert said[0] == said[1]


def test_composed_and_decomposed_letters_freeze_to_the_same_hash(people, project_id):
    hashes = set()
    for number, name in enumerate(["Sjögren", "Sjo\u0308gren"]):
        with write() as session:
            dataset = datasets.create_dataset(session, people.trainer, project_id, name=f"D{number}")
            rows = [FrozenRow(Split.TRAIN, Content(f"What is {name}?", output="A disease.", tags=(name,)))]
            hashes.add(datasets.freeze_rows(session, people.trainer, dataset, rows, recipe={}).content_hash)
    assert len(hashes) == 1


def test_a_change_of_licence_is_a_new_version(people, dataset_id, ids):
    first = freeze(people, dataset_id)
    with write() as session:
        session.get(Instruction, ids[0]).licence = "MIT"
    assert freeze(people, dataset_id).content_hash != first.content_hash


# What is recorded ----------------------------------------------------------------------------------------


def test_each_row_keeps_its_terms_and_the_version_sums_them_up(people, project_id, dataset_id):
    with write() as session:
        add_approved(
            session, people, project_id, question(1), licence="CC BY 4.0", origin=Origin.CONVERTED,
            provenance=Provenance.TRANSLATED, is_restricted=True,
        )  # fmt: skip
    version = freeze(people, dataset_id, ALL_TO_TRAIN)
    [row] = rows_of(version.id)
    assert (row.licence, row.origin, row.provenance, row.is_restricted) == (
        "CC BY 4.0", "converted", "translated", True,
    )  # fmt: skip
    assert version.licence == "CC BY 4.0"
    assert version.report["restricted"] == 1
    with write() as session:
        add_approved(session, people, project_id, question(2))
    assert freeze(people, dataset_id, ALL_TO_TRAIN).licence == "mixed"


def test_a_version_without_any_licence_is_unknown(people, dataset_id, ids):
    assert freeze(people, dataset_id).licence == "unknown"


def test_the_recipe_names_filters_shares_seed_bound_and_format(people, dataset_id, ids):
    version = freeze(people, dataset_id, Recipe(categories=(Category.QA,), seed=4, near=0.8, test=0.2))
    with read() as session:
        recipe = datasets.get_version(session, version.id).recipe
    assert recipe["categories"] == ["QA"]
    assert (recipe["seed"], recipe["near"], recipe["near_on"]) == (4, 0.8, "prompt")
    assert (recipe["validation"], recipe["test"], recipe["format"]) == (0.1, 0.2, 2)


def test_the_report_counts_by_split_and_label(people, project_id, dataset_id, ids):
    with write() as session:
        for number in range(20, 30):
            add_approved(session, people, project_id, question(number, category=Category.IE, task="ner"))
    report = freeze(people, dataset_id, Recipe(validation=0.2, test=0.1)).report
    assert report["rows"] == 30
    assert report["counts"]["category"] == {
        "IE": {"train": 7, "validation": 2, "test": 1},
        "QA": {"train": 14, "validation": 4, "test": 2},
    }
    assert report["counts"]["origin"] == {"seed": {"train": 21, "validation": 6, "test": 3}}
    assert set(report["counts"]["task"]) == {"ner", "qa"}


@pytest.mark.parametrize("near", [0, -1, 1.01])
def test_a_bound_that_cannot_be_is_named(near):
    with pytest.raises(ValueError, match="^near: "):
        Recipe(near=near)


# Groups --------------------------------------------------------------------------------------------------


def test_near_rows_share_a_group_and_a_split(people, project_id, dataset_id, ids):
    with write() as session:
        for number in range(20):
            again = Content(question(number).instruction + " Please.", output="B.", category=Category.QA)
            add_approved(session, people, project_id, again)
    version = freeze(people, dataset_id, Recipe(validation=0.25, test=0.25))
    homes: dict[int, set] = {}
    for row in rows_of(version.id):
        homes.setdefault(row.near_group, set()).add(row.split)
    assert sorted(homes) == list(range(1, 21))
    assert all(len(splits) == 1 for splits in homes.values())
    assert version.counts == {"train": 20, "validation": 10, "test": 10}
    assert version.report["groups"]["groups"] == 20
    assert version.report["groups"]["rows"] == 40


def test_children_of_one_parent_stay_together_through_generations(people, project_id, dataset_id, ids):
    with write() as session:
        draft = Instruction(
            project_id=project_id, author_id=people.author.id, origin="seed", **question(90).columns()
        )
        session.add(draft)
        session.flush()
        child = add_approved(session, people, project_id, question(91), parent_id=draft.id)
        grandchild = add_approved(session, people, project_id, question(92), parent_id=child)
        other = add_approved(session, people, project_id, question(93), parent_id=draft.id)
    version = freeze(people, dataset_id)
    groups = {row.instruction_id: row.near_group for row in rows_of(version.id)}
    assert groups[child] == groups[grandchild] == groups[other] == 1
    assert set(groups.values()) == {0, 1}


def test_rows_of_one_document_stay_together_and_rows_of_one_collection_do_not(people, project_id, dataset_id):
    with write() as session:
        for number in range(40):
            source = "PMID: 12345" if number < 3 else "Written for the ward"
            add_approved(session, people, project_id, question(number, source=source))
    rows = rows_of(freeze(people, dataset_id).id)
    assert {row.near_group for row in rows if row.source.startswith("PMID")} == {1}
    assert {row.near_group for row in rows if not row.source.startswith("PMID")} == {0}


def test_a_source_of_a_large_share_of_the_rows_is_a_collection(people, project_id, dataset_id):
    with write() as session:
        for number in range(30):
            content = question(number, source="https://example.org/corpus/")
            add_approved(session, people, project_id, content)
    assert freeze(people, dataset_id).report["groups"]["groups"] == 0


@pytest.mark.parametrize(
    ("source", "document"),
    [
        ("PMID: 12345, abstract", "pmid12345"),
        ("pmid 12345", "pmid12345"),
        ("Smith 2020, doi:10.1001/jama.2020.1.", "10.1001/jama.2020.1"),
        ("https://medlineplus.gov/asthma.html", "https://medlineplus.gov/asthma.html"),
        ("Trial NCT01234567", "nct01234567"),
        ("https://medlineplus.gov", ""),
        ("MedQuAD", ""),
        ("Written for BioInstruct Studio", ""),
    ],
)
def test_a_document_is_told_from_a_collection(source, document):
    assert document_of(source) == document


def test_rows_of_one_wording_can_be_grouped_by_their_input_alone(people, project_id, dataset_id):
    task = "Read the sentence below and write down each and every disease that is named in it."
    with write() as session:
        for number in range(20):
            text = f"a{number} b{number} c{number}"
            add_approved(session, people, project_id, Content(task, text, "None.", Category.IE, "ner"))
    together = freeze(people, dataset_id)
    assert together.counts == {"train": 20, "validation": 0, "test": 0}
    assert "the largest group holds 20 rows" in together.report["groups"]["note"]
    assert freeze(people, dataset_id, Recipe(near_on=NearOn.INPUT)).counts["test"] == 2


# Old versions --------------------------------------------------------------------------------------------


def test_a_version_of_the_first_format_still_verifies(people, project_id, dataset_id, ids):
    rows = [FrozenRow(Split.TRAIN, question(number)) for number in range(3)]
    with write() as session:
        version = DatasetVersion(
            dataset_id=dataset_id, number=1, content_hash=datasets.hash_rows(rows, format=1),
            recipe={"seed": 0}, counts={"train": 3}, frozen_by_id=people.trainer.id,
        )  # fmt: skip
        session.add(version)
        session.flush()
        for position, row in enumerate(rows):
            session.add(DatasetRow(version_id=version.id, position=position, **row.columns()))
    with read() as session:
        assert datasets.verify(session, version.id)
        exported = list(datasets.export_lines(session, version.id))
        assert datasets.verify_lines(session, version.id, exported)
        assert not datasets.verify_lines(session, version.id, exported[::-1])  # its order counted
    assert freeze(people, dataset_id).number == 2
