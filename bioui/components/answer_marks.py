"""What is marked in the answers on request: words that differ, and what matters clinically.

Places are characters of a laid-out text (`bioui.markdown_tree`). Every mark has a style of its own and a
word, so that colour is never all that tells them apart.
"""

from collections.abc import Sequence

from bioui.components.word_diff import word_diff
from bioui.markdown_tree import Tree
from bioui.present import counted
from db import clinical_diff
from db.clinical_diff import Difference, Kind, Stray

LONGEST_DIFF = 40_000  # characters of two texts together: longer ones are read, not compared
LETTERS = "ABCDEF"
STRAY = "not in the passage"
LEGEND = {
    "dose": "doses",
    "denial": "affirmed or denied, given or advised against",
    "number": "other numbers",
    "drug": "drugs",
    "stray": STRAY,
}
CAUTION = (
    "Found by rules in plain sentences: a paraphrase, a dose in another column of a table or a denial over "
    "two sentences is not seen. What is not listed may differ all the same."
)
NOTHING: dict = {
    "available": False,
    "marks": [],
    "rows": [],
    "legend": [],
    "cue": "",
    "cue_kind": "",
    "caution": "",
}


def marks_value(trees: Sequence[Tree | None], *, passage: str = "", prompt: str = "") -> dict:
    """`words`: for each column stretches [start, end] that the compared one lacks; `clinical`: the cue, the
    list of differences, and for each column marks [start, end, style, tag].

    The answers are held against `passage` where there is one; what `prompt` says counts as said there.
    """
    texts = [tree.text if tree else "" for tree in trees]
    if not all(texts) or sum(map(len, texts)) > LONGEST_DIFF:
        return {"words": [], "clinical": NOTHING}
    return {"words": _words(texts), "clinical": _clinical(texts, passage, prompt)}


# Words --------------------------------------------------------------------------------------------------


def _words(texts: Sequence[str]) -> list[list[list[int]]]:
    """Two answers are marked against each other, more of them against the first, which stays unmarked."""
    if len(texts) < 2:
        return []
    first, *others = texts
    diffs = [word_diff(first, other) for other in others]
    before = _stretches(diffs[0], "removed", "added") if len(others) == 1 else []
    return [before, *(_stretches(parts, "added", "removed") for parts in diffs)]


def _stretches(parts: Sequence[dict], marked: str, absent: str) -> list[list[int]]:
    found, at = [], 0
    for part in parts:
        if absent in part:
            continue
        end = at + len(part["text"])
        if marked in part:
            found.append([at, end])
        at = end
    return found


# What matters clinically --------------------------------------------------------------------------------


def _clinical(texts: Sequence[str], passage: str, prompt: str) -> dict:
    if not texts:
        return NOTHING
    found = clinical_diff.differences(texts) if len(texts) > 1 else []
    source = f"{passage}\n{prompt}"
    strays = [clinical_diff.strays(text, source) if passage.strip() else [] for text in texts]
    marks = [_marks(position, found, strays[position]) for position in range(len(texts))]
    styles = {mark[2] for column in marks for mark in column}
    agreed = clinical_diff.cue(found, texts, has_passage=bool(passage.strip())) if len(texts) > 1 else ""
    return {
        "available": bool(styles),
        "marks": marks,
        "rows": [_row(one) for one in found],
        "legend": [[style, words] for style, words in LEGEND.items() if style in styles],
        "cue": " ".join(filter(None, (agreed, _stray_words(strays)))),
        "cue_kind": "differs" if any(one.differs for one in found) or any(strays) else "agrees",
        "caution": CAUTION,
    }


def _row(one: Difference) -> dict:
    return {
        "kind": one.kind.value,
        "about": one.about,
        "differs": one.differs,
        "note": one.note,
        "said": [part.words for part in one.parts],
    }


def _marks(position: int, found: Sequence[Difference], strays: Sequence[Stray]) -> list[list]:
    marks = [
        [start, end, one.kind.value, _tag(one)] for one in found for start, end in one.parts[position].spans
    ]
    return marks + [[one.start, one.end, "stray", ""] for one in strays]


def _tag(one: Difference) -> str:
    """The word behind a mark: what differs, or which answers do not say it."""
    silent = [LETTERS[at] for at, part in enumerate(one.parts) if not part.words]
    if one.differs:
        return {Kind.DENIAL: "said otherwise"}.get(one.kind, one.note)
    return f"not in {', '.join(silent)}" if silent else one.note


def _stray_words(strays: Sequence[Sequence[Stray]]) -> str:
    """`Not in the passage: 2 drugs or numbers of A, 1 of B.`"""
    told = [(LETTERS[at], len(own)) for at, own in enumerate(strays) if own]
    if not told:
        return ""
    (letter, count), *others = told
    first = counted(count, "drug or number", "drugs or numbers")
    whose = "the answer" if len(strays) == 1 else letter
    more = "".join(f", {number} of {name}" for name, number in others)
    return f"Not in the passage: {first} of {whose}{more}."
