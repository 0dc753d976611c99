"""The orders in which a row's options are put to a model, for scoring by likelihood."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from db.corpora.schema import QaRow
from db.tasks.task import Options


def cyclic_orders(task: Any, row: QaRow) -> Sequence[Options]:
    """The row with its choices turned by 0, 1, 2, ...: each choice stands in each place once.

    `continuations[i]` is what an answer says in that order to choose the row's own choice i.
    """
    count = len(row.choices)
    return tuple(_turned(task, row, shift) for shift in range(count))


def _turned(task: Any, row: QaRow, shift: int) -> Options:
    """The choices with the one of place `shift` first."""
    count = len(row.choices)
    order = [(place + shift) % count for place in range(count)]  # place -> the row's own choice
    asked, said = None, [""] * count
    choices = tuple(row.choices[own] for own in order)
    for place, own in enumerate(order):
        turned = replace(row, choices=choices, answer=(row.choices[own],), answer_index=place)
        asked = asked or task.ask(turned)
        said[own] = task.form.write(turned)
    assert asked is not None
    return Options(asked.instruction, asked.input, tuple(said))


def label_order(task: Any, row: QaRow) -> Sequence[Options]:
    """The labels of a closed set, which a prompt names in one order only."""
    asked = task.ask(row)
    return (Options(asked.instruction, asked.input, tuple(label.shown for label in task.form.labels)),)
