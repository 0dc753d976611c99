"""Room on the GPU: the model server leaves it for a run, and beside a run answers on the CPU.

The machine's `nvidia-smi` lists a GPU; server, worker and rows are the real ones.
"""

import os
import signal
import time

import httpx
import pytest

from db import processes, session
from db.enums import JobStatus, ProcessRole
from db.tables import BaseModel, Process
from tests.trainer.conftest import job_of
from tests.trainer.serve.conftest import MESSAGES
from tests.trainer.serve.test_lifecycle import running, wait_for_server
from trainer import launch, machine, room
from trainer.worker import Worker

NEEDED = "Training 'trial' needs the GPU."


@pytest.fixture
def one_gpu(tmp_path, monkeypatch):
    program = tmp_path / "bin" / "nvidia-smi"
    program.parent.mkdir()
    program.write_text('#!/bin/sh\necho "GPU 0: NVIDIA H100 80GB HBM3 (UUID: GPU-0)"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    monkeypatch.delenv(machine.VISIBLE, raising=False)


@pytest.fixture
def worker(one_gpu, settings):
    worker = Worker(settings)
    yield worker
    for child in worker.children.values():
        launch.signal_group(child.pid, child.started, signal.SIGKILL)
        child.popen.wait()


def loop_until_claimed(worker, job_id, *, seconds=60.0):
    end = time.monotonic() + seconds
    while job_of(job_id).status is JobStatus.QUEUED:
        assert time.monotonic() < end, "the run was not claimed"
        assert worker.loop(time.monotonic())
        time.sleep(0.05)
    for child in worker.children.values():
        os.kill(child.pid, signal.SIGSTOP)  # what it would do is not looked at here


def test_the_server_leaves_the_gpu_for_a_run_and_then_the_cpu_answers_for_small_bases(
    settings, worker, queue, base
):
    with running(settings) as leaving:
        on_gpu = wait_for_server()
        job_id = queue(epochs=1000)
        loop_until_claimed(worker, job_id)
        assert leaving.wait(30) == 0
    with session.read() as s:
        row = s.get_one(Process, on_gpu.id)
        assert (row.detail["device"], row.detail["gpu"], row.leave_reason) == ("cuda", "0", NEEDED)
        assert processes.last_leave_reason(s) == NEEDED

    with session.write() as s:
        s.add(BaseModel(name="large", location="/nowhere", parameters=7_000_000_000))
    with running(settings):
        on_cpu = wait_for_server()
        headers = {"Authorization": f"Bearer {on_cpu.token}"}
        with httpx.Client(base_url=on_cpu.address, headers=headers, timeout=60) as client:
            assert client.get("/health").json()["device"] == "cpu"
            asked = {"messages": MESSAGES, "max_tokens": 4}
            small = client.post("/v1/chat/completions", json={**asked, "model": "tiny"})
            assert small.json()["usage"]["completion_tokens"] <= 4
            large = client.post("/v1/chat/completions", json={**asked, "model": "large"})
        assert large.status_code == 400
        assert large.json()["error"]["message"] == (
            "Training 'trial' has the GPU. Meanwhile the CPU answers, and large is too large for it; try "
            "again when the job has ended."
        )


def server_row(**detail) -> int:
    """A model server of this machine that never leaves: this very process."""
    with session.write() as s:
        return processes.register(s, ProcessRole.MODEL_SERVER, **detail).id


def test_a_server_that_does_not_go_is_waited_for_no_longer_than_patience(worker, queue):
    server_row(device="cuda", gpu="0")
    job_id = queue(epochs=1000)
    began = time.monotonic()
    assert worker.loop(began)  # a worker that is to end when nothing is left waits for it
    worker.loop(began + room.PATIENCE - 1)
    assert job_of(job_id).status is JobStatus.QUEUED
    worker.loop(began + room.PATIENCE)
    loop_until_claimed(worker, job_id)


@pytest.mark.parametrize("detail", [{"device": "cpu", "gpu": ""}, {"device": "cuda", "gpu": "1"}, {}])
def test_a_server_that_is_in_nobodys_way_stays(worker, queue, detail):
    number = server_row(**detail)
    job_id = queue(epochs=1000)
    worker.loop(time.monotonic())
    loop_until_claimed(worker, job_id)
    with session.read() as s:
        assert s.get_one(Process, number).leave_reason == ""
