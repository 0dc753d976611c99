from datetime import timedelta

import gradio as gr
import pytest

from bioui.components import train_start
from bioui.components.data_report import time_range
from bioui.components.job_panel import bar_value, log_path, outcome_value, read_log
from bioui.components.train_form import DEFAULTS, FIELDS, OWN_SETTINGS, SETTINGS, spec_of
from bioui.pages import train as page
from bioui.runs import get_run, report_of, runs_value, worker_notice
from bioui.watching import RunWatch, follow, loss_value
from db import alerts, datasets, jobs, processes, sample_answers
from db.content import Content
from db.datasets import FrozenRow
from db.enums import AlertKind, JobKind, JobStatus, ProcessRole, Split, StopMode
from db.jobs import Progress
from db.policy import PolicyError
from db.session import read, write
from db.tables import BaseModel, Job
from db.tables.base import utc_now
from db.train_spec import TrainSpec
from tests.bioui.conftest import request_of

SKIP = gr.skip()
REPORT = {
    "rows": 120,
    "kept": 117,
    "too_long": 2,
    "empty_answer": 1,
    "tokens": 9000,
    "labelled_tokens": 1800,
    "longest": 500,
    "percentiles": {"50": 60, "90": 110, "99": 480},
    "steps": 45,
    "seconds": 150.0,
    "device": "cpu",
    "histogram": [
        {"from": 1, "to": 256, "rows": 100},
        {"from": 257, "to": 512, "rows": 17},
        {"from": 513, "to": 768, "rows": 2},
    ],
    "batching": "flat",
    "rows_a_step": 8.0,
    "fill": 1.0,
    "memory": {"low": 1_500_000_000, "high": 2_000_000_000, "there": None},
    "disk": {"needed": 5_000_000, "checkpoint": 1, "result": 1, "free": 9_000_000_000},
    "duplicates": {"train": 3, "validation": 0, "validation_in_train": 1, "test_in_train": 0},
    "warnings": ["One row of the validation split is trained on as well."],
    "samples": [
        {
            "row": 1,
            "tokens": 12,
            "labelled_tokens": 4,
            "is_cut": False,
            "pieces": [{"text": "Ask <b>", "labelled": False}, {"text": "Say", "labelled": True}],
        }
    ],
}


@pytest.fixture(autouse=True)
def environment(settings, monkeypatch):
    """The settings that the pages read."""
    for name, value in settings.environment().items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def base_id(people) -> int:
    with write() as session:
        base = BaseModel(name="tiny", location="/models/tiny")
        session.add(base)
        session.flush()
        return base.id


@pytest.fixture
def version_id(people, project_id) -> int:
    with write() as session:
        dataset = datasets.create_dataset(session, people.trainer, project_id, name="Ward")
        rows = [FrozenRow(Split.TRAIN, Content("Ask", output="Say"))]
        return datasets.freeze_rows(session, people.trainer, dataset, rows, recipe={}).id


@pytest.fixture
def form(base_id, version_id):
    """The form's values with some changed: form(rank=4)."""

    def values(**changed):
        given = {
            "base_model_id": base_id,
            "dataset_version_id": version_id,
            "adapter_name": "Ward v1",
            **changed,
        }
        return tuple({**DEFAULTS, "sample_prompts": "", **given}[name] for name in FIELDS)

    return values


@pytest.fixture
def start(people, project_id, form):
    """Press Start as the trainer; returns the id of the run that is shown."""

    def press(key="key", **changed) -> int:
        return train_start.start(project_id, key, request_of(people.trainer), *form(**changed))[9].job_id

    return press


@pytest.fixture
def running(start):
    """A run that a worker has taken: (its id, its attempt)."""
    job_id = start()
    with write() as session:
        worker = processes.register(session, ProcessRole.WORKER)
        return job_id, jobs.claim_next(session, worker.id).attempt


def record(running, step, attempt=None, **values):
    with write() as session:
        jobs.record_metrics(session, running[0], attempt or running[1], step, values)
        jobs.record_progress(session, running[0], attempt or running[1], Progress("training", step, 100))


def tick(people, project_id, watch, job_id):
    return page.tick(watch, request_of(people.trainer, project=str(project_id), job=str(job_id)))


def test_the_settings_of_the_form_become_the_spec(form, base_id, version_id):
    spec = spec_of(form(rank=4.0, scheduler="linear"))
    assert spec == TrainSpec(base_id, version_id, "Ward v1", rank=4, scheduler="linear")


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"rank": 0}, "rank"),
        ({"rank": 8.5}, "rank"),
        ({"rank": None}, "rank"),
        ({"learning_rate": -1}, "learning rate"),
        ({"dropout": 7}, "dropout"),
        ({"adapter_name": "  "}, "adapter name"),
        ({"base_model_id": None}, "base model"),
        ({"dataset_version_id": None}, "dataset version"),
        ({"target": "no such!"}, "target"),
    ],
)
def test_a_setting_that_cannot_be_is_named_and_queues_nothing(project_id, start, changed, field):
    with pytest.raises(ValueError, match=f"^{field}: "):
        start(**changed)
    with read() as session:
        assert jobs.count_open(session) == 0


def test_a_second_click_on_start_is_the_same_run(start):
    assert start() == start()


def test_other_settings_or_a_new_form_are_another_run(start):
    assert len({start(), start(rank=4), start(key="another form")}) == 3


@pytest.mark.parametrize("role", ["author", "reviewer", "clinician"])
def test_who_may_not_train_is_refused_by_the_handlers_themselves(people, project_id, form, role):
    request = request_of(getattr(people, role))
    with pytest.raises(PolicyError):
        train_start.start(project_id, "key", request, *form())
    with pytest.raises(PolicyError):
        train_start.check_data(project_id, "key", request, *form())
    with pytest.raises(PolicyError):
        page.cancel(project_id, request)


def test_a_version_of_another_project_cannot_be_trained_on(people, project_id, form):
    with pytest.raises(LookupError, match="This project"):
        train_start.start(project_id + 1, "key", request_of(people.trainer), *form())


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


def test_the_data_report_says_what_is_left_out_and_how_long_it_takes(people, project_id, form):
    _, waiting, timer, job_id = train_start.check_data(project_id, "key", request_of(people.trainer), *form())
    assert waiting["title"] == "Checking the data"
    assert timer.active
    with write() as session:
        worker = processes.register(session, ProcessRole.WORKER)
        job = jobs.claim_next(session, worker.id, [JobKind.DATA_REPORT])
        jobs.close(session, job.id, job.attempt, JobStatus.FINISHED, result=REPORT)
        value = report_of(session, job)
    assert value["title"] == "It will take 2 to 4 minutes"
    assert "117 of 120 rows" in value["sentences"][0]
    assert "2 longer than 512 tokens" in value["sentences"][0]
    assert "1 without an answer" in value["sentences"][0]
    assert [(bar["height"], bar["is_over"]) for bar in value["bars"]] == [
        (100, False),
        (17, False),
        (2, True),
    ]
    facts = {fact["name"]: fact["text"] for fact in value["facts"]}
    assert facts["Memory"] == "1.5 GB to 2.0 GB"
    assert facts["Copies"] == "3 within the training rows, 1 validation rows also trained on"
    assert value["samples"][0]["pieces"][1] == {"text": "Say", "labelled": True}
    assert value["warnings"] == REPORT["warnings"]
    assert train_start.poll_report(job_id, request_of(people.trainer))[1].active is False


def test_a_report_that_could_not_be_timed_tells_the_data_alone(people, project_id, form):
    job_id = train_start.check_data(project_id, "key", request_of(people.trainer), *form())[3]
    with write() as session:
        worker = processes.register(session, ProcessRole.WORKER)
        job = jobs.claim_next(session, worker.id, [JobKind.DATA_REPORT])
        untimed = {**REPORT, "seconds": None, "memory": None}
        jobs.close(session, job_id, job.attempt, JobStatus.FINISHED, result=untimed)
        value = report_of(session, job)
    assert value["title"] == "The data are ready"
    assert "Timed" not in value["basis"]


def test_a_check_that_failed_can_be_asked_again(people, project_id, form):
    job_id = train_start.check_data(project_id, "key", request_of(people.trainer), *form())[3]
    with write() as session:
        worker = processes.register(session, ProcessRole.WORKER)
        job = jobs.claim_next(session, worker.id)
        jobs.close(session, job.id, job.attempt, JobStatus.FAILED, error="Base model: it is broken.")
        assert report_of(session, job)["sentences"][0] == "Base model: it is broken."
    assert train_start.check_data(project_id, "key", request_of(people.trainer), *form())[3] == job_id
    with read() as session:
        assert jobs.get_job(session, job_id).status is JobStatus.QUEUED


def test_the_form_opens_with_safe_choices_and_keeps_what_was_typed(people, project_id, base_id, version_id):
    request = request_of(people.trainer)
    opened = train_start.open_form(project_id, None, None, "", request)
    assert (opened[11].value, opened[12].value, opened[13]) == (base_id, version_id, "Ward v1")
    again = train_start.open_form(project_id, base_id, version_id, "My name", request)
    assert again[13] == "My name"
    assert again[9] != opened[9]  # another form, another key


def test_the_link_of_a_version_opens_the_form_with_it(people, project_id, base_id, version_id):
    opened = train_start.open_linked_form(project_id, request_of(people.trainer, version=str(version_id)))
    assert opened[12].value == version_id
    with pytest.raises(LookupError):
        train_start.open_linked_form(project_id, request_of(people.trainer, version="999"))


def test_a_suggested_name_follows_the_version_and_a_written_one_stays(people, version_id):
    request = request_of(people.trainer)
    assert train_start.suggest_name(version_id, "Old v1", "Old v1", request) == ("Ward v1", "Ward v1")
    assert train_start.suggest_name(version_id, "Mine", "Old v1", request) == (SKIP, "Ward v1")


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


def test_a_preset_fills_the_settings_and_ones_own_are_left_alone(people):
    request = request_of(people.trainer)
    about, *values = train_start.choose_preset("Llama2-MedTuned, 7B chat", request)
    chosen = dict(zip(SETTINGS, values, strict=True))
    assert "not stated" in about
    assert (chosen["method"], chosen["warmup"], chosen["rank"]) == ("full", 1000, DEFAULTS["rank"])
    assert train_start.choose_preset(OWN_SETTINGS, request)[1:] == (SKIP,) * len(SETTINGS)


def test_the_form_is_written_as_a_file_and_filled_from_it(people, project_id, form, base_id, version_id):
    request = request_of(people.trainer)
    text = train_start.write_yaml(request, *form(rank=4, sample_prompts="What is sepsis?\n\n"))
    assert "rank: 4" in text
    filled = train_start.fill_from_yaml(project_id, text.replace("rank: 4", "rank: 5"), request)
    assert filled == form(rank=5, sample_prompts="What is sepsis?")
    with pytest.raises(LookupError, match="^base: this studio has no base model named huge"):
        train_start.fill_from_yaml(project_id, text.replace("base: tiny", "base: huge"), request)


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


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(20, "under a minute"), (120, "1 to 3 minutes"), (600, "8 to 14 minutes"), (7200, "1 to 3 hours")],
)
def test_an_estimate_is_a_range_in_plain_words(seconds, words):
    assert time_range(seconds) == words
