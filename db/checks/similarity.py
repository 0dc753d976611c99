"""How alike two texts are, and which of many stored ones is nearest or too near: ROUGE-L over words, exact.

ROUGE-L F1 = 2 LCS / (m + n) for texts of m and n words whose longest common subsequence is LCS words long
(Lin 2004). LCS is counted in integers and divided once. Correctly rounded division never swaps two fractions
and gives equal ones the same number, so comparing scores, or a score with a bound such as 0.7, decides as the
fractions would.
"""

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from unicodedata import normalize
from zlib import crc32

import numpy as np
import regex
from rapidfuzz.distance import LCSseq
from rapidfuzz.process import cdist

from db.checks.naming import are_variants, name_of

_ASCII_WORD = re.compile(r"[a-z0-9]+")
# Scripts written without spaces count by character, as ROUGE does for Chinese.
_UNSPACED = r"\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}"
_WORD = regex.compile(rf"(?V1)[{_UNSPACED}]\p{{M}}*|[[\p{{L}}\p{{N}}\p{{M}}]--[{_UNSPACED}]]+")
_INVISIBLE = regex.compile(r"\p{Cf}+")  # soft hyphens, joiners, byte-order marks


def tokenise(text: str) -> list[str]:
    """Words in lower case: runs of letters, marks and digits of any script; Chinese, Thai and the like by
    character.

    For ASCII exactly the words of `rouge_score` without its stemmer. Elsewhere Greek letters, accents and
    other scripts count, which the papers' ASCII tokenisers drop, and composed and decomposed accents are
    the same.
    """
    if text.isascii():
        return _ASCII_WORD.findall(text.lower())
    return _WORD.findall(normalize("NFC", _INVISIBLE.sub("", text).casefold()))


def rouge_l(candidate: str, reference: str) -> float:
    """ROUGE-L F1 of two texts, 0 to 1; 0 when either has no words."""
    left, right = tokenise(candidate), tokenise(reference)
    return 2 * LCSseq.similarity(left, right) / (len(left) + len(right)) if left and right else 0.0


@dataclass(frozen=True)
class Neighbour:
    """A stored text near to a candidate."""

    id: int
    score: float  # ROUGE-L F1, 0 to 1
    is_variant: bool  # each text names something that the other does not: see db.checks.naming


@dataclass(frozen=True)
class _Encoded:
    words: str  # one character a word, so that rapidfuzz compares strings, its fastest way
    bits: np.ndarray  # (_ROWS,) uint64, the signature


_PLAIN_BITS, _NAME_BITS = 512, 512
_PLAIN_ROWS, _ROWS = _PLAIN_BITS // 64, (_PLAIN_BITS + _NAME_BITS) // 64
_FIRST_ROOM = 1024  # texts; doubles when full
_SURROGATES = range(0xD800, 0xE000)  # no characters
_UNKNOWN = "\0"  # a word that no stored text has
_CHUNK = 256


class NearestText:
    """Texts by id, searched for the nearest one and for the nearest one that is too near. Nothing is missed.

    Only texts that could win are scored. Give each word its how-maniest occurrence, so that a text is a
    set, and let each member set one bit of a signature. A bit that only one of two signatures has is a
    member without a partner, so LCS is at most the shared bits plus the fewer of the members that share a
    bit with another of their own text. The first occurrences of names (db.checks.naming) have bits of their
    own: where each side has one that the other lacks, the pair is a variant for certain.

    Holds 1,112,063 different words; more raise ValueError.
    """

    def __init__(self) -> None:
        self._characters: dict[str, str] = {}
        self._words: dict[str, str] = {}  # the way back
        self._slots: dict[int, int] = {}
        self._ids: list[int] = []
        self._texts: list[str] = []
        self._bits = np.zeros((_ROWS, _FIRST_ROOM), np.uint64)  # (row of the signature, slot)
        self._lengths = np.zeros(_FIRST_ROOM, np.int32)
        self._hidden_members = np.zeros(_FIRST_ROOM, np.int32)  # members beyond the bits they set
        self._names = np.zeros(_FIRST_ROOM, np.int32)  # bits of names

    def __len__(self) -> int:
        return len(self._ids)

    def __contains__(self, id: int) -> bool:
        return id in self._slots

    @property
    def ids(self) -> Collection[int]:
        return self._slots.keys()

    def put(self, id: int, text: str) -> None:
        """Add a text, or replace the one of that id."""
        encoded = self._encode(text, grow=True)
        slot = self._slots.get(id)
        if slot is None:
            slot = self._new_slot(id)
        self._texts[slot] = encoded.words
        self._bits[:, slot] = encoded.bits
        self._lengths[slot] = len(encoded.words)
        self._hidden_members[slot] = len(encoded.words) - _count(encoded.bits)
        self._names[slot] = _count(encoded.bits[_PLAIN_ROWS:])

    def nearest(self, text: str, *, above: float = 0.0, except_ids: Iterable[int] = ()) -> Neighbour | None:
        """The text with the highest score, the earliest of equals; None where none scores above `above`.

        The higher `above`, the fewer texts need scoring: at 0 a long text may need nearly all of them.
        """
        encoded = self._encode(text)
        most, _ = self._bounds(encoded, except_ids)
        slots = np.flatnonzero(most > above)
        slots = slots[np.argsort(-most[slots], kind="stable")]
        best_slot, best = -1, above
        for begin in range(0, len(slots), _CHUNK):
            chunk = slots[begin : begin + _CHUNK]
            chunk = chunk[most[chunk] >= best]
            if not len(chunk):
                break
            scores = self._scores(encoded.words, chunk, above=best)
            at = np.lexsort((chunk, -scores))[0]
            if (-scores[at], chunk[at]) < (-best, best_slot):
                best_slot, best = int(chunk[at]), float(scores[at])
        return self._neighbour(text, best_slot, best) if best > above else None

    def stopping(
        self, text: str, *, copy: float, variant: float, except_ids: Iterable[int] = ()
    ) -> Neighbour | None:
        """The nearest text that scores above `copy` and is no variant, or above `variant`, the higher one."""
        encoded = self._encode(text)
        most, may_be_copy = self._bounds(encoded, except_ids)
        slots = np.flatnonzero((most > variant) | (may_be_copy & (most > copy)))
        scores = self._scores(encoded.words, slots, above=copy)
        for at in np.lexsort((slots, -scores)):
            if scores[at] <= copy:
                break
            found = self._neighbour(text, slots[at], scores[at])
            if found.score > (variant if found.is_variant else copy):
                return found
        return None

    def _bounds(self, encoded: _Encoded, except_ids: Iterable[int]) -> tuple[np.ndarray, np.ndarray]:
        """For each slot: a number that its score cannot exceed, and whether it may be no variant."""
        used, length = len(self._ids), len(encoded.words)
        plain, names = np.zeros(used, np.int32), np.zeros(used, np.int32)
        for row, bits in enumerate(encoded.bits):
            if bits:
                counts = plain if row < _PLAIN_ROWS else names
                counts += np.bitwise_count(self._bits[row, :used] & bits)
        own_names = _count(encoded.bits[_PLAIN_ROWS:])
        may_be_copy = (names == own_names) | (names == self._names[:used])
        hidden = np.minimum(self._hidden_members[:used], length - _count(encoded.bits))
        shared = np.minimum(plain + names + hidden, np.minimum(self._lengths[:used], length))
        most = 2 * shared / np.maximum(self._lengths[:used] + length, 1)
        for id in except_ids:
            if id in self._slots:
                most[self._slots[id]] = 0
        return most, may_be_copy

    def _scores(self, words: str, slots: np.ndarray, *, above: float) -> np.ndarray:
        """The scores of these slots; those below `above` may come out as 0."""
        if not len(slots):
            return np.zeros(0)
        totals = self._lengths[slots] + len(words)
        least = int(above * int(totals.min()) / 2)  # of LCS, for the shortest
        texts = [self._texts[slot] for slot in slots]
        common = cdist([words], texts, scorer=LCSseq.similarity, score_cutoff=least, dtype=np.int32)[0]
        return 2 * common / totals

    def _neighbour(self, text: str, slot: int, score: float) -> Neighbour:
        theirs = (self._words[character] for character in self._texts[slot])
        return Neighbour(self._ids[slot], float(score), are_variants(tokenise(text), theirs))

    def _encode(self, text: str, *, grow: bool = False) -> _Encoded:
        characters, signature, seen = [], 0, {}
        for word in tokenise(text):
            characters.append(self._character(word) if grow else self._characters.get(word, _UNKNOWN))
            seen[word] = occurrence = seen.get(word, 0) + 1
            signature |= 1 << _bit(word, occurrence)
        bits = np.frombuffer(signature.to_bytes(_ROWS * 8, "little"), np.dtype("<u8"))
        return _Encoded("".join(characters), bits)

    def _character(self, word: str) -> str:
        """The character that stands for a word, a new one for a new word."""
        if word not in self._characters:
            number = len(self._characters) + 1
            if number >= _SURROGATES.start:
                number += len(_SURROGATES)
            character = chr(number)
            self._characters[word], self._words[character] = character, word
        return self._characters[word]

    def _new_slot(self, id: int) -> int:
        slot = self._slots[id] = len(self._ids)
        self._ids.append(id)
        self._texts.append("")
        room = len(self._lengths)
        if slot == room:
            self._bits = np.pad(self._bits, ((0, 0), (0, room)))
            self._lengths = np.pad(self._lengths, (0, room))
            self._hidden_members = np.pad(self._hidden_members, (0, room))
            self._names = np.pad(self._names, (0, room))
        return slot


def _bit(word: str, occurrence: int) -> int:
    """The bit that the n-th occurrence of a word sets; equal names share theirs whatever their ending."""
    name = name_of(word) if occurrence == 1 else ""
    if name:
        return _PLAIN_BITS + crc32(name.encode()) % _NAME_BITS
    return crc32(f"{word} {occurrence}".encode()) % _PLAIN_BITS


def _count(bits: np.ndarray) -> int:
    return int(np.bitwise_count(bits).sum())
