"""A model of which every weight was tuned, written so that it is a base like any other."""

import json
import shutil
from pathlib import Path

import torch
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from trainer.models import weights


def prepare(model: PreTrainedModel) -> PreTrainedModel:
    """Every weight is to be trained; they are in float32, for in 16 bits small steps would round away."""
    return model.requires_grad_(True)


def save(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    folder: Path,
    *,
    dtype: torch.dtype,
    state: dict[str, torch.Tensor] | None = None,
) -> list[Path]:
    """Write model and tokenizer to `folder` (replaced whole); returns the weight files, safetensors only.

    The weights are rounded to `dtype`, in which the forward pass took them while they were trained: what is
    kept is what was measured. `state` holds them where the model itself has only a share (FSDP).
    """
    partial = folder.with_name(folder.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    state = state if state is not None else model.state_dict()
    model.save_pretrained(partial, state_dict=_rounded(state, dtype))
    _note_format(partial / "config.json", dtype)
    tokenizer.save_pretrained(partial)
    shutil.rmtree(folder, ignore_errors=True)
    partial.rename(folder)
    return weights.files_of(folder)


def _rounded(state: dict[str, torch.Tensor], dtype: torch.dtype) -> dict[str, torch.Tensor]:
    """`state` in `dtype`. Tensors that are one (an embedding that is the head, too) stay one."""
    made: dict[int, torch.Tensor] = {}
    for tensor in state.values():
        if tensor.data_ptr() not in made:
            made[tensor.data_ptr()] = tensor.to(dtype) if tensor.is_floating_point() else tensor
    return {name: made[tensor.data_ptr()] for name, tensor in state.items()}


def _note_format(config: Path, dtype: torch.dtype) -> None:
    """The config speaks of the float32 that was trained; who reads it wants to know what lies beside it."""
    stored = json.loads(config.read_text(encoding="utf-8"))
    stored.update(dtype=str(dtype).removeprefix("torch."), use_cache=True)
    config.write_text(json.dumps(stored, indent=2), encoding="utf-8")
