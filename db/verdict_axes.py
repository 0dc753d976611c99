"""What raters say of each side by the rubric: how often, by how much the sides differ, how far raters agree.

Of a yes/no axis the share of "yes" is looked at; of a choice, whose options begin with the mildest, the share
of ratings above the first, such as any harm at all.
"""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from db.agreement import Measure, krippendorff_alpha, percent_agreement
from db.ballots import Ballot, between, sides_of, split_blind
from db.metrics import measures, paired
from db.metrics import preference as statistics
from db.metrics.paired import Gain
from db.metrics.preference import LEVEL, Share
from db.rubric import Axis
from db.verdict_words import bound_words


@dataclass(frozen=True)
class Agreed:
    """How far raters of the same agree, beyond chance (Krippendorff's alpha) and in per cent."""

    alpha: Measure
    percent: Measure


@dataclass(frozen=True)
class SideFigures:
    """One side on one axis. `counts` holds {value: ratings}, in the axis' order.

    `bound` is what the share of `answers` is at most where no rater of any saw it, else None; `words` tells.
    """

    name: str
    share: Share
    counts: Mapping[str, int]
    answers: int
    bound: float | None
    words: str


@dataclass(frozen=True)
class AxisFigures:
    """One axis of the rubric. `seen` says what the shares are of: "yes", or "any but none".

    `gain` is how much more often the first side has it than the second, from raters who rated both; None
    where the sides are more than two, or nobody rated both. `p` is corrected for the number of axes (Holm).
    """

    key: str
    title: str
    question: str
    seen: str
    sides: tuple[SideFigures, ...]
    gain: Gain | None
    agreed: Agreed
    p: float | None = None


def axes(
    ballots: Iterable[Ballot],
    rubric: Sequence[Axis],
    one: str = "",
    other: str = "",
    *,
    blind_only: bool = True,
    level: float = LEVEL,
    seed: int = 0,
) -> list[AxisFigures]:
    """The figures of every axis, for two sides that are named or for all that were voted on.

    Ratings by one rater and of answers to one prompt are clusters, as votes are.
    """
    kept, _ = split_blind(between(ballots, one, other) if one and other else ballots, blind_only)
    names = [one, other] if one and other else sides_of(kept)
    found = [_axis(kept, axis, names, level, seed) for axis in rubric]
    corrected = paired.holm([each.gain.p if each.gain else None for each in found])
    return [replace(each, p=p) for each, p in zip(found, corrected, strict=True)]


def preference_agreement(ballots: Iterable[Ballot], *, blind_only: bool = True, seed: int = 0) -> Agreed:
    """How far raters of the same two answers give the same vote: either side, a tie, or both bad."""
    kept, _ = split_blind(ballots, blind_only)
    given = [((_asked(ballot), ballot.pair), ballot.rater, ballot.winner or ballot.choice) for ballot in kept]
    return _agreed(given, seed)


def _axis(
    ballots: Sequence[Ballot], axis: Axis, names: Sequence[str], level: float, seed: int
) -> AxisFigures:
    sides = tuple(_side(ballots, axis, name, level) for name in names)
    given = [
        ((_asked(ballot), name), ballot.rater, value)
        for ballot in ballots
        for name in names
        if (value := _value(ballot, name, axis)) is not None
    ]
    gain = _gain(ballots, axis, names, level, seed) if len(names) == 2 else None
    seen = "yes" if axis.kind == "yes_no" else f"any but {axis.values[0]}"
    return AxisFigures(axis.key, axis.title, axis.question, seen, sides, gain, _agreed(given, seed))


def _side(ballots: Sequence[Ballot], axis: Axis, name: str, level: float) -> SideFigures:
    rated = [(ballot, value) for ballot in ballots if (value := _value(ballot, name, axis)) is not None]
    share = statistics.share(
        [float(_is_seen(axis, value)) for _, value in rated],
        [ballot.prompt for ballot, _ in rated],
        [ballot.rater for ballot, _ in rated],
        level=level,
    )
    counts = {option: sum(value == option for _, value in rated) for option in axis.values}
    answers = len({_asked(ballot) for ballot, _ in rated})
    bound = statistics.none_seen_bound(answers, level) if share.value == 0 else None
    words = "" if bound is None else bound_words(_none_of(axis), answers, bound, level)
    return SideFigures(name, share, counts, answers, bound, words)


def _gain(
    ballots: Sequence[Ballot], axis: Axis, names: Sequence[str], level: float, seed: int
) -> Gain | None:
    """Of ratings of both answers by one rater: the exact McNemar test where each prompt has but one."""
    rows = [
        (ballot.prompt, [_is_seen(axis, value) for value in values])
        for ballot in sorted(ballots, key=lambda ballot: (ballot.prompt, ballot.rater, ballot.comparison))
        if None not in (values := [_value(ballot, name, axis) for name in names])
    ]
    if not rows:
        return None
    first, second = (np.array([(seen[at], 1.0) for _, seen in rows]) for at in (0, 1))
    prompts = [prompt for prompt, _ in rows]
    return paired.compare(measures.get("accuracy"), first, second, prompts, level=level, seed=seed)


def _agreed(given: Iterable[tuple[Hashable, int, Hashable]], seed: int) -> Agreed:
    """Of (item, rater, value); a rater who contradicts themself on an item counts for nothing there."""
    found: dict[Hashable, dict[int, set]] = {}
    for item, rater, value in given:
        found.setdefault(item, {}).setdefault(rater, set()).add(value)
    items: list[Mapping[Hashable, Hashable]] = [
        {rater: next(iter(values)) for rater, values in sorted(said.items()) if len(values) == 1}
        for _, said in sorted(found.items(), key=lambda entry: str(entry[0]))
    ]
    return Agreed(krippendorff_alpha(items, seed=seed), percent_agreement(items, seed=seed))


def _asked(ballot: Ballot) -> tuple[str, int]:
    return (ballot.prompt, ballot.comparison)


def _value(ballot: Ballot, name: str, axis: Axis) -> str | None:
    """What the rater said of that side; None for nothing, or for what the axis does not know."""
    value = ballot.rubric.get(name, {}).get(axis.key)
    return value if value in axis.values else None


def _is_seen(axis: Axis, value: str | None) -> bool:
    return value == "yes" if axis.kind == "yes_no" else value != axis.values[0]


def _none_of(axis: Axis) -> str:
    if axis.kind == "yes_no":
        return 'no "yes"'
    return "no harm" if axis.key.startswith("harm") else f"no {axis.title[:1].lower()}{axis.title[1:]}"
