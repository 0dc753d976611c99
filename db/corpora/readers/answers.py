"""What to do with a question that its file does not answer: one rule for every format of questions."""

from collections.abc import Callable, Iterator

from db.corpora.readers.formats import Options
from db.corpora.schema import CorpusError, QaRow


def answered(row: QaRow, options: Options, fault: Callable[[str], CorpusError]) -> Iterator[QaRow]:
    """The row where it has an answer or such rows are kept. Raises CorpusError where they are refused."""
    if row.answer or options["unanswered"] == "keep":
        yield row
    elif options["unanswered"] == "refuse":
        raise fault("the question has no answer; keep or leave out such rows with unanswered=keep or skip.")


def facets(*pairs: tuple[str, str]) -> tuple[tuple[str, str], ...]:
    """The pairs that say something."""
    return tuple((name, value) for name, value in pairs if value)
