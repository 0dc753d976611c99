"""What a run keeps at a shared place: its result; when it stops, a checkpoint to go on from elsewhere."""

import dataclasses
import json
import shutil
import uuid
from pathlib import Path

import fsspec
import pytest

from db import registry, session
from db.enums import JobStatus, StopMode
from db.settings import from_environment
from tests.trainer.conftest import claim, go_on, job_of, metrics_of
from trainer import run
from trainer.artifacts import LIST, Store, open_keeper
from trainer.context import JobContext
from trainer.models.processes import Processes

RUN = {"max_steps": 12, "precision": "fp32", "keep": "best", "evaluate_every": 2, "batch_size": 16}


@pytest.fixture(params=["file", "memory"])
def address(request, tmp_path) -> str:
    if request.param == "file":
        return f"file://{tmp_path / 'share' / 'studio'}"
    return f"memory://{uuid.uuid4().hex}"


def files_under(address) -> dict[str, bytes]:
    files, root = fsspec.core.url_to_fs(address)
    return {path.removeprefix(root).lstrip("/"): files.cat_file(path) for path in files.find(root)}


class Stops(JobContext):
    """Somebody asks for a stop at step 5."""

    mode = StopMode.SAVE

    def progress(self, phase, step=0, total_steps=0):
        super().progress(phase, step, total_steps)
        if phase == "training" and step == 5:
            self._stop_mode = self.mode

    def stop_mode(self):
        return self._stop_mode


class Discards(Stops):
    mode = StopMode.DISCARD


def test_a_run_that_stopped_goes_on_where_nothing_but_the_shared_place_is_left_and_leaves_its_result_there(
    settings, queue, studio, address
):
    shared = dataclasses.replace(settings, artifacts=address)
    job_id = queue(**RUN)
    run.carry_out(Stops(shared, job_id, claim(job_id)))
    assert job_of(job_id).status is JobStatus.CANCELLED
    kept = {path.split("/")[2] for path in files_under(address) if path.startswith("jobs/")}
    assert kept == {"checkpoint-5"}
    shutil.rmtree(settings.jobs_dir / str(job_id))  # another machine has none of it

    assert run.carry_out(JobContext(shared, job_id, go_on(studio, job_id))) == 0
    job = job_of(job_id)
    assert job.status is JobStatus.FINISHED, job.error
    assert [step for step, _ in metrics_of(job_id, "loss")] == list(range(1, 13))
    with session.read() as s:
        home = Path(registry.get_adapter(s, job.result["adapter_id"]).path)
    assert job.result["artifact"].startswith(address.partition("://")[0] + "://")
    there = {path: content for path, content in files_under(address).items() if not path.startswith(".")}
    name = f"adapters/{home.name}"
    assert there.pop(f"{name}/{LIST}")
    files = [path for path in home.rglob("*") if path.is_file()]
    assert there == {f"{name}/{path.relative_to(home)}": path.read_bytes() for path in files}


def test_nothing_is_left_of_a_run_of_which_nothing_is_to_be_kept(settings, queue, address):
    shared = dataclasses.replace(settings, artifacts=address)
    job_id = queue(**RUN)
    Store(address).put(f"jobs/{job_id}/checkpoint-2", {"run.json": Path(__file__)})
    run.carry_out(Discards(shared, job_id, claim(job_id)))
    assert job_of(job_id).status is JobStatus.CANCELLED
    assert list(files_under(address)) == [".studio"]


@pytest.fixture
def folder(tmp_path) -> Path:
    folder = tmp_path / "result"
    (folder / "deep").mkdir(parents=True)
    (folder / "weights").write_bytes(b"12345")
    (folder / "deep" / "card").write_text("read me")
    return folder


def put(store, folder, name="adapters/1-x"):
    return store.put(name, {"weights": folder / "weights", "deep/card": folder / "deep" / "card"})


def test_a_folder_comes_back_as_it_was_and_its_address_can_be_opened(address, folder, tmp_path):
    store = Store(address)
    kept = put(store, folder)
    assert store.get("adapters/1-x", tmp_path / "back")
    assert (tmp_path / "back" / "deep" / "card").read_text() == "read me"
    with fsspec.open(f"{kept}/weights", "rb") as file:
        assert file.read() == b"12345"
    assert Store(address).names("adapters") == ["1-x"]
    store.remove("adapters/1-x")
    assert store.names("adapters") == []
    assert not store.get("adapters/1-x", tmp_path / "back")


def test_a_folder_cut_short_is_not_brought(address, folder, tmp_path):
    files, root = fsspec.core.url_to_fs(address)
    store = Store(address)
    put(store, folder)
    files.pipe_file(f"{root}/adapters/1-x/weights", b"123")
    assert not store.get("adapters/1-x", tmp_path / "back")
    files.rm(f"{root}/adapters/1-x/{LIST}")
    assert not store.get("adapters/1-x", tmp_path / "back")
    assert [path.name for path in tmp_path.iterdir() if "back" in path.name] == []


def test_a_list_that_leads_out_of_its_folder_is_refused(address, folder, tmp_path):
    files, root = fsspec.core.url_to_fs(address)
    store = Store(address)
    put(store, folder)
    files.pipe_file(f"{root}/adapters/1-x/{LIST}", json.dumps({"../../evil": 5}).encode())
    with pytest.raises(ValueError, match="outside"):
        store.get("adapters/1-x", tmp_path / "back")


def test_the_address_is_a_setting_that_children_get_too(monkeypatch):
    monkeypatch.setenv("STUDIO_ARTIFACTS", "s3://bucket/studio")
    assert from_environment().artifacts == "s3://bucket/studio"
    assert from_environment().environment()["STUDIO_ARTIFACTS"] == "s3://bucket/studio"


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ("nowhere://x", "is no address fsspec knows"),
        ("file:///proc/studio", "cannot be written to"),
        ("ftp://ann:secret@host/x", "holds a password"),
    ],
)
def test_an_address_that_cannot_be_used_is_one_sentence_before_the_run_starts(claimed, wrong, said):
    context = claimed(**RUN)
    context.settings = dataclasses.replace(context.settings, artifacts=wrong)
    assert run.carry_out(context) == 1
    job = job_of(context.job_id)
    assert job.status is JobStatus.FAILED
    assert job.error.startswith("artifacts: ")
    assert said in job.error
    assert "secret" not in job.error


def test_a_store_whose_package_is_missing_says_so():
    with pytest.raises(ValueError, match="artifacts: s3://bucket/x needs a package"):
        Store("s3://bucket/x")


def test_a_shared_place_that_fails_later_costs_no_result(settings, folder, tmp_path):
    share = tmp_path / "share"
    keeper = open_keeper(
        dataclasses.replace(settings, artifacts=f"file://{share}"), 3, Processes(0, 1, device=None)
    )
    shutil.rmtree(share)
    share.write_text("in the way")
    assert "artifact_error" in keeper.keep_result(folder)
