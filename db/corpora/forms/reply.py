"""A model's reply stripped of what models wrap answers in: thoughts, code fences, bullets, quotes, prose."""

import ast
import json
import re
from collections.abc import Callable, Iterator
from typing import Any

from db.corpora.forms.prediction import folded

_FENCE = re.compile(r"^[ \t]*```[\w-]*[ \t]*\n(.*?)(?:^[ \t]*```[ \t]*$|\Z)", re.DOTALL | re.MULTILINE)
_THOUGHT = re.compile(r"\A.*</think(?:ing)?>", re.DOTALL | re.IGNORECASE)
_DASH = re.compile(r"^\s*[-*•+–—]\s+")
_NUMBER = re.compile(r"^\s*\(?\d{1,3}[.)]\s+")
_MARKER = re.compile(
    r"\b(?:answers?|labels?|relations?|relationship|prediction|output|response|code|"
    r"categor(?:y|ies)|class(?:es)?)"
    r"\b[\"'*]*\s*(?:\bis\b|\bare\b|:|=)[\s\"'*]*",
    re.IGNORECASE,
)
_TRAILING_COMMA = re.compile(r",\s*([\]}])")
_OPENING = re.compile(r"""[\[{](?=\s*(?:[\[\]{}"'\d-]|true|false|null))""")
# What says that there is nothing. "NO" and "Na" do not: they are nitric oxide and sodium.
NONE = frozenset(
    ("none", "null", "n/a", "nothing", "none found", "no mentions", "none mentioned", "[]", "{}")
)
_TRIES = 200  # brackets that open nothing; a reply with more of them is a loop and not an answer
_DECODER = json.JSONDecoder()


def body(answer: str) -> str:
    """The part of a reply that is the answer: after the thoughts, inside the code fences if there are any."""
    answer = _THOUGHT.sub("", answer) if "</think" in answer.lower() else answer
    fenced = _FENCE.findall(answer) if "```" in answer else []
    return "\n".join(fenced).strip() if fenced else answer.strip()


def lines(text: str) -> list[str]:
    """The lines that hold something, without the white space at their ends."""
    return [line.strip() for line in text.split("\n") if line.strip()]


def without_bullet(line: str) -> str:
    """A line without the dash, dot or number that makes it an item of a list."""
    dash = _DASH.sub("", line, count=1)
    return dash if dash != line else _NUMBER.sub("", line, count=1)


def is_bulleted(line: str) -> bool:
    return without_bullet(line) != line


def unwrapped(words: str) -> str:
    """Words without quotes, backticks, emphasis or a full stop around them."""
    return words.strip().strip("\"'`*“”‘’").rstrip(".").strip().strip("\"'`*“”‘’").strip()


def says_none(text: str) -> bool:
    """Whether a reply says, in a word or two, that there is nothing."""
    return folded(unwrapped(after_marker(text) or text)) in NONE


def after_marker(text: str) -> str:
    """What follows the last 'answer:' or 'the label is'; empty where there is no such marker."""
    found = list(_MARKER.finditer(text))
    return text[found[-1].end() :].strip() if found else ""


def json_value(answer: str, wanted: Callable[[Any], bool]) -> tuple[Any, bool]:
    """The JSON value of a reply that is `wanted`, and whether the reply was cut off.

    Prose around it, trailing commas and Python's quotes are forgiven. Of a list that does not end, the whole
    members are kept and a half one never is. (None, False) where there is no such value.
    """
    text = body(answer)
    for candidate in (text, _TRAILING_COMMA.sub(r"\1", text)):
        values = [value for value in _values(candidate) if wanted(value)]
        if len(values) > 1 and all(isinstance(value, dict) for value in values) and wanted(values):
            return values, False  # one object a line
        if values:
            return values[0], False
    value = _python_literal(text)
    if value is not None and wanted(value):
        return value, False
    members = list(_members(text))
    return (members, True) if members and wanted(members) else (None, False)


def _values(text: str) -> Iterator[Any]:
    """Every outermost list or object of JSON in the text."""
    position = tries = 0
    while (found := _OPENING.search(text, position)) and tries < _TRIES:
        try:
            value, position = _DECODER.raw_decode(text, found.start())
        except (json.JSONDecodeError, RecursionError):
            position, tries = found.start() + 1, tries + 1
            if text[found.start()] == "[" and "{" in text[position:]:
                return  # the list is broken: its members are for _members, none is the whole
            continue
        yield value


def _python_literal(text: str) -> Any:
    start, end = text.find("["), text.rfind("]")
    if not 0 <= start < end or end - start > 100_000:
        return None
    try:
        return ast.literal_eval(text[start : end + 1])
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return None


def _members(text: str) -> Iterator[Any]:
    """The whole members of a list that is broken further on: objects, or else strings."""
    position = text.find("[")
    if position < 0 and "{" not in text:
        return
    opening = re.compile(r"\{" if "{" in text else r'"')
    tries = 0
    while (found := opening.search(text, max(position, 0))) and tries < _TRIES:
        try:
            value, position = _DECODER.raw_decode(text, found.start())
        except (json.JSONDecodeError, RecursionError):
            position, tries = found.start() + 1, tries + 1
            continue
        yield value
