"""What an import would do, before it is done: how many rows of each fate, the first of them, and why.

Event of `preview_area()`: `pick` (`event.which`): the fate whose rows are wanted.
"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from bioui.components.view import View
from bioui.components.word_diff import CHANGES, field_changes
from bioui.present import counted, shortened
from db.checks import phi
from db.content import Content
from db.duplicates import Kind
from db.exchange.faults import MAX_FAULTS
from db.exchange.plan import Outcome, PlannedRow
from db.exchange.preview import Preview
from db.exchange.screening import NearCopy, flagged_parts

NEAR, PRIVATE = "near", "private"
# which -> (the word beside its count, its hue, what it means, what is said when there is none)
FATES = {
    Outcome.NEW: ("new", "accent", "These become records of the project.", "No row is new."),
    Outcome.CHANGED: (
        "changed", "review", "Their key names a record here; each becomes a new revision of it.",
        "No row changes a record.",
    ),
    Outcome.DUPLICATE: (
        "already here", "draft", "The same text is stored, or stood earlier in the file: passed over.",
        "No row is here already.",
    ),
    Outcome.INVALID: (
        "invalid", "attention", "An import is all or nothing: mend these in the file and choose it again.",
        "No row is invalid.",
    ),
    NEAR: (
        "near copies", "review", "New or changed rows that say nearly what another one says.",
        "No row is a near copy.",
    ),
    PRIVATE: (
        "privacy findings", "attention", "New or changed rows in which something may tell who a person is.",
        "Nothing in them looks like patient data.",
    ),
}  # fmt: skip
TEMPLATE = (
    Path(__file__).with_name("import_preview.hbs").read_text(encoding="utf-8").replace("@changes", CHANGES)
)
ON_LOAD = """
element.addEventListener('click', (event) => {
  const tab = event.target.closest('[data-which]');
  if (tab) trigger('pick', {which: tab.dataset.which});
});
"""
NOTHING = {"tabs": []}


def preview_area() -> View:
    return View(TEMPLATE, NOTHING, on_load=ON_LOAD, elem_classes="import-preview", elem_id="import-preview")


def counts_of(seen: Preview) -> dict[str, int]:
    """How many rows of each fate."""
    found = {NEAR: len(seen.screened.near), PRIVATE: len(seen.screened.flags)}
    return {**{outcome: seen.counts[outcome] for outcome in Outcome}, **found}


def first_fate(seen: Preview) -> str:
    """What to look at first: what stops the import, else what is new."""
    counts = counts_of(seen)
    order = (Outcome.INVALID, Outcome.NEW, Outcome.CHANGED, Outcome.DUPLICATE)
    return next((which for which in order if counts[which]), Outcome.NEW)


def preview_value(seen: Preview, which: str, project_id: int, *, errors_href: str = "") -> dict:
    """The counts, and the first rows of the fate `which`. Raises ValueError when there is none such."""
    if which not in FATES:
        raise ValueError("rows: choose one of the groups shown.")
    counts = counts_of(seen)
    rows = [_ROWS[which](row, seen, project_id) for row in _first(seen, which)]
    _, _, lead, none = FATES[which]
    more = f"The first {len(rows)} of {counts[which]:,}." if len(rows) < counts[which] else ""
    return {
        "tabs": [_tab(key, counts[key], which) for key in FATES],
        "lead": lead if rows else "",
        "errors_href": errors_href if which == Outcome.INVALID and rows else "",
        "rows": rows,
        "more": more,
        "none": none,
        "notes": [*seen.notes, *(_checked() if which == PRIVATE else ())],
    }


def _tab(key: str, count: int, which: str) -> dict:
    word, hue, *_ = FATES[key]
    pressed = str(key == which).lower()
    shown = {"which": str(key), "label": word, "pressed": pressed}
    return {**shown, "count": _count(key, count), "hue": hue if count else "none"}


def _count(which: str, count: int) -> str:
    at_least = which == Outcome.INVALID and count >= MAX_FAULTS
    return f"{count:,}{'+' if at_least else ''}"


def _first(seen: Preview, which: str) -> tuple:
    if which == NEAR:
        return seen.screened.first_near
    return seen.screened.first_flagged if which == PRIVATE else seen.first[Outcome(which)]


def _checked() -> list[str]:
    return [
        f"Looked for: {'; '.join(phi.checked())}.",
        f"Not looked for: {'; '.join(phi.not_checked())}.",
    ]


# Rows ---------------------------------------------------------------------------------------------------


def _row(row: PlannedRow, note: str, project_id: int, target_id: int | None, **shown) -> dict:
    href = f"/curate?project={project_id}&id={target_id}" if target_id else ""
    return {"line": f"{row.line:,}", "note": note, "href": href, "target": target_id, **shown}


def _new(row: PlannedRow, seen: Preview, project_id: int) -> dict:
    return _row(row, "", project_id, None, **_texts(row.content))


def _changed(row: PlannedRow, seen: Preview, project_id: int) -> dict:
    return _row(row, row.note, project_id, row.target_id, changes=field_changes(row.before, row.content))


def _duplicate(row: PlannedRow, seen: Preview, project_id: int) -> dict:
    return _row(row, row.note, project_id, row.target_id, instruction=shortened(row.content.instruction, 200))


def _invalid(row: PlannedRow, seen: Preview, project_id: int) -> dict:
    head, colon, rest = row.note.partition(": ")
    has_field = bool(colon) and head.isidentifier()
    return _row(row, rest if has_field else row.note, project_id, None, field=head if has_field else "")


def _near(near: NearCopy, seen: Preview, project_id: int) -> dict:
    row = near.row
    what = "A near variant" if near.kind is Kind.VARIANT else "A near copy"
    of = f"number {near.id}" if near.id else f"line {near.line:,}"
    note = f"{what} of {of}: ROUGE-L {near.score:.3f}."
    if near.theirs is None:
        return _row(row, note, project_id, near.id, instruction=shortened(row.content.instruction, 300))
    ours = Content(instruction=row.content.instruction, input=row.content.input)
    changes = field_changes(near.theirs, replace(ours, category=near.theirs.category))
    return _row(row, note, project_id, near.id, changes=changes)


def _private(row: PlannedRow, seen: Preview, project_id: int) -> dict:
    flags = seen.screened.flags[row.number]
    parts = flagged_parts(row.content, flags)
    flagged = [{"label": name.capitalize(), "parts": shown} for name, shown in parts]
    return _row(row, counted(len(flags), "finding") + ".", project_id, row.target_id, flagged=flagged)


_ROWS: dict[str, Callable[[PlannedRow, Preview, int], dict]] = {
    Outcome.NEW: _new,
    Outcome.CHANGED: _changed,
    Outcome.DUPLICATE: _duplicate,
    Outcome.INVALID: _invalid,
    NEAR: _near,
    PRIVATE: _private,
}


def _texts(content: Content) -> dict:
    labels = [
        content.category, content.task or "no task", content.specialty,
        f"difficulty {content.difficulty}", ", ".join(content.tags),
    ]  # fmt: skip
    return {
        "instruction": shortened(content.instruction, 300),
        "input": shortened(content.input, 200),
        "output": shortened(content.output, 200),
        "labels": " · ".join(label for label in labels if label),
    }
