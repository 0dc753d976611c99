"""An adapter's folder, read with suspicion: its config is others' JSON, its weights may be cut short.

Only LoRA is taken, rsLoRA and DoRA included. What else peft's config can ask for changes the base itself
(layer_replication, modules_to_save) or imports modules by name (megatron_core).
"""

import json
from pathlib import Path

import torch
from peft import LoraConfig
from safetensors.torch import load_file

from db.registry import hash_file
from trainer.models import weights
from trainer.models.lora import WEIGHTS

_TAKEN = {
    "r", "lora_alpha", "target_modules", "exclude_modules", "rank_pattern", "alpha_pattern",
    "use_rslora", "use_dora", "fan_in_fan_out", "layers_to_transform", "layers_pattern", "task_type",
}  # fmt: skip
_WITHOUT_EFFECT = {  # on answers: how it was trained, and where it came from
    "peft_type", "peft_version", "base_model_name_or_path", "revision", "inference_mode", "auto_mapping",
    "lora_dropout", "init_lora_weights", "loftq_config", "eva_config", "corda_config", "lora_ga_config",
    "megatron_core", "qalora_group_size", "ensure_weight_tying",
}  # fmt: skip


def read_config(folder: Path) -> LoraConfig:
    """The LoRA settings in `folder`, every one outside that small set refused.

    Raises ValueError, one sentence that begins "adapter:".
    """
    path = folder / "adapter_config.json"
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ValueError(
            f"adapter: {path} is missing or unreadable; tune it again or restore its folder."
        ) from error
    if not isinstance(stored, dict) or stored.get("peft_type") != "LORA":
        raise ValueError(f"adapter: {folder} holds no LoRA adapter; choose another.")
    plain = LoraConfig().to_dict()
    unknown = [
        name
        for name, value in stored.items()
        if name not in _TAKEN | _WITHOUT_EFFECT and value != plain.get(name)
    ]
    if unknown:
        raise ValueError(
            f"adapter: {folder} asks for {unknown[0]}, and only LoRA and DoRA are served; choose another."
        )
    return LoraConfig(inference_mode=True, **{name: stored[name] for name in _TAKEN if name in stored})


def mixes(folder: Path) -> bool:
    """Can the adapter share a batch with the base? peft mixes no rows of DoRA. Raises ValueError like
    `read_config`."""
    return not read_config(folder).use_dora


def read_weights(folder: Path) -> dict[str, torch.Tensor]:
    """The adapter's tensors by name, on the CPU. Safetensors only: a pickle could run code."""
    return load_file(folder / WEIGHTS)


def check_folder(folder: Path) -> None:
    """Is the adapter there and whole? Reads no tensors. Raises ValueError like `read_config`."""
    read_config(folder)
    try:
        weights.header(folder / WEIGHTS)
    except FileNotFoundError as error:
        raise ValueError(
            f"adapter: {folder} holds no {WEIGHTS}; tune it again or restore its folder."
        ) from error
    except (ValueError, OSError) as error:
        raise ValueError(f"adapter: {folder}: {error}; tune it again or restore its folder.") from error


def check_hash(folder: Path, expected: str) -> str:
    """SHA-256 of the weights. Raises ValueError when they are not those that were registered."""
    actual = hash_file(folder / WEIGHTS)
    if expected and actual != expected:
        raise ValueError(
            f"adapter: the weights in {folder} changed since their registration; restore them or tune again."
        )
    return actual
