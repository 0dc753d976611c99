"""What a version's report says: how many rows of what, how they were grouped, what was checked and waived."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from db.canonical import FrozenRow
from db.checks.contamination import Hit, HitKind, Limits
from db.enums import Split
from db.recipes import Recipe
from db.tables import DuplicateWaiver, PrivacyFlag

MOST_HITS = 1_000  # kept in a report; the counts are of all


def describe_rows(rows: Sequence[FrozenRow]) -> dict:
    """How many rows, by split and by label; how many stay in the studio."""
    labels = {
        "category": lambda row: row.content.category,
        "task": lambda row: row.content.task,
        "origin": lambda row: row.origin,
        "provenance": lambda row: row.provenance,
        "licence": lambda row: row.licence,
    }
    return {
        "rows": len(rows),
        "restricted": sum(row.is_restricted for row in rows),
        "counts": {name: _by_split(rows, label) for name, label in labels.items()},
    }


def licence_of(rows: Sequence[FrozenRow]) -> str:
    """The licence that all rows have; "mixed", or "unknown" when none says."""
    licences = {row.licence for row in rows}
    if len(licences) > 1:
        return "mixed"
    return licences.pop() or "unknown" if licences else "unknown"


def describe_groups(
    rows: Sequence[FrozenRow],
    recipe: Recipe,
    by_document: int,
    given: Mapping[int, Split] = MappingProxyType({}),
) -> dict:
    """The groups of two rows and more, and whether they let the shares be met.

    `given` are splits by the source, by record; a group straddles where the source itself tore it apart.
    """
    sizes = Counter(row.near_group for row in rows if row.near_group)
    largest = max(sizes.values(), default=0)
    drawn = [row for row in rows if row.instruction_id not in given]
    splits = Counter(row.split for row in drawn)
    wanted = {"validation": round(len(drawn) * recipe.validation), "test": round(len(drawn) * recipe.test)}
    missed = any(splits[Split(name)] != count for name, count in wanted.items())
    note = f"The shares could not be met exactly: the largest group holds {largest:,} rows." if missed else ""
    homes: dict[int, set[Split]] = defaultdict(set)
    for row in rows:
        homes[row.near_group].add(row.split)
    return {
        "near": recipe.near,
        "near_on": recipe.near_on,
        "groups": len(sizes),
        "rows": sizes.total(),
        "largest": largest,
        "by_document": by_document,
        "by_source": len(rows) - len(drawn),
        "straddling": sum(len(homes[group]) > 1 for group in sizes),
        "wanted": wanted,
        "note": note,
    }


def describe_privacy(session: Session, rows: Sequence[FrozenRow]) -> dict:
    """Flags on the frozen texts: none is open, or they would not be frozen."""
    cleared = _count_of(session, rows, PrivacyFlag, PrivacyFlag.cleared_at.is_not(None))
    return {"open": 0, "cleared": cleared}


def describe_duplicates(session: Session, rows: Sequence[FrozenRow]) -> dict:
    """How many near copies were kept at the gate, with a reason."""
    return {"waived": _count_of(session, rows, DuplicateWaiver)}


def describe_contamination(
    rows: Sequence[FrozenRow],
    hits: Sequence[tuple[FrozenRow, Hit]],
    dropped: int,
    screening: dict,
    limits: Limits,
) -> dict:
    """Against what the rows were compared, by which rule, what was found and what was done with it."""
    positions = {row.instruction_id: position for position, row in enumerate(rows)}
    kinds = Counter(hit.kind for _, hit in hits)
    lines = [
        {
            "instruction": row.instruction_id,
            "revision": row.instruction_version,
            "row": positions.get(row.instruction_id),  # None: dropped
            "set": hit.set_name,
            "text": hit.probe,
            "kind": hit.kind.value,
            "score": hit.score,
        }
        for row, hit in hits[:MOST_HITS]
    ]
    return {
        **screening,
        "rule": limits.sentence if screening["against"] else "",
        "rows": len({row.instruction_id for row, _ in hits}),
        "dropped": dropped,
        "kinds": {kind.value: kinds[kind] for kind in HitKind},
        "hits": lines,
        "hits_left_off": max(0, len(hits) - MOST_HITS),
    }


def _by_split(rows: Sequence[FrozenRow], label) -> dict[str, dict[str, int]]:
    counted = Counter((label(row) or "not given", row.split.value) for row in rows)
    found: dict[str, dict[str, int]] = {}
    for (name, split), count in sorted(counted.items()):
        found.setdefault(str(name), {})[split] = count
    return found


def _count_of(session: Session, rows: Sequence[FrozenRow], table, *conditions) -> int:
    """How many lines of a table are about the frozen revisions."""
    frozen = {(row.instruction_id, row.instruction_version) for row in rows}
    counted = (
        select(table.instruction_id, table.version, func.count())
        .where(*conditions)
        .group_by(table.instruction_id, table.version)
    )
    return sum(count for id, version, count in session.execute(counted) if (id, version) in frozen)
