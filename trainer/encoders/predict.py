"""What a tuned encoder says of rows, as the answers that the task's form writes."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import torch
from transformers import PreTrainedModel

from db.corpora.forms import OutputForm
from db.corpora.schema import Row
from db.encoder_heads import TOKENS, Head
from trainer.data.collate import to_device
from trainer.encoders.encode import Collator, Piece, Pieces
from trainer.encoders.heads import OUTSIDE, read_tags, say_labels, say_mentions, tags_of, words_of
from trainer.models import precision

_ENOUGH = 0.5  # the probability from which one label of several is said


def answers(
    model: PreTrainedModel,
    rows: Sequence[Row],
    pieces: Pieces,
    form: OutputForm,
    head: Head,
    *,
    collator: Collator,
    size: int,
    dtype: torch.dtype,
    tell: Callable[[int, int], None] = lambda done, total: None,
) -> list[str]:
    """One answer a row, in the order of `rows`; `tell` hears (pieces done, pieces in all).

    The longest pieces go first and together, so that little is padding. Draws no random number.
    """
    said: dict[int, dict[int, int]] = {}  # row -> word -> number of its tag
    chosen: dict[int, tuple[str, ...]] = {}
    done = 0
    for batch, logits in _logits(model, pieces, collator=collator, size=size, dtype=dtype):
        for piece, scores in zip(batch, logits, strict=True):
            if head.kind == TOKENS:
                best = scores.argmax(axis=-1)
                said.setdefault(piece.row, {}).update((word, int(best[at])) for at, word in piece.asked)
            else:
                chosen[piece.row] = _labels(scores, head)
        done += len(batch)
        tell(done, len(pieces))
    if head.kind != TOKENS:
        return [say_labels(row, chosen[at], form) for at, row in enumerate(rows)]
    names = tags_of(head)
    tagged = [_tags(said.get(at, {}), len(words_of(row)), names) for at, row in enumerate(rows)]
    return [say_mentions(row, read_tags(row, tags), form) for row, tags in zip(rows, tagged, strict=True)]


@torch.no_grad()
def _logits(
    model: PreTrainedModel, pieces: Pieces, *, collator: Collator, size: int, dtype: torch.dtype
) -> Iterator[tuple[list[Piece], np.ndarray]]:
    """Batches of pieces with their logits, (B, T, tags) or (B, labels)."""
    was_training, device = model.training, model.device
    model.eval()
    order = np.argsort(-pieces.lengths, kind="stable").tolist()
    for begin in range(0, len(order), size):
        batch = [pieces[at] for at in order[begin : begin + size]]
        inputs = collator(batch)
        inputs.pop("labels", None)  # there are some where training rows are looked at
        with precision.autocast(device, dtype):
            logits = model(**to_device(inputs, device)).logits
        yield batch, logits.float().cpu().numpy()
    model.train(was_training)


def _labels(scores: np.ndarray, head: Head) -> tuple[str, ...]:
    if not head.takes_several:
        return (head.labels[int(scores.argmax())],)
    likely = 1 / (1 + np.exp(-scores)) > _ENOUGH
    return tuple(name for name, is_likely in zip(head.labels, likely, strict=True) if is_likely)


def _tags(said: dict[int, int], words: int, names: Sequence[str]) -> tuple[str, ...]:
    """A word of signs that the tokenizer drops has no tag said of it, and is outside."""
    return tuple(names[said[word]] if word in said else OUTSIDE for word in range(words))
