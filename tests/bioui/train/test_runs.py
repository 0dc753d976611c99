"""The Train page's list, an open run, and runs side by side."""

from datetime import timedelta

import gradio as gr
import pytest

from bioui.components.job_panel import bar_value, log_path, outcome_value, read_log
from bioui.pages import train as page
from bioui.runs import get_run, runs_value, worker_notice
from bioui.watching import RunWatch, follow, loss_value
from db import alerts, jobs, processes, sample_answers
from db.enums import AlertKind, JobStatus, ProcessRole, StopMode
from db.jobs import Progress
from db.session import read, write
from db.tables import Job
from db.tables.base import utc_now
from tests.bioui.conftest import request_of

SKIP = gr.skip()


def record(running, step, attempt=None, **values):
    with write() as session:
        jobs.record_metrics(session, running[0], attempt or running[1], step, values)
        jobs.record_progress(session, running[0], attempt or running[1], Progress("training", step, 100))


def tick(people, project_id, watch, job_id):
    return page.tick(watch, request_of(people.trainer, project=str(project_id), job=str(job_id)))


def test_a_run_of_another_project_does_not_open(project_id, start):
    job_id = start()
    with read() as session, pytest.raises(LookupError, match="This project"):
        get_run(session, project_id + 1, job_id)


def test_without_a_worker_the_page_says_so_and_how_to_mend_it(people):
    with read() as session:
        assert "python -m trainer worker" in worker_notice(session)["sentences"][0]
    with write() as session:
        processes.register(session, ProcessRole.WORKER)
    with read() as session:
        assert worker_notice(session)["title"] == ""


def test_the_timer_brings_what_is_new_and_nothing_when_nothing_is(people, project_id, running):
    record(running, 1, loss=2.0)
    shown = tick(people, project_id, RunWatch(), running[0])
    watch = shown[3]
    assert watch.points["loss"] == ((1, 2.0),)
    assert tick(people, project_id, watch, running[0]) == SKIP
    record(running, 2, loss=1.5)
    assert tick(people, project_id, watch, running[0])[3].points["loss"] == ((1, 2.0), (2, 1.5))


def test_a_page_that_lost_its_state_shows_the_run_of_its_address_again(people, project_id, running):
    record(running, 5, loss=1.0)
    again = page.show_page(project_id, request_of(people.trainer, job=str(running[0])))
    assert again[9].points["loss"] == ((5, 1.0),)
    assert tick(people, project_id, RunWatch(), running[0])[3].points == again[9].points


def test_the_timer_rests_once_the_run_is_closed(people, project_id, running):
    with write() as session:
        jobs.close(session, *running, JobStatus.FINISHED, result={"adapter_id": 1})
    watch = tick(people, project_id, RunWatch(), running[0])[3]
    assert tick(people, project_id, watch, running[0])[2].active is False


def test_what_a_resumed_run_does_again_replaces_what_was(running):
    for step in (1, 2, 3):
        record(running, step, loss=3.0)
    with read() as session:
        watch = follow(session, RunWatch(running[0]))
    with write() as session:
        jobs.close(session, *running, JobStatus.INTERRUPTED)
        jobs.get_job(session, running[0]).status = JobStatus.QUEUED
        worker = processes.register(session, ProcessRole.WORKER)
        second = jobs.claim_next(session, worker.id).attempt
    record(running, 2, attempt=second, loss=1.0)
    with read() as session:
        assert follow(session, watch).points["loss"] == ((1, 3.0), (2, 1.0))


def test_the_base_is_a_level_beside_the_curve():
    watch = RunWatch(points={"loss": ((1, 3.0), (2, 2.0)), "eval_loss": ((0, 3.2), (2, 2.1))})
    assert [(line["name"], line["hue"]) for line in loss_value(watch)["lines"]] == [
        ("Training", "tuned"),
        ("Validation", "quiet"),
        ("Base", "base"),
    ]


def test_rate_and_time_left_come_from_the_latest_steps():
    job = Job(status=JobStatus.RUNNING, step=50, total_steps=100, phase="training")
    value = bar_value(job, RunWatch(times=((40, 0.0), (50, 5.0))), jobs_before=0)
    assert value["count"] == "50 of 100 steps"
    assert "2.0 steps/s" in value["pace"]
    assert "25 s left" in value["pace"]


def test_cancelling_tells_what_is_lost_and_offers_to_resume(people, project_id, running):
    record(running, 40, loss=1.0)
    request = request_of(people.trainer, job=str(running[0]))
    assert "step 40 of 100" in page.ask_cancel(project_id, request)[1]["text"]
    page.cancel(project_id, request)
    with write() as session:
        assert jobs.cancel_requested(session, *running)
        jobs.close(session, *running, JobStatus.CANCELLED)
    assert page.resume(project_id, request)[9].job_id == running[0]
    with read() as session:
        assert jobs.get_job(session, running[0]).status is JobStatus.QUEUED


def test_a_failed_run_shows_its_sentence_and_where_the_log_is(running):
    with write() as session:
        job = jobs.close(session, *running, JobStatus.FAILED, error="Base model: its weights are cut short.")
        value = outcome_value(job, "/data/jobs/1/log.txt")
    assert "Base model: its weights are cut short." in value["sentences"]
    assert value["log"] == "/data/jobs/1/log.txt"


def test_a_finished_run_leads_to_the_playground(project_id, running):
    with write() as session:
        result = {"adapter_id": 9, "seconds": 61.0, "tokens": 1000}
        value = outcome_value(jobs.close(session, *running, JobStatus.FINISHED, result=result), "")
    assert value["links"][0]["href"] == f"/playground?project={project_id}&adapter=9"


def test_the_log_shows_its_last_lines_as_a_terminal_would(tmp_path):
    path = log_path(tmp_path, 3)
    path.parent.mkdir()
    path.write_text("".join(f"line {n}\n" for n in range(500)) + "10%\r\x1b[1m100%\x1b[0m\n")
    lines = read_log(path)["text"].splitlines()
    assert len(lines) == 200
    assert (lines[0], lines[-1]) == ("line 301", "100%")


def test_a_log_that_is_not_there_yet_is_said_to_be_coming(tmp_path):
    assert "appears when" in read_log(log_path(tmp_path, 3))["said"]


def test_the_list_shows_loss_progress_and_time(project_id, running):
    record(running, 30, loss=1.2345)
    with write() as session:
        jobs.get_job(session, running[0]).started_at = utc_now() - timedelta(seconds=65)
    with read() as session:
        cells = runs_value(session, project_id)["rows"][0]["cells"]
    texts = [cell["text"] for cell in cells]
    assert texts[:5] == ["Ward v1", "Running", "30 / 100", "1.234", ""]
    assert texts[7].startswith("1 min 0")


def test_a_waiting_run_changes_places_with_the_one_before_it(people, project_id, start):
    first, second, third = (start(key=f"key {n}") for n in range(3))
    request = request_of(people.trainer)

    def order(shown):
        return [row["id"] for row in shown["rows"]]

    def press(job_id, to):
        return page.move_run(project_id, RunWatch(), gr.EventData(None, {"id": job_id, "to": to}), request)

    assert order(press(third, "up")) == [first, third, second]
    assert order(press(first, "down")) == [third, first, second]
    assert order(press(third, "up")) == [third, first, second]  # it is the first
    with write() as session:
        worker = processes.register(session, ProcessRole.WORKER)
        assert jobs.claim_next(session, worker.id).id == third
    with pytest.raises(ValueError, match="waits no longer"):
        press(third, "down")


def test_stop_and_discard_and_stop_and_save_are_two_wishes(people, project_id, running):
    request = request_of(people.trainer, job=str(running[0]))
    page.cancel(project_id, request)
    with read() as session:
        assert jobs.get_job(session, running[0]).stop_mode is StopMode.SAVE
    page.discard(project_id, request)
    with write() as session:
        job = jobs.close(session, *running, JobStatus.CANCELLED)
        assert job.stop_mode is StopMode.DISCARD
        assert "begins anew" in outcome_value(job, "")["sentences"][1]


def test_a_note_is_kept_with_the_run(people, project_id, running):
    request = request_of(people.trainer, job=str(running[0]))
    assert page.save_note(project_id, "  More dropout. ", request) == "More dropout."
    with read() as session:
        assert runs_value(session, project_id)["rows"][0]["cells"][0]["note"] == "More dropout."
    assert page.show_page(project_id, request)[12] == "More dropout."


def test_runs_are_compared_in_one_chart_and_by_what_differs(people, project_id, start, running):
    record(running, 1, loss=2.0, memory=2048.0)
    other = start(key="other", rank=32, sample_prompts="One\nTwo")
    request = request_of(people.trainer, compare=f"{running[0]},{other}")
    shown = page.compare_linked(project_id, "loss", 0.5, request)
    head, chart, table = shown[5:8]
    assert head["ids"] == f"{running[0]},{other}"
    assert [line["name"] for line in chart["lines"]] == [f"Ward v1 ({running[0]})"]
    differing = {row["name"]: row["values"] for row in table["rows"]}
    assert differing["Rank"] == ["8", "32"]
    assert differing["Sample prompts"] == ["none", "One / Two"]
    assert "Alpha" not in differing
    assert page.redraw(project_id, "memory", 0.0, request)["labels"][0]["last"] == "2"  # GiB
    with pytest.raises(LookupError, match="There is no job number 99"):
        page.redraw(project_id, "loss", 0.0, request_of(people.trainer, compare=f"{other},99"))


def test_alerts_and_sample_answers_are_shown(people, project_id, running):
    with write() as session:
        alerts.record(session, *running, 7, AlertKind.PLATEAU, "The loss has not fallen for 100 steps.")
        for step, answer in ((0, "I do not know."), (10, "Sepsis."), (20, "Sepsis.")):
            sample_answers.record(session, *running, step, 0, "What is it?", answer)
    shown = page.show_page(project_id, request_of(people.trainer, job=str(running[0])))
    views = shown[13:]
    assert "Plateau." in views[3]["alerts"][0]["name"]
    frames = views[9]["prompts"][0]["frames"]
    assert [(frame["step"], frame["changed"]) for frame in frames] == [
        ("Base", False),
        ("Step 10", True),
        ("Step 20", False),
    ]
