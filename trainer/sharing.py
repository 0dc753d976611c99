"""Which batches of an epoch are one process's to do (`trainer.data.batching` makes the batches)."""

from collections.abc import Callable, Iterator, Sequence
from itertools import chain

from trainer.models.processes import Processes

BatchesOf = Callable[[int], Sequence[Sequence[int]]]


class Share:
    """One process's batches of the epoch that was set last: a batch sampler, as torch calls it.

    Of every group of batches each process takes one, so a step sees the rows it would see in one process with
    the batch size of all together. What is left at the end is split, for all must do as many.
    """

    def __init__(self, batches_of: BatchesOf, processes: Processes) -> None:
        self._batches_of, self._processes = batches_of, processes
        self._epoch = 0
        self._length = -(-len(batches_of(0)) // processes.count)

    def set_epoch(self, epoch: int) -> None:
        self._epoch = epoch

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[Sequence[int]]:
        rank, count = self._processes.rank, self._processes.count
        batches = self._batches_of(self._epoch)
        whole = len(batches) // count * count
        yield from batches[rank:whole:count]
        if whole < len(batches):
            left = list(chain.from_iterable(batches[whole:]))
            yield left[rank::count] or left[:1]  # fewer rows than processes: the first is seen twice
