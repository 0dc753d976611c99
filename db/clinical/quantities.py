"""Numbers with units in clinical text, in one spelling: 0.5 g is 500 mg, 500 mcg is 0.5 mg, 1 week is 7 days.

Every value is an exact fraction in the base unit of its dimension; units of a quotient (mg/dL, mg/kg/day) are
each brought to their base. What depends on the substance is never converted: mmol/L stays beside mg/dL, and
mEq beside mmol. Months are no days, and units of insulin and international units are one dimension, since a
comparison is always of the same drug.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from fractions import Fraction

from db.checks.phi.span import fold
from db.generating.grounding_words import NUMBERS

_MASS, _VOLUME, _TIME = "mass", "volume", "time"
# dimension: {factor to the base unit: ways of writing the unit}
_UNITS: dict[str, dict[str, str]] = {
    _MASS: {
        "1000000": "kg|kilograms?|kilos?", "1000": "g|gm|grams?|grammes?", "1": "mg|milligrams?",
        "1/1000": "mcg|[µμu]g|micrograms?|microgrammes?", "1/1000000": "ng|nanograms?",
        "1/1000000000": "pg|picograms?",
    },
    _VOLUME: {
        "1000": "l|lit(?:er|re)s?", "100": "dl|decilit(?:er|re)s?", "1": "ml|cc|millilit(?:er|re)s?",
        "1/1000": "[µμu]l|microlit(?:er|re)s?|mm3|mm³|cmm",
    },
    "units": {"1000000": "million (?:international )?units|MU", "1": "international units?|units?|iu|u",
              "1/1000": "m(?:IU|U)", "1/1000000": "[µμ](?:IU|U)"},
    "amount": {"1000": "mol", "1": "mmol|millimol(?:e|es)?", "1/1000": "[µμu]mol|micromol(?:e|es)?",
               "1/1000000": "nmol", "1/1000000000": "pmol"},
    "equivalents": {"1": "meq"},
    "pressure": {"1": "mm ?hg"},
    "pressure in kPa": {"1": "kpa"},
    "pressure of water": {"1": "cm ?h2o"},
    "per cent": {"1": "%|per ?cent"},
    "temperature": {"1": "° ?c|degrees? (?:c|celsius|centigrade)"},
    "fahrenheit": {"1": "° ?f|degrees? (?:f|fahrenheit)"},
    "length": {"1000": "m|met(?:er|re)s?", "10": "cm|centimet(?:er|re)s?", "1": "mm|millimet(?:er|re)s?"},
    _TIME: {"1/86400": "sec(?:ond)?s?", "1/1440": "min(?:ute)?s?", "1/24": "h|hrs?|hours?",
            "1": "d|days?", "7": "wks?|weeks?", "14": "fortnights?"},
    "months": {"1": "months?|mo", "12": "years?|yrs?|y"},
    "rate": {"1": "bpm|(?:beats|breaths)(?: per minute|/min)"},
    "tablet": {"1": "tab(?:let)?s?"}, "capsule": {"1": "cap(?:sule)?s?"},
    "puff": {"1": "puffs?|inhalations?"},
    "drop": {"1": "drops?"}, "spray": {"1": "sprays?"}, "patch": {"1": "patch(?:es)?"},
    "sachet": {"1": "sachets?"}, "vial": {"1": "vials?"}, "ampoule": {"1": "ampoules?|ampules?"},
    "area": {"1": "m2|m²|m\\^2"}, "energy": {"1": "kcal"}, "radiation": {"1": "gy"}, "count": {"1": "cells"},
}  # fmt: skip
_EXACT_CASE = re.compile(r"m(?:IU|U)|MU|[µμ](?:IU|U)")  # mU and MU are a thousand million apart
_ONLY_BELOW = frozenset({"d", "y", "mo"})  # units so short that they count only behind a stroke or "per"
_DOUBLES = ("blood pressure", "mass of two")  # two numbers, and no range
DOSES = frozenset(
    {_MASS, "units", "amount", "equivalents", _VOLUME, "tablet", "capsule", "puff", "drop", "spray", "patch",
     "sachet", "vial", "ampoule", "mass of two"}
)  # fmt: skip

_ANY_UNIT = "|".join(
    sorted((ways for each in _UNITS.values() for ways in each.values()), key=len, reverse=True)
)
_UNIT = rf"(?:{_ANY_UNIT})(?![a-z0-9²])"
_BELOW = rf"(?:\s?/\s?|\s(?:per|a|an|each|every)\s)(?:{_ANY_UNIT})(?![a-z0-9²])"
_POWER = r"\s?[x×*]?\s?10(?:\^|\*\*|\*)?\s?(?:[⁰¹²³⁴⁵⁶⁷⁸⁹]{1,2}|\d{1,2})(?=\s?/)"
# No number of a text has more than thirty digits; longer ones would only take time.
_DIGITS = r"[13]/[24](?![\d/])|\d{1,3}(?:,\d{3}){1,8}(?:\.\d{1,30})?|\d{1,30}[.,]\d{1,30}|\d{1,30}|\.\d{1,30}"
_WORDS = "|".join([*NUMBERS, "half(?: an?)?"])
_NUMBER = re.compile(
    rf"(?<![\w.,/*:])(?<![a-z]-)(?P<low>{_DIGITS}|½|\b(?:{_WORDS})\b)"
    rf"(?:(?:\s?(?P<own>{_UNIT})\s?(?:-|\bto\b)|\s?(?:-|\bto\b|\bor\b))\s?(?P<high>{_DIGITS}))?"
    rf"(?P<power>{_POWER})?"
    rf"(?:[\s-]?(?P<unit>{_UNIT}))?(?P<below>(?:{_BELOW}){{0,2}})",
    re.IGNORECASE,
)
_PRESSURE = re.compile(r"(?<![\w/.])(\d{2,3})\s?/\s?(\d{2,3})(?![\w/])(?:\s?mm\s?hg)?", re.IGNORECASE)
_COMBINED = re.compile(r"(?<![\w/.,])(\d{1,5}(?:\.\d+)?)\s?/\s?(\d{1,5}(?:\.\d+)?)\s?m(c?)g\b", re.IGNORECASE)
_COUNTED = re.compile(rf"\b(\d|{'|'.join(NUMBERS)})(?:\s?[x×]\s?|\s)$", re.IGNORECASE)
_MULTIPLIED = re.compile(r"\s?(?:tab(?:let)?s?|cap(?:sule)?s?)\b", re.IGNORECASE)
_BEFORE = {
    "≥": r"≥|>=|at least|no less than|not less than|minimum of|a minimum|or above",
    "≤": r"≤|<=|at most|up to|no more than|not more than|maximum of|maximum|max\.?|"
    r"(?:not|never) exceed(?:ing)?",
    ">": r">|more than|greater than|higher than|above|over|exceed(?:s|ing)?",
    "<": r"<|less than|fewer than|lower than|below|under",
}
_BEHIND = {"≥": r"or (?:more|above|higher|greater|over)", "≤": r"or (?:less|below|lower|under|fewer)"}
_SIGNS_BEFORE = [(sign, re.compile(rf"(?:{ways})\s*$", re.IGNORECASE)) for sign, ways in _BEFORE.items()]
_SIGNS_BEHIND = [(sign, re.compile(rf"\s*(?:{ways})\b", re.IGNORECASE)) for sign, ways in _BEHIND.items()]
_READERS = [
    (dimension, Fraction(factor), re.compile(ways, 0 if _EXACT_CASE.search(ways) else re.IGNORECASE))
    for dimension, each in _UNITS.items()
    for factor, ways in each.items()
]


@dataclass(frozen=True)
class Quantity:
    """A number or a range in the base unit of `dimension` ("mass", "mass/volume"; "" where it has no unit).

    `sign` is one of "", "<", "≤", ">", "≥"; `written` are the numbers before any unit was applied. Quantities
    are equal where they mean the same.
    """

    low: Fraction
    high: Fraction
    dimension: str
    sign: str = ""
    written: tuple[Fraction, ...] = field(default=(), compare=False)

    def agrees(self, other: "Quantity") -> bool:
        """Whether one of the two lies within the other: 3 days, and 48 to 72 hours."""
        if self.dimension in _DOUBLES:
            return self == other
        ours, theirs = (self.low, self.high), (other.low, other.high)
        within = ours[0] <= theirs[0] and theirs[1] <= ours[1]
        return within or (theirs[0] <= ours[0] and ours[1] <= theirs[1])


@dataclass(frozen=True)
class Amount:
    """A quantity and where a text says it, characters `start` to `end` (exclusive)."""

    start: int
    end: int
    quantity: Quantity

    @property
    def is_dose(self) -> bool:
        """It can be an amount of a drug: not a concentration, and no body weight."""
        dimension = self.quantity.dimension
        numerator, *below = dimension.split("/")
        is_weight = dimension == _MASS and self.quantity.low >= 5_000_000
        is_rate = dimension == f"{_VOLUME}/{_TIME}"  # of a kidney, or of an infusion
        return numerator in DOSES and _VOLUME not in below and not is_weight and not is_rate


def amounts(text: str) -> Iterator[Amount]:
    """Every number of a text with its unit, in order."""
    folded = fold(text)
    double = {one.start: one for one in _doubles(folded)}
    taken = 0
    for match in _NUMBER.finditer(folded):
        if match.start() < taken:
            continue
        found = double.get(match.start()) or _amount(folded, match)
        if found is not None:
            taken = found.end
            yield found


def _doubles(text: str) -> Iterator[Amount]:
    """Two numbers that are one figure: a blood pressure, and the strength of a drug of two substances."""
    for match in _PRESSURE.finditer(text):
        if _is_pressure(text, match):
            yield _double(match, "blood pressure", Fraction(1))
    for match in _COMBINED.finditer(text):
        yield _double(match, "mass of two", Fraction(1, 1000) if match[3] else Fraction(1))


def _double(match: re.Match, dimension: str, factor: Fraction) -> Amount:
    first, second = Fraction(match[1]), Fraction(match[2])
    quantity = Quantity(first * factor, second * factor, dimension, written=(first, second))
    return Amount(match.start(), match.end(), quantity)


def _is_pressure(text: str, match: re.Match) -> bool:
    high, low = int(match[1]), int(match[2])
    is_told = "hg" in match[0].lower() or re.search(
        r"\b(?:bp|blood pressure)\b[^.;\n]{0,24}$", text[: match.start()], re.IGNORECASE
    )
    return bool(is_told) and 50 <= high <= 300 and 20 <= low < high


def _amount(text: str, match: re.Match) -> Amount | None:
    low, high = value_of(match["low"]), match["high"]
    unit, below, end = match["unit"], match["below"] or "", match.end()
    if unit is None and re.match(r"\s?[x×]\s?\d", text[end : end + 4], re.IGNORECASE):
        return None  # "2 x 500 mg" is read at its second number
    if unit is not None and unit.lower() in _ONLY_BELOW:
        unit, below, end = None, "", match.end("high" if high else "low")
    if unit is None and match["power"] is None:  # a stroke without a unit before it is none of ours
        below, end = "", match.end("high" if high else "low")
    if not low_is_number(match["low"]) and unit is None:
        return None  # "one" of "no one"
    factor, dimension = _dimension(unit or "", match["power"] or "", below)
    first = _unit(match["own"])[0] if match["own"] else factor
    times, start = _counted_before(text, match.start(), end, unit)
    ends = low * first * times, (value_of(high) * factor if high else low * first) * times
    sign = _sign(text, start, end)
    written = (low, value_of(high)) if high else (low,)
    return Amount(start, end, _plain(Quantity(min(ends), max(ends), dimension, sign, written)))


def value_of(written: str) -> Fraction:
    """The number that is written: "1,000" is 1000, "0,5" is a half, "three" is 3."""
    word = written.lower()
    if word.startswith("half") or word == "½":
        return Fraction(1, 2)
    if word in NUMBERS:
        return Fraction(NUMBERS[word])
    if re.fullmatch(r"[1-9]\d{0,2}(?:,\d{3})+(?:\.\d+)?", word):
        word = word.replace(",", "")
    return Fraction(word.replace(",", "."))


def low_is_number(written: str) -> bool:
    """Whether it stands in digits."""
    return any(sign.isdigit() or sign == "½" for sign in written)


def _dimension(unit: str, power: str, below: str) -> tuple[Fraction, str]:
    """(factor to the base units, dimension) of a unit and what stands beneath it."""
    factor, dimension = _unit(unit) if unit else (Fraction(1), "count" if power else "")
    if power:
        digits = re.sub(r"^\D*10\D{0,2}", "", power.translate(_SUPERSCRIPTS))
        factor *= Fraction(10) ** int(digits)
    dimensions = [dimension]
    for part in re.findall(
        rf"(?:/\s?|\s(?:per|a|an|each|every)\s)({_ANY_UNIT})(?![a-z0-9²])", below, re.IGNORECASE
    ):
        under, name = _unit(part)
        factor, dimensions = factor / under, [*dimensions, name]
    return factor, "/".join(dimensions)


_SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789")


def _unit(written: str) -> tuple[Fraction, str]:
    for dimension, factor, pattern in _READERS:
        if pattern.fullmatch(written):
            return factor, dimension
    return Fraction(1), written.lower()


def _counted_before(text: str, start: int, end: int, unit: str | None) -> tuple[Fraction, int]:
    """ "2 x 500 mg" and "two 500 mg tablets" are 1000 mg: (how many, where that is said)."""
    before = _COUNTED.search(text, max(0, start - 12), start) if unit else None
    if before is None:
        return Fraction(1), start
    is_product = before[0].rstrip().endswith(("x", "×"))
    if is_product or (not before[1].isdigit() and _MULTIPLIED.match(text, end)):
        return value_of(before[1]), before.start()
    return Fraction(1), start


def _sign(text: str, start: int, end: int) -> str:
    before = text[max(0, start - 24) : start]
    for sign, pattern in _SIGNS_BEFORE:
        if pattern.search(before):
            return sign
    return next((sign for sign, pattern in _SIGNS_BEHIND if pattern.match(text, end)), "")


def _plain(quantity: Quantity) -> Quantity:
    """Degrees Fahrenheit as Celsius, to a tenth: a thermometer shows no more."""
    if quantity.dimension != "fahrenheit":
        return quantity
    low, high = (Fraction(round((end - 32) * 50 / 9), 10) for end in (quantity.low, quantity.high))
    return replace(quantity, low=low, high=high, dimension="temperature")
