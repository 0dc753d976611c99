"""How much of each source goes in, as fields in a table, and the plan that follows from them.

Events of `mixture_view()`: `share` (`event.source`, `.field`, `.value`) and `drop` (`event.source`).
What is typed stays in the browser: the table is filled anew only when its sources change.
"""

from pathlib import Path

from bioui.components.convert_draft import Draft, Entry
from bioui.components.view import View
from bioui.present import counted
from db.corpora.forms import FORMS
from db.corpora.mixture import Part, Plan, Planned
from db.enums import Split

TEMPLATE = Path(__file__).with_suffix(".hbs").read_text(encoding="utf-8")
PLAN = Path(__file__).with_name("convert_plan.hbs").read_text(encoding="utf-8")
ON_LOAD = """
element.addEventListener('change', (event) => {
  const field = event.target.closest('[data-field]');
  if (!field) return;
  const value = field.type === 'checkbox' ? String(field.checked) : field.value;
  trigger('share', {source: field.dataset.source, field: field.dataset.field, value});
});
element.addEventListener('click', (event) => {
  const button = event.target.closest('[data-drop]');
  if (button) trigger('drop', {source: button.dataset.drop});
});
"""
NO_MIXTURE = {"rows": []}
NO_PLAN = {"rows": [], "train": "", "measured": "", "sentence": "", "missing": ""}


def mixture_view() -> View:
    return View(
        TEMPLATE, NO_MIXTURE, on_load=ON_LOAD, elem_classes="convert-mixture", elem_id="convert-mixture"
    )


def plan_view() -> View:
    return View(PLAN, NO_PLAN, elem_classes="convert-plan", elem_id="convert-plan")


def mixture_value(draft: Draft) -> dict:
    return {"rows": [_row(draft, name) for name in draft.names]}


def plan_value(draft: Draft) -> dict:
    """What would be read and taken, before anything is stored."""
    if not draft.names:
        return NO_PLAN
    found = draft.plan()
    missing = [name for name in found.missing if name not in draft.unread]
    most = max((each.rows for each in found.sources), default=0) or 1
    return {
        "rows": [_planned(each, most, draft.unread) for each in found.sources],
        "train": f"{found.train:,}",
        "measured": f"{found.rows - found.train:,}",
        "sentence": _sentence(draft, found),
        "missing": f"Still to be brought: {', '.join(missing)}." if missing else "",
    }


def _row(draft: Draft, name: str) -> dict:
    part, entries = draft.mixture.part(name), draft.of(name)
    return {
        "name": name,
        "files": [_file(entry) for entry in entries] or ["no file yet"],
        "note": "; ".join(dict.fromkeys(_note(entry) for entry in entries)),
        "rows": "" if part.rows is None else str(part.rows),
        "weight": f"{part.weight:g}",
        "negatives": "" if part.negatives is None else f"{part.negatives:g}",
        "splits": [_split(part, split) for split in Split],
        "drops": bool(entries) or not draft.is_paper,
    }


def _file(entry: Entry) -> str:
    return f"{entry.file}, {'not fetched yet' if entry.is_unread else counted(entry.rows, 'row')}"


def _note(entry: Entry) -> str:
    form = entry.source.own_template.get("form") or ""
    return ", ".join(filter(None, (entry.template, FORMS[form].title if form else "", entry.rights)))


def _split(part: Part, split: Split) -> dict:
    return {"name": f"split-{split}", "word": str(split), "on": split in part.splits}


def _planned(each: Planned, most: int, unread: frozenset[str]) -> dict:
    have = sum(count.total for count in each.available.values())
    if each.source in unread:
        state, hue = "counted when it runs", "draft"
    elif each.is_missing:
        state, hue = "no file", "attention"
    else:
        state, hue = (f"short by {each.short_by:,}", "review") if each.short_by else ("as wanted", "approved")
    return {
        "source": each.source,
        "have": f"{have:,}",
        "wanted": f"{each.wanted:,}" if each.wanted is not None else "all",
        "train": f"{each.train:,}",
        "measured": f"{sum(each.measured.values()):,}",
        "negatives": f"{each.negatives_left_out:,}" if each.negatives_left_out else "",
        "width": round(100 * each.train / most, 1),
        "state": state,
        "hue": hue,
    }


def _sentence(draft: Draft, found: Plan) -> str:
    lost = sum(entry.lost for entry in draft.entries)
    parts = [f"{found.rows:,} rows would be taken, {found.train:,} of them to train on"]
    if found.short_by and not draft.unread:
        parts.append(f"short by {found.short_by:,}")
    said = ", ".join(parts) + "."
    if draft.unread:
        said += f" Of {', '.join(sorted(draft.unread))} the rows are counted when the conversion runs."
    return f"{said} At most {lost:,} of them cannot be carried by their form." if lost else said
