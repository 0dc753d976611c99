"""Studies: arms at one budget, rows frozen, steps worked out of the tables, the figure and its files."""

import csv
import io
import xml.etree.ElementTree as ET

import pytest

from db import (
    datasets,
    jobs,
    studies,
    study_control,
    study_drawing,
    study_files,
    study_reading,
    study_steps,
    study_svg,
)
from db.enums import Category, JobKind, JobStatus, Split
from db.policy import PolicyError
from db.session import read, write
from db.study_arms import apportion, order, plan
from db.study_spec import StudySpec
from db.study_steps import Step
from db.tables import Study
from tests.db import studied

HAVE = {"QA": 100, "IE": 40, "GEN": 30, "OTHER": 9}


def planned(have=HAVE, **changed):
    return plan(studied.spec(1, 1, **{"tasks": (1,), **changed}), have)


def spec_on(grounds, changed):
    base, version, tasks = grounds
    return studied.spec(base, version, **{"tasks": tasks, **changed})


# Arms -----------------------------------------------------------------------------------------------------


def test_category_transfer_tunes_on_none_each_pair_and_all_at_one_budget():
    arms = planned()
    assert [arm.label for arm in arms] == [
        "none (untuned)", "QA", "IE", "GEN", "QA + IE", "QA + GEN", "IE + GEN", "all",
    ]  # fmt: skip
    assert {arm.rows for arm in arms[1:]} == {30}  # what the smallest category has
    assert arms[7].draw == {"QA": 10, "IE": 10, "GEN": 10}


def test_weights_give_a_paper_s_shares_and_the_budget_follows_from_them():
    shares = {"QA": 22.8, "IE": 33.8, "GEN": 33.5}
    arms = planned(weights=shares, rows=30)
    assert arms[7].draw == apportion(30, shares) == {"QA": 8, "IE": 11, "GEN": 11}
    with pytest.raises(ValueError, match=r"rows: 90 cannot be, for the arm 'GEN' finds 30"):
        planned(rows=90)
    with pytest.raises(ValueError, match="weights: there is none for GEN"):
        planned(weights={"QA": 1, "IE": 1})


def test_leave_one_out_and_one_only_divide_by_source():
    arms = planned({"a": 10, "b": 10, "c": 10}, kind="composition", parts="source")
    assert [(arm.label, arm.draw) for arm in arms[1:3]] == [
        ("all", {"a": 7, "b": 7, "c": 6}), ("without a", {"b": 10, "c": 10}),
    ]  # fmt: skip
    only = planned({"a": 10, "b": 4}, kind="composition", parts="source", varies="one only", among=("b", "a"))
    assert [(arm.label, arm.rows) for arm in only[1:]] == [("b only", 4), ("a only", 4), ("all", 4)]


def test_scale_and_rank_stand_on_an_axis_and_alpha_follows_the_rank():
    scale = planned({"": 200}, kind="data_scale")
    assert [(arm.x, arm.rows) for arm in scale[1:]] == [(20, 20), (60, 60), (200, 200)]
    ranks = planned({"": 200}, kind="rank", training={"rank": 16, "alpha": 32})
    assert [arm.training for arm in ranks[1:]] == [{"rank": r, "alpha": 2 * r} for r in (4, 8, 16, 32)]
    assert len({tuple(arm.draw.items()) for arm in ranks[1:]}) == 1


def test_the_one_for_all_sees_what_the_experts_saw_together():
    arms = planned(kind="experts", among=("QA", "IE"), training={"max_steps": 5})
    assert [arm.label for arm in arms[1:]] == [
        "expert in QA",
        "expert in IE",
        "one for all",
        "experts merged",
    ]
    assert arms[3].draw == {"QA": 40, "IE": 40}
    assert arms[3].training == {"max_steps": 10}
    assert arms[4].kind == "merge"
    assert arms[4].merges == (1, 2)


def test_a_smaller_draw_lies_within_a_larger_one():
    assert order(range(50), 7, "QA")[:10] == order(range(50), 7, "QA")[:20][:10]
    assert order(range(50), 7, "QA") != order(range(50), 8, "QA")


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"among": ("QA", "LAB")}, "dataset: its train rows have no category LAB"),
        ({"kind": "composition", "among": ("QA",)}, "all of one category"),
        ({"kind": "guess"}, "kind: 'guess' is not one of"),
        ({"tasks": ()}, "tasks: choose at least one"),
        ({"tasks": (1, 1)}, "tasks: one is chosen twice"),
        ({"shares": (0.0,)}, "shares: give shares above 0"),
        ({"ranks": (4, 4)}, "ranks: one is given twice"),
        ({"weights": {"QA": 0}}, "weights: give a number above 0"),
        ({"name": " "}, "name: name the study"),
    ],
)
def test_what_cannot_be_studied_is_said_in_one_sentence(changed, sentence):
    with pytest.raises(ValueError, match=sentence):
        planned(**changed)


# In the database ------------------------------------------------------------------------------------------


@pytest.fixture
def grounds(people, project_id, tmp_path):
    """(base, version, tasks)."""
    version = studied.freeze_version(people.trainer, project_id)
    folder = tmp_path / "base"
    folder.mkdir()
    return (
        studied.add_base(people.trainer, folder),
        version,
        studied.freeze_tasks(people.trainer, project_id, version),
    )


@pytest.fixture
def make(people, project_id, grounds):
    """make(**changed) -> the id of a study that nobody leads yet."""

    def made(**changed) -> int:
        with write() as s:
            study = studies.create(s, people.trainer, project_id, spec_on(grounds, changed))
            return study.id

    return made


def test_making_a_study_queues_one_job_and_a_double_click_makes_no_second(people, project_id, grounds):
    with write() as s:
        first = studies.create(s, people.trainer, project_id, studied.spec(*grounds), request_key="k")
        again = studies.create(s, people.trainer, project_id, studied.spec(*grounds), request_key="k")
        assert first.id == again.id
        assert len(first.arms) == 8
        assert [job.kind for job in jobs.list_jobs(s, project_id, JobKind.STUDY)] == [JobKind.STUDY]
        with pytest.raises(PolicyError):
            studies.create(s, people.author, project_id, studied.spec(*grounds))


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"tasks": (99,)}, "no frozen task number 99"),
        ({"training": {"rank": 0}}, "rank: 0 cannot be"),
        ({"training": {"speed": 1}}, "speed: train has no such setting"),
        ({"training": {"method": "full"}}, "method: a study tunes adapters"),
        ({"evaluation": {"way": "guess"}}, "way: 'guess' is not one of"),
        ({"kind": "experts", "training": {"method": "dora"}}, "experts tuned by dora cannot be merged"),
        ({"rows": 13}, "rows: 13 cannot be"),
    ],
)
def test_a_study_that_would_fail_later_is_refused_at_once(make, changed, sentence):
    with pytest.raises((ValueError, LookupError), match=sentence):
        make(**changed)


def test_an_arm_s_rows_are_frozen_with_their_terms_and_the_validation_rows(people, make):
    study_id = make(rows=8)
    with write() as s:
        study = s.get(Study, study_id)
        arm = study.arms[4]  # QA + IE
        rows = study_drawing.draw(s, studies.spec_of(study), studies.plan_of(arm))
        version = study_drawing.freeze(s, people.trainer, study, arm, rows)
        assert version.counts == {"train": 8, "validation": 6, "test": 0}
        assert (version.recipe["arm"], version.recipe["study"]) == ("QA + IE", study.id)
        assert datasets.verify(s, version.id)
        assert version.dataset.name == f"Study {study.id}: Transfer"
        drawn = datasets.list_rows(s, version.id, Split.TRAIN)
        assert {row.category for row in drawn} == {Category.QA, Category.IE}
        assert {row.licence for row in drawn} == {"CC BY 4.0"}
        assert any(row.provenance for row in drawn)
        held = [row for row in datasets.list_rows(s, version.id, Split.VALIDATION) if row.is_restricted]
        assert len(held) == 3


def test_a_study_is_led_by_what_the_tables_say_and_read_back_as_one_figure(people, make, project_id):
    study_id = make()
    studied.carry_out(people.trainer, study_id, studied.knows)
    with read() as s:
        study = s.get(Study, study_id)
        found = study_steps.standings(s, study)
        assert {one.step for one in found} == {Step.DONE}
        assert study_steps.count_runs(found) == (15, 15)
        trained = jobs.list_jobs(s, project_id, JobKind.TRAIN)
        assert len(trained) == 7
        assert len({job.request_key for job in trained}) == 7
        shown = study_reading.figure(s, study)
    assert [column.title for column in shown.columns] == ["QA", "IE", "GEN"]
    base, tuned = shown.rows[0], shown.rows[1]
    assert base.cells[0].value == pytest.approx(1 / 6)
    assert tuned.cells[0].value == pytest.approx(5 / 6 - 1 / 6)  # tuned on QA, measured on QA
    assert tuned.cells[1].value == pytest.approx(1 / 6, abs=0.03)
    assert tuned.cells[0].low <= tuned.cells[0].value <= tuned.cells[0].high
    assert tuned.cells[0].is_related
    assert not tuned.cells[1].is_related
    assert "Where the tuning data held the category" in " ".join(shown.shows)
    assert "another draw would give other figures" in " ".join(shown.lacks)


def test_the_base_s_evaluation_that_is_there_is_not_asked_for_again(people, make, project_id):
    first, second = make(), make(name="Again", rows=6)
    studied.carry_out(people.trainer, first, studied.knows)
    with read() as s:
        found = study_steps.standings(s, s.get(Study, second))
        assert found[0].step is Step.DONE
        assert found[1].step is Step.DRAW
    other = make(name="Longer", evaluation={"max_tokens": 9})
    with read() as s:
        assert study_steps.standings(s, s.get(Study, other))[0].step is Step.EVALUATE


def test_a_failed_arm_is_named_the_others_go_on_and_resume_tries_it_again(people, make):
    study_id = make()
    studied.carry_out(people.trainer, study_id, studied.knows, but=("IE",))
    with read() as s:
        study = s.get(Study, study_id)
        found = study_steps.standings(s, study)
        assert [one.label for one in found if one.step is Step.FAILED] == ["IE"]
        assert "disk: it is full." in found[2].trouble
        shown = study_reading.figure(s, study)
        assert shown.missing == 3
        assert "IE is missing: its training" in " ".join(shown.lacks)
        job_id = study.job_id
    studied.fail(job_id, "arms: 1 of 8 failed.")
    with write() as s:
        study_control.resume(s, people.trainer, s.get(Study, study_id))
    studied.carry_out(people.trainer, study_id, studied.knows)
    with read() as s:
        assert {one.step for one in study_steps.standings(s, s.get(Study, study_id))} == {Step.DONE}


def test_cancelling_a_study_stops_its_own_open_runs(people, make):
    study_id = make()
    studied.step_on(people.trainer, study_id)
    studied.step_on(people.trainer, study_id)
    with write() as s:
        study = s.get(Study, study_id)
        assert study_control.cancel(s, people.trainer, study) == 8  # seven trainings, the base's evaluation
        s.flush()
        assert {job.status for job in studies.list_own_jobs(s, study)} == {JobStatus.CANCELLED}
        assert jobs.get_job(s, study.job_id).status is JobStatus.CANCELLED
        with pytest.raises(ValueError, match="nothing to cancel"):
            study_control.cancel(s, people.trainer, study)
        study_control.resume(s, people.trainer, study)
        assert {job.status for job in studies.list_own_jobs(s, study)} == {JobStatus.QUEUED}
        with pytest.raises(ValueError, match="cancel it first"):
            study_control.remove(s, people.trainer, study)


def test_an_evaluation_goes_before_the_study_s_waiting_trainings_and_nobody_else_s(people, make, project_id):
    from db import queue

    study_id = make()
    with write() as s:  # somebody else's, asked for before
        study = s.get(Study, study_id)
        other = studies.train_spec(studies.spec_of(study), studies.plan_of(study.arms[1]), 1)
        s.flush()
        first = jobs.enqueue(s, people.trainer, project_id, JobKind.TRAIN, other, name="theirs")
        s.flush()
        first_id = first.id
    studied.step_on(people.trainer, study_id)  # the base's evaluation; rows drawn
    studied.step_on(people.trainer, study_id)  # trainings queued
    with read() as s:
        study = s.get(Study, study_id)
        first_training = study.arms[1].train_job_id
    studied.train(first_training)
    studied.step_on(people.trainer, study_id)
    studied.step_on(people.trainer, study_id)
    with read() as s:
        study = s.get(Study, study_id)
        line = [job.id for job in queue.list_waiting(s) if job.kind is not JobKind.STUDY]
        assert line[0] == first_id
        assert line.index(study.arms[1].evaluate_job_id) < line.index(study.arms[2].train_job_id)


# Files ----------------------------------------------------------------------------------------------------


def test_the_files_hold_every_figure_and_hostile_names_stay_text(people, make):
    study_id = make(name="=cmd|' <script>alert(1)</script> ${x}")
    studied.carry_out(people.trainer, study_id, studied.knows, but=("GEN",))
    with read() as s:
        shown = study_reading.figure(s, s.get(Study, study_id))
    table = list(csv.DictReader(io.StringIO(study_files.to_csv(shown))))
    assert len(table) == 24
    assert table[3]["arm"] == "QA"
    assert float(table[3]["value"]) == pytest.approx(2 / 3)
    assert table[9]["value"] == ""
    assert table[9]["note"] == "failed"
    markdown = study_files.to_markdown(shown)
    assert "<script>" not in markdown
    assert "+66.7 (" in markdown
    drawing = ET.fromstring(study_svg.to_svg(shown))
    assert not [each for each in drawing.iter() if each.tag.endswith(("script", "image", "a", "use"))]
    said = " ".join(drawing.itertext())
    assert "<script>alert(1)</script>" in said
    assert "+66.7" in said
    assert "prefers-color-scheme" in said


def test_a_curve_is_drawn_by_rows_with_the_untuned_base_as_a_line(people, make):
    study_id = make(kind="data_scale", shares=(0.5, 1.0))
    studied.carry_out(
        people.trainer, study_id, lambda label: dict.fromkeys(studied.ANSWERS, 5 if "100" in label else 3)
    )
    with read() as s:
        shown = study_reading.figure(s, s.get(Study, study_id), by="groups")
    assert shown.is_curve
    assert [row.x for row in shown.rows] == [None, 18.0, 36.0]
    assert shown.rows[2].cells[0].value == pytest.approx(5 / 6)
    drawing = ET.fromstring(study_svg.to_svg(shown))
    assert sum(each.tag.endswith("polyline") for each in drawing.iter()) == 3


def test_the_stored_spec_reads_back(make):
    study_id = make(weights={"QA": 1, "IE": 2, "GEN": 3}, among=("QA", "IE", "GEN"))
    with read() as s:
        assert isinstance(studies.spec_of(s.get(Study, study_id)), StudySpec)
