"""Is the base pane truly the base, and the tuned pane truly tuned? Asked once, when an adapter is loaded."""

from collections.abc import Sequence

import torch
from peft import PeftModel
from transformers import PreTrainedModel

from trainer.serve import rows
from trainer.serve.decode import next_logits

# How far equal computations may be apart, as a share of the largest logit. The batch has the same shape both
# times, so they are equal to the last bit unless the device sums in a varying order.
_TOLERANCE = {torch.float32: 1e-4, torch.bfloat16: 2e-2, torch.float16: 1e-2}


def check(
    model: PreTrainedModel, peft_model: PeftModel, adapter: str, probe: Sequence[int], *, label: str
) -> None:
    """Compare a batch (base row, tuned row) of `model` with the same batch while `peft_model`, around it,
    has all adapters off.

    Raises ValueError when the base row moved or the tuned row did not: the comparison would mislead.
    """
    batch = torch.tensor([list(probe)] * 2, device=model.device)  # (2, tokens)
    with peft_model.disable_adapter():
        plain, _ = next_logits(model, batch, None)
    with rows.assigned(model, [rows.BASE_ROW, adapter]):
        mixed, _ = next_logits(model, batch, None)
    if not bool(torch.isfinite(mixed).all()):
        raise ValueError(f"adapter: {label} makes the model answer in no numbers; tune it again.")
    limit = _TOLERANCE.get(mixed.dtype, 1e-2) * float(plain.abs().max())
    if float((mixed[0] - plain[0]).abs().max()) > limit:
        raise ValueError(f"adapter: {label} changes the base's own answers too; it cannot be compared.")
    if torch.equal(mixed[1], plain[1]):
        raise ValueError(f"adapter: {label} changes nothing, so both sides would be the base; tune it again.")
