"""The labels of a text as a JSON list of strings, [] for none."""

import json
from dataclasses import dataclass
from typing import Any, ClassVar

from db.corpora.forms import reply
from db.corpora.forms.form import Label, check_labels
from db.corpora.forms.label_list import asked_labels, labels_line, read_labels
from db.corpora.forms.one_label import surface_forms
from db.corpora.forms.prediction import Fault, FaultKind, Labels, folded
from db.corpora.schema import TextRow


@dataclass(frozen=True)
class LabelJson:
    name: ClassVar[str] = "label_json"
    title: ClassVar[str] = "JSON list of labels"
    shape: ClassVar[str] = "text"
    labelled: ClassVar[bool] = True
    tasks: ClassVar[tuple[str, ...]] = ("text_classification",)
    labels: tuple[Label, ...]

    def __post_init__(self) -> None:
        check_labels(self.labels)

    def constraint(self) -> str:
        return (
            f"Labels: {labels_line(self.labels)}. Answer with a JSON list of every label that applies, as "
            "strings, or [] if none applies."
        )

    def write(self, row: TextRow) -> str:
        return json.dumps([label.shown for label in asked_labels(row, self.labels)], ensure_ascii=False)

    def gold(self, row: TextRow) -> Labels:
        return Labels(tuple(label.name for label in asked_labels(row, self.labels)))

    def parse(self, answer: str, row: TextRow) -> Labels:
        value, cut_off = reply.json_value(answer, _looks_right)
        if value is None:
            return read_labels(answer, self.labels)
        surfaces = surface_forms(self.labels)
        words = _words(value)
        found = {surfaces[folded(word)] for word in words if folded(word) in surfaces}
        unknown = [word for word in words if folded(word) not in surfaces and folded(word) != "none"]
        faults = [Fault(FaultKind.UNKNOWN_LABEL, word) for word in unknown]
        faults += [Fault(FaultKind.CUT_OFF)] if cut_off else []
        return Labels(tuple(label.name for label in self.labels if label.name in found), tuple(faults))


def _words(value: Any) -> list[str]:
    """The strings of a list, or of the one list in an object such as {"labels": [...]}."""
    return value if isinstance(value, list) else next(held for held in value.values() if _is_words(held))


def _looks_right(value: Any) -> bool:
    if isinstance(value, dict):
        return any(_is_words(held) for held in value.values())
    return _is_words(value)


def _is_words(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(member, str) for member in value)
