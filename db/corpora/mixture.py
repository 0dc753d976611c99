"""How much of which source goes into a mixture, worked out from counts before a row is converted.

Caps, weights and negatives shape what is trained on: the train rows, and those of sources that name no split.
Validation and test rows are measured on, so they come whole unless a part leaves their split out.

With a total the sources share it as in examples-proportional mixing with a temperature (Raffel et al. 2020,
section 3.5.2): in proportion to weight x rows ^ (1 / temperature), where a cap stands for their limit K. A
source that has too little gives what it has, and the others share the rest. No row is ever taken twice.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from db.enums import Split

Home = Split | None  # the split that a source put a row into; None: it names none
HOMES: tuple[Home, ...] = (*Split, None)
TRAINED_ON: tuple[Home, ...] = (Split.TRAIN, None)


@dataclass(frozen=True)
class Part:
    """What one source gives. Raises ValueError naming the field."""

    source: str
    rows: int | None = None  # train rows wanted, and the most that are taken; None: all
    weight: float = 1.0  # its pull where the mixture has a total
    negatives: float | None = None  # rows with nothing to find for each one with something; None: all
    splits: tuple[Split, ...] = tuple(Split)  # the source's own splits that come along

    def __post_init__(self) -> None:
        object.__setattr__(self, "splits", tuple(Split(split) for split in self.splits))
        if not self.source.strip():
            raise ValueError("mixture: a part names no source; give each the name of a source.")
        if self.rows is not None and (type(self.rows) is not int or self.rows < 0):
            raise ValueError(f"rows: {self.rows} for {self.source} cannot be; give a whole number, or none.")
        if not _is_number(self.weight) or not 0 < self.weight <= 1000:
            raise ValueError(f"weight: {self.weight} for {self.source} cannot be; give above 0, to 1,000.")
        if self.negatives is not None and not (_is_number(self.negatives) and self.negatives >= 0):
            raise ValueError(
                f"negatives: {self.negatives} for {self.source} is no ratio; give 0 or more, such as 1."
            )
        if not self.splits:
            raise ValueError(f"splits: none is chosen for {self.source}; choose train at least.")


@dataclass(frozen=True)
class Mixture:
    """Which sources and how much of each. Raises ValueError naming the field."""

    parts: tuple[Part, ...]
    total: int | None = None  # train rows in all; None: each source gives its own number
    temperature: float = 1.0  # 1: by size; higher: nearer to equal shares
    seed: int = 0

    def __post_init__(self) -> None:
        names = [part.source for part in self.parts]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise ValueError(f"mixture: {twice} is named twice; give each source one part.")
        if self.total is not None and (type(self.total) is not int or self.total < 1):
            raise ValueError(f"total: {self.total} cannot be; give a whole number of rows, or none.")
        if not _is_number(self.temperature) or not 1 <= self.temperature <= 100:
            raise ValueError(f"temperature: {self.temperature} cannot be; give a number from 1 to 100.")
        if type(self.seed) is not int or not 0 <= self.seed < 2**31:
            raise ValueError(f"seed: {self.seed} cannot be; give a whole number from 0.")

    def part(self, source: str) -> Part:
        """The part of a source; one that the mixture does not name gives all it has."""
        return next((part for part in self.parts if part.source == source), Part(source))


@dataclass(frozen=True)
class Count:
    """Rows of a source in one split: with something to find, and with nothing (see `drawing.is_negative`)."""

    positive: int
    negative: int = 0

    @property
    def total(self) -> int:
        return self.positive + self.negative


Counts = Mapping[str, Mapping[Home, Count]]


@dataclass(frozen=True)
class Planned:
    """What a source has, and what the mixture takes of it."""

    source: str
    available: dict[Home, Count]
    wanted: int | None  # train rows that the part asks for
    train: int  # rows taken to train on
    negatives_left_out: int  # to train on
    measured: dict[Home, int] = field(default_factory=dict)  # validation and test rows, which come whole
    is_missing: bool = False  # nothing was brought for it

    @property
    def rows(self) -> int:
        """All rows taken, those to measure on included."""
        return self.train + sum(self.measured.values())

    @property
    def short_by(self) -> int:
        return max(0, (self.wanted or 0) - self.train)


@dataclass(frozen=True)
class Plan:
    """What a mixture would take, source by source, in the mixture's order."""

    sources: tuple[Planned, ...]
    total: int | None

    @property
    def train(self) -> int:
        return sum(each.train for each in self.sources)

    @property
    def rows(self) -> int:
        return sum(each.rows for each in self.sources)

    @property
    def missing(self) -> tuple[str, ...]:
        """The sources that somebody still has to bring."""
        return tuple(each.source for each in self.sources if each.is_missing)

    @property
    def short_by(self) -> int:
        """Train rows missing from the total, or without one from what the parts ask for."""
        if self.total is not None:
            return max(0, self.total - self.train)
        return sum(each.short_by for each in self.sources)

    def of(self, source: str) -> Planned:
        """Raises LookupError when the plan has no such source."""
        for each in self.sources:
            if each.source == source:
                return each
        raise LookupError(f"The plan has no source named {source}.")


def plan(mixture: Mixture, counts: Counts) -> Plan:
    """What each source would give, and how much it is short of what is asked.

    `counts` are of the sources that are there; the mixture's others are planned as missing, and sources that
    the mixture does not name come last and give all they have.
    """
    names = list(dict.fromkeys([*(part.source for part in mixture.parts), *counts]))
    parts = {name: mixture.part(name) for name in names}
    pools = {name: trainable(parts[name], counts.get(name, {})) for name in names}
    limits = {name: _limit(parts[name], pools[name].total) for name in names}
    taken = limits if mixture.total is None else _shared(mixture, parts, limits)
    return Plan(
        tuple(_planned(parts[name], counts, pools[name], taken[name]) for name in names), mixture.total
    )


def trainable(part: Part, counts: Mapping[Home, Count]) -> Count:
    """The rows of a source that may be trained on: its chosen splits, negatives up to the part's ratio."""
    homes = [home for home in TRAINED_ON if comes_along(part, home)]
    positive = sum(counts[home].positive for home in homes if home in counts)
    negative = sum(counts[home].negative for home in homes if home in counts)
    if part.negatives is not None:
        negative = min(negative, round(positive * part.negatives))
    return Count(positive, negative)


def comes_along(part: Part, home: Home) -> bool:
    """Whether rows of that split are taken at all; those that name none go with train."""
    return (home or Split.TRAIN) in part.splits


def _limit(part: Part, available: int) -> int:
    return available if part.rows is None else min(part.rows, available)


def _planned(part: Part, counts: Counts, pool: Count, taken: int) -> Planned:
    available = dict(counts.get(part.source, {}))
    measured = {
        home: count.total
        for home, count in available.items()
        if home not in TRAINED_ON and comes_along(part, home)
    }
    negative = sum(
        available[home].negative for home in TRAINED_ON if home in available and comes_along(part, home)
    )
    return Planned(
        part.source,
        available,
        part.rows,
        taken,
        negative - pool.negative,
        measured,
        is_missing=part.source not in counts,
    )


def _shared(mixture: Mixture, parts: Mapping[str, Part], limits: Mapping[str, int]) -> dict[str, int]:
    """The total shared out by pull; who has too little gives all, and the others share what is left."""
    taken = dict.fromkeys(limits, 0)
    open_ = {name: _pull(parts[name], limits[name], mixture.temperature) for name in limits if limits[name]}
    left = min(mixture.total, sum(limits.values()))
    while open_ and left:
        pull = sum(open_.values())
        full = [name for name in open_ if left * open_[name] / pull >= limits[name]]
        if not full:
            taken.update(_rounded({name: left * open_[name] / pull for name in open_}, left))
            break
        for name in full:
            taken[name] = limits[name]
            left -= limits[name]
            del open_[name]
    return taken


def _pull(part: Part, rows: int, temperature: float) -> float:
    return part.weight * rows ** (1 / temperature)


def _rounded(exact: Mapping[str, float], total: int) -> dict[str, int]:
    """Whole numbers that sum up to the total: the largest remainders are rounded up, ties by name."""
    whole = {name: int(share) for name, share in exact.items()}
    by_remainder = sorted(exact, key=lambda name: (whole[name] - exact[name], name))
    for name in by_remainder[: total - sum(whole.values())]:
        whole[name] += 1
    return whole


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
