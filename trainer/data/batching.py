"""Which rows go through the model together, and laid out how: the plan of a run's batches.

    padded   batches of random rows, filled up to the longest
    grouped  padded, of rows of like length, so that little is filled up
    flat     batches of random rows, laid end to end
    packed   lines filled with whole rows up to the longest row allowed; a batch is so many lines, end to end

Flat and packed need a model that keeps each row's attention to itself. In a packed run a batch holds several
times the rows, so an epoch has fewer steps, and the learning rate means another thing: the report says so.

An epoch's order comes from its number and the seed alone, so a run that goes on finds its rows again, and
every process knows the batches of all (`trainer.sharing` deals them out). The first epoch begins with its
largest batch: what would not fit in memory shows at once.
"""

from bisect import bisect_left, insort
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import ceil

import numpy as np

from db.train_spec import TrainSpec
from trainer.data.collate import Flattened, Padded
from trainer.data.examples import Example, Examples

Batches = list[list[int]]
BY_ROW = ("flat", "packed")
MAY_BE_BY_ROW = ("auto", *BY_ROW)
_WINDOW = 50  # batches of random rows among which like lengths are sought
_PACKED_TOGETHER = 4096  # random rows that share lines


@dataclass(frozen=True)
class Plan:
    """`batches_of(epoch)` are the row numbers of every batch, `batches` of them in each epoch."""

    layout: str  # padded, grouped, flat or packed
    batches_of: Callable[[int], Batches]
    batches: int
    lengths: np.ndarray  # tokens of each row (N,)

    @property
    def rows_a_batch(self) -> float:
        """On average."""
        return len(self.lengths) / self.batches

    @property
    def fill(self) -> float:
        """Share of the positions that go through the model which hold a token, no padding (first epoch)."""
        if self.layout in BY_ROW:
            return 1.0
        taken = sum(len(batch) * int(self.lengths[batch].max()) for batch in self.batches_of(0))
        return float(self.lengths.sum() / taken)

    def steps(self, spec: TrainSpec) -> int:
        """Optimizer steps of the whole run, as the Trainer counts them."""
        a_process = ceil(self.batches / (spec.processes * spec.machines))
        return spec.max_steps or ceil(spec.epochs * ceil(a_process / spec.accumulation))

    def rows_a_step(self, spec: TrainSpec) -> float:
        """Rows behind one optimizer step, on average: the effective batch size."""
        a_step = self.rows_a_batch * spec.accumulation * spec.processes * spec.machines
        return min(a_step, len(self.lengths))


def choose(asked: str, takes_rows: bool) -> str:
    """What `auto` comes to. Raises ValueError when the model cannot take what was asked for."""
    if asked == "auto":
        return "flat" if takes_rows else "grouped"
    if asked in BY_ROW and not takes_rows:
        raise ValueError(
            f"batching: this base model cannot take rows end to end, which {asked} needs; "
            "choose grouped or auto."
        )
    return asked


def collator(layout: str, pad_id: int) -> Padded:
    """What makes a layout's batches out of rows."""
    return (Flattened if layout in BY_ROW else Padded)(pad_id)


def plan(spec: TrainSpec, layout: str, examples: Examples) -> Plan:
    """The batches of a run over `examples` in the chosen layout."""
    lengths = examples.lengths
    packed = pack(lengths, spec.max_length, spec.seed) if layout == "packed" else []

    def batches_of(epoch: int) -> Batches:
        draw = np.random.default_rng([spec.seed, epoch])
        if layout == "grouped":
            batches = _grouped(lengths, spec.batch_size, draw)
        elif layout == "packed":
            lines = _chunks(draw.permutation(len(packed)).tolist(), spec.batch_size)
            batches = [[row for line in some for row in packed[line]] for some in lines]
        else:
            batches = _chunks(draw.permutation(len(lengths)).tolist(), spec.batch_size)
        return _largest_first(batches, lengths, is_padded=layout not in BY_ROW) if epoch == 0 else batches

    return Plan(layout, batches_of, ceil(len(packed or lengths) / spec.batch_size), lengths)


def pack(lengths: Sequence[int] | np.ndarray, room: int, seed: int) -> Batches:
    """Row numbers in lines of at most `room` tokens; no row is cut, lost or repeated.

    Best fit, longest first (Johnson, 1973), among a few thousand random rows at a time: what shares a line is
    chance enough, and lines are left all but full. Raises ValueError for a row longer than `room`.
    """
    if len(lengths) and max(lengths) > room:
        raise ValueError(f"max length: a row of {max(lengths)} tokens does not fit a line of {room}.")
    order = np.random.default_rng(seed).permutation(len(lengths))
    return [
        line
        for begin in range(0, len(order), _PACKED_TOGETHER)
        for line in _best_fit(order[begin : begin + _PACKED_TOGETHER].tolist(), lengths, room)
    ]


def of_like_length(examples: Examples, size: int) -> Iterator[list[Example]]:
    """All examples, longest first, `size` at a time: for a look at the loss, where order does not matter."""
    order = np.argsort(-examples.lengths, kind="stable").tolist()
    for rows in _chunks(order, size):
        yield [examples[row] for row in rows]


def _best_fit(rows: list[int], lengths: Sequence[int] | np.ndarray, room: int) -> Batches:
    lines: Batches = []
    spaces: list[tuple[int, int]] = []  # what is left of a line, and which one; the tightest first
    for row in sorted(rows, key=lambda row: -lengths[row]):
        length = int(lengths[row])
        tightest = bisect_left(spaces, (length, 0))
        if tightest < len(spaces):
            space, line = spaces.pop(tightest)
            lines[line].append(row)
        else:
            space, line = room, len(lines)
            lines.append([row])
        if space > length:
            insort(spaces, (space - length, line))
    return lines


def _grouped(lengths: np.ndarray, size: int, draw: np.random.Generator) -> Batches:
    batches: Batches = []
    for window in _chunks(draw.permutation(len(lengths)).tolist(), size * _WINDOW):
        batches += _chunks(sorted(window, key=lambda row: -lengths[row]), size)
    return [batches[at] for at in draw.permutation(len(batches))]


def _chunks(rows: list[int], size: int) -> Batches:
    return [rows[begin : begin + size] for begin in range(0, len(rows), size)]


def _largest_first(batches: Batches, lengths: np.ndarray, *, is_padded: bool) -> Batches:
    """The batches with the one of most positions in front."""

    def positions(at: int) -> int:
        of_batch = lengths[batches[at]]
        return int(of_batch.max() * len(of_batch) if is_padded else of_batch.sum())

    largest = max(range(len(batches)), key=positions, default=0)
    return batches[largest : largest + 1] + batches[:largest] + batches[largest + 1 :]
