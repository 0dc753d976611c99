"""Which words two texts share: the runs of both, to be marked where they stand."""

import re
from difflib import SequenceMatcher

_WORD = re.compile(r"\w+")
LEAST_RUN = 3  # words: shorter ones stand in any two texts
MOST_WORDS = 2_000  # of one text that are compared


def shared_words(one: str, other: str) -> tuple[list[dict], list[dict]]:
    """Both texts as parts {"text", "shared"}; a run of at least LEAST_RUN words of both is shared.

    Case and punctuation do not matter. A text of fewer words than that is shared as a whole or not at all.
    """
    ours, theirs = (list(_WORD.finditer(text))[:MOST_WORDS] for text in (one, other))
    words = [[match.group().casefold() for match in found] for found in (ours, theirs)]
    least = min(LEAST_RUN, *(len(found) or 1 for found in words))
    blocks = SequenceMatcher(None, *words, autojunk=False).get_matching_blocks()
    runs = [block for block in blocks if block.size >= least]
    return (
        _parts(one, [(ours[run.a].start(), ours[run.a + run.size - 1].end()) for run in runs]),
        _parts(other, [(theirs[run.b].start(), theirs[run.b + run.size - 1].end()) for run in runs]),
    )


def _parts(text: str, spans: list[tuple[int, int]]) -> list[dict]:
    parts, at = [], 0
    for start, end in sorted(spans):
        parts += [{"text": text[at:start], "shared": False}, {"text": text[start:end], "shared": True}]
        at = end
    return [part for part in [*parts, {"text": text[at:], "shared": False}] if part["text"]]
