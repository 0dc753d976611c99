"""Stretches of a text that may tell who a person is: plain text in, spans out.

Looks for the identifiers of HIPAA's Safe Harbor (45 CFR 164.514(b)(2)) as far as rules without a network can.
Names, places and organisations need a local model (`names`). Knows nothing of records or of the database.
"""

import re

from db.checks.phi import dates, known, names, national, rules
from db.checks.phi.span import Kind, Span, fold, merge

__all__ = ["CHECKED", "NOT_CHECKED", "Kind", "Span", "checked", "find", "may_hold", "not_checked"]

CHECKED = (
    "full dates, and days and months beside a visit or a birth",
    "ages over 89",
    "telephone and fax numbers, e-mail and web addresses, IP addresses",
    "postal addresses and postcodes (United Kingdom, United States)",
    "record, patient, insurance, account, licence, vehicle and device numbers behind their label",
    "national identity numbers with their check digits, payment cards, IBANs",
)
NOT_CHECKED = (
    "initials, nicknames, and what gives a person away by its rarity",
    "dates in words other than English, and identifiers written without any digit",
)
_NAMES = "names of people, places and organisations"

# Every rule needs one of these in the text it finds: a text that has none needs no rule at all.
# test_phi.py holds the rules against this.
_SIGN = re.compile(r"[0-9@]|://|www\.|ninet|hundred", re.IGNORECASE | re.ASCII)


def may_hold(text: str) -> bool:
    """False only where `find` finds nothing: tells in microseconds which texts need it."""
    return names.is_on() or _SIGN.search(fold(text)) is not None


def find(text: str) -> list[Span]:
    """The spans that look like identifiers, in order and apart; offsets are characters of `text`.

    Raises ValueError when STUDIO_NER_DIR names no folder with a spaCy pipeline.
    """
    folded = fold(text)
    found = [*dates.find(folded), *rules.find(folded), *national.find(folded)]
    found = [*known.without(folded, found), *names.find(text)]
    return merge(found)


def checked() -> tuple[str, ...]:
    """What `find` looks for as the studio is set up now, in words for a person."""
    return (*CHECKED, f"{_NAMES}, by {names.title()}") if names.is_on() else CHECKED


def not_checked() -> tuple[str, ...]:
    """What `find` cannot see as the studio is set up now, in words for a person."""
    if names.is_on():
        return NOT_CHECKED
    return (f"{_NAMES} (set STUDIO_NER_DIR to a local spaCy model)", *NOT_CHECKED)
