"""LoRA on a base: which layers get an update, how large it may be, and how the result is written to disk."""

import shutil
from pathlib import Path

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from transformers import PreTrainedModel

from db.train_spec import TARGET_PRESETS, TrainSpec

WEIGHTS = "adapter_model.safetensors"


def attach(model: PreTrainedModel, spec: TrainSpec) -> PeftModel:
    """The base with fresh LoRA weights in float32, the base itself frozen.

    Raises ValueError naming "target" when the base lacks such layers, "rank" when they are too small for it.
    """
    names = target_names(model, spec.target)
    _require_rank(model, names, spec.rank)
    config = LoraConfig(
        task_type="CAUSAL_LM",
        r=spec.rank,
        lora_alpha=spec.alpha,
        lora_dropout=spec.dropout,
        target_modules=names,
    )
    tuned = get_peft_model(model, config)
    # Knowing the base's name, peft would ask the Hub at every checkpoint whether its vocabulary was resized.
    tuned.peft_config["default"].base_model_name_or_path = None
    return tuned


def target_names(model: PreTrainedModel, target: str) -> list[str]:
    """The last parts of the names of the layers to update, such as ["q_proj", "v_proj"]."""
    present = {name.rsplit(".", 1)[-1] for name, _ in _linears(model)}
    wanted = [name for name in TARGET_PRESETS[target] if name in present]
    if wanted:
        return wanted
    if target == "all linear" and present:  # a base whose layers go by other names (query_key_value, ...)
        return sorted(present)
    raise ValueError(
        f"target: this base model has no layers named {', '.join(TARGET_PRESETS[target])}; choose all linear."
    )


def save(model: PeftModel, folder: Path, *, base: str) -> Path:
    """Write the adapter, safetensors only, to `folder` (replaced whole); returns the weights file.

    `base` is where the base model lies, for other tools that read the adapter.
    """
    partial = folder.with_name(folder.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    model.peft_config["default"].base_model_name_or_path = base
    model.save_pretrained(partial, safe_serialization=True, save_embedding_layers=False)
    (partial / "README.md").unlink(missing_ok=True)  # an unfilled form
    shutil.rmtree(folder, ignore_errors=True)
    partial.rename(folder)
    return folder / WEIGHTS


def _require_rank(model: PreTrainedModel, names: list[str], rank: int) -> None:
    sizes = {
        name: min(layer.in_features, layer.out_features)
        for name, layer in _linears(model)
        if name.rsplit(".", 1)[-1] in names
    }
    smallest = min(sizes, key=lambda name: sizes[name])
    if rank > sizes[smallest]:
        raise ValueError(
            f"rank: {rank} is more than the smallest layer it would update can have "
            f"({smallest.rsplit('.', 1)[-1]}, {sizes[smallest]}); give {sizes[smallest]} at most."
        )


def _linears(model: PreTrainedModel) -> list[tuple[str, torch.nn.Linear]]:
    head = model.get_output_embeddings()
    return [
        (name, layer)
        for name, layer in model.named_modules()
        if isinstance(layer, torch.nn.Linear) and layer is not head
    ]
