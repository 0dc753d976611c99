"""What holds between the two marked mentions of a row, by the relation's name in words."""

from dataclasses import dataclass
from typing import ClassVar

from db.corpora.forms.form import Label, check_labels, listed
from db.corpora.forms.one_label import check_readable, label_named, read_one
from db.corpora.forms.prediction import Labels
from db.corpora.forms.relation_code import marked_label
from db.corpora.schema import KbRow


@dataclass(frozen=True)
class RelationName:
    name: ClassVar[str] = "relation_name"
    title: ClassVar[str] = "The name of the relation"
    shape: ClassVar[str] = "kb"
    labelled: ClassVar[bool] = True
    tasks: ClassVar[tuple[str, ...]] = ("relation_extraction",)
    labels: tuple[Label, ...]

    def __post_init__(self) -> None:
        check_labels(self.labels)
        check_readable(self.labels, _words)

    def constraint(self) -> str:
        return f"Answer with the name of the relation and nothing else: {listed(self._names())}."

    def write(self, row: KbRow) -> str:
        return _words(label_named(marked_label(row), self.labels))

    def gold(self, row: KbRow) -> Labels:
        return Labels((label_named(marked_label(row), self.labels).name,))

    def parse(self, answer: str, row: KbRow) -> Labels:
        return read_one(answer, self.labels)

    def _names(self) -> list[str]:
        return [_words(label) for label in self.labels]


def _words(label: Label) -> str:
    return label.meaning or label.shown
