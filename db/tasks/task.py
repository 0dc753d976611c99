"""What every task is: rows that are asked in one fixed way, and a rule for what an answer counts.

A task knows nothing of models, batches or the database. The loop that asks lives elsewhere, once.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Protocol

from db.corpora.schema import Row
from db.enums import Category


class TaskError(ValueError):
    """A task that cannot be asked: rows without answers, labels outside the set, a file of another kind."""


@dataclass(frozen=True)
class Asked:
    """One row as it is put to a model, and the right answer as a person reads it."""

    instruction: str
    input: str
    reference: str


@dataclass(frozen=True)
class Options:
    """A multiple-choice row in one order of its options, for scoring by likelihood.

    `continuations[i]` is what an answer that chooses the row's own option i would say in this order.
    """

    instruction: str
    input: str
    continuations: tuple[str, ...]


@dataclass(frozen=True)
class RowScore:
    """What one answer counts: `counts` are what measures add up over rows (see db.metrics.measures)."""

    score: float  # 0 to 1
    is_right: bool
    counts: dict[str, float]
    said: dict[str, Any] = field(default_factory=dict)  # what was read, as JSON; {"faults": [[kind, words]]}

    @property
    def has_faults(self) -> bool:
        return bool(self.said.get("faults"))


class Task(Protocol):
    """One task with its settings. Made by `db.tasks.make_task(name, settings)`."""

    name: ClassVar[str]
    title: ClassVar[str]
    category: ClassVar[Category]
    formats: ClassVar[
        tuple[str, ...]
    ]  # names of db.corpora.readers that give its rows; () for frozen versions
    measures: ClassVar[tuple[str, ...]]  # names of db.metrics.measures, the headline first
    max_tokens: ClassVar[int]  # an answer needs at most

    def read(self, path: Path, options: Mapping[str, object]) -> Iterator[Row]:
        """The rows of a file. Raises TaskError or CorpusError for a row that cannot be asked or scored."""
        ...

    def ask(self, row: Row) -> Asked:
        """How the row is put. Raises TaskError where it has no answer or a label outside the set."""
        ...

    def options(self, row: Row) -> Sequence[Options]:
        """The row in each cyclic order of its options, its own order first; empty for other kinds of task."""
        ...

    def score(self, row: Row, answer: str) -> RowScore:
        """What an answer counts. Never raises on any text."""
        ...

    def score_options(
        self, row: Row, likelihoods: Sequence[Sequence[float]], lengths: Sequence[Sequence[int]]
    ) -> RowScore:
        """By log-likelihood: `likelihoods[order][option]` in nats, and `lengths` in tokens."""
        ...

    def tables(self, rows: Sequence[RowScore]) -> dict[str, Any]:
        """What more there is to see than figures, as JSON, in whatever way the rows were scored.

        Always "faults" (kind -> times). Of choices "places" and "unread"; of labels "labels", "confusion",
        "majority" (and "paper" of relation codes); of mentions "types" and "errors". See db.tasks.scoring.
        """
        ...
