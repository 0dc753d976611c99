"""How an error is told to people: the setting to change, or what to mend."""

import errno

import pytest
import torch

from db.train_spec import TrainSpec
from trainer import errors


def spec(**given) -> TrainSpec:
    return TrainSpec(base_model_id=1, dataset_version_id=1, adapter_name="run", **given)


def chained(outer: Exception, inner: Exception) -> Exception:
    try:
        raise outer from inner
    except type(outer) as error:
        return error


@pytest.mark.parametrize(
    ("given", "advice"),
    [
        ({"batch_size": 8}, "batch size 4 with accumulation 2"),
        ({"batch_size": 3, "accumulation": 4}, "batch size 1 with accumulation 12"),
        ({"batch_size": 1}, "activation checkpointing on"),
        ({"batch_size": 1, "checkpointing": "on"}, "QLoRA"),
        ({"batch_size": 1, "checkpointing": "on", "method": "full"}, "FSDP"),
        ({"batch_size": 1, "checkpointing": "on", "method": "qlora", "max_length": 2048}, "1024 tokens"),
    ],
)
def test_out_of_memory_names_the_next_setting(given, advice):
    error = torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has ...")
    said = errors.explain(error, spec(**given))
    assert said.startswith("batch size: the GPU's memory ran out")
    assert advice in said


@pytest.mark.parametrize(
    ("error", "begins"),
    [
        (ValueError("rank: 0 cannot be; give more."), "rank: 0 cannot be"),
        (MemoryError(), "batch size: memory ran out"),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried"), "batch size: memory ran out"),
        (OSError(errno.ENOSPC, "No space left on device"), "disk: it is full"),
        (
            chained(RuntimeError("save failed"), OSError(errno.EDQUOT, "Disk quota exceeded")),
            "disk: it is full",
        ),
        (RuntimeError("[enforce fail] PytorchStreamWriter failed writing file data/3"), "disk: it is full"),
        (RuntimeError("CUDA error: an illegal memory access was encountered"), "gpu: it was lost"),
        (RuntimeError("CUDA error: device-side assert triggered"), "base model: the GPU met a token"),
        (RuntimeError("[gloo/transport/tcp/pair.cc] Connection closed by peer"), "processes: one of those"),
        (PermissionError(errno.EACCES, "Permission denied", "/x/adapters"), "disk: the studio may not"),
        (KeyError("surprise"), "The run stopped on an unexpected error (KeyError"),
        (ValueError("too many values to unpack"), "The run stopped on an unexpected error (ValueError"),
    ],
)
def test_every_end_is_one_sentence(error, begins):
    said = errors.explain(error, spec())
    assert said.startswith(begins)
    assert "\n" not in said


def test_a_job_without_batches_is_not_told_to_make_them_smaller():
    assert errors.explain(MemoryError()).startswith("memory: memory ran out")
