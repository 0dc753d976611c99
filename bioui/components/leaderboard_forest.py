"""An adapter's gains by task: a dot and its interval about a zero line, every number beside it.

The plot is a column of its own table, so the table is always there.
"""

from collections.abc import Sequence
from pathlib import Path

from bioui.components.leaderboard import Cell, gain_text, range_text, score_text, sign_words
from bioui.components.result_axis import axis_about_zero, bounds
from bioui.components.result_figures import p_words
from bioui.components.view import View

TEMPLATE = Path(__file__).with_suffix(".hbs").read_text(encoding="utf-8")
METHOD = (
    "Right of zero the tuned model is better. Intervals are of each task alone (BCa bootstrap over "
    "documents); p is corrected for the number of tasks (Holm), ▲ or ▼ says that it is below {alpha:g}."
)
NOTHING = "Choose an adapter that is scored on a task together with its base."


def forest() -> View:
    return View(TEMPLATE, no_forest(), elem_classes="lb-forest-view")


def no_forest(said: str = NOTHING) -> dict:
    return {"rows": [], "empty": said}


def forest_value(
    adapter: str,
    base: str,
    rows: Sequence[tuple[str, str, Cell, float | None]],
    *,
    relative: bool = False,
    alpha: float = 0.05,
) -> dict:
    """`rows` are (task, note, the adapter's cell, the base's score), those without a gain left out."""
    found = [row for row in rows if row[2].gain.get("value") is not None]
    if not found:
        return no_forest()
    axis = axis_about_zero(bounds(dict(_gain(cell, relative)) for _, _, cell, _ in found))
    shown = []
    for name, note, cell, score in found:
        gain, (icon, word, hue) = _gain(cell, relative), sign_words(cell.sign)
        is_tested = bool(cell.test)  # the mean of a group is not
        between = range_text(gain, signed=True)
        told = gain_text(gain.get("value"), relative=relative)
        shown.append(
            {
                "name": name,
                "note": note,
                "href": cell.gain_href,
                "base": score_text(score),
                "tuned": score_text(cell.figure.get("value")),
                "gain": f"{told} ({between})" if between else told or gain.get("note", ""),
                "p": p_words(cell.p),
                "icon": icon if is_tested else "",
                "sure": word if is_tested else "",
                "hue": hue if is_tested else "mean",
                **axis.interval(dict(gain)),
            }
        )
    unit = "per cent of the base's score" if relative else "points"
    return {
        "title": f"{adapter}: gains over {base} by task",
        "sentence": f"{adapter} against {base}, on the same rows of each task, in {unit}.",
        "head": f"Gain, {'relative' if relative else 'points'} (interval)",
        "rows": shown,
        "ticks": axis.ticks(lambda mark: f"{100 * mark:+.3g}" if mark else "0"),
        "method": METHOD.format(alpha=alpha),
    }


def _gain(cell: Cell, relative: bool) -> dict:
    return dict(cell.relative if relative else cell.gain)
