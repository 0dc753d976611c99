"""Which seeds a call shows: drawn at random, and the same again from the run's seed and the call's number.

BioInstruct and Self-Instruct draw three at random for each prompt. Draws here come from SHA-256 rather than
from a library's generator, so that they are the same on every machine and in every version of Python.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import TypeVar

from db.content import Content

T = TypeVar("T")


@dataclass(frozen=True)
class Seed:
    """One version of a stored instruction, as it is shown to the model."""

    id: int
    version: int
    content: Content


def draw(
    seed: int, call: int, pool: Sequence[Seed], *, k: int = 3, by_category: bool = False
) -> tuple[Seed, ...]:
    """`k` different seeds of the pool for call number `call`; the order of the pool does not matter.

    With `by_category` they come from as many categories as there are, each category as often as any other
    over many calls, however many seeds it has. Raises ValueError naming the field.
    """
    if k < 1:
        raise ValueError(f"k: {k} seeds; show at least 1, 3 is usual.")
    if k > len(pool):
        raise ValueError(
            f"k: {k} seeds are more than the {len(pool)} to draw from; approve some or ask fewer."
        )
    ordered = sorted(pool, key=lambda one: one.id)
    numbers = _numbers(f"{seed}/{call}")
    if not by_category:
        return tuple(_shuffled(ordered, numbers, k))
    groups: dict[str, list[Seed]] = {}
    for one in ordered:
        groups.setdefault(one.content.category, []).append(one)
    return tuple(_in_turn([groups[name] for name in sorted(groups)], numbers, k))


def _in_turn(groups: list[list[Seed]], numbers: Iterator[int], k: int) -> list[Seed]:
    """One from each group, the groups in random order, and round again until there are `k`."""
    order = _shuffled(groups, numbers, len(groups))
    mixed = [_shuffled(group, numbers, min(k, len(group))) for group in order]
    turns = (group[turn] for turn in range(k) for group in mixed if turn < len(group))
    return [one for one, _ in zip(turns, range(k), strict=False)]


def _shuffled(items: Sequence[T], numbers: Iterator[int], count: int) -> list[T]:
    """The first `count` of a shuffle (Fisher and Yates), without copying the items."""
    moved: dict[int, int] = {}
    chosen = []
    for at in range(count):
        other = at + next(numbers) % (len(items) - at)
        chosen.append(items[moved.get(other, other)])
        moved[other] = moved.get(at, at)
    return chosen


def _numbers(name: str) -> Iterator[int]:
    """Numbers of 256 bits without end: so wide that a remainder favours none of a pool's places."""
    at = 0
    while True:
        yield int.from_bytes(sha256(f"{name}/{at}".encode()).digest(), "big")
        at += 1
