"""What holds between the two marked mentions of a row, as a short code (Llama2-MedTuned)."""

from dataclasses import dataclass
from typing import ClassVar

from db.corpora.forms.form import CannotWrite, Label, Obstacle, check_labels, with_meanings
from db.corpora.forms.one_label import check_readable, label_named, read_one
from db.corpora.forms.prediction import Labels
from db.corpora.schema import KbRow


def marked_label(row: KbRow) -> str:
    """The relation of a row that asks about one marked pair. Raises CannotWrite for any other row."""
    if len(row.relations) != 1 or len(row.entities) != 2:
        raise CannotWrite(Obstacle.NO_PAIR)
    return row.relations[0].type


@dataclass(frozen=True)
class RelationCode:
    name: ClassVar[str] = "relation_code"
    title: ClassVar[str] = "A code, with the code book in the instruction (the paper's)"
    shape: ClassVar[str] = "kb"
    labelled: ClassVar[bool] = True
    tasks: ClassVar[tuple[str, ...]] = ("relation_extraction",)
    labels: tuple[Label, ...]

    def __post_init__(self) -> None:
        check_labels(self.labels)
        check_readable(self.labels, lambda label: label.shown)

    def constraint(self) -> str:
        return f"Answer with one code and nothing else. Code book: {with_meanings(self.labels)}."

    def write(self, row: KbRow) -> str:
        return label_named(marked_label(row), self.labels).shown

    def gold(self, row: KbRow) -> Labels:
        return Labels((label_named(marked_label(row), self.labels).name,))

    def parse(self, answer: str, row: KbRow) -> Labels:
        return read_one(answer, self.labels)
