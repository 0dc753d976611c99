"""Runs at a real Slurm: submitted, followed across workers, stopped, resumed, refused, explained."""

import dataclasses
import re
import shutil
import subprocess
import time

import pytest
from sqlalchemy import select

from db import jobs, processes, recovery, session
from db.enums import JobStatus, StopMode
from db.heartbeats import Heartbeats
from db.tables import Attempt, Process
from tests.slurm import PROGRAMS, CannotStart, Slurm
from tests.trainer.conftest import claim, job_of, metrics_of
from tests.trainer.test_worker import loop_until
from trainer import slurm, slurm_script
from trainer.models import checkpoints
from trainer.slurm import SlurmJob
from trainer.worker import Worker

AT_SLURM = {"launcher": "slurm", "minutes": 10, "partition": "wards"}


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A Slurm of our own, which this process and its children find."""
    site = Slurm(tmp_path_factory.mktemp("slurm"))
    try:
        site.start()
    except CannotStart as error:
        pytest.fail(str(error), pytrace=False)
    with pytest.MonkeyPatch.context() as environment:
        for name, value in site.environment.items():
            environment.setenv(name, value)
        yield site
        site.stop()


@pytest.fixture
def studio_settings(settings):
    """As `settings`, with the database named by an address, as several machines share it."""
    return dataclasses.replace(settings, database_url=settings.url)


def attempt_of(job_id) -> Attempt:
    with session.read() as s:
        found = s.scalars(select(Attempt).where(Attempt.job_id == job_id).order_by(Attempt.number.desc()))
        return found.first()


def is_closed(job_id):
    return lambda: not job_of(job_id).status.is_open


def cancel(studio, job_id, mode):
    with session.write() as s:
        jobs.request_cancel(s, studio[0], job_id, mode)


@pytest.mark.slurm
def test_a_run_on_two_nodes_is_followed_by_the_next_worker_and_tells_nobody_the_database(
    site, studio_settings, queue
):
    job_id = queue(**AT_SLURM, machines=2, max_steps=4, batch_size=4)
    Worker(studio_settings).loop(time.monotonic())
    number = attempt_of(job_id).external_id
    folder = studio_settings.jobs_dir / str(job_id)
    shown = site.ask("scontrol", "show", "job", number)
    assert f"JobName=studio-{job_id}-1-" in shown
    assert "NumNodes=2" in shown
    assert "TimeLimit=00:10:00" in shown
    script = folder / "slurm.1.sh"
    for told in (shown, script.read_text(), site.ask("scontrol", "write", "batch_script", number, "-")):
        assert told
        assert "sqlite" not in told
    assert "DATABASE_URL=sqlite" in (folder / "slurm.1.env").read_text()
    assert {path.stat().st_mode & 0o777 for path in folder.glob("slurm.*")} == {0o600}

    with session.write() as s:  # that worker is gone, another comes
        for process in s.scalars(select(Process)):
            processes.sign_off(s, process.id)
    worker = Worker(studio_settings)
    assert [child.number for child in worker.children.values()] == [number]
    loop_until(worker, lambda: not worker.children)

    job = job_of(job_id)
    assert job.status is JobStatus.FINISHED, job.error + (folder / "log.txt").read_text()
    assert not (folder / "slurm.1.env").exists()
    assert job.result["steps"] == 4
    assert slurm.ask(number).state in ("COMPLETING", "COMPLETED")


@pytest.mark.slurm
def test_a_run_saves_and_stops_when_asked_and_at_the_time_limit_and_goes_on_from_there(
    site, settings, queue, studio
):
    job_id = queue(**AT_SLURM, epochs=1000, resumes=0, save_every=1000)
    folder = settings.jobs_dir / str(job_id) / "checkpoints"
    worker = Worker(settings)
    loop_until(worker, lambda: job_of(job_id).step >= 2)
    cancel(studio, job_id, StopMode.SAVE)
    loop_until(worker, lambda: not worker.children)
    assert job_of(job_id).status is JobStatus.CANCELLED
    kept = checkpoints.step_of(checkpoints.last_valid(folder))
    assert kept >= 2

    with session.write() as s:
        jobs.requeue(s, studio[0], job_id)
    before = len(metrics_of(job_id, "loss"))
    loop_until(worker, lambda: len(metrics_of(job_id, "loss")) > before)
    assert metrics_of(job_id, "loss")[before][0] == kept + 1
    number = attempt_of(job_id).external_id
    subprocess.run(["scancel", "--batch", "--signal=TERM", number], check=True)  # as before the time limit
    loop_until(worker, lambda: not worker.children)
    job = job_of(job_id)
    assert job.status is JobStatus.INTERRUPTED, job.error
    assert "asked the run to stop" in job.error
    assert checkpoints.step_of(checkpoints.last_valid(folder)) > kept
    assert site.ask("squeue", "-h") == ""


@pytest.mark.slurm
def test_a_run_that_waits_at_slurm_says_why_and_is_cancelled_at_once(site, settings, queue, studio):
    subprocess.run(["scontrol", "update", "PartitionName=wards", "State=DOWN"], check=True)
    try:
        job_id = queue(**AT_SLURM)
        worker = Worker(settings)
        loop_until(worker, lambda: "waiting at Slurm" in job_of(job_id).phase)
        loop_until(worker, lambda: job_of(job_id).phase == "waiting at Slurm (PartitionDown)")
        cancel(studio, job_id, StopMode.SAVE)
        loop_until(worker, is_closed(job_id))
        assert job_of(job_id).status is JobStatus.CANCELLED
        assert slurm.ask(attempt_of(job_id).external_id).state == "CANCELLED"
    finally:
        subprocess.run(["scontrol", "update", "PartitionName=wards", "State=UP"], check=True)


@pytest.mark.slurm
def test_what_slurm_refuses_fails_with_its_own_words(site, settings, queue):
    job_id = queue(**{**AT_SLURM, "partition": "nowhere"})
    Worker(settings).loop(time.monotonic())
    job = job_of(job_id)
    assert job.status is JobStatus.FAILED
    assert job.error.startswith("launcher: Slurm refused the run (")
    assert "partition" in job.error


@pytest.mark.slurm
def test_a_run_cancelled_at_slurm_itself_before_it_began_is_cancelled_here(site, settings, queue):
    job_id = queue(**AT_SLURM)
    worker = Worker(settings)
    worker.loop(time.monotonic())
    subprocess.run(["scancel", attempt_of(job_id).external_id], check=True)
    loop_until(worker, is_closed(job_id))
    job = job_of(job_id)
    assert job.status is JobStatus.CANCELLED
    assert job.error.startswith("Somebody cancelled the run at Slurm")


def test_a_slurm_that_is_there_and_broken_fails_the_tests_with_the_mend(tmp_path, monkeypatch):
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in PROGRAMS:
        (programs / name).write_text("#!/bin/sh\necho it is broken\nexit 1\n")
        (programs / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(programs), prepend=":")
    with pytest.raises(CannotStart, match='or leave these tests out with -m "not slurm"'):
        Slurm(tmp_path / "site").start()


def test_without_slurm_a_run_for_it_fails_with_a_sentence(settings, queue, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    job_id = queue(**AT_SLURM)
    Worker(settings).loop(time.monotonic())
    job = job_of(job_id)
    assert job.status is JobStatus.FAILED
    assert job.error.startswith("launcher: this worker's machine has no Slurm (sbatch was not found); choose")


@pytest.mark.parametrize(
    ("state", "status"),
    [
        ("COMPLETED", JobStatus.INTERRUPTED),
        ("TIMEOUT", JobStatus.INTERRUPTED),
        ("PREEMPTED", JobStatus.INTERRUPTED),
        ("NODE_FAIL", JobStatus.INTERRUPTED),
        ("CANCELLED", JobStatus.CANCELLED),
        ("OUT_OF_MEMORY", JobStatus.FAILED),
        ("FAILED", JobStatus.FAILED),
    ],
)
def test_each_end_at_slurm_is_a_status_and_one_sentence(state, status):
    line = f"JobId=12 JobName=studio-3-1-ab JobState={state} Reason=None ExitCode=1:0 Partition=gpu"
    found = slurm.parse(line)
    assert found == SlurmJob("12", "studio-3-1-ab", state, "", 1)
    assert not found.is_open
    ended, sentence = slurm.explain(found)
    assert ended is status
    assert re.fullmatch(r"\S.*[^.]\.", sentence)


@pytest.mark.parametrize(("number", "is_lost"), [("17", False), ("", True)])
def test_a_run_at_slurm_outlives_its_worker_and_one_that_never_got_there_does_not(
    settings, queue, number, is_lost
):
    job_id = queue(**AT_SLURM)
    attempt = claim(job_id)
    heartbeats = Heartbeats()
    with session.write() as s:
        jobs.note_external(s, job_id, attempt, number)
        for process in s.scalars(select(Process)):
            processes.sign_off(s, process.id)
        recovery.sweep(s, heartbeats, now=0.0)
        lost = recovery.sweep(s, heartbeats, now=2 * recovery.LEASE)
    assert bool(lost) is is_lost


def test_a_forgotten_run_is_interrupted():
    assert slurm.explain(None)[0] is JobStatus.INTERRUPTED


def test_the_script_of_several_machines_is_a_script_that_meets_on_the_first(tmp_path):
    spec = {"machines": 4, "processes": 8, "account": "ward7"}
    folder = tmp_path / "with a space's name"
    written = slurm_script.text(folder, 7, 2, spec)
    checked = subprocess.run([shutil.which("bash"), "-n"], input=written, capture_output=True, text=True)
    assert checked.returncode == 0, checked.stderr
    assert "--num_processes 32" in written
    assert "--num_machines 4" in written
    asked = slurm_script.options(folder, "studio-7-2-ab", spec, has_gpus=True)
    assert {"--nodes=4", "--gpus-per-node=8", "--ntasks-per-node=1", "--account=ward7"} <= set(asked)
    assert not any(option.startswith(("--partition", "--time")) for option in asked)
