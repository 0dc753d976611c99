"""Looks at the validation rows during training: their loss, whether it still falls, which were best.

The state lives in the checkpoints, and the best weights in folders of their own (`best-STEP`), each a whole
result. One is removed only when no checkpoint left on disk speaks of it, so whichever is resumed from finds
its own.
"""

import math
import shutil
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import torch

from trainer.data.batching import of_like_length
from trainer.data.collate import to_device
from trainer.data.examples import Example, Examples
from trainer.models import checkpoints, precision
from trainer.models.processes import Processes
from trainer.models.tuning import Tuning

Save = Callable[[torch.nn.Module, Path], None]


@dataclass
class Looks:
    """What is known after some looks at the validation rows."""

    best: float | None = None  # lowest loss, nats a token
    best_step: int = 0
    without_gain: int = 0  # looks since then
    last_step: int = -1

    def take(self, step: int, loss: float) -> bool:
        """Note the loss of a step; True when it is the lowest so far. A loss that is no number never is."""
        self.last_step = step
        if math.isfinite(loss) and (self.best is None or loss < self.best):
            self.best, self.best_step, self.without_gain = loss, step, 0
            return True
        self.without_gain += 1
        return False

    def to_json(self) -> dict:
        return asdict(self)


class Best:
    """Keeps the weights of the best look, once training has begun: the untuned base is no result."""

    def __init__(self, folder: Path, save: Save) -> None:
        self._folder, self._save = folder, save

    def keep(self, model: torch.nn.Module, step: int) -> None:
        """Save the weights of this step, whole or not at all. Every process has to ask."""
        self._save(model, self.path(step))

    def path(self, step: int) -> Path:
        return checkpoints.best_folder(self._folder, step)

    def prune(self, current: int) -> None:
        """Remove what neither a checkpoint nor the run at hand speaks of."""
        wanted = checkpoints.best_steps(self._folder) | {current}
        for folder in self._folder.glob("best-*"):
            if folder not in {self.path(step) for step in wanted}:
                shutil.rmtree(folder, ignore_errors=True)


@torch.no_grad()
def measure(
    model: torch.nn.Module, ready: Tuning, examples: Examples, size: int, processes: Processes
) -> float | None:
    """Mean loss over the labelled tokens of `examples`, in nats; None without any. Draws no random number.

    Each process takes every n-th batch, and all make as many passes: a model that is split over the processes
    (FSDP) is only whole while all of them ask it.
    """
    if not examples:
        return None
    batches = list(of_like_length(examples, size))
    mine = batches[processes.rank :: processes.count]
    missing = -(-len(batches) // processes.count) - len(mine)
    model.eval()
    lost, labelled = 0.0, 0
    with precision.autocast(ready.device, ready.dtype):
        for batch in mine:
            count = sum(len(example.ids) - example.answer_start for example in batch)
            lost += _loss(model, ready, batch) * count
            labelled += count
        for batch in batches[:missing]:
            _loss(model, ready, batch)
    model.train()
    lost, labelled = processes.total(lost, labelled)
    return lost / labelled


def _loss(model: torch.nn.Module, ready: Tuning, examples: Sequence[Example]) -> float:
    return float(model(**to_device(ready.collator.collate(examples), ready.device)).loss)
