"""What is wrong with a file, by line, and the file that says so."""

import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass

from db.exchange.cells import defused

MAX_FAULTS = 10_000
"""Reading stops here: whoever has so many faults has one cause."""


@dataclass(frozen=True)
class RowError:
    """One fault. `line` is the line where the row begins, or its number where a file has no lines.

    The message opens with the field it is about, where it is about one, and never quotes the row's text:
    at most the first characters of a label.
    """

    line: int
    message: str
    row: int = 0  # its number among the rows; 0 where it is not known

    @property
    def field(self) -> str:
        head, colon, _ = self.message.partition(": ")
        return head if colon and head.isidentifier() else ""


class ImportRefused(ValueError):
    """The file holds faults; nothing was stored. `errors` lists them by line."""

    def __init__(self, errors: list[RowError]) -> None:
        more = " at least" if len(errors) >= MAX_FAULTS else ""
        super().__init__(
            f"file:{more} {len(errors):,} rows have faults and nothing was imported; mend them and try again."
        )
        self.errors = errors


def error_file(errors: Iterable[RowError]) -> bytes:
    """The faults as CSV that a spreadsheet opens: line, row, field, message."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(("line", "row", "field", "message"))
    for error in errors:
        writer.writerow((error.line, error.row or "", error.field, defused(error.message)))
    return text.getvalue().encode("utf-8-sig")
