"""Freezing: what is refused, what is let through for a reason, and a plan that is no longer true."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from db import freezing
from db.checks.contamination import EvaluationSet, Limits
from db.datasets import Recipe
from db.enums import Category, Split
from db.freezing import Contaminated, Screening
from db.session import read, write
from db.tables import (
    DatasetVersion,
    DuplicateWaiver,
    Instruction,
    PrivacyFlag,
)
from tests.db.frozen import add_approved, add_questions, add_revision, freeze, new_dataset, question, rows_of

EXAM = EvaluationSet.of_texts("Board exam", ["What about a3 b3 c3 d3 e3 f3?"])


@pytest.fixture
def dataset_id(people, project_id) -> int:
    return new_dataset(people, project_id)


@pytest.fixture
def ids(people, project_id) -> list[int]:
    return add_questions(people, project_id, 20)


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


def count_versions():
    with read() as session:
        return len(session.scalars(select(DatasetVersion)).all())


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
