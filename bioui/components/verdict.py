"""The verdict of votes between two sides: the sentence, the votes as a bar, the share with its intervals.

`db.verdicts` reckons, here it is drawn. A side's hue is base (slate) or tuned (teal); unless told, the first
side is drawn as tuned and the second as base.
"""

from collections.abc import Mapping
from pathlib import Path

from bioui.components.result_axis import Axis
from bioui.components.view import View
from db.metrics.preference import Share
from db.verdict_words import interval_words, percent
from db.verdicts import Verdict

_HERE = Path(__file__).parent
_HEAD, _ROW = (
    (_HERE / f"verdict_{part}.hbs").read_text(encoding="utf-8").rstrip() for part in ("head", "row")
)
TEMPLATE = (
    Path(__file__)
    .with_suffix(".hbs")
    .read_text(encoding="utf-8")
    .replace("@head", _HEAD)
    .replace("@row", _ROW)
)
NO_VERDICT: dict = {"sentence": ""}
SHARES = Axis(0.0, 1.0, 0.25)
Hues = Mapping[str, str]  # title of a side -> base or tuned


def verdict_view() -> View:
    return View(TEMPLATE, NO_VERDICT, elem_classes="verdict-view")


def verdict_value(verdict: Verdict, *, hues: Hues | None = None) -> dict:
    """The value of `verdict_view`."""
    hues = hues or hues_of(verdict.one, verdict.other)
    return {
        "sentence": verdict.sentence,
        "cautions": list(verdict.cautions),
        "notes": list(verdict.notes),
        "parts": _parts(verdict, hues) if verdict.votes else [],
        "rows": _rows(verdict, hues) if verdict.decided else [],
        "ways": _ways(verdict, hues) if verdict.decided else [],
        "head": "Decided votes",
        "level": f"{100 * verdict.level:g} %",
        "ticks": share_ticks(),
    }


def hues_of(one: str, other: str) -> dict[str, str]:
    return {one: "tuned", other: "base"}


def share_ticks() -> list[dict]:
    """Of an axis of shares, 0 to 100 %, with one half marked."""
    ticks = SHARES.ticks(lambda mark: f"{100 * mark:.0f} %")
    return [{**tick, "is_half": tick["at"] == 50} for tick in ticks]


def share_place(value: float | None, low: float | None, high: float | None) -> dict:
    """Where a share and its interval are drawn."""
    return SHARES.interval({"value": value, "low": low, "high": high})


def share_words(value: float | None, low: float | None, high: float | None) -> str:
    """`65 % (52–77 %)`."""
    if value is None:
        return "not defined"
    told = f"{percent(value)} %"
    return told if low is None or high is None else f"{told} ({interval_words(low, high)})"


def _parts(verdict: Verdict, hues: Hues) -> list[dict]:
    """The bar from left to right; also its table."""
    parts = (
        (f"{verdict.one} preferred", hues.get(verdict.one, "tuned"), verdict.preferred_one),
        ("Tie", "tie", verdict.ties),
        ("Both bad", "bad", verdict.both_bad),
        (f"{verdict.other} preferred", hues.get(verdict.other, "base"), verdict.preferred_other),
    )
    if parts[0][1] == parts[3][1]:  # two adapters, both teal: the second is hatched
        parts = (*parts[:3], (parts[3][0], f"{parts[3][1]}-second", parts[3][2]))
    return [
        {
            "name": name,
            "hue": hue,
            "count": f"{count:,}",
            "share": f"{percent(count / verdict.votes)} %",
            "width": round(100 * count / verdict.votes, 2),
        }
        for name, hue, count in parts
    ]


def _rows(verdict: Verdict, hues: Hues) -> list[dict]:
    """The shares to quote."""
    share, one, other = verdict.share, verdict.one, verdict.other
    hue, against = hues.get(one, "tuned"), hues.get(other, "base")
    found = _ends(share)
    rows = [_row(f"For {one}", "", hue, found), _row(f"For {other}", "", against, _mirrored(found))]
    rows = [{**row, "is_quoted": True} for row in rows]
    if verdict.ties:
        rows.append(_row(f"For {one}, ties split in halves", "", hue, _ends(verdict.split)))
    return rows


def _ways(verdict: Verdict, hues: Hues) -> list[dict]:
    """The first side's share by each reckoning."""
    share, hue = verdict.share, hues.get(verdict.one, "tuned")
    ways = (
        ("As if each vote stood alone", "Wilson", share.wilson),
        ("Clustered by prompt and rater", "Wilson of as many votes as these are worth", share.clustered),
        ("Prompts and raters drawn anew", "two-way bootstrap, on the wide side", verdict.bootstrap),
    )
    return [_row(name, note, hue, (share.value, *ends)) for name, note, ends in ways if ends is not None]


def _row(name: str, note: str, hue: str, found: tuple) -> dict:
    return {
        "name": name,
        "note": note,
        "hue": hue,
        "figure": share_words(*found),
        **share_place(*found),
    }


def _ends(share: Share) -> tuple[float | None, float | None, float | None]:
    return share.value, share.low, share.high


def _mirrored(found: tuple) -> tuple:
    value, low, high = found
    return 1 - value, 1 - high, 1 - low
