"""Dates of a person's life and care, and ages over 89. Not: bare years, spans of time, dates of print."""

import re
from collections.abc import Iterator

from db.checks.phi.span import Kind, Span

_MONTH = (
    r"(?:Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?|Aug(?:ust)?"
    r"|Sep(?:t(?:ember)?)?|Oct(?:ober)?|Nov(?:ember)?|Dec(?:ember)?)"
)
_DAY = r"(?:0?[1-9]|[12][0-9]|3[01])"
_NTH = rf"{_DAY}(?:st|nd|rd|th)?"
_YEAR = r"(?:18|19|20)[0-9]{2}"
_FLAGS = re.IGNORECASE | re.ASCII

# A day, a month and a year.
_NUMERIC = re.compile(
    rf"(?<![0-9/.-])(?:(?P<a>[0-9]{{1,2}})(?P<s>[/.-])(?P<b>[0-9]{{1,2}})(?P=s){_YEAR}"
    rf"|{_YEAR}(?P<t>[/.-])(?P<m>[0-9]{{1,2}})(?P=t)(?P<d>[0-9]{{1,2}})(?:T[0-9:.]{{4,15}}Z?)?)"
    r"(?![0-9/-]|\.[0-9])",
    _FLAGS,
)
_SHORT = re.compile(r"(?<![0-9/.-])(?P<a>[0-9]{1,2})/(?P<b>[0-9]{1,2})/[0-9]{2}(?![0-9/%-]|\.[0-9])", _FLAGS)
_WORDED = re.compile(
    rf"\b(?:{_NTH}(?:\s+of\s+|[\s.-]{{0,3}}){_MONTH}\b[.,]?[\s-]{{0,2}}(?:{_YEAR}|'[0-9]{{2}}|(?<=-)[0-9]{{2}})"
    rf"|{_MONTH}\.?[\s-]{{1,2}}{_NTH},?\s{{0,2}}{_YEAR})\b",
    _FLAGS,
)
# Less than that counts only beside an event of someone's care.
_PARTIAL = re.compile(
    rf"\b(?:{_NTH}(?:\s+of\s+|[\s.-]){_MONTH}\b|{_MONTH}\.?\s{_NTH}\b(?!\s?%)"
    rf"|{_MONTH}\.?,?\s{_YEAR}\b|(?:0?[1-9]|1[0-2])/{_YEAR}\b)",
    _FLAGS,
)
_EVENT = re.compile(
    r"\b(?:born|d\.?o\.?b\b|birth(?:day|date)?|admitted|admission|discharged?|died|deceased|clinic|appointment"
    r"|attended|reviewed|seen|visit(?:ed)?|operated|transferred|referred|dated|date|ward round"
    r"|underwent|hospitali[sz]ed|presented|brought)\b"
    r"[^.;\n0-9]{0,40}$",
    _FLAGS,
)
_DAY_OF_EVENT = re.compile(
    r"\b(?:seen|admitted|discharged|died|born|reviewed|visited|clinic)(?: on)?:?\s+"
    r"(?P<day>[0-9]{1,2}/[0-9]{1,2})(?![/.0-9%])",
    _FLAGS,
)
_WEEKDAY = re.compile(r"\b(?:mon|tues|wednes|thurs|fri|satur|sun)day,?\s+$", _FLAGS)

_PRINTED = re.compile(
    r"(?:\bpublished|\bgenereviews\W|\baccessed|\bretrieved|\bcited|\bepub|\bcopyright|©"
    r"|\bcurrent as of|\benacted|\bcame into force"
    r"|\b(?:last|page|guideline|guidance|leaflet|article|content|website|version|label|text|summary)\s+"
    r"(?:was\s+)?(?:last\s+)?(?:updated|revised|reviewed|modified)"
    r"|\bsearch(?:ed|es)?\b|\bmedline|\bpubmed|\bembase|\bcochrane"
    r"|\b(?:fda|ema|mhra|food and drug administration)\b[^.\n]{0,30}\bapprov\w+)"
    r"[^.;\n]{0,60}$",
    _FLAGS,
)
_PUBLIC = re.compile(
    r",?\s+(?:the\s+)?(?:u\.?s\.?\s+)?(?:who\b|world health|fda\b|food and drug|ema\b|european medicines"
    r"|nice\b|cdc\b|centers for disease|government|congress|parliament)",
    _FLAGS,
)
_SERIES = re.compile(r"\b(?:hpv|types?|serotypes?|strains?|serogroups?|ratio|channels?)\s+$", _FLAGS)

_OLD = r"(?:9[0-9]|1[01][0-9]|120)"
_AGE = re.compile(
    rf"(?<![0-9.,/<>=≥≤+-])(?<![<>=≥≤] )(?:{_OLD}(?:(?:\s|-)?(?:years?|yrs?)(?:\s|-)?old\b"
    r"|\s?(?:yo\b|y/o\b|y\.o\.)"
    r"|\s(?:years?|yrs?)\sof\sage\b)"
    rf"|(?:\baged|\bage(?:\s+(?:of|is|was))?\s?:?)\s+{_OLD}\b"
    r"(?!\s?(?:[%+]|-|to\b|and\s(?:over|above|older|up)|or\s(?:over|above|older|more)"
    r"|(?:minutes?|hours?|days?|weeks?|months?)\b|\.[0-9]|years?\s(?:and|or)\s(?:over|above|older|more))))",
    _FLAGS,
)
_SPELLED_AGE = re.compile(
    r"\b(?:ninety(?:[\s-](?:one|two|three|four|five|six|seven|eight|nine))?"
    r"|(?:one|a)\s+hundred(?:\s+(?:and\s+)?(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve))?)"
    r"(?:\s|-)years?(?:\s|-)old\b"
    r"|\baged\s+ninety(?:[\s-](?:one|two|three|four|five|six|seven|eight|nine))?\b(?!\s(?:and|or)\s(?:over|above|older))",
    _FLAGS,
)
_NOT_ONE_PERSON = re.compile(
    r"\b(?:over|above|under|below|than|least|most|to|and|until|before|after|mean|median|average|expectancy|between)"
    r"(?:\s+(?:age|aged|the age)(?:\s+of)?)?\s+$"
    r"|\b(?:mean|median|average|expectancy|over|under|above|below|than)\W{1,2}$",
    _FLAGS,
)
_AND_MORE = re.compile(r"\s(?:and|or)\s(?:over|above|older|more)\b", _FLAGS)


def find(text: str) -> Iterator[Span]:
    """Dates and ages of a person in a folded text."""
    yield from _full_dates(text)
    for match in _PARTIAL.finditer(text):
        if _beside_event(text, match.start()):
            yield Span(*match.span(), Kind.DATE, 0.6)
    for match in _DAY_OF_EVENT.finditer(text):
        if _day_and_month(*map(int, match["day"].split("/"))):
            yield Span(*match.span("day"), Kind.DATE, 0.6)
    for pattern in (_AGE, _SPELLED_AGE):
        for match in pattern.finditer(text):
            of_many = _NOT_ONE_PERSON.search(text, max(0, match.start() - 30), match.start())
            if not of_many and not _AND_MORE.match(text, match.end()):
                yield Span(*match.span(), Kind.AGE, 0.9)


def _full_dates(text: str) -> Iterator[Span]:
    for match in _NUMERIC.finditer(text):
        one, other = (match["a"], match["b"]) if match["a"] else (match["d"], match["m"])
        if _day_and_month(int(one), int(other)) and not _of_print(text, match):
            yield Span(*match.span(), Kind.DATE, 0.9)
    for match in _SHORT.finditer(text):
        listed = _SERIES.search(text, max(0, match.start() - 15), match.start())
        if _day_and_month(int(match["a"]), int(match["b"])) and not listed and not _of_print(text, match):
            yield Span(*match.span(), Kind.DATE, 0.7)
    for match in _WORDED.finditer(text):
        if not _of_print(text, match):
            yield Span(*match.span(), Kind.DATE, 0.9)


def _day_and_month(one: int, other: int) -> bool:
    """True when one of the two may be a month and the other a day, in either order."""
    return 1 <= min(one, other) <= 12 and max(one, other) <= 31


def _of_print(text: str, match: re.Match[str]) -> bool:
    """True for the date of a publication, a search or a public act."""
    before = text[max(0, match.start() - 110) : match.start()]
    return bool(_PRINTED.search(before) or _PUBLIC.match(text, match.end()))


def _beside_event(text: str, start: int) -> bool:
    before = text[max(0, start - 60) : start]
    return bool(_EVENT.search(before) or _WEEKDAY.search(before))
