"""Counts of free text against a reference: ROUGE, clinical concepts, numbers, negations, length.

Words are those of `db.checks.similarity.tokenise`: lower case, letters and digits of any script; of ASCII
exactly the words of `rouge_score` without its stemmer. ROUGE is the F1 of Lin 2004, a mean over rows.

Numbers, units and denials are found by the rules of `db.generating.grounding`: "1,000" is 1000 and "three" is
3; a number's unit is the word behind it; a denial reaches eight words or to "but". They see words and not
meaning: a number in another unit (1 g for 1000 mg) counts as lost, and a paraphrased denial as well. What
these figures show is how often such a thing must be looked at, not that it is wrong.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import pairwise

from db.checks.similarity import rouge_l, tokenise
from db.generating.grounding import Token, split_sentences, tokens_of, unit_of
from db.metrics.concepts import concepts_of

Number = tuple[str, str]  # in one spelling, and its unit or ""


def count(answer: str, reference: str, source: str = "") -> dict[str, float]:
    """What one written answer adds up for the text measures; `source` is the text it was written from."""
    ours, theirs = tokenise(answer), tokenise(reference)
    return {
        "rouge_1": rouge(ours, theirs),
        "rouge_2": rouge(list(pairwise(ours)), list(pairwise(theirs))),
        "rouge_l": rouge_l(answer, reference),
        "words": float(len(ours)),
        "reference_words": float(len(theirs)),
        **_concepts(answer, reference),
        **_numbers(answer, reference, source),
        **_negations(answer, reference),
    }


def rouge(ours: Sequence, theirs: Sequence) -> float:
    """F1 of what two sequences share, each member as often as both have it; 0 where either is empty."""
    if not ours or not theirs:
        return 0.0
    return 2 * (Counter(ours) & Counter(theirs)).total() / (len(ours) + len(theirs))


def numbers(text: str) -> frozenset[Number]:
    """The numbers of a text with their units, without the numbering of its lines."""
    return frozenset(
        (token.name, unit_of(tokens, at))
        for tokens in _sentences(text)
        for at, token in enumerate(tokens)
        if token.is_number
    )


def denied(text: str) -> frozenset[str]:
    """The names (stems, see `db.checks.naming`) that a text denies, and nowhere states."""
    tokens = [token for tokens in _sentences(text) for token in tokens if token.name and not token.is_number]
    stated = {token.name for token in tokens if not token.is_denied}
    return frozenset(token.name for token in tokens if token.is_denied) - stated


def has(found: Iterable[Number], number: Number) -> bool:
    """Whether a number is among others: the same, and in the same unit unless one of the two has none."""
    value, unit = number
    return any(value == other and (unit == theirs or not unit or not theirs) for other, theirs in found)


def _concepts(answer: str, reference: str) -> dict[str, float]:
    ours, theirs = concepts_of(answer), concepts_of(reference)
    return {
        "concepts_right": float(len(ours & theirs)),
        "concepts_wrong": float(len(ours - theirs)),
        "concepts_missed": float(len(theirs - ours)),
    }


def _numbers(answer: str, reference: str, source: str) -> dict[str, float]:
    ours, theirs = numbers(answer), numbers(reference)
    known = theirs | numbers(source)
    return {
        "numbers": float(len(theirs)),
        "numbers_kept": float(sum(has(ours, number) for number in theirs)),
        "numbers_said": float(len(ours)),
        "numbers_added": float(sum(not has(known, number) for number in ours)),
    }


def _negations(answer: str, reference: str) -> dict[str, float]:
    theirs, ours = denied(reference), denied(answer)
    named = {token.name for tokens in _sentences(answer) for token in tokens if not token.is_denied}
    return {
        "negations": float(len(theirs)),
        "negations_kept": float(len(theirs & ours)),
        "negations_turned": float(len((theirs - ours) & named)),
    }


def _sentences(text: str) -> list[list[Token]]:
    return [tokens_of(text, start, end) for start, end in split_sentences(text)]
