"""Counts of short answers in words, and whether an answer could be read at all."""

from db.corpora.forms.prediction import Choice, FaultKind, Labels, Prediction, Tally, tally

_NOTHING = {FaultKind.EMPTY, FaultKind.UNPARSABLE}


def is_unparsed(said: Prediction) -> bool:
    """Whether nothing of the asked form was found: the parse failures.

    Of a choice or a label also when the answer gives several, or one that was not offered: none was read.
    """
    if said.items and not isinstance(said, Choice | Labels):
        return any(fault.kind is FaultKind.EMPTY for fault in said.faults)
    kinds = {fault.kind for fault in said.faults}
    return not said.items and bool(kinds if isinstance(said, Choice | Labels) else kinds & _NOTHING)


def count(said: Prediction, gold: Prediction) -> dict[str, float]:
    """The counts of one answer of any kind: `right` where all of the gold is said and nothing else,
    `unparsed`, and the items right, wrong and missed (`strict_*`), wordings of one answer being the same.
    """
    found = _tally(said, gold)
    is_right = not found.wrong and not found.missed and not is_unparsed(said)
    return {"right": float(is_right), "unparsed": float(is_unparsed(said))} | tallied("strict", found)


def count_choice(said: Choice, gold: Choice) -> dict[str, float]:
    """The counts of one written answer to a multiple-choice question."""
    is_right = said.index is not None and said.index == gold.index
    return {"right": float(is_right), "unparsed": float(is_unparsed(said))}


def tallied(kind: str, found: Tally) -> dict[str, float]:
    return {
        f"{kind}_right": float(found.right),
        f"{kind}_wrong": float(found.wrong),
        f"{kind}_missed": float(found.missed),
    }


def _tally(said: Prediction, gold: Prediction) -> Tally:
    """`tally`; a prediction of another kind than the gold has nothing right."""
    if type(said) is not type(gold):
        return Tally(0, len(said.items), len(gold.items))
    return tally(said, gold)
