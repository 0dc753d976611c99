"""A base held in 4 bits, as QLoRA does (Dettmers 2023): NF4, its constants quantised as well.

bitsandbytes does it, which only some sites need and only GPUs run: it is no requirement of the studio.
"""

from importlib.util import find_spec

import torch
from transformers import BitsAndBytesConfig


def fault(*, has_gpu: bool) -> str | None:
    """What 4 bits want for here, to be read behind "it needs"; None when they can be had."""
    if not has_gpu:
        return "an NVIDIA GPU; run it on a machine with one"
    if find_spec("bitsandbytes") is None:
        return "the package bitsandbytes; pip install bitsandbytes"
    return None


def require_ready(device: torch.device) -> None:
    """Raises ValueError, one sentence that begins "method:", where 4 bits cannot be had."""
    lacking = fault(has_gpu=device.type == "cuda")
    if lacking is not None:
        raise ValueError(f"method: QLoRA needs {lacking}, or choose LoRA.")


def config(compute: torch.dtype) -> BitsAndBytesConfig:
    """For `from_pretrained`; matrix products are done in `compute`."""
    return BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=compute,
    )
