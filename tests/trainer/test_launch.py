"""A run over several processes of this machine, as the worker starts it: one entry, and none is left over."""

import os
import signal

import psutil

from db.enums import JobStatus
from tests.trainer.conftest import job_of, metrics_of
from tests.trainer.test_worker import loop_until, new_worker  # noqa: F401
from trainer.launch import list_left


def ranks_of(pid):
    """The processes that a launcher started, by rank."""
    found = {}
    for process in psutil.Process(pid).children(recursive=True):
        environment = process.environ()
        if "RANK" in environment and os.getsid(process.pid) == process.pid:
            found[int(environment["RANK"])] = process
    return found


def test_a_run_whose_second_process_is_killed_is_interrupted_and_leaves_none(
    new_worker,  # noqa: F811
    queue,
    settings,
):
    job_id = queue(epochs=1000, processes=2, batch_size=4, resumes=0)
    worker = new_worker()
    loop_until(worker, lambda: len(metrics_of(job_id, "loss")) >= 3)
    child = worker.children["training"]
    ranks = ranks_of(child.pid)
    assert sorted(ranks) == [0, 1]

    os.kill(ranks[1].pid, signal.SIGKILL)
    loop_until(worker, lambda: not worker.children)
    job = job_of(job_id)
    log = (settings.jobs_dir / str(job_id) / "log.txt").read_text()
    assert job.status is JobStatus.INTERRUPTED, log[-5000:]
    assert "killed" in job.error
    assert list_left(child.pid, child.started, child.marker) == []
