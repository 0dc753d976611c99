"""The sides of one base, loaded once: each row is answered in one batch, by the decode of the server."""

from collections.abc import Mapping

from db import comparisons
from db.compare_spec import CompareSpec
from db.comparisons import AnswerText
from db.tables import Comparison
from trainer.comparing.columns import Columns
from trainer.comparing.ledger import Books
from trainer.context import JobContext
from trainer.serve import prompting
from trainer.serve.answering import answers
from trainer.serve.holding import Held, free_memory

_OF_THE_ROW = ("prompt", "messages")  # faults of one row: the others go on


def answer_all(context: JobContext, columns: Columns, books: Books) -> None:
    """Answer every row that waits. Raises ValueError for what cannot be loaded, and Cancelled."""
    if not books.waiting_now(columns):
        return
    context.progress("loading the models", books.pace.done, books.pace.total)
    free_memory()
    held = Held(columns.targets[0].base)
    held.use(*(target.adapter for target in columns.targets if target.adapter))
    context.log(f"{held.base.name} in {held.dtype} on {held.device.type}, {len(columns.sides)} sides")
    for row in books.waiting(columns):
        context.require_wanted()
        books.keep(row, _answers(context, held, columns, row))
    context.require_wanted()


def _answers(context: JobContext, held: Held, columns: Columns, row: Comparison) -> Mapping[int, AnswerText]:
    """The answers of one row by column; empty ones with the reason where the model cannot be asked this."""
    spec: CompareSpec = context.spec
    messages = comparisons.messages([], 0, system=row.system, instruction=row.instruction, input=row.input)
    try:
        asked = prompting.prepare(columns.targets, [messages], spec.sampling)
    except ValueError as error:
        if str(error).partition(": ")[0] not in _OF_THE_ROW:
            raise
        refused = {"refused": str(error)}
        return {
            position: AnswerText(side, "", "cancelled", provenance=refused)
            for position, side in zip(columns.positions, columns.sides, strict=True)
        }
    told = answers(held, asked, is_stopped=lambda _position: context.stop_mode() is not None)
    context.require_wanted()  # what was cut short by a stop is not an answer
    return {
        position: AnswerText(
            side,
            one.text,
            one.done.finish_reason,
            tokens=one.done.tokens,
            tokens_per_second=one.done.tokens_per_second,
            first_token_seconds=one.done.first_token_seconds,
            provenance=one.done.provenance,
        )
        for position, side, one in zip(columns.positions, columns.sides, told, strict=True)
    }
