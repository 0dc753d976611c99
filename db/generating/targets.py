"""What kinds of record a call asks for, so that a run comes to the shares that its curator wants."""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from itertools import accumulate
from math import isfinite

from db.enums import Category

_GOLDEN = 0x9E3779B97F4A7C15  # 2**64 / golden ratio: its multiples fall evenly into [0, 2**64)
_WHOLE = 2**64


@dataclass(frozen=True)
class Target:
    """So many of the records asked for are to be of this kind. Raises ValueError naming the field."""

    count: int
    category: Category | None = None
    task: str = ""
    specialty: str = ""

    def __post_init__(self) -> None:
        if self.count < 1:
            raise ValueError(f"count: {self.count} records; a target asks for at least 1.")
        if self.category is not None:
            if self.category not in list(Category):
                raise ValueError(f"category: {self.category} is not one of {', '.join(Category)}.")
            object.__setattr__(self, "category", Category(self.category))
        if not (self.category or self.task or self.specialty):
            raise ValueError("category: say what the records are to be: a category, a task or a specialty.")

    def __str__(self) -> str:
        parts = [
            f"category {self.category}" if self.category else "",
            f"task {self.task}" if self.task else "",
            f"specialty {self.specialty}" if self.specialty else "",
        ]
        return f"{self.count} of {', '.join(filter(None, parts))}"


def read_shares(text: str) -> dict[Category, float]:
    """Shares as a person writes them, such as "QA 23, IE 34, GEN 33, OTHER 10"; none for an empty text.

    Raises ValueError naming the field.
    """
    shares: dict[Category, float] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        name, _, number = part.replace(":", " ").replace("=", " ").partition(" ")
        try:
            category, share = Category(name.upper()), float(number.strip().rstrip("%"))
        except ValueError:
            raise ValueError(f"shares: {part[:40]!r} is none; write them as QA 23, IE 34, GEN 33.") from None
        if category in shares:
            raise ValueError(f"shares: {category} stands there twice; give each category one share.")
        if not isfinite(share) or share < 0:
            raise ValueError(f"shares: {part[:40]} cannot be; give 0 or more.")
        shares[category] = share
    if shares and not sum(shares.values()):
        raise ValueError("shares: every share is 0; give at least one category more, or leave it empty.")
    return shares


def targets_of(seed: int, call: int, n: int, shares: Mapping[Category, float]) -> tuple[Target, ...]:
    """The categories of the `n` records of call number `call`, from the shares wanted of the whole run.

    Pure, as draws are. Shares are weights and need not add up to 1. Over a run of 25,000 each category comes
    to its share within ten records. Raises ValueError.
    """
    weights = {Category(name): shares[name] for name in sorted(shares)}
    for name, weight in weights.items():
        if isinstance(weight, bool) or not isfinite(weight) or weight < 0:
            raise ValueError(f"targets: {weight} is no share for {name}; give 0 or more.")
    total = sum(weights.values())
    if not total:
        raise ValueError("targets: every share is 0; give at least one category a share.")
    start = int.from_bytes(sha256(f"targets/{seed}".encode()).digest()[:8], "big")
    counts = dict.fromkeys(weights, 0)
    ends = dict(zip(weights, accumulate(weights.values()), strict=True))
    for slot in range(call * n, call * n + n):
        point = (start + slot * _GOLDEN) % _WHOLE / _WHOLE * total
        reached = (name for name, end in ends.items() if point < end)
        counts[next(reached, max(weights, key=lambda name: weights[name]))] += 1
    return tuple(Target(count, name) for name, count in counts.items() if count)
