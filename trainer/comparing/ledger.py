"""The books of a batch: what is still to be answered, what came, and how far it is."""

from collections.abc import Iterator, Mapping

from db import batches
from db.comparisons import AnswerText
from db.session import read
from db.tables import Comparison
from trainer.comparing.columns import Columns
from trainer.context import JobContext
from trainer.evaluating.pace import Pace
from trainer.generating.ledger import write_owned

ROWS = 50  # read at once


class Books:
    """What one attempt at a batch stores. A row's answers of a group are one transaction."""

    def __init__(self, context: JobContext, sides: int) -> None:
        with read() as s:
            rows, done = batches.count(s, context.job_id), batches.count_answers(s, context.job_id)
        self.context, self.rows = context, rows
        self.pace = Pace(context, rows * sides)
        self.pace.turn_to("answering", done)
        self.kept, self.cut, self.refused = 0, 0, 0  # of this attempt

    def waiting(self, columns: Columns) -> Iterator[Comparison]:
        """The rows that lack these columns' answers, one by one; `keep` must have been called for each."""
        while rows := self.waiting_now(columns):
            yield from rows

    def waiting_now(self, columns: Columns) -> list[Comparison]:
        """The first of them, at most ROWS."""
        with read() as s:
            return batches.waiting(s, self.context.job_id, columns.positions, limit=ROWS)

    def keep(self, row: Comparison, answers: Mapping[int, AnswerText]) -> None:
        """Store a row's answers by column. Raises FencedError once a later attempt owns the job."""
        context = self.context
        write_owned(context.job_id, context.attempt, lambda s: batches.keep(s, row.id, answers))
        self.note(answers)

    def note(self, answers: Mapping[int, AnswerText]) -> None:
        """Count answers that are stored."""
        self.kept += len(answers)
        self.cut += sum(answer.finish_reason == "length" for answer in answers.values())
        self.refused += sum("refused" in answer.provenance for answer in answers.values())
        self.pace.went_on(len(answers), sum(answer.tokens for answer in answers.values()))
