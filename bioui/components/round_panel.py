"""An open round beside the list: what it is, the link for its raters, how far each of them is.

Events of `round_head()`: `close`, the pane goes.
"""

from collections.abc import Sequence
from pathlib import Path

from bioui.components.round_list import round_share, status_of, tally
from bioui.components.view import View
from bioui.present import ago, counted, exact
from db.rounds import RaterProgress
from db.tables import Round

HEAD = Path(__file__).with_name("round_panel.hbs").read_text(encoding="utf-8")
NO_HEAD: dict = {"id": 0}
ON_LOAD = """
element.addEventListener('click', (event) => {
  if (!event.target.closest('[data-close]')) return;
  studio.setParam('round', null);
  trigger('close', {});
});
"""
RATERS = Path(__file__).with_name("round_raters.hbs").read_text(encoding="utf-8")
NO_RATERS: dict = {"rows": []}
AGREEMENT = """
{{#if value.help}}<section class="round-agreement"><h3>How far raters agree</h3>
<p class="field-help">{{value.help}}</p></section>{{/if}}
"""
NO_AGREEMENT_HEAD: dict = {"help": ""}


def round_head() -> View:
    return View(HEAD, NO_HEAD, on_load=ON_LOAD, elem_classes="round-panel-head")


def rater_table() -> View:
    return View(RATERS, NO_RATERS, elem_classes="round-raters-view")


def agreement_head() -> View:
    return View(AGREEMENT, NO_AGREEMENT_HEAD, elem_classes="round-agreement-view")


def head_value(round: Round, raters: Sequence[RaterProgress], *, link: str) -> dict:
    """`link` is the whole address that the raters are sent."""
    status, hue = status_of(round, raters)
    each = f"each before {counted(round.overlap, 'rater')}" if round.overlap else "each before every rater"
    return {
        "id": round.id,
        "title": round.title,
        "status": status,
        "hue": hue,
        "lead": f"{counted(len(round.pairs), 'pair')}, {each}; seed {round.seed}.",
        "made": f"Made by {round.created_by.full_name}, {ago(round.created_at)}.",
        "exact": exact(round.created_at),
        "note": round.note,
        "link": link,
        "axes_count": counted(len(round.rubric), "item"),
        "axes": [
            {
                "title": axis["title"],
                "question": axis["question"],
                "answers": ", ".join(axis["options"]) or "yes, no",
            }
            for axis in round.rubric
        ],
    }


def raters_value(raters: Sequence[RaterProgress]) -> dict:
    done, total, unbegun = tally(raters)
    idle = f"; {counted(unbegun, 'rater has', 'raters have')} not begun" if unbegun else ""
    return {
        "sum": f"{done:,} of {counted(total, 'vote')} in{idle}.",
        "rows": [
            {
                "name": rater.name,
                "count": f"{rater.voted + rater.skipped:,} of {rater.total:,}",
                "percent": round_share(rater.voted + rater.skipped, rater.total),
                "skipped": f"{rater.skipped:,}" if rater.skipped else "",
                "last": ago(rater.last_at),
                "exact": exact(rater.last_at),
            }
            for rater in raters
        ],
    }
