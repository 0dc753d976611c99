"""What a lead sees of blind rounds: the list, how far the raters are, and what the votes say.

Someone who still has pairs to vote on in a round is a rater of it first: its verdict, and what others said,
are kept from them until they are done, so that their own votes stay blind.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, partial

import gradio as gr

from bioui.balloting import blind_href
from bioui.components import round_panel, verdict_agreement, verdict_axes, verdict_groups, verdict_ranking
from bioui.components.disputes import NO_DISPUTES, disputes_value
from bioui.components.notice import NO_NOTICE, notice_value
from bioui.components.round_foot import NO_EXPORT, export_value
from bioui.components.round_list import list_value, tally
from bioui.components.verdict import NO_VERDICT, verdict_value
from bioui.present import counted
from db import adjudication, preferences, rounds, rubric, sides, verdicts, votes
from db.ballots import Ballot
from db.enums import Side
from db.policy import Actor, PolicyError
from db.rounds import RaterProgress
from db.session import Session
from db.tables import Round

GROUPS = ("specialty", "task")
NO_FIGURES = (
    NO_VERDICT,
    verdict_ranking.NO_RANKING,
    verdict_axes.NO_AXES,
    verdict_groups.NO_GROUPS,
    verdict_groups.NO_GROUPS,
    round_panel.NO_AGREEMENT_HEAD,
    verdict_agreement.NO_AGREEMENT,
    NO_DISPUTES,
    NO_EXPORT,
)


@dataclass(frozen=True)
class Led:
    """A round with how far its raters are."""

    round: Round
    raters: tuple[RaterProgress, ...]

    @property
    def votes(self) -> int:
        return sum(rater.voted for rater in self.raters)

    def is_rater_at_work(self, actor: Actor) -> bool:
        """Whether this person still has pairs of it to vote on."""
        return self.round.closed_at is None and any(
            rater.rater_id == actor.id and rater.left for rater in self.raters
        )


def read_led(session: Session, project_id: int, round_id: int) -> Led:
    """Raises LookupError where the project has no such round."""
    round = rounds.get(session, project_id, round_id)
    return Led(round, tuple(rounds.progress(session, round.id)))


def require_done(led: Led, actor: Actor) -> None:
    """Raises PolicyError for someone who still votes in the round: what others said would sway them."""
    if led.is_rater_at_work(actor):
        raise PolicyError("You may not see the votes of a round before you have voted on all your pairs.")


def rounds_value(session: Session, project_id: int, *, open_id: int = 0) -> dict:
    found = [(round, rounds.progress(session, round.id)) for round in rounds.list_rounds(session, project_id)]
    return list_value(found, open_id=open_id)


def head_value(led: Led, request: gr.Request) -> dict:
    return round_panel.head_value(led.round, led.raters, link=address(request) + blind_href(led.round))


def address(request: gr.Request) -> str:
    """Where people find the studio, as this request did."""
    return f"{request.url.scheme}://{request.headers['host']}"


def standing_value(led: Led, actor: Actor) -> dict:
    """What a reader must know before the figures: that they are kept back, or not yet whole."""
    done, total, _ = tally(led.raters)
    if led.is_rater_at_work(actor):
        return notice_value(
            "You vote in this round yourself.",
            "Its verdict and what others said stand here once you have voted on all your pairs.",
            links={"Go on voting": blind_href(led.round)},
        )
    if led.votes and done < total and led.round.closed_at is None:
        return notice_value(
            "The round is still open.",
            f"{counted(total - done, 'vote')} of {total:,} are out. Looking often and stopping when it "
            "pleases makes a chance finding likely: decide by what stands here when all votes are in.",
            hue="review",
        )
    return NO_NOTICE


def figures(session: Session, led: Led, actor: Actor) -> tuple:
    """Verdict, ranking, axes, both groupings, agreement, disputes and export, in the order of NO_FIGURES."""
    if led.is_rater_at_work(actor):
        return NO_FIGURES
    ballots = votes.ballots(session, led.round.project_id, round_id=led.round.id)
    couples = verdicts.pairs_of(ballots)
    if not couples:
        return NO_FIGURES
    hues = hues_of(session, led.round)
    one, other = _ordered(couples[0], hues)
    axes = verdicts.axes(ballots, rubric.of_round(led.round), one, other)
    return (
        verdict_value(verdicts.verdict(ballots, one, other), hues=hues),
        verdict_ranking.ranking_value(verdicts.ranking(ballots), hues=hues)
        if len(couples) > 1
        else verdict_ranking.NO_RANKING,
        verdict_axes.axes_value(axes, hues=hues) if axes else verdict_axes.NO_AXES,
        *(_groups(ballots, group, one, other, hues) for group in GROUPS),
        *_agreement(ballots, axes),
        _disputes(session, led.round),
        export_value(led.round, preferences.rows(session, led.round.project_id, round_id=led.round.id)),
    )


def _agreement(ballots: list[Ballot], axes: list[verdicts.AxisFigures]) -> tuple[dict, dict]:
    """Its heading and its figures; nothing while no two people have voted on the same pair."""
    found = verdicts.preference_agreement(ballots)
    if not found.alpha.n:
        return round_panel.NO_AGREEMENT_HEAD, verdict_agreement.NO_AGREEMENT
    return {"help": verdict_agreement.HELP}, verdict_agreement.agreement_value(found, axes)


def _disputes(session: Session, round: Round) -> dict:
    found = adjudication.disagreements(session, round.id)
    return disputes_value(round.id, found, has_overlap=round.overlap != 1)


def hues_of(session: Session, round: Round) -> dict[str, str]:
    """Title of a side -> base or tuned."""
    label = cache(partial(sides.label_of, session))
    found = {sides.of_answer(answer) for pair in round.pairs for answer in (pair.one, pair.other)}
    return {label(side): side.colour.value for side in found}


def _ordered(couple: tuple[str, str], hues: Mapping[str, str]) -> tuple[str, str]:
    """The tuned side first, for the verdict speaks of the first one's share."""
    one, other = couple
    return (other, one) if hues.get(one) == Side.BASE and hues.get(other) != Side.BASE else (one, other)


def _groups(ballots: list[Ballot], group: str, one: str, other: str, hues: Mapping[str, str]) -> dict:
    names = {getattr(ballot, group) for ballot in ballots}
    if not names - {""}:
        return verdict_groups.NO_GROUPS
    return verdict_groups.groups_value(group, verdicts.by(ballots, group, one, other), hues=hues)
