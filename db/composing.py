"""The stored instructions of a project as composition sees them, one after the other."""

from collections.abc import Iterator, Sequence
from functools import lru_cache

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from db.corpora import templates
from db.corpora.composition import Row
from db.corpora.forms import OutputForm
from db.corpora.schema import TextRow
from db.tables import ConvertedRow, Instruction

_PIECE = 2_000  # rows fetched at a time


def stored_rows(session: Session, conditions: Sequence[ColumnElement[bool]]) -> Iterator[Row]:
    """The heads that meet the conditions, such as `conversions.rows_of` or `search.matching`.

    What was converted counts under its corpus, anything else under how it came in.
    """
    query = (
        select(
            Instruction.instruction,
            Instruction.input,
            Instruction.output,
            Instruction.task,
            Instruction.provenance,
            Instruction.category,
            Instruction.origin,
            ConvertedRow.source,
            ConvertedRow.split,
            ConvertedRow.template,
        )
        .outerjoin(ConvertedRow, ConvertedRow.instruction_id == Instruction.id)
        .where(*conditions, Instruction.deleted_at.is_(None))
        .order_by(Instruction.id)
        .execution_options(yield_per=_PIECE)
    )
    for row in session.execute(query):
        yield Row(
            row.instruction,
            row.input,
            row.output,
            row.source or row.origin.value,
            row.task,
            row.provenance.value,
            row.category.value,
            row.split.value if row.split else "",
            _labels(row.template, row.output),
        )


def _labels(template: str | None, output: str) -> tuple[str, ...] | None:
    """What a classification's answer says, read by the inverse of what wrote it; None for other tasks."""
    form = _classification(template) if template else None
    return form.parse(output, TextRow("", "", "")).labels if form else None


@lru_cache(maxsize=256)
def _classification(template: str) -> OutputForm | None:
    try:
        found = templates.get(template)
    except LookupError:  # a template of one's own
        return None
    return found.prepared.form if found.shape == "text" else None
