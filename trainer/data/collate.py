"""Examples to a batch: laid end to end without padding where the model takes that, padded where not.

Flattened, the rows share one line of tokens (1, T); position ids begin again at 0 with each row, and
attention keeps to its row (`trainer.models.attention`). The head runs only at positions whose next token
counts. The loss is the padded one to rounding: tests hold that.
"""

from collections.abc import Sequence
from itertools import chain

import torch

from trainer.data.encode import Example

IGNORED = -100

Batch = dict[str, torch.Tensor | list[int]]


class Padded:
    """Rows side by side, filled up with `pad_id` to the longest (B, T)."""

    def __init__(self, pad_id: int) -> None:
        self.pad_id = pad_id

    def __call__(self, examples: Sequence[Example]) -> Batch:
        return self.collate(examples)

    def collate(self, examples: Sequence[Example]) -> Batch:
        return pad(examples, self.pad_id)


class Flattened(Padded):
    """Rows end to end (1, T), for a model that attends by row."""

    def collate(self, examples: Sequence[Example]) -> Batch:
        return flatten(examples)


def pad(examples: Sequence[Example], pad_id: int) -> Batch:
    """input_ids, attention_mask, labels (B, T), right-padded; labels are IGNORED outside the answers."""
    width = max(len(example.ids) for example in examples)
    shape = (len(examples), width)
    input_ids, labels = torch.full(shape, pad_id), torch.full(shape, IGNORED)
    attention_mask = torch.zeros(shape, dtype=torch.long)
    for row, (ids, start) in enumerate(examples):
        input_ids[row, : len(ids)] = torch.tensor(ids)
        labels[row, start : len(ids)] = input_ids[row, start : len(ids)]
        attention_mask[row, : len(ids)] = 1
    return {"input_ids": input_ids, "attention_mask": attention_mask, "labels": labels}


def flatten(examples: Sequence[Example]) -> Batch:
    """input_ids, position_ids (1, T); logits_to_keep (K,); labels, shift_labels (1, K), already shifted.

    `row_lengths`, plain numbers, goes through the model's forward to its attention.
    """
    keep: list[int] = []
    begin = 0
    for ids, start in examples:
        keep += range(begin + start - 1, begin + len(ids) - 1)  # position p predicts token p + 1
        begin += len(ids)
    labels = torch.tensor([list(chain.from_iterable(ids[start:] for ids, start in examples))])
    return {
        "input_ids": torch.tensor([list(chain.from_iterable(ids for ids, _ in examples))]),
        "position_ids": torch.tensor([list(chain.from_iterable(range(len(ids)) for ids, _ in examples))]),
        "logits_to_keep": torch.tensor(keep),
        "labels": labels,
        "shift_labels": labels,
        "row_lengths": [len(ids) for ids, _ in examples],
    }


def to_device(batch: Batch, device: torch.device) -> Batch:
    """The batch with its tensors on `device`."""
    return {name: part.to(device) if torch.is_tensor(part) else part for name, part in batch.items()}
