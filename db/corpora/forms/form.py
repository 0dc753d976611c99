"""What every output form is: a way to write a row's annotation as an answer, and to read an answer back."""

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar, Protocol

from db.corpora.forms.prediction import Prediction, folded
from db.corpora.schema import KbRow, PairsRow, QaRow, Row, T2tRow, TextRow

SHAPES = {"kb": KbRow, "qa": QaRow, "pairs": PairsRow, "text": TextRow, "t2t": T2tRow}


class Obstacle(StrEnum):
    """Why a form cannot carry a row's annotation without loss."""

    WRONG_SHAPE = "the row is of another shape"
    OVERLAPPING = "two mentions overlap"
    CROSSING = "two mentions cross"
    BROKEN_UP = "a mention is broken up"
    INSIDE_TOKEN = "a mention begins or ends inside a token"
    BLANK_TOKEN = "a token holds white space"
    SAME_WORDS = "the words of a mention stand elsewhere in the text too"
    NO_PAIR = "the row does not ask about one marked pair"
    UNKNOWN_LABEL = "a label is not one of the template's"
    NO_ANSWER = "the row has no answer"
    NOT_A_CHOICE = "the answer is not one of the choices"
    SEVERAL_ANSWERS = "the row has several answers"
    SAME_CHOICES = "two choices have the words of the answer"
    TOO_MANY_CHOICES = "there are more choices than letters"
    NOT_READ_BACK = "the answer would not be read back as it is"


class CannotWrite(ValueError):
    """A row that a form cannot carry; `obstacle` is what to count it under."""

    def __init__(self, obstacle: Obstacle) -> None:
        super().__init__(f"row: {obstacle.value}, which this form cannot write; choose another form.")
        self.obstacle = obstacle


ANY = "*"  # the name of a label that stands for every type of mention there is


@dataclass(frozen=True)
class Label:
    """A label of a corpus, the word or code an answer has for it, and what it means."""

    name: str
    shown: str = ""
    meaning: str = ""

    def __post_init__(self) -> None:
        if not self.name:
            raise ValueError("labels: a label has no name; write the name that the corpus uses.")
        if self.name == ANY and not self.shown:
            raise ValueError("labels: the label * has no word for its mentions; write one, such as entity.")
        object.__setattr__(self, "shown", " ".join((self.shown or self.name).split()))


class OutputForm(Protocol):
    """One output form with its labels. Round trip: `parse(write(row), row) == gold(row)`."""

    name: ClassVar[str]
    shape: ClassVar[str]  # a key of SHAPES
    title: ClassVar[str]
    labelled: ClassVar[bool]  # needs labels
    tasks: ClassVar[tuple[str, ...]]
    labels: tuple[Label, ...]

    def constraint(self) -> str:
        """The sentence that tells a model which labels there are and how to write the answer."""
        ...

    def write(self, row: Row) -> str:
        """The answer to the row. Raises CannotWrite where the form cannot carry it."""
        ...

    def gold(self, row: Row) -> Prediction:
        """What a perfect answer says."""
        ...

    def parse(self, answer: str, row: Row) -> Prediction:
        """What an answer says, with its faults. Never raises on any text."""
        ...


def obstacle(form: OutputForm, row: Row) -> Obstacle | None:
    """Why the form cannot carry this row; None where it can."""
    if not isinstance(row, SHAPES[form.shape]):
        return Obstacle.WRONG_SHAPE
    try:
        form.write(row)
    except CannotWrite as refusal:
        return refusal.obstacle
    return None


def can_write(form: OutputForm, row: Row) -> bool:
    """Whether the form carries this row's annotation without loss."""
    return obstacle(form, row) is None


def check_labels(labels: tuple[Label, ...]) -> None:
    """Raise ValueError unless there are labels and no two are named or written alike."""
    if not labels:
        raise ValueError("labels: this form needs labels; name at least one.")
    for field in ("name", "shown"):
        seen = [folded(getattr(label, field)) for label in labels if getattr(label, field) != ANY]
        if not all(seen):
            raise ValueError(f"labels: the {field} of a label is only signs; write it in letters or digits.")
        twice = next((word for word in seen if seen.count(word) > 1), None)
        if twice is not None:
            raise ValueError(f"labels: two labels are both '{twice}'; give each its own {field}.")


def listed(words: list[str], last: str = "or") -> str:
    """'a', 'a or b', 'a, b or c'."""
    return f" {last} ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def explained(labels: tuple[Label, ...], heading: str) -> str:
    """' Types: drug = ...; gene = ....', to follow a sentence; empty where no label has a meaning."""
    return f" {heading}: {with_meanings(labels)}." if any(label.meaning for label in labels) else ""


def with_meanings(labels: tuple[Label, ...]) -> str:
    """'code = meaning; code = meaning', by the corpus's name where a label has no meaning."""
    return "; ".join(f"{label.shown} = {label.meaning or label.name}" for label in labels)
