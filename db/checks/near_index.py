"""Many texts, asked which of them are near to one: every ROUGE-L F1 above a bound, and none missed.

A pair of m and n words with LCS common words in order is near when 2 LCS / (m + n) > bound, that is when
its Indel distance m + n - 2 LCS is below (1 - bound)(m + n). Before a distance is computed, three cheaper
numbers that can never exceed it are looked at:

- the difference of lengths, |m - n|;
- the words that only the one text has. They are m - LCS at most: half of what the distance allows and the
  lengths differ by; call that number `a`. So of *any* k of its words a near text has k - a or more, and few
  texts have so many of its rarest k. The lists of texts that have a rare word are short, which makes asking
  two hundred thousand texts about each other a matter of a minute (the prefix filter of Chaudhuri et al.
  2006 and Bayardo et al. 2007, with a count);
- the Hamming distance of two bit signatures. Give each word its how-maniest occurrence, so that a text is a
  set; flip one bit for every member. The signatures of two texts differ at most where their sets differ (two
  flips at one bit cancel out), and the sets differ in m + n - 2 |common words| <= m + n - 2 LCS members.

So what they rule out is not near, whatever bits the words fall on. Where a text's words are all common, the
lists are long: then all signatures of fitting length are compared instead. The bound is compared in integers.
"""

from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction

import numpy as np
from rapidfuzz.distance import Indel
from rapidfuzz.process import cdist

from db.checks.similarity import tokenise

_BITS_A_WORD = 4  # wide enough that unlike texts keep apart: a few in a thousand need their distance computed
_SPREAD = 0x9E3779B97F4A7C15  # 2**64 / golden ratio: multiplying by it scatters neighbouring numbers
_UNKNOWN = chr(0x10FFFF)  # a word that no text of the index has
_OCCURRENCE = 21  # bits that a character takes; what lies above is the occurrence
_PIECE = 8_192  # texts made into arrays at a time
_SORTED = 8  # so much sparser than what they may be, numbers are sooner sorted than counted in an array
_LISTED = 8  # one entry of a word's list costs about as much as so many words of signatures compared


class NearIndex:
    """Texts in a fixed order, searched for those near to a text. Positions are those of `texts`."""

    def __init__(self, texts: Iterable[str], bound: float) -> None:
        self._characters: dict[str, str] = {}  # word -> the character that stands for it
        exactly = Fraction(str(bound))
        self._far, self._whole = exactly.denominator - exactly.numerator, exactly.denominator
        self._texts = [self._encode(tokenise(text)) for text in texts]
        lengths = np.array([len(text) for text in self._texts], dtype=np.int64)
        self._order = np.argsort(lengths, kind="stable")  # rank -> position
        self._ranks = np.argsort(self._order)  # position -> rank
        self._lengths = lengths[self._order]
        self._shift = np.int64(max(1, len(self._texts)).bit_length())
        self._listed = self._list_words()
        self._tables: dict[int, tuple[int, np.ndarray]] = {}

    def __len__(self) -> int:
        return len(self._texts)

    def words(self, position: int) -> str:
        """The words of a text, in a form that is equal for texts with equal words, and only for these."""
        return self._texts[position]

    def near(self, text: str) -> Iterator[tuple[int, float]]:
        """(position, ROUGE-L F1) of every text near to `text`."""
        yield from self.near_words(tokenise(text))

    def near_words(self, words: Sequence[str]) -> Iterator[tuple[int, float]]:
        """The same for a text that is words already, as `tokenise` gives them."""
        encoded = "".join(self._characters.get(word, _UNKNOWN) for word in words)
        if encoded:
            yield from self._measured(encoded, self._candidates(encoded))

    def near_behind(self, position: int, *, labels: np.ndarray | None = None) -> Iterator[tuple[int, float]]:
        """The same for the text at `position`, of those behind it in the order of length.

        Asking it of every position meets each near pair once. Texts that have the label of this one in
        `labels`, by position, are left out.
        """
        if words := self._texts[position]:
            found = self._candidates(words, rank=int(self._ranks[position]), labels=labels)
            yield from self._measured(words, found)

    def _measured(self, words: str, positions: np.ndarray) -> Iterator[tuple[int, float]]:
        if not len(positions):
            return
        texts = [self._texts[position] for position in positions.tolist()]
        totals = np.array([len(text) for text in texts]) + len(words)
        most = self._most(totals)
        cutoff = int(most.max())
        distances = cdist([words], texts, scorer=Indel.distance, score_cutoff=cutoff, dtype=np.int32)[0]
        for at in np.flatnonzero(distances <= most).tolist():
            yield int(positions[at]), 1 - int(distances[at]) / int(totals[at])

    # What length, words and signature do not rule out ---------------------------------------------------

    def _candidates(
        self, words: str, *, rank: int | None = None, labels: np.ndarray | None = None
    ) -> np.ndarray:
        """Positions; where `rank` is given, of the texts behind it that have another label."""
        shortest = self._shortest(len(words)) if rank is None else len(words)
        begin, end = self._window(shortest, self._longest(len(words)))
        begin = begin if rank is None else rank + 1
        first, table = self._table(len(words))
        ranks = self._sharing(words, shortest, begin, end, (end - begin) * len(table) // _LISTED)
        if ranks is not None:
            ranks = self._other(ranks, rank, labels)
        columns = slice(begin - first, end - first) if ranks is None else ranks - first
        ranks = np.arange(begin, end) if ranks is None else ranks
        most = self._limits(len(words))[self._lengths[ranks]]
        differing = np.zeros(len(ranks), dtype=np.int32)
        half = len(table) // 2
        own = self._own_signature(words, table, rank, first)
        for at, (row, bits) in enumerate(zip(table, own, strict=True)):
            if at == half:  # by then most are out
                left = differing <= most
                ranks, differing, most = ranks[left], differing[left], most[left]
                columns = ranks - first
            differing += np.bitwise_count(row[columns] ^ bits)
        return self._order[self._other(ranks[differing <= most], rank, labels)]

    def _other(self, ranks: np.ndarray, rank: int | None, labels: np.ndarray | None) -> np.ndarray:
        """Those of another label than the text at `rank`; all where there are no labels."""
        return ranks if labels is None else ranks[labels[self._order[ranks]] != labels[self._order[rank]]]

    def _sharing(self, words: str, shortest: int, begin: int, end: int, most: int) -> np.ndarray | None:
        """Ranks from `begin` to `end` of the texts that have enough of its rarest words.

        None where that tells too little or costs more than looking at `most` entries of their lists.
        """
        codes = _codes(words)
        strange = words.count(_UNKNOWN)
        lacking = (self._most(len(words) + shortest) + len(words) - shortest) // 2 - strange
        if lacking < 0 or begin >= end:
            return self._order[:0]
        known = _distinct(np.sort(codes))[: -1 if strange else None].astype(np.int64) << self._shift
        if len(known) <= lacking:
            return None
        starts = np.searchsorted(self._listed, known + begin)
        sizes = np.searchsorted(self._listed, known + end) - starts
        rarest = np.argsort(sizes, kind="stable")
        costs = np.cumsum(sizes[rarest])
        if costs[lacking] > most:
            return None
        count = max(lacking + 1, int(np.searchsorted(costs, 2 * costs[lacking], "right")))
        chosen = rarest[:count]
        return begin + self._having(starts[chosen], sizes[chosen], count - lacking, begin, end)

    def _having(self, starts: np.ndarray, sizes: np.ndarray, times: int, begin: int, end: int) -> np.ndarray:
        """What stands in `times` or more of these stretches of the lists, counted from rank `begin` on."""
        ends = np.cumsum(sizes)
        places = np.repeat(starts - ends + sizes, sizes) + np.arange(ends[-1])
        ranks = (self._listed[places] & ((np.int64(1) << self._shift) - 1)) - begin
        if len(ranks) * _SORTED > end - begin:
            return np.flatnonzero(np.bincount(ranks, minlength=end - begin) >= times)
        ranks.sort()
        behind = max(0, len(ranks) - times + 1)
        return _distinct(ranks[:behind][ranks[:behind] == ranks[len(ranks) - behind :]])

    def _most(self, total):
        """The largest Indel distance of a near pair with `total` words; -1 when none is small enough."""
        return (total * self._far - 1) // self._whole

    def _limits(self, length: int) -> np.ndarray:
        """`_most` of a text of `length` words and one of 0, 1, 2 words, and so on to the longest there is."""
        longest = min(self._longest(length), int(self._lengths[-1]) if len(self._lengths) else 0)
        return self._most(np.arange(longest + 1) + length).astype(np.int32)

    def _shortest(self, length: int) -> int:
        """The fewest words that a text near to one of `length` words can have."""
        return -(-length * (self._whole - self._far) // (self._whole + self._far))

    def _longest(self, length: int) -> int:
        return length * (self._whole + self._far) // (self._whole - self._far)

    def _window(self, shortest: int, longest: int) -> tuple[int, int]:
        """The ranks, from and to, of the texts with so many words."""
        return (
            int(np.searchsorted(self._lengths, shortest, "left")),
            int(np.searchsorted(self._lengths, longest, "right")),
        )

    # The lists and the signatures -----------------------------------------------------------------------

    def _list_words(self) -> np.ndarray:
        """Sorted numbers (word, rank): for each word the ranks of the texts that have it."""
        parts = []
        for begin in range(0, len(self._texts), _PIECE):
            codes, ranks = self._flat(self._order[begin : begin + _PIECE])
            parts.append(_distinct(np.sort((codes.astype(np.int64) << self._shift) + ranks + begin)))
        listed = np.concatenate(parts) if parts else np.zeros(0, dtype=np.int64)
        listed.sort()
        return listed

    def _table(self, length: int) -> tuple[int, np.ndarray]:
        """Signatures wide enough for a text of `length` words, and the rank of their first column."""
        longest = 1 << max(4, (length - 1).bit_length())
        if longest not in self._tables:
            shortest = self._shortest(1 if longest == 16 else longest // 2)
            begin, end = self._window(shortest, self._longest(longest))
            width = longest * _BITS_A_WORD // 64
            pieces = [self._order[at : min(at + _PIECE, end)] for at in range(begin, end, _PIECE)]
            parts = [_signatures(*self._flat(piece), len(piece), width) for piece in pieces]
            empty = np.zeros((width, 0), dtype=np.uint64)
            self._tables[longest] = begin, np.concatenate([empty, *parts], axis=1)
        return self._tables[longest]

    def _own_signature(self, words: str, table: np.ndarray, rank: int | None, first: int) -> np.ndarray:
        if rank is not None:
            return table[:, rank - first]
        codes = _codes(words)
        return _signatures(codes, np.zeros(len(codes), dtype=np.int64), 1, len(table))[:, 0]

    def _flat(self, positions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The words of these texts, one after the other, and for each the place of its text among them."""
        texts = [self._texts[position] for position in positions.tolist()]
        places = np.repeat(np.arange(len(texts)), [len(text) for text in texts])
        return _codes("".join(texts)), places

    def _encode(self, words: Sequence[str]) -> str:
        """The words of a text, one character for each: rapidfuzz compares strings fastest.

        Raises ValueError beyond 1,114,111 different words, which is all the characters there are.
        """
        known = self._characters
        return "".join(known.get(word) or self._new_character(word) for word in words)

    def _new_character(self, word: str) -> str:
        number = len(self._characters)
        if number >= ord(_UNKNOWN):
            raise ValueError(f"texts: more than {number:,} different words; compare fewer rows at once.")
        return self._characters.setdefault(word, chr(number))


def _codes(words: str) -> np.ndarray:
    """The characters as numbers."""
    return np.frombuffer(words.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)


def _distinct(ordered: np.ndarray) -> np.ndarray:
    return ordered[:1] if len(ordered) < 2 else ordered[np.append(True, ordered[1:] != ordered[:-1])]


def _signatures(codes: np.ndarray, columns: np.ndarray, texts: int, width: int) -> np.ndarray:
    """(width, texts) array of 64-bit words: one flipped bit for each member of a text's set.

    `codes` are the words of all texts, `columns` says of which text each is.
    """
    members = (columns.astype(np.uint64) << np.uint64(_OCCURRENCE)) + codes
    order = np.argsort(members, kind="stable")
    members = members[order]
    begins = np.flatnonzero(np.diff(members, prepend=np.uint64(2**64 - 1)))
    runs = np.diff(begins, append=len(members))
    occurrences = (np.arange(len(members)) - np.repeat(begins, runs)).astype(np.uint64)
    flips = (codes[order] + (occurrences << np.uint64(_OCCURRENCE))) * np.uint64(_SPREAD)  # wraps
    bits = flips >> np.uint64(64 - (width * 64 - 1).bit_length())
    masks = np.uint64(1) << (bits & np.uint64(63))
    signatures = np.zeros((width, texts), dtype=np.uint64)
    np.bitwise_xor.at(signatures, ((bits >> np.uint64(6)).astype(np.int64), columns[order]), masks)
    return signatures
