"""One quiet row of filters for a list of instructions; the address bar says the same."""

from collections.abc import Mapping
from dataclasses import dataclass, fields

import gradio as gr

from bioui.components.instruction_form import CATEGORIES, pause
from bioui.components.view import View
from bioui.present import status_chip
from db import search
from db.enums import Category, InstructionStatus, Origin
from db.policy import Actor
from db.search import InstructionQuery
from db.session import Session

STATUSES = [("Any status", ""), *((status_chip(status)[0], status.value) for status in InstructionStatus)]
ORIGINS = [("Any origin", ""), *((origin.value.capitalize(), origin.value) for origin in Origin)]
MINE = "mine"  # an origin of its own kind: written by oneself


@dataclass(frozen=True)
class Filters:
    """What the row of filters says; the names are those in the address bar."""

    q: str = ""
    status: str = ""
    category: str = ""
    task: str = ""
    specialty: str = ""
    origin: str = ""

    def __post_init__(self) -> None:
        for field in fields(self):
            object.__setattr__(self, field.name, (getattr(self, field.name) or "").strip())

    @classmethod
    def of(cls, params: Mapping[str, str]) -> "Filters":
        """From the address bar; a status, category or origin there is none of does not filter."""
        read = cls(**{field.name: params.get(field.name, "") for field in fields(cls)})
        return cls(
            read.q,
            read.status if read.status in list(InstructionStatus) else "",
            read.category if read.category in list(Category) else "",
            read.task,
            read.specialty,
            read.origin if read.origin in (*Origin, MINE) else "",
        )

    def params(self) -> dict[str, str]:
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def are_set(self) -> bool:
        return any(self.params().values())

    def query(self, actor: Actor) -> InstructionQuery:
        return InstructionQuery(
            text=self.q,
            statuses=(InstructionStatus(self.status),) if self.status else (),
            categories=(Category(self.category),) if self.category else (),
            origins=(Origin(self.origin),) if self.origin and self.origin != MINE else (),
            task=self.task,
            specialty=self.specialty,
            author_id=actor.id if self.origin == MINE else None,
        )

    def updates(self, session: Session, project_id: int) -> list[dict]:
        """The row's components as these filters set them, with the labels in use to choose from."""
        used = search.used_labels(session, project_id)
        tasks, specialties = used["task"], used["specialty"]
        return [
            gr.update(value=self.q),
            gr.update(value=self.status),
            gr.update(value=self.category),
            gr.update(value=self.task, choices=[("Any task", ""), *((_words(task), task) for task in tasks)]),
            gr.update(value=self.specialty, choices=[("Any specialty", ""), *specialties]),
            gr.update(value=self.origin),
        ]


@dataclass(frozen=True)
class FilterRow:
    """The components, in the order of Filters; `events` are those after which the list is asked anew."""

    inputs: list

    @property
    def outputs(self) -> list:
        return self.inputs

    events: list


def list_filters() -> FilterRow:
    with gr.Row(elem_classes="filters", elem_id="list-filters"):
        query_tb = gr.Textbox(
            show_label=False, container=False, placeholder="Search instructions   /", scale=3, min_width=220,
            elem_id="search", html_attributes=gr.InputHTMLAttributes(autocomplete="off", spellcheck=False),
        )  # fmt: skip
        status_dd = _choice("Status", STATUSES)
        category_dd = _choice("Category", [("Any category", ""), *CATEGORIES])
        task_dd = _choice("Task", [("Any task", "")], allow_custom_value=True)
        specialty_dd = _choice("Specialty", [("Any specialty", "")], allow_custom_value=True)
        origin_dd = _choice("Origin", [*ORIGINS, ("Written by me", MINE)])
    typing_html = View("", {}, on_load=pause("#search"), elem_classes="no-size")
    chosen = [status_dd, category_dd, task_dd, specialty_dd, origin_dd]
    events = [typing_html.pause, query_tb.submit, *(dropdown.input for dropdown in chosen)]
    return FilterRow([query_tb, *chosen], events)


def _choice(label: str, choices: list, **options) -> gr.Dropdown:
    return gr.Dropdown(
        choices, value="", label=label, show_label=False, container=False, scale=1, min_width=130,
        elem_id=f"filter-{label.lower()}", **options,
    )  # fmt: skip


def _words(task: str) -> str:
    return task.replace("_", " ")
