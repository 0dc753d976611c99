"""The answers of a batch as a file: JSONL with all there is, or CSV for a spreadsheet."""

import csv
import io
import json
from collections.abc import Iterable, Iterator, Sequence

from db.batch_figures import Row, seconds_of
from db.exchange.cells import defused
from db.expected import Fact

SUFFIXES = ("csv", "jsonl")
BYTE_ORDER = "\ufeff"  # without it a spreadsheet reads UTF-8 as something else
_ASKED = ("key", "slice", "system", "instruction", "input")
_EACH = ("answer", "finish", "tokens", "seconds", "facts found", "facts missing", "word overlap")


def pieces(rows: Iterable[Row], titles: Sequence[str], suffix: str) -> Iterator[str]:
    """The file, a row at a time; `titles` name the columns of answers.

    Raises ValueError for a suffix that is none of SUFFIXES.
    """
    if suffix not in SUFFIXES:
        raise ValueError(f"export: take it as {' or '.join(SUFFIXES)}.")
    names = _apart(titles)
    if suffix == "jsonl":
        yield from (json.dumps(_object(row, names), ensure_ascii=False) + "\n" for row in rows)
        return
    yield BYTE_ORDER + _line([*_ASKED, "expected", *(f"{name}: {part}" for name in names for part in _EACH)])
    for row in rows:
        yield _line(_cells(row))


def _object(row: Row, names: Sequence[str]) -> dict:
    comparison = row.comparison
    return {
        "comparison": comparison.id,
        **{name: getattr(comparison, name) for name in _ASKED},
        "expected": comparison.expected,
        "sampling": comparison.sampling,
        "answers": [
            {
                "side": name,
                "answer": answer.text,
                "finish_reason": answer.finish_reason,
                "tokens": answer.tokens,
                "seconds": seconds_of(answer),
                "found": _texts(facts, True),
                "missing": _texts(facts, False),
                "word_overlap": overlap,
                "provenance": answer.provenance,
            }
            for name, answer, facts, overlap in zip(names, row.answers, row.facts, row.overlap, strict=True)
            if answer is not None
        ],
    }


def _cells(row: Row) -> list[str]:
    comparison = row.comparison
    cells = [getattr(comparison, name) or "" for name in _ASKED] + ["; ".join(comparison.expected)]
    for answer, facts, overlap in zip(row.answers, row.facts, row.overlap, strict=True):
        if answer is None:
            cells += [""] * len(_EACH)
            continue
        seconds = seconds_of(answer)
        cells += [
            answer.text,
            answer.finish_reason,
            str(answer.tokens),
            "" if seconds is None else f"{seconds:.2f}",
            "; ".join(_texts(facts, True)),
            "; ".join(_texts(facts, False)),
            "" if overlap is None else f"{overlap:.3f}",
        ]
    return cells


def _texts(facts: Iterable[Fact], is_found: bool) -> list[str]:
    return [fact.text for fact in facts if fact.is_found is is_found]


def _apart(titles: Sequence[str]) -> list[str]:
    """The names of the columns; of two that are alike each with its place."""
    return [
        f"{title} ({place})" if titles.count(title) > 1 else title
        for place, title in enumerate(titles, start=1)
    ]


def _line(cells: Sequence[str]) -> str:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\r\n").writerow([defused(cell) for cell in cells])
    return text.getvalue()
