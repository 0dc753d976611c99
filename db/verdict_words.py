"""The words of a verdict: one sentence that holds the figures, and notes on how they came about."""

from math import ceil
from typing import TYPE_CHECKING

from db.metrics.preference import Share

if TYPE_CHECKING:
    from db.verdicts import Verdict

FEW_RATERS = 5
FEW_VOTES = 10
_STEPS = ((100, 5), (250, 10), (1_000, 50), (10_000, 100))  # up to here, to a multiple of this
SETTLED = (
    "Settled means: if the share stays as it is, a repeat with as many votes would come out with p < {:.2g} "
    "four times of five. More votes are meant to come from more prompts and raters alike; who looks at p "
    "after every vote and stops at the first small one finds what is not there."
)
_ENDS = {
    "few": "fewer than 10 decided votes, too few to say what would settle it",
    "settled": "this settles it",
    "small": "the difference is small, and no number of votes would likely settle it",
    "even": "so even that it cannot be said how many more votes would settle it",
    "prompts": "votes on more prompts would settle it, more votes on these would not",
}


def sentence(verdict: "Verdict") -> str:
    """`Tuned preferred 34 to 18, 12 ties; p = 0.04; 95 % interval 52–77 %; about 40 more votes would ...`.

    The interval is of the leading side's share of the decided votes. Without any: `No votes yet.`
    """
    if not verdict.votes:
        return "No votes yet."
    if not verdict.decided:
        first, second = sorted((verdict.one, verdict.other))
        return f"No vote prefers {first} or {second}: {undecided(verdict)}."
    level = f"{100 * verdict.level:g} %"
    return "; ".join(
        [
            f"{_score(verdict)}, {undecided(verdict)}",
            p_words(verdict.p),
            f"{level} interval {interval_words(*_leading_ends(verdict))}",
            _ENDS.get(verdict.standing) or f"about {about(verdict.more or 0)} more votes would settle it",
        ]
    ) + "."  # fmt: skip


def cautions(verdict: "Verdict") -> tuple[str, ...]:
    """What a reader must know beside the sentence, a sentence each."""
    found = [_blind_note(verdict.open_left_out)]
    if verdict.decided:
        found.append(_raters_note(verdict.share.raters))
    return tuple(filter(None, found))


def notes(verdict: "Verdict") -> tuple[str, ...]:
    """How the figures came about, and what they leave out, a sentence each."""
    if not verdict.decided:
        return ()
    found = [
        _interval_note(verdict),
        _p_note(verdict),
        _ties_note(verdict),
        _bootstrap_note(verdict),
        SETTLED.format(1 - verdict.level),
    ]
    return tuple(filter(None, found))


def p_words(p: float | None) -> str:
    """`p = 0.04`, `p = 0.003`, `p < 0.001`; what rounds to 0.05 keeps a digit more."""
    if p is None:
        return "p not defined"
    p = round(p, 9)  # so that 0.375 is told alike, however it was summed
    if p < 0.001:
        return "p < 0.001"
    return f"p = {p:.3f}" if p < 0.01 or round(p, 2) == 0.05 else f"p = {p:.2f}"


def percent(share: float, digits: int = 0) -> str:
    """`65`, without the sign."""
    return f"{100 * round(share, 9):.{digits}f}"


def interval_words(low: float, high: float) -> str:
    """`52–77 %`; with a digit more where an end would else seem to be one half, or both the same."""
    told = {percent(end) for end in (low, high)}
    digits = 1 if "50" in told or len(told) == 1 else 0
    return f"{percent(low, digits)}–{percent(high, digits)} %"


def about(votes: int) -> str:
    """A count that promises no more than it knows: 36 is 40, 128 is 130, 1,234 is 1,300."""
    step = next((step for limit, step in _STEPS if votes <= limit), 1_000)
    return f"{ceil(votes / step) * step:,}"


def undecided(verdict: "Verdict") -> str:
    """`12 ties, 3 both bad`."""
    ties = _counted(verdict.ties, "tie") if verdict.ties else "no ties"
    return ties + (f", {verdict.both_bad:,} both bad" if verdict.both_bad else "")


def group_note(verdict: "Verdict") -> str:
    """What to think of where a group has few votes."""
    if verdict.decided >= FEW_VOTES:
        return ""
    return f"{_counted(verdict.decided, 'decided vote')}: too few to tell"


def bound_words(none_of: str, answers: int, bound: float, level: float) -> str:
    """`no harm seen in 60 answers: at most 4.9 % (95 %)`."""
    return (
        f"{none_of} seen in {_counted(answers, 'answer')}: at most {percent(bound, 1)} % ({100 * level:g} %)"
    )


def _score(verdict: "Verdict") -> str:
    most = max(verdict.preferred_one, verdict.preferred_other)
    least = min(verdict.preferred_one, verdict.preferred_other)
    if verdict.leads:
        return f"{verdict.leads} preferred {most:,} to {least:,}"
    return f"{' and '.join(sorted((verdict.one, verdict.other)))} preferred equally, {most:,} to {least:,}"


def _leading_ends(verdict: "Verdict") -> tuple[float, float]:
    low, high = verdict.share.low or 0.0, verdict.share.high or 0.0
    return (1 - high, 1 - low) if verdict.leads == verdict.other else (low, high)


def _blind_note(left_out: int) -> str:
    if not left_out:
        return ""
    told = "1 open vote is" if left_out == 1 else f"{left_out:,} open votes are"
    return f"{told} left out: who sees which model wrote an answer votes on the model."


def _interval_note(verdict: "Verdict") -> str:
    share = verdict.share
    clusters = f"{_counted(share.prompts, 'prompt')} and {_counted(share.raters, 'rater')}"
    if share.design_effect < 1.005 or share.wilson is None:
        return (
            f"The interval is Wilson's of the share of {_counted(share.n, 'decided vote')} on {clusters}; "
            "votes on one prompt or by one rater were no more alike than others."
        )
    return (
        f"The interval is Wilson's, clustered by prompt and rater: {_counted(share.n, 'decided vote')} on "
        f"{clusters} tell as much as {share.n / share.design_effect:,.0f} that stand alone. As if all stood "
        f"alone it would be {interval_words(*_of_leader(verdict, share.wilson))}; the wider is quoted."
    )


def _p_note(verdict: "Verdict") -> str:
    if verdict.p == verdict.sign_p:
        return "p is of the exact two-sided sign test on the decided votes."
    return (
        "p is exact, with all votes on a prompt turned over together (sign-flip test by prompt). The sign "
        f"test, as if each vote stood alone, gives {p_words(verdict.sign_p)}; the larger is quoted."
    )


def _ties_note(verdict: "Verdict") -> str:
    if not verdict.ties:
        return "Votes for both bad are left out of p and the interval." if verdict.both_bad else ""
    name = verdict.leads or verdict.one
    value, ends = _split_of(verdict.split, name == verdict.other)
    left_out = "Ties and votes for both bad" if verdict.both_bad else "Ties"
    return (
        f"{left_out} are left out of p and the interval. With ties split in halves {name} has "
        f"{percent(value)} % ({interval_words(*ends)})."
    )


def _bootstrap_note(verdict: "Verdict") -> str:
    if verdict.bootstrap is None:
        return ""
    return (
        "A two-way bootstrap that draws prompts and raters anew gives "
        f"{interval_words(*_of_leader(verdict, verdict.bootstrap))}; it counts a vote's own noise more than "
        "once, so it is not the one quoted."
    )


def _raters_note(raters: int) -> str:
    if raters >= FEW_RATERS:
        return ""
    if raters == 1:
        return "One rater alone voted: how others would vote is not in these figures."
    return f"Only {raters} raters voted: how far others would vote alike is hardly known."


def _of_leader(verdict: "Verdict", ends: tuple[float, float]) -> tuple[float, float]:
    low, high = ends
    return (1 - high, 1 - low) if verdict.leads == verdict.other else (low, high)


def _split_of(share: Share, is_other: bool) -> tuple[float, tuple[float, float]]:
    value, low, high = share.value or 0.0, share.low or 0.0, share.high or 0.0
    return (1 - value, (1 - high, 1 - low)) if is_other else (value, (low, high))


def _counted(number: int, one: str) -> str:
    return f"{number:,} {one if number == 1 else one + 's'}"
