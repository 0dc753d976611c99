"""Filters under a name, and filters as a link: both are the same plain words.

`to_params` gives text for text, ready for an address bar or a JSON column; `from_params` reads it back and
passes over whatever it does not know, so that an old link, or one of a newer studio, still opens.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import quote, unquote

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from db import audit
from db.enums import Category, InstructionStatus, Origin, Provenance
from db.policy import Actor, PolicyError, Right, require
from db.projects import get_project
from db.search import InstructionQuery, Sort
from db.tables import SavedFilter

MAX_NAME = 80
EVERYTHING = InstructionQuery()


@dataclass(frozen=True)
class View:
    """What a list shows: a query and its order (None: whichever fits)."""

    query: InstructionQuery = EVERYTHING
    sort: Sort | None = None


def to_params(view: View) -> dict[str, str]:
    """The view as an address bar says it; what does not filter is left out."""
    query = view.query
    given = {
        "q": query.text,
        "status": _joined(query.statuses),
        "category": _joined(query.categories),
        "origin": _joined(query.origins),
        "provenance": _joined(query.provenances),
        "task": query.task,
        "specialty": query.specialty,
        "from": _number(query.min_difficulty),
        "to": _number(query.max_difficulty),
        "tags": _joined(query.tags),
        "author": _number(query.author_id),
        "not_author": _number(query.not_author_id),
        "assignee": _number(query.assignee_id),
        "remarks": _yes_no(query.has_open_remarks),
        "flagged": _yes_no(query.is_flagged),
        "since": _utc(query.updated_since),
        "licence": query.licence,
        "restricted": _yes_no(query.is_restricted),
        "job": _number(query.job_id),
        "sort": view.sort or "",
    }
    return {name: str(value) for name, value in given.items() if value}


def from_params(params: Mapping[str, object]) -> View:
    """The view of an address bar or a stored filter; unknown names and values do not filter."""
    said = {name: value for name, value in params.items() if isinstance(value, str)}

    def text(name: str) -> str:
        return said.get(name, "").strip()

    def one(name: str, read: Callable):
        try:
            return read(said[name]) if said.get(name) else None
        except ValueError:
            return None

    def many(name: str, kind: Callable = str) -> tuple:
        return tuple(dict.fromkeys(_known(kind, text(name).split(","))))

    query = InstructionQuery(
        text=text("q"),
        statuses=many("status", InstructionStatus),
        categories=many("category", Category),
        origins=many("origin", Origin),
        provenances=many("provenance", Provenance),
        task=text("task"),
        specialty=text("specialty"),
        min_difficulty=one("from", _whole),
        max_difficulty=one("to", _whole),
        tags=tuple(unquote(tag) for tag in many("tags")),
        author_id=one("author", _whole),
        not_author_id=one("not_author", _whole),
        assignee_id=one("assignee", _whole),
        has_open_remarks=one("remarks", _truth),
        is_flagged=one("flagged", _truth),
        updated_since=one("since", _time),
        licence=text("licence"),
        is_restricted=one("restricted", _truth),
        job_id=one("job", _whole),
    )
    return View(query, one("sort", Sort))


def list_filters(session: Session, actor: Actor, project_id: int) -> list[SavedFilter]:
    """The actor's own and those others share, by name, the own first."""
    query = select(SavedFilter).where(
        SavedFilter.project_id == project_id,
        or_(SavedFilter.owner_id == actor.id, SavedFilter.is_shared),
    )
    return sorted(
        session.scalars(query), key=lambda row: (row.owner_id != actor.id, row.name.casefold(), row.id)
    )


def get_filter(session: Session, actor: Actor, filter_id: int) -> SavedFilter:
    """One's own or a shared one; LookupError for any other."""
    row = session.get(SavedFilter, filter_id)
    if row is None or not (row.is_shared or row.owner_id == actor.id):
        raise LookupError(f"There is no saved filter number {filter_id}.")
    return row


def save_filter(
    session: Session, actor: Actor, project_id: int, *, name: str, view: View, is_shared: bool = False
) -> SavedFilter:
    """Keep a view under a name. Raises ValueError when the actor has one of that name already."""
    require(actor, Right.READ)
    project = get_project(session, project_id)
    row = SavedFilter(
        project_id=project.id,
        owner_id=actor.id,
        name=_free_name(session, actor, project_id, name),
        query=to_params(view),
        is_shared=is_shared,
    )
    session.add(row)
    audit.record(session, actor, "saved_filter", row, shared=is_shared)
    return row


def change_filter(
    session: Session,
    actor: Actor,
    filter_id: int,
    *,
    name: str | None = None,
    view: View | None = None,
    is_shared: bool | None = None,
) -> SavedFilter:
    """Rename, share or refill one's own filter; None leaves as it is."""
    row = _own(session, actor, filter_id)
    if name is not None and name.strip() != row.name:
        row.name = _free_name(session, actor, row.project_id, name)
    if view is not None:
        row.query = to_params(view)
    if is_shared is not None:
        row.is_shared = is_shared
    audit.record(session, actor, "changed_filter", row, shared=row.is_shared)
    return row


def delete_filter(session: Session, actor: Actor, filter_id: int) -> None:
    row = _own(session, actor, filter_id)
    audit.record(session, actor, "deleted_filter", row)
    session.delete(row)


def _own(session: Session, actor: Actor, filter_id: int) -> SavedFilter:
    require(actor, Right.READ)
    row = get_filter(session, actor, filter_id)
    if row.owner_id != actor.id:
        raise PolicyError("You may not change another person's filter: save your own copy of it.")
    return row


def _free_name(session: Session, actor: Actor, project_id: int, name: str) -> str:
    name = name.strip()
    if not name:
        raise ValueError("name: give the filter a name.")
    if len(name) > MAX_NAME:
        raise ValueError(f"name: {len(name)} characters; shorten it to {MAX_NAME} at most.")
    mine = (SavedFilter.project_id == project_id, SavedFilter.owner_id == actor.id)
    if session.scalar(select(SavedFilter.id).where(*mine, SavedFilter.name == name)) is not None:
        raise ValueError(f"name: you have a filter named {name}; choose another name, or change that one.")
    return name


def _joined(values: Iterable[str]) -> str:
    return ",".join(quote(value, safe=" ") for value in values)


def _utc(time: datetime | None) -> str:
    """With Z for the zone: a plus would be a space in an address bar."""
    return time.astimezone(UTC).isoformat().replace("+00:00", "Z") if time else ""


def _number(value: int | None) -> str:
    return "" if value is None else str(value)


def _yes_no(value: bool | None) -> str:
    return "" if value is None else "yes" if value else "no"


def _known(kind: Callable, words: list[str]) -> Iterable:
    for word in filter(None, (word.strip() for word in words)):
        try:
            yield kind(word)
        except ValueError:
            continue


def _whole(text: str) -> int:
    """A number that a database can hold."""
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise ValueError("not a whole number")
    return int(text)


def _truth(text: str) -> bool:
    if text not in ("yes", "no"):
        raise ValueError("neither yes nor no")
    return text == "yes"


def _time(text: str) -> datetime:
    """A day or a time; without a zone it is UTC."""
    time = datetime.fromisoformat(text)
    return time if time.tzinfo else time.replace(tzinfo=UTC)
