"""The leaderboard as a table and as CSV: everything that its cells hold, a column each."""

import csv
import io

from db.enums import Category
from db.exchange.cells import defused
from db.leaderboard import Board, Cell, GroupMean
from db.metrics.interval import Interval

Value = str | float | int | None
_CELL_PARTS = (
    "", "low", "high", "rows", "way", "parse failures", "without leaks", "gain", "gain low", "gain high",
    "p", "p after Holm", "leaks",
)  # fmt: skip
_MEAN_PARTS = (
    "",
    "low",
    "high",
    "gain",
    "gain low",
    "gain high",
    "relative",
    "relative low",
    "relative high",
)


def as_table(board: Board) -> list[list[Value]]:
    """A header, then a row a model: each column's figure, ends, rows, gain, p and leaks; then means."""
    groups = [group for group in Category if any(group in row.groups for row in board.rows)]
    header = ["model", "kind", "base", "gate"]
    for column in board.columns:
        name = f"{column.title}, {column.measure_title}"
        header += [f"{name} {part}".strip() for part in _CELL_PARTS]
    for group in groups:
        header += [f"{group} mean {part}".strip() for part in _MEAN_PARTS]
    rows = [
        [
            row.title,
            row.kind,
            row.base_title,
            row.verdict.state.value if row.verdict else "",
            *(value for column in board.columns for value in _cell_values(row.cells.get(column.key))),
            *(value for group in groups for value in _mean_values(row.groups.get(group))),
        ]
        for row in board.rows
    ]
    return [header, *rows]


def as_csv(board: Board) -> str:
    """`as_table` as CSV, figures to six places; what is not known is empty."""
    out = io.StringIO()
    csv.writer(out).writerows([_cell(value) for value in row] for row in as_table(board))
    return out.getvalue()


def _cell_values(cell: Cell | None) -> list[Value]:
    if cell is None:
        return [None] * len(_CELL_PARTS)
    return [
        *_ends(cell.figure),
        cell.figure.n,
        cell.way.value,
        cell.parse_failures,
        cell.without_leaks.value if cell.without_leaks else None,
        *_ends(cell.gain.absolute if cell.gain else None),
        cell.p,
        cell.p_holm,
        cell.leaks.sentence,
    ]


def _mean_values(mean: GroupMean | None) -> list[float | None]:
    if mean is None:
        return [None] * len(_MEAN_PARTS)
    return [*_ends(mean.figure), *_ends(mean.gain), *_ends(mean.relative)]


def _ends(figure: Interval | None) -> list[float | None]:
    return [figure.value, figure.low, figure.high] if figure else [None, None, None]


def _cell(value: Value) -> Value:
    if isinstance(value, str):
        return defused(value)
    return round(value, 6) if isinstance(value, float) else value
