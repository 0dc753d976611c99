"""Rubrics: what a judge looks at, with the ends of each scale in words; YAML files with a version each."""

import json
from dataclasses import asdict, dataclass
from functools import lru_cache
from hashlib import sha256
from pathlib import Path

import yaml

FOLDER = Path(__file__).parent / "rubrics"
GRADES = range(1, 6)  # the worst to the best


@dataclass(frozen=True)
class Criterion:
    """One thing to look at; `low` and `high` say what a 1 and a 5 are."""

    name: str
    question: str
    low: str
    high: str


@dataclass(frozen=True)
class Rubric:
    """What a judge goes by. `pair` says how to choose between two answers."""

    name: str
    version: int
    title: str
    use: str
    criteria: tuple[Criterion, ...]
    pair: str

    @property
    def label(self) -> str:
        return f"{self.name}@{self.version}"

    @property
    def hash(self) -> str:
        """SHA-256 of all its words: the same version with other words is another rubric."""
        return sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()


def get_rubric(named: str) -> Rubric:
    """`name` for its newest version, or `name@version`. Raises LookupError."""
    name, _, version = named.strip().partition("@")
    known = [rubric for rubric in list_rubrics() if rubric.name == name]
    found = [rubric for rubric in known if not version or str(rubric.version) == version]
    if not found:
        there = ", ".join(rubric.label for rubric in list_rubrics())
        raise LookupError(f"rubric: '{named[:80]}' is not one of {there}.")
    return max(found, key=lambda rubric: rubric.version)


@lru_cache(maxsize=1)
def list_rubrics() -> tuple[Rubric, ...]:
    """Every rubric in every version, by name and version."""
    found = [_read(path) for path in FOLDER.glob("*.yaml")]
    return tuple(sorted(found, key=lambda rubric: (rubric.name, rubric.version)))


def _read(path: Path) -> Rubric:
    values = yaml.safe_load(path.read_text(encoding="utf-8"))
    return Rubric(**{**values, "criteria": tuple(Criterion(**each) for each in values["criteria"])})
