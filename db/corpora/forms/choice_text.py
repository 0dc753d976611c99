"""The letter of the right choice and its words: `B. Amoxicillin`."""

from dataclasses import dataclass
from string import ascii_uppercase
from typing import ClassVar

from db.corpora.forms.choice_letter import read_choice, right_choice
from db.corpora.forms.form import CannotWrite, Label, Obstacle
from db.corpora.forms.prediction import Choice
from db.corpora.schema import QaRow


@dataclass(frozen=True)
class ChoiceText:
    name: ClassVar[str] = "choice_text"
    title: ClassVar[str] = "The letter and the words of the choice"
    shape: ClassVar[str] = "qa"
    labelled: ClassVar[bool] = False
    tasks: ClassVar[tuple[str, ...]] = ("multiple_choice",)
    labels: tuple[Label, ...] = ()

    def constraint(self) -> str:
        return "Answer with the letter and the words of the best choice, as in `A. words`, and nothing else."

    def write(self, row: QaRow) -> str:
        index = right_choice(row)
        written = f"{ascii_uppercase[index]}. {' '.join(row.choices[index].split())}"
        if read_choice(written, row) != Choice(index):
            raise CannotWrite(Obstacle.NOT_READ_BACK)
        return written

    def gold(self, row: QaRow) -> Choice:
        return Choice(right_choice(row))

    def parse(self, answer: str, row: QaRow) -> Choice:
        return read_choice(answer, row)
