"""The funnel of a run or a dry run: what is left after each filter, and what was dropped: count and share.

Event of the View: `stage` (`event.stage`), when one is pressed.
"""

from collections.abc import Mapping
from pathlib import Path

from bioui.components.view import View
from db.generating.funnel import Stage

TEMPLATE = Path(__file__).with_suffix(".hbs").read_text(encoding="utf-8")
ON_LOAD = """
element.addEventListener('click', (event) => {
  const row = event.target.closest('[data-stage]');
  if (row && !row.disabled) trigger('stage', {stage: row.dataset.stage});
});
element.addEventListener('keydown', (event) => {
  const row = event.target.closest('[data-stage]');
  const step = {ArrowDown: 'nextElementSibling', ArrowUp: 'previousElementSibling'}[event.key];
  if (!row || !step) return;
  event.preventDefault();
  let next = row.closest('li')[step];
  while (next && next.querySelector('button').disabled) next = next[step];
  if (next) next.querySelector('button').focus();
});
"""
NO_FUNNEL = {"rows": [], "head": "", "note": ""}
NAMES = {
    Stage.PARSED: "Read from replies",
    Stage.LENGTH: "Length",
    Stage.BLACKLIST: "Words and form",
    Stage.GROUNDED: "Grounded in the passage",
    Stage.DUPLICATE: "Near copies",
    Stage.PHI: "Patient data",
    Stage.CONTAMINATED: "Evaluation texts",
    Stage.KEPT: "Kept",
}
MEANINGS = {
    Stage.PARSED: "What could not be read in whole: cut off, broken, merged or not there at all.",
    Stage.LENGTH: "Too short or too long.",
    Stage.BLACKLIST: "A word or a form that the filters do not let through.",
    Stage.GROUNDED: "The answer says what the passage does not.",
    Stage.DUPLICATE: "Too near to a stored record, or to one kept earlier (ROUGE-L).",
    Stage.PHI: "It looks as if it held patient data.",
    Stage.CONTAMINATED: "It holds a text that models are measured on.",
    Stage.KEPT: "They wait for a review.",
}


def funnel_chart() -> View:
    return View(TEMPLATE, NO_FUNNEL, on_load=ON_LOAD, elem_classes="funnel-view")


def stage_of(given: object) -> Stage:
    """The stage that an event names. Raises ValueError for none such."""
    if given not in list(Stage):
        raise ValueError("There is no such stage of the funnel.")
    return Stage(given)


def funnel_value(
    wanted: int,
    fallen: Mapping[str, int],
    *,
    current: str = "",
    asked: str = "Asked for",
    is_stored: bool = False,
    with_passage: bool = False,
) -> dict:
    """`wanted` records went in at the top; `fallen` says how many ended at each stage, kept ones too.

    `is_stored`: records of the project, which need no reading. A model may write more than it was asked for.
    """
    read = sum(count for stage, count in fallen.items() if stage != Stage.PARSED)
    top = max(wanted, read)
    if not top:
        return NO_FUNNEL
    rows = [_row("", asked, wanted, 0, top, opens=False)]
    left = top
    for stage in Stage:
        fell = top - read if stage is Stage.PARSED else fallen.get(stage, 0)
        if (is_stored and stage is Stage.PARSED) or (stage is Stage.GROUNDED and not (fell or with_passage)):
            continue
        if stage is Stage.KEPT:
            rows.append(_row(stage, NAMES[stage], fell, 0, top, opens=fell > 0 and not is_stored))
            continue
        left -= fell
        rows.append(_row(stage, NAMES[stage], left, fell, top, opens=fell > 0))
    more = read - wanted
    return {
        "rows": [
            {**row, "pressed": "true" if current and row["stage"] == current else "false"} for row in rows
        ],
        "head": "Stage",
        "note": f"The model wrote {more:,} more than it was asked for." if more > 0 else "",
    }


def _row(stage: str, name: str, left: int, fell: int, top: int, *, opens: bool) -> dict:
    share, fell_share = _percent(left, top), _percent(fell, top) if fell else ""
    spoken = f"{name}: {left:,} still there, {share}"
    return {
        "stage": str(stage),
        "name": name,
        "left": f"{left:,}",
        "share": share,
        "fell": f"{fell:,}" if fell else "–" if stage not in ("", Stage.KEPT) else "",
        "fell_share": fell_share,
        "left_width": round(100 * left / top, 2),
        "fell_width": round(100 * fell / top, 2),
        "is_kept": stage == Stage.KEPT,
        "opens": opens,
        "spoken": spoken + (f"; {fell:,} dropped here, {fell_share}" if fell else ""),
    }


def _percent(part: int, whole: int) -> str:
    """`12 %`, `0.4 %`."""
    share = 100 * part / whole
    return f"{share:.1f} %" if 0 < share < 10 and share != round(share) else f"{share:.0f} %"
