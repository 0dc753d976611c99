"""How long a run will take, how much memory and disk: as ranges, from a few steps that were measured.

The data report asks before the start, the run again after its first steps (`correct`), when it knows better.
"""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean, stdev

import psutil
import torch

from db.train_spec import TrainSpec
from trainer.models import checkpoints

CHECKPOINTS = 3  # two are kept, and a third is written before one of them goes
_SPARE = 256 << 20  # bytes of disk for logs, the database and what else is written meanwhile
_SURE = 0.05  # share by which even a long measurement may be out
_FEW = 4  # steps below which the spread says little
_HEADROOM = 1.15  # what evaluation, saving and a fragmented allocator add to the memory of a step

Range = tuple[float, float]  # low, high


@dataclass(frozen=True)
class Disk:
    """Bytes a run writes, and bytes that are free where it writes them."""

    checkpoint: int  # weights that are trained, and the optimizer's two moments of each
    result: int  # the adapter or the whole model
    needed: int
    free: int

    def require(self) -> None:
        """Raises ValueError when not even the first checkpoint beside the result would find room."""
        least = self.checkpoint + self.result
        if least > self.free:
            raise ValueError(
                f"disk: a checkpoint and the result take {describe_bytes(least)} and "
                f"{describe_bytes(self.free)} are free in the data folder; make room and start again."
            )


def time_range(measured: Sequence[float], units: float) -> Range:
    """Seconds that `units` of work will take, out of the seconds each of some measured ones took.

    A step, or a token, is the unit. Twice the standard error on both sides, wider upward, because a machine
    is sooner disturbed than sped up. Raises ValueError without a measurement.
    """
    if not measured:
        raise ValueError("seconds: nothing was measured.")
    mean = fmean(measured)
    error = stdev(measured) / len(measured) ** 0.5 / mean if len(measured) > 1 and mean > 0 else 0.0
    doubt = max(_SURE, 2 * error, 0.2 if len(measured) < _FEW else 0.0)
    return mean * units * max(0.0, 1 - doubt), mean * units * (1 + 2 * doubt)


def correct(step_seconds: Sequence[float], steps_left: int, device: torch.device) -> dict[str, float]:
    """What a run knows better after its first steps, as metrics: the seconds still to go, MiB at most.

    `step_seconds`: how long each of the last steps took, the very first left out, which warms up. Empty
    until a few are known.
    """
    if len(step_seconds) < _FEW:
        return {}
    low, high = time_range(step_seconds, steps_left)
    return {
        "seconds_left_low": round(low, 1),
        "seconds_left_high": round(high, 1),
        "memory_high": round(memory_range(device)[1] / 2**20, 1),
    }


def memory_range(device: torch.device) -> Range:
    """Bytes on the GPU, or of this process, at most; to be asked once the largest batch has gone through."""
    if device.type == "cuda":
        taken = torch.cuda.max_memory_allocated(device)
        return taken, max(taken * _HEADROOM, torch.cuda.max_memory_reserved(device))
    taken = psutil.Process().memory_info().rss
    return taken, taken * _HEADROOM


def memory_there(device: torch.device) -> int:
    """Bytes of memory in all: the GPU's, or the machine's."""
    if device.type == "cuda":
        return torch.cuda.get_device_properties(device).total_memory
    return psutil.virtual_memory().total


def disk(model: torch.nn.Module, spec: TrainSpec, dtype: torch.dtype, folder: Path) -> Disk:
    """What a run of `model`, as it was set up to be tuned, needs of the disk that `folder` lies on.

    A whole model is kept in `dtype`, checkpoints in the format it is trained in.
    """
    trained = [weight for weight in model.parameters() if weight.requires_grad]
    weights = sum(weight.numel() * weight.element_size() for weight in trained)
    kept = weights if spec.is_adapter else sum(weight.numel() for weight in trained) * dtype.itemsize
    results = 2 if spec.keep == "best" else 1  # the best so far, and the one before it
    checkpoint = weights + 2 * weights
    steps = checkpoints.KEPT * weights if spec.is_adapter else 0
    needed = CHECKPOINTS * checkpoint + results * kept + steps + _SPARE
    return Disk(checkpoint, kept, needed, shutil.disk_usage(folder).free)


def describe_bytes(count: float) -> str:
    """Such as `3.2 GB`, in thousands."""
    for unit in ("bytes", "kB", "MB"):
        if count < 1000:
            return f"{count:.0f} {unit}"
        count /= 1000
    return f"{count:.1f} GB"
