"""Rows in batches of like length, by the tokens a batch may hold; a batch too large for the GPU is halved."""

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

import torch
from transformers import PreTrainedModel

logger = logging.getLogger("trainer")

CPU_TOKENS = 3_072  # measured on the starter: 1,024 to 4,096 are alike, more is slower
_MOST_TOKENS = 262_144
_MOST_ROWS = 512
_SHARE = 0.5  # of the memory that is free once the model is there; the rest is for what was not reckoned

T = TypeVar("T")


@dataclass
class Budget:
    """Tokens in one batch, padding included. It shrinks when memory runs out, and stays so."""

    tokens: int

    def rows(self, tokens: int) -> int:
        """How many rows of that many tokens make a batch; at least one."""
        return max(1, min(_MOST_ROWS, self.tokens // max(1, tokens)))

    def halve(self, used: int) -> None:
        self.tokens = max(1, min(self.tokens, used) // 2)


def auto(model: PreTrainedModel) -> Budget:
    """What fits the device: on a GPU by its free memory, reckoned for a token's keys, values and sums."""
    if model.device.type != "cuda":
        return Budget(CPU_TOKENS)
    config = model.config.get_text_config(decoder=True)
    hidden = config.hidden_size
    heads = getattr(config, "num_key_value_heads", None) or config.num_attention_heads
    size = getattr(config, "head_dim", None) or hidden // config.num_attention_heads
    wide = getattr(config, "intermediate_size", None) or 4 * hidden
    kept = 2 * config.num_hidden_layers * heads * size
    passing = 6 * hidden + 3 * wide
    free, _ = torch.cuda.mem_get_info(model.device)
    return Budget(
        max(1_024, min(_MOST_TOKENS, int(_SHARE * free / (model.dtype.itemsize * (kept + passing)))))
    )


def each(
    lengths: Sequence[int], budget: Budget, work: Callable[[list[int]], T]
) -> Iterator[tuple[list[int], T]]:
    """Yield (row numbers, what `work` made of them), the longest rows first: what will not fit shows at once.

    A batch for which the GPU's memory ran out is tried again as two; a single row raises.
    """
    waiting = sorted(range(len(lengths)), key=lambda row: -lengths[row])
    while waiting:
        some = waiting[: budget.rows(lengths[waiting[0]])]
        try:
            made = work(some)
        except torch.cuda.OutOfMemoryError:
            if len(some) == 1:
                raise
            budget.halve(len(some) * lengths[some[0]])
            torch.cuda.empty_cache()
            logger.info("the GPU's memory ran out; going on with %d tokens a batch", budget.tokens)
            continue
        del waiting[: len(some)]
        yield some, made
