"""The rounds of a project, each with how far its raters are; a row opens by click or Enter."""

from collections.abc import Sequence
from pathlib import Path

from bioui.components import empty
from bioui.components.empty import empty_state
from bioui.components.table import ON_LOAD
from bioui.components.view import View
from bioui.present import ago, counted, exact
from db.rounds import RaterProgress
from db.tables import Round

NO_ROUNDS = empty_state(
    "No round yet.",
    "A round sets pairs of answers before several raters, who do not know which model wrote which. Compare "
    "answers on the Playground or as a batch first, then make a round of them.",
)
TEMPLATE = Path(__file__).with_suffix(".hbs").read_text(encoding="utf-8").replace("@empty", empty.TEMPLATE)


def round_list() -> View:
    on_load = "const PARAM = 'round';" + ON_LOAD
    return View(TEMPLATE, {"rows": [], "empty": NO_ROUNDS}, on_load=on_load, elem_classes="round-list-view")


def list_value(found: Sequence[tuple[Round, Sequence[RaterProgress]]], *, open_id: int = 0) -> dict:
    """`found` are the rounds with the progress of their raters."""
    return {"rows": [_row(round, raters, open_id) for round, raters in found], "empty": NO_ROUNDS}


def tally(raters: Sequence[RaterProgress]) -> tuple[int, int, int]:
    """(done, total, raters that have not begun)."""
    done = sum(rater.voted + rater.skipped for rater in raters)
    unbegun = sum(not rater.voted and not rater.skipped for rater in raters)
    return done, sum(rater.total for rater in raters), unbegun


def status_of(round: Round, raters: Sequence[RaterProgress]) -> tuple[str, str]:
    """The word for where a round stands, and the hue of its chip."""
    done, total, _ = tally(raters)
    if round.closed_at is not None:
        return "Closed", "draft"
    return ("All votes in", "approved") if done == total else ("Open", "review")


def _row(round: Round, raters: Sequence[RaterProgress], open_id: int) -> dict:
    done, total, unbegun = tally(raters)
    status, hue = status_of(round, raters)
    idle = (
        f"{unbegun} of {counted(len(raters), 'rater')} not begun"
        if unbegun
        else counted(len(raters), "rater")
    )
    return {
        "id": round.id,
        "current": round.id == open_id,
        "title": round.title,
        "made": f"{round.created_by.full_name}, {ago(round.created_at)}",
        "exact": exact(round.created_at),
        "count": f"{done:,} of {total:,}",
        "percent": round_share(done, total),
        "note": idle,
        "status": status,
        "hue": hue,
    }


def round_share(done: int, total: int) -> float:
    """Percent, for a bar."""
    return int(1000 * done / total) / 10 if total else 0.0
