"""What must be kept with an answer so that somebody can get it again: which weights, how drawn, on what."""

import platform
from dataclasses import asdict
from functools import cache
from importlib.metadata import version

import torch

from trainer.serve.asked import Asked
from trainer.serve.catalog import Tuned
from trainer.serve.holding import Held


def describe(held: Held, asked: Asked, row: int) -> dict:
    """Provenance of the answer of one row, ready for JSON.

    The same request again (sides, their order, prompts, sampling) on the same `batch`, device, threads,
    cores and packages gives the same text.
    """
    adapter = asked.adapters[row]
    return {
        "base": {"name": asked.base.name, "revision": held.revision},
        "adapter": _adapter(held, adapter) if adapter else None,
        "template_hash": held.template_hash,
        "dtype": str(held.dtype).removeprefix("torch."),
        "packed": "nf4" if held.four_bit else None,
        "device": _device(held.device),
        "threads": torch.get_num_threads(),
        "cores": held.spare_cores,
        "batch": {
            "rows": asked.rows,
            "row": row,
            "passes": asked.passes,
            "prompt_tokens": len(asked.prompts[row]),
        },
        "sampling": asdict(asked.sampling),
        "packages": _packages(),
    }


def _adapter(held: Held, adapter: Tuned) -> dict:
    """With what no longer is as it was when the adapter was tuned: "base", "template", or nothing."""
    now = {"base": held.revision, "template": held.template_hash}
    then = {"base": adapter.base_revision, "template": adapter.template_hash}
    changed = [name for name in now if then[name] and then[name] != now[name]]
    return {
        "id": adapter.id,
        "name": adapter.name,
        "step": adapter.step,
        "hash": held.hash_of(adapter),
        "changed_since_tuning": changed,
    }


def _device(device: torch.device) -> str:
    return f"cuda ({torch.cuda.get_device_name(device)})" if device.type == "cuda" else device.type


@cache
def _packages() -> dict[str, str]:
    names = ("torch", "transformers", "peft", "tokenizers")
    return {"python": platform.python_version(), **{name: version(name) for name in names}}
