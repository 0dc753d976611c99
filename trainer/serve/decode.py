"""The decoding loop: one prompt, a batch with a row a side, a token a step.

Why not `generate`: here each row ends by itself without raising inside the model, all rows share their dice,
a token leaves as soon as it is known, and no sampling default of the model's generation_config slips in.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from inspect import signature

import torch
from transformers import PreTrainedModel

from trainer.serve.sampling import Dice


def decode(
    model: PreTrainedModel,
    prompt_ids: Sequence[int],
    rows: int,
    dice: Dice,
    *,
    max_tokens: int,
    end_ids: Collection[int],
    is_stopped: Callable[[int], bool],
) -> Iterator[tuple[int, int | None, str | None]]:
    """Yield (row, token id or None, finish reason or None) as they come.

    A row ends once: "stop" at an end token (which is not yielded), "length" with its `max_tokens`-th token,
    "cancelled" when `is_stopped(row)` turns true. All rows have the same prompt, so nothing is padded. A row
    that has ended stays in the batch: what the other row is told must not hang on when its neighbour fell
    silent, and in half precision the batch's shape shows in the last digits.
    """
    past, batch = None, torch.tensor([list(prompt_ids)] * rows, device=model.device)  # (rows, tokens)
    open_rows = list(range(rows))
    for step in range(1, max_tokens + 1):
        stopped = [row for row in open_rows if is_stopped(row)]
        yield from ((row, None, "cancelled") for row in stopped)
        open_rows = [row for row in open_rows if row not in stopped]
        if not open_rows:
            return
        logits, past = next_logits(model, batch, past)
        picked = dice.pick(logits)  # (rows,)
        batch, tokens = picked[:, None], picked.tolist()
        for row in open_rows:
            if tokens[row] in end_ids:
                yield row, None, "stop"
            else:
                yield row, tokens[row], "length" if step == max_tokens else None
        open_rows = [row for row in open_rows if tokens[row] not in end_ids]


@torch.inference_mode()
def next_logits(model: PreTrainedModel, batch: torch.Tensor, past) -> tuple[torch.Tensor, object]:
    """Logits (rows, vocabulary) after the last token of `batch` (rows, tokens), and the grown cache."""
    last = {"logits_to_keep": 1} if "logits_to_keep" in signature(model.forward).parameters else {}
    output = model(input_ids=batch, past_key_values=past, use_cache=True, **last)
    return output.logits[:, -1], output.past_key_values
