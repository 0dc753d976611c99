"""Freezing rows that nobody reviewed: only where a sample of their run lets them in, and never unsaid."""

import json
import zipfile
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from db import audit, cards, datasets, freezing, instructions, privacy, projects, unreviewed
from db.__main__ import main
from db.canonical import FrozenRow, canonical_line, content_key, hash_rows, parse_line
from db.content import Content
from db.datasets import Recipe
from db.enums import Decision, InstructionStatus, Origin, Split
from db.exchange import records, writers
from db.exchange.writers import Format
from db.policy import PolicyError
from db.session import read, write
from db.tables import DatasetVersion, Instruction, Project
from db.unreviewed import UnreviewedRule
from db.version_diff import compare_versions
from tests.db.audited import SEEDS, add_run, audited_run, decide, draw, keep_more
from tests.db.frozen import freeze, new_dataset, question, rows_of


@pytest.fixture
def dataset_id(people, project_id) -> int:
    return new_dataset(people, project_id)


@pytest.fixture
def run(people, project_id) -> tuple[int, list[int], list[int]]:
    """Sixty kept records, fifty sampled, two of those refused: ten wait."""
    return audited_run(people, project_id, refused=2)


def taking(*job_ids, **fields) -> Recipe:
    return Recipe(unreviewed_runs=job_ids, **fields)


def plan_of(project_id, recipe):
    with read() as session:
        return freezing.plan_version(session, project_id, recipe)


def flag(session, row_id) -> None:
    found = privacy.Flag("output", 0, 4, "PERSON", 0.9)
    privacy.flag_many(session, [session.get_one(Instruction, row_id)], [(found,)])


def refused(project_id, recipe) -> str:
    with pytest.raises(ValueError, match="^unreviewed runs: ") as told:
        plan_of(project_id, recipe)
    return str(told.value)


# What goes in --------------------------------------------------------------------------------------------


def test_rows_that_wait_go_in_beside_the_approved_ones_and_remember_it(people, dataset_id, run):
    job_id, ids, sample = run
    version = freeze(people, dataset_id, taking(job_id))
    rows = rows_of(version.id)
    unread = {row.instruction_id for row in rows if row.is_unreviewed}
    assert unread == set(ids) - set(sample)
    assert len(rows) == SEEDS + 58
    assert not {row.instruction_id for row in rows} & set(sample[:2])
    assert {row.origin for row in rows if row.is_unreviewed} == {Origin.GENERATED}
    assert list(version.recipe["unreviewed_runs"]) == [job_id]
    with read() as session:
        line = next(line for line in audit.list_lines(session) if line.action == "froze")
        assert line.detail["unreviewed"] == 10
        assert sum(datasets.count_unreviewed(session, version.id).values()) == 10
        assert len(datasets.list_rows(session, version.id, is_unreviewed=True)) == 10
        assert len(datasets.list_rows(session, version.id, is_unreviewed=False)) == SEEDS + 48
        assert datasets.verify(session, version.id)


def test_without_being_asked_nothing_unreviewed_goes_in(people, dataset_id, run):
    version = freeze(people, dataset_id)
    assert version.report["rows"] == SEEDS + 48
    assert version.report["unreviewed"] == {"rows": 0, "splits": {}, "runs": []}
    assert not any(row.is_unreviewed for row in rows_of(version.id))


def test_the_filters_hold_for_unreviewed_rows_too(people, project_id, run):
    assert plan_of(project_id, taking(run[0], origins=(Origin.SEED,))).report["unreviewed"]["rows"] == 0
    assert plan_of(project_id, taking(run[0], text="a1000")).report["rows"] == 1


def test_what_was_flagged_edited_deleted_reviewed_once_or_kept_later_stays_out(people, project_id, run):
    job_id, ids, sample = run
    flagged, edited, deleted, reviewed, *rest = (id for id in ids if id not in sample)
    with write() as session:
        flag(session, flagged)
        content = Content("Rewritten by hand?", output="Yes.", task="qa")
        instructions.edit_instruction(session, people.reviewer, edited, content, version=1)
        instructions.submit_for_review(session, people.reviewer, edited, version=2)
        session.get_one(Instruction, deleted).deleted_at = datetime.now(UTC)
        session.get_one(Instruction, reviewed).overlap = 2
    decide(people, [reviewed])  # one of two: it is in review still, and somebody has decided
    keep_more(job_id, 4, start=3000, number=1)
    with read() as session:
        waiting = {session.get_one(Instruction, id).status for id in (flagged, edited, reviewed)}
    plan = plan_of(project_id, taking(job_id))
    assert waiting == {InstructionStatus.IN_REVIEW}
    assert {row.instruction_id for row in plan.rows if row.is_unreviewed} == set(rest)
    assert plan.report["unreviewed"]["runs"][0]["kept_since"] == 4


def test_a_run_whose_every_record_was_sampled_lets_nothing_else_in(people, project_id):
    job_id, *_ = audited_run(people, project_id, rows=12, size=12)
    with write() as session:
        unreviewed.set_rule(session, people.admin, project_id, UnreviewedRule(acceptance=0.7))
    assert plan_of(project_id, taking(job_id)).report["unreviewed"]["rows"] == 0


def test_two_runs_are_each_asked_for_their_sample(people, project_id, run):
    second, *_ = audited_run(people, project_id, name="Second", start=5000)
    plan = plan_of(project_id, taking(second, run[0], run[0]))
    told = plan.report["unreviewed"]
    assert [(each["job"], each["rows"], each["accepted"]) for each in told["runs"]] == [
        (run[0], 10, 48), (second, 10, 50),
    ]  # fmt: skip
    assert told["rows"] == sum(told["splits"].values()) == 20


# What keeps them out -------------------------------------------------------------------------------------


def test_without_a_sample_the_sentence_says_how_many_to_draw(people, project_id):
    job_id, _ = add_run(people, project_id, 20)
    told = refused(project_id, taking(job_id))
    assert f"no audit sample of run {job_id} was drawn; draw one of 50 records or more" in told


def test_a_sample_half_decided_is_not_enough_however_good(people, project_id):
    job_id, _ = add_run(people, project_id, 60)
    sample = draw(people, job_id, 50)
    decide(people, sample[:25])
    told = refused(project_id, taking(job_id))
    assert f"25 of the 50 records in the sample of run {job_id} still wait for a decision" in told


def test_a_sample_that_is_too_small_is_told_with_both_numbers(people, project_id):
    job_id, *_ = audited_run(people, project_id, rows=40, size=20)
    told = refused(project_id, taking(job_id))
    assert f"the sample of run {job_id} holds 20 records and this project asks for 40" in told


def test_a_bound_that_the_interval_does_not_reach_is_told_with_the_figures(people, project_id):
    job_id, *_ = audited_run(people, project_id, refused=5)  # 45 of 50: 90 %, and still too few to tell
    told = refused(project_id, taking(job_id))
    assert "45 of 50 accepted (90.0 %, 95 % interval 78.6 to 95.7 %): the lower end, 78.64 %" in told
    assert "below the 80 % that this project asks for" in told
    with write() as session:
        unreviewed.set_rule(session, people.admin, project_id, UnreviewedRule(acceptance=0.78))
    assert plan_of(project_id, taking(job_id)).report["unreviewed"]["rows"] == 10


def test_a_sample_that_pleases_does_not_undo_one_that_failed(people, project_id):
    job_id, *_ = audited_run(people, project_id, rows=120, refused=20)
    decide(people, draw(people, job_id, 50))  # this one all approved
    told = refused(project_id, taking(job_id))
    assert f"of the sample of run {job_id}, 80 of 100 in 2 draws accepted (80.0 %, 95 % interval" in told
    with write() as session:
        unreviewed.set_rule(session, people.admin, project_id, UnreviewedRule(acceptance=0.7))
    report = plan_of(project_id, taking(job_id)).report
    [told] = report["unreviewed"]["runs"]
    assert (told["draws"], told["sampled"], told["accepted"]) == (2, 100, 80)
    said = unreviewed.unreviewed_sentence(report)
    assert f"of the sample of 100 in 2 draws from run {job_id}, 80 were" in said


def test_a_few_drawn_of_what_came_later_do_not_let_it_all_in(people, project_id):
    job_id, *_ = audited_run(people, project_id, rows=60)
    keep_more(job_id, 100, start=7000, number=1)
    decide(people, draw(people, job_id, 1))
    told = refused(project_id, taking(job_id))
    assert "holds 1 records and this project asks for 50, drawn from all of the 160 that may go in" in told
    decide(people, draw(people, job_id, 49, seed=43))
    assert plan_of(project_id, taking(job_id)).report["unreviewed"]["rows"] == 60


def test_a_run_of_another_project_and_a_job_that_is_none_are_refused(people, project_id, run):
    with write() as session:
        other = Project(name="Ward 8")
        session.add(other)
        session.flush()
        other_id = other.id
    assert f"number {run[0]} is no generation run of this project" in refused(other_id, taking(run[0]))
    assert "number 999 is no generation run" in refused(project_id, taking(999))


# From the plan to the version ----------------------------------------------------------------------------


def frozen_from(people, dataset_id, plan) -> DatasetVersion:
    return freeze(people, dataset_id, plan=plan)


def count_versions() -> int:
    with read() as session:
        return len(session.scalars(select(DatasetVersion)).all())


def test_a_plan_freezes_to_what_was_planned_though_the_run_goes_on(people, project_id, dataset_id, run):
    plan = plan_of(project_id, taking(run[0]))
    keep_more(run[0], 3, start=7000, number=1)
    version = frozen_from(people, dataset_id, plan)
    assert version.content_hash == plan.content_hash
    assert version.report == json.loads(json.dumps(plan.report))


@pytest.mark.parametrize("what", ["edited", "approved", "rejected", "deleted", "flagged"])
def test_a_row_that_changed_meanwhile_stops_the_freeze(people, project_id, dataset_id, run, what):
    plan = plan_of(project_id, taking(run[0]))
    row_id = next(row.instruction_id for row in plan.rows if row.is_unreviewed)
    if what in ("approved", "rejected"):
        decide(people, [row_id], Decision.APPROVE if what == "approved" else Decision.REJECT)
    else:
        with write() as session:
            if what == "edited":
                content = Content("Rewritten?", output="Yes.", task="qa")
                instructions.edit_instruction(session, people.reviewer, row_id, content, version=1)
            elif what == "deleted":
                session.get_one(Instruction, row_id).deleted_at = datetime.now(UTC)
            else:
                flag(session, row_id)
    with pytest.raises(ValueError, match=rf"^unreviewed runs: 1 of the unreviewed .* \(number {row_id}\)"):
        frozen_from(people, dataset_id, plan)
    assert count_versions() == 0


def test_another_sample_or_a_higher_bound_since_stops_the_freeze(people, project_id, dataset_id, run):
    plan = plan_of(project_id, taking(run[0]))
    with write() as session:
        unreviewed.set_rule(session, people.admin, project_id, UnreviewedRule(acceptance=0.9))
    with pytest.raises(ValueError, match=r"the lower end, 86\.54 %, is below the 90 %"):
        frozen_from(people, dataset_id, plan)
    with write() as session:
        unreviewed.set_rule(session, people.admin, project_id, UnreviewedRule())
    outside = [id for id in run[1] if id not in run[2]]
    again = draw(people, run[0], 50, seed=7)
    with pytest.raises(ValueError, match="still wait for a decision"):
        frozen_from(people, dataset_id, plan)
    decide(people, [id for id in again if id in outside])
    with pytest.raises(ValueError, match="the sample of run .* changed while"):
        frozen_from(people, dataset_id, plan)
    assert count_versions() == 0


# The hash and what is said -------------------------------------------------------------------------------


def test_a_version_without_unreviewed_rows_has_the_hash_it_always_had():
    row = FrozenRow(Split.TRAIN, question(1), 1, 1, "seed", "native", "", False)
    assert hash_rows([row]) == "f07e9819dc25fefdf81647486d3240446317cf61bafdb5c6d703a5f943077598"
    assert "is_unreviewed" not in canonical_line(row)


def test_a_row_reviewed_since_makes_a_new_version_and_stays_in_its_split(people, dataset_id, run):
    job_id, ids, sample = run
    first = freeze(people, dataset_id, taking(job_id))
    decide(people, [id for id in ids if id not in sample])
    second = freeze(people, dataset_id, taking(job_id))
    assert (second.number, second.report["unreviewed"]["rows"]) == (2, 0)
    assert second.content_hash != first.content_hash
    splits = [{row.instruction_id: row.split for row in rows_of(version.id)} for version in (first, second)]
    assert splits[0] == splits[1]
    with read() as session:
        counts = compare_versions(session, first.id, second.id).counts
    assert counts == {"added": 0, "removed": 0, "changed": 10, "moved": 0}


def test_a_line_carries_the_mark_there_and_back(people, dataset_id, run):
    version = freeze(people, dataset_id, taking(run[0]))
    with read() as session:
        lines = list(datasets.export_lines(session, version.id))
        assert datasets.verify_lines(session, version.id, lines)
    marked = [line for line in lines if '"is_unreviewed": true' in line]
    assert len(marked) == 10
    row = parse_line(marked[0])
    assert row.is_unreviewed
    assert content_key(row) == content_key(replace(row, is_unreviewed=False))


def test_the_report_and_the_card_say_the_figures(people, dataset_id, run):
    version = freeze(people, dataset_id, taking(run[0]))
    said = unreviewed.unreviewed_sentence(version.report)
    assert said == (
        f"10 of 61 rows were not reviewed; of the sample of 50 from run {run[0]}, 48 were accepted "
        "(96.0 %, 95 % interval 86.5 to 98.9 %)."
    )
    with read() as session:
        card = cards.dataset_card(session, version.id)
    assert said in card
    assert "Each text was approved by a reviewer" not in card
    assert "- `is_unreviewed` (bool)" in card
    plain = freeze(people, dataset_id)
    with read() as session:
        card = cards.dataset_card(session, plain.id)
    assert "Each text was approved by a reviewer." in card
    assert "is_unreviewed" not in card


@pytest.mark.parametrize(
    "format", [Format.JSONL, Format.ALPACA, Format.CSV, Format.PARQUET, Format.MESSAGES, Format.DATASETS]
)
def test_an_export_says_which_rows_nobody_reviewed(people, dataset_id, run, tmp_path, format):
    version = freeze(people, dataset_id, taking(run[0]))
    path = tmp_path / "rows"
    with read() as session:
        writers.save_records(records.of_version(session, people.trainer, version.id), format, path)
    assert marks_in(path, format) == 10


def marks_in(path, format) -> int:
    if format is Format.PARQUET:
        import pyarrow.parquet as pq

        return sum(pq.read_table(path).column("is_unreviewed").to_pylist())
    if format is Format.DATASETS:
        import datasets as hf_datasets

        zipfile.ZipFile(path).extractall(path.with_suffix(".d"))
        splits = hf_datasets.load_from_disk(path.with_suffix(".d"))
        return sum(sum(rows["is_unreviewed"]) for rows in splits.values())
    text = path.read_text(encoding="utf-8-sig")
    if format is Format.CSV:
        return sum(line.endswith(",True") for line in text.splitlines())
    rows = json.loads(text) if format is Format.ALPACA else map(json.loads, text.splitlines())
    return sum(row["is_unreviewed"] for row in rows)


def test_an_export_without_such_rows_is_as_it_was(people, dataset_id, run):
    version = freeze(people, dataset_id)
    with read() as session:
        found = records.of_version(session, people.trainer, version.id)
        assert found.columns == ("split", *records.COLUMNS)
        assert all("is_unreviewed" not in row for chunk in found.chunks() for row in chunk)


# The project's rule --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"acceptance": 1}, "acceptance"),
        ({"acceptance": -0.1}, "acceptance"),
        ({"acceptance": float("nan")}, "acceptance"),
        ({"acceptance": None}, "acceptance"),
        ({"acceptance": True}, "acceptance"),
        ({"sample": 9}, "sample"),
        ({"sample": 2001}, "sample"),
        ({"sample": 50.5}, "sample"),
        ({"sample": float("inf")}, "sample"),
        ({"sample": None}, "sample"),
    ],
)
def test_a_rule_that_cannot_be_is_named(fields, field):
    with pytest.raises(ValueError, match=f"^{field}: "):
        UnreviewedRule(**fields)


def test_the_rule_is_the_projects_own_and_its_change_is_told(people, project_id):
    with pytest.raises(PolicyError), write() as session:
        unreviewed.set_rule(session, people.trainer, project_id, UnreviewedRule())
    with write() as session:
        unreviewed.set_rule(session, people.admin, project_id, UnreviewedRule(0.75, 100))
    with read() as session:
        assert unreviewed.rule_of(projects.get_project(session, project_id)) == UnreviewedRule(0.75, 100)
        line = audit.list_lines(session)[0]
        assert (line.action, line.detail) == ("unreviewed_rule_set", {"acceptance": 0.75, "sample": 100})


# From the shell -----------------------------------------------------------------------------------------


def test_the_shell_freezes_them_and_counts_them(people, project_id, run, settings, monkeypatch, capsys):
    monkeypatch.setenv("STUDIO_DATA_DIR", str(settings.data_dir))
    ours = ["--as", "admin", "--project", str(project_id)]
    assert main([*ours, "settings", "--acceptance", "0.9"]) == 0
    assert json.loads(capsys.readouterr().out)["acceptance"] == 0.9
    asked = [*ours, "freeze", "Ward", "--unreviewed-run", str(run[0])]
    assert main(asked) == 1
    assert "is below the 90 % that this project asks for" in capsys.readouterr().err
    assert main([*ours, "settings", "--acceptance", "0.8"]) == 0
    assert main(asked) == 0
    told = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (told["unreviewed"], told["new"]) == (10, True)
