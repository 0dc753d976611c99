"""Several sides on one scale by people's votes: who is ahead, with intervals, and who is tied."""

from pathlib import Path

from bioui.components.verdict import Hues, share_place, share_ticks, share_words
from bioui.components.view import View
from db.verdicts import Ranking, Strength

TEMPLATE = Path(__file__).with_suffix(".hbs").read_text(encoding="utf-8")
METHOD = (
    "The share of decided votes a side would win, were it set against each other side as often: Bradley "
    "and Terry's model with Davidson's ties, {votes:,} votes, {ties:,} of them ties{left_out}. The order of "
    "votes counts for nothing. Strength is in log-odds, 0 is the mean. Intervals draw whole prompts anew; a "
    "side ranks behind those whose whole interval lies above its own, and is tied with the others."
)
NO_RANKING: dict = {"rows": [], "empty": ""}


def ranking_view() -> View:
    return View(TEMPLATE, NO_RANKING, elem_classes="verdict-ranking-view")


def ranking_value(ranking: Ranking, *, hues: Hues | None = None) -> dict:
    """The value of `ranking_view`; sides without a hue are drawn as tuned."""
    if not ranking.strengths:
        return {"rows": [], "empty": ranking.note}
    left_out = [
        f"{count:,} {what}"
        for count, what in ((ranking.both_bad, "both bad"), (ranking.open_left_out, "open"))
        if count
    ]
    return {
        "title": "All sides on one scale",
        "level": f"{100 * ranking.level:g} %",
        "rows": [_row(each, (hues or {}).get(each.name, "tuned")) for each in ranking.strengths],
        "ticks": share_ticks(),
        "method": METHOD.format(
            votes=ranking.votes,
            ties=ranking.ties,
            left_out=f"; left out: {', '.join(left_out)}" if left_out else "",
        ),
    }


def _row(found: Strength, hue: str) -> dict:
    share = (found.share, found.share_low, found.share_high)
    return {
        "name": found.name,
        "hue": hue,
        "rank": f"{found.rank}",
        "tied": "tied" if found.is_tied else "",
        "figure": share_words(*share),
        "strength": f"{found.strength:+.2f} ({found.low:+.2f} to {found.high:+.2f})",
        "votes": f"{found.votes:,}",
        **share_place(*share),
    }
