"""What the panel that changes many records says: the preview, what was done, what was put back."""

from collections.abc import Sequence

from bioui.present import ago, counted, exact, shortened, status_chip
from db import bulk
from db.bulk import Action, Change, Preview, Undone
from db.bulk_plan import NEAR_COPY
from db.policy import Actor
from db.session import Session
from db.tables import BulkChange, User

NAMES = {
    Action.TAG: "Add tags",
    Action.UNTAG: "Take tags away",
    Action.ASSIGN: "Assign to a person",
    Action.SUBMIT: "Submit for review",
    Action.RETIRE: "Retire",
}
NO_PREVIEW = {
    "told": "",
    "rows": [],
    "caption": "",
    "nothing": "",
    "skipped_head": "",
    "skipped": [],
}
NO_CHANGES = {"done": None, "changes": []}
KEPT_LINKS = 12


def preview_value(change: Change, seen: Preview, project_id: int) -> dict:
    """How many change, the first of them before and after, and how many do not, by the reason."""
    passed_by = sum(seen.skipped.values())
    shown = len(seen.rows)
    every = counted(seen.matched, "record")
    of = f"{seen.count:,} of {every}" if passed_by else every
    return {
        "told": f"{of} would change." if seen.count else "Nothing would change.",
        "caption": "All of them:" if shown == seen.count else f"The first {shown}:",
        "nothing": "nobody" if change.action is Action.ASSIGN else "no tag",
        "rows": [
            {
                "id": row.id,
                "href": f"/curate?project={project_id}&id={row.id}",
                "text": shortened(row.instruction, 120),
                "before": _in_words(change, row.before),
                "after": _in_words(change, row.after),
            }
            for row in seen.rows
        ],
        "skipped_head": f"{counted(passed_by, 'record')} would stay as before:",
        "skipped": [
            {"count": f"{count:,}", "why": why, **_named(seen.copies if why == NEAR_COPY else (), project_id)}
            for why, count in sorted(seen.skipped.items(), key=lambda item: -item[1])
        ],
    }


def _named(ids: Sequence[int], project_id: int, total: int = 0) -> dict:
    """Links to the first of these records, and how many more there are; `total` where not all are given."""
    more = max(total, len(ids)) - KEPT_LINKS
    return {
        "links": [{"id": id, "href": f"/curate?project={project_id}&id={id}"} for id in ids[:KEPT_LINKS]],
        "more": f"and {more:,} more" if more > 0 else "",
    }


def changes_value(
    session: Session,
    actor: Actor,
    project_id: int,
    *,
    limit: int,
    done_id: int | None = None,
    undone: Undone | None = None,
) -> dict:
    """The newest changes, each with its undo; above them what was just done, or put back."""
    found = bulk.list_changes(session, project_id, limit=limit)
    people = {
        assignee: session.get(User, assignee).full_name
        for assignee in {change.detail["assignee_id"] for change, _ in found}
        if assignee is not None
    }
    rows = [_change(change, name, people, actor) for change, name in found]
    just = next((row for row in rows if row["id"] == done_id), None)
    return {"done": _done(just) if just else _undone(undone) if undone else None, "changes": rows}


def _done(row: dict) -> dict:
    return {**row, "hue": "approved", "title": f"Done: {row['what']}.", "sentence": ""}


def _undone(undone: Undone) -> dict:
    kept = len(undone.kept)
    left = f"{counted(kept, 'record was', 'records were')} changed since and left alone." if kept else ""
    return {
        "hue": "review" if kept else "approved",
        "title": f"{counted(undone.restored, 'record is', 'records are')} as before.",
        "sentence": left,
        "can_undo": False,
    }


def _change(change: BulkChange, name: str, people: dict[int, str], actor: Actor) -> dict:
    named, count = change.detail.get("kept", []), change.detail.get("kept_count", 0)
    return {
        "id": change.id,
        "what": _what(change, people),
        "who": name,
        "ago": ago(change.created_at),
        "exact": exact(change.created_at),
        "can_undo": bulk.may_undo(actor, change),
        "undone": f"Undone {ago(change.undone_at)}" if change.undone_at else "",
        "undone_exact": exact(change.undone_at),
        "kept": f"{counted(count, 'record')} changed since and left alone:" if count else "",
        **_named(named, change.project_id, count),
    }


def _what(change: BulkChange, people: dict[int, str]) -> str:
    records = counted(change.detail["count"], "record")
    tags = ", ".join(change.detail["tags"])
    match Action(change.action):
        case Action.TAG:
            return f"{records} tagged {tags}"
        case Action.UNTAG:
            return f"{tags} taken from {records}"
        case Action.ASSIGN:
            person = people.get(change.detail["assignee_id"])
            return f"{records} assigned to {person}" if person else f"{records} assigned to nobody"
        case Action.SUBMIT:
            return f"{records} submitted for review"
        case _:
            return f"{records} retired"


def _in_words(change: Change, told: str) -> str:
    """A status by its name; tags and people as they are."""
    return status_chip(told)[0] if change.action in (Action.SUBMIT, Action.RETIRE) else told
