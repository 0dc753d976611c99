"""Yes, no, or (where the corpus has it) maybe."""

from dataclasses import dataclass
from typing import ClassVar

from db.corpora.forms.form import CannotWrite, Label, Obstacle, check_labels, listed
from db.corpora.forms.one_label import check_readable, label_named, read_one
from db.corpora.forms.prediction import Labels
from db.corpora.schema import QaRow


@dataclass(frozen=True)
class YesNo:
    name: ClassVar[str] = "yes_no"
    title: ClassVar[str] = "Yes, no or maybe"
    shape: ClassVar[str] = "qa"
    labelled: ClassVar[bool] = True
    tasks: ClassVar[tuple[str, ...]] = ("yes_no_qa",)
    labels: tuple[Label, ...] = (Label("yes"), Label("no"), Label("maybe"))

    def __post_init__(self) -> None:
        check_labels(self.labels)
        check_readable(self.labels, lambda label: label.shown)

    def constraint(self) -> str:
        return f"Answer with one word: {listed([label.shown for label in self.labels])}."

    def write(self, row: QaRow) -> str:
        return self._label(row).shown

    def gold(self, row: QaRow) -> Labels:
        return Labels((self._label(row).name,))

    def parse(self, answer: str, row: QaRow) -> Labels:
        return read_one(answer, self.labels)

    def _label(self, row: QaRow) -> Label:
        if len(row.answer) != 1:
            raise CannotWrite(Obstacle.SEVERAL_ANSWERS if row.answer else Obstacle.NO_ANSWER)
        return label_named(row.answer[0], self.labels)
