"""Freezing: what goes in, what is refused, what is recorded, and that the same freezes to the same."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from db import datasets, freezing
from db.checks.contamination import EvaluationSet, Limits
from db.content import Content
from db.datasets import FrozenRow, Recipe
from db.enums import Category, Origin, Provenance, Split
from db.freezing import Contaminated, Screening, document_of
from db.recipes import NearOn
from db.session import read, write
from db.tables import (
    AuditLine,
    DatasetRow,
    DatasetVersion,
    DuplicateWaiver,
    Instruction,
    PrivacyFlag,
    Project,
)
from tests.db.frozen import add_approved, add_revision, freeze, question

ALL_TO_TRAIN = Recipe(validation=0, test=0)
EXAM = EvaluationSet.of_texts("Board exam", ["What about a3 b3 c3 d3 e3 f3?"])


@pytest.fixture
def dataset_id(people, project_id) -> int:
    return new_dataset(people, project_id, "Ward questions")


@pytest.fixture
def ids(people, project_id) -> list[int]:
    """Twenty approved questions, none near to another."""
    with write() as session:
        return [add_approved(session, people, project_id, question(number)) for number in range(20)]


def new_dataset(people, project_id, name) -> int:
    with write() as session:
        return datasets.create_dataset(session, people.trainer, project_id, name=name).id


def flag(instruction_id, version=1, **columns):
    with write() as session:
        session.add(
            PrivacyFlag(
                instruction_id=instruction_id,
                version=version,
                field="input",
                span_start=0,
                span_end=4,
                kind="PERSON",
                score=0.9,
                **columns,
            )
        )


def rows_of(version_id):
    with read() as session:
        return datasets.list_rows(session, version_id)


def count_versions():
    with read() as session:
        return len(session.scalars(select(DatasetVersion)).all())


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


# What is refused -----------------------------------------------------------------------------------------


def test_open_privacy_flags_are_refused_with_the_number_and_the_place(people, dataset_id, ids):
    flag(ids[2])
    flag(ids[2])
    flag(ids[5])
    with pytest.raises(
        ValueError, match=rf"^privacy: 2 chosen records .*\(number {ids[2]}, {ids[5]}\).*Curate"
    ):
        freeze(people, dataset_id)
    assert count_versions() == 0


def test_flags_that_were_cleared_or_are_on_another_revision_do_not_hold_a_record_back(
    people, dataset_id, ids
):
    flag(ids[0], cleared_at=datetime.now(UTC), cleared_by_id=people.reviewer.id, cleared_reason="a gene")
    flag(ids[1], version=2)
    assert freeze(people, dataset_id).report["privacy"] == {"open": 0, "cleared": 1}


def test_a_flag_outside_the_filter_does_not_matter(people, project_id, dataset_id, ids):
    with write() as session:
        other = add_approved(session, people, project_id, question(50, category=Category.GEN))
    flag(other)
    assert freeze(people, dataset_id, Recipe(categories=(Category.QA,))).report["rows"] == 20


def test_contaminated_rows_are_refused_unless_told_otherwise(people, dataset_id, ids):
    with pytest.raises(ValueError, match=rf"^contamination: 1 of 20 .* Board exam \(number {ids[3]}\)"):
        freeze(people, dataset_id, screening=Screening((EXAM,)))
    assert count_versions() == 0


def test_contaminated_rows_can_be_dropped_and_the_report_says_which(people, dataset_id, ids):
    version = freeze(people, dataset_id, screening=Screening((EXAM,), Contaminated.DROP))
    found = version.report["contamination"]
    assert version.report["rows"] == 19
    assert ids[3] not in {row.instruction_id for row in rows_of(version.id)}
    assert (found["rows"], found["dropped"], found["kinds"]["exact"]) == (1, 1, 1)
    assert found["hits"] == [
        {"instruction": ids[3], "revision": 1, "row": None, "set": "Board exam", "text": 0, "kind": "exact",
         "score": 1.0}
    ]  # fmt: skip
    assert found["against"] == [{"name": "Board exam", "texts": 1}]


def test_contaminated_rows_can_stay_with_a_reason_that_is_recorded(people, dataset_id, ids):
    with pytest.raises(ValueError, match="^reason: "):
        Screening((EXAM,), Contaminated.WAIVE, " ")
    screening = Screening((EXAM,), Contaminated.WAIVE, "The exam is retired.")
    version = freeze(people, dataset_id, screening=screening)
    found = version.report["contamination"]
    assert version.report["rows"] == 20
    assert (found["reason"], found["rows"], found["dropped"]) == ("The exam is retired.", 1, 0)
    assert rows_of(version.id)[found["hits"][0]["row"]].instruction_id == ids[3]


def test_when_every_row_is_contaminated_nothing_is_left_to_freeze(people, project_id, dataset_id):
    with write() as session:
        add_approved(session, people, project_id, question(3))
    with pytest.raises(ValueError, match="^contamination: every"):
        freeze(people, dataset_id, screening=Screening((EXAM,), Contaminated.DROP))


def test_a_split_of_another_version_is_an_evaluation_set(people, project_id, dataset_id, ids):
    first = freeze(people, dataset_id, Recipe(test=0.2))
    with read() as session:
        held_out = freezing.evaluation_set(session, first.id, Split.TEST)
    assert (held_out.name, len(held_out.probes)) == ("Ward questions, version 1, test", 4)
    screening = Screening((held_out,), Contaminated.DROP)
    assert freeze(people, new_dataset(people, project_id, "Rest"), screening=screening).report["rows"] == 16
    with read() as session, pytest.raises(LookupError, match="version number 99"):
        freezing.evaluation_set(session, 99)


def test_a_clean_screening_is_recorded_too(people, dataset_id, ids):
    clean = EvaluationSet.of_texts("Other exam", ["Something else altogether"])
    found = freeze(people, dataset_id, screening=Screening((clean,), limits=Limits(run=8))).report
    assert found["contamination"]["rule"].startswith("A row is contaminated when")
    assert (found["contamination"]["run"], found["contamination"]["rows"]) == (8, 0)


def test_duplicates_waived_at_the_gate_are_counted(people, dataset_id, ids):
    with write() as session:
        session.add(
            DuplicateWaiver(
                instruction_id=ids[0],
                version=1,
                near_id=ids[1],
                score=0.8,
                reason="another drug",
                actor_id=people.reviewer.id,
            )
        )
    assert freeze(people, dataset_id).report["duplicates"] == {"waived": 1}


# A plan made before --------------------------------------------------------------------------------------


def plan_of(project_id, recipe=None):
    with read() as session:
        return freezing.plan_version(session, project_id, recipe or Recipe())


def test_a_plan_freezes_to_what_was_planned(people, project_id, dataset_id, ids):
    plan = plan_of(project_id)
    with write() as session:
        add_approved(session, people, project_id, question(77))  # approved since: not in the plan
    version = freeze(people, dataset_id, plan=plan)
    assert version.content_hash == plan.content_hash
    assert version.report["rows"] == 20


def test_a_plan_whose_texts_were_withdrawn_since_is_refused(people, project_id, dataset_id, ids):
    plan = plan_of(project_id)
    with write() as session:
        session.get(Instruction, ids[0]).status = "retired"
        add_revision(session, people, ids[1], 2, question(99))
        session.get(Instruction, ids[1]).approved_version = 2
        session.get(Instruction, ids[2]).deleted_at = datetime.now(UTC)
    with pytest.raises(ValueError, match="^filter: 3 of the chosen records were changed or withdrawn"):
        freeze(people, dataset_id, plan=plan)


def test_a_plan_whose_texts_were_flagged_since_is_refused(people, project_id, dataset_id, ids):
    plan = plan_of(project_id)
    flag(ids[4])
    with pytest.raises(ValueError, match="^privacy: 1 chosen record has"):
        freeze(people, dataset_id, plan=plan)


def test_a_plan_of_another_project_is_refused(people, project_id, dataset_id, ids):
    with pytest.raises(ValueError, match="^dataset: "):
        freeze(people, dataset_id, plan=replace(plan_of(project_id), project_id=project_id + 1))


@pytest.mark.parametrize("near", [0, -1, 1.01])
def test_a_bound_that_cannot_be_is_named(near):
    with pytest.raises(ValueError, match="^near: "):
        Recipe(near=near)


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
