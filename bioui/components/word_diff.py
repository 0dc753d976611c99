"""What changed between two texts, word by word: the fewest words taken out and put in."""

import re
from collections.abc import Iterator

from rapidfuzz.distance import Indel

from db.content import FIELDS, Content

# For inclusion where `this.parts` holds word_diff(...). Words and strokes tell, not colour alone.
PARTS = (
    "{{#each this.parts}}{{#if this.added}}<ins>{{this.text}}</ins>{{else}}{{#if this.removed}}"
    "<del>{{this.text}}</del>{{else}}{{this.text}}{{/if}}{{/if}}{{/each}}"
)
# For inclusion where `this.changes` holds field_changes(...).
CHANGES = (
    '<dl class="changes">{{#each this.changes}}<dt>{{this.label}}</dt><dd>' + PARTS + "</dd>{{/each}}</dl>"
)

_TOKEN = re.compile(r"\s+|\d+(?:[.,/:]\d+)+|\w+|[^\w\s]")  # a dose or a ratio is one word


def word_diff(before: str, after: str) -> list[dict]:
    """Parts of both texts in reading order, each kept, "removed" or "added"."""
    old, new = _TOKEN.findall(before), _TOKEN.findall(after)
    parts: list[dict] = []
    for removed, added, kept in _runs(old, new):
        if removed:
            parts.append({"text": removed, "removed": True})
        if added:
            parts.append({"text": added, "added": True})
        if kept:
            parts.append({"text": kept})
    return parts


def field_changes(before: Content, after: Content) -> list[dict]:
    """The fields that differ, each with its word diff."""
    pairs = [(field, _text(getattr(before, field)), _text(getattr(after, field))) for field in FIELDS]
    return [
        {"label": field.capitalize(), "parts": word_diff(old, new)} for field, old, new in pairs if old != new
    ]


def _runs(old: list[str], new: list[str]) -> Iterator[tuple[str, str, str]]:
    """(removed, added, kept) stretches. A blank between two changes joins them: it reads as one change."""
    removed = added = ""
    for step in Indel.opcodes(old, new):
        gone = "".join(old[step.src_start : step.src_end])
        come = "".join(new[step.dest_start : step.dest_end])
        if step.tag != "equal":
            removed, added = removed + gone, added + come
        elif gone.isspace() and "\n" not in gone and (removed or added):
            removed, added = removed + gone, added + gone
        else:
            yield _trimmed(removed, added, gone)
            removed = added = ""
    yield _trimmed(removed, added, "")


def _trimmed(removed: str, added: str, kept: str) -> tuple[str, str, str]:
    """A blank that ends both sides was kept."""
    if removed and added and removed[-1] == added[-1] and removed[-1].isspace():
        return removed[:-1], added[:-1], removed[-1] + kept
    return removed, added, kept


def _text(value: object) -> str:
    return ", ".join(value) if isinstance(value, tuple) else str(value)
