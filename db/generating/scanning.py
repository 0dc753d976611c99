"""The whole objects in a text that may be broken JSON, cut off, or wrapped in prose, in linear time.

One pass, without recursion and without going back: an object counts once its closing brace is read, so a
text that is cut anywhere gives a prefix of the objects of the whole text. Where the text stops being JSON the
object is lost, and reading goes on at the next brace that opens one. Valid JSON gives what `json` reads;
beyond that only a comma before a closing bracket, raw line breaks in strings, and backslashes that escape
nothing pass.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum

MAX_DEPTH = 40  # containers inside one another; deeper is no record
_TOKEN = re.compile(r'[ \t\r\n]*+(?:([{}\[\]:,])|("(?:[^"\\]|\\.)*+")|([-+\w.]++))', re.DOTALL)
_OPENING = re.compile(r'\{[ \t\r\n]*+"')
_KEY = re.compile(r'"(\w{1,20})"[ \t\r\n]{0,9}:')
_LITERAL = re.compile(r"true|false|null|-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?")
_ESCAPE = re.compile(r'\\(?:u[0-9a-fA-F]{4}|["\\/bfnrt]|(.))', re.DOTALL)


class Loss(StrEnum):
    """Why an object was lost."""

    CUT = "cut"  # the text ends within it
    BROKEN = "broken"  # it is no JSON
    DEEP = "deep"  # nested more than MAX_DEPTH


@dataclass(frozen=True)
class Raw:
    """A value that is no string, as it stands: a number, a literal, a list, an object."""

    text: str


@dataclass(frozen=True)
class Record:
    """A whole object: its pairs in order, repeated keys too; offsets are characters of the text."""

    pairs: tuple[tuple[str, str | Raw], ...]
    start: int
    end: int


@dataclass(frozen=True)
class Lost:
    """Where an object was lost: its start, and how far it was read."""

    start: int
    end: int
    loss: Loss


def first_opening(text: str) -> int | None:
    """Where the first object begins."""
    match = _OPENING.search(text)
    return match.start() if match else None


def scan(text: str, keys: frozenset[str]) -> Iterator[Record | Lost]:
    """The objects that have one of `keys` (lower case), as they end; what stands inside one is its value."""
    at, is_lost = 0, False
    while (opening := _OPENING.search(text, at)) is not None:
        if not is_lost:
            yield from _lost_between(text, at, opening.start(), keys)
        reading = _Reading(text, opening.start(), keys)
        yield from reading.run()
        at, is_lost = reading.at, reading.is_lost
    if not is_lost:
        yield from _lost_between(text, at, len(text), keys)


def _lost_between(text: str, start: int, end: int, keys: frozenset[str]) -> Iterator[Lost]:
    """A record without its opening brace, between two objects."""
    for match in _KEY.finditer(text, start, end):
        if match[1].lower() in keys:
            yield Lost(match.start(), end, Loss.BROKEN)
            return


@dataclass
class _Open:
    """A container that is being read, and what may come next in it."""

    is_object: bool
    start: int
    is_inside: bool  # a record, which makes it a value
    wants: str  # key, colon, value or comma
    is_record: bool = False
    key: str = ""
    pairs: list[tuple[str, str | Raw]] = field(default_factory=list)


class _Stop(Exception):
    def __init__(self, loss: Loss) -> None:
        self.loss = loss


class _Reading:
    """One object, and what is in it."""

    def __init__(self, text: str, start: int, keys: frozenset[str]) -> None:
        self.at = start  # how far the text was read
        self.is_lost = False
        self._text, self._start, self._keys = text, start, keys
        self._open: list[_Open] = []

    def run(self) -> Iterator[Record | Lost]:
        try:
            self._take(self._next())
            while self._open:
                record = self._take(self._next())
                if record:
                    yield record
        except _Stop as stop:
            self.is_lost = True
            yield Lost(self._lost_from(), self.at, stop.loss)

    def _next(self) -> re.Match:
        match = _TOKEN.match(self._text, self.at)
        if match is None:
            rest = self._text[self.at : self.at + 100].lstrip(" \t\r\n")
            raise _Stop(Loss.CUT if not rest or rest[0] == '"' else Loss.BROKEN)
        self.at = match.end()
        return match

    def _lost_from(self) -> int:
        """The record that is lost, or else the innermost container."""
        records = [one.start for one in self._open if one.is_record]
        return records[0] if records else self._open[-1].start if self._open else self._start

    def _take(self, match: re.Match) -> Record | None:
        sign, string, word = match.groups()
        if sign in ("{", "["):
            self._begin(sign == "{", match.end() - 1)
        elif sign in ("}", "]"):
            return self._close(sign == "}", match.end())
        elif sign:
            self._part(sign)
        elif string is not None:
            self._string(_decoded(string))
        elif _LITERAL.fullmatch(word):
            self._value(Raw(word))
        else:
            raise _Stop(Loss.BROKEN if match.end() < len(self._text) else Loss.CUT)
        return None

    def _begin(self, is_object: bool, start: int) -> None:
        if len(self._open) == MAX_DEPTH:
            raise _Stop(Loss.DEEP)
        outer = self._open[-1] if self._open else None
        if outer and outer.wants != "value":
            raise _Stop(Loss.BROKEN)
        is_inside = outer is not None and (outer.is_inside or outer.is_record)
        self._open.append(_Open(is_object, start, is_inside, "key" if is_object else "value"))

    def _close(self, is_object: bool, end: int) -> Record | None:
        closed = self._open.pop()
        is_between = closed.wants == "comma" or closed.wants == ("key" if is_object else "value")
        if closed.is_object is not is_object or not is_between:
            self._open.append(closed)
            raise _Stop(Loss.BROKEN)
        if self._open:
            self._value(Raw(self._text[closed.start : end] if closed.is_inside else ""))
        is_kept = closed.is_record and not closed.is_inside
        return Record(tuple(closed.pairs), closed.start, end) if is_kept else None

    def _part(self, sign: str) -> None:
        inner = self._open[-1]
        if sign == ":" and inner.wants == "colon":
            inner.wants = "value"
        elif sign == "," and inner.wants == "comma":
            inner.wants = "key" if inner.is_object else "value"
        else:
            raise _Stop(Loss.BROKEN)

    def _string(self, value: str) -> None:
        inner = self._open[-1]
        if inner.wants != "key":
            self._value(value)
            return
        inner.key, inner.wants = value.strip().lower(), "colon"
        inner.is_record = inner.is_record or inner.key in self._keys

    def _value(self, value: str | Raw) -> None:
        inner = self._open[-1]
        if inner.wants != "value":
            raise _Stop(Loss.BROKEN)
        if inner.is_object:
            inner.pairs.append((inner.key, value))
        inner.wants = "comma"


def _decoded(string: str) -> str:
    """The text of a JSON string in its quotation marks; a backslash that escapes nothing is kept."""
    try:
        return json.loads(string, strict=False)
    except ValueError:
        mended = _ESCAPE.sub(lambda match: f"\\\\{match[1]}" if match[1] else match[0], string)
        return json.loads(mended, strict=False)
