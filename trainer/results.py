"""What a run leaves behind: an adapter, or a whole model when every weight was tuned."""

import re
import shutil
from dataclasses import dataclass
from pathlib import Path

import torch
from torch.distributed.checkpoint.state_dict import StateDictOptions, get_model_state_dict
from transformers import PreTrainedTokenizerBase

from db.registry import STEPS, hash_file
from db.settings import Settings
from db.tables import BaseModel
from db.train_spec import TrainSpec
from trainer.models import checkpoints, lora, weights, whole
from trainer.models.processes import Processes
from trainer.models.tuning import Tuning


@dataclass(frozen=True)
class Results:
    """Writes the result of one run, now and then while it trains (the best so far) and at its end."""

    spec: TrainSpec
    base: BaseModel
    tokenizer: PreTrainedTokenizerBase
    ready: Tuning
    processes: Processes

    def save(self, model: torch.nn.Module, folder: Path) -> None:
        """Write the model's weights to `folder`, whole or not at all. Every process has to ask."""
        state = _gathered(model) if self.processes.split(self.spec) else None
        if self.processes.is_main:
            if self.spec.is_adapter:
                lora.save(model, folder, base=self.base.location, state=state)
            else:
                whole.save(model, self.tokenizer, folder, dtype=self.ready.dtype, state=state)
        self.processes.wait()


def home_of(settings: Settings, job_id: int, spec: TrainSpec) -> Path:
    """Where the result of a job comes to lie."""
    root = settings.adapters_dir if spec.is_adapter else settings.models_dir
    return root / f"{job_id}-{slug(spec.adapter_name)}"


def copy(folder: Path, home: Path) -> None:
    """Make `home` the same result as `folder`, at once or not at all. On one disk it takes no more room."""
    partial = home.with_name(home.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    shutil.copytree(folder, partial, copy_function=checkpoints.link)
    shutil.rmtree(home, ignore_errors=True)
    partial.rename(home)


def bring_steps(checkpoints_folder: Path, home: Path) -> None:
    """Move what a run kept of its steps to its adapter."""
    kept = checkpoints_folder / STEPS
    if kept.is_dir():
        shutil.rmtree(home / STEPS, ignore_errors=True)
        shutil.move(kept, home / STEPS)


def hash_weights(home: Path, spec: TrainSpec) -> str:
    """SHA-256 of the adapter's or the model's weights."""
    return hash_file(home / lora.WEIGHTS) if spec.is_adapter else weights.hash_files(weights.files_of(home))


def _gathered(model: torch.nn.Module) -> dict[str, torch.Tensor]:
    """All weights, on the CPU of the main process, of a model each process has only a share of."""
    return get_model_state_dict(model, options=StateDictOptions(full_state_dict=True, cpu_offload=True))


def slug(name: str) -> str:
    """A folder name: lower-case letters, digits and dashes."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:48] or "adapter"
