"""Which expected facts of a prompt an answer holds: a check of strings, and no more than that.

A fact is a short wording, such as `levothyroxine 75 micrograms`; several that count alike are parted by a
bar: `subarachnoid haemorrhage | subarachnoid hemorrhage`. It is found where its words stand in the answer in
that order, next to each other, whatever the case, the punctuation, and the way its numbers and units are
written. So a paraphrase is missed, and a fact that the answer denies counts as found: a person has to read.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

MAX_FACTS = 20
MAX_CHARACTERS = 200
CAUTION = "A check of strings: it sees neither a paraphrase nor a denial."

_TOKEN = re.compile(
    r"(?P<number>\d+(?:,\d{3})+(?:\.\d+)?|\d+(?:[.:]\d+)+|\d+)|(?P<word>[^\W\d_]+(?:\d+[^\W\d_]*)*|[%°])"
)
# What is written in more than one way and means the same quantity.
_UNITS = {
    "percent": "%",
    "milligram": "mg", "milligrams": "mg", "milligramme": "mg", "milligrammes": "mg",
    "microgram": "ug", "micrograms": "ug", "mcg": "ug", "μg": "ug",
    "micromol": "umol", "micromole": "umol", "micromoles": "umol", "μmol": "umol",
    "millimol": "mmol", "millimole": "mmol", "millimoles": "mmol",
    "gram": "g", "grams": "g", "gramme": "g", "grammes": "g",
    "kilogram": "kg", "kilograms": "kg", "kgs": "kg",
    "millilitre": "ml", "millilitres": "ml", "milliliter": "ml", "milliliters": "ml",
    "litre": "l", "litres": "l", "liter": "l", "liters": "l",
    "minute": "min", "minutes": "min", "mins": "min",
    "hour": "h", "hours": "h", "hr": "h", "hrs": "h",
    "millimetre": "mm", "millimetres": "mm", "millimeter": "mm", "millimeters": "mm",
    "centimetre": "cm", "centimetres": "cm", "centimeter": "cm", "centimeters": "cm",
}  # fmt: skip


@dataclass(frozen=True)
class Fact:
    """An expected fact as it was written, and whether an answer holds it."""

    text: str
    is_found: bool


def check(facts: Sequence[str], answer: str) -> list[Fact]:
    """Each fact, found in the answer or not, in the order given."""
    said = f" {normal(answer)} "
    return [Fact(fact, any(f" {normal(one)} " in said for one in wordings(fact))) for fact in facts]


def count(facts: Sequence[str], answer: str) -> int:
    """How many of the facts the answer holds."""
    return sum(fact.is_found for fact in check(facts, answer))


def wordings(fact: str) -> list[str]:
    """The wordings of a fact that count alike; those without a letter or a number are none."""
    return [one.strip() for one in fact.split("|") if normal(one)]


def normal(text: str) -> str:
    """The words and numbers of a text in one spelling: `5mg, 1,204` gives `5 mg 1204`."""
    text = unicodedata.normalize("NFKC", text).casefold()
    return " ".join(_plain(match) for match in _TOKEN.finditer(text))


def clean(facts: Sequence[str]) -> tuple[str, ...]:
    """The facts without needless blanks, each once. Raises ValueError for one that cannot be looked for."""
    kept = tuple(dict.fromkeys(" ".join(fact.split()) for fact in facts if fact.strip()))
    if len(kept) > MAX_FACTS:
        raise ValueError(f"expected: {len(kept)} facts; {MAX_FACTS} are the most.")
    for fact in kept:
        if len(fact) > MAX_CHARACTERS:
            raise ValueError(f"expected: a fact has {len(fact)} characters; {MAX_CHARACTERS} are the most.")
        if not wordings(fact):
            raise ValueError(f"expected: {fact!r} holds neither a word nor a number; write one.")
    return kept


def _plain(match: re.Match) -> str:
    if (number := match["number"]) is None:
        return _UNITS.get(match["word"], match["word"])
    if ":" in number or number.count(".") > 1:  # a time, a ratio, a version
        return number
    whole, _, part = number.replace(",", "").partition(".")
    part = part.rstrip("0")
    whole = whole.lstrip("0") or "0"
    return f"{whole}.{part}" if part else whole
