"""The Encoders page: its form, its list, an open run."""

import pytest

from bioui import encoder_runs
from bioui.components.encoder_form import default_values, scored_choices, settings_for, spec_of, train_choices
from bioui.components.encoder_run import CAUTION
from bioui.pages import encoders as page
from bioui.watching import RunWatch
from db import encoders, jobs, processes
from db.encoder_spec import STAND_IN
from db.enums import JobKind, JobStatus, ProcessRole
from db.jobs import Progress
from db.session import read, write
from db.tables import Evaluation
from tests.bioui.conftest import request_of
from tests.trainer.encoding import freeze_task

LIST, FORM, RUN, HEAD, BAR, OUTCOME, SCORES = 0, 3, 4, 8, 9, 10, 13  # places in what `open_run` gives


@pytest.fixture(autouse=True)
def environment(settings, monkeypatch):
    """The settings that the pages read."""
    for name, value in settings.environment().items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def tasks(settings, people, project_id) -> tuple[int, int, int]:
    """NER train and test, and a test of another task."""
    given = (("ner-disease", "train"), ("ner-disease", "test"), ("re-gad", "test"))
    return tuple(
        freeze_task(settings, (people.trainer, project_id), task, 6, split, seed=seed)
        for seed, (task, split) in enumerate(given)
    )


@pytest.fixture
def start(people, project_id, tasks):
    """Press Start as the trainer; what the page then shows."""

    def press(key="key", actor=None, **changed) -> tuple:
        given = {"location": STAND_IN, "name": "BERT of the ward", "train_task_id": tasks[0],
                 "tasks": [tasks[1]], **changed}  # fmt: skip
        return page.start(project_id, key, *default_values(**given), request_of(actor or people.trainer))

    return press


@pytest.fixture
def job_id(start) -> int:
    return start()[HEAD]["id"]


def test_the_form_offers_training_rows_and_then_other_rows_of_the_same_task(project_id, tasks, people):
    with read() as session:
        found = encoders.list_tasks(session, project_id)
    assert [id for _, id in train_choices(found)] == [tasks[0]]
    assert scored_choices(found, None) == []
    assert [id for _, id in scored_choices(found, tasks[0])] == [tasks[1]]
    chosen = page.choose_train(project_id, tasks[0], request_of(people.trainer))
    assert chosen.value == [tasks[1]]


def test_the_stand_in_gets_settings_of_its_own_and_is_named_so(people):
    note, epochs, rate = page.choose_location(STAND_IN, request_of(people.trainer))
    assert "never pretrained" in note["text"]
    assert (epochs.value, rate.value) == (15.0, 1e-3)
    assert settings_for("dmis-lab/biobert-base-cased-v1.2") == {"epochs": 3.0, "learning_rate": 5e-5}
    assert page.choose_location("a/b", request_of(people.trainer))[0]["text"] == ""


def test_an_empty_field_is_named(tasks):
    given = dict(zip(page.FIELDS, default_values(train_task_id=tasks[0], tasks=[tasks[1]]), strict=True))
    with pytest.raises(ValueError, match="^name: "):
        spec_of(given)
    with pytest.raises(ValueError, match="^train task: "):
        spec_of({**given, "train_task_id": None})
    with pytest.raises(ValueError, match="^batch size: it is empty; 32"):
        spec_of({**given, "name": "x", "batch_size": None})
    assert spec_of({**given, "name": "x", "batch_size": 16.0}).batch_size == 16


def test_a_press_queues_one_run_and_shows_it(start, project_id):
    shown, again = start(), start()
    assert shown[HEAD]["id"] == again[HEAD]["id"]
    assert shown[HEAD]["caution"] == CAUTION
    assert shown[HEAD]["began"] == "Stand-in (not pretrained)"
    assert shown[BAR]["phase"] == "Waiting for a worker"
    with read() as session:
        (job,) = jobs.list_jobs(session, project_id, JobKind.TRAIN_ENCODER)
    assert (job.name, job.spec["location"]) == ("BERT of the ward", STAND_IN)


def test_those_who_only_read_start_nothing(start, people, project_id):
    with pytest.raises(Exception, match="needs the role"):
        start(actor=people.clinician)
    assert page.show_tools(project_id, request_of(people.clinician)).visible is False
    assert page.show_tools(project_id, request_of(people.trainer)).visible is True


def test_the_timer_brings_the_curve_and_nothing_when_nothing_is_new(people, project_id, job_id):
    with write() as session:
        attempt = jobs.claim_next(session, processes.register(session, ProcessRole.WORKER).id).attempt
        jobs.record_metrics(session, job_id, attempt, 1, {"loss": 1.5})
        jobs.record_metrics(session, job_id, attempt, 9, {"loss": 0.5, "validation": 0.25})
        jobs.record_progress(session, job_id, attempt, Progress("training", 9, 90))
    request = request_of(people.trainer, project=str(project_id), job=str(job_id))
    shown = page.tick(RunWatch(), request)
    watch, bar, loss, looks = shown[3], shown[6], shown[8], shown[9]
    assert bar["count"] == "9 of 90 steps"
    assert loss["labels"][0]["last"] == "0.5"
    assert looks["labels"][0]["last"] == "25"
    again = page.tick(watch, request)
    assert isinstance(again, dict)  # gr.skip()


def test_a_finished_encoder_stands_with_its_score_and_interval(people, project_id, tasks, job_id):
    with write() as session:
        attempt = jobs.claim_next(session, processes.register(session, ProcessRole.WORKER).id).attempt
        made = encoders.register(
            session, job_id, attempt, name="BERT of the ward", location=STAND_IN, path="/e/1",
            weights_hash="f" * 64, head="tokens", task_version_id=tasks[0], is_stand_in=True,
            spec={}, packages={},
        )  # fmt: skip
        session.add(
            Evaluation(
                project_id=project_id,
                job_id=job_id,
                task_version_id=tasks[1],
                encoder_id=made.id,
                way="encoder",
                rows=6,
                rows_done=6,
                measure="strict_f1",
                figures={"strict_f1": {"value": 0.625, "low": 0.5, "high": 0.75}},
                finished_at=made.created_at,
            )
        )
        result = {"seconds": 61.0, "rows": 6, "first_loss": 1.1, "loss": 0.01, "shortened": 2}
        jobs.close(session, job_id, attempt, JobStatus.FINISHED, result=result)
        encoder_id = made.id
    alone = page.show_page(project_id, request_of(people.clinician))
    cells = alone[LIST]["rows"][0]["cells"]
    assert [each["text"] for each in cells[:4]] == [
        "BERT of the ward", "stand-in (not pretrained)", "ner-disease train 0", "62.5 % (50.0 to 75.0)",
    ]  # fmt: skip
    assert cells[3]["note"] == "Strict F1, ner-disease test 1"
    shown = page.show_page(project_id, request_of(people.clinician, encoder=str(encoder_id)))
    assert shown[HEAD]["id"] == job_id
    assert shown[OUTCOME]["sentences"][1] == "Among them 2 rows longer than the longest row."
    (score,) = shown[SCORES]["rows"]
    assert (score["at"], score["left"], score["width"]) == (62.5, 50.0, 25.0)
    assert score["href"].startswith(f"/results?project={project_id}&evaluation=")


def test_a_run_of_another_kind_or_project_does_not_open(project_id, job_id, people):
    with read() as session, pytest.raises(LookupError, match="no encoder run"):
        encoder_runs.find_run(session, project_id + 1, job_id)
