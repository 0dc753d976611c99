"""A tuned encoder on frozen tasks: its answers scored and kept as any model's are.

Rows whose text stands among the training rows are found by their words; figures are given without them, too.
"""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from sqlalchemy.orm import Session

from db import evaluations, tasks
from db.encoder_heads import Head
from db.enums import Way
from db.evaluations import Scored
from db.metrics import measures
from db.session import read
from db.tables import TaskVersion
from db.tasks import TaskRowKind
from trainer.context import JobContext
from trainer.encoders import encode, predict
from trainer.encoders.heads import texts_of
from trainer.encoders.load import Ready
from trainer.generating.ledger import write_owned

_TOGETHER = 500  # predictions in one transaction
_WORD = re.compile(r"\w+")


@dataclass(frozen=True)
class Exam:
    """A frozen task with its rows, by position."""

    version: TaskVersion
    task: Any
    rows: Sequence[TaskRowKind]


@dataclass(frozen=True)
class Examinee:
    """An encoder that can be asked: on its device, in its format."""

    ready: Ready
    head: Head
    longest: int
    size: int
    dtype: torch.dtype

    def prepare(self, exam: Exam) -> encode.Pieces:
        return encode.encode(
            exam.rows,
            exam.task.form,
            self.head,
            self.ready.tokenizer,
            longest=self.longest,
            with_labels=False,
        )

    def answer(self, exam: Exam, pieces: encode.Pieces, tell=lambda done, total: None) -> list[str]:
        return predict.answers(
            self.ready.model,
            exam.rows,
            pieces,
            exam.task.form,
            self.head,
            collator=self.ready.collator(self.head),
            size=self.size,
            dtype=self.dtype,
            tell=tell,
        )


def headline(examinee: Examinee, exam: Exam, pieces: encode.Pieces) -> float:
    """The task's headline figure on all rows, without an interval: a look between two epochs."""
    scores = [
        exam.task.score(row, answer)
        for row, answer in zip(exam.rows, examinee.answer(exam, pieces), strict=True)
    ]
    measure = measures.get(exam.task.measures[0])
    return float(measure.of(measures.columns_of(measure, [score.counts for score in scores]).sum(axis=0)))


def evaluate(
    context: JobContext,
    examinee: Examinee,
    exam: Exam,
    *,
    encoder_id: int,
    provenance: dict,
    seen: Collection[str],
) -> int:
    """Answer, score and finish one task; the evaluation's number. Rows that are kept already stay.

    `seen` are the training rows as `words_of_row` gives them.
    """

    def owned(change):
        return write_owned(context.job_id, context.attempt, change)

    pieces = examinee.prepare(exam)
    found = provenance | {"shortened": pieces.cut}
    evaluation_id = owned(
        lambda s: (
            evaluations.begin(
                s,
                context.job_id,
                context.attempt,
                exam.version.id,
                Way.ENCODER,
                encoder_id=encoder_id,
                provenance=found,
            ).id
        )
    )
    with read() as s:
        done = evaluations.done_positions(s, evaluation_id)
        if evaluations.find(s, evaluation_id).finished_at is not None:
            return evaluation_id
    phase = f"scoring on {exam.version.name}"

    def tell(so_far: int, total: int) -> None:
        context.require_wanted()
        context.progress(phase, so_far, total)

    answers = examinee.answer(exam, pieces, tell)
    scored = [
        Scored(position, answer, exam.task.score(row, answer))
        for position, (row, answer) in enumerate(zip(exam.rows, answers, strict=True))
        if position not in done
    ]
    for begin in range(0, len(scored), _TOGETHER):
        some = scored[begin : begin + _TOGETHER]
        owned(partial(_record, context, evaluation_id, some))
        context.require_wanted()
    context.progress(f"reckoning intervals on {exam.version.name}")
    leaked = [at for at, row in enumerate(exam.rows) if words_of_row(row) in seen]
    with read() as s:
        spec = context.spec
        summary = evaluations.summarise(s, evaluation_id, level=spec.level, seed=spec.seed, without=leaked)
    owned(lambda s: evaluations.finish(s, context.job_id, context.attempt, evaluation_id, summary))
    figure = summary.figures[summary.measure]
    context.log(
        f"{exam.version.name}: {measures.get(summary.measure).title} {_said(figure)}; "
        f"{len(leaked)} of {len(exam.rows)} rows stand among the training rows"
    )
    return evaluation_id


def _record(context: JobContext, evaluation_id: int, some: Sequence[Scored], session: Session) -> None:
    evaluations.record(session, context.job_id, context.attempt, evaluation_id, some)


def words_of_row(row: TaskRowKind) -> str:
    """The words of a row's texts in one case: two rows alike in them are the same row."""
    return " ".join(_WORD.findall(" ".join(texts_of(row)).casefold()))


def exam_of(version: TaskVersion, sources: Sequence[dict]) -> Exam:
    """The frozen task with its rows out of what was stored."""
    return Exam(version, tasks.of_version(version), [tasks.from_json(source) for source in sources])


def _said(figure: dict) -> str:
    if figure["value"] is None:
        return "undefined"
    low, high = figure["low"], figure["high"]
    spread = f" ({low:.4f} to {high:.4f})" if low is not None and high is not None else ""
    return f"{figure['value']:.4f}{spread}"
