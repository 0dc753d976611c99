"""Two processes (gloo, on the CPU) share a run: one adapter, the weights of one process with their batch."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from db import registry, session
from db.enums import JobStatus
from db.settings import REPOSITORY
from tests.trainer.conftest import claim, job_of, metrics_of
from trainer import run
from trainer.context import JobContext

SHARED = {"epochs": 2, "dropout": 0.0, "precision": "fp32", "accumulation": 2, "evaluate_every": 3}

# Both processes carry out the first job as the worker's child would, then the second, which stops at its
# fifth step, and then again. Starting two processes takes longer than all of that.
BOTH = """
import sys
from pathlib import Path
import torch.distributed as dist
from db import session, users
from db.settings import Settings
from tests.trainer.conftest import go_on
from tests.trainer.test_train_resume import Stops
from trainer import context, run

settings = Settings(data_dir=Path(sys.argv[1]))
ddp, fsdp = int(sys.argv[2]), int(sys.argv[3])
run.main(settings, ddp, 1)
run.carry_out(Stops(settings, fsdp, 1, at=5))
if dist.get_rank() == 0:
    with session.write() as s:
        studio = users.studio_account(s)
    assert go_on((studio,), fsdp) == 2
dist.barrier()
run.carry_out(context.JobContext(settings, fsdp, 2))
"""


def launch(folder, *arguments) -> subprocess.CompletedProcess:
    """`accelerate launch` as for GPUs, which is torch's launcher; its --cpu would start a single process."""
    script = folder / "both.py"
    script.write_text(BOTH)
    command = [sys.executable, "-m", "accelerate.commands.launch", "--multi_gpu", "--num_processes", "2"]
    command += ["--num_machines", "1", "--mixed_precision", "no", "--dynamo_backend", "no"]
    command += ["--main_process_port", "0", str(script), *map(str, arguments)]
    env = {**os.environ, "ACCELERATE_USE_CPU": "true", "PYTHONPATH": str(REPOSITORY)}
    return subprocess.run(command, cwd=REPOSITORY, env=env, capture_output=True, text=True)


def weights_of(job) -> dict[str, torch.Tensor]:
    with session.read() as s:
        path = registry.get_adapter(s, job.result["adapter_id"]).path
    return load_file(Path(path) / "adapter_model.safetensors")


def test_two_processes_end_where_one_with_their_batch_ends_copied_or_split_stopped_or_not(
    settings, queue, tmp_path
):
    alone = queue(**SHARED, batch_size=8)
    assert run.carry_out(JobContext(settings, alone, claim(alone))) == 0
    shared = {**SHARED, "batch_size": 4, "processes": 2, "sample_every": 4}
    ddp, fsdp = queue(**shared, keep="best"), queue(**shared, strategy="fsdp")
    assert (claim(ddp), claim(fsdp)) == (1, 1)
    ended = launch(tmp_path, settings.data_dir, ddp, fsdp)
    assert ended.returncode == 0, ended.stdout + ended.stderr

    assert "resuming from checkpoint-5" in ended.stdout
    assert ended.stdout.count("saved to") == 2  # once a run: the other process says nothing
    one = job_of(alone)
    losses = [loss for _, loss in metrics_of(alone, "loss")]
    for number in (ddp, fsdp):
        job = job_of(number)
        assert job.status is JobStatus.FINISHED, job.error
        assert job.result["steps"] == one.result["steps"] == 8
        assert [loss for _, loss in metrics_of(number, "loss")] == pytest.approx(losses, rel=1e-3)
        assert job.result["eval_loss"] == pytest.approx(one.result["eval_loss"], abs=1e-3)
        for name, tensor in weights_of(one).items():
            torch.testing.assert_close(weights_of(job)[name], tensor, rtol=0, atol=1e-3, msg=name)
    assert len(list(settings.adapters_dir.iterdir())) == 3
