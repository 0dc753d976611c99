"""One vote as a verdict reads it, free of the database: who, on what, between which sides."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from db.enums import Choice


@dataclass(frozen=True)
class Ballot:
    """One rater's vote on two answers to one prompt.

    `one` and `other` are the titles of the sides. `rubric` holds {title of a side: {axis: value}}. Votes on
    one `prompt` are alike, and so are those of one `rater`: both are clusters. `comparison` tells apart the
    answers to a prompt that was asked more than once.
    """

    prompt: str
    rater: int
    one: str
    other: str
    choice: Choice
    specialty: str = ""
    task: str = ""
    rubric: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    is_blind: bool = True
    comparison: int = 0

    @property
    def winner(self) -> str:
        """The title of the side that is preferred; "" for a tie and where both are bad."""
        return {Choice.ONE: self.one, Choice.OTHER: self.other}.get(self.choice, "")

    @property
    def pair(self) -> tuple[str, str]:
        """The titles of both sides, in alphabetical order."""
        return (min(self.one, self.other), max(self.one, self.other))


_SWAPPED = {Choice.ONE: Choice.OTHER, Choice.OTHER: Choice.ONE}


def between(ballots: Iterable[Ballot], one: str, other: str) -> list[Ballot]:
    """The ballots on these two sides, each turned so that `one` is its first.

    Raises ValueError where both are the same.
    """
    if one == other:
        raise ValueError(f"sides: {one} cannot be set against itself; name two sides.")
    found = [ballot for ballot in ballots if {ballot.one, ballot.other} == {one, other}]
    return [ballot if ballot.one == one else _turned(ballot) for ballot in found]


def split_blind(ballots: Iterable[Ballot], blind_only: bool) -> tuple[list[Ballot], int]:
    """The ballots that count, and how many open ones are left out."""
    ballots = list(ballots)
    kept = [ballot for ballot in ballots if ballot.is_blind or not blind_only]
    return kept, len(ballots) - len(kept)


def sides_of(ballots: Iterable[Ballot]) -> list[str]:
    """The titles of all sides that were voted on, in alphabetical order."""
    return sorted({title for ballot in ballots for title in (ballot.one, ballot.other)})


def pairs_of(ballots: Iterable[Ballot], bases: Collection[str] = ()) -> list[tuple[str, str]]:
    """The pairs of sides that were voted on, those with most votes first.

    Of `bases`, the titles of untuned sides, one stands second; else a pair is in alphabetical order.
    """
    counts: dict[tuple[str, str], int] = {}
    for ballot in ballots:
        counts[ballot.pair] = counts.get(ballot.pair, 0) + 1
    found = sorted(counts, key=lambda pair: (-counts[pair], pair))
    return [(two, one) if one in bases and two not in bases else (one, two) for one, two in found]


def _turned(ballot: Ballot) -> Ballot:
    choice = _SWAPPED.get(ballot.choice, ballot.choice)
    return replace(ballot, one=ballot.other, other=ballot.one, choice=choice)
