"""What passes from the reading of corpora to the storing of instructions: batches of rows with a tally."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from db.content import Content
from db.enums import Provenance, Split
from db.privacy import Flag

BATCH_ROWS = 1_000  # kept rows: stored in half a second, and others wait for the lock no longer
BATCH_CHARACTERS = 1_000_000  # what is stored is also indexed word by word
BATCH_READ = 20_000  # rows read, kept or not, before the next sign of life


@dataclass(frozen=True)
class Converted:
    """One row as an instruction, with where it came from."""

    number: int
    content: Content
    source: str
    document_id: str
    row_id: str
    split: Split | None
    template: str
    template_version: str
    wording: int
    licence: str = ""
    is_restricted: bool = False
    provenance: Provenance = Provenance.NATIVE
    flags: tuple[Flag, ...] = ()


@dataclass(frozen=True)
class Fault:
    """A row that became no instruction, and why. Its text is not repeated."""

    source: str
    number: int
    row_id: str
    sentence: str


Tally = dict[str, dict[str, int]]
"""Source -> what became of its rows: read, left_out, faulty, copies_within, copies_across, copies_stored,
stored, and how many of the stored are flagged."""


@dataclass(frozen=True)
class Batch:
    """The rows numbered `first` to `last`: those that became instructions, and what became of the others."""

    first: int
    last: int
    rows: tuple[Converted, ...] = ()
    faults: tuple[Fault, ...] = ()
    tally: Tally = field(default_factory=dict)

    def keeping(self, rows: Iterable[Converted], others: Iterable[tuple[str, str]]) -> "Batch":
        """With these rows to store; `others` are (source, what became of it), one for each that is not."""
        kept, tally = tuple(rows), {source: dict(counts) for source, counts in self.tally.items()}
        for row in kept:
            count(tally, row.source, "stored")
            if row.flags:
                count(tally, row.source, "flagged")
        for source, what in others:
            count(tally, source, what)
        return replace(self, rows=kept, tally=tally)


@dataclass
class OpenBatch:
    """A batch that still takes rows."""

    first: int
    last: int = 0
    rows: list[Converted] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    tally: Tally = field(default_factory=dict)
    characters: int = 0

    def read(self, source: str, number: int) -> None:
        self.last = number
        count(self.tally, source, "read")

    def add(self, row: Converted) -> None:
        self.rows.append(row)
        content = row.content
        self.characters += len(content.instruction) + len(content.input) + len(content.output)

    @property
    def is_full(self) -> bool:
        return (
            len(self.rows) >= BATCH_ROWS
            or self.characters >= BATCH_CHARACTERS
            or self.last - self.first >= BATCH_READ
        )

    def close(self) -> Batch:
        return Batch(self.first, self.last, tuple(self.rows), tuple(self.faults), self.tally)


def count(tally: Tally, source: str, what: str) -> None:
    """Add one row to the tally."""
    counts = tally.setdefault(source, {})
    counts[what] = counts.get(what, 0) + 1
