"""Groups of rows that belong together, and splits that never tear a group apart.

Both depend on what the rows say and on the seed, never on their ids or their order.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import TypeVar

import numpy as np

from db.checks.near_index import NearIndex
from db.enums import Split

Thing = TypeVar("Thing")


@dataclass(frozen=True)
class Item:
    """A row as grouping and splitting see it."""

    key: str  # what the row is; equal keys are equal rows
    text: str  # by which it is near to others
    stratum: str  # what each split should hold its share of: the category
    families: tuple[Hashable, ...] = ()  # its document, its parent: who shares one belongs together


_TOLD_EVERY = 256  # items


def group_items(
    items: Sequence[Item], bound: float, tell: Callable[[str, int], object] = lambda phase, done: None
) -> list[int]:
    """The group of each item, numbered from 0. `tell` hears now and then the phase and how many are done.

    Items share a group when their texts are equal, when ROUGE-L F1 is above `bound`, when they share a
    family, and when a chain of such pairs joins them. Exact, however many there are.
    """
    index = NearIndex(_told((item.text for item in items), lambda at: tell("reading the texts", at)), bound)
    firsts: dict[Hashable, int] = {}
    groups = _Groups(len(items))
    asked = []  # of equal texts one is enough
    for position, item in enumerate(items):
        words = ("words", index.words(position) or item.text)
        if words not in firsts:
            asked.append(position)
        for mark in (words, *item.families):
            groups.join(firsts.setdefault(mark, position), position)
    for position in _told(asked, lambda at: tell("grouping near copies", asked[at])):
        for near, _ in index.near_behind(position, labels=groups.labels):
            groups.join(position, near)
    numbers: dict[int, int] = {}
    return [numbers.setdefault(group, len(numbers)) for group in groups.labels.tolist()]


def _told(things: Iterable[Thing], tell: Callable[[int], object]) -> Iterator[Thing]:
    for at, thing in enumerate(things):
        if at % _TOLD_EVERY == 0:
            tell(at)
        yield thing


def split_groups(
    items: Sequence[Item],
    groups: Sequence[int],
    shares: dict[Split, float],
    seed: int,
    given: Sequence[Split | None] = (),
) -> list[Split]:
    """The split of each item: whole groups, each category at its share as far as the groups allow.

    The largest groups are placed first, each where it overfills least; what is not in `shares` goes to train.
    Items with a `given` split keep it, and take along what shares a group with them: a group of which
    something is held out is held out. The shares are those of what is left.
    """
    given = given or [None] * len(items)
    chosen = _taken_along(groups, given)
    members: dict[int, list[Item]] = defaultdict(list)
    for item, group in zip(items, groups, strict=True):
        if group not in chosen:
            members[group].append(item)
    room = _room(Counter(item.stratum for held in members.values() for item in held), shares)
    wanted = {split: Counter(strata) for split, strata in room.items()}
    drawn = {group: shuffle_key(seed, min(item.key for item in held)) for group, held in members.items()}
    for group in sorted(members, key=lambda group: (-len(members[group]), drawn[group])):
        needs = Counter(item.stratum for item in members[group])
        split = min(room, key=lambda split: _misfit(needs, room[split], wanted[split]))
        room[split].subtract(needs)
        chosen[group] = split
    return [own or chosen[group] for own, group in zip(given, groups, strict=True)]


def _taken_along(groups: Sequence[int], given: Sequence[Split | None]) -> dict[int, Split]:
    """The split of each group that has items with a given one: test before validation before train."""
    order = (Split.TEST, Split.VALIDATION, Split.TRAIN)
    found: dict[int, Split] = {}
    for group, split in zip(groups, given, strict=True):
        if split is not None:
            found[group] = min(found.get(group, split), split, key=order.index)
    return found


def shuffle_key(seed: int, key: str) -> bytes:
    """Sorting by it shuffles: the same order for the same seed and content, whatever came first."""
    return sha256(f"{seed}\n{key}".encode()).digest()


def _room(sizes: Counter, shares: dict[Split, float]) -> dict[Split, Counter]:
    """How many items of each stratum each split should take. A split's total is its rounded share of all."""
    total, rest = sum(sizes.values()), Counter(sizes)
    room: dict[Split, Counter] = {Split.TRAIN: rest}
    for split, share in shares.items():
        if not share or split is Split.TRAIN:
            continue
        exact = {stratum: size * share for stratum, size in sizes.items()}
        room[split] = taken = Counter({stratum: int(part) for stratum, part in exact.items()})
        missing = round(total * share) - taken.total()
        # The largest remainders first; where two are equal, the larger stratum, then the name.
        by_remainder = sorted(sizes, key=lambda name: (int(exact[name]) - exact[name], -sizes[name], name))
        for stratum in [name for name in by_remainder if rest[name] > taken[name]][: max(0, missing)]:
            taken[stratum] += 1
        rest.subtract(taken)
    return room


def _misfit(needs: Counter, room: Counter, wanted: Counter) -> tuple[int, float]:
    """How badly a group fits into a split: rows over its room, then how full the split is already."""
    over = sum(max(0, need - max(0, room[stratum])) for stratum, need in needs.items())
    free = sum(need * room[stratum] / wanted[stratum] for stratum, need in needs.items() if wanted[stratum])
    return over, -free


class _Groups:
    """Positions in groups, each under the label of one of its own; the smaller group takes the larger's."""

    def __init__(self, size: int) -> None:
        self.labels = np.arange(size)
        self._members: dict[int, list[int]] = {}  # of groups of two and more

    def join(self, one: int, other: int) -> None:
        kept, given = int(self.labels[one]), int(self.labels[other])
        if kept == given:
            return
        mine, theirs = self._members.pop(kept, [kept]), self._members.pop(given, [given])
        if len(mine) < len(theirs):
            kept, mine, theirs = given, theirs, mine
        self.labels[theirs] = kept
        mine += theirs
        self._members[kept] = mine
