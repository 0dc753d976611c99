"""What a dose is: an amount, how often, by which way; and whether two doses mean the same.

"500 mg twice daily", "0.5 g bid" and "500 mg every 12 hours" are one dose; "1 g/day" agrees with each of
them, since it does not say how it is divided. As far as that is sure: tablets are no milligrams, "OD" beside
drops is the right eye, and "as needed" is not compared.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from fractions import Fraction

from db.clinical.quantities import Quantity, value_of
from db.generating.grounding_words import NUMBERS

ONCE = Fraction(0)  # a single dose: so many times a day, and never again
_N = rf"(\d{{1,2}}|{'|'.join(NUMBERS)})"
_DAY = r"(?:a|per|each|every)[ -]day|daily|/ ?day"
_OFTEN: list[tuple[Fraction, str]] = [
    (ONCE, r"(?:as )?(?:a )?single dose|one-off|stat|once only|one dose"),
    (Fraction(1), rf"once[ -](?:{_DAY})|daily|every day|each day|o\.d\.|od|q\.?d\.?|"
     r"q\.? ?24 ?h(?:rs?|ours?)?|(?:at |every |each )(?:bed ?time|night|morning|evening)|"
     r"in the (?:morning|evening)|nocte|nightly|qhs|mane"),
    (Fraction(2), rf"(?:twice|2 ?x)[ -]?(?:{_DAY})|b\.?i\.?d\.?|b\.?d\.?|morning and (?:evening|night)"),
    (Fraction(3), rf"thrice[ -](?:{_DAY})|t\.?i\.?d\.?|t\.?d\.?s\.?"),
    (Fraction(4), r"q\.?i\.?d\.?|q\.?d\.?s\.?"),
    (Fraction(1, 2), r"(?:every other|on alternate|alternate|every second) days?|q\.?o\.?d\.?"),
    (Fraction(1, 7), r"(?:once[ -])?weekly|(?:once )?(?:a|per|each|every) week"),
    (Fraction(2, 7), r"twice[ -](?:weekly|(?:a|per) week)"),
    (Fraction(1, 14), r"fortnightly|every other week"),
    (Fraction(1, 30), r"(?:once[ -])?monthly|(?:once )?(?:a|per|each|every) month"),
]  # fmt: skip
_PER_DAYS = {"hour": Fraction(24), "day": Fraction(1), "week": Fraction(1, 7), "month": Fraction(1, 30)}
_FIXED = [(times, re.compile(rf"(?<![\w/])(?:{ways})(?![\w])", re.IGNORECASE)) for times, ways in _OFTEN]
_TIMES = re.compile(rf"\b{_N} ?(?:times|x)[ -](?:(?:{_DAY})|(a week|per week|weekly))", re.IGNORECASE)
_EVERY = re.compile(rf"\bevery {_N}(?: ?(?:-|to) ?{_N})? (hour|day|week|month)s?\b", re.IGNORECASE)
_HOURLY = re.compile(rf"\b{_N}[ -]hourly\b", re.IGNORECASE)
_Q_HOURS = re.compile(r"\bq\.? ?(\d{1,2})(?:-(\d{1,2}))? ?h(?:rs?|ours?)?\b", re.IGNORECASE)
_DIVIDED = re.compile(rf"\bin (?:{_N} )?(?:equally )?divided doses\b", re.IGNORECASE)
_TOTAL_BEFORE = re.compile(
    r"\b(?:total|maximum|max|daily) (?:daily )?(?:dose|amount)\b[^.;]{0,24}$", re.IGNORECASE
)
_DAILY_DOSE = re.compile(r"\bdaily (?:dose|maximum|amount)\b[^.;]{0,24}$", re.IGNORECASE)
_WAYS = {
    "by mouth": r"oral|orally|by mouth|p\.?o\.?", "intravenous": r"i\.?v\.?|intravenous(?:ly)?",
    "intramuscular": r"i\.?m\.?|intramuscular(?:ly)?", "subcutaneous": r"s\.?c\.?|subcut\w*|subq",
    "inhaled": r"inhaled|by inhalation|nebuli[sz]ed", "under the tongue": r"sublingual(?:ly)?|s\.?l\.?",
    "rectal": r"rectal(?:ly)?|per rectum", "on the skin": r"topical(?:ly)?",
    "transdermal": r"transdermal(?:ly)?",
    "in the nose": r"intranasal(?:ly)?", "intraosseous": r"intraosseous(?:ly)?",
    "intrathecal": r"intrathecal(?:ly)?",
}  # fmt: skip
_ROUTES = [
    (way, re.compile(rf"(?<![\w.])(?:{words})(?![\w])", re.IGNORECASE)) for way, words in _WAYS.items()
]


class Same(StrEnum):
    """Whether two doses mean the same."""

    YES = "yes"
    PARTLY = "one says more"  # how often, or a narrower range
    UNSURE = "not comparable"  # other units, a dose and a maximum
    NO = "no"


@dataclass(frozen=True)
class Often:
    """How many times a day, from `low` to `high`; ONCE for a single dose. Characters `start` to `end`."""

    low: Fraction
    high: Fraction
    start: int
    end: int


@dataclass(frozen=True)
class Dose:
    """An amount, per dose or, with `is_total`, a day; `low` and `high` times a day, None where not said."""

    quantity: Quantity
    low: Fraction | None = None
    high: Fraction | None = None
    is_total: bool = False
    route: str = ""


def often(text: str, start: int, end: int) -> Often | None:
    """How often, as characters `start` to `end` say first; of what begins there, the longest."""
    found = [*_fixed(text, start, end), *_counted(text, start, end)]
    return min(found, key=lambda one: (one.start, -one.end), default=None)


def dose(text: str, quantity: Quantity, often: Often | None, before: str, behind: str) -> Dose:
    """The dose that a quantity is, with the words of its sentence before and behind it."""
    dimension = quantity.dimension.removesuffix("/time")
    if often and dimension == "drop" and text[often.start : often.end].lower() == "od":
        often = None
    route = _route(behind) or _route(before)
    if dimension != quantity.dimension:
        return Dose(_in(quantity, dimension, 1), is_total=True, route=route)
    divided = _DIVIDED.search(behind)
    if divided and divided[1] and (often is None or often.low == 1):
        parts = value_of(divided[1])
        return Dose(_in(quantity, dimension, parts), parts, parts, route=route)
    if divided or _DAILY_DOSE.search(before) or (_TOTAL_BEFORE.search(before) and often and often.low == 1):
        return Dose(quantity, is_total=True, route=route)
    return Dose(quantity, often.low, often.high, route=route) if often else Dose(quantity, route=route)


def compare(one: Dose, other: Dose) -> Same:
    """Whether they mean the same; a dose and a maximum, or tablets and milligrams, cannot be compared."""
    if one.quantity.dimension != other.quantity.dimension or _is_most(one) != _is_most(other):
        return Same.UNSURE
    if one.route and other.route and one.route != other.route:
        return Same.NO
    if one.is_total != other.is_total:
        return _total_with_parts(*((one, other) if one.is_total else (other, one)))
    if one.quantity.sign != other.quantity.sign:
        return Same.NO
    if _ends(one) != _ends(other):
        return Same.PARTLY if one.quantity.agrees(other.quantity) else Same.NO
    if one.low is None or other.low is None or one.is_total:
        return Same.YES if one.low == other.low else Same.PARTLY
    return Same.YES if (one.low, one.high) == (other.low, other.high) else Same.NO


def _total_with_parts(total: Dose, parts: Dose) -> Same:
    if parts.low is None or not parts.low:
        return Same.UNSURE
    low, high = parts.quantity.low * parts.low, parts.quantity.high * (parts.high or parts.low)
    return Same.YES if (low, high) == _ends(total) else Same.NO


def _ends(one: Dose) -> tuple[Fraction, Fraction]:
    return one.quantity.low, one.quantity.high


def _is_most(one: Dose) -> bool:
    return one.quantity.sign in ("≤", "<")


def _in(quantity: Quantity, dimension: str, parts: Fraction | int) -> Quantity:
    return replace(quantity, low=quantity.low / parts, high=quantity.high / parts, dimension=dimension)


def _fixed(text: str, start: int, end: int) -> Iterator[Often]:
    for times, pattern in _FIXED:
        if match := pattern.search(text, start, end):
            # The point of "b.i.d." is its own, that of "bid." is the sentence's.
            end_at = match.end() - (match[0].endswith(".") and match[0].count(".") == 1)
            yield Often(times, times, match.start(), end_at)


def _counted(text: str, start: int, end: int) -> Iterator[Often]:
    if match := _TIMES.search(text, start, end):
        times = value_of(match[1]) / (7 if match[2] else 1)
        yield Often(times, times, match.start(), match.end())
    if (match := _EVERY.search(text, start, end)) and value_of(match[1]):
        slow, fast = value_of(match[2] or match[1]) or value_of(match[1]), value_of(match[1])
        per_day = _PER_DAYS[match[3].lower()]
        yield Often(per_day / slow, per_day / fast, match.start(), match.end())
    for pattern in (_HOURLY, _Q_HOURS):
        if (match := pattern.search(text, start, end)) and value_of(match[1]):
            slow = value_of(match[2]) if len(match.groups()) > 1 and match[2] else value_of(match[1])
            yield Often(
                24 / (slow or value_of(match[1])), 24 / value_of(match[1]), match.start(), match.end()
            )


def _route(words: str) -> str:
    found = [(match.start(), way) for way, pattern in _ROUTES if (match := pattern.search(words))]
    return min(found)[1] if found else ""
