"""The verdict of people's votes from the shell: the sentence, the groups, the rubric, the ranking."""

import argparse
import dataclasses
import json
from collections.abc import Callable, Collection, Sequence
from typing import Any

from sqlalchemy.orm import Session

from db import projects, registry, rounds, rubric, verdicts, votes
from db.ballots import Ballot
from db.metrics.interval import Interval
from db.rubric import Axis
from db.session import read
from db.settings import Settings
from db.verdict_words import interval_words, p_words, percent
from trainer.shell import named, open_studio, say

Act = Callable[[Settings, argparse.Namespace], int]
GROUPS = ("specialty", "task")


def add_commands(action: Callable[[str, Act, str], argparse.ArgumentParser]) -> None:
    """Add this file's command; `action(name, act, help)` gives its parser."""
    saying = action("verdict", verdict, "what people's blind votes say of two sides, or of all")
    saying.add_argument("--project", help="name of the project; the first unless given")
    saying.add_argument("--round", type=int, metavar="ID", help="of this blind round alone")
    two = "their titles; the pair with most votes unless given"
    saying.add_argument("--sides", nargs=2, metavar=("ONE", "OTHER"), help=two)
    saying.add_argument("--by", choices=GROUPS, help="each specialty or task apart as well")
    saying.add_argument("--axes", action="store_true", help="what the rubric's items say as well")
    saying.add_argument("--ranking", action="store_true", help="all sides on one scale as well")
    saying.add_argument("--open-votes", action="store_true", help="count open votes too")
    saying.add_argument(
        "--level", type=float, default=verdicts.LEVEL, help="of the intervals; 0.95 unless given"
    )
    saying.add_argument("--json", action="store_true", help="all figures, for other programs")


def verdict(settings: Settings, options: argparse.Namespace) -> int:
    """Print it; 1 where there are no votes yet."""
    if not 0.5 <= options.level < 1:
        raise ValueError(
            f"level: {options.level:g} cannot be; give 0.5 or more and less than 1, such as 0.95."
        )
    open_studio(settings)
    with read() as s:
        project = named(projects.list_projects(s), options.project, "project")
        axes = _rubric(s, project.id, options.round)
        ballots = votes.ballots(s, project.id, round_id=options.round)
        bases = {model.name for model in registry.list_base_models(s)}
    counted = [ballot for ballot in ballots if ballot.is_blind or options.open_votes]
    if not counted:
        left_out = f" {len(ballots)} open ones are left out; see --open-votes." if ballots else ""
        say(f"No blind votes yet.{left_out}")
        return 1
    one, other = _sides(counted, options.sides, bases)
    found = _reckon(ballots, axes, one, other, options)
    if options.json:
        say(json.dumps(found, indent=2, default=_plain))
        return 0
    for line in _lines(found):
        say(line)
    return 0


def _reckon(
    ballots: Sequence[Ballot], axes: Sequence[Axis], one: str, other: str, options: argparse.Namespace
) -> dict[str, Any]:
    how = {"blind_only": not options.open_votes, "level": options.level}
    found: dict[str, Any] = {"verdict": verdicts.verdict(ballots, one, other, **how)}
    if options.by:
        found[options.by] = verdicts.by(ballots, options.by, one, other, **how)
    if options.axes:
        found["axes"] = verdicts.axes(ballots, axes, one, other, **how)
        agreed = verdicts.preference_agreement(ballots, blind_only=how["blind_only"])
        found["agreement"] = agreed
    if options.ranking:
        found["ranking"] = verdicts.ranking(ballots, **how)
    return found


def _lines(found: dict[str, Any]) -> list[str]:
    said: verdicts.Verdict = found["verdict"]
    lines = [said.sentence, *said.cautions, *said.notes]
    for group in GROUPS:
        for each in found.get(group, ()):
            note = f" ({each.note})" if each.note else ""
            lines.append(
                f"{each.name or f'no {group} given'}: {each.verdict.sentence} Holm {p_words(each.p)}{note}"
            )
    for axis in found.get("axes", ()):
        lines += _axis_lines(axis)
    if "agreement" in found:
        lines.append(f"The vote: alpha {_measure(found['agreement'])}")
    if "ranking" in found:
        lines += _ranking_lines(found["ranking"])
    return lines


def _axis_lines(axis: verdicts.AxisFigures) -> list[str]:
    lines = []
    for side in axis.sides:
        share = side.share
        if share.value is None or share.low is None or share.high is None:
            continue
        told = f"{percent(share.value)} % ({interval_words(share.low, share.high)}) of {share.n:,} ratings"
        lines.append(
            f"{axis.title}, {axis.seen}: {side.name} {told}{'; ' + side.words if side.words else ''}"
        )
    if lines and axis.gain is not None:
        difference = _interval(axis.gain.absolute)
        lines.append(
            f"{axis.title}: difference {difference} points; {axis.gain.test}, Holm {p_words(axis.p)}"
        )
    return [*lines, f"{axis.title}: alpha {_measure(axis.agreed)}"] if lines else []


def _ranking_lines(ranking: verdicts.Ranking) -> list[str]:
    if not ranking.strengths:
        return [ranking.note]
    return [
        f"{each.rank}{' (tied)' if each.is_tied else ''}  {each.name}  {percent(each.share)} % of decided "
        f"votes against the others ({interval_words(each.share_low, each.share_high)}), {each.votes:,} votes"
        for each in ranking.strengths
    ]


def _interval(found: Interval) -> str:
    if found.value is None:
        return "not defined"
    if found.low is None or found.high is None:
        return f"{100 * found.value:+.0f}"
    return f"{100 * found.value:+.0f} ({100 * found.low:+.0f} to {100 * found.high:+.0f})"


def _measure(agreed: verdicts.Agreed) -> str:
    alpha = agreed.alpha
    if alpha.value is None:
        return f"not defined: {alpha.note}"
    ends = "" if alpha.low is None else f" ({alpha.low:.2f} to {alpha.high:.2f})"
    return f"{alpha.value:.2f}{ends} on {alpha.n:,} that two or more rated"


def _rubric(session: Session, project_id: int, round_id: int | None) -> Sequence[Axis]:
    """The round's rubric, or the one votes outside rounds are cast by. Raises LookupError."""
    if round_id is None:
        return rubric.DEFAULT
    return rubric.of_round(rounds.get(session, project_id, round_id))


def _sides(ballots: Sequence[Ballot], given: Sequence[str] | None, bases: Collection[str]) -> tuple[str, str]:
    """Raises LookupError for a side nobody voted on."""
    if not given:
        return verdicts.pairs_of(ballots, bases)[0]
    known = verdicts.sides_of(ballots)
    for name in given:
        if name not in known:
            raise LookupError(f"sides: nobody voted on {name}; there is {', '.join(known)}.")
    return given[0], given[1]


def _plain(value: Any) -> Any:
    """What JSON lacks: the studio's values as mappings, with a verdict's words."""
    told = dataclasses.asdict(value)
    if isinstance(value, verdicts.Verdict):
        told |= {"sentence": value.sentence, "cautions": value.cautions, "notes": value.notes}
    return told
