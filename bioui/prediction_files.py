"""The predictions that a list shows, as a file: JSONL with all there is, or CSV for a spreadsheet."""

import csv
import io
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

from bioui.predicted import Browsing, page_of
from bioui.resulting import Pair, name_of, open_pair
from db import predictions
from db.evaluations import find
from db.exchange.cells import defused
from db.policy import PolicyError
from db.predictions import Row
from db.session import Session, read
from db.tables import Prediction

PAGE_ROWS = 500
SUFFIXES = ("csv", "jsonl")
_BYTE_ORDER = "\ufeff"  # without it a spreadsheet reads UTF-8 as something else


def asked_for(session: Session, evaluation_id: int, asked: Mapping[str, str]) -> tuple[Pair, Browsing]:
    """What an address names. Raises LookupError for no such evaluation, ValueError for a filter that cannot
    be, PolicyError for a task under a data-use agreement.
    """
    against = asked.get("against", "")
    project_id = find(session, evaluation_id).project_id
    pair = open_pair(session, project_id, evaluation_id, int(against) if against.isdigit() else 0)
    if pair.evaluation.task_version.is_restricted:
        raise PolicyError("This task is under a data-use agreement: its rows stay here.")
    said = (asked.get(name, "") for name in ("show", "q", "fault", "of"))
    browsing = Browsing.of(pair, *said)
    _page(session, browsing, None)  # says now what is wrong with the filter
    return pair, browsing


def stem_of(pair: Pair) -> str:
    """What the file is called, without its suffix."""
    names = [pair.evaluation.task_version.name, *(name_of(each) for each, _ in pair.sides)]
    return "-".join(names)


def pieces(pair: Pair, browsing: Browsing, suffix: str) -> Iterator[str]:
    """The file, some rows at a time; each piece is read in a session of its own."""
    names = _sides(pair)
    write: Callable[[Sequence[Row], Sequence[str]], str] = _lines if suffix == "jsonl" else _cells
    if suffix == "csv":
        yield _BYTE_ORDER + _table([_columns(names)])
    after = None
    while True:
        with read() as session:
            page = _page(session, browsing, after)
            piece = write(page.rows, names)
        yield piece
        after = page.next
        if after is None:
            return


def _page(session: Session, browsing: Browsing, after: int | None) -> predictions.Page:
    return page_of(session, replace(browsing, counted=(0, False)), after, PAGE_ROWS)  # nobody asks how many


def _sides(pair: Pair) -> list[str]:
    """The names of the answers, from left to right; of two that are alike each with its number."""
    names = [name_of(each) for each, _ in pair.sides]
    if len(set(names)) == len(names):
        return names
    return [f"{name} ({each.id})" for name, (each, _) in zip(names, pair.sides, strict=True)]


def _lines(rows: Sequence[Row], names: Sequence[str]) -> str:
    return "".join(json.dumps(_object(row, names), ensure_ascii=False) + "\n" for row in rows)


def _object(row: Row, names: Sequence[str]) -> dict:
    answers = [
        {
            "model": name,
            "answer": said.answer,
            "score": said.score,
            "is_right": said.is_right,
            "read": said.said,
            "counts": said.counts,
            "tokens": said.tokens,
        }
        for name, said in _answers(row, names)
    ]
    asked = ("position", "key", "document", "instruction", "input", "reference")
    return {**{field: getattr(row, field) for field in asked}, "answers": answers}


def _answers(row: Row, names: Sequence[str]) -> Iterator[tuple[str, Prediction]]:
    both = [row.prediction] if len(names) == 1 else [row.against, row.prediction]
    return ((name, said) for name, said in zip(names, both, strict=True) if said is not None)


def _cells(rows: Sequence[Row], names: Sequence[str]) -> str:
    return _table([_cells_of(row, names) for row in rows])


def _columns(names: Sequence[str]) -> list[str]:
    asked = ["row", "key", "document", "instruction", "input", "reference"]
    of_each = [f"{name}: {part}" for name in names for part in ("answer", "right", "score", "faults")]
    return [*asked, *of_each]


def _cells_of(row: Row, names: Sequence[str]) -> list[str]:
    said = dict(_answers(row, names))
    answers = [cell for name in names for cell in _answer_cells(said.get(name))]
    return [str(row.position + 1), row.key, row.document, row.instruction, row.input, row.reference, *answers]


def _answer_cells(said: Prediction | None) -> list[str]:
    if said is None:
        return ["", "", "", ""]
    faults = "; ".join(f"{kind}: {words}" if words else kind for kind, words in said.said.get("faults", ()))
    return [said.answer, "yes" if said.is_right else "no", f"{said.score:g}", faults]


def _table(rows: Sequence[Sequence[str]]) -> str:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerows([defused(cell) for cell in row] for row in rows)
    return text.getvalue()
