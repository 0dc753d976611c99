"""Records with named fields out of JSON lines, a JSON array, CSV or TSV: one way to ask them for a field."""

import csv
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Literal, TextIO

from db.corpora.readers.formats import Options
from db.corpora.readers.json_items import json_items
from db.corpora.readers.text import MAX_LINE, lines, open_text
from db.corpora.schema import CorpusError, Row

_DELIMITERS = {"tab": "\t", "comma": ",", "semicolon": ";", "bar": "|"}


@dataclass(frozen=True)
class Record:
    """One record: its fields, and where it stood, to say what is wrong with it."""

    values: Mapping[str, object]
    number: int = 0  # among the records, from 1
    line: int | None = None
    name: str = ""  # what it is called where a file has no lines to count

    def fault(self, sentence: str) -> CorpusError:
        return CorpusError(sentence, line=self.line, record=self.name or str(self.number))

    def has(self, *names: str) -> bool:
        return any(self.values.get(name) not in (None, "") for name in names)

    def text(self, *names: str, default: str | None = None) -> str:
        """The first of `names` that is there, as text. Raises CorpusError where none is, or it is empty."""
        for name in names:
            value = self.values.get(name)
            if isinstance(value, int):
                return str(value)
            if value is not None and not isinstance(value, str):
                raise self.fault(f"{name} is not text; write a string.")
            if value and value.strip():
                return value
        if default is None:
            raise self.fault(f"{' or '.join(names)} is missing or empty; fill it in.")
        return default

    def texts(self, name: str) -> tuple[str, ...]:
        """A field that is a list of texts, or one text. Raises CorpusError where it is neither."""
        value = self.values.get(name)
        listed = [value] if isinstance(value, str) else value
        if not isinstance(listed, list) or not all(isinstance(text, str) for text in listed):
            raise self.fault(f"{name} is missing or no list of texts; write one.")
        return tuple(listed)


RowsOfRecords = Callable[[Iterable[Record], Options], Iterator[Row]]


def records(path: Path, options: Options) -> Iterator[Record]:
    """The records of a file in order, told by its first character: `[` an array, `{` lines, else a table."""
    encoding = options.get("encoding", "")
    start = first_character(path, encoding)
    if start == "[":
        for number, value in enumerate(json_items(path, "item", encoding), start=1):
            yield record_of(value, number=number)
    elif start == "{":
        yield from _json_lines(path, encoding)
    elif start:
        yield from _table(path, options)


def record_of(value: object, *, number: int = 0, line: int | None = None, name: str = "") -> Record:
    """A parsed JSON value as a record. Raises CorpusError for one that is no object."""
    if not isinstance(value, dict):
        raise Record({}, number, line, name).fault('it is no object; write {"field": ...}.')
    return Record(value, number, line, name)


def first_character(path: Path, encoding: str) -> str:
    """The first character that is no white space; empty where there is none."""
    with open_text(path, encoding) as file:
        while chunk := file.read(1000):
            if stripped := chunk.lstrip():
                return stripped[0]
    return ""


def _json_lines(path: Path, encoding: str) -> Iterator[Record]:
    number = 0
    for line, text in lines(path, encoding):
        if text.strip():
            number += 1
            yield record_of(parsed(text, line), number=number, line=line)


def broken_records(path: Path, rows: RowsOfRecords, options: Options) -> Iterator[CorpusError]:
    """Every line of JSON lines that is no record, or gives no row. Of an array or a table nothing is told."""
    encoding = options.get("encoding", "")
    if first_character(path, encoding) != "{":
        return
    number = 0
    for line, text in lines(path, encoding):
        if text.strip():
            number += 1
            try:
                for _ in rows([record_of(parsed(text, line), number=number, line=line)], options):
                    pass
            except CorpusError as error:
                yield error


def parsed(text: str, line: int) -> object:
    """The JSON value of a line. Raises CorpusError, saying where it breaks."""
    try:
        value = json.loads(text)
        if "\\u" in text:
            json.dumps(value, ensure_ascii=False).encode()
        return value
    except UnicodeEncodeError:
        raise CorpusError(
            "it holds half of a character (a lone surrogate); take it out.", line=line
        ) from None
    except json.JSONDecodeError as error:
        mend = (
            "the file was cut off, or the object goes on below: write one whole object a line."
            if error.pos >= len(text.rstrip()) or error.msg.startswith("Unterminated")
            else "mend it; one whole object a line."
        )
        raise CorpusError(f"not JSON: {error.msg} at column {error.colno}; {mend}", line=line) from None
    except RecursionError:
        raise CorpusError("not JSON that can be read: brackets too deep; flatten it.", line=line) from None
    except ValueError:
        raise CorpusError("not JSON that can be read: a number is too long; shorten it.", line=line) from None


# Tables -----------------------------------------------------------------------------------------------


def _table(path: Path, options: Options) -> Iterator[Record]:
    with open_text(path, options.get("encoding", ""), newline="") as file:
        first = file.readline(MAX_LINE)
        delimiter = _DELIMITERS.get(options.get("delimiter", "")) or _likely_delimiter(first)
        quoting = _quoting(delimiter, options)
        rows = csv.reader(
            chain([first], _short_lines(file)), delimiter=delimiter, quoting=quoting, strict=True
        )
        names = [name.strip() for name in options.get("columns", "").split(",") if name.strip()]
        number, line = 0, 1
        for cells, end in _cells(rows):
            if any(cells) and not names:
                names = _header(cells, line)
            elif any(cells):
                number += 1
                yield Record(_named(names, cells, line), number, line)
            line = end + 1


def _short_lines(file: TextIO) -> Iterator[str]:
    """The other lines, none longer than is believed; one without an end would take all memory."""
    while line := file.readline(MAX_LINE):
        if len(line) == MAX_LINE:
            raise CorpusError(f"a line of {MAX_LINE:,} characters and more; split it.")
        yield line


def by_record(
    rows: Callable[[Iterable[Record], Options], Iterator[Row]],
) -> Callable[[Path, Options], Iterator[Row]]:
    """A reader of files out of a reader of records."""
    return lambda path, options: rows(records(path, options), options)


def _cells(rows) -> Iterator[tuple[list[str], int]]:
    """The cells of each record, and the line that it ends on."""
    while True:
        line = rows.line_num + 1
        try:
            cells = next(rows, None)
        except csv.Error as error:
            raise CorpusError(_said(error), line=line) from None
        if cells is None:
            return
        yield cells, rows.line_num


def _quoting(delimiter: str, options: Options) -> Literal[0, 3]:
    quotes = options.get("quotes", "auto")
    quoted = quotes == "yes" or (quotes == "auto" and delimiter != "\t")
    return csv.QUOTE_MINIMAL if quoted else csv.QUOTE_NONE


def _likely_delimiter(line: str) -> str:
    if "\t" in line:
        return "\t"
    return max(",;|", key=line.count)


def _header(cells: list[str], line: int) -> list[str]:
    names = [cell.strip() for cell in cells]
    twice = {name for name in names if name and names.count(name) > 1}
    if twice:
        raise CorpusError(f"two columns are called {sorted(twice)[0][:40]}; rename one.", line=line)
    return names


def _named(names: list[str], cells: list[str], line: int) -> dict[str, str]:
    if len(cells) != len(names):
        raise CorpusError(
            f"{len(cells)} cells, and there are {len(names)} columns; fill or quote them.", line=line
        )
    return dict(zip(names, cells, strict=True))


def _said(error: csv.Error) -> str:
    if "field larger" in str(error):
        return f"a cell of more than {csv.field_size_limit():,} characters; a closing quote may be missing."
    if "end of data" in str(error):
        return "a quote is opened and never closed; the file may have been cut off."
    return "its quotes cannot be read; double each quote inside a quoted cell, or say quotes=no."
