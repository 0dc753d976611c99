"""In which number format to train on this machine: what was asked for, or the one that is really faster.

The frozen base is held in the format; the trained weights and the optimizer stay in float32 under autocast. A
processor may know bfloat16 and still be slow at it (AVX-512 without AMX often is), so the CPU is asked by a
clock: on a Xeon with AMX, 2 cores, an 800 x 320 x 864 product ran at 2,400 GFLOP/s against 130 in float32.
"""

import time
from contextlib import AbstractContextManager, nullcontext

import torch
from peft import PeftModel
from peft.helpers import disable_input_dtype_casting
from transformers import PreTrainedModel

from trainer.models import load

FORMATS = {"bf16": torch.bfloat16, "fp16": torch.float16, "fp32": torch.float32}
_WORTH_IT = 1.5  # times faster


def pick(asked: str, device: torch.device) -> torch.dtype:
    """The format to train in; `asked` is one of `db.train_spec.PRECISIONS`.

    Raises ValueError, one sentence that begins "precision:", for what the device cannot do.
    """
    if asked == "auto" and device.type == "cpu":
        return torch.bfloat16 if _cpu_gains_from_bfloat16() else torch.float32
    if asked == "auto":
        return load.pick_dtype(device)
    if asked == "fp16" and device.type != "cuda":
        raise ValueError(
            "precision: fp16 needs a GPU, where its loss can be scaled; choose auto, bf16 or fp32."
        )
    if asked == "bf16" and device.type == "cuda" and not torch.cuda.is_bf16_supported():
        raise ValueError("precision: this GPU does not know bf16; choose auto, fp16 or fp32.")
    return FORMATS[asked]


def name(dtype: torch.dtype) -> str:
    """Such as "bf16"."""
    return next(short for short, known in FORMATS.items() if known is dtype)


def autocast(device: torch.device, dtype: torch.dtype) -> AbstractContextManager:
    return torch.autocast(device.type, dtype, enabled=dtype is not torch.float32)


def lora_inputs_as_they_are(model: PeftModel | PreTrainedModel, dtype: torch.dtype) -> AbstractContextManager:
    """Under autocast, keep peft from casting each LoRA layer's input to float32 only to have it cast back.

    Measured on the starter, one core: 3,430 tokens a second against 3,070.
    """
    if dtype is torch.float32 or not isinstance(model, PeftModel):
        return nullcontext()
    return disable_input_dtype_casting(model)


def _cpu_gains_from_bfloat16() -> bool:
    return _best_time(torch.float32) > _WORTH_IT * _best_time(torch.bfloat16)


def _best_time(dtype: torch.dtype) -> float:
    """Seconds for a product as small layers do it; the best of several, for the machine is shared."""
    inputs, weight = torch.ones(512, 512, dtype=dtype), torch.ones(512, 512, dtype=dtype)
    best = float("inf")
    for _ in range(12):
        start = time.perf_counter()
        torch.nn.functional.linear(inputs, weight)
        best = min(best, time.perf_counter() - start)
    return best
