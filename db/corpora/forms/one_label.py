"""One label of a closed set, found in a reply: shared by the forms whose answer is a word or a code."""

import re
from collections.abc import Callable

from db.corpora.forms import reply
from db.corpora.forms.form import CannotWrite, Label, Obstacle
from db.corpora.forms.prediction import Fault, FaultKind, Labels, folded

_OPENING = re.compile(r"([^,.;:\n]+?)(?:[,.;:]\s+|\s+[-–—]\s+)(.*)", re.DOTALL)
_NEGATED = re.compile(
    r"(?:\b(?:no|not|non|never|neither|nor|without|cannot|rather than)|n't)(?:\W+\w+)?\W*\Z", re.I
)


def label_named(name: str, labels: tuple[Label, ...]) -> Label:
    """The label of this name. Raises CannotWrite where the template has none."""
    for label in labels:
        if label.name == name:
            return label
    raise CannotWrite(Obstacle.UNKNOWN_LABEL)


def read_one(answer: str, labels: tuple[Label, ...], others: dict[str, str] | None = None) -> Labels:
    """The one label that a reply gives: as it is shown, by its name or meaning, or by one of the `others`.

    A line that is a label and nothing more counts first; then a label that opens the reply ('No, the trial
    was too small'); else what follows 'answer:', the first line, or the whole reply, whichever names one. A
    label that is denied ('not a contradiction') is not given, and two different ones are none.
    """
    body = reply.body(answer)
    if not body:
        return Labels((), (Fault(FaultKind.EMPTY),))
    surfaces = {**(others or {}), **surface_forms(labels)}
    lines = reply.lines(body)
    whole = [surfaces[core] for line in lines for core in (_core(line),) if core in surfaces]
    opening = _OPENING.match(body)
    if not whole and opening and _core(opening[1]) in surfaces:
        rest = surfaces.get(_core(opening[2]))
        whole = [surfaces[_core(opening[1])], *([rest] if rest else [])]
    parts = (mentioned(part, surfaces) for part in (reply.after_marker(body), lines[0], body))
    found = dict.fromkeys(whole or next(filter(None, parts), ()))
    if len(found) == 1:
        return Labels(tuple(found))
    if found:
        return Labels((), (Fault(FaultKind.AMBIGUOUS, ", ".join(found)),))
    kind = FaultKind.UNKNOWN_LABEL if len(body.split()) <= 5 else FaultKind.UNPARSABLE
    return Labels((), (Fault(kind, body[:80]),))


def check_readable(labels: tuple[Label, ...], written: Callable[[Label], str]) -> None:
    """Raise ValueError where a label, as it is written, would be read as another one or as none."""
    for label in labels:
        if read_one(written(label), labels).labels != (label.name,):
            raise ValueError(
                f"labels: '{written(label)}' would not be understood in an answer; write it in another way."
            )


def _core(line: str) -> str:
    """A line without its bullet, 'answer:' and quotes, folded."""
    bare = reply.without_bullet(line)
    return folded(reply.unwrapped(reply.after_marker(bare) or bare))


def surface_forms(labels: tuple[Label, ...]) -> dict[str, str]:
    """The label's name for each way of saying it, folded; what a label is shown as goes before the rest."""
    surfaces = {folded(label.shown) or label.shown: label.name for label in labels}
    for label in labels:
        for words in (label.name, label.meaning):
            if words:
                surfaces.setdefault(folded(words) or words, label.name)
    return surfaces


def mentioned(text: str, surfaces: dict[str, str]) -> list[str]:
    """The labels a text gives, in order: whole words, the longest way of saying first, none that is denied.

    A code of one character counts only where it stands for itself: alone on its line, before a stop or
    bracket at the start of a line, or in brackets or quotes. The article in 'a relation' is no label A.
    """
    if not text:
        return []
    words = sorted((surface for surface in surfaces if len(surface) > 1), key=len, reverse=True)
    found: list[tuple[int, str]] = []
    if words:
        pattern = "|".join(r"\s+".join(map(re.escape, surface.split())) for surface in words)
        for match in re.finditer(rf"(?<![\w-])(?:{pattern})(?![\w-])", text, re.IGNORECASE):
            if not _NEGATED.search(text[max(0, match.start() - 40) : match.start()]):
                found.append((match.start(), surfaces.get(folded(match[0]), "")))
    for surface in surfaces:
        if len(surface) == 1:
            found += [(place, surfaces[surface]) for place in lone_places(text, surface)]
    return [name for _, name in sorted(found) if name]


def lone_places(text: str, sign: str) -> list[int]:
    """Where a code of one character stands for itself in a text."""
    one = re.escape(sign.upper())
    patterns = (
        rf"^[\W_]*(?P<sign>{one})[\W_]*$",
        rf"^[*\"'`(\[]*(?P<sign>{one})(?:[)\].:](?=\s|\*|$)|(?:\s+[-–—=]\s+|\s*[(:]\s*)\S)",
        rf"[(\[{{\"'`*](?P<sign>{one})[)\]}}\"'`*]",
    )
    return [match.start("sign") for pattern in patterns for match in re.finditer(pattern, text, re.MULTILINE)]
