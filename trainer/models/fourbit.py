"""A base held in 4 bits, as QLoRA does (Dettmers 2023): NF4, its constants quantised as well.

bitsandbytes does it, which only some sites need and only GPUs run: it is no requirement of the studio.
"""

from importlib.util import find_spec

import torch
from transformers import BitsAndBytesConfig

_ELSE = "or choose LoRA."


def require_ready(device: torch.device) -> None:
    """Raises ValueError, one sentence that begins "method:", where 4 bits cannot be had."""
    if device.type != "cuda":
        raise ValueError(f"method: QLoRA needs an NVIDIA GPU; run it on a machine with one, {_ELSE}")
    if find_spec("bitsandbytes") is None:
        raise ValueError(f"method: QLoRA needs the package bitsandbytes; pip install bitsandbytes, {_ELSE}")


def config(compute: torch.dtype) -> BitsAndBytesConfig:
    """For `from_pretrained`; matrix products are done in `compute`."""
    return BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=compute,
    )
