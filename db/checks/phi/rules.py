"""Our own patterns: numbers to reach a person by, postal addresses, numbers behind a label.

Every pattern reads a folded text (ASCII digits, dashes and spaces), is bounded in length, and starts where
its run of characters starts, so that time grows with the text and not with its square.
"""

import re
from collections.abc import Iterator
from ipaddress import ip_address

from db.checks.phi.span import Kind, Span

_FLAGS = re.IGNORECASE | re.ASCII

_EMAIL = re.compile(
    r"(?<![\w.+%'-])[\w.+%'-]{1,64}\s?@\s?[a-z0-9][a-z0-9-]{0,62}(?:\.[a-z0-9][a-z0-9-]{0,62}){1,8}", _FLAGS
)
_URL = re.compile(r"(?<!\w)(?:[a-z][a-z0-9+-]{1,9}://|www\.[a-z0-9])[^\s<>\"'()\[\]{}]{1,2000}", _FLAGS)
_IPV4 = re.compile(r"(?<![\w.-])[0-9]{1,3}(?:\.[0-9]{1,3}){3}(?![\w-]|\.[0-9])", re.ASCII)
_IPV6 = re.compile(r"(?<![\w:.*])(?:[0-9a-f]{0,4}:){2,7}[0-9a-f]{1,4}(?![\w:])", _FLAGS)
_MAC = re.compile(r"(?<![\w:-])[0-9a-f]{2}(?P<s>[:-])(?:[0-9a-f]{2}(?P=s)){4}[0-9a-f]{2}(?![\w:-])", _FLAGS)

# Telephones: by their written form, or any seven digits and more behind a word that announces them.
_PHONES = (
    re.compile(
        r"(?<![\w.+-])(?:\+?1[ .-]?)?(?:\([2-9][0-9]{2}\) ?|[2-9][0-9]{2}-)"
        r"[2-9][0-9]{2}[ .-][0-9]{4}(?![\w-]|\.[0-9])",
        _FLAGS,
    ),
    re.compile(r"(?<![\w.+-])[2-9][0-9]{2}\.[2-9][0-9]{2}\.[0-9]{4}(?![\w-]|\.[0-9])", _FLAGS),
    re.compile(r"(?<![\w.,+/-])\(?0[1-37](?:[ -]?\)? ?[0-9]){8,9}(?![\w-]|[ .,/-][0-9]|\.[0-9])", _FLAGS),
    re.compile(r"(?<![\w+.])(?:\+|00(?=[1-9][0-9] ))[1-9](?:[ .()-]{0,2}[0-9]){7,14}(?![\w-])", _FLAGS),
    re.compile(
        r"\b(?:tel(?:ephone)?s?|phones?|mobile|mob|cell(?:phone)?|fax|pager|call(?:ed)?|ring|whatsapp|landline)\b"
        r"(?:[ \t]+(?:number|no|me|us|him|her|them|the\s\w+|at|on|is))*[ \t.:#-]{1,4}"
        r"(?P<value>\+?\(?[0-9](?:[ .()/-]{0,2}[0-9]){6,14})(?![\w-]|\.[0-9])",
        _FLAGS,
    ),
)

# Addresses.
_STREET_KIND = (
    r"(?:Street|Road|Avenue|Lane|Drive|Court|Close|Crescent|Boulevard|Place|Square|Terrace|Gardens|Grove|Parkway"
    r"|Highway|Circle|Mews|Row|Walk|Way|Hill|St|Rd|Ave|Ln|Dr|Ct|Blvd|Pl|Sq|Pkwy|Hwy)"
)
_STREET = re.compile(
    r"(?<![\w./:-])[0-9]{1,5}[A-Za-z]?,? (?:[NSEW]\.? )?"
    r"(?:(?:[A-Z][A-Za-z'.-]{1,20}|[0-9]{1,3}(?:st|nd|rd|th)) ){1,3}"
    rf"{_STREET_KIND}\b(?![ -][a-z]+ (?:of|for)\b)",
    re.ASCII,
)
_CONTINENTAL = re.compile(
    r"(?<![\w.])[0-9]{1,4}(?: ?bis)?,? (?:rue|boulevard|chemin|impasse|quai) "
    r"(?:de |du |des |la |le |l'|d'){0,3}[A-Z]\w{2,20}"
    r"|\b(?:Calle|Avda\.?|Via|Viale|Piazza|Rua) (?:de |del |della |la |los ){0,2}[A-Z]\w{2,20},? [0-9]{1,4}\b"
    r"|(?<!\w)[A-Z][^\W\d_]{2,30}(?:stra\u00dfe|strasse) [0-9]{1,4}[a-z]?\b",
)
_BOX = re.compile(r"\bP\.?\s?O\.?\s?Box\s{1,2}[0-9]{1,7}\b", _FLAGS)
_AREAS = (
    "AB AL B BA BB BD BH BL BN BR BS BT CA CB CF CH CM CO CR CT CV CW DA DD DE DG DH DL DN DT DY E EC "
    "EH EN EX FK FY G GL GU GY HA HD HG HP HR HS HU HX IG IM IP IV JE KA KT KW KY L LA LD LE LL LN LS "
    "LU M ME MK ML N NE NG NN NP NR NW OL OX PA PE PH PL PO PR RG RH RM S SA SE SG SK SL SM SN SO SP "
    "SR SS ST SW SY TA TD TF TN TQ TR TS TW UB W WA WC WD WF WN WR WS WV YO ZE"
).replace(" ", "|")
_POSTCODE = re.compile(rf"\b(?:{_AREAS})[0-9][0-9A-HJKMNP-Y]? [0-9][ABD-HJLNP-UW-Z]{{2}}\b", re.ASCII)
_STATES = (
    "AL AK AZ AR CA CO CT DE DC FL GA HI IA ID IL IN KS KY LA MA MD ME MI MN MO MS MT NC ND NE NH NJ "
    "NM NV NY OH OK OR PA PR RI SC SD TN TX UT VA VT WA WI WV WY"
).replace(" ", "|")
_ZIP = re.compile(
    rf"\b[A-Z][a-z]{{2,20}},? (?P<value>(?:{_STATES}) [0-9]{{5}}(?:-[0-9]{{4}})?)(?![\w-]|\.[0-9])", re.ASCII
)

# Numbers behind a label. A value holds a digit, and no more than one gap.
_SIGN = r"[ \t]*(?:\b(?:no|nr|number|num|id|identifier|code)\b\.?|#|№)?"
_GAP = r"[ \t]*(?:[:=#]|\bis\b|\bwas\b|\bof\b)?[ \t]*"
_VALUE = (
    r"(?P<value>(?=[A-Z/-]{0,8}[0-9])[A-Z0-9](?:[A-Z0-9]|[/.-](?=[A-Z0-9])){2,24}"
    r"(?: [0-9]{2,6}){0,3})(?!\w)"
)
_MUST = (
    r"(?:[ \t]*(?:\b(?:no|nr|number|num|id|identifier|code)\b\.?|#|№)"
    r"[ \t]*(?:[:=]|\bis\b|\bwas\b)?|[ \t]*[:#=])[ \t]*"
)


def _labelled(labels: str, *, must: bool = False) -> re.Pattern[str]:
    """A value behind one of the labels; with `must`, a word such as "number" or a sign stands between."""
    return re.compile(rf"\b(?:{labels}){_MUST if must else _SIGN + _GAP}{_VALUE}", _FLAGS)


_LABELLED = (
    (
        Kind.RECORD,
        _labelled(
            r"MRN|M\.R\.N\.|MR ?#|URN|CHI|EMPI|medical[ -]record|health[ -]record"
            r"|hosp(?:ital)?\.? (?:no\b\.?|number|id|#)"
            r"|chart (?:no\b\.?|number|#)|case ?notes? (?:no\b\.?|number)"
            r"|patient (?:no\b\.?|number|id|identifier|#)"
            r"|NHS (?:no\b\.?|number|#)|encounter (?:no\b\.?|number|id|#)|admission (?:no\b\.?|number|id|#)"
        ),
    ),
    (
        Kind.RECORD,
        _labelled(r"specimen|lab(?:oratory)?|visit|referral|prescription|radiology accession", must=True),
    ),
    (
        Kind.NATIONAL,
        _labelled(
            r"SSN|social security|national insurance|NINO|passport|NRIC|aadhaar|PESEL|personnummer|CPF|BSN"
            r"|(?:national|identity|ID)[ -](?:identity )?card|national (?:identity|id)"
        ),
    ),
    (
        Kind.NATIONAL,
        _labelled(
            r"driv(?:er'?s?|ing)[ -]licen[cs]e|(?:medical|nursing|professional) licen[cs]e|GMC|DEA|NPI",
            must=True,
        ),
    ),
    (
        Kind.ACCOUNT,
        _labelled(
            r"account|acct|a/c|policy|member(?:ship)?|subscriber|beneficiary|insurance|health[ -]plan"
            r"|medicare|medicaid|group|claim|certificate|sort|IBAN|credit card|debit card",
            must=True,
        ),
    ),
    (
        Kind.VEHICLE,
        _labelled(
            r"VIN|(?:vehicle|car|registration|licen[cs]e|number)[ -](?:plate|reg(?:istration)?)s?|chassis",
            must=False,
        ),
    ),
    (
        Kind.DEVICE,
        _labelled(r"serial|device|implant|pacemaker|generator|UDI|IMEI", must=True),
    ),
)
_VIN = re.compile(r"(?<![\w-])(?=[A-Z]*[0-9])[A-HJ-NPR-Z0-9]{17}(?![\w-])", re.ASCII)
_VIN_WEIGHTS = (8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2)
_VIN_VALUES = dict(
    zip(
        "ABCDEFGHJKLMNPRSTUVWXYZ0123456789",
        [*range(1, 9), *range(1, 6), 7, 9, *range(2, 10), *range(10)],
        strict=True,
    )
)


def find(text: str) -> Iterator[Span]:
    """Ways to reach a person, addresses and labelled numbers in a folded text."""
    for match in _EMAIL.finditer(text):
        yield Span(*match.span(), Kind.EMAIL, 0.95)
    for match in _URL.finditer(text):
        yield Span(match.start(), match.start() + len(match[0].rstrip(".,;:!?")), Kind.URL, 0.6)
    yield from _network(text)
    for pattern in _PHONES:
        yield from _values(pattern, text, Kind.PHONE, 0.8)
    for pattern in (_STREET, _CONTINENTAL, _BOX, _POSTCODE, _ZIP):
        yield from _values(pattern, text, Kind.ADDRESS, 0.7)
    for kind, pattern in _LABELLED:
        for match in pattern.finditer(text):
            if sum(character.isdigit() for character in match["value"]) >= 3:
                yield Span(*match.span("value"), kind, 0.8)
    for match in _VIN.finditer(text):
        if _is_vin(match[0]):
            yield Span(*match.span(), Kind.VEHICLE, 0.8)


def _values(pattern: re.Pattern[str], text: str, kind: Kind, score: float) -> Iterator[Span]:
    named = "value" if "value" in pattern.groupindex else 0
    for match in pattern.finditer(text):
        if any("0" <= character <= "9" for character in match[named]):
            yield Span(*match.span(named), kind, score)


def _network(text: str) -> Iterator[Span]:
    for pattern in (_IPV4, _IPV6):
        for match in pattern.finditer(text):
            if _is_ip(match[0]):
                yield Span(*match.span(), Kind.IP, 0.8)
    for match in _MAC.finditer(text):
        if any("0" <= character <= "9" for character in match[0]):
            yield Span(*match.span(), Kind.DEVICE, 0.7)


def _is_ip(text: str) -> bool:
    """A valid address; an IPv6 one with a letter or a gap, since clock times are digits and colons too."""
    if ":" in text and not ("::" in text or re.search("[a-f]", text, re.IGNORECASE)):
        return False
    try:
        ip_address(text)
    except ValueError:
        return False
    return any(character.isdigit() for character in text)


def _is_vin(text: str) -> bool:
    """The check digit of ISO 3779 as North America uses it, and letters among the digits."""
    if sum(character.isdigit() for character in text) < 5 or text.isdigit():
        return False
    rest = (
        sum(_VIN_VALUES[character] * weight for character, weight in zip(text, _VIN_WEIGHTS, strict=True))
        % 11
    )
    return text[8] == ("X" if rest == 10 else str(rest))
