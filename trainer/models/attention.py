"""Attention over rows laid end to end: each row by itself, causal, with no mask between rows at all.

The dense T x T mask that SDPA would get costs more than the padding it saves (measured, 16 rows of 120
tokens, one layer forward and backward on one core: 20 ms by row, 130 ms dense). A model has to show that it
takes rows this way: `takes_rows` compares its predictions with those for padded rows.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from torch.nn.functional import scaled_dot_product_attention
from transformers import AttentionInterface, PreTrainedModel

from trainer.data.collate import flatten, pad, to_device
from trainer.data.encode import Example

BY_ROW = "by_row"
_PROBE = 64  # tokens of each of two rows


def attend_by_row(
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    *,
    row_lengths: Sequence[int],
    scaling: float | None = None,
    dropout: float = 0.0,
    **kwargs,
) -> tuple[torch.Tensor, None]:
    """query (1, H, T, D), key and value (1, G, T, D) with G dividing H -> (1, T, H, D).

    Raises ValueError for a kind of attention it does not do.
    """
    if kwargs.get("softcap") is not None or kwargs.get("s_aux") is not None:
        raise ValueError("attention with a soft cap or sinks is not done by row")
    kind = query.dtype
    if query.device.type == "cpu":  # whose backward pass takes twice as long in bfloat16
        query, key, value = query.float(), key.float(), value.float()
    rows = zip(*(states.split(list(row_lengths), dim=2) for states in (query, key, value)), strict=True)
    grouped = query.shape[1] != key.shape[1]
    answers = [
        scaled_dot_product_attention(
            q, k, v, dropout_p=dropout, is_causal=True, scale=scaling, enable_gqa=grouped
        )
        for q, k, v in rows
    ]
    return torch.cat(answers, dim=2).transpose(1, 2).to(kind).contiguous(), None


AttentionInterface.register(BY_ROW, attend_by_row)


def switch_to_rows(model: PreTrainedModel, examples: Sequence[Example], pad_id: int) -> bool:
    """Let `model` attend by row if it can, for rows as long as these; False leaves it as it was."""
    config = model.config.get_text_config()
    reach = [getattr(config, name, None) for name in ("sliding_window", "attention_chunk_size")]
    longest = max(len(example.ids) for example in examples)
    if any(limit is not None and longest > limit for limit in reach):
        return False  # without a mask it would look further back than it was built to
    before = config._attn_implementation
    try:
        if takes_rows(model, examples, pad_id):
            model._attends_padded_by = before
            return True
    except (TypeError, ValueError, IndexError, RuntimeError, KeyError):
        pass  # its forward knows other arguments
    model.set_attn_implementation(before)
    return False


@contextmanager
def padded(model: PreTrainedModel) -> Iterator[None]:
    """For a while, let a model that was switched to rows take padded batches again, as `generate` makes."""
    by_row = model.config.get_text_config()._attn_implementation == BY_ROW
    if by_row:
        model.set_attn_implementation(model._attends_padded_by)
    try:
        yield
    finally:
        if by_row:
            model.set_attn_implementation(BY_ROW)


@torch.no_grad()
def takes_rows(model: PreTrainedModel, examples: Sequence[Example], pad_id: int) -> bool:
    """True when `model`, switched to rows, predicts for two rows what it predicts for them padded.

    A model that carries state along the line does not; one with another forward raises.
    """
    probe = [Example(ids[:_PROBE], 1) for ids, _ in examples[:2]]  # 1: a leak shows where a row begins
    weight = next(model.parameters())
    model.eval()
    padded = model(**to_device(pad(probe, pad_id), weight.device)).logits.float()  # (2, T, V)
    model.set_attn_implementation(BY_ROW)
    flat = model(**to_device(flatten(probe), weight.device)).logits[0].float()  # (K, V)
    expected = torch.cat([padded[row, : len(ids) - 1] for row, (ids, _) in enumerate(probe)])
    tolerance = 1e-3 if weight.dtype == torch.float32 else 5e-2  # rounding; rows that mix are far beyond
    return flat.shape == expected.shape and float((flat - expected).std() / expected.std()) < tolerance
