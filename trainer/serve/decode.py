"""The decoding loop: a row a side, a token a step, all rows in one batch or each in a pass of its own.

Why not `generate`: here each row ends by itself without raising inside the model, all rows share their dice,
a token leaves as soon as it is known, and no sampling default of the model's generation_config slips in.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from inspect import signature
from typing import Any, Protocol

import torch
from transformers import DynamicCache, PreTrainedModel
from transformers.cache_utils import DynamicLayer

from trainer.serve.rows import Only
from trainer.serve.sampling import Dice

# Tokens of a prompt from which a core a row is faster than one batch. Measured with 6 million parameters on
# two cores, two rows: 16 ms in a batch and 28 apart for 40 tokens, 30 and 39 for 110, 100 and 75 for 320.
_LONG = 200

Said = tuple[int, int | None, str | None]  # row, token id or None, finish reason or None


class Forward(Protocol):
    """What a step's logits come from."""

    def logits(self, open_rows: Sequence[int]) -> torch.Tensor:
        """(open rows, vocabulary), after all that was said so far."""

    def take(self, open_rows: Sequence[int], picked: torch.Tensor) -> None:
        """Go on from those token ids (open rows,)."""


class Together:
    """All rows in one batch on the same prompt, so nothing is padded.

    A row that has ended stays in the batch: what the others are told must not hang on when their neighbour
    fell silent, and in half precision the batch's shape shows in the last digits.

    Where `only` (of `rows.assigned`) and cores are given, each row reads a long prompt by itself, so many at
    a time: on one core a batch of two takes twice as long as one, and nobody hears anything meanwhile.
    """

    def __init__(
        self,
        model: PreTrainedModel,
        prompt_ids: Sequence[int],
        rows: int,
        *,
        only: Only | None = None,
        cores: int = 1,
    ) -> None:
        self._model, self._rows, self._only, self._cores = model, rows, only, min(cores, rows)
        self._batch = torch.tensor([list(prompt_ids)] * rows, device=model.device)  # (rows, tokens)
        self._last = self._batch[:, -1:]  # (rows, 1)
        self._past: Any = None

    def logits(self, open_rows: Sequence[int]) -> torch.Tensor:
        reads_apart = self._batch.shape[1] >= _LONG and self._cores > 1 and self._only is not None
        if self._past is None and reads_apart and _joins(self._model):
            logits, self._past = self._read_apart()
        else:
            logits, self._past = next_logits(self._model, self._batch, self._past)
        return logits if len(open_rows) == self._rows else logits[list(open_rows)]

    def take(self, open_rows: Sequence[int], picked: torch.Tensor) -> None:
        self._last = self._last.clone()
        self._last[list(open_rows), 0] = picked
        self._batch = self._last

    def _read_apart(self) -> tuple[torch.Tensor, DynamicCache]:
        def read(row: int) -> tuple[torch.Tensor, Any]:
            assert self._only is not None
            with self._only(row):
                return next_logits(self._model, self._batch[row : row + 1], None)

        with ThreadPoolExecutor(self._cores, "prompt", torch.set_num_threads, (1,)) as pool:
            logits, pasts = zip(*pool.map(read, range(self._rows)), strict=True)
        return torch.cat(logits), _joined(pasts)


class Alternating:
    """Each row in a pass and with a cache of its own, one step of each in turn; prompts may differ.

    `switch(row)` makes the model that row's.
    """

    def __init__(
        self, model: PreTrainedModel, prompts: Sequence[Sequence[int]], switch: Callable[[int], None]
    ) -> None:
        self._model, self._switch = model, switch
        self._batches = [torch.tensor([list(ids)], device=model.device) for ids in prompts]  # (1, tokens)
        self._pasts: list[Any] = [None] * len(prompts)

    def logits(self, open_rows: Sequence[int]) -> torch.Tensor:
        return torch.cat([self._step(row) for row in open_rows])

    def take(self, open_rows: Sequence[int], picked: torch.Tensor) -> None:
        for row, token in zip(open_rows, picked, strict=True):
            self._batches[row] = token.view(1, 1)

    def _step(self, row: int) -> torch.Tensor:
        self._switch(row)
        logits, self._pasts[row] = next_logits(self._model, self._batches[row], self._pasts[row])
        return logits


def decode(
    forward: Forward,
    rows: int,
    dice: Dice,
    *,
    max_tokens: int,
    end_ids: Collection[int],
    is_stopped: Callable[[int], bool],
) -> Iterator[list[Said]]:
    """Yield what each step says, as it comes.

    A row ends once: "stop" at an end token (which is not told), "length" with its `max_tokens`-th token,
    "cancelled" when `is_stopped(row)` turns true.
    """
    open_rows = list(range(rows))
    for step in range(1, max_tokens + 1):
        stopped = [row for row in open_rows if is_stopped(row)]
        if stopped:
            yield [(row, None, "cancelled") for row in stopped]
        open_rows = [row for row in open_rows if row not in stopped]
        if not open_rows:
            return
        picked = dice.pick(forward.logits(open_rows))
        forward.take(open_rows, picked)
        last = "length" if step == max_tokens else None
        said = list(zip(open_rows, picked.tolist(), strict=True))
        yield [(row, None, "stop") if token in end_ids else (row, token, last) for row, token in said]
        open_rows = [row for row, token in said if token not in end_ids]


def _joins(model: PreTrainedModel) -> bool:
    """Does it remember nothing but every token's keys and values, so that rows can be put together?"""
    layers = DynamicCache(config=model.config.get_text_config()).layers
    return bool(layers) and all(type(layer) is DynamicLayer for layer in layers)


@torch.inference_mode()
def _joined(pasts: Sequence[DynamicCache]) -> DynamicCache:
    """One cache of all rows."""
    whole = pasts[0]
    for number, layer in enumerate(whole.layers):
        layer.keys = torch.cat([past.layers[number].keys for past in pasts])
        layer.values = torch.cat([past.layers[number].values for past in pasts])
    return whole


@torch.inference_mode()
def next_logits(model: PreTrainedModel, batch: torch.Tensor, past) -> tuple[torch.Tensor, Any]:
    """Logits (rows, vocabulary) after the last token of `batch` (rows, tokens), and the grown cache."""
    last = {"logits_to_keep": 1} if "logits_to_keep" in signature(model.forward).parameters else {}
    output = model(input_ids=batch, past_key_values=past, use_cache=True, **last)
    return output.logits[:, -1], output.past_key_values
