"""A first look at a file: what it is, how many rows it has, what its columns are called and hold."""

import codecs
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from db.exchange.conversations import is_conversation
from db.exchange.mapping import guess_mapping
from db.exchange.plan import MAX_ROWS
from db.exchange.readers import read_rows
from db.exchange.sniff import Container, Layout, fingerprint_file, sniff

SAMPLE_ROWS = 200  # looked at for the guess and for first values
FIRST_VALUES = 3
_MAX_COLUMNS = 500
_SHOWN = 120  # characters of a value
_REPORT_EVERY = 500

Report = Callable[[int], None]
"""Told now and then how many rows are done; may raise to stop the work."""


@dataclass(frozen=True)
class Survey:
    """`first_values` holds a few that are not empty, by column; `mapping` is the guess, {field: column}."""

    layout: Layout
    kind: str  # what people call such a file: Alpaca, messages, ShareGPT; "" where there is no name for it
    encoding: str  # "" where it is not text
    size: int  # bytes
    rows: int
    unreadable: int  # rows among them that cannot be read
    columns: tuple[str, ...]
    first_values: dict[str, tuple[str, ...]]
    mapping: dict[str, str]

    @property
    def has_conversations(self) -> bool:
        return "conversation" in self.mapping


def survey(path: Path, report: Report = lambda rows: None) -> Survey:
    """Read the file once, a row at a time. Raises ValueError with the mend when it cannot be read at all."""
    layout = sniff(path)
    fingerprint_file(path, layout)
    columns: dict[str, None] = {}
    sample, rows, unreadable = [], 0, 0
    for row in read_rows(path, layout):
        rows += 1
        unreadable += bool(row.fault)
        if rows > MAX_ROWS:
            raise ValueError(f"file: more than {MAX_ROWS:,} rows; split it into files of at most that many.")
        if len(columns) < _MAX_COLUMNS:
            columns.update(dict.fromkeys(row.values))
        if len(sample) < SAMPLE_ROWS and not row.fault:
            sample.append(row.values)
        if rows % _REPORT_EVERY == 0:
            report(rows)
    if not rows:
        raise ValueError("file: it holds no rows; choose a file with at least one.")
    names = tuple(columns)
    mapping = guess_mapping(names, sample)
    return Survey(
        layout, _kind(layout, mapping, sample), _encoding(path, layout), _size(path), rows, unreadable,
        names, {name: _first_values(sample, name) for name in names}, mapping,
    )  # fmt: skip


def _kind(layout: Layout, mapping: dict[str, str], sample: list[dict]) -> str:
    if talk := mapping.get("conversation"):
        turns = next(row[talk] for row in sample if is_conversation(row.get(talk)))
        return "messages" if "role" in turns[0] else "ShareGPT"
    is_alpaca = layout.container is Container.JSON and {"instruction", "output"} <= set(mapping)
    return "Alpaca" if is_alpaca else ""


def _encoding(path: Path, layout: Layout) -> str:
    if layout.container in (Container.PARQUET, Container.DATASETS):
        return ""
    with path.open("rb") as file:
        has_mark = file.read(3) == codecs.BOM_UTF8
    return "UTF-8 with a byte-order mark" if has_mark else "UTF-8"


def _size(path: Path) -> int:
    files = path.rglob("*") if path.is_dir() else [path]
    return sum(file.stat().st_size for file in files if file.is_file())


def _first_values(sample: list[dict], column: str) -> tuple[str, ...]:
    found: list[str] = []
    for row in sample:
        value = row.get(column)
        if value is None or value == "" or value == []:
            continue
        shown = _shown(value)
        if shown not in found:
            found.append(shown)
        if len(found) == FIRST_VALUES:
            break
    return tuple(found)


def _shown(value: object) -> str:
    """A value on one line; of a conversation its first turns."""
    if is_conversation(value):
        value = " / ".join(str(turn.get("content", turn.get("value", ""))) for turn in value[:2])
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    line = " ".join(text[: _SHOWN * 4].split())
    return line if len(line) <= _SHOWN else line[:_SHOWN].rstrip() + "…"
