"""Where the model server computes: a GPU that no job has taken, else the CPU, and for how large a base.

Decided before torch is imported, for torch then sees nothing but that place. Knows no torch.
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from db import processes, recovery
from db.enums import JobKind
from db.tables import Job
from trainer import machine
from trainer.machine import Gpu
from trainer.models import weights
from trainer.serve.catalog import Base

LARGEST_BESIDE_A_JOB = 200_000_000  # parameters that the CPU answers with at a speed one can read along
LEAVE_WITHIN = 60.0  # seconds that the answer under way has to end once the server is asked to leave
_CALLED = {
    JobKind.TRAIN: "Training",
    JobKind.TRAIN_ENCODER: "Training",
    JobKind.EVALUATE: "The evaluation",
    JobKind.COMPARE: "The batch",
}


@dataclass(frozen=True)
class Place:
    """`gpu` is what CUDA_VISIBLE_DEVICES calls it, "" for the CPU.

    With a `reason`, the sentence why it is the CPU though there are GPUs, large bases are refused.
    """

    gpu: str = ""
    reason: str = ""

    @property
    def device(self) -> str:
        return "cuda" if self.gpu else "cpu"

    def require_fits(self, base: Base) -> None:
        """Raises ValueError naming the base model that is too large for the CPU beside a job on the GPU."""
        if not self.reason:
            return
        count = base.parameters or weights.count_parameters(base.location)
        if count is None or count > LARGEST_BESIDE_A_JOB:
            raise ValueError(
                f"base model: {self.reason} Meanwhile the CPU answers, and {base.name} is too large for it; "
                "try again when the job has ended."
            )


def choose(asked: str, gpus: Sequence[Gpu], busy: Mapping[str, Job]) -> Place:
    """The place for "auto", "cuda" or "cpu"; `busy` holds the GPUs that jobs have, by key.

    Raises ValueError naming the device where "cuda" cannot be had.
    """
    if asked == "cpu" or (asked == "auto" and not gpus):
        return Place()
    if not gpus:
        raise ValueError("device: this machine has no NVIDIA GPU; leave it out, or give cpu.")
    free = [gpu.key for gpu in gpus if gpu.key not in busy]
    if free:
        return Place(gpu=free[-1])  # jobs take the first
    job = busy[gpus[-1].key]
    if asked == "cuda":
        raise ValueError(f"device: {has_gpu(job)} Try again when it has ended, or give cpu.")
    return Place(reason=has_gpu(job))


def settle(place: Place) -> None:
    """Let this process, which has not imported torch, see that place alone."""
    if place.gpu:
        os.environ.update(machine.environment_for([place.gpu]))
    else:
        os.environ[machine.VISIBLE] = ""


def taken(session: Session) -> dict[str, Job]:
    """The GPUs of this machine that running jobs have, by key."""
    running = recovery.running_children(session, boot=processes.boot_id())
    return {place: job for job, attempt in running for place in attempt.device.split(",") if place}


def needs_gpu(job: Job) -> str:
    """The sentence for people."""
    return f"{_CALLED.get(job.kind, 'The job')} {job.name!r} needs the GPU."


def has_gpu(job: Job) -> str:
    return f"{_CALLED.get(job.kind, 'The job')} {job.name!r} has the GPU."
