"""NEFTune (Jain 2023): noise on the embeddings while training, uniform in +-alpha / sqrt(L d).

L is the length of the row the token stands in, d the width of the embedding. Rows that lie end to end in one
line, or are padded to the longest, get the noise of their own length: that is why transformers' hook, which
takes the width of the whole batch for L, is not used.
"""

import torch
from transformers import PreTrainedModel


class Noise:
    """Hooks on a model; `remove` takes them off. In eval mode they do nothing."""

    def __init__(self, model: PreTrainedModel, alpha: float) -> None:
        self.alpha = alpha
        self._lengths: torch.Tensor | None = None  # of each token's row, in the shape of the batch
        self._hooks = [
            # Not on the model itself: peft calls its `forward` past the hooks.
            model.base_model.register_forward_pre_hook(self._note_lengths, with_kwargs=True),
            model.get_input_embeddings().register_forward_hook(self._add),
        ]

    def remove(self) -> None:
        for hook in self._hooks:
            hook.remove()

    def _note_lengths(self, module, args, kwargs) -> None:
        self._lengths = row_lengths(kwargs) if module.training else None

    def _add(self, module, args, embedded: torch.Tensor) -> torch.Tensor:
        """embedded (B, T, d), noise added."""
        if not module.training or self._lengths is None:
            return embedded
        reach = self.alpha / (self._lengths * embedded.shape[-1]).sqrt()  # (B, T)
        noise = torch.empty_like(embedded).uniform_(-1, 1)
        return embedded + noise * reach.unsqueeze(-1).to(embedded.dtype)


def row_lengths(batch: dict) -> torch.Tensor:
    """For each token of a batch the length of its row, float (B, T); rows end to end, or side by side."""
    ids = batch["input_ids"]
    if batch.get("row_lengths") is not None:
        lengths = torch.tensor(batch["row_lengths"], dtype=torch.float, device=ids.device)
        return lengths.repeat_interleave(lengths.long()).view(1, -1)
    mask = batch.get("attention_mask")
    if mask is None:
        return torch.full(ids.shape, float(ids.shape[1]), device=ids.device)
    return mask.sum(1, keepdim=True).float().expand(ids.shape)
