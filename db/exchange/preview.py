"""Say what an import would do, then do it or not. What becomes of each row is decided in `plan`."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from db import audit, privacy
from db.content import Content
from db.exchange.faults import ImportRefused, RowError
from db.exchange.plan import ImportOptions, Outcome, Plan, PlannedRow
from db.exchange.screening import Screened, Screening
from db.exchange.sniff import Layout
from db.exchange.survey import Report
from db.imports import Draft, Imported, import_rows, store_drafts, submit_ids
from db.instructions import edit_instruction, submit_matching
from db.policy import Actor, Right, require
from db.privacy import Flag
from db.projects import get_project
from db.session import parts
from db.tables import Instruction
from db.tables.base import utc_now

FIRST_ROWS = 5
_PIECE = 100  # rows looked at between two reports


@dataclass(frozen=True)
class Finding:
    """What a check says of a row, such as a near copy or an identifier of a person."""

    kind: str
    message: str
    detail: dict[str, object] = field(default_factory=dict)


Check = Callable[[Sequence[Content]], dict[int, list[Finding]]]
"""Given the new and changed contents of a batch, in file order, the findings by their place in the batch."""


@dataclass(frozen=True)
class Preview:
    """What `apply_import` would do. Nothing is stored yet."""

    file_name: str
    layout: Layout
    columns: tuple[str, ...]
    mapping: dict[str, str]
    unmapped: tuple[str, ...]  # columns of the file that are not taken
    counts: dict[Outcome, int]
    first: dict[Outcome, tuple[PlannedRow, ...]]
    faults: tuple[RowError, ...]
    findings: dict[int, tuple[Finding, ...]]  # by the row's number
    notes: tuple[str, ...]  # sentences on what is taken and what is left
    fingerprint: str
    screened: Screened = field(default_factory=Screened)  # empty where nobody asked for a screening

    @property
    def rows(self) -> int:
        return sum(self.counts.values())


def preview_import(
    session: Session,
    actor: Actor,
    project_id: int,
    path: Path,
    options: ImportOptions = ImportOptions(),
    *,
    check: Check | None = None,
    screening: Screening | None = None,
    first_rows: int = FIRST_ROWS,
    report: Report = lambda rows: None,
) -> Preview:
    """Read the file and say what would become of each row.

    Raises ValueError when it cannot be read, holds no rows or too many, or no column gives the instruction.
    """
    require(actor, Right.WRITE)
    plan = Plan(session, actor, project_id, path, options)
    first: dict[Outcome, list[PlannedRow]] = {outcome: [] for outcome in Outcome}
    findings: dict[int, tuple[Finding, ...]] = {}
    faults, rows = [], 0
    for batch in plan.batches():
        for row in batch:
            if len(first[row.outcome]) < first_rows:
                first[row.outcome].append(row)
            if row.outcome is Outcome.INVALID:
                faults.append(RowError(row.line, row.note, row.number))
        findings |= _check(batch, check) if check else {}
        for start in range(0, len(batch), _PIECE):
            piece = batch[start : start + _PIECE]
            if screening:
                screening.look(piece)
            rows += len(piece)
            report(rows)
    return Preview(
        file_name=path.name,
        layout=plan.layout,
        columns=tuple(plan.columns),
        mapping=plan.mapping,
        unmapped=tuple(plan.unmapped()),
        counts=dict(plan.counts),
        first={outcome: tuple(rows) for outcome, rows in first.items()},
        faults=tuple(faults),
        findings=findings,
        notes=tuple(plan.notes()),
        fingerprint=plan.fingerprint(),
        screened=screening.result() if screening else Screened(),
    )


def apply_import(
    session: Session,
    actor: Actor,
    project_id: int,
    path: Path,
    options: ImportOptions = ImportOptions(),
    *,
    fingerprint: str,
    file_name: str = "",
    skip: Collection[int] = (),
    hold: Collection[int] = (),
    submit: bool = False,
    flags: Mapping[int, tuple[Flag, ...]] | None = None,
    report: Report = lambda rows: None,
) -> Imported:
    """Do what the preview with this fingerprint said, all of it or nothing.

    `skip` are numbers of rows to leave out, such as those with findings; those of `hold` stay drafts when the
    others are submitted. Changed rows become revisions by `edit_instruction`. Privacy flags are stored with
    the rows: `flags` are those of the preview's screening, None looks for them here, while others wait to
    write. Raises ImportRefused for invalid rows, ValueError when the file or the database has
    changed since so that a row would fare otherwise.
    """
    require(actor, Right.WRITE)
    project = get_project(session, project_id)
    name = file_name or path.name
    reason, now = f"Imported from {name}", utc_now()
    plan = Plan(session, actor, project_id, path, options)
    if not fingerprint.startswith(plan.file_hash):
        raise ValueError("file: it, or how it is read, has changed since the preview; look at it again.")
    stored: dict[int, int] = {}
    changed, faults, left_out, looked = [], [], set(skip), 0
    found = dict(flags) if flags is not None else {}
    with session.begin_nested():
        for batch in plan.batches():
            faults += [
                RowError(row.line, row.note, row.number) for row in batch if row.outcome is Outcome.INVALID
            ]
            if faults:
                continue
            wanted = [row for row in batch if row.number not in left_out]
            new = [row for row in wanted if row.outcome is Outcome.NEW]
            ids = store_drafts(session, actor, project, [_draft(row, options) for row in new], reason, now)
            stored |= zip((row.number for row in new), ids, strict=True)
            for row in wanted:
                if row.outcome is Outcome.CHANGED:
                    _revise(session, actor, row, options, reason)
                    changed.append(row.target_id)
                    stored[row.number] = row.target_id
            if flags is None:
                found |= {
                    row.number: privacy.find_flags(row.content) for row in wanted if row.number in stored
                }
            looked += len(batch)
            report(looked)
        if faults:
            raise ImportRefused(faults)
        if plan.fingerprint() != fingerprint:
            raise ValueError("file: records of the project have changed since the preview; look at it again.")
    _flag(session, stored, found)
    revised, held = set(changed), set(hold)
    new_ids = [id for id in stored.values() if id not in revised]
    detail = {"rows": len(new_ids), "changed": len(changed), "duplicates": plan.counts[Outcome.DUPLICATE]}
    audit.record(session, actor, "imported", project, **detail, left_out=len(left_out), file=name)
    submitted = 0
    if submit and held:
        submitted = submit_ids(session, actor, [id for number, id in stored.items() if number not in held])
    elif submit:
        submitted = submit_matching(session, actor, import_rows(project.id, actor.id, now))
        submitted += submit_ids(session, actor, changed)
    return Imported(new_ids, submitted, tuple(changed), plan.counts[Outcome.DUPLICATE], stored)


def _draft(row: PlannedRow, options: ImportOptions) -> Draft:
    return Draft(
        row.content,
        key=row.key,
        provenance=row.provenance or options.provenance,
        licence=row.licence or options.licence.strip(),
        is_restricted=options.is_restricted,
    )


def _revise(session: Session, actor: Actor, row: PlannedRow, options: ImportOptions, reason: str) -> None:
    head = edit_instruction(
        session, actor, row.target_id, row.content, version=row.target_version, reason=reason
    )
    head.licence = row.licence or options.licence.strip() or head.licence
    head.is_restricted = head.is_restricted or options.is_restricted


def _flag(session: Session, stored: dict[int, int], found: Mapping[int, tuple[Flag, ...]]) -> None:
    """Store the flags of the rows that were stored, on the texts that those now are."""
    of_record = {stored[number]: flags for number, flags in found.items() if flags and number in stored}
    for part in parts(list(of_record)):
        heads = list(session.scalars(select(Instruction).where(Instruction.id.in_(part))))
        privacy.flag_many(session, heads, [of_record[head.id] for head in heads])


def _check(batch: list[PlannedRow], check: Check) -> dict[int, tuple[Finding, ...]]:
    rows = [row for row in batch if row.outcome in (Outcome.NEW, Outcome.CHANGED)]
    found = check([row.content for row in rows])
    return {rows[place].number: tuple(findings) for place, findings in found.items() if findings}
