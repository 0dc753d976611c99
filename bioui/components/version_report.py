"""What a version, or a plan of one, holds and how it was checked: shares as bars, checks as sentences."""

from pathlib import Path

from bioui.components.version_splits import SPLIT_TABLE, SPLIT_WORDS, splits_value
from bioui.components.view import View
from bioui.present import counted
from db.enums import Split
from db.unreviewed import unreviewed_sentence

TEMPLATE = Path(__file__).with_suffix(".hbs").read_text(encoding="utf-8").replace("@splits", SPLIT_TABLE)
# A plan holds for the settings it was made with.
ON_LOAD = """
const age = (event) => {
  if (element.contains(event.target)) return;
  element.querySelector('.version-report')?.setAttribute('data-stale', '');
};
for (const event of ['input', 'change']) element.closest('#form-pane')?.addEventListener(event, age);
"""
NO_REPORT = {"shown": False}
_MARKS = {"good": "✓", "note": "i", "bad": "!"}
_MOST_SHARES = 8  # labels of one kind, the largest; the rest are added up


def report_view(**options) -> View:
    return View(TEMPLATE, NO_REPORT, on_load=ON_LOAD, **options)


def report_value(project_id: int, recipe: dict, report: dict, *, title: str = "", sentence: str = "") -> dict:
    """The view's value. With a title it is a plan's, and shows its splits too."""
    by_category = report.get("counts", {}).get("category", {})
    return {
        "shown": True,
        "title": title,
        "sentence": sentence,
        "stales": bool(title),
        "table": bool(title),
        **splits_value(by_category),
        "checks": _checks(recipe, report),
        "shares": [
            {"name": words, "rows": _share_rows(report["counts"][name], report["rows"])}
            for name, words in (
                ("origin", "Origin"), ("provenance", "Provenance"), ("licence", "Licence"), ("task", "Task"),
            )
            if report.get("counts", {}).get(name)
        ],
    }  # fmt: skip


def _share_rows(counts: dict[str, dict[str, int]], total: int) -> list[dict]:
    summed = [(sum(rows.values()), label) for label, rows in counts.items()]
    summed.sort(key=lambda pair: (-pair[0], pair[1]))
    shown = [(label.replace("_", " ").capitalize(), rows) for rows, label in summed[:_MOST_SHARES]]
    rest = summed[_MOST_SHARES:]
    if rest:
        shown.append((f"{len(rest)} more", sum(rows for rows, _ in rest)))
    return [
        {
            "label": label,
            "count": f"{rows:,}",
            "percent": round(100 * rows / total, 1),
            "share": f"{100 * rows / total:.1f} %",
        }
        for label, rows in shown
    ]


def _checks(recipe: dict, report: dict) -> list[dict]:
    if "groups" not in report:
        return [_check("note", "Checks", "None recorded: the rows came from outside the studio's filters.")]
    return [
        *_review_checks(report),
        _near_check(report["groups"]),
        _gate_check(report["duplicates"]["waived"]),
        _privacy_check(report["privacy"]["cleared"]),
        _restricted_check(report["restricted"], report["rows"]),
        _contamination_check(report["contamination"]),
    ]


def _review_checks(report: dict) -> list[dict]:
    """That rows were not reviewed, and what the samples say of them. Nothing where each one was."""
    said = unreviewed_sentence(report)
    if not said:
        return []
    splits = report["unreviewed"]["splits"]
    held = [f"{splits[split]:,} to {SPLIT_WORDS[split]}" for split in Split if splits.get(split)]
    later = sum(run["kept_since"] for run in report["unreviewed"]["runs"])
    left = f" {counted(later, 'record')} kept after the draw left out." if later else ""
    return [_check("note", "Not reviewed", f"{said} They went {', '.join(held)}.{left}")]


def _near_check(groups: dict) -> dict:
    on = "their input" if groups["near_on"] == "input" else "instruction and input"
    rule = f"ROUGE-L F1 above {groups['near']:g} on {on}"
    if not groups["groups"]:
        return _check("good", "Near copies", f"No two rows are near ({rule}).")
    torn = groups.get("straddling", 0)
    straddle = (
        f"{counted(torn, 'group straddles', 'groups straddle')} two splits, as the source has it."
        if torn
        else "No group straddles two splits."
    )
    said = (
        f"{counted(groups['rows'], 'row')} in {counted(groups['groups'], 'group')} ({rule}, one source "
        f"document or one parent), the largest of {groups['largest']:,}. {straddle}"
    )
    is_note = bool(torn or groups["note"])
    return _check("note" if is_note else "good", "Near copies", f"{said} {groups['note']}".strip())


def _gate_check(waived: int) -> dict:
    if not waived:
        return _check("good", "Waived at the gate", "No near copy was let in by a person.")
    said = f"{counted(waived, 'near copy', 'near copies')} let in by a person, each with a reason."
    return _check("note", "Waived at the gate", said)


def _privacy_check(cleared: int) -> dict:
    said = "No flag is open, or nothing would be frozen."
    if not cleared:
        return _check("good", "Privacy", f"{said} None had to be cleared.")
    return _check("note", "Privacy", f"{said} {counted(cleared, 'flag')} cleared by a person with a reason.")


def _restricted_check(restricted: int, rows: int) -> dict:
    if not restricted:
        return _check("good", "Data-use agreements", "No row is under one: all may leave.")
    return _check(
        "note", "Data-use agreements",
        f"{restricted:,} of {counted(rows, 'row')} stay here: they are in no export, and keep the version "
        "from the Hub.",
    )  # fmt: skip


def _contamination_check(found: dict) -> dict:
    name = "Evaluation texts"
    if not found["against"]:
        return _check("note", name, "Not looked for: no evaluation set was chosen, so overlap is unknown.")
    sets = ", ".join(f"{each['name']} ({counted(each['texts'], 'text')})" for each in found["against"])
    if not found["rows"]:
        return _check("good", name, f"None found of {sets}.")
    holding = counted(found["rows"], "row holds", "rows hold")
    outcome = {
        "refuse": "They keep the version from being frozen.",
        "drop": f"{counted(found['dropped'], 'row')} dropped.",
        "waive": f"They stay. Why: {found['reason']}",
    }[found["then"]]
    hue = "bad" if found["then"] == "refuse" else "note"
    return _check(hue, name, f"{holding} texts of {sets}. {outcome}")


def _check(hue: str, name: str, text: str) -> dict:
    return {"hue": hue, "mark": _MARKS[hue], "name": name, "text": text}
