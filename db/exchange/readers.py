"""Rows of a file, one at a time: never the whole file in memory, never a row lost without a word."""

import csv
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

from db.exchange import arrow
from db.exchange.cells import as_written
from db.exchange.sniff import Container, Layout

MAX_ROW = 4_000_000  # characters of one row, far above what a record may hold
_CHUNK = 1 << 18
_SPACE = " \t\n\r"


@dataclass(frozen=True)
class SourceRow:
    """A row as the file has it, or what is wrong with it."""

    line: int
    number: int
    values: dict[str, object] = field(default_factory=dict)
    fault: str = ""


def read_rows(path: Path, layout: Layout) -> Iterator[SourceRow]:
    """The rows in order; numbers and lines count from 1. What cannot be read is a row with a fault."""
    if layout.container is Container.JSON:
        yield from _json_array(path)
    elif layout.container is Container.JSONL:
        yield from _json_lines(path)
    elif layout.container is Container.CSV:
        yield from _delimited(path, layout)
    else:
        rows = arrow.parquet_rows(path) if layout.container is Container.PARQUET else arrow.saved_rows(path)
        for number, values in enumerate(rows, start=1):
            yield SourceRow(number, number, values)


# JSON -------------------------------------------------------------------------------------------------


def _json_lines(path: Path) -> Iterator[SourceRow]:
    line = number = 0
    with path.open(encoding="utf-8-sig") as file:
        while text := file.readline(MAX_ROW):
            line += 1
            if len(text) == MAX_ROW and not text.endswith("\n"):
                _skip_line(file)
                number += 1
                yield SourceRow(line, number, fault=f"longer than {MAX_ROW:,} characters; shorten it.")
            elif text.strip():
                number += 1
                yield _json_row(line, number, text)


def _skip_line(file: TextIO) -> None:
    while (text := file.readline(MAX_ROW)) and not text.endswith("\n"):
        pass


def _json_row(line: int, number: int, text: str) -> SourceRow:
    try:
        return _object_row(line, number, json.loads(text))
    except (ValueError, RecursionError) as error:
        return SourceRow(line, number, fault=_json_fault(error))


def _object_row(line: int, number: int, value: object) -> SourceRow:
    if not isinstance(value, dict):
        fault = 'not an object; write {"instruction": ..., "input": ..., "output": ...}.'
        return SourceRow(line, number, fault=fault)
    return SourceRow(line, number, value)


def _json_fault(error: ValueError | RecursionError) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"not JSON: {error.msg} at column {error.colno}."
    if isinstance(error, RecursionError):
        return "not JSON that can be read: brackets too deep."
    return "not JSON that can be read: a number has too many digits."


class _Window:
    """A part of the file, moved along it; `line` is that of the place it stands at."""

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self._text = ""
        self._place = 0
        self._is_last = False
        self.line = 1

    def peek(self) -> str:
        """The next character that is no space; empty at the end."""
        while True:
            at = self._place
            while at < len(self._text) and self._text[at] in _SPACE:
                at += 1
            self._move(at)
            if at < len(self._text) or self._is_last:
                return self._text[at : at + 1]
            self._read()

    def skip(self) -> None:
        self._move(self._place + 1)

    def value(self) -> object:
        """The JSON value that begins here. Raises ValueError or RecursionError where there is none."""
        while True:
            try:
                value, end = _DECODER.raw_decode(self._text, self._place)
            except ValueError:
                # Perhaps only cut off: look at more of it, up to what a row may be.
                if self._is_last or len(self._text) - self._place > MAX_ROW:
                    raise
                self._read()
            else:
                self._move(end)
                return value

    def _move(self, place: int) -> None:
        self.line += self._text.count("\n", self._place, place)
        self._place = place

    def _read(self) -> None:
        kept = self._text[self._place :]
        more = self._file.read(max(_CHUNK, len(kept)))
        self._is_last = not more
        self._text, self._place = kept + more, 0


_DECODER = json.JSONDecoder()


def _json_array(path: Path) -> Iterator[SourceRow]:
    """Behind a fault of syntax nothing more can be read: it is the last row."""
    with path.open(encoding="utf-8-sig") as file:
        window = _Window(file)
        window.peek()
        window.skip()
        number = 0
        while (mark := window.peek()) != "]":
            number += 1
            line = window.line
            if number > 1:
                if mark != ",":
                    yield SourceRow(
                        line, number, fault="not JSON: a comma or the closing bracket is missing."
                    )
                    return
                window.skip()
                window.peek()
                line = window.line
            try:
                row = _object_row(line, number, window.value())
            except (ValueError, RecursionError) as error:
                said = (
                    f"not JSON: {error.msg}."
                    if isinstance(error, json.JSONDecodeError)
                    else _json_fault(error)
                )
                yield SourceRow(line, number, fault=said)
                return
            yield row
        window.skip()
        if window.peek():
            yield SourceRow(window.line, number + 1, fault="not JSON: text behind the closing bracket.")


# CSV and TSV ------------------------------------------------------------------------------------------


def _delimited(path: Path, layout: Layout) -> Iterator[SourceRow]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        records = csv.reader(file, delimiter=layout.delimiter, strict=True)
        names: list[str] | None = None
        number, is_ours = 0, False
        while True:
            line = records.line_num + 1
            try:
                cells = next(records, None)
            except csv.Error as error:
                # Where the next record begins is not known any more.
                yield SourceRow(line, number + 1, fault=_csv_fault(error))
                return
            if cells is None:
                return
            if not any(cells):
                continue
            if names is None:
                names = _column_names(cells, layout)
                is_ours = _is_export(names)
                if layout.has_header:
                    continue
            number += 1
            if len(cells) != len(names):
                fault = (
                    f"{len(cells)} cells, the first line has {len(names)}; quote text that holds the mark."
                )
                yield SourceRow(line, number, fault=fault)
            else:
                texts = map(as_written, cells) if is_ours else cells
                yield SourceRow(line, number, dict(zip(names, texts, strict=True)))


def _column_names(cells: list[str], layout: Layout) -> list[str]:
    if not layout.has_header:
        return [f"column {place}" for place in range(1, len(cells) + 1)]
    names = [cell.strip() or f"column {place}" for place, cell in enumerate(cells, start=1)]
    return [
        name if names.index(name) == place else f"{name} ({place + 1})" for place, name in enumerate(names)
    ]


def _is_export(names: list[str]) -> bool:
    """True for a file that the studio wrote: only there does an apostrophe before a formula come off."""
    return {"instruction", "input", "output", "category", "difficulty", "provenance", "key"} <= set(names)


def _csv_fault(error: csv.Error) -> str:
    said = str(error)
    if "field limit" in said:
        return f"a cell of more than {csv.field_size_limit():,} characters; a closing quote may be missing."
    if "unexpected end" in said:
        return "a quoted cell has no end; close its quote."
    return "a quote stands inside a quoted cell; write it twice."
