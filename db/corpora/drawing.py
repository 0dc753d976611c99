"""Which rows of each source a mixture takes: drawn by a hash of seed and row, so that no order enters it.

A row's number comes from the seed, its source and its id alone; a source's smallest numbers are taken. The
same file sorted otherwise, or cut into two, gives the same rows; a larger cap adds rows and takes none away.
Two passes: a census of all rows (8 bytes each), then each row is asked whether it is taken.
"""

from array import array
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from hashlib import blake2b

from db.corpora.mixture import TRAINED_ON, Count, Home, Mixture, Plan, comes_along, plan, trainable
from db.corpora.schema import KbRow, Row, TextRow

NO_RELATION = frozenset(
    ("", "0", "false", "na", "n/a", "neg", "negative", "no", "none", "no relation", "norelation", "not")
)
_ALL = 2**64


def drawn_number(*parts: object) -> int:
    """64 bits that hang on these parts alone: the same in every order and on every machine."""
    return int.from_bytes(blake2b("\0".join(map(str, parts)).encode(), digest_size=8).digest(), "big")


def row_number(seed: int, source: str, row_id: str) -> int:
    """A row's place in the draw. Rows of a source with one id are drawn together."""
    return drawn_number(seed, source, row_id)


def is_negative(row: Row, task: str = "", no_relation: Collection[str] = NO_RELATION) -> bool:
    """Whether the row has nothing to find: no mention, no label, no relation or one that says so."""
    if isinstance(row, TextRow):
        return not row.labels
    if not isinstance(row, KbRow):
        return False
    if row.relations:
        return all(_plain(relation.type) in no_relation for relation in row.relations)
    return "relation" in task or task == "re" or not row.entities


@dataclass
class _Pool:
    """The numbers of a source's rows in one split."""

    positive: array = field(default_factory=lambda: array("Q"))
    negative: array = field(default_factory=lambda: array("Q"))


class Census:
    """One look at every row of every source: how many there are, and their places in the draw."""

    def __init__(self, mixture: Mixture) -> None:
        self._mixture = mixture
        self._pools: dict[str, dict[Home, _Pool]] = {}

    def open(self, source: str) -> None:
        """Note that a source is there, though it may turn out to be empty."""
        self._pools.setdefault(source, {})

    def add(self, source: str, row_id: str, home: Home, negative: bool) -> None:
        pool = self._pools.setdefault(source, {}).setdefault(home, _Pool())
        (pool.negative if negative else pool.positive).append(row_number(self._mixture.seed, source, row_id))

    @property
    def counts(self) -> dict[str, dict[Home, Count]]:
        return {
            source: {home: Count(len(pool.positive), len(pool.negative)) for home, pool in pools.items()}
            for source, pools in self._pools.items()
        }

    def draw(self) -> "Draw":
        planned = plan(self._mixture, self.counts)
        bounds = {
            source: self._bounds(source, pools, planned.of(source).train)
            for source, pools in self._pools.items()
        }
        return Draw(self._mixture, planned, bounds)

    def _bounds(self, source: str, pools: Mapping[Home, _Pool], wanted: int) -> tuple[int, int]:
        """Below which number a row is taken, and a negative one: the part's ratio first, then its rows."""
        part = self._mixture.part(source)
        kept = trainable(part, self.counts[source])
        chosen = [pools[home] for home in TRAINED_ON if home in pools and comes_along(part, home)]
        positive = [number for pool in chosen for number in pool.positive]
        negative = sorted(number for pool in chosen for number in pool.negative)
        below_negative = _bound(negative, kept.negative)
        return _bound(sorted(positive + negative[: kept.negative]), wanted), below_negative


@dataclass(frozen=True)
class Draw:
    """A plan, and for each source the numbers below which a row, and a negative row, is taken."""

    mixture: Mixture
    plan: Plan
    bounds: Mapping[str, tuple[int, int]]

    def takes(self, source: str, row_id: str, home: Home, negative: bool) -> bool:
        if not comes_along(self.mixture.part(source), home):
            return False
        if home not in TRAINED_ON:
            return True
        below, below_negative = self.bounds[source]
        number = row_number(self.mixture.seed, source, row_id)
        return number < below and (not negative or number < below_negative)


def _bound(ordered: list[int], wanted: int) -> int:
    """The number below which `wanted` of the ordered numbers lie."""
    return _ALL if wanted >= len(ordered) else ordered[wanted]


def _plain(label: str) -> str:
    return " ".join(label.replace("_", " ").replace("-", " ").split()).casefold()
