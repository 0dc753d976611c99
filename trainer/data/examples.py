"""Encoded rows: ids and where the answer begins, in flat arrays that may lie in files.

Two hundred thousand rows as Python lists take gigabytes; here a row becomes a list only while it is looked
at. It knows numpy, nothing of tokenizers, batches or where the arrays come from.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, overload

import numpy as np


class Example(NamedTuple):
    """`ids[answer_start:]` is the answer with its end token; `answer_start` is at least 1."""

    ids: list[int]
    answer_start: int


class Examples(Sequence[Example]):
    """N examples of T tokens in all: ids (T,), offsets (N + 1,), starts (N,); arrays or memory maps."""

    def __init__(self, ids: np.ndarray, offsets: np.ndarray, starts: np.ndarray) -> None:
        self.ids, self.offsets, self.starts = ids, offsets, starts

    @classmethod
    def of(cls, examples: Iterable[Example]) -> "Examples":
        """The same rows, gathered from a list."""
        rows = list(examples)
        offsets = np.cumsum([0, *(len(row.ids) for row in rows)], dtype=np.int64)
        ids = np.fromiter((id for row in rows for id in row.ids), dtype=np.int32, count=offsets[-1])
        return cls(ids, offsets, np.array([row.answer_start for row in rows], dtype=np.int32))

    def __len__(self) -> int:
        return len(self.starts)

    @overload
    def __getitem__(self, index: int) -> Example: ...

    @overload
    def __getitem__(self, index: slice) -> list[Example]: ...

    def __getitem__(self, index):
        if isinstance(index, slice):
            return [self[at] for at in range(*index.indices(len(self)))]
        at = range(len(self))[index]  # from the end where it is negative; IndexError behind it
        begin, end = self.offsets[at], self.offsets[at + 1]
        return Example(self.ids[begin:end].tolist(), int(self.starts[at]))

    @property
    def lengths(self) -> np.ndarray:
        """Tokens of each example (N,)."""
        return np.diff(self.offsets)

    @property
    def labelled(self) -> np.ndarray:
        """Tokens of each example's answer (N,)."""
        return self.lengths - self.starts


@dataclass(frozen=True)
class Encoded:
    """The rows of a split that can be trained on, and what became of the others.

    `lengths` (tokens before any cut, 0 without an answer) and `questions` (64-bit digests of the normalised
    questions) belong to the R rows of the split; `positions` tells of the N examples which row each is.
    """

    examples: Examples
    lengths: np.ndarray
    positions: np.ndarray
    questions: np.ndarray
    too_long: int = 0  # left out
    empty_answer: int = 0  # left out
    cut: int = 0  # kept without the end of their answer
    duplicates: int = 0  # kept, though an earlier row has the same question and answer
    endless: int = 0  # kept whole, and yet the template wrote no end token behind the answer

    @property
    def found(self) -> int:
        """Rows of the split, kept or not."""
        return len(self.lengths)

    @property
    def tokens(self) -> int:
        return len(self.examples.ids)

    @property
    def labelled_tokens(self) -> int:
        return int(self.examples.labelled.sum())

    @property
    def cut_tokens(self) -> int:
        """Tokens that the kept rows have lost."""
        return int((self.lengths[self.positions] - self.examples.lengths).sum())

    @property
    def longest(self) -> int:
        """Tokens of the longest example; 0 without any."""
        return int(self.examples.lengths.max(initial=0))
