"""The members of one large JSON value, one at a time: never the whole file in memory."""

from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

import ijson

from db.corpora.readers.text import open_text
from db.corpora.schema import CorpusError

MAX_RECORD = 16_000_000  # characters between the end of one member and of the next


def json_items(path: Path, prefix: str, encoding: str = "") -> Iterator[object]:
    """The values under `prefix`, as ijson writes it: `item` of an array, `questions.item` of a field."""
    yield from _read(path, encoding, lambda source: ijson.items(source, prefix, use_float=True))


def json_members(path: Path, encoding: str = "") -> Iterator[tuple[str, object]]:
    """The (name, value) pairs of the object that the file is."""
    yield from _read(path, encoding, lambda source: ijson.kvitems(source, "", use_float=True))


def _read(path: Path, encoding: str, parse) -> Iterator:
    number = 0
    with open_text(path, encoding) as file:
        source = _Bytes(file)
        try:
            for value in parse(source):
                number += 1
                source.since = 0
                yield value
        except ijson.IncompleteJSONError as error:
            if source.is_empty:
                raise CorpusError("it is empty; choose another.") from None
            # yajl says "incomplete" of broken text, too: only at the end of the file it was cut off.
            raise CorpusError(_said(error, source.is_at_end), record=str(number + 1)) from None
        except (ijson.JSONError, ValueError) as error:
            if isinstance(error, (CorpusError, UnicodeError)):
                raise
            raise CorpusError(_said(error, False), record=str(number + 1)) from None


def _said(error: ValueError, is_at_end: bool) -> str:
    text = str(error)
    if "trailing garbage" in text:
        return "not JSON: text behind the end of the value; if it holds one object a line, call it .jsonl."
    if is_at_end and ("premature" in text or "Incomplete" in text):
        return "the file ends in the middle of it; it was cut off: fetch it again."
    return "not JSON: a comma, a quote or a bracket is wrong here; mend it."


class _Bytes:
    """Text as the UTF-8 bytes that the parser wants, up to what one member may hold."""

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self.since = 0
        self.is_at_end = False
        self.is_empty = True

    def read(self, size: int = -1) -> bytes:
        text = self._file.read(size)
        self.is_at_end = self.is_at_end or (size != 0 and not text)
        self.is_empty = self.is_empty and not text
        self.since += len(text)
        if self.since > MAX_RECORD:
            raise CorpusError(f"a record of more than {MAX_RECORD:,} characters; split it.")
        return text.encode()
