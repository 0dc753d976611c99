"""The freeze form's runs with unreviewed rows, and how a version with such rows is read."""

import pytest

from bioui.components import version_rows
from bioui.components.version_report import report_value
from bioui.components.version_tabs import tab_values
from bioui.frozen import Reading, row_value, rows_value
from bioui.pages import datasets as page
from db import datasets
from db.session import read
from tests.bioui.conftest import request_of
from tests.bioui.test_datasets_page import changed, press_freeze, press_look
from tests.db.audited import add_run, audited_run, decide, draw

OFFERED = 8  # the place of the runs among what open_form fills


@pytest.fixture
def run(people, project_id):
    """Sixty kept records, fifty sampled, two of those refused: ten wait."""
    return audited_run(people, project_id, refused=2, name="Cardiology")


@pytest.fixture
def version_id(people, project_id, run) -> int:
    return press_freeze(people.trainer, project_id, form=changed(unreviewed_runs=[run[0]]))[5]["id"]


def offered(people, project_id):
    return page.open_form(project_id, request_of(people.trainer))[OFFERED]


def counted(people, project_id, *job_ids, task="") -> str:
    filters = ([], [], task, "", "", 0, 0, 0)
    shown = page.count_chosen(project_id, *filters, list(job_ids), request_of(people.trainer))
    return shown["count"] + shown["rest"]


def rows_tab(people, version_id) -> list:
    with read() as session:
        version = datasets.get_version(session, version_id)
        shown = tab_values(session, people.trainer, version, "rows")
    return list(shown[1 + 6 : 1 + 6 + 4])


def test_without_a_run_the_field_is_empty_and_hidden(people, project_id):
    field = offered(people, project_id)
    assert (field.choices, field.visible) == ([], False)


def test_each_run_says_what_its_sample_says(people, project_id, run):
    second, _ = add_run(people, project_id, 60, name="Renal", start=4000)
    field = offered(people, project_id)
    first = f"Run {run[0]}, Cardiology: 48 of 50 accepted (96.0 %, 95 % interval 86.5 to 98.9 %)"
    assert field.visible is True
    assert [tuple(choice) for choice in field.choices] == [
        (f"Run {second}, Renal: no sample drawn; 60 unreviewed rows", second),
        (f"{first}; 10 unreviewed rows", run[0]),
    ]
    decide(people, draw(people, second, 50)[:20])
    waiting = f"Run {second}, Renal: 30 of the sample's 50 still to review; 40 unreviewed rows"
    assert offered(people, project_id).choices[0][0] == waiting


def test_the_count_tells_them_apart_and_says_what_keeps_a_run_out(people, project_id, run):
    second, _ = add_run(people, project_id, 60, name="Renal", start=4000)
    assert counted(people, project_id, run[0]) == (
        "54 approved instructions: 54 QA. Beside them 10 rows that nobody reviewed. Split: 64 to train, "
        "0 to validation, 0 to test."
    )
    assert f"No audit sample of run {second} was drawn" in counted(people, project_id, run[0], second)
    assert "0 rows" not in counted(people, project_id)
    assert counted(people, project_id, task="ner").startswith("No approved instruction matches.")


def test_the_plan_counts_them_before_anything_is_frozen(people, project_id, run):
    _, shown, *_ = press_look(people.trainer, project_id, form=changed(unreviewed_runs=[run[0]]))
    assert shown["title"] == "61 rows would be frozen"
    assert shown["sentence"].endswith("10 of them nobody has reviewed.")
    assert shown["checks"][0]["name"] == "Not reviewed"


def test_a_run_that_may_not_is_refused_at_its_field_and_leaves_no_dataset(people, project_id):
    job_id, _ = add_run(people, project_id, 20)
    with pytest.raises(ValueError, match="^unreviewed runs: no audit sample"):
        press_freeze(people.trainer, project_id, form=changed(unreviewed_runs=[job_id]))
    with pytest.raises(ValueError, match="^unreviewed runs: choose the runs"):
        press_freeze(people.trainer, project_id, form=changed(unreviewed_runs=["all"]))
    with read() as session:
        assert datasets.list_datasets(session, project_id) == []


def test_the_version_says_it_in_its_lead_and_in_its_report(people, project_id, run, version_id):
    panel = page.show_page(project_id, request_of(people.clinician, version=str(version_id)))[5]
    assert f"what nobody had reviewed of generation run {run[0]}." in panel["recipe"]
    with read() as session:
        version = datasets.get_version(session, version_id)
        check = report_value(project_id, version.recipe, version.report)["checks"][0]
    assert check["text"].startswith(
        f"10 of 61 rows were not reviewed; of the sample of 50 from run {run[0]}, 48 were accepted (96.0 %"
    )
    assert " to train" in check["text"]


def test_the_rows_are_marked_and_can_be_read_alone(people, project_id, version_id):
    assert rows_tab(people, version_id)[3].visible is True
    shown, reading, _ = version_rows.choose_rows(
        Reading(version_id), "", "no", request_of(people.clinician)
    )  # fmt: skip
    assert len(shown["rows"]) == 10
    assert {row["cells"][2]["note"] for row in shown["rows"]} == {"not reviewed"}
    with read() as session:
        opened = row_value(session, reading, shown["rows"][0]["id"], project_id)
    assert "nobody reviewed it" in opened["terms"]
    with read() as session:
        reviewed, _ = rows_value(session, Reading(version_id, reviewed="yes"))
    assert reviewed["range"] == "1–50 of 51"
    assert {row["cells"][2]["note"] for row in reviewed["rows"]} == {""}


def test_a_version_that_was_reviewed_whole_offers_no_such_choice(people, project_id, run):
    version_id = press_freeze(people.trainer, project_id)[5]["id"]
    assert rows_tab(people, version_id)[3].visible is False
