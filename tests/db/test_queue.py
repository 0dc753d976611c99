"""People put the queue in order, and workers take jobs in that very order."""

import random

import pytest

from db import audit, jobs, processes, queue
from db.enums import JobKind, JobStatus, ProcessRole
from db.policy import PolicyError
from db.session import read, write
from db.train_spec import TrainSpec

SPEC = TrainSpec(base_model_id=1, dataset_version_id=1, adapter_name="Ward")


@pytest.fixture
def put(people, project_id):
    def put(kind=JobKind.TRAIN) -> int:
        with write() as s:
            return jobs.enqueue(s, people.trainer, project_id, kind, SPEC, name="Ward").id

    return put


@pytest.fixture
def move(people):
    def move(job_id, before):
        with write() as s:
            queue.move(s, people.trainer, job_id, before=before)

    return move


def order(project_id=None):
    with read() as s:
        return [job.id for job in queue.list_waiting(s, project_id)]


def test_a_moved_job_is_taken_where_it_was_put_and_a_new_one_comes_last(put, move, project_id):
    a, b, c, d = (put() for _ in range(4))
    move(d, a)
    move(a, None)
    move(c, b)
    e = put()
    assert order(project_id) == [d, c, b, a, e]
    with write() as s:
        worker = processes.register(s, ProcessRole.WORKER).id
        taken = [jobs.claim_next(s, worker).id for _ in range(5)]
    assert taken == [d, c, b, a, e]


def test_any_number_of_moves_keeps_to_what_was_asked(put, move):
    wanted = [put() for _ in range(5)]
    draw = random.Random(7)
    for _ in range(120):  # more halvings than a float between two neighbours can take
        job_id, before = draw.sample(wanted[:3], 2)
        wanted.remove(job_id)
        wanted.insert(wanted.index(before), job_id)
        move(job_id, before)
        assert order() == wanted
    assert order()[-1] < put() == order()[-1]


def test_a_resumed_run_waits_behind_those_that_wait_and_before_the_next_new_one(put, move, people):
    a, b, c = (put() for _ in range(3))
    move(b, None)
    with write() as s:
        jobs.request_cancel(s, people.trainer, a)
        jobs.requeue(s, people.trainer, a)
    d = put()
    assert order() == [c, b, a, d]


def test_priority_goes_before_order_and_a_move_takes_on_the_priority_there(put, move, people):
    a, b, c = (put() for _ in range(3))
    with write() as s:
        queue.set_priority(s, people.trainer, c, 5)
    assert order() == [c, a, b]
    move(b, c)
    assert order() == [b, c, a]
    move(c, None)
    assert order() == [b, a, c]
    with read() as s:
        assert [jobs.get_job(s, job_id).priority for job_id in (b, a, c)] == [5, 0, 0]


@pytest.mark.parametrize("priority", [10, -10, True, 0.5])
def test_an_impossible_priority_names_itself(put, people, priority):
    job_id = put()
    with pytest.raises(ValueError, match="^priority: .* from -9 to 9"), write() as s:
        queue.set_priority(s, people.trainer, job_id, priority)


def test_a_job_that_has_begun_is_not_moved(put, move):
    a, b = put(), put()
    with write() as s:
        jobs.claim_next(s, processes.register(s, ProcessRole.WORKER).id)
    for job_id, before in ((a, b), (b, a)):
        with pytest.raises(ValueError, match="^queue: Ward is running and waits no longer"):
            move(job_id, before)


def test_who_may_not_train_may_not_reorder_and_every_move_is_in_the_books(put, people, move):
    a, b = put(), put()
    for act in (
        lambda s: queue.move(s, people.author, b, before=a),
        lambda s: queue.set_priority(s, people.reviewer, b, 1),
        lambda s: jobs.set_note(s, people.clinician, b, "x"),
    ):
        with pytest.raises(PolicyError), write() as s:
            act(s)
    move(b, a)
    with read() as s:
        line = audit.list_lines(s, limit=1)[0]
    assert (line.action, line.subject_id, line.detail) == ("moved", b, {"before": a})


def test_a_note_is_kept_and_a_book_is_not(put, people):
    job_id = put()
    with write() as s:
        assert jobs.set_note(s, people.trainer, job_id, " baseline for Ward 7 ").note == "baseline for Ward 7"
    with pytest.raises(ValueError, match="^note: it has 10,001 characters"), write() as s:
        jobs.set_note(s, people.trainer, job_id, "x" * 10_001)


def test_a_job_is_claimed_by_name_once_and_knows_its_device(put):
    a, b = put(), put()
    with write() as s:
        worker = processes.register(s, ProcessRole.WORKER).id
        job = jobs.claim_next(s, worker, job_id=b, device="2,3")
        assert (job.id, job.status) == (b, JobStatus.RUNNING)
        assert jobs.get_attempt(s, b, 1).device == "2,3"
        assert jobs.claim_next(s, worker, job_id=b) is None
        assert jobs.claim_next(s, worker).id == a
