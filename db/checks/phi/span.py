"""A found stretch, the kinds there are, and the form of a text in which rules look for them."""

import unicodedata
from dataclasses import dataclass, replace
from enum import StrEnum


class Kind(StrEnum):
    """What a span seems to be; the value is what a person reads."""

    DATE = "date"
    AGE = "age over 89"
    PHONE = "phone number"
    EMAIL = "e-mail address"
    URL = "web address"
    IP = "IP address"
    ADDRESS = "postal address"
    RECORD = "record number"
    NATIONAL = "national identity number"
    ACCOUNT = "account number"
    VEHICLE = "vehicle number"
    DEVICE = "device number"
    PERSON = "name of a person"
    PLACE = "name of a place"
    ORGANISATION = "name of an organisation"


@dataclass(frozen=True, order=True)
class Span:
    """Characters `start` to `end` (exclusive) of a text."""

    start: int
    end: int
    kind: Kind
    score: float  # 0 to 1; how sure the rule is


def merge(spans: list[Span]) -> list[Span]:
    """The spans in order; those that overlap become one, of the surest one's kind."""
    merged: list[Span] = []
    for span in sorted(spans):
        if merged and span.start < merged[-1].end:
            last = merged[-1]
            surest = max(last, span, key=lambda one: (one.score, one.end - one.start))
            merged[-1] = replace(surest, start=last.start, end=max(last.end, span.end))
        else:
            merged.append(span)
    return merged


class _Fold(dict[int, str]):
    """One character for one, so that offsets hold: any script's digits, wide letters, dashes and spaces."""

    def __missing__(self, point: int) -> str:
        self[point] = folded = _fold_character(chr(point))
        return folded


def _fold_character(character: str) -> str:
    digit = unicodedata.decimal(character, None)
    if digit is not None:
        return str(digit)
    if "！" <= character <= "～":  # the full-width forms of ASCII
        return chr(ord(character) - 0xFEE0)
    category = unicodedata.category(character)
    if category == "Pd" or character == "\u2212":
        return "-"
    if category in ("Zs", "Cf"):  # spaces of any width; marks of writing direction
        return " "
    return character


_FOLD = _Fold()


def fold(text: str) -> str:
    """`text`, as long as before, with ASCII digits, dashes and spaces only: what the rules read."""
    return text if text.isascii() else text.translate(_FOLD)
