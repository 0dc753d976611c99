"""The audit samples of a run: a random few of the kept records, and what reviewers said of them.

Every draw is shown; the figure that counts is that of all of them together.
"""

from pathlib import Path

from bioui.components import facts
from bioui.components.facts import fact
from bioui.components.interval_chart import NO_INTERVALS, Interval, intervals_value
from bioui.components.view import View
from bioui.present import ago, counted
from db.generation_audits import Draw, RunAudit, wilson

TEMPLATE = Path(__file__).with_suffix(".hbs").read_text(encoding="utf-8").replace("@facts", facts.TEMPLATE)
NO_AUDIT = {"shown": False, "facts": []}
LISTED = 20  # links to records that wait
USUAL = 50  # records of a sample
NOT_DRAWN = (
    "No sample drawn yet. A random sample, reviewed whole, says how many of the kept records would be "
    "approved; before that nobody knows. Fifty tell a share to within some 14 points either way."
)


def audit_view() -> View:
    return View(TEMPLATE, NO_AUDIT, elem_classes="run-audit-view")


def audit_value(found: RunAudit | None, undecided: list[int], *, project_id: int) -> dict:
    if found is None:
        return {**NO_AUDIT, "shown": True, "sentence": NOT_DRAWN}
    waiting = [
        {"id": id, "href": f"/review?project={project_id}&id={id}", "end": ", "} for id in undecided[:LISTED]
    ]
    if waiting and len(undecided) <= LISTED:
        waiting[-1]["end"] = "."
    return {
        "shown": True,
        "sentence": _sentence(found),
        "facts": [
            fact("Drawn from", counted(found.population, "kept record")),
            fact("Kept since", f"{found.kept_since:,}, of which it says nothing"),
            fact("Draws", _draws(found)),
            fact("Reviewed", f"{found.decided:,} of {found.sampled:,}"),
            fact("Approved as written", f"{found.accepted:,}"),
        ],
        "waiting": waiting,
        "next": "Waiting for a review: ",
        "rest": f"and {len(undecided) - LISTED:,} more." if len(undecided) > LISTED else "",
    }


def interval_of(found: RunAudit | None) -> dict:
    """The acceptance so far with its interval, over all draws and, of more than one, each draw's own below.

    Nothing before the first decision.
    """
    if found is None or found.rate is None:
        return NO_INTERVALS
    rate, several = found.rate, len(found.draws) > 1
    note = "" if found.is_complete else "so far; the easy ones may come first"
    name = "All draws: this counts" if several else "Approved as written"
    rows = [Interval(name, rate.share, rate.low, rate.high, found.decided, note)]
    if several:
        rows += [_interval_of(number, draw) for number, draw in enumerate(found.draws, 1)]
    return intervals_value("Share", rows)


def _interval_of(number: int, draw: Draw) -> Interval:
    note = f"{draw.sampled:,} of {draw.population:,}, {ago(draw.drawn_at)}, {draw.drawn_by}"
    if not draw.decided:
        return Interval(f"Draw {number}", None, None, None, 0, note)
    rate = wilson(draw.accepted, draw.decided)
    return Interval(f"Draw {number}", rate.share, rate.low, rate.high, draw.decided, note)


def _draws(found: RunAudit) -> str:
    """`2, of 50 and 30 records; all count`: a further one never takes the place of those before."""
    *first, last = (f"{draw.sampled:,}" for draw in found.draws)
    sizes = f"{', '.join(first)} and {last}" if first else last
    return f"{len(found.draws):,}, of {sizes} records" + ("; all count" if first else "")


def can_draw(found: RunAudit | None, kept: int) -> bool:
    """The next sample is drawn when the last is reviewed, and adds to it."""
    return kept > 0 and (found is None or (found.is_complete and found.sampled < kept))


def _sentence(found: RunAudit) -> str:
    if found.rate is None:
        return f"{counted(found.sampled, 'record')} drawn at random; none is reviewed yet."
    low, high = f"{100 * found.rate.low:.0f}", f"{100 * found.rate.high:.0f}"
    share = f"{100 * found.rate.share:.0f} % of the {found.decided:,} reviewed were approved as written"
    end = "" if found.is_complete else " The sample is not finished, so this may still move either way."
    return f"{share} (95 % interval {low} to {high} %).{end}"
