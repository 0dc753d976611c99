"""The verdict by specialty or by task: the share of decided votes with its interval, about one half.

The plot is a column of its own table, so the table is always there.
"""

from collections.abc import Sequence
from pathlib import Path

from bioui.components.result_figures import p_words
from bioui.components.verdict import Hues, hues_of, share_place, share_ticks, share_words
from bioui.components.view import View
from db.verdict_words import undecided
from db.verdicts import Grouped, Verdict

TEMPLATE = Path(__file__).with_suffix(".hbs").read_text(encoding="utf-8")
METHOD = (
    "Right of one half {one} is preferred. Each interval is of its group alone; p is corrected for the "
    "number of groups (Holm). A hollow dot: p is not below {alpha:.2g}."
)
NOTHING = "No blind votes between these two sides yet."
NO_GROUPS: dict = {"rows": [], "empty": ""}
_HEADS = {"specialty": "Specialty", "task": "Task"}


def groups_view() -> View:
    return View(TEMPLATE, NO_GROUPS, elem_classes="verdict-groups-view")


def groups_value(group: str, found: Sequence[Grouped], *, hues: Hues | None = None) -> dict:
    """The value of `groups_view`; `found` is what `db.verdicts.by` gives for specialty or task."""
    if not found:
        return {"rows": [], "empty": NOTHING}
    one, level = found[0].verdict.one, found[0].verdict.level
    hue = (hues or hues_of(one, found[0].verdict.other)).get(one, "tuned")
    return {
        "title": f"By {group}",
        "head": _HEADS.get(group, group.capitalize()),
        "one": one,
        "level": f"{100 * level:g} %",
        "rows": [_row(each, group, hue) for each in found],
        "ticks": share_ticks(),
        "method": METHOD.format(one=one, alpha=1 - level),
    }


def _row(found: Grouped, group: str, hue: str) -> dict:
    verdict = found.verdict
    share = (verdict.share.value, verdict.share.low, verdict.share.high)
    return {
        "name": found.name or f"No {group} given",
        "note": found.note,
        "hue": hue,
        "is_unsure": found.p is None or found.p >= 1 - verdict.level,
        "votes": _votes(verdict),
        "figure": share_words(*share),
        "p": p_words(found.p),
        **share_place(*share),
    }


def _votes(verdict: Verdict) -> str:
    """`34 to 18, 12 ties, 3 both bad`."""
    return f"{verdict.preferred_one:,} to {verdict.preferred_other:,}, {undecided(verdict)}"
