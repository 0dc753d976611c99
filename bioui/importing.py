"""What the import page does with a file: look at its rows, store them, and say what became of them."""

from dataclasses import dataclass, field
from pathlib import Path

import gradio as gr

from bioui import outgoing
from bioui.components.notice import NO_NOTICE, notice_value
from bioui.handling import actor_of
from bioui.present import counted
from db.exchange.faults import error_file
from db.exchange.plan import ImportOptions, Outcome
from db.exchange.preview import Preview, apply_import, preview_import
from db.exchange.screening import FIRST_ROWS, Screening
from db.exchange.survey import Survey
from db.imports import Imported
from db.session import read, write


@dataclass(frozen=True)
class Chosen:
    """The uploaded file, once it was looked at."""

    path: str = ""
    survey: Survey | None = None

    @property
    def name(self) -> str:
        return Path(self.path).name


@dataclass(frozen=True)
class Seen:
    """What the person was shown, and so what they may confirm."""

    chosen: Chosen = field(default_factory=Chosen)
    options: ImportOptions = field(default_factory=ImportOptions)
    preview: Preview | None = None
    errors_href: str = ""

    def left_out(self, leave_near: bool, leave_private: bool) -> set[int]:
        """Numbers of the rows that stay outside."""
        screened = self.preview.screened
        near = screened.near if leave_near else frozenset()
        return {*near, *(screened.flags if leave_private else ())}

    def found(self) -> set[int]:
        """Numbers of the rows with findings: they stay drafts when the others are submitted."""
        return {*self.preview.screened.near, *self.preview.screened.flags}

    def to_store(self, leave_near: bool, leave_private: bool) -> int:
        counts = self.preview.counts
        stored = counts[Outcome.NEW] + counts[Outcome.CHANGED]
        return stored - len(self.left_out(leave_near, leave_private))


def look(project_id: int, chosen: Chosen, options: ImportOptions, request, report) -> Seen:
    """What every row would become, with its near copies and privacy findings. Stores nothing."""
    with read() as session:
        actor = actor_of(session, request)
        screening = Screening(session, project_id)
        seen = preview_import(
            session, actor, project_id, Path(chosen.path), options,
            screening=screening, first_rows=FIRST_ROWS, report=report,
        )  # fmt: skip
    if not seen.faults:
        return Seen(chosen, options, seen)
    place = outgoing.new_place(actor, "faults.csv")
    place.path.write_bytes(error_file(seen.faults))
    return Seen(chosen, options, seen, place.href)


def store(project_id: int, seen: Seen, left_out: set[int], submit: bool, request, report) -> Imported:
    """Do what was shown, whole or not at all."""
    with write() as session:
        return apply_import(
            session, actor_of(session, request), project_id, Path(seen.chosen.path), seen.options,
            fingerprint=seen.preview.fingerprint, file_name=seen.chosen.name, skip=left_out,
            hold=seen.found(), submit=submit, flags=seen.preview.screened.flags, report=report,
        )  # fmt: skip


def done_value(done: Imported, left_out: int, submit: bool, project_id: int) -> dict:
    """What was stored, what went to the reviewers, and where it is."""
    stored = len(done.ids) + len(done.changed)
    said = []
    if done.changed:
        said.append(f"{counted(len(done.ids), 'new record')}, {counted(len(done.changed), 'new revision')}.")
    if submit:
        said.append(f"{done.submitted:,} went to the reviewers.")
    if drafts := stored - done.submitted:
        why = " because they lack an output or a task, or have findings" if submit else ""
        said.append(f"{drafts:,} {'stays a draft' if drafts == 1 else 'stay drafts'}{why}.")
    if done.duplicates:
        said.append(f"{counted(done.duplicates, 'row was', 'rows were')} here already.")
    if left_out:
        said.append(f"{counted(left_out, 'row was', 'rows were')} left out.")
    return notice_value(
        f"{counted(stored, 'row')} imported.", *said, hue="approved",
        links={"See the imported rows": f"/curate?project={project_id}&origin=imported"},
    )  # fmt: skip


def verdict_value(seen: Seen, leave_near: bool, leave_private: bool) -> tuple[dict, dict]:
    """(what is said above the button, the button)."""
    preview = seen.preview
    invalid = preview.counts[Outcome.INVALID]
    if invalid:
        told = notice_value(
            "Nothing can be imported yet.",
            f"{counted(invalid, 'row is', 'rows are')} invalid. Mend the file and choose it again, "
            "or change the columns and look again.",
            hue="attention",
            links={"Download every fault by line (CSV)": seen.errors_href},
        )
        return told, gr.update(visible=False)
    rows = seen.to_store(leave_near, leave_private)
    if not rows:
        told = notice_value("There is nothing to import.", "Every row is here already or is left out.")
        return told, gr.update(visible=False)
    return NO_NOTICE, gr.update(visible=True, value=f"Import {counted(rows, 'row')}")
