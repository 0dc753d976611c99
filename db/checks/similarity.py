"""How alike two texts are: ROUGE-L F1 over words, exact, and the nearest of many.

ROUGE-L F1 = 2 LCS / (m + n) (Lin 2004) equals rapidfuzz's normalised Indel similarity over token sequences.
"""

import re
from dataclasses import dataclass

from rapidfuzz.distance import Indel

DUPLICATE = 0.7  # Self-Instruct's bound: above it a text counts as a copy

_TOKEN = re.compile(r"[^\W_]+")


@dataclass(frozen=True)
class Neighbour:
    """The stored text nearest to a candidate."""

    id: int
    score: float  # ROUGE-L F1, 0 to 1


def tokenise(text: str) -> list[str]:
    """Words in lower case, in any script: Greek letters count, unlike in the papers' ASCII tokenisers."""
    return _TOKEN.findall(text.casefold())


def rouge_l(candidate: str, reference: str) -> float:
    """ROUGE-L F1 of two texts, 0 to 1; 0 when either has no words."""
    left, right = tokenise(candidate), tokenise(reference)
    return Indel.normalized_similarity(left, right) if left and right else 0.0


class NearestText:
    """Texts by id, searched for the one nearest to a candidate. 25,000 texts take tens of milliseconds."""

    def __init__(self) -> None:
        self._tokens: dict[int, list[str]] = {}

    def __len__(self) -> int:
        return len(self._tokens)

    def put(self, id: int, text: str) -> None:
        """Add a text, or replace the one of that id."""
        self._tokens[id] = tokenise(text)

    def nearest(self, text: str, *, except_id: int | None = None) -> Neighbour | None:
        """The stored text most like `text`, or None where nothing shares a word with it."""
        candidate, best = tokenise(text), Neighbour(0, 0.0)
        if not candidate:
            return None
        for id, tokens in self._tokens.items():
            if id == except_id or not tokens:
                continue
            # 2 * shorter / total bounds the score: most texts need no comparison at all.
            if 2 * min(len(candidate), len(tokens)) <= best.score * (len(candidate) + len(tokens)):
                continue
            score = Indel.normalized_similarity(candidate, tokens, score_cutoff=best.score)
            if score > best.score:
                best = Neighbour(id, score)
        return best if best.score else None
