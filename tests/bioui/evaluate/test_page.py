"""The Leaderboard page on a real database: the board, the gate, an open run, and the CSV."""

import csv
import io

import gradio as gr
import pytest

from bioui import boards
from bioui.components import leaderboard_gate, model_scores
from bioui.pages import evaluate as page
from bioui.pages.models import Opened
from db import jobs
from db.enums import JobKind, JobStatus
from db.policy import PolicyError
from db.session import read, write
from tests.bioui.conftest import request_of
from tests.bioui.evaluate.conftest import evaluate

GROUPS = ["QA", "IE", "GEN"]


@pytest.fixture
def scored(setting):
    """The base right on few rows, the adapter on most; only the general task got worse."""
    base = evaluate(setting, GROUPS, adapter=False, right=6)
    tuned = evaluate(setting, GROUPS[:2], adapter=True, right=12)
    worse = evaluate(setting, GROUPS[2:], adapter=True, right=2)
    return base, tuned + worse


def asked(setting, **query):
    return request_of(setting.people.author, project=str(setting.project_id), **query)


def cells(value, name) -> dict[str, dict]:
    """Column title -> cell of one model."""
    row = next(row for row in value["rows"] if row["name"] == name)
    return {column["title"]: cell for column, cell in zip(value["columns"], row["cells"], strict=True)}


def test_the_board_holds_scores_gains_and_links_to_the_rows_behind_them(setting, scored):
    value, adapter_dd, forest, section = page.show_board(setting.project_id, asked(setting))
    assert [group["title"] for group in value["groups"]] == [
        "Question answering",
        "Information extraction",
        "Generation",
    ]
    base, tuned = cells(value, "tiny"), cells(value, "Ward v1")
    assert base["Ward QA"]["figure"] == "50.0 %"
    assert (tuned["Ward QA"]["figure"], tuned["Ward QA"]["second"][:5]) == ("100.0 %", "+50.0")
    (base_qa, *_), (tuned_qa, *_) = scored
    results = f"/results?project={setting.project_id}&evaluation="
    assert base["Ward QA"]["href"] == f"{results}{base_qa}"
    assert tuned["Ward QA"]["second_href"] == f"{results}{tuned_qa}&against={base_qa}"
    assert tuned["Ward GEN"]["second"].startswith("-")
    assert (adapter_dd.value, section.visible) == (setting.adapter_id, True)
    assert [row["name"] for row in forest["rows"]][:3] == ["Ward QA", "Ward IE", "Ward GEN"]


def test_the_address_filters_sorts_and_turns_scores_into_gains(setting, scored):
    look = asked(setting, category="qa", show="gains", **{"as": "relative"}, sort="name")
    value = page.show_board(setting.project_id, look)[0]
    assert [column["title"] for column in value["columns"]] == ["Ward QA"]
    assert cells(value, "Ward v1")["Ward QA"]["figure"] == "+100.0 %"
    assert [row["name"] for row in value["rows"]] == ["tiny", "Ward v1"]
    value = page.show_board(setting.project_id, asked(setting, base="99"))[0]
    assert (value["rows"], value["empty"]["title"]) == ([], "Nothing is scored in that choice.")
    assert value["filters"]  # so that the reader can choose again


def test_an_address_that_means_nothing_shows_the_whole_board(setting, scored):
    value = page.show_board(setting.project_id, asked(setting, category="x", way="y", base="z", sort="$"))[0]
    assert (len(value["columns"]), len(value["rows"])) == (3, 2)


def test_an_empty_board_names_the_next_step(people, project_id):
    value = page.show_board(project_id, request_of(people.author, project=str(project_id)))[0]
    assert (value["empty"]["link"], value["filters"]) == ("Freeze a task", [])
    assert value["empty"]["href"] == f"/tasks?project={project_id}"


def test_the_gate_marks_an_adapter_and_an_admin_moves_it(setting, scored):
    admin = request_of(setting.people.admin, project=str(setting.project_id))
    badge = boards_badge(page.show_board(setting.project_id, asked(setting))[0])
    assert badge["text"] == "Gate failed"
    assert badge["lines"][0].startswith("Ward GEN lost ")
    text, has_gate, points, value = leaderboard_gate.save_gate(setting.project_id, True, 90, admin)
    assert "more than 90 points" in text["text"]
    assert (has_gate, points, boards_badge(value)["text"]) == (True, 90, "Gate passed")
    *_, value = leaderboard_gate.save_gate(setting.project_id, False, 90, admin)
    assert boards_badge(value) is None
    with pytest.raises(ValueError, match="^points: it is empty"):
        leaderboard_gate.save_gate(setting.project_id, True, None, admin)
    with pytest.raises(PolicyError):
        leaderboard_gate.save_gate(setting.project_id, True, 1, request_of(setting.people.trainer))
    assert leaderboard_gate.show_gate(setting.project_id, asked(setting))[-1].visible is False


def boards_badge(value) -> dict | None:
    return next(row["gate"] for row in value["rows"] if row["adapter_id"])


def test_the_models_page_shows_an_adapters_scores_and_its_badge(setting, scored):
    value = model_scores.show_scores(setting.project_id, Opened(setting.adapter_id), asked(setting))
    assert value["gate"]["text"] == "Gate failed"
    qa, _, gen = sorted(value["scores"], key=lambda line: ["QA", "IE", "GEN"].index(line["name"].split()[1]))
    assert qa["score"].startswith("100.0 %")
    assert (qa["gain"], gen["gain"][0]) == ("+50.0 points", "-")
    assert model_scores.show_scores(setting.project_id, Opened(), asked(setting)) == model_scores.NOTHING


def test_the_board_goes_out_as_csv_to_those_who_may_read(studio, setting, scored):
    path = f"/evaluate/leaderboard.csv?project={setting.project_id}"
    with studio.browser(setting.people.clinician) as client:
        answer = client.get(path)
        assert client.get("/evaluate/leaderboard.csv?project=99").status_code == 404
    header, *rows = csv.reader(io.StringIO(answer.text))
    assert header[:2] == ["model", "kind"]
    assert {row[0]: row[header.index("Ward QA, Accuracy")] for row in rows} == {
        "tiny": "0.5",
        "Ward v1": "1.0",
    }
    with studio.browser() as client:
        assert client.get(path, headers={"accept": "application/json"}).status_code in (401, 403)


def test_an_open_run_shows_its_tasks_and_the_timer_only_what_is_new(setting):
    evaluate(setting, ["QA", "IE"], adapter=False, right=6, finish=False)
    with read() as session:
        job = jobs.list_jobs(session, setting.project_id, JobKind.EVALUATE)[0]
        attempt = job.attempt
    shown = page.show_page(setting.project_id, asked(setting, job=str(job.id)))
    line, watch, tasks = shown[2], shown[8], shown[14]
    assert (line["text"], line["id"]) == ("Scores: 0 of 0 rows", job.id)
    assert [(task["name"], task["rows"]) for task in tasks["tasks"]] == [
        ("Ward QA", "11 of 12"),
        ("Ward IE", "11 of 12"),
    ]
    look = asked(setting, job=str(job.id))
    assert page.tick(watch, look) == gr.skip()
    with write() as session:
        jobs.record_progress(session, job.id, attempt, jobs.Progress("Ward QA", 11, 24))
        jobs.record_metrics(session, job.id, attempt, 11, {"rows_per_second": 0.5})
    fresh = page.tick(watch, look)
    assert fresh[7]["count"] == "11 of 24 rows"
    assert "0.5 rows/s" in fresh[7]["pace"]
    with write() as session:
        jobs.close(session, job.id, attempt, JobStatus.FAILED, error="no memory left")
    ended = page.tick(fresh[4], look)
    assert ended[8]["title"] == "Failed at row 11 of 24"
    rested = page.tick(ended[4], look)
    assert rested[3].active is False


def test_a_finished_run_brings_the_board_with_it(setting):
    watch = page.show_page(setting.project_id, asked(setting))[8]
    evaluate(setting, ["QA"], adapter=False, right=6)
    fresh = page.tick(watch, asked(setting))
    assert [row["name"] for row in fresh[-4]["rows"]] == ["tiny"]


def test_a_run_is_cancelled_and_resumed_by_those_who_evaluate(setting):
    evaluate(setting, ["QA"], adapter=False, right=6, finish=False)
    with read() as session:
        job_id = jobs.list_jobs(session, setting.project_id, JobKind.EVALUATE)[0].id
    trainer = request_of(setting.people.trainer, project=str(setting.project_id), job=str(job_id))
    assert "Scored rows are kept" in page.CONTROL.ask_cancel(setting.project_id, trainer)[1]["text"]
    page.CONTROL.cancel(setting.project_id, trainer)
    with write() as session:
        job = jobs.get_job(session, job_id)
        assert job.cancel_requested_at is not None
        jobs.close(session, job_id, job.attempt, JobStatus.CANCELLED)
    page.CONTROL.resume(setting.project_id, trainer)
    with read() as session:
        assert jobs.get_job(session, job_id).status is JobStatus.QUEUED
    for handler in (page.CONTROL.cancel, page.CONTROL.resume, page.CONTROL.ask_cancel):
        with pytest.raises(PolicyError):
            handler(setting.project_id, asked(setting, job=str(job_id)))


def test_a_run_of_another_project_does_not_open(setting):
    evaluate(setting, ["QA"], adapter=False, right=6, finish=False)
    with pytest.raises(LookupError, match="This project has no evaluation run number 1"):
        page.show_page(setting.project_id + 1, asked(setting, job="1"))


def test_the_choice_of_an_adapter_is_kept_apart_from_other_looks(setting, scored):
    value, forest = page.choose_adapter(setting.project_id, setting.adapter_id, asked(setting, category="IE"))
    assert [row["name"] for row in forest["rows"]] == ["Ward IE"]
    assert [row["current"] for row in value["rows"]] == [False, True]
    assert boards.look_of(asked(setting, adapter="7")).adapter_id == 7
