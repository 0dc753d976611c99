"""A run that stopped and went on ends with the weights of one that never stopped, whatever stopped it."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from db import registry, session
from db.enums import JobStatus
from db.settings import REPOSITORY
from tests.trainer.conftest import claim, go_on, job_of, metrics_of
from trainer import run
from trainer.context import JobContext
from trainer.models import checkpoints

# All that draws random numbers or remembers: dropped inputs, noise, order, patience, the best weights.
LIVELY = {
    "max_steps": 15,
    "dropout": 0.1,
    "neftune": 5.0,
    "evaluate_every": 4,
    "patience": 50,
    "keep": "best",
    "sample_every": 5,
    "precision": "fp32",
}

KILLED = """
import os, signal, sys
from pathlib import Path
from db import session
from db.settings import Settings
from trainer import context, run

class Dies(context.JobContext):
    def progress(self, phase, step=0, total_steps=0):
        super().progress(phase, step, total_steps)
        if phase == "training" and step == 11:
            os.kill(os.getpid(), signal.SIGKILL)

settings = Settings(data_dir=Path(sys.argv[1]))
session.connect(settings.url)
run.carry_out(Dies(settings, int(sys.argv[2]), int(sys.argv[3])))
"""


class Stops(JobContext):
    """Is asked to leave at a step, as a machine that shuts down would."""

    def __init__(self, settings, job_id, attempt, *, at) -> None:
        super().__init__(settings, job_id, attempt)
        self._at = at

    def progress(self, phase, step=0, total_steps=0):
        super().progress(phase, step, total_steps)
        if phase == "training" and step == self._at:
            self.interrupt()


def tensors_of(job_id) -> dict[str, torch.Tensor]:
    job = job_of(job_id)
    assert job.status is JobStatus.FINISHED, job.error
    with session.read() as s:
        if "adapter_id" in job.result:
            return load_file(
                Path(registry.get_adapter(s, job.result["adapter_id"]).path) / "adapter_model.safetensors"
            )
        return load_file(
            Path(registry.get_base_model(s, job.result["base_model_id"]).location) / "model.safetensors"
        )


def require_same(one, other):
    assert one.keys() == other.keys()
    for name, tensor in one.items():
        torch.testing.assert_close(tensor, other[name], rtol=0, atol=1e-6, msg=name)


@pytest.mark.parametrize(
    ("asked", "at"),
    [
        ({"batching": "packed", "batch_size": 1, "accumulation": 2}, 7),
        (
            {"method": "full", "learning_rate": 1e-3, "batching": "flat", "batch_size": 4, "accumulation": 3},
            6,
        ),
    ],
    ids=["packed, stopped within an epoch", "all weights, stopped at the end of an epoch"],
)
def test_stopped_and_killed_it_ends_with_the_weights_of_a_run_that_never_stopped(
    settings, studio, queue, asked, at
):
    whole = queue(**LIVELY, **asked)
    assert run.carry_out(JobContext(settings, whole, claim(whole))) == 0

    broken = queue(**LIVELY, **asked)
    run.carry_out(Stops(settings, broken, claim(broken), at=at))
    assert job_of(broken).status is JobStatus.INTERRUPTED, job_of(broken).error
    folder = settings.jobs_dir / str(broken) / "checkpoints"
    assert checkpoints.last_valid(folder).name == f"checkpoint-{at}"

    if asked["batching"] == "packed":  # a process that dies, once: starting one takes its time
        attempt = go_on(studio, broken)
        died = subprocess.run(
            [sys.executable, "-c", KILLED, str(settings.data_dir), str(broken), str(attempt)], cwd=REPOSITORY
        )
        assert died.returncode == -signal.SIGKILL

    assert run.carry_out(JobContext(settings, broken, go_on(studio, broken))) == 0
    require_same(tensors_of(broken), tensors_of(whole))
    one, other = job_of(broken).result, job_of(whole).result
    assert [one[name] for name in ("loss", "best_step", "best_eval_loss")] == [
        other[name] for name in ("loss", "best_step", "best_eval_loss")
    ]
    assert dict(metrics_of(broken, "eval_loss")) == pytest.approx(dict(metrics_of(whole, "eval_loss")))
    assert not folder.exists()
