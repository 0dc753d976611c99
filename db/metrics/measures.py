"""The measures there are, each a function of sums: rows are counted once, summed, and the sums say the rest.

A row's counts are a mapping of names to numbers (`db.tasks.task.RowScore.counts`). A measure names the
counts it adds up (`columns`) and how their sums give its value (`of`), so the same definition serves one
row, a whole task and every resample of a bootstrap. A count that a row leaves out is 0; the column "rows" is
always 1.

A column that ends in `:*` stands for one count a label, such as `right:FEVER`; the labels are found from the
rows. Three such columns give an array with all labels of the first, then of the second, then of the third.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

Counts = Mapping[str, float]
EVERY_LABEL = ":*"


@dataclass(frozen=True)
class Measure:
    """A figure of a task. `of` takes sums over rows, shape (..., columns), and gives shape (...), NaN where
    the sums leave it undefined.
    """

    name: str
    title: str
    columns: tuple[str, ...]
    of: Callable[[np.ndarray], np.ndarray]
    unit: str  # "share": 0 to 1, shown as a percentage; "ratio": a factor
    help: str
    higher_is_better: bool = True
    is_binary: bool = False  # each row adds 0 or 1 to the first column, and the value is their share


def columns_of(measure: Measure, counts: Sequence[Counts]) -> np.ndarray:
    """What the measure adds up, a row for each of `counts`: (n, columns), with the labels filled in."""
    return tables_of(measure, counts)[0]


def tables_of(measure: Measure, *answers: Sequence[Counts]) -> tuple[np.ndarray, ...]:
    """One array for each model's counts, with the same columns: what pairs them needs the same labels."""
    names = _named(measure.columns, answers)
    return tuple(
        np.array(
            [[1.0 if name == "rows" else float(row.get(name, 0)) for name in names] for row in counts], float
        ).reshape(len(counts), len(names))
        for counts in answers
    )


def get(name: str) -> Measure:
    """The measure of this name. Raises LookupError."""
    if name not in MEASURES:
        raise LookupError(f"measure: '{name}' is not one of {', '.join(MEASURES)}.")
    return MEASURES[name]


def _named(columns: Sequence[str], answers: Sequence[Sequence[Counts]]) -> list[str]:
    """The columns, each `:*` replaced by the labels that any row counts for any of them."""
    stems = tuple(column.removesuffix("*") for column in columns if column.endswith(EVERY_LABEL))
    if not stems:
        return list(columns)
    keys = {key for counts in answers for row in counts for key in row if key.startswith(stems)}
    labels = sorted({key.partition(":")[2] for key in keys})
    return [f"{stem}{label}" for stem in stems for label in labels]


def divided(part: np.ndarray | float, whole: np.ndarray | float, empty: float = np.nan) -> np.ndarray:
    """part / whole, `empty` where the whole is 0."""
    part, whole = np.broadcast_arrays(np.asarray(part, float), np.asarray(whole, float))
    return np.divide(part, whole, out=np.full(part.shape, empty), where=whole != 0)


def share(sums: np.ndarray) -> np.ndarray:
    """First column over second."""
    return divided(sums[..., 0], sums[..., 1])


def share_or_none(sums: np.ndarray) -> np.ndarray:
    """First column over second; 0 where the second is nothing: of nothing said, nothing was invented."""
    return divided(sums[..., 0], sums[..., 1], empty=0.0)


def f1(sums: np.ndarray) -> np.ndarray:
    """2 right / (2 right + wrong + missed), of columns right, wrong, missed; 1 where there was nothing to
    find and nothing was said.
    """
    right, wrong, missed = sums[..., 0], sums[..., 1], sums[..., 2]
    return divided(2 * right, 2 * right + wrong + missed, empty=1.0)


def precision(sums: np.ndarray) -> np.ndarray:
    """right / (right + wrong); where nothing was said 0, or 1 if there was nothing to find either."""
    right, wrong, missed = sums[..., 0], sums[..., 1], sums[..., 2]
    return np.where(right + wrong == 0, missed == 0, divided(right, right + wrong, empty=0.0)).astype(float)


def recall(sums: np.ndarray) -> np.ndarray:
    """right / (right + missed); where there was nothing to find 0, or 1 if nothing was said either."""
    right, wrong, missed = sums[..., 0], sums[..., 1], sums[..., 2]
    return np.where(right + missed == 0, wrong == 0, divided(right, right + missed, empty=0.0)).astype(float)


def macro_f1(sums: np.ndarray) -> np.ndarray:
    """The mean F1 of the labels that are in the gold or were said, each counting the same."""
    right, wrong, missed = _by_label(sums)
    weight = 2 * right + wrong + missed
    return divided(divided(2 * right, weight, empty=0.0).sum(-1), (weight > 0).sum(-1), empty=1.0)


def micro_f1(sums: np.ndarray) -> np.ndarray:
    """F1 of all labels' counts added up."""
    return f1(np.stack([part.sum(-1) for part in _by_label(sums)], axis=-1))


def _by_label(sums: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    parts = sums.reshape(*sums.shape[:-1], 3, sums.shape[-1] // 3)
    return parts[..., 0, :], parts[..., 1, :], parts[..., 2, :]


def _spans(kind: str) -> tuple[str, ...]:
    return (f"{kind}_right", f"{kind}_wrong", f"{kind}_missed")


def _yes_no(name: str, title: str, column: str, help: str, *, higher_is_better: bool = True) -> Measure:
    return Measure(name, title, (column, "rows"), share, "share", help, higher_is_better, is_binary=True)


def _mean(name: str, title: str, help: str) -> Measure:
    return Measure(name, title, (name, "rows"), share, "share", help)


_LABELS = tuple(f"{kind}{EVERY_LABEL}" for kind in ("right", "wrong", "missed"))

MEASURES: dict[str, Measure] = {
    measure.name: measure
    for measure in (
        _yes_no("accuracy", "Accuracy", "right", "Share of rows whose answer is right."),
        _yes_no("exact_match", "Exact match", "exact", "Share of rows answered in the reference's words."),
        _yes_no(
            "option_accuracy",
            "Accuracy by likelihood",
            "option_right",
            "Share of rows where the right option is the most likely: log-likelihood per token, averaged "
            "over the cyclic orders of the options, so that neither length nor place is favoured.",
        ),
        _yes_no(
            "option_accuracy_first",
            "Accuracy by likelihood, summed",
            "first_right",
            "Share of rows where the right option is the most likely: summed log-likelihood, options in the "
            "row's own order (acc of lm-evaluation-harness).",
        ),
        _yes_no(
            "option_accuracy_normalised",
            "Accuracy by likelihood, per character",
            "normalised_right",
            "As summed, divided by the option's length in characters (acc_norm of lm-evaluation-harness).",
        ),
        _yes_no(
            "parse_failures",
            "Parse failures",
            "unparsed",
            "Share of answers in which nothing of the asked form was found.",
            higher_is_better=False,
        ),
        Measure(
            "strict_f1",
            "Strict F1",
            _spans("strict"),
            f1,
            "share",
            "Spans count only with exactly the gold's boundaries and type; each once.",
        ),
        Measure(
            "strict_precision",
            "Strict precision",
            _spans("strict"),
            precision,
            "share",
            "Share of what was said that is in the gold, boundaries and type exact.",
        ),
        Measure(
            "strict_recall",
            "Strict recall",
            _spans("strict"),
            recall,
            "share",
            "Share of the gold that was said, boundaries and type exact.",
        ),
        Measure(
            "relaxed_f1",
            "Relaxed F1",
            _spans("relaxed"),
            f1,
            "share",
            "A span counts where it overlaps a gold span of its type; each gold span answers for one.",
        ),
        Measure(
            "paper_f1",
            "F1, paper-compatible",
            _spans("paper"),
            f1,
            "share",
            "As Llama2-MedTuned's scorer counts, faults included. Only to compare with the paper's table.",
        ),
        Measure(
            "macro_f1",
            "Macro F1",
            _LABELS,
            macro_f1,
            "share",
            "The mean of the labels' F1, so that a rare label counts as much as a common one.",
        ),
        Measure("micro_f1", "Micro F1", _LABELS, micro_f1, "share", "F1 of all labels' counts together."),
        Measure(
            "invented",
            "Invented",
            ("invented", "said"),
            share_or_none,
            "share",
            "Share of what was said whose words do not stand in the text.",
            higher_is_better=False,
        ),
        Measure(
            "repeated",
            "Repeated",
            ("repeated", "said"),
            share_or_none,
            "share",
            "Share of what was said that had been said before.",
            higher_is_better=False,
        ),
        _mean("rouge_1", "ROUGE-1", "F1 of the words shared with the reference; mean over rows."),
        _mean("rouge_2", "ROUGE-2", "F1 of the pairs of neighbouring words shared; mean over rows."),
        _mean("rouge_l", "ROUGE-L", "F1 of the longest common subsequence of words; mean over rows."),
        Measure(
            "concept_f1",
            "Concept F1",
            ("concepts_right", "concepts_wrong", "concepts_missed"),
            f1,
            "share",
            "Clinical concepts (of the studio's own list) that answer and reference share.",
        ),
        Measure(
            "numbers_kept",
            "Numbers kept",
            ("numbers_kept", "numbers"),
            share,
            "share",
            "Share of the reference's numbers that the answer has, in the same unit.",
        ),
        Measure(
            "numbers_added",
            "Numbers added",
            ("numbers_added", "numbers_said"),
            share_or_none,
            "share",
            "Share of the answer's numbers that neither the reference nor the source has in that unit.",
            higher_is_better=False,
        ),
        Measure(
            "negations_kept",
            "Negations kept",
            ("negations_kept", "negations"),
            share,
            "share",
            "Share of the words that the reference denies (no fever) which the answer denies too.",
        ),
        Measure(
            "negations_turned",
            "Negations turned",
            ("negations_turned", "negations"),
            share,
            "share",
            "Share of the words that the reference denies which the answer states.",
            higher_is_better=False,
        ),
        Measure(
            "length_ratio",
            "Length ratio",
            ("words", "reference_words"),
            share,
            "ratio",
            "Words of the answers over words of the references; 1 is as long.",
        ),
    )
}
