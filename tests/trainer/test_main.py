"""The command line: what a person does in the browser, done by a script."""

import json

import pytest

from db import jobs, session, users
from db.enums import JobKind, JobStatus, Role, StopMode
from db.tables import UserRole
from tests.trainer.conftest import job_of
from trainer.__main__ import main


@pytest.fixture
def trainer(settings, base, version, monkeypatch, capsys):
    """trainer("status", ...) -> (exit code, what it printed, what it complained of)."""
    monkeypatch.setenv("STUDIO_DATA_DIR", str(settings.data_dir))

    def call(*arguments):
        code = main([str(argument) for argument in arguments])
        return code, *capsys.readouterr()

    return call


def submit(trainer, kind="train", *more):
    return trainer("submit", kind, "--base", "tiny", "--dataset", "colours", "--name", "by script", *more)


def test_a_script_can_submit_watch_cancel_and_resume_a_run(trainer, settings):
    code, output, _ = submit(trainer, "train", "--rank", 4, "--learning-rate", "1e-3")
    assert code == 0
    job_id = int(output)
    job = job_of(job_id)
    assert (job.kind, job.status, job.spec["rank"], job.spec["learning_rate"]) == (
        JobKind.TRAIN,
        JobStatus.QUEUED,
        4,
        1e-3,
    )
    assert "queued" in trainer("status")[1]
    assert json.loads(trainer("status", job_id)[1].split("\n", 1)[1])["spec"]["rank"] == 4
    assert "cancelled" in trainer("cancel", job_id)[1]
    assert "queued" in trainer("resume", job_id)[1]

    folder = settings.jobs_dir / str(job_id)
    folder.mkdir()
    (folder / "log.txt").write_text("step 1 of 9\n")
    assert trainer("logs", job_id)[:2] == (0, "step 1 of 9\n")


def test_waiting_runs_are_put_in_order_and_one_is_discarded(trainer):
    first, second = (int(submit(trainer)[1]) for _ in range(2))
    moved = trainer("move", second, "--before", first)[1].splitlines()
    assert [int(line.split()[0]) for line in moved] == [second, first]
    raised = trainer("priority", first, 5)[1].splitlines()
    assert [int(line.split()[0]) for line in raised] == [first, second]
    assert trainer("priority", first, 50)[2].startswith("priority: 50 cannot be")
    assert "cancelled" in trainer("cancel", first, "--discard")[1]
    assert job_of(first).stop_mode is StopMode.DISCARD
    assert trainer("move", first)[2].startswith("queue: by script is cancelled and waits no longer")


def test_a_report_is_asked_with_the_settings_of_the_run(trainer):
    job_id = int(submit(trainer, "report", "--version", 1, "--target", "query and value")[1])
    assert job_of(job_id).kind is JobKind.DATA_REPORT
    assert job_of(job_id).spec["target"] == "query and value"


def test_a_run_is_written_down_and_submitted_again(trainer, tmp_path):
    first = int(submit(trainer, "train", "--preset", "BioInstruct, 7B", "--rank", 4)[1])
    file = tmp_path / "run.yaml"
    file.write_text(trainer("spec", first)[1])
    code, output, _ = trainer("submit", "train", "--spec", file, "--epochs", 1, "--name", "once more")
    assert code == 0
    assert job_of(int(output)).spec == {**job_of(first).spec, "epochs": 1.0, "adapter_name": "once more"}
    file.write_text("base: tiny\nrankk: 4\n")
    assert trainer("submit", "train", "--spec", file)[2].startswith("rankk: there is no such setting")
    assert trainer("submit", "train", "--base", "tiny")[2].startswith("dataset: say it with --dataset")


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("--version", 7), "dataset: there is no version 7 of a dataset named colours."),
        (("--base", "llama"), "base: there is no base named llama; there is tiny."),
        (("--rank", 0), "rank: 0 cannot be; give a whole number from 1 to 512."),
        (("--as", "nobody"), "There is no active account named nobody"),
    ],
)
def test_what_cannot_be_is_refused_in_one_sentence(trainer, arguments, complaint):
    code, output, errors = submit(trainer, "train", *arguments)
    assert (code, output) == (1, "")
    assert errors.startswith(complaint)


def test_a_job_submitted_as_a_person_needs_that_persons_right(trainer):
    with session.write() as s:
        author = users.User(username="amy", full_name="Amy", roles=[UserRole(role=Role.AUTHOR)])
        s.add(author)
    code, _, errors = submit(trainer, "train", "--as", "amy")
    assert code == 1
    assert errors.startswith("You may not start or cancel training")
    with session.read() as s:
        assert not jobs.has_queued(s)
