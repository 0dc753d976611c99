"""The labels of a text, separated by commas, or `None` (Llama2-MedTuned, for HoC)."""

import re
from dataclasses import dataclass
from typing import ClassVar

from db.corpora.forms import reply
from db.corpora.forms.form import CannotWrite, Label, Obstacle, check_labels
from db.corpora.forms.one_label import label_named, mentioned, surface_forms
from db.corpora.forms.prediction import Fault, FaultKind, Labels, folded
from db.corpora.schema import TextRow

_NONE = {
    "none",
    "no label",
    "no labels",
    "none of the above",
    "none of these",
    "n/a",
    "[]",
    "null",
    "no category",
}
_SEPARATOR = re.compile(r"[,;\n|]|\band\b")


@dataclass(frozen=True)
class LabelList:
    name: ClassVar[str] = "label_list"
    title: ClassVar[str] = "Labels separated by commas, or None (the paper's)"
    shape: ClassVar[str] = "text"
    labelled: ClassVar[bool] = True
    tasks: ClassVar[tuple[str, ...]] = ("text_classification",)
    labels: tuple[Label, ...]

    def __post_init__(self) -> None:
        check_labels(self.labels)
        if any(folded(label.shown) in _NONE for label in self.labels):
            raise ValueError("labels: 'None' is the answer without labels; call the label something else.")

    def constraint(self) -> str:
        return (
            f"Labels: {labels_line(self.labels)}. Answer with every label that applies, separated by commas, "
            "or None if none applies."
        )

    def write(self, row: TextRow) -> str:
        asked = asked_labels(row, self.labels)
        written = ", ".join(label.shown for label in asked) or "None"
        if read_labels(written, self.labels) != Labels(tuple(label.name for label in asked)):
            raise CannotWrite(Obstacle.NOT_READ_BACK)
        return written

    def gold(self, row: TextRow) -> Labels:
        return Labels(tuple(label.name for label in asked_labels(row, self.labels)))

    def parse(self, answer: str, row: TextRow) -> Labels:
        return read_labels(answer, self.labels)


def asked_labels(row: TextRow, labels: tuple[Label, ...]) -> list[Label]:
    """The row's labels in the order of the template's. Raises CannotWrite for one the template lacks."""
    for name in row.labels:
        label_named(name, labels)
    return [label for label in labels if label.name in row.labels]


def labels_line(labels: tuple[Label, ...]) -> str:
    """The labels in one line, each with its meaning where it has one."""
    return "; ".join(f"{label.shown} ({label.meaning})" if label.meaning else label.shown for label in labels)


def read_labels(answer: str, labels: tuple[Label, ...]) -> Labels:
    """Every label that a reply names, in the template's order, however it is separated."""
    body = reply.body(answer)
    if not body:
        return Labels((), (Fault(FaultKind.EMPTY),))
    surfaces = surface_forms(labels)
    found: set[str] = set()
    faults: list[Fault] = []
    none = prose = False
    for piece in _pieces(body, surfaces):
        words = folded(reply.unwrapped(piece.strip().strip("[]")))
        if words in surfaces:
            found.add(surfaces[words])
        elif words in _NONE:
            none = True
        elif named := mentioned(piece, surfaces):
            found |= set(named)
        elif words and len(words.split()) <= 4:
            faults.append(Fault(FaultKind.UNKNOWN_LABEL, piece.strip()))
        else:
            prose = prose or bool(words)
    if found and none:
        faults.append(Fault(FaultKind.AMBIGUOUS, "None"))
    if not found and not none and not (faults and not prose):
        faults.append(Fault(FaultKind.UNPARSABLE, body[:80]))
    return Labels(tuple(label.name for label in labels if label.name in found), tuple(faults))


def _pieces(body: str, surfaces: dict[str, str]) -> list[str]:
    """A reply cut at commas, 'and' and line ends, never inside a label; without what leads up to a colon."""
    held = [surface for surface in surfaces if _SEPARATOR.search(surface)]
    lines = []
    for line in reply.lines(body):
        line = reply.without_bullet(line)
        head, colon, rest = line.partition(":")
        known = mentioned(head, surfaces) or mentioned(head + colon + rest.partition(",")[0], surfaces)
        lines.append(rest if colon and not (known and mentioned(head, surfaces)) else line)
    text, pieces = "\n".join(lines), []
    if held:
        longest = sorted(held, key=len, reverse=True)
        pattern = re.compile("|".join(r"\s+".join(map(re.escape, words.split())) for words in longest), re.I)
        pieces = pattern.findall(text)
        text = pattern.sub(",", text)
    return [piece for piece in [*pieces, *_SEPARATOR.split(text)] if piece.strip()]
