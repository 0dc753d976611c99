"""The fact table: drugs, genes, conditions and plain words, read from the text files in `table/`.

Textbook facts only, one a line, so that a clinician can check the table without reading code. It knows
nothing of sentences, models or splits. It is no reference work: a missing indication is not a contra-
indication.
"""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

TABLE = Path(__file__).parent / "table"


@dataclass(frozen=True)
class Drug:
    name: str
    kind: str
    """Pharmacological class, such as "beta blocker"."""
    treats: tuple[str, ...]
    effects: tuple[str, ...]
    """Adverse effects."""


@dataclass(frozen=True)
class Gene:
    symbol: str
    product: str
    diseases: tuple[str, ...]


@dataclass(frozen=True)
class Condition:
    name: str
    specialty: str
    findings: tuple[str, ...]
    tests: tuple[str, ...]
    plain: str
    """What a patient leaflet would say: "high blood pressure"."""


@dataclass(frozen=True)
class Facts:
    drugs: tuple[Drug, ...]
    genes: tuple[Gene, ...]
    conditions: tuple[Condition, ...]
    plain: dict[str, str]
    """Finding or adverse effect -> plain words."""

    def drugs_for(self, condition: str) -> list[Drug]:
        return [drug for drug in self.drugs if condition in drug.treats]


@cache
def load() -> Facts:
    """Read the four files. ValueError names the file and line of a row with the wrong number of columns."""
    return Facts(
        drugs=tuple(Drug(n, k, _many(t), _many(e)) for n, k, t, e in _rows("drugs.txt", 4)),
        genes=tuple(Gene(s, p, _many(d)) for s, p, d in _rows("genes.txt", 3)),
        conditions=tuple(
            Condition(n, s, _many(f), _many(t), p) for n, s, f, t, p in _rows("conditions.txt", 5)
        ),
        plain=dict(_rows("plain.txt", 2)),
    )


def _rows(name: str, columns: int) -> list[list[str]]:
    rows = []
    for number, line in enumerate((TABLE / name).read_text(encoding="utf-8").splitlines(), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        row = [cell.strip() for cell in line.split("|")]
        if len(row) != columns:
            raise ValueError(f"{name} line {number}: {columns} columns expected, {len(row)} found")
        rows.append(row)
    return rows


def _many(cell: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in cell.split(";"))
