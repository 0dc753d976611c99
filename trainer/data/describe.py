"""A run's rows in figures and samples, as plain values for JSON: what the data report shows of them."""

from collections.abc import Mapping, Sequence

import numpy as np

from db.enums import Split
from trainer.data.encode import Row, digest
from trainer.data.examples import Encoded, Example
from trainer.data.preflight import Data

KEPT = (50, 90, 99)  # percentiles of the lengths of the rows that are kept
FOUND = (50, 75, 90, 95, 99, 100)  # of all that have an answer, before any cut
_BARS = 16  # of the histogram, up to the cut-off
_SAMPLES = (50, 90, 10)  # percentiles of length, the most usual first
_SHOWN = 4000  # characters of one piece


def figures(data: Data, too_long: str) -> dict:
    """Rows, tokens, lengths, what is lost. Keys: see `trainer.jobs.data_report`."""
    train, kept = data.train, data.train.examples.lengths
    found = train.lengths[train.lengths > 0]
    over = found[found > data.longest]
    return {
        "rows": train.found,
        "kept": len(kept),
        "too_long": train.too_long,
        "empty_answer": train.empty_answer,
        "cut": train.cut,
        "dropped": _dropped(train, data.longest, too_long),
        "tokens": train.tokens,
        "labelled_tokens": train.labelled_tokens,
        "labelled_share": round(train.labelled_tokens / train.tokens, 4),
        "validation_rows": len(data.validation.examples),
        "longest": train.longest,
        "percentiles": percentiles(kept, KEPT),
        "cut_off": data.longest,
        "found_percentiles": percentiles(found, FOUND),
        "histogram": histogram(found, data.longest),
        "truncation": {
            "choice": too_long,
            "rows": len(over),
            "cut": train.cut,
            "tokens": train.cut_tokens if too_long == "cut" else int(over.sum()),
        },
        "endless": train.endless,
    }


def percentiles(lengths: np.ndarray, shares: Sequence[int]) -> dict[str, int]:
    """{"50": ...}: so many per cent of the rows are no longer than that."""
    ordered = np.sort(lengths)
    return {str(share): int(ordered[min(len(ordered) * share // 100, len(ordered) - 1)]) for share in shares}


def histogram(lengths: np.ndarray, cut_off: int) -> list[dict[str, int]]:
    """Bars `from` to `to` tokens, both included, and their `rows`; the cut-off ends a bar where it is passed.

    The last bar takes in whatever is longer than twice the cut-off.
    """
    longest = int(lengths.max())
    edges = np.linspace(0, min(longest, cut_off), _BARS + 1).round().astype(int)
    if longest > cut_off:
        beyond = np.linspace(cut_off, min(longest, 2 * cut_off), _BARS // 2 + 1).round().astype(int)
        edges = np.concatenate([edges, beyond, [longest]])
    edges = np.unique(edges)
    rows = np.bincount(np.searchsorted(edges, lengths), minlength=len(edges))
    return [
        {"from": int(low) + 1, "to": int(high), "rows": int(count)}
        for low, high, count in zip(edges[:-1], edges[1:], rows[1:], strict=True)
    ]


def duplicates(data: Data, rows: Mapping[Split, Sequence[Row]]) -> dict[str, int]:
    """Rows that say again what an earlier one said, and questions held out that are also trained on.

    Texts are the same when they differ in case, blanks and the form of their accents alone.
    """
    trained = data.train.questions[data.train.positions]
    test = np.array([digest(row.instruction, row.input) for row in rows[Split.TEST]], np.uint64)
    return {
        "train": data.train.duplicates,
        "validation": data.validation.duplicates,
        "validation_in_train": int(np.isin(data.validation.questions, trained).sum()),
        "test_in_train": int(np.isin(test, trained).sum()),
    }


def samples(tokenizer, encoded: Encoded, rows: Sequence[Row]) -> list[dict]:
    """Three rows, of usual, great and small length, as the model is to read them, in pieces."""
    by_length = np.argsort(encoded.examples.lengths, kind="stable")
    picked = dict.fromkeys(int(by_length[(len(by_length) - 1) * share // 100]) for share in _SAMPLES)
    return [_sample(tokenizer, encoded, at, rows[encoded.positions[at]]) for at in picked]


def pieces(tokenizer, example: Example) -> list[dict]:
    """The text of the ids, control tokens included, as [{text, labelled}, ...]: question, then answer."""
    ids, start = example
    whole, question = tokenizer.decode(ids), tokenizer.decode(ids[:start])
    # Decoded by itself an answer may lose the blank it begins with.
    answer = whole[len(question) :] if whole.startswith(question) else tokenizer.decode(ids[start:])
    return [
        {"text": _shortened(question), "labelled": False},
        {"text": _shortened(answer), "labelled": True},
    ]


def _sample(tokenizer, encoded: Encoded, at: int, row: Row) -> dict:
    example = encoded.examples[at]
    return {
        "row": getattr(row, "position", int(encoded.positions[at])) + 1,
        "instruction_id": getattr(row, "instruction_id", None),
        "tokens": len(example.ids),
        "labelled_tokens": len(example.ids) - example.answer_start,
        "is_cut": bool(encoded.lengths[encoded.positions[at]] > len(example.ids)),
        "pieces": pieces(tokenizer, example),
    }


def _shortened(text: str) -> str:
    half = _SHOWN // 2
    return text if len(text) <= _SHOWN else f"{text[:half]} [...] {text[-half:]}"


def _dropped(train: Encoded, longest: int, too_long: str) -> list[dict]:
    reasons = {
        f"longer than {longest:,} tokens"
        if too_long == "drop"
        else f"no room for an answer within {longest:,} tokens": train.too_long,
        "without an answer": train.empty_answer,
    }
    return [{"reason": reason, "rows": rows} for reason, rows in reasons.items() if rows]
