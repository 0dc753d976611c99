"""Free text, which passes for itself: answers in sentences, summaries, notes."""

from dataclasses import dataclass
from typing import ClassVar

from db.corpora.forms.form import CannotWrite, Label, Obstacle
from db.corpora.forms.prediction import Fault, FaultKind, Text
from db.corpora.schema import QaRow


@dataclass(frozen=True)
class FreeAnswer:
    """The answer to a question in sentences: the long answer where the corpus has one."""

    name: ClassVar[str] = "free_answer"
    title: ClassVar[str] = "An answer in sentences"
    shape: ClassVar[str] = "qa"
    labelled: ClassVar[bool] = False
    tasks: ClassVar[tuple[str, ...]] = ("patient_question", "literature_qa", "clinical_summarization")
    labels: tuple[Label, ...] = ()

    def constraint(self) -> str:
        return ""

    def write(self, row: QaRow) -> str:
        return written(row.long_answer or "\n".join(row.answer[:1]))

    def gold(self, row: QaRow) -> Text:
        return Text(self.write(row))

    def parse(self, answer: str, row: QaRow) -> Text:
        return read(answer)


def written(text: str) -> str:
    """The text without white space at its ends. Raises CannotWrite where there is none."""
    if not text.strip():
        raise CannotWrite(Obstacle.NO_ANSWER)
    return text.strip()


def read(answer: str) -> Text:
    text = answer.strip()
    return Text(text) if text else Text("", (Fault(FaultKind.EMPTY),))
