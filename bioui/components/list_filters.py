"""The row of filters over a list of instructions; the address bar says the same, and people can save it.

Events of the View, all with plain values:
  filter   what the row says now: `event.params`, names and values as in the address bar
  save     keep it as `event.name`, for all when `event.shared`
  change_saved   the one `event.id` gets that name and sharing, and with `event.refill` what the row says
  forget   drop the saved one `event.id`
What is typed stays in the browser: the server fills the row when a page opens, and when a saved one changes.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

import gradio as gr

from bioui.components.frame import Page
from bioui.components.instruction_form import CATEGORIES
from bioui.components.view import View
from bioui.handling import actor_of, needs
from bioui.present import status_chip
from db import saved_filters, search, users
from db.enums import InstructionStatus, Origin, Provenance
from db.policy import Actor, Right
from db.saved_filters import View as Shown
from db.search import InstructionQuery, Sort
from db.session import Session, write

ME = "me"  # in place of a person's number: whoever looks
SORTS = {
    Sort.NEWEST: "Newest first",
    Sort.OLDEST: "Oldest first",
    Sort.CHANGED: "Last changed first",
    Sort.SUBMITTED: "Longest in review first",
    Sort.EASIEST: "Easiest first",
    Sort.HARDEST: "Hardest first",
}
YES_NO = (("yes", "Yes"), ("no", "No"))
PEOPLE = ("author", "assignee")
TEMPLATE = Path(__file__).with_suffix(".hbs").read_text(encoding="utf-8")
ON_LOAD = Path(__file__).with_suffix(".js").read_text(encoding="utf-8")
NO_FILTERS = {"q": "", "main": [], "more": [], "saved": []}


@dataclass(frozen=True)
class Filters:
    """What the row says, by the names in the address bar; unknown names and values do not filter."""

    said: tuple[tuple[str, str], ...] = ()  # pairs: the state of a page must be hashable

    @classmethod
    def of(cls, params: Mapping[str, object]) -> "Filters":
        """From the address bar or the browser: only what is understood is kept."""
        people = {name: ME for name in PEOPLE if params.get(name) == ME}
        known = saved_filters.to_params(saved_filters.from_params({**params, **dict.fromkeys(people, "")}))
        return cls(tuple({**known, **people}.items()))

    def params(self) -> dict[str, str]:
        return dict(self.said)

    def are_set(self) -> bool:
        return any(name != "sort" for name, _ in self.said)

    def shown(self, actor: Actor) -> Shown:
        """The query and its order, with the actor in the place of *me*."""
        said = self.params()
        me = {name: str(actor.id) for name in PEOPLE if said.get(name) == ME}
        return saved_filters.from_params({**said, **me})

    def query(self, actor: Actor) -> InstructionQuery:
        return self.shown(actor).query


def list_filters() -> View:
    return View(TEMPLATE, NO_FILTERS, on_load=ON_LOAD, elem_id="list-filters")


def filters_value(
    session: Session, actor: Actor, project_id: int, filters: Filters, used: Mapping[str, list[str]]
) -> dict:
    """The row as these filters set it, with the saved ones; `used` are the labels of `search.used_labels`."""
    said = filters.params()
    people = [(ME, "Me"), *((str(one.id), one.full_name) for one in users.list_users(session))]
    statuses = [(status.value, status_chip(status)[0]) for status in InstructionStatus]
    tasks = [(task, task.replace("_", " ")) for task in used["task"]]
    main = [
        _choice("status", "Status", "Any status", statuses, said),
        _choice("category", "Category", "Any category", [(value, name) for name, value in CATEGORIES], said),
        _choice("task", "Task", "Any task", tasks, said),
        _choice("specialty", "Specialty", "Any specialty", [(one, one) for one in used["specialty"]], said),
        _choice("author", "Author", "Anyone", people, said),
        _choice("sort", "Order", "Best first", [(sort.value, name) for sort, name in SORTS.items()], said),
    ]
    levels = [(str(level), str(level)) for level in range(1, 6)]
    more = [
        _choice("origin", "Origin", "Any", [(one.value, one.value.capitalize()) for one in Origin], said),
        _choice("provenance", "Written by", "Any", [(one.value, _WRITERS[one]) for one in Provenance], said),
        _choice("from", "Difficulty from", "1", levels, said),
        _choice("to", "to", "5", levels, said),
        _choice("assignee", "Assigned to", "Anyone or nobody", [("0", "Nobody"), *people], said),
        _choice("flagged", "Privacy flag open", "Either", YES_NO, said),
        _choice("remarks", "Remarks open", "Either", YES_NO, said),
        _choice("restricted", "Data-use agreement", "Either", YES_NO, said),
        _text("tags", "Tags, all of them", "such as liver, dosing", said),
        _text("licence", "Licence", "such as CC BY 4.0", said),
        _text("job", "Made by job number", "of a conversion or a run", said),
        {**_text("since", "Changed since", "", said), "is_date": True},
    ]
    own = saved_filters.list_filters(session, actor, project_id)
    kept = [_saved(row, actor) for row in own]
    return {"q": said.get("q", ""), "main": main, "more": more, "saved": kept}


_WRITERS = {
    Provenance.NATIVE: "People",
    Provenance.SYNTHETIC: "A model",
    Provenance.TRANSLATED: "A translator",
}


def _choice(name: str, label: str, every: str, choices, said: Mapping[str, str]) -> dict:
    """A select; a value that is no longer in use stays choosable, so that a link says what it filters by."""
    value = said.get(name, "")
    known = [{"value": key, "text": text, "chosen": key == value} for key, text in choices]
    if value and value not in [key for key, _ in choices]:
        known.append({"value": value, "text": value, "chosen": True})
    return {"name": name, "label": label, "every": every, "choices": known}


def _text(name: str, label: str, example: str, said: Mapping[str, str]) -> dict:
    return {"name": name, "label": label, "example": example, "value": said.get(name, ""), "is_text": True}


def _saved(row, actor: Actor) -> dict:
    is_own = row.owner_id == actor.id
    return {
        "id": row.id,
        "name": row.name,
        "query": urlencode(row.query),
        "is_own": is_own,
        "is_shared": row.is_shared,
        "told": ("shared with all" if is_own else "shared by another") if row.is_shared else "",
    }


# handlers of the saved ones -----------------------------------------------------------------------------


@needs(Right.READ)
def save_filter(project_id: int, event: gr.EventData, request: gr.Request):
    """Keep what the row says under a name."""
    filters = Filters.of(dict(event.params))
    with write() as session:
        actor = actor_of(session, request)
        saved_filters.save_filter(
            session, actor, project_id, name=str(event.name), view=filters.shown(actor),
            is_shared=bool(event.shared),
        )  # fmt: skip
        return _row_now(session, actor, project_id, filters)


@needs(Right.READ)
def change_filter(project_id: int, event: gr.EventData, request: gr.Request):
    """Give one's saved filter a name, share it or not, and where asked for fill it with what the row says."""
    filters = Filters.of(dict(event.params))
    with write() as session:
        actor = actor_of(session, request)
        saved_filters.change_filter(
            session, actor, int(event.id), name=str(event.name), is_shared=bool(event.shared),
            view=filters.shown(actor) if event.refill else None,
        )  # fmt: skip
        return _row_now(session, actor, project_id, filters)


@needs(Right.READ)
def forget_filter(project_id: int, filters: Filters, event: gr.EventData, request: gr.Request):
    with write() as session:
        actor = actor_of(session, request)
        saved_filters.delete_filter(session, actor, int(event.id))
        return _row_now(session, actor, project_id, filters)


def _row_now(session: Session, actor: Actor, project_id: int, filters: Filters) -> dict:
    """The row of filters, with the saved ones as they are in this scope."""
    session.flush()
    return filters_value(session, actor, project_id, filters, search.used_labels(session, project_id))


def wire_saved(page: Page, filters_html: View, filters_state: gr.State) -> None:
    """Saving, changing and forgetting; the page itself answers `filter`."""
    page.on(filters_html.save, save_filter, [page.project_id], filters_html)
    page.on(filters_html.change_saved, change_filter, [page.project_id], filters_html)
    page.on(filters_html.forget, forget_filter, [page.project_id, filters_state], filters_html)
