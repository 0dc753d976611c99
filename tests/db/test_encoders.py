"""Encoder baselines in the database: what can be tuned on what, refused before anything is stored."""

import pytest

from db import encoders, jobs, processes, task_versions
from db.encoder_heads import Head
from db.enums import Category, JobStatus, ProcessRole
from db.jobs import FencedError
from db.policy import PolicyError
from db.session import read, write
from db.tables import Encoder, Evaluation, Job, TaskVersion
from tests.trainer.encoding import freeze_task, spec_for


@pytest.fixture
def freeze(settings, people, project_id):
    def make(task: str, split: str, seed: int, rows: int = 6, **more) -> int:
        return freeze_task(settings, (people.trainer, project_id), task, rows, split, seed=seed, **more)

    return make


@pytest.fixture
def start(people, project_id):
    def press(spec, actor=None, **more) -> Job:
        with write() as s:
            job = encoders.start(s, actor or people.trainer, project_id, spec, **more)
            s.flush()
            return job

    return press


def count_jobs() -> int:
    with read() as s:
        return s.query(Job).count()


def test_what_can_be_learnt_and_what_is_scored_makes_a_plan(freeze, project_id):
    train, test = freeze("ner-disease", "train", 1), freeze("ner-disease", "test", 2)
    with read() as s:
        plan = encoders.plan(s, project_id, spec_for(train, test, test))
        assert (plan.train.id, [version.id for version in plan.scored]) == (train, [test])
        assert plan.head == Head("tokens", ("Disease",))
        assert [version.id for version, _ in encoders.list_tasks(s, project_id)] == [test, train]


def test_what_cannot_be_is_refused_in_one_sentence_and_nothing_is_queued(freeze, start, project_id, people):
    train, test = freeze("ner-disease", "train", 1), freeze("ner-disease", "test", 2)
    other = freeze("re-gad", "test", 3)
    three = freeze("hoc", "train", 4, labels="inducing angiogenesis, resisting cell death, other")
    two = freeze("hoc", "test", 5, labels="inducing angiogenesis, resisting cell death")
    removed = freeze("ner-disease", "test", 6)
    with write() as s:
        free = TaskVersion(
            project_id=project_id, name="Letters", task="summary", category=Category.GEN, rows=1,
            settings={"task": {}}, content_hash="0", created_by_id=people.trainer.id,
        )  # fmt: skip
        s.add(free)
        s.flush()
        task_versions.remove(s, people.trainer, project_id, removed)
    for spec, sentence in (
        (spec_for(free.id, test), "train task: no encoder can answer Letters"),
        (spec_for(test, train), "train task: ner-disease test 2 holds test rows"),
        (spec_for(train, train), "tasks: ner-disease train 1 holds the rows it learns from"),
        (spec_for(train, other), "tasks: re-gad test 3 is another task"),
        (spec_for(freeze("hoc", "train", 7, labels="inducing angiogenesis, resisting cell death"), three),
         "tasks: hoc train 4 has the label 'other', which hoc train 7 does not teach"),
        (spec_for(three, two, location="BioBERT"), "location: write owner/name"),
        (spec_for(three, two, location="/nowhere"), "location: /nowhere holds no config.json"),
        (spec_for(train, removed), "was removed"),
    ):  # fmt: skip
        with pytest.raises((ValueError, LookupError), match=sentence):
            start(spec)
    assert count_jobs() == 0


def test_only_those_who_evaluate_start_and_a_double_click_is_one_run(freeze, start, people):
    spec = spec_for(freeze("ner-disease", "train", 1), freeze("ner-disease", "test", 2))
    with pytest.raises(PolicyError):
        start(spec, people.clinician)
    assert start(spec, request_key="k").id == start(spec, request_key="k").id
    assert count_jobs() == 1


def test_an_encoder_is_registered_once_by_the_attempt_that_owns_the_job(
    freeze, start, people, project_id, settings
):
    train, test = freeze("ner-disease", "train", 1), freeze("ner-disease", "test", 2)
    spec = spec_for(train, test)
    job_id = start(spec).id
    columns = {
        "name": spec.name,
        "location": spec.location,
        "path": "/encoders/1",
        "weights_hash": "f" * 64,
        "head": "tokens",
        "task_version_id": train,
        "is_stand_in": True,
        "spec": {},
        "packages": {},
    }
    with write() as s:
        attempt = jobs.claim_next(s, processes.register(s, ProcessRole.WORKER).id).attempt
    with write() as s:
        first = encoders.register(s, job_id, attempt, **columns)
        assert encoders.register(s, job_id, attempt, **columns).id == first.id
        s.add(
            Evaluation(
                project_id=project_id,
                job_id=job_id,
                task_version_id=test,
                encoder_id=first.id,
                way="encoder",
                rows=6,
                measure="strict_f1",
                figures={"strict_f1": {"value": 0.5, "low": 0.4, "high": 0.6}},
                finished_at=first.created_at,
            )
        )
        jobs.close(s, job_id, attempt, JobStatus.FINISHED, result={})
    with write() as s, pytest.raises(FencedError):
        encoders.register(s, job_id, attempt, **columns)
    with pytest.raises(ValueError, match="name: there is already an encoder named Trial encoder"):
        start(spec)
    with write() as s:
        assert [each.measure for each in encoders.list_scores(s, [first.id])[first.id]] == ["strict_f1"]
        encoders.remove(s, people.trainer, project_id, first.id)
    with write() as s:
        assert encoders.list_encoders(s, project_id) == []
        assert encoders.list_scores(s, [first.id])[first.id] == []
        with pytest.raises(LookupError):
            encoders.get_encoder(s, project_id, first.id)
        encoders.put_back(s, people.trainer, project_id, first.id)
    with read() as s:
        assert s.query(Encoder).one().deleted_at is None
        assert len(encoders.list_scores(s, [first.id])[first.id]) == 1
