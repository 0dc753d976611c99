"""What the answers of a batch come to, by slice and column: words, seconds, facts found, overlap, votes."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.orm import Session

from db import batches, expected
from db.enums import Choice
from db.expected import Fact
from db.tables import Answer, Comparison, Vote


class Show(StrEnum):
    """Which rows of a batch are wanted."""

    ALL = ""
    DIFFER = "differ"  # the answers are not the same text
    MISSING = "missing"  # a fact is missing in an answer
    APART = "apart"  # a fact is found on one side and missing on another
    CUT = "cut"  # an answer reached the longest allowed
    WAITING = "waiting"  # an answer is still to come


@dataclass(frozen=True)
class Row:
    """One row with what can be counted of it; `answers` and `facts` have a place for each column."""

    comparison: Comparison
    answers: tuple[Answer | None, ...]  # None while it is to come
    facts: tuple[tuple[Fact, ...], ...]
    overlap: tuple[float | None, ...]  # with the first column: 0 to 1

    @property
    def is_whole(self) -> bool:
        return None not in self.answers

    def shows(self, show: Show) -> bool:
        here = [answer for answer in self.answers if answer is not None]
        found = [tuple(fact.is_found for fact in facts) for facts in self.facts if facts]
        match show:
            case Show.ALL:
                return True
            case Show.DIFFER:
                return len({answer.text.strip() for answer in here}) > 1
            case Show.MISSING:
                return any(not all(flags) for flags in found)
            case Show.APART:
                return len(set(found)) > 1
            case Show.CUT:
                return any(answer.finish_reason == "length" for answer in here)
            case Show.WAITING:
                return not self.is_whole


@dataclass
class Column:
    """Sums over the answers of one side within a slice."""

    answers: int = 0
    words: int = 0
    timed: int = 0
    seconds: float = 0.0
    facts: int = 0
    found: int = 0
    compared: int = 0
    overlap: float = 0.0
    cut: int = 0
    preferred: int = 0  # votes

    def add(self, row: Row, position: int) -> None:
        answer = row.answers[position]
        if answer is None:
            return
        self.answers += 1
        self.words += len(answer.text.split())
        if (seconds := seconds_of(answer)) is not None:
            self.timed, self.seconds = self.timed + 1, self.seconds + seconds
        self.facts += len(row.facts[position])
        self.found += sum(fact.is_found for fact in row.facts[position])
        self.cut += answer.finish_reason == "length"
        if (overlap := row.overlap[position]) is not None:
            self.compared, self.overlap = self.compared + 1, self.overlap + overlap


@dataclass
class Slice:
    """The rows of one slice, or of the whole batch."""

    name: str
    columns: list[Column]
    rows: int = 0
    whole: int = 0  # with every answer
    votes: int = 0
    undecided: int = 0  # of the votes: ties, and both bad


@dataclass(frozen=True)
class Figures:
    """All rows of a batch and what they come to, slice by slice in the order of the file."""

    total: Slice
    slices: list[Slice]
    rows: list[Row] = field(repr=False)


def read(session: Session, job_id: int, columns: int) -> Figures:
    """The figures of a batch of so many columns. Reads every row of it."""
    rows = [row_of(comparison, columns) for comparison in batches.list_rows(session, job_id)]
    total = Slice("", [Column() for _ in range(columns)])
    slices: dict[str, Slice] = {}
    votes = _votes(session, job_id)
    for row in rows:
        name = row.comparison.slice
        part = slices.setdefault(name, Slice(name, [Column() for _ in range(columns)]))
        for each in (total, part):
            _add(each, row, votes.get(row.comparison.id, ()))
    return Figures(total, list(slices.values()), rows)


def row_of(comparison: Comparison, columns: int) -> Row:
    """A comparison of a batch, read."""
    by_position = {answer.position: answer for answer in comparison.answers}
    answers = tuple(by_position.get(position) for position in range(columns))
    # Texts that retention took hold no facts, which says nothing of the answer.
    facts = comparison.expected if comparison.emptied_at is None else []
    first = Counter(expected.normal(answers[0].text).split()) if answers[0] is not None else None
    return Row(
        comparison,
        answers,
        tuple(tuple(expected.check(facts, answer.text)) if answer else () for answer in answers),
        (None, *(_overlap(first, answer) for answer in answers[1:])),
    )


def chosen(
    rows: Iterable[Row], *, slice: str | None = None, show: Show = Show.ALL, words: str = ""
) -> list[Row]:
    """The rows of a slice (None: of all) that are to be shown and hold every word."""
    wanted = words.casefold().split()
    return [
        row
        for row in rows
        if (slice is None or row.comparison.slice == slice)
        and row.shows(show)
        and all(word in _searched(row) for word in wanted)
    ]


def overlap(one: str, other: str) -> float | None:
    """How far two texts have the same words, 0 to 1: twice those in common over those of both (Dice, 1945),
    repeated words counted as often. None where neither has any."""
    return _dice(Counter(expected.normal(one).split()), Counter(expected.normal(other).split()))


def seconds_of(answer: Answer) -> float | None:
    """How long an answer took; None where nobody measured it."""
    if answer.tokens and answer.tokens_per_second:
        return answer.tokens / answer.tokens_per_second
    return answer.provenance.get("seconds")


def _overlap(first: Counter[str] | None, answer: Answer | None) -> float | None:
    if first is None or answer is None:
        return None
    return _dice(first, Counter(expected.normal(answer.text).split()))


def _dice(one: Counter[str], other: Counter[str]) -> float | None:
    both = one.total() + other.total()
    return 2 * (one & other).total() / both if both else None


def _add(part: Slice, row: Row, votes: Sequence[tuple[Choice, int, int]]) -> None:
    part.rows += 1
    part.whole += row.is_whole
    for position, column in enumerate(part.columns):
        column.add(row, position)
    for choice, one, other in votes:
        part.votes += 1
        if choice in (Choice.ONE, Choice.OTHER):
            part.columns[one if choice is Choice.ONE else other].preferred += 1
        else:
            part.undecided += 1


def _votes(session: Session, job_id: int) -> Mapping[int, list[tuple[Choice, int, int]]]:
    """Comparison -> its votes as (choice, the column of the one, the column of the other)."""
    rows = select(Vote).join(Vote.comparison).where(Comparison.job_id == job_id).order_by(Vote.id)
    found: dict[int, list[tuple[Choice, int, int]]] = {}
    for vote in session.scalars(rows):
        found.setdefault(vote.comparison_id, []).append((vote.choice, vote.one.position, vote.other.position))
    return found


def _searched(row: Row) -> str:
    comparison = row.comparison
    texts = (comparison.key or "", comparison.slice, comparison.instruction, comparison.input)
    return " ".join((*texts, *(answer.text for answer in row.answers if answer))).casefold()
