"""What people's votes say about sides: in a sentence, with p, intervals, and the votes that are lacking.

Blind votes alone count unless told otherwise: who sees which model wrote an answer votes on the model. The
statistics stand in `db.metrics.preference` and `db.metrics.bradley_terry`, the words in `db.verdict_words`,
the rubric's axes and the agreement of raters in `db.verdict_axes`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from math import ceil, isclose
from typing import Literal

from db import verdict_words as words
from db.ballots import Ballot, between, pairs_of, sides_of, split_blind
from db.enums import Choice
from db.metrics import bradley_terry, paired
from db.metrics import preference as statistics
from db.metrics.preference import LEVEL, Share
from db.verdict_axes import Agreed, AxisFigures, SideFigures, axes, preference_agreement

__all__ = [
    "Agreed",
    "AxisFigures",
    "Ballot",
    "Grouped",
    "Ranking",
    "SideFigures",
    "Standing",
    "Strength",
    "Verdict",
    "axes",
    "by",
    "pairs_of",
    "preference_agreement",
    "ranking",
    "sides_of",
    "verdict",
]

FEWEST = 10  # decided votes; of fewer nothing is foretold
EVEN = 0.05  # so near to one half the votes that would settle it cannot be told
SMALL = 0.10  # an interval wholly so near to one half shows that the difference is small


class Standing(StrEnum):
    """How far the votes have come."""

    NONE = "none"  # no decided vote
    FEW = "few"
    SETTLED = "settled"  # a repeat with as many votes would, four times of five, show it again
    SMALL = "small"  # the difference is small, whatever its sign
    EVEN = "even"  # and may yet be large
    PROMPTS = "prompts"  # many votes, on too few prompts
    OPEN = "open"  # `more` votes would settle it


@dataclass(frozen=True)
class Verdict:
    """Votes between two sides. `share` is that of `one` among the decided votes, `split` with ties in halves.

    `p` and the interval of `share` are the ones to quote: the more cautious of two reckonings each (see
    `db.metrics.preference`). `more` is how many more votes of every kind, ties too, would settle it.
    """

    one: str
    other: str
    preferred_one: int
    preferred_other: int
    ties: int
    both_bad: int
    open_left_out: int
    p: float | None
    sign_p: float | None  # every vote alone
    flip_p: float | None  # all votes on a prompt turned over together
    share: Share
    split: Share
    bootstrap: tuple[float, float] | None  # of `share`, over prompts and raters; not quoted
    standing: Standing
    more: int | None
    level: float = LEVEL

    @property
    def decided(self) -> int:
        return self.preferred_one + self.preferred_other

    @property
    def votes(self) -> int:
        return self.decided + self.ties + self.both_bad

    @property
    def leads(self) -> str:
        """The side that more votes prefer; "" where they are even."""
        if self.preferred_one == self.preferred_other:
            return ""
        return self.one if self.preferred_one > self.preferred_other else self.other

    @cached_property
    def sentence(self) -> str:
        return words.sentence(self)

    @cached_property
    def cautions(self) -> tuple[str, ...]:
        """What a reader must know beside the sentence, a sentence each."""
        return words.cautions(self)

    @cached_property
    def notes(self) -> tuple[str, ...]:
        """How it was reckoned, a sentence each."""
        return words.notes(self)


@dataclass(frozen=True)
class Grouped:
    """The verdict of one specialty or task; `p` is corrected for the number of groups (Holm)."""

    name: str
    verdict: Verdict
    p: float | None
    note: str = ""


@dataclass(frozen=True)
class Strength:
    """A side's place among several. `strength` is in log-odds, mean 0.

    `share` is the share of decided votes it would win, were it set against each other side as often. Sides
    of one `rank` are tied: a side is behind those whose whole interval lies above its own.
    """

    name: str
    strength: float
    low: float
    high: float
    share: float
    share_low: float
    share_high: float
    rank: int
    is_tied: bool
    votes: int


@dataclass(frozen=True)
class Ranking:
    """The sides, the strongest first; none, and `note` says why, where there is no common scale."""

    strengths: tuple[Strength, ...]
    votes: int
    ties: int
    both_bad: int  # left out
    open_left_out: int
    note: str = ""
    level: float = LEVEL


def verdict(
    ballots: Iterable[Ballot],
    one: str,
    other: str,
    *,
    blind_only: bool = True,
    level: float = LEVEL,
    seed: int = 0,
) -> Verdict:
    """What the ballots on these two sides say; others are not looked at. Their order counts for nothing.

    Raises ValueError where both sides are the same.
    """
    kept, left_out = split_blind(between(ballots, one, other), blind_only)
    count = {choice: sum(ballot.choice is choice for ballot in kept) for choice in Choice}
    decided = [ballot for ballot in kept if ballot.winner]
    won = [float(ballot.winner == one) for ballot in decided]
    clusters = [ballot.prompt for ballot in decided], [ballot.rater for ballot in decided]
    share = statistics.share(won, *clusters, level=level)
    sign_p = statistics.sign_test(count[Choice.ONE], count[Choice.OTHER])
    flip_p = statistics.sign_flip_test(_differences(decided, one))
    p = sign_p if sign_p is None or flip_p is None or isclose(sign_p, flip_p) else max(sign_p, flip_p)
    standing, more = _standing(share, p, len(kept), level)
    return Verdict(
        one,
        other,
        count[Choice.ONE],
        count[Choice.OTHER],
        count[Choice.TIE],
        count[Choice.BOTH_BAD],
        left_out,
        p,
        sign_p,
        flip_p,
        share,
        _split(kept, one, level),
        statistics.two_way_bootstrap(won, *clusters, level=level, seed=seed) if decided else None,
        standing,
        more,
        level,
    )


def by(
    ballots: Iterable[Ballot],
    group: Literal["specialty", "task"],
    one: str,
    other: str,
    *,
    blind_only: bool = True,
    level: float = LEVEL,
    seed: int = 0,
) -> list[Grouped]:
    """A verdict for each specialty or task, the one with most votes first; "" is the name of those without.

    Raises ValueError for another group.
    """
    if group not in ("specialty", "task"):
        raise ValueError(f"group: {group!r} is not one of specialty, task.")
    parts: dict[str, list[Ballot]] = {}
    for ballot in split_blind(between(ballots, one, other), blind_only)[0]:
        parts.setdefault(getattr(ballot, group), []).append(ballot)
    found = {
        name: verdict(part, one, other, blind_only=False, level=level, seed=seed)
        for name, part in sorted(parts.items(), key=lambda item: (-len(item[1]), item[0]))
    }
    corrected = paired.holm([each.p for each in found.values()])
    return [
        Grouped(name, each, p, words.group_note(each))
        for (name, each), p in zip(found.items(), corrected, strict=True)
    ]


def ranking(
    ballots: Iterable[Ballot], *, blind_only: bool = True, level: float = LEVEL, seed: int = 0
) -> Ranking:
    """All sides on one scale (Bradley & Terry with Davidson's ties); both bad is left out."""
    kept, left_out = split_blind(ballots, blind_only)
    counted = [ballot for ballot in kept if ballot.choice is not Choice.BOTH_BAD]
    ties = sum(ballot.choice is Choice.TIE for ballot in counted)
    strengths: tuple[Strength, ...] = ()
    note = "No votes yet."
    if counted:
        try:
            fit = bradley_terry.fit([_bout(ballot) for ballot in counted], level=level, seed=seed)
            strengths, note = _strengths(fit, counted), ""
        except ValueError as error:  # sides that no vote links
            note = str(error)
    return Ranking(strengths, len(counted), ties, len(kept) - len(counted), left_out, note, level)


def _bout(ballot: Ballot) -> bradley_terry.Bout:
    first = ballot.winner or ballot.one
    second = ballot.other if first == ballot.one else ballot.one
    return bradley_terry.Bout(ballot.prompt, first, second, not ballot.winner)


def _strengths(fit: bradley_terry.Fit, counted: Sequence[Ballot]) -> tuple[Strength, ...]:
    lows, highs = fit.strength_ends
    ranks = [1 + int((lows > high).sum()) for high in highs]
    found = [
        Strength(
            name,
            float(fit.strengths[at]),
            float(lows[at]),
            float(highs[at]),
            float(fit.shares[at]),
            float(fit.share_ends[0][at]),
            float(fit.share_ends[1][at]),
            ranks[at],
            ranks.count(ranks[at]) > 1,
            sum(name in ballot.pair for ballot in counted),
        )
        for at, name in enumerate(fit.names)
    ]
    return tuple(sorted(found, key=lambda each: (-each.strength, each.name)))


def _differences(decided: Sequence[Ballot], one: str) -> list[int]:
    """Of each prompt, the votes for `one` less those for the other."""
    found: dict[str, int] = {}
    for ballot in decided:
        found[ballot.prompt] = found.get(ballot.prompt, 0) + (1 if ballot.winner == one else -1)
    return list(found.values())


def _split(kept: Sequence[Ballot], one: str, level: float) -> Share:
    """The share with ties in halves; both bad is left out."""
    counted = [ballot for ballot in kept if ballot.choice is not Choice.BOTH_BAD]
    values = [0.5 if not ballot.winner else float(ballot.winner == one) for ballot in counted]
    return statistics.share(
        values, [ballot.prompt for ballot in counted], [ballot.rater for ballot in counted], level=level
    )


def _standing(share: Share, p: float | None, votes: int, level: float) -> tuple[Standing, int | None]:
    """How far it has come, and how many more votes (ties among them as up to now) would settle it."""
    if share.value is None or share.low is None or share.high is None or p is None:
        return Standing.NONE, None
    if share.n < FEWEST:
        return Standing.FEW, None
    if share.prompts < statistics.least_clusters(level):
        return Standing.PROMPTS, None
    alone = statistics.decided_votes_needed(share.value, level=level)
    needed = None if alone is None else round(alone * share.design_effect, 6)
    if needed is not None and needed <= share.n:
        is_shown = p < 1 - level and not share.low <= 0.5 <= share.high
        return (Standing.SETTLED if is_shown else Standing.PROMPTS), None
    if share.low > 0.5 - SMALL and share.high < 0.5 + SMALL:
        return Standing.SMALL, None
    if needed is None or abs(share.value - 0.5) < EVEN:
        return Standing.EVEN, None
    return Standing.OPEN, ceil(round((needed - share.n) * votes / share.n, 6))
