"""Counts of mentions and relations on text: strict and relaxed, by type, and what kind of error each is.

*Strict*: a span counts with exactly the gold's boundaries and type (CoNLL; nervaluate's "strict", seqeval's
strict mode). *Relaxed*: it counts where it overlaps a gold span of its type (nervaluate's "ent_type" without
its partial credit); each gold span answers for one, and the pairing with the most matches is taken. What is
said twice counts once, and stands under `repeated`; words that are not in the text are under `invented`,
neither right nor wrong: no span of the text is claimed by them.
"""

from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np

from db.corpora.forms.prediction import FaultKind, Mention, Mentions, Pair, Pairs, Prediction, Span, Tally
from db.metrics.answers import is_unparsed, tallied

Item = Mention | Pair


def count(said: Prediction, gold: Prediction) -> dict[str, float]:
    """What one answer adds up for the span measures.

    `strict_*` and `relaxed_*` (right, wrong, missed), the strict ones by type too (`right:TYPE`), the errors
    by kind (`error:boundary`, see `errors`), and `said`, `invented`, `repeated`, `unparsed`, `right`.
    """
    ours, theirs = _items(said), _items(gold)
    strict = Tally(len(ours & theirs), len(ours - theirs), len(theirs - ours))
    together = matched(ours, theirs)
    relaxed = Tally(together, len(ours) - together, len(theirs) - together)
    kinds = Counter(fault.kind for fault in said.faults)
    repeated = kinds[FaultKind.REPEATED] + _length(said) - len(ours)
    invented = kinds[FaultKind.INVENTED]
    is_right = not strict.wrong and not strict.missed and not is_unparsed(said)
    counts = {
        "right": float(is_right),
        "unparsed": float(is_unparsed(said)),
        "said": float(len(ours) + repeated + invented),
        "invented": float(invented),
        "repeated": float(repeated),
    }
    return (
        counts
        | tallied("strict", strict)
        | tallied("relaxed", relaxed)
        | _by_type(ours, theirs)
        | {f"error:{kind}": float(times) for kind, times in errors(ours, theirs).items()}
    )


def matched(said: Iterable[Item], gold: Iterable[Item]) -> int:
    """How many of `said` can each be paired with an overlapping item of the same type of `gold`, at most."""
    ours, theirs = set(said), set(gold)
    exact = len(ours & theirs)
    if exact == min(len(ours), len(theirs)):
        return exact
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import maximum_bipartite_matching

    rows, columns = sorted(ours, key=repr), sorted(theirs, key=repr)
    alike = np.array([[one.type == other.type and overlap(one, other) for other in columns] for one in rows])
    return int((maximum_bipartite_matching(csr_array(alike), perm_type="column") >= 0).sum())


def overlap(one: Item, other: Item) -> bool:
    """Whether two mentions share a character; of relations, whether both ends do. Types do not matter."""
    if isinstance(one, Pair) and isinstance(other, Pair):
        return _meet([one.head], [other.head]) and _meet([one.tail], [other.tail])
    if isinstance(one, Mention) and isinstance(other, Mention):
        return _meet(one.offsets, other.offsets)
    return False


def errors(said: Iterable[Item], gold: Iterable[Item]) -> Counter[str]:
    """The wrong and missed items by kind, for the error browser and its table.

    `boundary`: overlaps a gold item of its type; `type`: overlaps only gold of other types; `spurious`:
    overlaps none; `missed`: a gold item that nothing said overlaps.
    """
    ours, theirs = frozenset(said), frozenset(gold)
    return Counter(
        [error_of(item, theirs) for item in ours - theirs]
        + ["missed" for item in theirs - ours if not any(overlap(item, other) for other in ours)]
    )


def error_of(item: Item, gold: Iterable[Item]) -> str:
    """The kind of error of one item that is not in the gold."""
    near = [other for other in gold if overlap(item, other)]
    if not near:
        return "spurious"
    return "boundary" if any(other.type == item.type for other in near) else "type"


def error_table(counts: Sequence[dict[str, float]]) -> dict[str, int]:
    """How many errors of each kind there are over the rows."""
    table: Counter[str] = Counter()
    for row in counts:
        table.update({key[6:]: int(times) for key, times in row.items() if key.startswith("error:")})
    return {kind: table[kind] for kind in ("boundary", "type", "spurious", "missed")}


def _by_type(ours: frozenset[Item], theirs: frozenset[Item]) -> dict[str, float]:
    parts = (("right", ours & theirs), ("wrong", ours - theirs), ("missed", theirs - ours))
    found = Counter(f"{name}:{item.type}" for name, items in parts for item in items)
    return {key: float(times) for key, times in found.items()}


def _items(prediction: Prediction) -> frozenset[Item]:
    return prediction.items if isinstance(prediction, Mentions | Pairs) else frozenset()


def _length(said: Prediction) -> int:
    """How many items were said, those said twice counted twice."""
    if isinstance(said, Mentions):
        return len(said.mentions)
    return len(said.pairs) if isinstance(said, Pairs) else 0


def _meet(some: Sequence[Span], others: Sequence[Span]) -> bool:
    return any(a == b or (a[0] < b[1] and b[0] < a[1]) for a in some for b in others)
