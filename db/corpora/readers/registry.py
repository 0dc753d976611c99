"""The formats there are, and the one way to read a file as one of them."""

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from db.corpora.readers import (
    bioc_files,
    brat,
    choices,
    health_questions,
    labels,
    marked,
    mmlu,
    notes,
    pairs,
    passages,
    pubtator,
    tagged,
)
from db.corpora.readers.formats import Format
from db.corpora.readers.records import broken_records
from db.corpora.readers.text import codec_of
from db.corpora.schema import CorpusError, Row
from db.enums import Split

# The order is that in which a file is tried for what it may be: from the surest mark to the vaguest.
FORMATS: dict[str, Format] = {
    format.name: format
    for module in (
        brat,
        bioc_files,
        pubtator,
        passages,
        choices,
        mmlu,
        marked,
        pairs,
        notes,
        health_questions,
        labels,
        tagged,
    )
    for format in module.FORMATS
}
_SPLIT = re.compile(
    r"(?<![a-z])(?:(?P<train>train(?:ing)?)|(?P<validation>dev|devel|development|valid|validation|val)|(?P<test>test))"
    r"(?:ing)?[_-]?(?:set)?(?![a-z])",
    re.IGNORECASE,
)
MOST_BROKEN = 20  # lines that a refusal names
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")


def get_format(name: str) -> Format:
    """The format of that name. Raises ValueError, naming those there are."""
    if name not in FORMATS:
        raise ValueError(f"format: {str(name)[:40]!r} is not known; choose one of {', '.join(FORMATS)}.")
    return FORMATS[name]


def read(path: Path | str, format: str, **options: object) -> Iterator[Row]:
    """The rows of the file, one at a time; `options` are those that the format lists.

    Raises ValueError at once for a format or an option that is not known and for a path that is not there,
    and CorpusError, a ValueError with the line or the record, where the rows come to what is wrong.
    """
    path, chosen = Path(path), get_format(format)
    settled = chosen.settle(options)
    if not path.exists():
        raise CorpusError(f"{path.name} does not exist; choose another.")
    if path.is_dir() and not any(suffix in (".zip", ".ann") for suffix in chosen.suffixes):
        raise CorpusError(f"{path.name} is a folder, and {chosen.title} is one file; choose that.")
    codec_of(settled.get("encoding", ""))
    split = Split(settled["split"]) if settled["split"] else split_of(path.name)
    return _rows(path, chosen, settled, split)


def split_of(name: str) -> Split | None:
    """The split that a file's name tells: `train.tsv`, `devel.tsv`, `CDR_TestSet.xml`; else None."""
    words = _CAMEL.sub("_", name.partition(".")[0])
    found = {match.lastgroup or "" for match in _SPLIT.finditer(words)}
    return Split(found.pop()) if len(found) == 1 else None


def with_others(first: CorpusError, path: Path, format: str, **options: object) -> CorpusError:
    """The fault that stopped the reading of a file with those behind it, a sentence and a line each.

    Up to MOST_BROKEN, where lines stand for themselves: tagged tokens and JSON lines. Of a file in which each
    line is broken the first says enough: it is in another format.
    """
    chosen = get_format(format)
    settled = chosen.settle(options)
    if not first.line:
        return first
    found: list[int | None] = []
    said = [first.sentence]
    for error in _broken(path, chosen, settled):
        if error.line and error.line > first.line:
            found.append(error.line)
            said.append(f"Line {error.line}: {error.sentence}")
        if len(said) > MOST_BROKEN:
            if found[-1] == first.line + MOST_BROKEN:
                return first
            said[-1] = "There are more."
            break
    return CorpusError("\n".join(said), line=first.line)


def _broken(path: Path, chosen: Format, settled: dict[str, str]) -> Iterator[CorpusError]:
    try:
        if chosen.broken:
            yield from chosen.broken(path, settled)
        elif chosen.rows:
            yield from broken_records(path, chosen.rows, settled)
    except CorpusError:  # in another encoding from there on, or a gzip file that breaks off
        return


def _rows(path: Path, chosen: Format, settled: dict[str, str], split: Split | None) -> Iterator[Row]:
    has_rows = False
    for row in chosen.read(path, settled):
        has_rows = True
        yield replace(row, split=split) if split and row.split is None else row
    if not has_rows:
        raise CorpusError(_nothing(path, chosen))


def _nothing(path: Path, chosen: Format) -> str:
    if path.is_file() and path.stat().st_size == 0:
        return "it is empty; choose another."
    return f"it holds no row of {chosen.title}; choose the format that it is written in, or another file."
