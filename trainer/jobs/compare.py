"""Put a batch's prompts to its sides. Read from the top.

The prompts are the job's own comparisons. Each row's answers are stored as they come, so a batch that stopped
in any way goes on with the rows that have none. Sides of one base are answered in one batch of rows from one
copy of the weights, with the very decode that the model server streams from; then each endpoint is asked.

The result, for the page:

    answers, cut, refused   kept by this attempt; that reached the longest allowed; that a side could not give
    rows                    prompts of the batch
    seconds                 of the whole job
"""

from db.compare_spec import CompareSpec
from trainer.comparing import local, remote
from trainer.comparing.columns import together
from trainer.comparing.ledger import Books
from trainer.context import JobContext


def run(context: JobContext) -> None:
    """Carry the job out. Raises ValueError or LookupError with one sentence; Cancelled when asked to stop."""
    spec: CompareSpec = context.spec
    context.progress("reading the prompts")
    groups = together(spec.sides)
    books = Books(context, len(spec.sides))
    if not books.rows:
        raise ValueError("prompts: this batch has none; start a new one.")
    context.log(f"{books.rows:,} prompts, {books.pace.total - books.pace.done:,} answers to come")
    for columns in groups:
        answer = local.answer_all if columns.is_local else remote.answer_all
        try:
            answer(context, columns, books)
        except remote.Stopped as stopped:
            context.log(str(stopped))
            context.fail(str(stopped))
            return
    context.finish(
        {
            "rows": books.rows,
            "answers": books.kept,
            "cut": books.cut,
            "refused": books.refused,
            "seconds": round(context.elapsed(), 1),
        }
    )
