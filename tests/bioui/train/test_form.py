"""The form of a run: its settings, presets, YAML, and the report on the data."""

import gradio as gr
import pytest

from bioui.components import train_start
from bioui.components.data_report import time_range
from bioui.components.train_form import DEFAULTS, OWN_SETTINGS, SETTINGS, spec_of
from bioui.pages import train as page
from bioui.runs import report_of
from db import jobs, processes
from db.enums import JobKind, JobStatus, ProcessRole
from db.policy import PolicyError
from db.session import read, write
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


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(20, "under a minute"), (120, "1 to 3 minutes"), (600, "8 to 14 minutes"), (7200, "1 to 3 hours")],
)
def test_an_estimate_is_a_range_in_plain_words(seconds, words):
    assert time_range(seconds) == words
