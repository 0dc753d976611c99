"""National identity numbers, payment cards and bank accounts, by Presidio's recognisers.

They are asked one by one, not through AnalyzerEngine: the engine tokenises every text, looks words up in
quadratic time, and quotes the found text in an error. Which word stands before a number is looked up here.
"""

import re
from collections.abc import Iterator
from functools import cache
from threading import Lock

from db.checks.phi.light_import import without_torch
from db.checks.phi.span import Kind, Span

# Shape and check digit alone are proof enough.
_ALONE = (
    "CreditCardRecognizer",
    "DeSocialSecurityRecognizer",
    "EsNieRecognizer",
    "EsNifRecognizer",
    "FiPersonalIdentityCodeRecognizer",
    "IbanRecognizer",
    "ItFiscalCodeRecognizer",
    "KrRrnRecognizer",
    "NhsRecognizer",
    "UkNinoRecognizer",
    "UsItinRecognizer",
    "UsMbiRecognizer",
    "UsSsnRecognizer",
)
# Many plain numbers look like these: they count behind one of the recogniser's words.
# (InPanRecognizer is left out: its pattern takes quadratic time.)
_BEHIND_A_WORD = (
    "AuMedicareRecognizer",
    "AuTfnRecognizer",
    "CaSinRecognizer",
    "InAadhaarRecognizer",
    "MedicalLicenseRecognizer",
    "NgNinRecognizer",
    "PlPeselRecognizer",
    "SePersonnummerRecognizer",
    "SgFinRecognizer",
    "ThTninRecognizer",
    "TrNationalIdRecognizer",
    "UkDrivingLicenceRecognizer",
    "UsNpiRecognizer",
    "ZaIdNumberRecognizer",
)
_SURE = 0.5
_BEFORE = 60  # characters in which a word may announce a number
_ACCOUNTS = frozenset({"CREDIT_CARD", "IBAN_CODE"})
# Whatever is kept holds five digits not far apart, so a text without them needs none of this.
_FIVE_DIGITS = re.compile(r"[0-9](?:(?:[ :+-]?|-?[A-Za-z]{1,4}-?| ?[A-Z]{1,4} ?)[0-9]){4}", re.ASCII)
_GLUE = re.compile(r"[\w/-]", re.ASCII)
_DECIMALS = re.compile(r"\.[0-9]", re.ASCII)
_once = Lock()


def find(text: str) -> Iterator[Span]:
    """Identity and account numbers in a folded text."""
    if not _FIVE_DIGITS.search(text):
        return
    with _once:
        recognisers = _recognisers()
    for recogniser, words, stands_alone in recognisers:
        for result in recogniser.analyze(text, recogniser.supported_entities):
            if not _FIVE_DIGITS.search(text, result.start, result.end) or _is_part(
                text, result.start, result.end
            ):
                continue
            announced = words.search(text[max(0, result.start - _BEFORE) : result.start])
            alone = stands_alone and result.score >= _SURE and not _is_row_of_numbers(text, result)
            if announced or alone:
                kind = Kind.ACCOUNT if result.entity_type in _ACCOUNTS else Kind.NATIONAL
                yield Span(result.start, result.end, kind, max(result.score, 0.6))


def _is_part(text: str, start: int, end: int) -> bool:
    """True for a piece of a longer number, word or decimal."""
    return bool(
        (start and _GLUE.match(text, start - 1, start))
        or _GLUE.match(text, end)
        or _DECIMALS.match(text, end)
    )


def _is_row_of_numbers(text: str, result) -> bool:
    """True for what has the groups of a social security number, with only spaces or points between them."""
    return result.entity_type in ("US_SSN", "US_ITIN") and "-" not in text[result.start : result.end]


@cache
def _recognisers() -> list[tuple]:
    """(recogniser, its words, whether it counts without them); two to three seconds on first use."""
    with without_torch():
        from presidio_analyzer import predefined_recognizers as presidio
    made = [(getattr(presidio, name)(), name in _ALONE) for name in (*_ALONE, *_BEHIND_A_WORD)]
    return [(one, _any_word(one.context), alone) for one, alone in made]


def _any_word(words: list[str]) -> re.Pattern[str]:
    return re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, words))})(?!\w)", re.IGNORECASE)
