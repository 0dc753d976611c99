"""LoRA and its kin on a base: which layers get an update, how large it may be, and how it is written to disk.

rsLoRA scales the update by alpha / sqrt(rank) (Kalajdzievski 2023), DoRA learns the length of each weight
column apart from its direction (Liu 2024). QLoRA is LoRA on a base held in 4 bits (`trainer.models.fourbit`).
"""

import shutil
from pathlib import Path

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from transformers import PreTrainedModel
from transformers.pytorch_utils import Conv1D

from db.train_spec import TARGET_PRESETS, TrainSpec

WEIGHTS = "adapter_model.safetensors"


def attach(model: PreTrainedModel, spec: TrainSpec) -> PeftModel:
    """The base with fresh LoRA weights in float32, the base itself frozen.

    Raises ValueError naming "target" when the base lacks such layers, "rank" when they are too small for it.
    """
    names = target_names(model, spec)
    _require_rank(model, names, spec.rank)
    config = LoraConfig(
        task_type="CAUSAL_LM",
        r=spec.rank,
        lora_alpha=spec.alpha,
        lora_dropout=spec.dropout,
        target_modules=names,
        use_rslora=spec.method == "rslora",
        use_dora=spec.method == "dora",
    )
    tuned = get_peft_model(model, config)
    # Knowing the base's name, peft would ask the Hub at every checkpoint whether its vocabulary was resized.
    tuned.peft_config["default"].base_model_name_or_path = None
    return tuned


def target_names(model: PreTrainedModel, spec: TrainSpec) -> list[str]:
    """The ends of the names of the layers to update, such as ["q_proj", "v_proj"].

    Of a preset, those the base has; of names that were written down, all or none.
    """
    layers = [name for name, _ in _linears(model)]
    present = sorted({name.rsplit(".", 1)[-1] for name in layers})
    wanted = [layer for layer in spec.layers if any(_is_called(name, layer) for name in layers)]
    if spec.target not in TARGET_PRESETS:
        missing = [layer for layer in spec.layers if layer not in wanted]
        if missing:
            raise ValueError(
                f"target: this base has no layer named {missing[0]}; it has {', '.join(present)}."
            )
        return wanted
    if wanted:
        return wanted
    if spec.target == "all linear" and present:  # a base whose layers go by other names (c_attn, ...)
        return present
    raise ValueError(
        f"target: this base model has no layers named {', '.join(spec.layers)}; "
        f"choose all linear, or some of {', '.join(present)}."
    )


def save(model: PeftModel, folder: Path, *, base: str, state: dict[str, torch.Tensor] | None = None) -> Path:
    """Write the adapter, safetensors only, to `folder` (replaced whole); returns the weights file.

    `base` is where the base model lies, for other tools that read the adapter. `state` holds the weights
    where the model itself has only a share of them (FSDP).
    """
    partial = folder.with_name(folder.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    config = model.peft_config["default"]
    config.base_model_name_or_path = base
    model.save_pretrained(partial, safe_serialization=True, save_embedding_layers=False, state_dict=state)
    config.base_model_name_or_path = None
    (partial / "README.md").unlink(missing_ok=True)  # an unfilled form
    shutil.rmtree(folder, ignore_errors=True)
    partial.rename(folder)
    return folder / WEIGHTS


def _is_called(name: str, ending: str) -> bool:
    return name == ending or name.endswith(f".{ending}")


def _require_rank(model: PreTrainedModel, names: list[str], rank: int) -> None:
    sizes = {
        name: min(_shape(layer))
        for name, layer in _linears(model)
        if any(_is_called(name, ending) for ending in names)
    }
    smallest = min(sizes, key=lambda name: sizes[name])
    if rank > sizes[smallest]:
        raise ValueError(
            f"rank: {rank} is more than the smallest layer it would update can have "
            f"({smallest.rsplit('.', 1)[-1]}, {sizes[smallest]}); give {sizes[smallest]} at most."
        )


def _linears(model: PreTrainedModel) -> list[tuple[str, torch.nn.Module]]:
    head = model.get_output_embeddings()
    return [
        (name, layer)
        for name, layer in model.named_modules()
        if isinstance(layer, torch.nn.Linear | Conv1D) and layer is not head
    ]


def _shape(layer: torch.nn.Module) -> tuple[int, int]:
    """Inputs and outputs. Conv1D is what GPT-2 calls its linear layer."""
    return (layer.nx, layer.nf) if isinstance(layer, Conv1D) else (layer.in_features, layer.out_features)
