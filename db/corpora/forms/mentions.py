"""The mentions of a row that a form asks for, and whether they overlap."""

import re
from itertools import pairwise

from db.corpora.forms.form import ANY, Label
from db.corpora.forms.prediction import Mention, Span
from db.corpora.schema import KbRow

_TOKEN = re.compile(r"\w+|[^\w\s]")


def asked_mentions(row: KbRow, labels: tuple[Label, ...]) -> list[Mention]:
    """The row's mentions of the labels' types, each once, in the order of the text.

    Case does not tell types apart. The label `*` alone takes every mention, as one type.
    """
    types = {label.name.casefold(): label.name for label in labels}
    every = types.get(ANY)
    named = ((types.get(entity.type.casefold(), every), entity.offsets) for entity in row.entities)
    mentions = {Mention(type, offsets) for type, offsets in named if type}
    return sorted(mentions, key=lambda mention: (mention.offsets, mention.type))


def is_broken_up(mention: Mention) -> bool:
    return len(mention.offsets) > 1


def overlapping(mentions: list[Mention]) -> bool:
    """Whether two of these mentions, sorted and in one piece each, share a character."""
    spans = [mention.offsets[0] for mention in mentions]
    return any(later[0] < earlier[1] for earlier, later in pairwise(spans))


def token_spans(row: KbRow) -> tuple[Span, ...]:
    """The row's own tokens, or words and single signs where the file came without."""
    return row.tokens or tuple(found.span() for found in _TOKEN.finditer(row.text))


def kinds(labels: tuple[Label, ...]) -> dict[str, str]:
    """The corpus's type for each way of writing it, in lower case."""
    return {form: label.name for label in labels for form in (label.name.casefold(), label.shown.casefold())}
