"""One short answer: a name, a number, a phrase (BioASQ's factoid questions)."""

from dataclasses import dataclass
from typing import ClassVar

from db.corpora.forms import reply
from db.corpora.forms.form import CannotWrite, Label, Obstacle
from db.corpora.forms.prediction import Answers, Fault, FaultKind, folded
from db.corpora.schema import QaRow


@dataclass(frozen=True)
class Factoid:
    name: ClassVar[str] = "factoid"
    title: ClassVar[str] = "One short answer"
    shape: ClassVar[str] = "qa"
    labelled: ClassVar[bool] = False
    tasks: ClassVar[tuple[str, ...]] = ("passage_qa",)
    labels: tuple[Label, ...] = ()

    def constraint(self) -> str:
        return "Answer with the name, number or short phrase that is asked for, and nothing else."

    def write(self, row: QaRow) -> str:
        if not row.answer:
            raise CannotWrite(Obstacle.NO_ANSWER)
        words = " ".join(row.answer[0].split())
        if not folded(words) or _said(words) != folded(words):
            raise CannotWrite(Obstacle.NOT_READ_BACK)
        return words

    def gold(self, row: QaRow) -> Answers:
        """The answer written, and its synonyms: any one of them is right."""
        return Answers(row.answer, one_of=True)

    def parse(self, answer: str, row: QaRow) -> Answers:
        said = _said(answer)
        return Answers((said,)) if said else Answers((), (Fault(FaultKind.EMPTY),))


def _said(answer: str) -> str:
    """The first line of a reply, or what follows 'answer:', without a dash before it or quotes around it."""
    body = reply.body(answer)
    marked = reply.lines(reply.after_marker(body))
    lines = marked or reply.lines(body)
    if len(lines) > 1 and lines[0].endswith(":"):
        lines = lines[1:]
    return folded(reply.unwrapped(reply.without_bullet(lines[0]))) if lines else ""
