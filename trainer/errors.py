"""What ended a job, in one sentence for people: which setting to change, or what to mend on the machine.

Known by class name and text, not by type: this module loads no torch. Libraries wrap one error in another,
so the causes are looked at too.
"""

import errno
import os
import re
from collections.abc import Iterator

from db.train_spec import TrainSpec

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_SHORT_OF_MEMORY = (
    "can't allocate memory",
    "out of memory",
    "CUBLAS_STATUS_ALLOC_FAILED",
    "cannot allocate memory",
)
_GPU_LOST = (
    "CUDA error",
    "CUDNN_STATUS",
    "NVML",
    "device-side assert",
    "unspecified launch failure",
    "ECC error",
)
_OTHER_PROCESS = ("NCCL", "gloo", "Connection closed by peer", "Timed out waiting", "ProcessGroup")


def is_sentence(error: BaseException) -> bool:
    """Our ValueErrors begin with a field and a colon; a library's error wants its traceback logged."""
    if isinstance(error, ValueError):
        return re.match(r"[a-z][a-z ]{0,20}: ", str(error)) is not None
    return isinstance(error, LookupError) and not isinstance(error, KeyError | IndexError)


def explain(error: BaseException, spec=None) -> str:
    """The sentence for what ended a job of that spec. Never empty."""
    if is_sentence(error):
        return str(error)
    for known in (_disk_full, _out_of_memory, _gpu_lost, _other_process_gone, _not_allowed):
        for cause in _causes(error):
            if sentence := known(cause, spec):
                return sentence
    first = str(error).strip().split("\n")[0][:300]
    return (
        f"The run stopped on an unexpected error ({type(error).__name__}: {first}). The log has the details."
    )


def blames_another(error: BaseException) -> bool:
    """True when the error only tells that another of the processes that share a run is gone."""
    return any(_other_process_gone(cause, None) for cause in _causes(error))


def lighter(spec: TrainSpec) -> str:
    """The next setting that needs less memory and learns the same, or nearly, as words for people."""
    if spec.batch_size > 1:
        half = spec.batch_size // 2
        passes = -(-spec.batch_size * spec.accumulation // half)
        return f"batch size {half} with accumulation {passes}, which takes the same steps"
    if spec.checkpointing != "on":
        return "activation checkpointing on"
    if spec.method in ("lora", "rslora", "dora"):
        return "QLoRA, which holds the base in 4 bits"
    if spec.method == "full" and spec.strategy != "fsdp":
        return "FSDP over several GPUs, or LoRA"
    return f"a longest row of {max(16, spec.max_length // 2)} tokens"


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


def _disk_full(error: BaseException, spec) -> str:
    told = str(error)
    if getattr(error, "errno", None) in _FULL or any(os.strerror(number) in told for number in _FULL):
        return "disk: it is full, or a quota is; make room and resume to go on from what was kept last."
    if "PytorchStreamWriter failed writing" in told:
        return "disk: it is full, or not to be written; make room and resume to go on from what was kept."
    return ""


def _out_of_memory(error: BaseException, spec) -> str:
    told = str(error)
    is_short = isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError"
    if not is_short and not any(sign.lower() in told.lower() for sign in _SHORT_OF_MEMORY):
        return ""
    where = "the GPU's memory" if "cuda" in told.lower() else "memory"
    if not isinstance(spec, TrainSpec):
        return f"memory: {where} ran out; close what else runs on this machine, then resume."
    return f"batch size: {where} ran out; start the run anew with {lighter(spec)}."


def _gpu_lost(error: BaseException, spec) -> str:
    told = str(error)
    if not any(sign in told for sign in _GPU_LOST):
        return ""
    if "device-side assert" in told:
        return (
            "base model: the GPU met a token or position that the model does not have; check that tokenizer "
            "and weights belong together, or lower the longest row."
        )
    first = told.strip().split("\n")[0][:120]
    return (
        f"gpu: it was lost while working ({first}); look at nvidia-smi, restart it if need be, then resume."
    )


def _other_process_gone(error: BaseException, spec) -> str:
    if not any(sign in str(error) for sign in _OTHER_PROCESS):
        return ""
    return "processes: one of those that share the run is gone; the log tells which, then resume."


def _not_allowed(error: BaseException, spec) -> str:
    if not isinstance(error, PermissionError):
        return ""
    place = f" {error.filename}" if error.filename else " a file of the data folder"
    return f"disk: the studio may not write or read{place}; mend its rights, then resume."
