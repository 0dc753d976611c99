"""Several texts that begin alike as one tree of tokens, each shared beginning there once.

The answers of a multiple-choice row share its question, and its cyclic orders share all but their lists. Read
as a tree (a token sees the tokens on its own way from the root, its position is its depth) they cost one
pass over what differs. It knows token ids alone; nothing of models.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Tree:
    """Token sequences laid over one another; their last tokens are only foretold, never fed.

    The nodes whose next token counts stand last, so that a model has to give logits for those alone.
    """

    tokens: np.ndarray  # (nodes,) int64
    depths: np.ndarray  # (nodes,) int64: tokens on the way from the root, itself not counted
    paths: tuple[np.ndarray, ...]  # of each sequence: its nodes from the root on
    counting: int  # how many nodes, the last ones, have a next token that counts
    targets: tuple[np.ndarray, ...]  # of each sequence: the tokens that count, in order

    def __len__(self) -> int:
        return len(self.tokens)

    def sees(self) -> np.ndarray:
        """(nodes, nodes) bool: node i sees node j, itself included."""
        seen = np.zeros((len(self), len(self)), bool)
        for path in self.paths:  # where two ways overlap, both say the same
            seen[np.ix_(path, path)] = np.tri(len(path), dtype=bool)
        return seen

    def foretelling(self, sequence: int) -> np.ndarray:
        """The nodes behind which the sequence's targets stand, counted within the last `counting` nodes."""
        path = self.paths[sequence][-len(self.targets[sequence]) :]
        return path - (len(self) - self.counting)


def grow(sequences: Sequence[Sequence[int]], starts: Sequence[int], skip: int = 0) -> Tree:
    """The tree of sequences whose tokens count from `starts[i]` on; 1 <= start < length, start > skip.

    The first `skip` tokens, the same in all, are left out: the model has read them already.
    """
    rows = [np.asarray(ids, np.int64) for ids in sequences]
    order = sorted(range(len(rows)), key=lambda at: sequences[at])  # neighbours share the most
    paths: list[np.ndarray] = [np.empty(0, np.int64)] * len(rows)
    tokens: list[np.ndarray] = []
    count, before, trail = 0, np.empty(0, np.int64), np.empty(0, np.int64)
    for at in order:
        fed = rows[at][skip:-1]
        shared = _common(before, fed)
        trail = np.concatenate([trail[:shared], np.arange(count, count + len(fed) - shared)])
        tokens.append(fed[shared:])
        count, before, paths[at] = count + len(fed) - shared, fed, trail
    targets = tuple(row[start:] for row, start in zip(rows, starts, strict=True))
    counts = np.zeros(count, bool)
    depths = np.zeros(count, np.int64)
    for path, target in zip(paths, targets, strict=True):
        counts[path[-len(target) :]] = True
        depths[path] = np.arange(len(path))
    last = np.argsort(counts, kind="stable")
    place = np.empty(count, np.int64)
    place[last] = np.arange(count)
    return Tree(
        tokens=np.concatenate(tokens)[last],
        depths=depths[last],
        paths=tuple(place[path] for path in paths),
        counting=int(counts.sum()),
        targets=targets,
    )


def _common(one: np.ndarray, other: np.ndarray) -> int:
    """How many leading tokens both share."""
    shortest = min(len(one), len(other))
    differ = np.flatnonzero(one[:shortest] != other[:shortest])
    return int(differ[0]) if len(differ) else shortest
