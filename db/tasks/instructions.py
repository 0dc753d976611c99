"""Frozen dataset versions of the studio as tasks: asked as they were frozen, scored against their outputs."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from db.corpora.forms.prediction import folded
from db.corpora.readers.formats import Option
from db.enums import Category
from db.tasks import scoring
from db.tasks.corpus import MAX_ANSWER
from db.tasks.rows import InstructionRow
from db.tasks.task import Asked, Options, RowScore, TaskError
from db.tasks.writing import TEXTS


class _Instructions:
    """Rows come from the database and not from a file (`db.task_versions.freeze_dataset`)."""

    formats: ClassVar[tuple[str, ...]] = ()
    is_general: ClassVar[bool] = False
    name: ClassVar[str]
    category: ClassVar[Category]

    def __init__(self, settings: Mapping[str, Any] | None = None) -> None:
        if settings:
            raise TaskError(
                f"{next(iter(settings))}: a task of a frozen dataset has no settings; leave it out."
            )
        self.settings: dict[str, Any] = {}

    @classmethod
    def options_of(cls) -> tuple[Option, ...]:
        return ()

    def read(self, path: Path, options: Mapping[str, object]) -> Iterator[InstructionRow]:
        raise TaskError("file: this task takes its rows from a frozen dataset version; name one.")

    def ask(self, row: InstructionRow) -> Asked:
        if not row.output.strip():
            raise TaskError(f"row {row.id}: it has no output to score against; freeze rows that have one.")
        return Asked(row.instruction, row.input, row.output)

    def options(self, row: InstructionRow) -> Sequence[Options]:
        return ()

    def score_options(
        self,
        row: InstructionRow,
        likelihoods: Sequence[Sequence[float]],
        lengths: Sequence[Sequence[int]],
    ) -> RowScore:
        raise TaskError(f"{self.name}: it has no options to choose from; score it by what a model writes.")

    @property
    def identity(self) -> dict[str, Any]:
        return {"task": self.name}


class InstructionsQA(_Instructions):
    """Rows of a frozen dataset that ask for one short answer:

        {"instruction": "Answer yes or no.", "input": "Is insulin a hormone?", "output": "Yes"}

    Right is the output's own words, but for case, outer blanks, quotes and a final stop.
    """

    name, title, category = "instructions-qa", "Frozen dataset, questions", Category.QA
    measures = ("accuracy", "parse_failures")
    max_tokens = 256

    def score(self, row: InstructionRow, answer: str) -> RowScore:
        return scoring.exact(answer[:MAX_ANSWER], row.output)

    def tables(self, rows: Sequence[RowScore]) -> dict[str, Any]:
        return {"faults": scoring.fault_table(rows)}


class InstructionsIE(_Instructions):
    """Rows of a frozen dataset that ask for a list, one item a line:

        {"instruction": "List diseases and drugs as type: name.", "input": "Aspirin for gout.",
         "output": "drug: Aspirin\\ndisease: gout"}

    Strict F1 over the lines: a line counts with the same words, whatever its case, bullet and final stop.
    """

    name, title, category = "instructions-ie", "Frozen dataset, extraction", Category.IE
    measures = ("strict_f1", "strict_precision", "strict_recall", "exact_match", "parse_failures")
    max_tokens = 512

    def score(self, row: InstructionRow, answer: str) -> RowScore:
        return scoring.lines(items(answer[:MAX_ANSWER]), items(row.output), answer)

    def tables(self, rows: Sequence[RowScore]) -> dict[str, Any]:
        return {"faults": scoring.fault_table(rows)}


class InstructionsGEN(_Instructions):
    """Rows of a frozen dataset that ask for a text:

        {"instruction": "Explain to a patient what metformin is for.", "input": "", "output": "Metformin ..."}

    Scored by ROUGE-L F1 against the output, with what is kept of its concepts, numbers and negations.
    """

    name, title, category = "instructions-gen", "Frozen dataset, writing", Category.GEN
    measures = TEXTS
    max_tokens = 512

    def score(self, row: InstructionRow, answer: str) -> RowScore:
        return scoring.text(answer[:MAX_ANSWER], row.output, source=row.input)

    def tables(self, rows: Sequence[RowScore]) -> dict[str, Any]:
        return {"faults": scoring.fault_table(rows)}


_BULLET = re.compile(r"^\s*(?:[-*•]|\d{1,3}[.)])\s+")


def items(text: str) -> Counter[str]:
    """The lines of an answer as they are compared, with how often each stands there."""
    bare = (folded(_BULLET.sub("", line)) for line in text.splitlines())
    return Counter(re.sub(r"\s*:\s*", ": ", line) for line in bare if line)


def task_for(category: Category) -> str:
    """The task that scores a category's rows; those of no category are scored as texts."""
    return {Category.QA: "instructions-qa", Category.IE: "instructions-ie"}.get(category, "instructions-gen")
