"""Is a base column truly the base, and a tuned column truly tuned? Asked once, when an adapter is loaded."""

from collections.abc import Sequence

import torch
from transformers import PreTrainedModel

from trainer.serve import rows
from trainer.serve.decode import next_logits

# How far equal computations may be apart, as a share of the largest logit. The batch has the same shape both
# times, so they are equal to the last bit unless the device sums in a varying order.
_TOLERANCE = {torch.float32: 1e-4, torch.bfloat16: 2e-2, torch.float16: 1e-2}


def plain_logits(model: PreTrainedModel, probe: Sequence[int]) -> torch.Tensor:
    """(vocabulary,) after the probe, of a base that no adapter was ever put on: what `check` goes by."""
    logits, _ = next_logits(model, _batch(model, probe, 2), None)
    return logits[0]


def check(
    model: PreTrainedModel,
    adapter: str,
    probe: Sequence[int],
    plain: torch.Tensor,
    *,
    mixes: bool,
    label: str,
) -> None:
    """Ask base and adapter as a comparison does, in one batch where the adapter `mixes`, else in turn, and
    hold them against `plain`.

    Raises ValueError when the base moved or the adapter did not: the comparison would mislead.
    """
    base, tuned = (_mixed if mixes else _in_turn)(model, adapter, probe)
    if not bool(torch.isfinite(tuned).all() and torch.isfinite(base).all()):
        raise ValueError(f"adapter: {label} makes the model answer in no numbers; tune it again.")
    limit = _TOLERANCE.get(plain.dtype, 1e-2) * float(plain.abs().max())
    if float((base - plain).abs().max()) > limit:
        raise ValueError(f"adapter: {label} changes the base's own answers too; it cannot be compared.")
    if torch.equal(tuned, base):
        raise ValueError(f"adapter: {label} changes nothing, so both sides would be the base; tune it again.")


def _mixed(model: PreTrainedModel, adapter: str, probe: Sequence[int]) -> tuple[torch.Tensor, torch.Tensor]:
    with rows.assigned(model, [rows.BASE_ROW, adapter]):
        logits, _ = next_logits(model, _batch(model, probe, 2), None)
    return logits[0], logits[1]


def _in_turn(model: PreTrainedModel, adapter: str, probe: Sequence[int]) -> tuple[torch.Tensor, torch.Tensor]:
    """The adapter first: what it leaves on would show in the base."""
    said = {}
    with rows.in_turn(model) as switch:
        for name in (adapter, rows.BASE_ROW):
            switch(name)
            logits, _ = next_logits(model, _batch(model, probe, 2), None)
            said[name] = logits[0]
    return said[rows.BASE_ROW], said[adapter]


def _batch(model: PreTrainedModel, probe: Sequence[int], count: int) -> torch.Tensor:
    return torch.tensor([list(probe)] * count, device=model.device)  # (count, tokens)
