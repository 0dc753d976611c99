"""What differs between two frozen versions, row by row."""

from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256

from sqlalchemy import case, select
from sqlalchemy.orm import Session

from db.datasets import get_version
from db.enums import Split
from db.tables import DatasetRow

PAGE_ROWS = 50
_PIECE = 2_000  # rows fetched at a time


class Difference(StrEnum):
    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"  # the same instruction in another revision, or under other terms
    MOVED = "moved"  # to another split


@dataclass(frozen=True)
class Change:
    """One row that differs. Positions are None where a version lacks the row."""

    key: int  # its place in the diff, to page by
    differences: frozenset[Difference]  # one, or CHANGED and MOVED together
    instruction_id: int | None
    before: int | None  # position in the older version
    after: int | None
    split_before: Split | None
    split_after: Split | None


@dataclass(frozen=True)
class VersionDiff:
    """Every change from one version to another, in the order of the newer one; removed rows come last."""

    before_id: int
    after_id: int
    changes: tuple[Change, ...]
    unchanged: int

    @property
    def counts(self) -> dict[Difference, int]:
        """Rows by difference; a row that changed and moved counts in both."""
        counted = Counter(kind for change in self.changes for kind in change.differences)
        return {kind: counted[kind] for kind in Difference}

    def page(
        self, kind: Difference | None = None, *, after: int = -1, limit: int = PAGE_ROWS
    ) -> list[Change]:
        """Changes of a kind (None: all), from just behind the key `after`."""
        start = bisect_right(self.changes, after, key=lambda change: change.key)
        found = (change for change in self.changes[start:] if kind is None or kind in change.differences)
        return [change for change, _ in zip(found, range(limit), strict=False)]


@dataclass(frozen=True)
class _Row:
    position: int
    split: Split
    instruction_id: int | None
    state: tuple  # equal for equal revisions under equal terms


def compare_versions(session: Session, before_id: int, after_id: int) -> VersionDiff:
    """What changed from one version to another, of the same dataset or not.

    Rows are the same when they were frozen from the same instruction; those frozen from none when they say
    the same. Versions never change, so neither does their diff. Raises LookupError when there is no version.
    """
    before, after = _rows(session, before_id), _rows(session, after_id)
    found = []
    for name, row in after.items():
        if differences := _differences(before.get(name), row):
            found.append((differences, before.get(name), row))
    found += [
        (frozenset({Difference.REMOVED}), row, None) for name, row in before.items() if name not in after
    ]
    changes = tuple(_change(key, *each) for key, each in enumerate(found))
    both = len(before.keys() & after.keys())
    altered = sum(change.before is not None and change.after is not None for change in changes)
    return VersionDiff(before_id, after_id, changes, both - altered)


def read_change(
    session: Session, diff: VersionDiff, change: Change
) -> tuple[DatasetRow | None, DatasetRow | None]:
    """Both rows of a change, for showing their texts side by side."""
    return read_changes(session, diff, [change])[0]


def read_changes(
    session: Session, diff: VersionDiff, changes: Sequence[Change]
) -> list[tuple[DatasetRow | None, DatasetRow | None]]:
    """`read_change` of a page of changes, in two queries."""
    before = _rows_at(session, diff.before_id, [change.before for change in changes])
    after = _rows_at(session, diff.after_id, [change.after for change in changes])
    return [(before.get(change.before), after.get(change.after)) for change in changes]


def _differences(before: _Row | None, after: _Row) -> frozenset[Difference]:
    if before is None:
        return frozenset({Difference.ADDED})
    changed = {Difference.CHANGED} if before.state != after.state else set()
    return frozenset(changed | ({Difference.MOVED} if before.split is not after.split else set()))


def _change(key: int, differences: frozenset[Difference], before: _Row | None, after: _Row | None) -> Change:
    return Change(
        key,
        differences,
        (after or before).instruction_id,
        before.position if before else None,
        after.position if after else None,
        before.split if before else None,
        after.split if after else None,
    )


def _rows(session: Session, version_id: int) -> dict[tuple, _Row]:
    """A version's rows by what makes them the same row in another version, in order."""
    get_version(session, version_id)
    is_alone = DatasetRow.instruction_id.is_(None)  # only such a row is known by what it says
    texts = (DatasetRow.instruction, DatasetRow.input, DatasetRow.output)
    columns = (
        DatasetRow.position, DatasetRow.split, DatasetRow.instruction_id, DatasetRow.instruction_version,
        DatasetRow.licence, DatasetRow.origin, DatasetRow.provenance, DatasetRow.is_restricted,
        DatasetRow.is_unreviewed, *(case((is_alone, text)) for text in texts),
    )  # fmt: skip
    query = select(*columns).where(DatasetRow.version_id == version_id).order_by(DatasetRow.position)
    rows: dict[tuple, _Row] = {}
    copies: Counter = Counter()
    found = session.execute(query.execution_options(yield_per=_PIECE))
    for position, split, instruction_id, revision, *terms, instruction, input, output in found:
        name = instruction_id if instruction_id is not None else _digest(instruction, input, output)
        copies[name] += 1
        state = (revision, *terms) if instruction_id is not None else tuple(terms)
        rows[name, copies[name]] = _Row(position, split, instruction_id, state)
    return rows


def _digest(*texts: str) -> bytes:
    return sha256("\x1f".join(texts).encode()).digest()


def _rows_at(session: Session, version_id: int, positions: Sequence[int | None]) -> dict:
    """Rows of a version by position; positions of None are no rows."""
    wanted = [position for position in positions if position is not None]
    query = select(DatasetRow).where(DatasetRow.version_id == version_id, DatasetRow.position.in_(wanted))
    return {row.position: row for row in session.scalars(query)}
