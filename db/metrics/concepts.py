"""Which clinical concepts a text names, by the studio's own list of common terms (concepts.yaml).

A list and not a terminology: it has some nine hundred concepts and no idea of context, negation or meaning.
It says whether an answer is about the same drugs, conditions, findings and tests as its reference, under
whatever name; a term that it lacks counts for neither side.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import yaml

from db.checks.naming import name_of
from db.checks.similarity import tokenise

LIST = Path(__file__).with_name("concepts.yaml")
_ABBREVIATION = re.compile(r"[A-Z][A-Z0-9&]{1,5}")


@dataclass(frozen=True)
class Concepts:
    """The ways of writing each concept. `longest` is in words."""

    phrases: dict[tuple[str, ...], str]  # stems of the words -> the concept's name
    abbreviations: dict[str, str]  # in capitals -> the concept's name
    pattern: re.Pattern
    longest: int


def concepts_of(text: str) -> frozenset[str]:
    """The names of the concepts that a text names; of ways of writing that overlap, the longest counts."""
    known = load()
    short = {known.abbreviations[found[1]] for found in known.pattern.finditer(text)}
    return frozenset(_phrases(_stems(text), known)) | short


@lru_cache(maxsize=1)
def load() -> Concepts:
    """The list, read once. Raises ValueError where one way of writing names two concepts."""
    phrases: dict[tuple[str, ...], str] = {}
    abbreviations: dict[str, str] = {}
    for name, ways in entries():
        for way in (name, *ways):
            if _ABBREVIATION.fullmatch(way):
                table, key = abbreviations, way
            else:
                table, key = phrases, _stems(way)
            if not key or table.setdefault(key, name) != name:
                raise ValueError(f"concepts: '{way}' names both {table.get(key)} and {name}; keep one.")
    either = "|".join(re.escape(way) for way in sorted(abbreviations, key=len, reverse=True))
    pattern = re.compile(rf"(?<![\w-])({either})(?:s|'s)?(?![\w-])")
    return Concepts(phrases, abbreviations, pattern, max(map(len, phrases)))


def entries() -> Iterator[tuple[str, list[str]]]:
    """(name, other ways of writing it) of each concept."""
    for lines in yaml.safe_load(LIST.read_text(encoding="utf-8")).values():
        for line in lines:
            name, *ways = (way.strip() for way in line.split(";"))
            yield name, ways


def _phrases(stems: tuple[str, ...], known: Concepts) -> Iterator[str]:
    at = 0
    while at < len(stems):
        for length in range(min(known.longest, len(stems) - at), 0, -1):
            name = known.phrases.get(stems[at : at + length])
            if name is not None:
                yield name
                at += length
                break
        else:
            at += 1


def _stems(text: str) -> tuple[str, ...]:
    """The words of a text as they are compared: without ending and in one spelling.

    Common words have no stem and are as they are; of short ones only the plural goes: hives is not HIV.
    """
    return tuple(stem(word) for word in tokenise(text))


def stem(word: str) -> str:
    """A word in lower case as it is compared."""
    name = name_of(word)
    if not name:
        return word
    return name if len(name) > 3 or name == word else word.removesuffix("s")
