"""Scores of the demo set: predictions and references in, numbers with bootstrap intervals out. No torch.

QA is exact match, IE is strict micro F1 over (type, text) lines, GEN is ROUGE-L F1 (Lin 2004). Intervals
are 95 % percentile bootstraps over the examples (Efron and Tibshirani 1993).
"""

import random
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rapidfuzz.distance import Indel

_WORD = re.compile(r"\w+")


@dataclass(frozen=True)
class Score:
    value: float
    low: float
    high: float
    n: int

    def __str__(self) -> str:
        return f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}]"


def accuracy(predictions: Sequence[str], references: Sequence[str]) -> Score:
    """Share of answers equal to the reference but for case, outer blanks and a final full stop."""
    hits = [float(plain(p) == plain(r)) for p, r in zip(predictions, references, strict=True)]
    return bootstrap(hits, mean)


def entity_f1(predictions: Sequence[str], references: Sequence[str]) -> Score:
    """Strict micro F1: a line counts when its type and its text are both right."""
    counts = [_overlap(lines(p), lines(r)) for p, r in zip(predictions, references, strict=True)]
    return bootstrap(counts, micro_f1)


def rouge_l(predictions: Sequence[str], references: Sequence[str]) -> Score:
    return bootstrap([rouge_l_f1(p, r) for p, r in zip(predictions, references, strict=True)], mean)


def plain(text: str) -> str:
    return text.strip().rstrip(".").strip().lower()


def lines(text: str) -> Counter[tuple[str, str]]:
    """One `type: text` a line, counted in lower case; lines without a colon are skipped."""
    pairs = (line.split(":", 1) for line in text.splitlines() if ":" in line)
    return Counter((plain(kind), plain(name)) for kind, name in pairs)


def rouge_l_f1(prediction: str, reference: str) -> float:
    """2 LCS / (m + n) over lower-case words; 0 when either is empty."""
    ours, theirs = _WORD.findall(prediction.lower()), _WORD.findall(reference.lower())
    if not ours or not theirs:
        return 0.0
    return Indel.normalized_similarity(ours, theirs)


def mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def micro_f1(counts: Sequence[tuple[int, int, int]]) -> float:
    """From (hits, predicted, expected) a row; 0 when nothing is predicted or expected."""
    hits, predicted, expected = (sum(column) for column in zip(*counts, strict=True))
    return 2 * hits / (predicted + expected) if predicted + expected else 0.0


def bootstrap(
    items: Sequence, statistic: Callable[[Sequence], float], draws: int = 1000, seed: int = 0
) -> Score:
    """The statistic with its 95 % percentile interval. ValueError when there is nothing to score."""
    if not items:
        raise ValueError("items: nothing to score")
    rng = random.Random(seed)
    values = sorted(statistic(rng.choices(items, k=len(items))) for _ in range(draws))
    return Score(statistic(items), values[int(0.025 * draws)], values[int(0.975 * draws) - 1], len(items))


def _overlap(ours: Counter, theirs: Counter) -> tuple[int, int, int]:
    return (ours & theirs).total(), ours.total(), theirs.total()
