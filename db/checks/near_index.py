"""Many texts, asked which of them are near to one: every ROUGE-L F1 above a bound, and none missed.

A pair of m and n words with LCS common words in order is near when 2 LCS / (m + n) > bound, that is when
its Indel distance m + n - 2 LCS is below (1 - bound)(m + n). Before a distance is computed, two cheaper
numbers that can never exceed it are looked at:

- the difference of lengths, |m - n|;
- the Hamming distance of two bit signatures. Give each word its how-maniest occurrence, so that a text is a
  set; flip one bit for every member. The signatures of two texts differ at most where their sets differ (two
  flips at one bit cancel out), and the sets differ in m + n - 2 |common words| <= m + n - 2 LCS members.

So what they rule out is not near, whatever bits the words fall on. The bound is compared in integers.
"""

from collections.abc import Iterable, Iterator
from fractions import Fraction

from rapidfuzz.distance import Indel

from db.checks.similarity import tokenise

_BITS_A_WORD = 4  # wide enough that unlike texts keep apart: a few in a thousand need their distance computed
_SPREAD = 0x9E3779B97F4A7C15  # 2**64 / golden ratio: multiplying by it scatters neighbouring numbers


class NearIndex:
    """Texts in a fixed order, searched for those near to a text. Positions are those of `texts`."""

    def __init__(self, texts: Iterable[str], bound: float) -> None:
        import numpy

        self._numpy = numpy
        self._numbers: dict[str, int] = {}  # of words
        self._members: dict[tuple[str, int], int] = {}  # of (word, how-maniest occurrence)
        exactly = Fraction(str(bound))
        self._far, self._whole = exactly.denominator - exactly.numerator, exactly.denominator
        self._texts = [self._encode(text) for text in texts]
        self._flips = [self._flips_of(words) for words in self._texts]
        lengths = numpy.array([len(text) for text in self._texts], dtype=numpy.int64)
        self._order = numpy.argsort(lengths, kind="stable")  # rank -> position
        self._ranks = numpy.argsort(self._order)  # position -> rank
        self._lengths = lengths[self._order]
        self._tables: dict[int, tuple[int, object]] = {}

    def __len__(self) -> int:
        return len(self._texts)

    def words(self, position: int) -> str:
        """The words of a text, in a form that is equal for texts with equal words, and only for these."""
        return self._texts[position]

    def near(self, text: str) -> Iterator[tuple[int, float]]:
        """(position, ROUGE-L F1) of every text near to `text`."""
        words = self._encode(text)
        if not words:
            return
        first, table = self._table(len(words))
        own = self._signatures([self._flips_of(words)], table.shape[0])[:, 0]
        yield from self._measured(words, self._candidates(len(words), own, first, table))

    def near_behind(self, position: int, *, but=None) -> Iterator[tuple[int, float]]:
        """The same for the text at `position`, of those behind it in the order of length.

        Asking it of every position meets each near pair once. Positions where the array `but` is True are
        left out.
        """
        words = self._texts[position]
        if not words:
            return
        first, table = self._table(len(words))
        column = int(self._ranks[position]) - first
        found = self._candidates(len(words), table[:, column], first, table, begin=column + 1)
        yield from self._measured(words, found if but is None else found[~but[found]])

    def _measured(self, words: str, positions) -> Iterator[tuple[int, float]]:
        for position in positions.tolist():
            total = len(words) + len(self._texts[position])
            most = self._most(total)
            distance = Indel.distance(words, self._texts[position], score_cutoff=most)
            if distance <= most:
                yield position, 1 - distance / total

    def _candidates(self, length: int, own, first: int, table, *, begin: int = 0):
        """Positions, from that column of the table on, that length and signature do not rule out."""
        numpy = self._numpy
        lengths = self._lengths[first : first + table.shape[1]]
        shortest, end = self._window(lengths, length, length)
        begin = max(begin, shortest)
        differing = numpy.zeros(max(0, end - begin), dtype=numpy.int32)
        for row, bits in zip(table, own, strict=True):
            differing += numpy.bitwise_count(row[begin:end] ^ bits)
        found = numpy.flatnonzero(differing <= self._most(lengths[begin:end] + length))
        return self._order[first + begin + found]

    def _most(self, total):
        """The largest Indel distance of a near pair with `total` words; -1 when none is small enough."""
        return (total * self._far - 1) // self._whole

    def _window(self, lengths, shortest: int, longest: int) -> tuple[int, int]:
        """Where in `lengths` the texts stand that can be near to one of `shortest` to `longest` words."""
        low = -(-shortest * (self._whole - self._far) // (self._whole + self._far))
        high = longest * (self._whole + self._far) // (self._whole - self._far)
        search = self._numpy.searchsorted
        return int(search(lengths, low, "left")), int(search(lengths, high, "right"))

    def _table(self, length: int) -> tuple[int, object]:
        """Signatures wide enough for a text of `length` words, and the rank of their first column."""
        longest = 1 << max(4, (length - 1).bit_length())
        if longest not in self._tables:
            begin, end = self._window(self._lengths, 1 if longest == 16 else longest // 2, longest)
            flips = [self._flips[position] for position in self._order[begin:end].tolist()]
            self._tables[longest] = begin, self._signatures(flips, longest * _BITS_A_WORD // 64)
        return self._tables[longest]

    def _signatures(self, flips: list, width: int):
        """(width, texts) array of 64-bit words: one flipped bit for each member of a text's set."""
        numpy = self._numpy
        signatures = numpy.zeros((width, len(flips)), dtype=numpy.uint64)
        if flips:
            columns = numpy.repeat(numpy.arange(len(flips)), [len(members) for members in flips])
            bits = numpy.concatenate(flips) >> numpy.uint64(64 - (width * 64 - 1).bit_length())
            masks = numpy.uint64(1) << (bits & numpy.uint64(63))
            rows = (bits >> numpy.uint64(6)).astype(numpy.int64)
            numpy.bitwise_xor.at(signatures, (rows, columns), masks)
        return signatures

    def _flips_of(self, words: str):
        """A scattered 64-bit number for each (word, occurrence); its leading bits say which bit it flips."""
        seen: dict[str, int] = {}
        numbers = []
        for word in words:
            seen[word] = occurrence = seen.get(word, 0) + 1
            numbers.append(self._members.setdefault((word, occurrence), len(self._members) + 1))
        return self._numpy.array(numbers, dtype=self._numpy.uint64) * self._numpy.uint64(_SPREAD)  # wraps

    def _encode(self, text: str) -> str:
        """The words of a text, one character for each: rapidfuzz compares strings fastest.

        Raises ValueError beyond 1,114,112 different words, which is all the characters there are.
        """
        numbers = [self._numbers.setdefault(word, len(self._numbers)) for word in tokenise(text)]
        return "".join(map(chr, numbers))
