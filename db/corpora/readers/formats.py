"""What a format is: how it is called, what it may be told, how it is read and known."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from db.corpora.schema import CorpusError, Row
from db.enums import Split

Options = Mapping[str, str]
"""What a reader was told, every option of its format filled in."""


@dataclass(frozen=True)
class Option:
    """One thing a reader may be told, as a form shows it. Values are text; empty is the usual way."""

    name: str
    help: str
    default: str = ""
    choices: tuple[str, ...] = ()
    kind: str = "text"  # text, number, file


@dataclass(frozen=True)
class Head:
    """The beginning of a file, or of the first file of a folder: what a format is told from."""

    kind: str  # folder, xml, json (one object), records (JSON lines, a JSON array or a table), lines, none
    text: str = ""
    fields: Mapping[str, object] = field(default_factory=dict)  # the first record of `records`
    names: frozenset[str] = frozenset()  # suffixes of the files of a folder or a zip

    def has(self, *names: str) -> bool:
        """True when the first record has all of these fields."""
        return all(name in self.fields for name in names)


@dataclass(frozen=True)
class Format:
    """A family of files that one function reads."""

    name: str
    title: str
    holds: str
    row: type[Row]
    suffixes: tuple[str, ...]
    read: Callable[[Path, Options], Iterator[Row]]
    fits: Callable[[Head], bool]
    options: tuple[Option, ...] = ()
    rows: Callable[[Iterable, Options], Iterator[Row]] | None = None
    """The same from records, for what comes as records and not as a file; None where only a file will do."""
    broken: Callable[[Path, Options], Iterator[CorpusError]] | None = None
    """What is wrong line by line, where reading can go on behind a fault; None: as records, in JSON lines."""

    def settle(self, told: Mapping[str, object]) -> dict[str, str]:
        """Every option with its value. Raises ValueError for a name or a value that it does not know."""
        known = {option.name: option for option in self.options}
        for name in told:
            if name not in known:
                raise ValueError(
                    f"{name}: {self.name} has no such option; it knows {', '.join(known) or 'none'}."
                )
        settled = {name: option.default for name, option in known.items()}
        settled |= {name: str(value) for name, value in told.items() if value is not None}
        for name, value in settled.items():
            _check(known[name], value)
        return settled


def _check(option: Option, value: str) -> None:
    if option.choices and value not in option.choices:
        named = ", ".join(choice or '""' for choice in option.choices)
        raise ValueError(f"{option.name}: {value[:40]!r} is none of {named}.")
    if option.kind == "number":
        try:
            int(value)
        except ValueError:
            raise ValueError(f"{option.name}: {value[:40]!r} is no whole number.") from None


ENCODING = Option("encoding", "The file's encoding, such as cp1252; UTF-8 unless named.")
SPLIT = Option(
    "split",
    "The split of every row that does not name its own; told from the file's name unless given.",
    choices=("", *Split),
)
DELIMITER = Option(
    "delimiter",
    "What stands between columns; told from the first line unless given.",
    choices=("", "tab", "comma", "semicolon", "bar"),
)
COLUMNS = Option("columns", "The columns' names, with commas between, where the table has no header.")
QUOTES = Option(
    "quotes",
    "Whether quotation marks wrap cells: auto says yes between commas and no between tabs.",
    "auto",
    ("auto", "yes", "no"),
)
RECORDS = (DELIMITER, COLUMNS, QUOTES, ENCODING, SPLIT)
"""The options of every format that reads JSON lines, a JSON array or a table alike."""
UNANSWERED = Option(
    "unanswered",
    "What to do with a question without an answer: refuse the file, keep the row, or leave it out.",
    "refuse",
    ("refuse", "keep", "skip"),
)
