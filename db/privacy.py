"""Privacy at the gate: what of a record looks like patient data, who said that it is none, what is held back.

A flag is field, offsets and kind; the flagged text itself stands only in the revision. A flagged version can
be neither approved nor frozen until each flag is cleared with a reason, or the text is mended.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Select, insert, or_, select
from sqlalchemy.orm import Session

from db import audit
from db.checks import phi
from db.content import Content
from db.policy import Actor, Right, require
from db.session import parts
from db.tables import Instruction, PrivacyFlag, Revision
from db.tables.base import utc_now

FIELDS = ("instruction", "input", "output", "task", "specialty", "tags", "source")
_SOURCE = "web addresses in the source, which say where a text comes from"


@dataclass(frozen=True)
class Flag:
    """A stretch of one field: characters `start` to `end` (exclusive) of `text_of` that field."""

    field: str
    start: int
    end: int
    kind: str
    score: float


@dataclass(frozen=True)
class Report:
    """What a content's check found, and in words what it looked for and what it could not see."""

    flags: tuple[Flag, ...]
    checked: tuple[str, ...]
    not_checked: tuple[str, ...]


def scan(content: Content) -> Report:
    """Check every field of what someone wrote; stores nothing.

    Raises ValueError when STUDIO_NER_DIR names no folder with a spaCy pipeline.
    """
    return Report(find_flags(content), phi.checked(), (*phi.not_checked(), _SOURCE))


def find_flags(content: Content | Instruction | Revision) -> tuple[Flag, ...]:
    """The flags of a content or a stored row. For thousands, call it before the write scope is opened."""
    return tuple(
        Flag(field, span.start, span.end, span.kind.value, span.score)
        for field in FIELDS
        if phi.may_hold(text := text_of(content, field))
        for span in phi.find(text)
        if not (field == "source" and span.kind is phi.Kind.URL)
    )


def text_of(content: Content | Instruction | Revision, field: str) -> str:
    """The text that a flag's offsets count in: the field, or its tags with a comma and a space between."""
    value = getattr(content, field)
    return value if isinstance(value, str) else ", ".join(value)


# Stored flags -------------------------------------------------------------------------------------------


def flag(session: Session, instruction: Instruction) -> list[PrivacyFlag]:
    """Check the head version and store what is new; every flag of that version, in order.

    Doing it twice changes nothing. What was cleared on the previous version stays cleared where the same
    text stands in the same field.
    """
    flag_many(session, [instruction])
    return list_flags(session, instruction.id, instruction.version)


def flag_many(
    session: Session,
    rows: Sequence[Instruction | Revision],
    found: Sequence[tuple[Flag, ...]] | None = None,
) -> int:
    """`flag` for many heads or revisions; how many flags were added.

    `found` is `find_flags` of each row, worked out beforehand so that the write lock is not held meanwhile.
    """
    found = [find_flags(row) for row in rows] if found is None else found
    flagged = [(row, flags) for row, flags in zip(rows, found, strict=True) if flags]
    if not flagged:
        return 0
    session.flush()
    stored = _stored_places(session, [_version_of(row) for row, _ in flagged])
    now, added = utc_now(), []
    for row, flags in flagged:
        id, version = _version_of(row)
        there = stored.get((id, version), set())
        fresh = [one for one in flags if (one.field, one.start, one.end) not in there]
        cleared = _cleared_before(session, id, version) if fresh and version > 1 else {}
        for one in fresh:
            same = (one.field, text_of(row, one.field)[one.start : one.end])
            added.append({**_columns(id, version, one, now), **cleared.get(same, _OPEN)})
    if added:
        session.execute(insert(PrivacyFlag), added)
    return len(added)


def standing_texts(project_id: int) -> Select[tuple[Revision]]:
    """The query for every head and every text in force of a project, by record and version."""
    stands = or_(Revision.number == Instruction.version, Revision.number == Instruction.approved_version)
    return (
        select(Revision)
        .join(Instruction, Instruction.id == Revision.instruction_id)
        .where(Instruction.project_id == project_id, Instruction.deleted_at.is_(None), stands)
        .order_by(Revision.instruction_id, Revision.number)
    )


def list_flags(session: Session, instruction_id: int, version: int) -> list[PrivacyFlag]:
    """Every flag of a version, cleared ones too, by field and place."""
    query = select(PrivacyFlag).where(
        PrivacyFlag.instruction_id == instruction_id, PrivacyFlag.version == version
    )
    return sorted(session.scalars(query), key=lambda one: (FIELDS.index(one.field), one.span_start))


def open_flags(session: Session, instruction_id: int, version: int) -> list[PrivacyFlag]:
    """The flags of a version that nobody has cleared, by field and place."""
    return [one for one in list_flags(session, instruction_id, version) if one.cleared_at is None]


def clear(session: Session, actor: Actor, flag_id: int, reason: str) -> PrivacyFlag:
    """Say that a flagged text tells of no real person, and why.

    Raises PolicyError without the right, LookupError when there is no such flag, ValueError when it is
    cleared already, when no reason is given, or when the reason repeats the flagged text.
    """
    require(actor, Right.CLEAR_PRIVACY)
    stored = session.get(PrivacyFlag, flag_id)
    if stored is None:
        raise LookupError(f"There is no privacy flag number {flag_id}.")
    if stored.cleared_at is not None:
        raise ValueError("flag: it is cleared already; reload the page to see by whom and why.")
    reason = reason.strip()
    if not reason:
        raise ValueError("reason: say why this tells of no real person, such as: an invented patient.")
    if _flagged_text(session, stored).casefold() in reason.casefold():
        raise ValueError("reason: it repeats the flagged text; say why it may stay without quoting it.")
    stored.cleared_at, stored.cleared_by_id, stored.cleared_reason = utc_now(), actor.id, reason
    instruction = session.get_one(Instruction, stored.instruction_id)
    place = {"version": stored.version, "flag_id": stored.id, "field": stored.field, "kind": stored.kind}
    audit.record(session, actor, "cleared_privacy_flag", instruction, **place)
    return stored


def require_clean(session: Session, instruction: Instruction, *, doing: str = "approve") -> None:
    """Check the head version again and raise ValueError, naming field and mend, when a flag is open.

    Again, because the record may be older than the check, or than the model that finds names.
    """
    still = [one for one in flag(session, instruction) if one.cleared_at is None]
    if still:
        first = still[0]
        more = f" and {len(still) - 1} more" if len(still) > 1 else ""
        place = f"characters {first.span_start + 1} to {first.span_end}"
        raise ValueError(
            f"{first.field}: {place} look like {with_article(first.kind)}{more}; take it out, or clear each "
            f"flag with a reason, to {doing}."
        )


def has_open_flag() -> ColumnElement[bool]:
    """The condition that an instruction has an open flag on its head."""
    return (
        select(PrivacyFlag.id)
        .where(
            PrivacyFlag.instruction_id == Instruction.id,
            PrivacyFlag.version == Instruction.version,
            PrivacyFlag.cleared_at.is_(None),
        )
        .exists()
    )


# Inside -------------------------------------------------------------------------------------------------

_OPEN = {"cleared_at": None, "cleared_by_id": None, "cleared_reason": ""}


def _columns(id: int, version: int, one: Flag, now) -> dict:
    return {
        "instruction_id": id,
        "version": version,
        "field": one.field,
        "span_start": one.start,
        "span_end": one.end,
        "kind": one.kind,
        "score": one.score,
        "created_at": now,
    }


def _version_of(row: Instruction | Revision) -> tuple[int, int]:
    return (row.instruction_id, row.number) if isinstance(row, Revision) else (row.id, row.version)


def _stored_places(
    session: Session, versions: list[tuple[int, int]]
) -> dict[tuple[int, int], set[tuple[str, int, int]]]:
    """The places flagged already, by (instruction id, version)."""
    places: dict[tuple[int, int], set[tuple[str, int, int]]] = {}
    for some in parts([id for id, _ in versions]):
        for one in session.scalars(select(PrivacyFlag).where(PrivacyFlag.instruction_id.in_(some))):
            key = (one.instruction_id, one.version)
            places.setdefault(key, set()).add((one.field, one.span_start, one.span_end))
    return places


def _cleared_before(session: Session, id: int, version: int) -> dict[tuple[str, str], dict]:
    """What was cleared on the previous version: (field, text) -> by whom, when and why.

    A text that also stands there uncleared is not among it.
    """
    revision = session.scalar(
        select(Revision).where(Revision.instruction_id == id, Revision.number == version - 1)
    )
    if revision is None:
        return {}
    cleared: dict[tuple[str, str], dict] = {}
    is_open: Counter[tuple[str, str]] = Counter()
    for one in list_flags(session, id, version - 1):
        same = (one.field, text_of(revision, one.field)[one.span_start : one.span_end])
        cleared[same] = {name: getattr(one, name) for name in _OPEN}
        is_open[same] += one.cleared_at is None
    return {same: columns for same, columns in cleared.items() if not is_open[same]}


def _flagged_text(session: Session, stored: PrivacyFlag) -> str:
    query = select(Revision).where(
        Revision.instruction_id == stored.instruction_id, Revision.number == stored.version
    )
    revision = session.scalars(query).one()
    return text_of(revision, stored.field)[stored.span_start : stored.span_end]


def with_article(kind: str) -> str:
    """The kind of a flag as a sentence names it, such as "a date"."""
    return f"{'an' if kind[0] in 'aeioAEIO' else 'a'} {kind}"
