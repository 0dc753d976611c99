"""Lost runs are found without comparing clocks, and go on by themselves as often as they were allowed to."""

from datetime import timedelta

import pytest

from db import audit, jobs, processes, queue, recovery
from db.enums import JobKind, JobStatus, ProcessRole, StopMode
from db.heartbeats import Heartbeats
from db.session import read, write
from db.tables import Job, Process
from db.train_spec import TrainSpec

MINUTE = 60.0


@pytest.fixture
def put(people, project_id):
    def put(**settings) -> int:
        spec = TrainSpec(base_model_id=1, dataset_version_id=1, adapter_name="Ward", **settings)
        with write() as s:
            return jobs.enqueue(s, people.trainer, project_id, JobKind.TRAIN, spec, name="Ward").id

    return put


@pytest.fixture
def claimed(put):
    """claimed(host, **settings) -> number of a job that a worker of that machine has just taken."""

    def claim(host: str, **settings) -> int:
        job_id = put(**settings)
        with write() as s:
            worker = processes.register(s, ProcessRole.WORKER)
            worker.host, worker.boot = host, "1"
            jobs.claim_next(s, worker.id)
        return job_id

    return claim


def sweep(heartbeats, now):
    with write() as s:
        return [job.id for job in recovery.sweep(s, heartbeats, now=now)]


def change_clock(job_id, by: timedelta):
    """As a machine whose wall clock was set writes its heartbeats."""
    with write() as s:
        job = jobs.get_job(s, job_id)
        job.heartbeat_at += by
        s.get_one(Process, job.process_id).heartbeat_at += by


def test_a_run_of_another_machine_is_lost_once_its_heartbeat_stands_still(claimed):
    job_id, seen = claimed("another-machine"), Heartbeats()
    with write() as s:
        s.get_one(Process, jobs.get_job(s, job_id).process_id).stopped_at = jobs.get_job(s, job_id).started_at
    assert sweep(seen, 0.0) == []
    assert sweep(seen, recovery.LEASE) == []
    assert sweep(seen, recovery.LEASE + 1) == [job_id]
    with read() as s:
        job = jobs.get_job(s, job_id)
    assert (job.status, job.attempt) == (JobStatus.INTERRUPTED, 1)


@pytest.mark.parametrize("hours", [-5, 5])
def test_a_clock_hours_off_loses_no_run_that_gives_signs_of_life(claimed, hours):
    job_id, seen = claimed("another-machine"), Heartbeats()
    change_clock(job_id, timedelta(hours=hours))
    for minute in range(5):
        change_clock(job_id, timedelta(seconds=5))
        assert sweep(seen, minute * MINUTE) == []


def test_a_clock_that_is_set_loses_no_run_of_this_machine(claimed):
    job_id = claimed(processes.machine_name())
    with write() as s:  # its worker is this very process
        s.get_one(Process, jobs.get_job(s, job_id).process_id).boot = processes.boot_id()
    change_clock(job_id, timedelta(days=-3))
    seen = Heartbeats()
    assert [sweep(seen, minute * MINUTE) for minute in range(3)] == [[], [], []]


def test_a_run_from_before_a_reboot_is_lost_at_once(claimed):
    job_id = claimed(processes.machine_name())
    assert sweep(Heartbeats(), 0.0) == [job_id]


def test_an_interrupted_run_goes_on_as_often_as_it_may_and_a_person_starts_the_count_anew(put, people):
    job_id = put(resumes=2)
    with write() as s:
        worker = processes.register(s, ProcessRole.WORKER).id

    def interrupt() -> Job | None:
        with write() as s:
            job = jobs.claim_next(s, worker)
            jobs.close(s, job_id, job.attempt, JobStatus.INTERRUPTED, error="Gone.")
        with write() as s:
            return jobs.go_on(s, job_id)

    assert [interrupt().resumed, interrupt().resumed] == [1, 2]
    assert interrupt() is None
    with write() as s:
        assert recovery.list_interrupted(s) == []
        assert jobs.requeue(s, people.trainer, job_id).resumed == 0
    assert interrupt().resumed == 1
    with read() as s:
        told = [line for line in audit.list_lines(s) if line.action == "requeued"]
    assert [line.actor_id for line in told] == [None, people.trainer.id, None, None]


def test_pauses_grow_and_end_somewhere():
    assert [recovery.pause_before(n) for n in range(6)] == [2, 8, 32, 128, 512, 600]
    assert recovery.pause_before(100) == 600


def test_a_run_that_is_about_to_go_on_can_be_cancelled(put, people):
    job_id = put()
    with write() as s:
        job = jobs.claim_next(s, processes.register(s, ProcessRole.WORKER).id)
        jobs.close(s, job_id, job.attempt, JobStatus.INTERRUPTED)
    with write() as s:
        stopped = jobs.request_cancel(s, people.trainer, job_id, StopMode.DISCARD)
        assert stopped.status is JobStatus.CANCELLED
        assert recovery.list_discarded(s) == [job_id]
        assert jobs.go_on(s, job_id) is None
        assert queue.list_waiting(s) == []
    with pytest.raises(ValueError, match="already cancelled"), write() as s:
        jobs.request_cancel(s, people.trainer, job_id)


def test_a_process_is_known_again_whatever_the_wall_clock_says():
    own = processes.started_at(processes.os.getpid())
    assert 0 < own < processes.psutil.boot_time()  # seconds after the boot, not since the epoch
    assert processes.is_running(processes.os.getpid(), own)
    assert not processes.is_running(processes.os.getpid(), own + 5)
