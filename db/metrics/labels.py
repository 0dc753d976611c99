"""Counts of labels from a closed set, the table of each label, confusion matrix and majority line."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from db.corpora.forms.prediction import Prediction
from db.metrics.answers import is_unparsed
from db.metrics.measures import Counts, f1, precision, recall

NO_LABEL = ""  # the column of a confusion matrix for answers in which no label was read


def count(said: Prediction, gold: Prediction) -> dict[str, float]:
    """What one answer adds up: `right` where all labels are right, `unparsed`, and `right:`, `wrong:` and
    `missed:` for each label it is about.
    """
    ours, theirs = frozenset(map(str, said.items)), frozenset(map(str, gold.items))
    is_right = ours == theirs and not is_unparsed(said)
    counts = {"right": float(is_right), "exact": float(is_right), "unparsed": float(is_unparsed(said))}
    parts = (("right", ours & theirs), ("wrong", ours - theirs), ("missed", theirs - ours))
    return counts | {f"{name}:{label}": 1.0 for name, labels in parts for label in sorted(labels)}


def per_label(counts: Sequence[Counts]) -> list[dict[str, Any]]:
    """A row for each label, or type of span, in the gold or said: its counts, precision, recall and F1."""
    totals: dict[str, dict[str, float]] = {}
    for row in counts:
        for key, times in row.items():
            kind, colon, label = key.partition(":")
            if colon and kind in ("right", "wrong", "missed"):
                total = totals.setdefault(label, {"right": 0.0, "wrong": 0.0, "missed": 0.0})
                total[kind] += times
    return [_line(label, totals[label]) for label in sorted(totals)]


def confusion(counts: Sequence[Counts]) -> dict[str, Any] | None:
    """Gold against said: {"labels", "said", "cells"}; `cells[i][j]` counts rows of gold label i answered j.

    The last of `said` is NO_LABEL. None where rows have several labels or none: see `per_label` for these.
    """
    pairs = [(gold_of(row), said_of(row)) for row in counts]
    if not pairs or any(len(gold) != 1 or len(said) > 1 for gold, said in pairs):
        return None
    labels = sorted({label for gold, said in pairs for label in (*gold, *said)})
    columns = [*labels, NO_LABEL]
    cells = Counter((gold[0], said[0] if said else NO_LABEL) for gold, said in pairs)
    return {
        "labels": labels,
        "said": columns,
        "cells": [[cells[gold, said] for said in columns] for gold in labels],
    }


def majority(counts: Sequence[Counts]) -> tuple[tuple[str, ...], list[dict[str, float]]]:
    """The commonest right answer, and what a model would count that always gave it: the line to be above.

    Of equally common answers the first in the alphabet.
    """
    golds = [gold_of(row) for row in counts]
    if not golds:
        return (), []
    times = Counter(golds)
    always = min(times, key=lambda labels: (-times[labels], labels))
    return always, [_counted(set(always), set(gold)) for gold in golds]


def gold_of(counts: Counts) -> tuple[str, ...]:
    """The gold labels of a row, from its counts."""
    return _named(counts, ("right", "missed"))


def said_of(counts: Counts) -> tuple[str, ...]:
    """The labels a row was answered with, from its counts."""
    return _named(counts, ("right", "wrong"))


def _named(counts: Counts, kinds: tuple[str, str]) -> tuple[str, ...]:
    split = (key.partition(":") for key, times in counts.items() if times)
    return tuple(sorted(label for kind, colon, label in split if colon and kind in kinds))


def _counted(ours: set[str], theirs: set[str]) -> dict[str, float]:
    parts = (("right", ours & theirs), ("wrong", ours - theirs), ("missed", theirs - ours))
    named = {f"{name}:{label}": 1.0 for name, labels in parts for label in sorted(labels)}
    return {"right": float(ours == theirs), "exact": float(ours == theirs), "unparsed": 0.0} | named


def _line(label: str, total: Mapping[str, float]) -> dict[str, Any]:
    sums = np.array([total["right"], total["wrong"], total["missed"]], float)
    return {
        "label": label,
        "gold": int(total["right"] + total["missed"]),
        "right": int(total["right"]),
        "wrong": int(total["wrong"]),
        "missed": int(total["missed"]),
        "precision": float(precision(sums)),
        "recall": float(recall(sums)),
        "f1": float(f1(sums)),
    }
