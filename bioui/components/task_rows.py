"""The list of frozen tasks, and what the open one is: its facts, and its rows a page at a time."""

from collections.abc import Sequence

from bioui.components.empty import empty_state
from bioui.components.facts import fact, facts_value
from bioui.components.table import Column, Trail, cell, table_value
from bioui.components.task_kind import title_of
from bioui.present import ago, exact, shortened
from db import datasets, task_versions, users
from db.session import Session
from db.tables import TaskVersion

EMPTY = empty_state(
    "No task yet.",
    "Tasks appear here: rows of a file or of a frozen dataset, asked of every model in the same words. "
    "Add one to evaluate models on it.",
)
ROWS_SHOWN = 10
_COLUMNS = (
    Column("Task", "long"),
    Column("Group"),
    Column("Rows", "num"),
    Column("Shots", "num"),
    Column("Terms"),
    Column("Hash", "mono"),
)
_ROW_COLUMNS = (Column("Row", "num"), Column("Asked", "long"), Column("Right", "long"))


def list_value(tasks: Sequence[TaskVersion], *, current_id: int = 0) -> dict:
    return table_value(_COLUMNS, [_line(task) for task in tasks], empty=EMPTY, current_id=current_id)


def facts_of(session: Session, task: TaskVersion) -> dict:
    """What is known of a frozen task, in short lines."""
    settings = task.settings
    found = [
        fact("Task", title_of(task.task)),
        fact("Rows", f"{task.rows:,}" + (f", {task.split}" if task.split else "")),
        fact("Examples", _examples(task)),
        *_form(settings),
        fact("Source", _source(session, task)),
        fact("Licence", task.licence or "not stated"),
    ]
    if task.is_restricted:
        found.append(fact("Terms", "Under a data-use agreement: its texts do not leave the machine."))
    if limit := settings.get("limit"):
        found.append(fact("Drawn", f"{limit:,} rows by seed {settings.get('seed', 0)}"))
    if left_out := settings.get("left_out"):
        found.append(fact("Left out", f"{sum(left_out.values()):,} rows that the form cannot say"))
    author = users.get_user(session, task.created_by_id).full_name
    found += [
        fact("Regression gate", "looks at it" if task.is_general else "passes it over"),
        fact("Hash", task.content_hash[:16], mono=True, title=task.content_hash),
        fact("Frozen", f"{ago(task.created_at)} by {author}", title=exact(task.created_at)),
    ]
    return facts_value(*found)


def rows_value(session: Session, task: TaskVersion, trail: Trail, position: int) -> dict:
    """One page of its rows, from behind the position that the trail ends in."""
    after = -1 if trail.before_id is None else int(trail.before_id)
    rows = task_versions.list_rows(session, task.id, after=after, limit=ROWS_SHOWN)
    last = rows[-1].position if rows else -1
    return table_value(
        _ROW_COLUMNS,
        [
            {
                "id": row.position,
                "opens": True,
                "cells": [
                    cell(f"{row.position + 1:,}", title=row.key),
                    cell(shortened(row.input or row.instruction, 140)),
                    cell(shortened(row.reference, 60)),
                ],
            }
            for row in rows
        ],
        empty=empty_state("No rows.", ""),
        total=task.rows,
        trail=trail,
        page_rows=ROWS_SHOWN,
        next_before_id=last if last + 1 < task.rows else None,
        current_id=position,
        turns=("Previous", "Next"),
    )


def _line(task: TaskVersion) -> dict:
    marks = [title_of(task.task), task.split, "general: the regression gate looks at it" * task.is_general]
    return {
        "id": task.id,
        "opens": True,
        "cells": [
            cell(task.name, note=" · ".join(filter(None, marks))),
            cell(task.category),
            cell(f"{task.rows:,}"),
            cell(str(len(task.examples))),
            cell(task.licence or "not stated", note="restricted" * task.is_restricted),
            cell(task.content_hash[:8], title=task.content_hash),
        ],
    }


def _examples(task: TaskVersion) -> str:
    if not task.examples:
        return "None: asked without examples"
    return f"{len(task.examples)} before each question, drawn by seed {task.settings.get('seed', 0)}"


def _form(settings: dict) -> list[dict]:
    told = settings.get("task", {})
    lines = []
    if template := settings.get("template"):
        lines.append(fact("Wording", f"{told.get('wording', '1')} of the template {template}"))
    if form := told.get("form"):
        lines.append(fact("Answer's form", str(form).replace("_", " ")))
    if labels := told.get("labels"):
        lines.append(fact("Labels", str(labels)))
    return lines


def _source(session: Session, task: TaskVersion) -> str:
    if task.dataset_version_id:
        version = datasets.get_version(session, task.dataset_version_id)
        return f"{version.dataset.name}, version {version.number}"
    source = task.settings.get("source", {})
    name = str(source.get("path", "")).rpartition("/")[2]
    return f"{source['hub']['name']} of the Hub" if source.get("hub") else name or "brought answers"
