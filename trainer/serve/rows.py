"""Which row of a batch goes through which adapter.

peft takes `adapter_names` in `forward` and `generate`, but leaves its hooks behind when anything raises in
there, and from then on a plain batch silently answers with the wrong weights (peft #3475). These hooks do the
same and always go again.
"""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from peft.tuners.lora import LoraLayer

BASE_ROW = "__base__"  # peft's name for a row that no adapter touches

logger = logging.getLogger(__name__)


@contextmanager
def assigned(model: torch.nn.Module, rows: Sequence[str]) -> Iterator[None]:
    """Send row i of every batch in this scope through the adapter named rows[i]."""
    layers = lora_layers(model)
    clear_hooks(layers)
    names = list(rows)

    def name_the_rows(_layer, args, kwargs):
        return args, {**kwargs, "adapter_names": names}

    handles = [layer.register_forward_pre_hook(name_the_rows, with_kwargs=True) for layer in layers]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def lora_layers(model: torch.nn.Module) -> list[torch.nn.Module]:
    return [module for module in model.modules() if isinstance(module, LoraLayer)]


def clear_hooks(layers: Sequence[torch.nn.Module]) -> None:
    """Take off what an interrupted run of anybody's may have left on the layers."""
    left = [layer for layer in layers if layer._forward_pre_hooks]
    if left:
        logger.warning("%d adapter layers carried leftover hooks; they were removed", len(left))
    for layer in left:
        for number in list(layer._forward_pre_hooks):
            layer._forward_pre_hooks.pop(number)
            layer._forward_pre_hooks_with_kwargs.pop(number, None)
    assert not any(layer._forward_pre_hooks for layer in layers)
