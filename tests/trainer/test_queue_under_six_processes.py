"""Six processes on one SQLite file: every job is claimed once, and nobody is told "database is locked"."""

import subprocess
import sys

from db import jobs, session
from db.enums import JobKind, JobStatus
from db.settings import REPOSITORY
from db.tables import Job

JOBS, PROCESSES = 300, 6

# What a worker and its child do to the database, without the work between: claim, beat, tell, close.
CLAIMER = """
import sys
from db import jobs, processes, session
from db.enums import JobStatus, ProcessRole

session.connect(sys.argv[1])
with session.write() as s:
    me = processes.register(s, ProcessRole.WORKER).id
print("ready", flush=True)
sys.stdin.readline()
while True:
    with session.write() as s:
        job = jobs.claim_next(s, me)
    if job is None:
        break
    with session.write() as s:
        jobs.beat(s, job.id, job.attempt)
        jobs.record_metrics(s, job.id, job.attempt, 1, {"loss": 1.0})
    with session.write() as s:
        jobs.close(s, job.id, job.attempt, JobStatus.FINISHED)
    print(job.id, flush=True)
"""


def test_six_processes_claim_three_hundred_jobs_and_none_twice(settings, queue):
    number = queue()
    with session.write() as s:
        first = jobs.get_job(s, number)
        columns = {"project_id": first.project_id, "created_by_id": first.created_by_id, "spec": first.spec}
        s.add_all(Job(kind=JobKind.TRAIN, name=f"job {i}", **columns) for i in range(JOBS - 1))

    claimers = [
        subprocess.Popen(
            [sys.executable, "-c", CLAIMER, settings.url],
            cwd=REPOSITORY,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(PROCESSES)
    ]
    for claimer in claimers:
        assert claimer.stdout.readline() == "ready\n"
    for claimer in claimers:  # all at once, when all are up
        claimer.stdin.write("go\n")
        claimer.stdin.flush()
    told = [claimer.communicate(timeout=120) for claimer in claimers]

    assert [errors for _, errors in told] == [""] * PROCESSES
    claimed = [int(line) for output, _ in told for line in output.split()]
    assert sorted(claimed) == sorted(set(claimed))
    assert len(claimed) == JOBS
    assert sum(bool(output) for output, _ in told) > 1, "one process did all the work: nothing was shown"
    with session.read() as s:
        assert {job.status for job in s.query(Job)} == {JobStatus.FINISHED}
        assert {job.attempt for job in s.query(Job)} == {1}
