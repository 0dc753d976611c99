"""Several short answers, one a line after a dash (BioASQ's list questions)."""

from dataclasses import dataclass
from typing import ClassVar

from db.corpora.forms import reply
from db.corpora.forms.form import CannotWrite, Label, Obstacle
from db.corpora.forms.prediction import Answers, Fault, FaultKind, folded
from db.corpora.schema import QaRow


@dataclass(frozen=True)
class AnswerList:
    name: ClassVar[str] = "answer_list"
    title: ClassVar[str] = "A list of short answers"
    shape: ClassVar[str] = "qa"
    labelled: ClassVar[bool] = False
    tasks: ClassVar[tuple[str, ...]] = ("passage_qa",)
    labels: tuple[Label, ...] = ()

    def constraint(self) -> str:
        return "Answer with one line for each item, after a dash, and nothing else."

    def write(self, row: QaRow) -> str:
        if not row.answer:
            raise CannotWrite(Obstacle.NO_ANSWER)
        items = [" ".join(answer.split()) for answer in row.answer]
        written = "\n".join(f"- {item}" for item in items)
        if frozenset(map(folded, _items(written))) != frozenset(map(folded, items)) or "" in items:
            raise CannotWrite(Obstacle.NOT_READ_BACK)
        return written

    def gold(self, row: QaRow) -> Answers:
        return Answers(row.answer, synonyms=row.synonyms)

    def parse(self, answer: str, row: QaRow) -> Answers:
        items = _items(answer)
        return Answers(tuple(dict.fromkeys(items))) if items else Answers((), (Fault(FaultKind.EMPTY),))


def _items(answer: str) -> list[str]:
    """The items of a reply: its JSON list, else its bulleted lines, else its lines, else between commas."""
    body = reply.body(answer)
    if body.startswith("["):
        value, _ = reply.json_value(body, lambda value: isinstance(value, list) and _all_words(value))
        if value is not None:
            return [item.strip() for item in value if item.strip()]
    lines = reply.lines(body)
    bulleted = [reply.without_bullet(line) for line in lines if reply.is_bulleted(line)]
    if bulleted:
        return [reply.unwrapped(item) for item in bulleted if reply.unwrapped(item)]
    if len(lines) > 1 and lines[0].endswith(":"):
        lines = lines[1:]
    if len(lines) == 1:
        line = reply.after_marker(lines[0]) or lines[0]
        lines = line.replace(";", ",").split(",")
    return [reply.unwrapped(item) for item in lines if reply.unwrapped(item)]


def _all_words(value: list) -> bool:
    return all(isinstance(member, str) for member in value)
