"""A confusion matrix: what was right against what was said, as a heat map with its numbers.

Rows are the reference, columns the answer; a square's tint is its share of the row, and the numbers are there
to be read. Answers in which no label was read stand in a column of their own.
"""

from collections.abc import Sequence
from pathlib import Path

# For inclusion in a template where a `confusion_value` is the context: {{#with this.confusion}}...{{/with}}
TEMPLATE = Path(__file__).with_suffix(".hbs").read_text(encoding="utf-8")
NO_CONFUSION: dict = {"rows": []}
UNREAD = "not read"  # heads the column of answers without a label
_DEEPEST = 55  # per cent of the hue in a square of the whole row: its number must stay legible


def confusion_value(
    hue: str, labels: Sequence[str], answers: Sequence[str], counts: Sequence[Sequence[int]]
) -> dict:
    """`counts[reference][answer]`; `answers` are the labels and "" for those in which none was read."""
    totals = [sum(row) for row in counts]
    columns = [answer or UNREAD for answer in answers]
    return {
        "title": "Confusion matrix",
        "hue": hue,
        "columns": columns,
        "rows": [
            {
                "name": label,
                "total": f"{total:,}",
                "cells": [
                    _cell(label, answer, count, total) for answer, count in zip(columns, row, strict=True)
                ],
            }
            for label, row, total in zip(labels, counts, totals, strict=True)
        ],
    }


def _cell(label: str, answer: str, count: int, total: int) -> dict:
    share = count / total if total else 0.0
    return {
        "count": f"{count:,}",
        "tint": round(_DEEPEST * share),
        "right": label == answer,
        "title": f"{label}, answered {answer}: {count:,} of {total:,} ({share:.0%})",
    }
