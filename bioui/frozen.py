"""Frozen versions and their rows as the Datasets page shows them: stored rows in, plain values out."""

from dataclasses import dataclass, field, replace

from bioui.components.empty import empty_state
from bioui.components.notice import notice_value
from bioui.components.table import Column, Trail, cell, table_value
from bioui.components.version_panel import version_name
from bioui.components.version_splits import CATEGORY_WORDS, SPLIT_WORDS
from bioui.present import ago, counted, exact, shortened
from db import datasets, lineage
from db.enums import Split
from db.policy import Actor, Right
from db.session import Session
from db.tables import DatasetRow, DatasetVersion

PAGE_ROWS = 50
WIDE = (
    Column("Version"),
    Column("Train", "num"),
    Column("Validation", "num"),
    Column("Test", "num"),
    Column("Hash", "mono"),
    Column("Frozen by"),
    Column("When", "time"),
)
BESIDE = (Column("Version"), Column("Rows", "num"))  # while a version is open
ROW_COLUMNS = (Column("Row", "num"), Column("Instruction", "long"), Column("Split"), Column("Task"))
EMPTY = empty_state(
    "No dataset yet.",
    "A version frozen here is a copy of approved instructions, split and hashed, that training can rely on.",
    href="/review",
    link="Approve some instructions first",
)
NO_ROWS = empty_state("No such rows.", "Choose another split above.")


@dataclass(frozen=True)
class Reading:
    """Which version is open, which of its rows, and where in them the reader is."""

    version_id: int = 0
    split: str = ""
    reviewed: str = ""  # "" all, "yes" or "no"
    trail: Trail = field(default_factory=Trail)
    following: int | None = None  # where the next page begins, None at the end


def versions_value(session: Session, project_id: int, *, open_id: int = 0) -> dict:
    """The list of versions; narrow while one of them is open."""
    versions = datasets.list_versions(session, project_id)
    columns = BESIDE if open_id else WIDE
    rows = [{"id": v.id, "opens": True, "cells": _version_cells(v, wide=not open_id)} for v in versions]
    empty = {**EMPTY, "href": f"/review?project={project_id}"}
    return table_value(columns, rows, empty=empty, current_id=open_id)


def rows_value(
    session: Session, reading: Reading, *, open_position: int | None = None
) -> tuple[dict, Reading]:
    """A page of a version's rows, and the reading that knows where the next one begins."""
    split = Split(reading.split) if reading.split else None
    after = -1 if reading.trail.before_id is None else reading.trail.before_id
    unread = {"yes": False, "no": True}.get(reading.reviewed)
    found = datasets.list_rows(
        session, reading.version_id, split, is_unreviewed=unread, after=after, limit=PAGE_ROWS + 1
    )
    shown = found[:PAGE_ROWS]
    following = shown[-1].position if len(found) > PAGE_ROWS else None
    value = table_value(
        ROW_COLUMNS,
        [{"id": row.position, "opens": True, "cells": _row_cells(row)} for row in shown],
        empty=NO_ROWS,
        total=_total(session, reading, split, unread),
        trail=reading.trail,
        page_rows=PAGE_ROWS,
        next_before_id=following,
        current_id=open_position,
        turns=("Previous", "Next"),
    )
    return value, replace(reading, following=following)


def _total(session: Session, reading: Reading, split: Split | None, unread: bool | None) -> int:
    """How many rows the reading shows on all its pages."""
    counts = datasets.get_version(session, reading.version_id).counts
    if unread is not None:
        waiting = datasets.count_unreviewed(session, reading.version_id)
        counts = waiting if unread else {name: counts[name] - waiting.get(Split(name), 0) for name in counts}
    return counts.get(split, 0) if split else sum(counts.values())


def row_value(session: Session, reading: Reading, position: int, project_id: int) -> dict:
    """One row to read. Raises LookupError when the version has no such row."""
    found = datasets.list_rows(session, reading.version_id, after=position - 1, limit=1)
    if not found or found[0].position != position:
        raise LookupError(f"This version has no row number {position + 1}.")
    row = found[0]
    origin = f"/curate?project={project_id}&id={row.instruction_id}" if row.instruction_id else ""
    labels = (SPLIT_WORDS[row.split], CATEGORY_WORDS[row.category], row.task, row.specialty)
    return {
        "position": position + 1,
        "labels": " · ".join(part for part in labels if part),
        "instruction": row.instruction,
        "input": row.input,
        "output": row.output,
        "origin_href": origin,
        "terms": _terms(row),
        "versions": _homes(session, row, project_id),
    }


def _terms(row: DatasetRow) -> str:
    """Where a row's text came from and under which terms, as far as the row says."""
    parts = [
        row.origin.capitalize(),
        row.provenance,
        f"licence {row.licence}" if row.licence else "no licence recorded",
        "nobody reviewed it" if row.is_unreviewed else "",
        "stays here: under a data-use agreement" if row.is_restricted else "",
        f"revision {row.instruction_version}" if row.instruction_version else "",
        f"group {row.near_group} of near copies" if row.near_group else "",
    ]
    return " · ".join(part for part in parts if part)


def _homes(session: Session, row: DatasetRow, project_id: int) -> list[dict]:
    """The versions that hold the row's instruction, this one too, the newest first."""
    if row.instruction_id is None:
        return []
    homes = lineage.list_memberships(session, row.instruction_id)
    return [
        {
            "name": f"{home.dataset_name}, version {home.number}",
            "href": f"/datasets?project={project_id}&version={home.version_id}",
            "split": SPLIT_WORDS[home.split],
            "end": "." if home is homes[-1] else ",",
        }
        for home in homes
    ]


def get_version_of(session: Session, project_id: int, version_id: int) -> DatasetVersion:
    """The version, when it is this project's. Raises LookupError when it is not."""
    version = datasets.get_version(session, version_id)
    if version.dataset.project_id != project_id:
        raise LookupError(f"This project has no dataset version number {version_id}.")
    return version


def target_dataset(session: Session, actor: Actor, project_id: int, name: str | None) -> int:
    """The dataset of that name, made when there is none yet."""
    name = (name or "").strip()
    known = {dataset.name: dataset.id for dataset in datasets.list_datasets(session, project_id)}
    return known.get(name) or datasets.create_dataset(session, actor, project_id, name=name).id


def frozen_notice(version: DatasetVersion, actor: Actor) -> dict:
    """What was frozen, and the next step."""
    href = f"/train?project={version.dataset.project_id}&version={version.id}"
    parts = [f"{version.counts[split]:,} to {SPLIT_WORDS[split]}" for split in Split if version.counts[split]]
    return notice_value(
        f"Frozen: {version_name(version)}",
        f"{', '.join(parts)}. These rows stay as they are, whatever is edited later.",
        hue="approved",
        links={"Train on this": href} if actor.can(Right.TRAIN) else None,
    )


def _version_cells(version: DatasetVersion, *, wide: bool) -> list[dict]:
    counts = version.counts
    name = cell(version.dataset.name, note=f"version {version.number}")
    if not wide:
        return [name, cell(f"{sum(counts.values()):,}")]
    return [
        name,
        *(cell(f"{counts.get(split, 0):,}") for split in Split),
        cell(version.content_hash[:12], title=version.content_hash),
        cell(version.frozen_by.full_name),
        cell(ago(version.frozen_at), title=exact(version.frozen_at)),
    ]


def _row_cells(row: DatasetRow) -> list[dict]:
    note = shortened(row.output, 80)
    return [
        cell(f"{row.position + 1:,}"),
        cell(shortened(row.instruction, 80), note=note),
        cell(SPLIT_WORDS[row.split].capitalize(), note="not reviewed" if row.is_unreviewed else ""),
        cell(row.task, note=CATEGORY_WORDS[row.category]),
    ]


def same_notice(version: DatasetVersion) -> dict:
    """That freezing found nothing new: this version has these very rows."""
    return notice_value(f"The same as {version_name(version)}", datasets.same_sentence(version))


def hash_notice(session: Session, version_id: int) -> dict:
    """Whether the stored rows still have the hash they were frozen with."""
    if datasets.verify(session, version_id):
        rows = counted(sum(datasets.get_version(session, version_id).counts.values()), "row")
        return notice_value("The hash is right", f"All {rows} are as they were frozen.", hue="approved")
    return notice_value(
        "The hash is wrong",
        "The rows in the database are not the ones that were frozen: the file was changed from outside.",
        "Do not train on this version. Restore the database from a backup, or freeze a new version.",
        hue="attention",
    )
