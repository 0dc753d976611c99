import pytest

from db import jobs, processes, specs
from db.enums import JobKind, JobStatus, ProcessRole
from db.jobs import FencedError, Progress
from db.policy import PolicyError
from db.session import read, write
from db.train_spec import TrainSpec

SPEC = TrainSpec(base_model_id=1, dataset_version_id=1, adapter_name="Ward")


@pytest.fixture
def worker_id(database) -> int:
    with write() as session:
        return processes.register(session, ProcessRole.WORKER).id


def queue(people, project_id, **options) -> int:
    with write() as session:
        return jobs.enqueue(
            session, people.trainer, project_id, JobKind.TRAIN, SPEC, name="Ward", **options
        ).id


def claim(worker_id):
    with write() as session:
        return jobs.claim_next(session, worker_id)


def test_jobs_are_claimed_in_order_and_each_once(people, project_id, worker_id):
    queued = [queue(people, project_id) for _ in range(3)]
    assert [claim(worker_id).id for _ in range(3)] == queued
    assert claim(worker_id) is None


def test_a_double_click_is_one_job(people, project_id):
    assert queue(people, project_id, request_key="abc") == queue(people, project_id, request_key="abc")


def test_the_stored_spec_comes_back_equal(people, project_id, worker_id):
    queue(people, project_id)
    job = claim(worker_id)
    assert specs.from_json(job.kind, job.spec) == SPEC


def test_a_queued_job_is_cancelled_at_once_and_a_running_one_is_asked(people, project_id, worker_id):
    queued_id = queue(people, project_id)
    with write() as session:
        assert jobs.request_cancel(session, people.trainer, queued_id).status is JobStatus.CANCELLED
    running_id = queue(people, project_id)
    job = claim(worker_id)
    with write() as session:
        jobs.request_cancel(session, people.trainer, running_id)
        assert jobs.cancel_requested(session, running_id, job.attempt)


def test_a_finished_job_goes_back_only_where_there_is_more_to_do(people, project_id, worker_id):
    job_id = queue(people, project_id)
    with write() as session:
        jobs.close(session, job_id, jobs.claim_next(session, worker_id).attempt, JobStatus.FINISHED)
    with pytest.raises(ValueError, match="only one that stopped early"), write() as session:
        jobs.requeue(session, people.trainer, job_id)
    with write() as session:
        job = jobs.requeue(session, people.trainer, job_id, more_to_do=True)
        assert (job.status, job.finished_at) == (JobStatus.QUEUED, None)
    with pytest.raises(ValueError, match="it is queued"), write() as session:
        jobs.requeue(session, people.trainer, job_id, more_to_do=True)


def test_a_worker_back_from_the_dead_cannot_write(people, project_id, worker_id):
    job_id = queue(people, project_id)
    old = claim(worker_id).attempt
    with write() as session:
        jobs.close(session, job_id, old, JobStatus.INTERRUPTED)
        jobs.requeue(session, people.trainer, job_id)
    new = claim(worker_id).attempt
    assert new == old + 1
    with pytest.raises(FencedError), write() as session:
        jobs.record_progress(session, job_id, old, Progress("training", 5, 10))
    with write() as session:
        jobs.record_progress(session, job_id, new, Progress("training", 1, 10))


def test_metrics_are_read_from_where_the_page_left_off(people, project_id, worker_id):
    job_id = queue(people, project_id)
    job = claim(worker_id)
    with write() as session:
        jobs.record_metrics(session, job_id, job.attempt, 1, {"loss": 2.0})
    with read() as session:
        last = jobs.list_metrics(session, job_id)[-1].id
    with write() as session:
        jobs.record_metrics(session, job_id, job.attempt, 2, {"loss": 1.0})
    with read() as session:
        assert [(row.step, row.value) for row in jobs.list_metrics(session, job_id, after_id=last)] == [
            (2, 1.0)
        ]


def test_only_trainers_start_jobs(people, project_id):
    with pytest.raises(PolicyError), write() as session:
        jobs.enqueue(session, people.author, project_id, JobKind.TRAIN, SPEC, name="x")


@pytest.mark.parametrize(
    ("field", "given"),
    [
        ("rank", {"rank": 0}),
        ("rank", {"rank": 2.5}),
        ("learning rate", {"learning_rate": 5}),
        ("adapter name", {"adapter_name": " "}),
        ("target", {"target": "every thing!"}),
        ("epochs", {"epochs": float("nan")}),
    ],
)
def test_an_impossible_setting_names_its_field(field, given):
    with pytest.raises(ValueError, match=f"^{field}:"):
        TrainSpec(**{"base_model_id": 1, "dataset_version_id": 1, "adapter_name": "x", **given})
