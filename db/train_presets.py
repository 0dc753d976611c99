"""Settings that fit together: the two papers' runs, and sound starts for today's bases and cards.

What a paper does not state is filled in and said so: `about` never lends our numbers to its authors.
"""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Preset:
    """A name for the form, what to know before choosing it, and the settings of TrainSpec it changes."""

    name: str
    group: str
    about: str
    settings: dict[str, Any] = field(default_factory=dict)


_BIOINSTRUCT = {
    "method": "lora",
    "rank": 8,
    "alpha": 16,
    "dropout": 0.05,
    "target": "query and value",
    "learning_rate": 3e-4,
    "epochs": 3.0,
    "scheduler": "linear",
    "warmup": 100.0,
    "max_length": 512,
}
_BIOINSTRUCT_SAYS = (
    "The paper tunes LLaMA 1 and 2 with LoRA and does not state its settings; these are the usual ones of "
    "that period's scripts: rank 8 on the query and value projections, 3 epochs, effective batch 128."
)
_MEDTUNED = {
    "method": "full",
    "precision": "fp16",
    "epochs": 3.0,
    "warmup": 1000.0,
    "learning_rate": 2e-5,
    "scheduler": "cosine",
    "max_length": 1024,
    "checkpointing": "on",
    "strategy": "fsdp",
    "processes": 8,
    "batch_size": 4,
}
_MEDTUNED_SAYS = (
    "As the paper says: every weight tuned, fp16, AdamW, 1,000 warm-up steps, 3 epochs, loss on the answers "
    "only. It shares the weights by ZeRO-3, here FSDP does; step size, batch and GPUs are not stated: ours."
)
_TODAY = {
    "method": "lora",
    "rank": 16,
    "alpha": 32,
    "dropout": 0.0,
    "target": "all linear",
    "learning_rate": 2e-4,
    "epochs": 2.0,
    "scheduler": "cosine",
    "warmup": 0.03,
    "max_length": 2048,
    "batching": "packed",
    "batch_size": 4,
    "accumulation": 4,
    "precision": "bf16",
}

PRESETS = (
    Preset(
        "Starter model", "This machine", "Minutes on two CPU cores; for the starter and other tiny bases."
    ),
    Preset(
        "BioInstruct, 7B",
        "Papers",
        _BIOINSTRUCT_SAYS,
        {**_BIOINSTRUCT, "batch_size": 8, "accumulation": 16},
    ),
    Preset(
        "BioInstruct, 13B",
        "Papers",
        _BIOINSTRUCT_SAYS,
        {**_BIOINSTRUCT, "batch_size": 4, "accumulation": 32, "checkpointing": "on"},
    ),
    Preset("Llama2-MedTuned, 7B chat", "Papers", _MEDTUNED_SAYS, _MEDTUNED),
    Preset("Llama2-MedTuned, 13B chat", "Papers", _MEDTUNED_SAYS, {**_MEDTUNED, "batch_size": 2}),
    Preset(
        "7B to 9B, 80 GB card",
        "Today's bases",
        "For Llama 3, Qwen, Gemma or BioMistral: LoRA on all linear layers, lines packed to 2,048, bf16.",
        _TODAY,
    ),
    Preset(
        "7B to 9B, 24 GB card",
        "Today's bases",
        "The base held in 4 bits (QLoRA), activations recomputed: slower, and it fits.",
        {**_TODAY, "method": "qlora", "batch_size": 1, "accumulation": 16, "checkpointing": "on"},
    ),
    Preset(
        "1B to 3B, 16 GB card",
        "Today's bases",
        "Small bases bear a higher step size and rank.",
        {**_TODAY, "rank": 32, "alpha": 64, "learning_rate": 3e-4},
    ),
)


def find(name: str) -> Preset:
    """The preset of that name. Raises LookupError."""
    for preset in PRESETS:
        if preset.name == name:
            return preset
    raise LookupError(f"preset: there is none named {name}; there is {', '.join(p.name for p in PRESETS)}.")
