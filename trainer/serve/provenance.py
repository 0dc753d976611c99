"""What must be kept with an answer so that somebody can get it again: which weights, how drawn, on what."""

import platform
from dataclasses import asdict
from functools import cache
from importlib.metadata import version

import torch

from db.comparisons import Sampling
from db.enums import Side
from trainer.serve.catalog import Target, Tuned
from trainer.serve.holding import Held


def describe(
    held: Held, target: Target, side: Side, sampling: Sampling, *, rows: int, prompt_tokens: int
) -> dict:
    """Provenance of one side's answer, ready for JSON."""
    return {
        "base": {"name": target.base.name, "revision": held.revision},
        "adapter": _adapter(held, target.adapter) if target.adapter and side is Side.TUNED else None,
        "template_hash": held.template_hash,
        "dtype": str(held.dtype).removeprefix("torch."),
        "device": _device(held.device),
        "batch": {"rows": rows, "prompt_tokens": prompt_tokens},
        "sampling": asdict(sampling),
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
        "hash": held.hash_of(adapter),
        "changed_since_tuning": changed,
    }


def _device(device: torch.device) -> str:
    return f"cuda ({torch.cuda.get_device_name(device)})" if device.type == "cuda" else device.type


@cache
def _packages() -> dict[str, str]:
    names = ("torch", "transformers", "peft", "tokenizers")
    return {"python": platform.python_version(), **{name: version(name) for name in names}}
