"""What a reply says, as typed values that a scorer can count, and what was wrong with the reply.

A prediction holds only what counts. Everything that does not (words that are not in the text, labels nobody
asked for, tokens passed over) stands beside it as a fault, so that a score can say both.
"""

import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum

Span = tuple[int, int]  # characters of the row's text, end exclusive
_EDGES = " \t\n\r.,;:\"'`*"


class FaultKind(StrEnum):
    EMPTY = "empty"  # the model said nothing
    UNPARSABLE = "unparsable"  # nothing of the asked form in it
    MISSING = "missing"  # asked for and left out, such as a token without a tag
    INVENTED = "invented"  # words that do not stand in the text
    REPEATED = "repeated"  # said more often than it stands in the text
    UNKNOWN_LABEL = "unknown_label"
    AMBIGUOUS = "ambiguous"  # several answers where one was asked
    BROKEN = "broken"  # an I without its B, a tag never closed, a record without its fields
    CUT_OFF = "cut_off"  # ends in the middle; the whole members before that are kept


@dataclass(frozen=True)
class Fault:
    """One thing in a reply that was not counted, with the words it is about."""

    kind: FaultKind
    words: str = ""


@dataclass(frozen=True, order=True)
class Mention:
    """A stretch of the text, or several where it is broken up, of one type of the corpus."""

    type: str
    offsets: tuple[Span, ...]


@dataclass(frozen=True, order=True)
class Pair:
    """A typed relation between two stretches of the text."""

    type: str
    head: Span
    tail: Span


@dataclass(frozen=True)
class Mentions:
    """Named entities. `tags` has one tag a token, None where the reply has none; only token forms fill it."""

    mentions: tuple[Mention, ...]
    faults: tuple[Fault, ...] = ()
    tags: tuple[str | None, ...] = ()

    @property
    def items(self) -> frozenset[Mention]:
        return frozenset(self.mentions)


@dataclass(frozen=True)
class Pairs:
    """Relations between mentions of one text."""

    pairs: tuple[Pair, ...]
    faults: tuple[Fault, ...] = ()

    @property
    def items(self) -> frozenset[Pair]:
        return frozenset(self.pairs)


@dataclass(frozen=True)
class Labels:
    """Labels of a closed set by the corpus's names, in that set's order; none of them is an answer too."""

    labels: tuple[str, ...]
    faults: tuple[Fault, ...] = ()

    @property
    def items(self) -> frozenset[str]:
        return frozenset(self.labels)


@dataclass(frozen=True)
class Choice:
    """The index of the chosen option, None where the reply chooses none."""

    index: int | None
    faults: tuple[Fault, ...] = ()

    @property
    def items(self) -> frozenset[int]:
        return frozenset(() if self.index is None else (self.index,))


@dataclass(frozen=True)
class Answers:
    """Short answers in words. Of a gold answer, `one_of` says that its members mean the same and any will do;
    `synonyms` are other wordings of each member, in their order.
    """

    answers: tuple[str, ...]
    faults: tuple[Fault, ...] = ()
    one_of: bool = False
    synonyms: tuple[tuple[str, ...], ...] = ()

    @property
    def items(self) -> frozenset[str]:
        return frozenset(folded(answer) for answer in self.answers)

    def canonical(self, words: str) -> str:
        """The member that these words are a wording of, or the words themselves."""
        for answer, others in zip(self.answers, self.synonyms, strict=False):
            if words in (folded(other) for other in others):
                return folded(answer)
        return words


@dataclass(frozen=True)
class Text:
    """Free text, as it is."""

    text: str
    faults: tuple[Fault, ...] = ()

    @property
    def items(self) -> frozenset[str]:
        return frozenset((self.text,))


Prediction = Mentions | Pairs | Labels | Choice | Answers | Text


@dataclass(frozen=True)
class Tally:
    """How many items of a prediction are right and wrong, and how many of the gold are missed."""

    right: int = 0
    wrong: int = 0
    missed: int = 0

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(self.right + other.right, self.wrong + other.wrong, self.missed + other.missed)

    @property
    def f1(self) -> float:
        """2 right / (2 right + wrong + missed); 1.0 where there was nothing to find and nothing was said."""
        weight = 2 * self.right + self.wrong + self.missed
        return 2 * self.right / weight if weight else 1.0


def tally(prediction: Prediction, gold: Prediction) -> Tally:
    """The items of a prediction against those of the gold, each counted once."""
    said, true = prediction.items, gold.items
    if isinstance(gold, Answers) and gold.synonyms:
        said = frozenset(gold.canonical(words) for words in said)
    right = len(said & true)
    if isinstance(gold, Answers) and gold.one_of:
        return Tally(min(right, 1), len(said - true), 0 if right else 1)
    return Tally(right, len(said) - right, len(true) - right)


def folded(words: str) -> str:
    """Words as they are compared: one case, single spaces, no quotes or full stop at the edges."""
    return re.sub(r"\s+", " ", unicodedata.normalize("NFKC", words)).casefold().strip(_EDGES)
