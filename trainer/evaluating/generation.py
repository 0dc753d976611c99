"""Written answers: greedy decoding of many prompts at once, each row ending by itself.

Rows are padded on the left, what all prompts begin with is read once, and rows that ended leave the batch.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

import torch
from transformers import DynamicCache, PreTrainedModel
from transformers.cache_utils import Cache

from trainer.evaluating.cache import Beginning, is_plain, keep_logits

_LEAVE = 0.75  # the batch is made smaller when no more than this share of its rows still write


@dataclass(frozen=True)
class Written:
    """An answer's token ids, its end token not among them; not `ended` when it was cut at its limit."""

    ids: list[int]
    ended: bool


@torch.inference_mode()
def write(
    model: PreTrainedModel,
    prompts: Sequence[Sequence[int]],
    limits: Sequence[int],
    end_ids: Collection[int],
    *,
    beginning: Beginning | None = None,
    tick: Callable[[], None] = lambda: None,
) -> list[Written]:
    """The most likely next token again and again, up to `limits[i]` tokens of row i.

    With a `beginning`, every prompt begins with it. `tick` is called at every token, and may raise.
    """
    read = len(beginning) if beginning else 0
    widest = max(map(len, prompts)) - read
    ids = torch.zeros(len(prompts), widest, dtype=torch.long)
    mask = torch.zeros(len(prompts), read + widest + max(limits), dtype=torch.long)
    mask[:, :read] = mask[:, read + widest :] = 1
    for row, prompt in enumerate(prompts):
        fed = len(prompt) - read
        ids[row, widest - fed :] = torch.tensor(prompt[read:])
        mask[row, read + widest - fed : read + widest] = 1
    ids, mask = ids.to(model.device), mask.to(model.device)
    places = (mask.cumsum(-1) - 1).clamp(min=0)
    cache = _open(model, beginning, len(prompts), widest + max(limits))
    answers: list[list[int]] = [[] for _ in prompts]
    ended = [False] * len(prompts)
    rows = list(range(len(prompts)))  # of the batch, which answers they write
    begin, end = read, read + widest
    while rows:
        tick()
        logits = model(
            input_ids=ids,
            attention_mask=mask[:, :end],
            position_ids=places[:, begin:end],
            past_key_values=cache,
            use_cache=True,
            **keep_logits(model, 1),
        ).logits[:, -1]  # (rows, vocabulary)
        picked = logits.argmax(-1)
        going = []
        for place, (row, token) in enumerate(zip(rows, picked.tolist(), strict=True)):
            if ended[row] or len(answers[row]) == limits[row]:
                continue  # it waits for the batch to be made smaller
            if token in end_ids:
                ended[row] = True
                continue
            answers[row].append(token)
            if len(answers[row]) < limits[row]:
                going.append(place)
        if not going:
            break
        if len(going) <= _LEAVE * len(rows):
            kept = torch.tensor(going, device=ids.device)
            cache.batch_select_indices(kept)
            mask, places, picked = mask[kept], places[kept], picked[kept]
            rows = [rows[place] for place in going]
        ids, begin, end = picked[:, None], end, end + 1
    return [Written(answer, done) for answer, done in zip(answers, ended, strict=True)]


def _open(model: PreTrainedModel, beginning: Beginning | None, rows: int, room: int) -> Cache:
    if not is_plain(model):
        return DynamicCache(config=model.config)
    return (beginning or Beginning(model, [])).open(model, rows, room)


def pads(model: PreTrainedModel, tolerance: float) -> bool:
    """True when padding on the left leaves what the model says alone."""
    alone = [3, 7, 4]
    batch = torch.tensor([[0, 0, *alone], [5, 6, 8, 9, 4]], device=model.device)
    mask = torch.tensor([[0, 0, 1, 1, 1], [1] * 5], device=model.device)
    places = (mask.cumsum(-1) - 1).clamp(min=0)
    with torch.inference_mode():
        plain = model(input_ids=torch.tensor([alone], device=model.device)).logits[0, -1].float()
        padded = model(input_ids=batch, attention_mask=mask, position_ids=places).logits[0, -1].float()
    return bool((plain - padded).abs().max() <= tolerance * float(plain.abs().max()))
