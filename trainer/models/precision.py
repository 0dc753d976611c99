"""In which number format to train on this machine: float32, or bfloat16 where that is really faster.

The frozen base is held in the format; the LoRA weights and the optimizer stay in float32 under autocast. A
processor may know bfloat16 and still be slow at it (AVX-512 without AMX often is), so the CPU is asked by a
clock: on a Xeon with AMX, 2 cores, an 800 x 320 x 864 product ran at 2,400 GFLOP/s against 130 in float32.
"""

import time
from contextlib import AbstractContextManager, nullcontext

import torch
from peft import PeftModel
from peft.helpers import disable_input_dtype_casting

from trainer.models import load

_WORTH_IT = 1.5  # times faster


def training_dtype(device: torch.device) -> torch.dtype:
    """bfloat16 or float32."""
    if device.type == "cpu":
        return torch.bfloat16 if _cpu_gains_from_bfloat16() else torch.float32
    return load.pick_dtype(device)


def autocast(device: torch.device, dtype: torch.dtype) -> AbstractContextManager:
    return torch.autocast(device.type, dtype, enabled=dtype is not torch.float32)


def lora_inputs_as_they_are(model: PeftModel, dtype: torch.dtype) -> AbstractContextManager:
    """Under autocast, keep peft from casting each LoRA layer's input to float32 only to have it cast back.

    Measured on the starter, one core: 3,430 tokens a second against 3,070.
    """
    return nullcontext() if dtype is torch.float32 else disable_input_dtype_casting(model)


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
