"""The text made of another (BigBIO "t2t"): the note of a dialogue, the summary of a question."""

from dataclasses import dataclass
from typing import ClassVar

from db.corpora.forms.form import Label
from db.corpora.forms.free_text import read, written
from db.corpora.forms.prediction import Text
from db.corpora.schema import T2tRow


@dataclass(frozen=True)
class MadeText:
    name: ClassVar[str] = "made_text"
    title: ClassVar[str] = "The second text"
    shape: ClassVar[str] = "t2t"
    labelled: ClassVar[bool] = False
    tasks: ClassVar[tuple[str, ...]] = (
        "dialogue_to_note",
        "question_summarization",
        "clinical_summarization",
    )
    labels: tuple[Label, ...] = ()

    def constraint(self) -> str:
        return ""

    def write(self, row: T2tRow) -> str:
        return written(row.text_2)

    def gold(self, row: T2tRow) -> Text:
        return Text(written(row.text_2))

    def parse(self, answer: str, row: T2tRow) -> Text:
        return read(answer)
