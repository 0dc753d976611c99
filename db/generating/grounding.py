"""Is each sentence of an answer supported by the passage it was drafted from? By alignment, without a model.

For each sentence of the answer the passage's sentences that cover most of its content words are found. It is
supported when they hold a large enough share of these words, in much the same order, and when nothing has
turned: each number stands beside one of the same words and with the same unit, what is denied is denied
there, and no word stands for its opposite (left, right; increased, decreased). Words that the instruction
brings in, such as the labels it asks for, are neither support nor fault.

A check for drafts, not a proof. A synonym counts as unsupported ("renal" for "kidney"); not seen is a claim
made of the passage's own words in an order near to its own, a denial moved within one sentence that denies
both, and a bare "yes" or label, which has no content words: `unchecked` counts these.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from math import isfinite
from unicodedata import normalize

import regex
from rapidfuzz.distance import LCSseq

from db.checks.naming import name_of
from db.generating.grounding_words import (
    DENIALS,
    DENIED_AFTER,
    DENIED_BEFORE,
    ENDS_DENIAL,
    NUMBERS,
    OPPOSITES,
    UNITS,
)

_TOKEN = regex.compile(r"[0-9]{1,30}(?:[.,][0-9]{1,30})*|[\p{L}\p{M}\p{N}]+(?:['’]t\b)?|[,;]")
_BREAK = re.compile(r"(?<=[.!?])[\"')\]]{0,3}[ \t]+(?=[\"'(\[]{0,3}[A-Z0-9])|\s*\n\s*")
_ABBREVIATED = re.compile(
    r"(?:\b(?:e\.g|i\.e|dr|mr|mrs|vs|no|fig|approx|al|ca|[a-z])|^\W{0,3}[0-9]{1,3})\.$", re.I
)
_BULLET = re.compile(r"[ \t]*(?:[-*•]|[0-9]{1,3}[.)])[ \t]+")
_SCOPE_AFTER, _SCOPE_BEFORE = 8, 4  # words that a denial reaches
_NEAR, _NEAR_THERE = 4, 6  # tokens each side of a number that may say what it counts; in the passage
_UNNAMED = DENIALS | DENIED_BEFORE | DENIED_AFTER | frozenset(",;")
_STOPS = frozenset(",;")


class Lack(StrEnum):
    """Why a stretch is not supported."""

    WORDS = "words"  # the passage does not have them
    ORDER = "order"  # its words, arranged anew
    NUMBER = "number"
    DENIAL = "denial"  # denied in one and not in the other
    OPPOSITE = "opposite"


@dataclass(frozen=True)
class GroundingRule:
    """What counts as supported. Raises ValueError naming the field."""

    coverage: float = 0.6  # share of a sentence's content words that the aligned sentences have
    order: float = 0.3  # longest common subsequence over the sentence's content words
    sentences: int = 3  # of the passage, that one sentence may draw on

    def __post_init__(self) -> None:
        for name in ("coverage", "order"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
                raise ValueError(f"{name}: give a share from 0 to 1.")
            if not 0 <= value <= 1:
                raise ValueError(f"{name}: {value:g} is no share; give 0 to 1, such as 0.6.")
        if isinstance(self.sentences, bool) or not isinstance(self.sentences, int) or self.sentences < 1:
            raise ValueError(f"sentences: {self.sentences} is no number of sentences; give 1 or more.")


@dataclass(frozen=True)
class Stretch:
    """Characters `start` to `end` (exclusive) of the answer that the passage does not support."""

    start: int
    end: int
    lack: Lack


@dataclass(frozen=True)
class Sentence:
    """One sentence of the answer, and how much of it the passage has."""

    start: int
    end: int
    coverage: float  # 0 to 1; 1 where nothing could be checked
    sources: tuple[tuple[int, int], ...]  # characters of the passage's sentences it was aligned with
    lacks: tuple[Stretch, ...]
    is_checked: bool


@dataclass(frozen=True)
class Grounding:
    sentences: tuple[Sentence, ...]

    @property
    def unsupported(self) -> tuple[Stretch, ...]:
        return tuple(stretch for sentence in self.sentences for stretch in sentence.lacks)

    @property
    def is_grounded(self) -> bool:
        return not self.unsupported

    @property
    def unchecked(self) -> int:
        """Sentences without a content word, such as "Yes."."""
        return sum(not sentence.is_checked for sentence in self.sentences)


def check(
    answer: str, passage: str, rule: GroundingRule | None = None, *, instruction: str = ""
) -> Grounding:
    """Each sentence of `answer` held against `passage`; `instruction` is what the answer was asked for by."""
    rule = rule or GroundingRule()
    source = _Passage(passage)
    given = {token.name for token in tokens_of(instruction, 0, len(instruction)) if not token.is_number}
    return Grounding(
        tuple(_sentence(answer, start, end, source, given, rule) for start, end in split_sentences(answer))
    )


def split_sentences(text: str) -> Iterator[tuple[int, int]]:
    """(start, end) of each sentence or line that is not blank; bullets and numbering left out."""
    begin = 0
    for match in (*_BREAK.finditer(text), None):
        end = match.start() if match else len(text)
        if match and "\n" not in match[0] and _ABBREVIATED.search(text[max(begin, end - 12) : end]):
            continue
        start = bullet.end() if (bullet := _BULLET.match(text, begin, end)) else begin
        if text[start:end].strip():
            yield start, end
        begin = match.end() if match else end


@dataclass(frozen=True)
class Token:
    """A word or a number of a text."""

    start: int
    end: int
    word: str  # in lower case
    name: str  # what is compared: a stem, or a number in one spelling; empty where it names nothing
    is_number: bool
    is_denied: bool


class _Passage:
    """The passage's sentences, and in which of them each name stands."""

    def __init__(self, text: str) -> None:
        self.places = list(split_sentences(text))
        self.sentences = [tokens_of(text, start, end) for start, end in self.places]
        self._holders: dict[str, list[int]] = {}
        for at, tokens in enumerate(self.sentences):
            for name in {token.name for token in tokens if token.name}:
                self._holders.setdefault(name, []).append(at)
        self.counts: dict[str, set[_Count]] = {}  # of each number, what it counts
        for tokens in self.sentences:
            for at, token in enumerate(tokens):
                if token.is_number:
                    self.counts.setdefault(token.name, set()).add(_count(tokens, at, _NEAR_THERE))

    def holders(self, name: str) -> list[int]:
        return self._holders.get(name, [])

    def best(self, names: set[str], most: int) -> list[int]:
        """Up to `most` sentences that together hold most of the names, in the order of the passage."""
        left, chosen = set(names), list[int]()
        while left and len(chosen) < most:
            counts = Counter(at for name in left for at in self.holders(name))
            if not counts:
                break
            best = max(counts, key=lambda at: (counts[at], -at))
            chosen.append(best)
            left -= {token.name for token in self.sentences[best]}
        return sorted(chosen)


def _sentence(
    answer: str, start: int, end: int, source: _Passage, given: set[str], rule: GroundingRule
) -> Sentence:
    tokens = tokens_of(answer, start, end)
    content = [
        token for token in tokens if token.name and (token.name not in given or source.holders(token.name))
    ]
    if not content:
        return Sentence(start, end, 1.0, (), (), is_checked=False)
    chosen = source.best({token.name for token in content}, rule.sentences)
    aligned = [token for at in chosen for token in source.sentences[at]]
    there = {token.name for token in aligned if token.name}
    coverage = sum(token.name in there for token in content) / len(content)
    lacks = [*_wrong_numbers(tokens, source), *_turned(tokens, aligned)]
    if coverage < rule.coverage:
        lacks += _runs(content, there)
    elif _order([token.name for token in content], [token.name for token in aligned]) < rule.order:
        lacks.append(Stretch(content[0].start, content[-1].end, Lack.ORDER))
    if _is_denied_otherwise(content, aligned):
        lacks.append(Stretch(content[0].start, content[-1].end, Lack.DENIAL))
    places = tuple(source.places[at] for at in chosen)
    return Sentence(start, end, coverage, places, tuple(sorted(lacks, key=lambda one: one.start)), True)


def _order(names: Sequence[str], theirs: Sequence[str]) -> float:
    return LCSseq.similarity(names, theirs) / len(names)


def _runs(content: Sequence[Token], there: set[str]) -> Iterator[Stretch]:
    """Neighbouring content words that the aligned sentences do not have, as one stretch each."""
    run: list[Token] = []
    for token in (*content, None):
        if token is not None and token.name not in there:
            run.append(token)
        elif run:
            yield Stretch(run[0].start, run[-1].end, Lack.WORDS)
            run = []


def _wrong_numbers(tokens: Sequence[Token], source: _Passage) -> Iterator[Stretch]:
    """Numbers that the passage nowhere has beside one of the words they stand beside here, in their unit."""
    for at, token in enumerate(tokens):
        if token.is_number:
            ours = _count(tokens, at, _NEAR)
            if not any(_is_same_count(ours, theirs) for theirs in source.counts.get(token.name, ())):
                yield Stretch(token.start, token.end, Lack.NUMBER)


@dataclass(frozen=True)
class _Count:
    """What a number may count: its unit, the names near it up to a comma, and those beyond it too."""

    unit: str
    near: frozenset[str]
    wide: frozenset[str]


def _is_same_count(ours: _Count, theirs: _Count) -> bool:
    if ours.unit and theirs.unit and ours.unit != theirs.unit:
        return False
    left, right = (ours.near, theirs.near) if ours.near else (ours.wide, theirs.wide)
    return not left or not right or not left.isdisjoint(right)


def _count(tokens: Sequence[Token], at: int, reach: int) -> _Count:
    sides = (tokens[max(0, at - reach) : at][::-1], tokens[at + 1 : at + 1 + reach])
    near: set[str] = set()
    for side in sides:
        stop = next((n for n, token in enumerate(side) if token.word in _STOPS), len(side))
        near |= _counted(side[:stop])
    wide = _counted([token for side in sides for token in side])
    return _Count(unit_of(tokens, at), frozenset(near), frozenset(wide))


def _counted(tokens: Sequence[Token]) -> set[str]:
    return {token.name for token in tokens if token.name and not token.is_number and token.name not in UNITS}


def unit_of(tokens: Sequence[Token], at: int) -> str:
    """The unit behind the number at that place, "" where none follows."""
    name = tokens[at + 1].name if at + 1 < len(tokens) else ""
    return name if name in UNITS else ""


def _turned(tokens: Sequence[Token], aligned: Sequence[Token]) -> Iterator[Stretch]:
    """Words whose opposite the aligned sentences have, and not the words themselves."""
    words = {token.word for token in aligned}
    own = {token.word for token in tokens}
    for token in tokens:
        opposites = OPPOSITES.get(token.word, frozenset())
        if token.word not in words and opposites & words and not opposites & own:
            yield Stretch(token.start, token.end, Lack.OPPOSITE)


def _is_denied_otherwise(content: Sequence[Token], aligned: Sequence[Token]) -> bool:
    """The answer denies nothing of what the passage denies there, or denies only what it does not."""
    ever = {token.name for token in aligned if token.is_denied}
    always = ever - {token.name for token in aligned if not token.is_denied}
    shared = {token.name for token in aligned}
    denied = {token.name for token in content if token.is_denied and token.name in shared}
    named = {token.name for token in content}
    return not denied & ever if denied else bool(always & named)


def tokens_of(text: str, start: int, end: int) -> list[Token]:
    """The words and numbers of characters `start` to `end`; what is denied is told within these alone."""
    found = [(match, normalize("NFKC", match[0]).lower()) for match in _TOKEN.finditer(text, start, end)]
    denied = _denied([word for _, word in found])
    tokens = []
    for at, (match, word) in enumerate(found):
        number = _number(word)
        name = number or ("" if word in _UNNAMED else name_of(word))
        tokens.append(Token(match.start(), match.end(), word, name, bool(number), at in denied))
    return tokens


def _number(word: str) -> str:
    """A number in one spelling: "1,000" and "1000", "5.0" and "5", "three" and "3"; else empty."""
    if word in NUMBERS:
        return NUMBERS[word]
    if not word[0].isdigit() or not word.isascii() or any(sign.isalpha() for sign in word):
        return ""
    plain = word.replace(",", "") if re.fullmatch(r"[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]+)?", word) else word
    return format(Decimal(plain).normalize(), "f") if re.fullmatch(r"[0-9]+(?:\.[0-9]+)?", plain) else plain


def _denied(words: Sequence[str]) -> set[int]:
    """Positions of the words within reach of a denial."""
    found: set[int] = set()
    for at, word in enumerate(words):
        if word in DENIALS or word in DENIED_AFTER or word.endswith(("n't", "n’t")):
            for other in range(at + 1, min(len(words), at + 1 + _SCOPE_AFTER)):
                if words[other] in ENDS_DENIAL:
                    break
                found.add(other)
        if word in DENIED_BEFORE:
            for other in range(at - 1, max(-1, at - 1 - _SCOPE_BEFORE), -1):
                if words[other] in ENDS_DENIAL:
                    break
                found.add(other)
    return found
