"""The prompts of a batch: read from a file, taken from the shelf, or the rows of a frozen task.

A file is CSV or TSV with a header, JSONL, a JSON array, or plain text with a prompt a line. Of its columns
`instruction` is needed (`prompt` and `question` mean the same); `input`, `system`, `key`, `slice` and
`expected` are read where they are there, and others are passed over.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from db import expected, prompts, task_versions
from db.comparisons import require_texts
from db.exchange.readers import SourceRow, read_rows
from db.exchange.sniff import Container, Layout, fingerprint_file, sniff
from db.session import Session
from db.tables import PromptVersion, TaskRow

MAX_ROWS = 5_000
MAX_BYTES = 50 << 20
MAX_LABEL = 120  # characters of a key or a slice
COLUMNS = ("instruction", "input", "system", "key", "slice", "expected")
SAME = {"prompt": "instruction", "question": "instruction", "id": "key", "group": "slice", "context": "input"}


@dataclass(frozen=True)
class BatchPrompt:
    """One row of a batch. Raises ValueError naming the column that cannot be."""

    instruction: str
    input: str = ""
    system: str = ""
    key: str = ""  # within its batch; its number unless given
    slice: str = ""  # rows that are looked at together
    expected: tuple[str, ...] = ()
    prompt_version_id: int | None = None

    def __post_init__(self) -> None:
        require_texts(self.instruction, self.input, self.system)
        for name in ("instruction", "input", "system"):
            object.__setattr__(self, name, getattr(self, name).strip())
        for name in ("key", "slice"):
            object.__setattr__(self, name, " ".join(str(getattr(self, name)).split()))
            if len(getattr(self, name)) > MAX_LABEL:
                raise ValueError(f"{name}: longer than {MAX_LABEL} characters; shorten it.")
        object.__setattr__(self, "expected", expected.clean(self.expected))


@dataclass(frozen=True)
class Found:
    """What a file holds: its prompts, and the names of columns that are of no use here."""

    prompts: tuple[BatchPrompt, ...]
    passed_over: tuple[str, ...] = ()

    @property
    def slices(self) -> dict[str, int]:
        """Slice -> rows, in the order in which they come."""
        counted: dict[str, int] = {}
        for prompt in self.prompts:
            counted[prompt.slice] = counted.get(prompt.slice, 0) + 1
        return counted


# A file ---------------------------------------------------------------------------------------------------


def read_file(path: Path, *, name: str = "") -> Found:
    """The prompts of a file. `name` is what the person calls it, where it is stored under another.

    Raises ValueError with one sentence that names line and column for the first that cannot be.
    """
    suffix = Path(name or path.name).suffix.lower()
    try:
        size = path.stat().st_size
    except OSError as error:
        raise ValueError(f"file: {path.name} cannot be read ({error.strerror}); choose another.") from error
    if size > MAX_BYTES:
        raise ValueError(f"file: larger than {MAX_BYTES >> 20} MiB; split it.")
    if suffix == ".txt":
        return Found(tuple(_numbered(_of_lines(path))))
    layout = sniff(path)
    if layout.container not in (Container.CSV, Container.JSON, Container.JSONL):
        raise ValueError("file: give CSV with a header, JSONL, or plain text with a prompt a line.")
    fingerprint_file(path, layout)  # names the line that is not UTF-8
    return _of_rows(read_rows(path, layout), layout)


def _of_lines(path: Path) -> list[BatchPrompt]:
    fingerprint_file(path, Layout(Container.CSV))
    rows = []
    for line, text in enumerate(path.read_text(encoding="utf-8-sig").splitlines(), start=1):
        if text.strip():
            rows.append(_prompt(line, "", {"instruction": text}))
    return rows


def _of_rows(rows: Iterable[SourceRow], layout: Layout) -> Found:
    found: list[BatchPrompt] = []
    seen: dict[str, int] = {}
    others: dict[str, None] = {}
    for row in rows:
        if row.fault:
            raise ValueError(f"file: line {row.line}: {row.fault}")
        named, left = _named(row.values)
        others.update(dict.fromkeys(left))
        if "instruction" not in named:
            there = ", ".join(str(name) for name in row.values) or "none"
            where = "line 1" if layout.container is Container.CSV else f"line {row.line}"
            raise ValueError(f"file: {where}: no column instruction; it has {there}. Name one so.")
        prompt = _prompt(row.line, "column ", named)
        if prompt.key and prompt.key in seen:
            raise ValueError(
                f"file: line {row.line}, column key: the row in line {seen[prompt.key]} has the same; "
                "give each its own."
            )
        seen[prompt.key] = row.line
        found.append(prompt)
        _require_room(len(found))
    return Found(tuple(_numbered(found)), tuple(others))


def _named(values: dict[str, object]) -> tuple[dict[str, object], list[str]]:
    """The columns that are known, by our names, and the names of the others."""
    named: dict[str, object] = {}
    left = []
    for name, value in values.items():
        plain = str(name).strip().lower()
        known = SAME.get(plain, plain)
        if known in COLUMNS and known not in named:
            named[known] = value
        else:
            left.append(str(name))
    return named, left


def _prompt(line: int, what: str, given: dict[str, object]) -> BatchPrompt:
    try:
        texts = {name: _text(name, value) for name, value in given.items() if name != "expected"}
        return BatchPrompt(**texts, expected=tuple(_facts(given.get("expected"))))
    except ValueError as error:
        field, _, sentence = str(error).partition(": ")
        field = "system" if field == "system prompt" else field
        if field == "instruction" and not str(given["instruction"] or "").strip():
            sentence = "empty; write what the sides are asked."
        raise ValueError(f"file: line {line}, {what}{field}: {sentence}") from error


def _text(name: str, value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, (dict, list)) or (name not in ("key", "slice") and not isinstance(value, str)):
        raise ValueError(f"{name}: must be text.")
    return str(value)


def _facts(value: object) -> Sequence[str]:
    """A list, or a cell with semicolons between the facts, or one with a JSON list."""
    if value is None:
        return ()
    if isinstance(value, str):
        if not value.lstrip().startswith("["):
            return value.split(";")
        try:
            value = json.loads(value)
        except ValueError as error:
            raise ValueError("expected: no JSON list; write facts with semicolons between.") from error
    if not isinstance(value, list) or not all(isinstance(fact, str) for fact in value):
        raise ValueError("expected: must be a list of texts.")
    return value


# The shelf and frozen tasks -------------------------------------------------------------------------------


def of_shelf(versions: Sequence[PromptVersion]) -> Found:
    """Prompts of the shelf; the slice is the specialty, or the category where it has none."""
    return Found(
        tuple(
            BatchPrompt(
                version.instruction,
                version.input,
                version.system,
                key=version.prompt.title,
                slice=version.specialty or version.category.value,
                expected=tuple(version.expected),
                prompt_version_id=version.id,
            )
            for version in versions
        )
    )


def of_shelf_where(session: Session, project_id: int, *, specialty: str = "", tag: str = "") -> Found:
    """The prompts of the shelf with that specialty and tag. Raises ValueError when there is none."""
    versions = prompts.search(session, project_id, specialty=specialty, tags=(tag,) if tag else ())
    if not versions:
        raise ValueError("prompts: the shelf has none like that; choose another specialty or tag.")
    _require_room(len(versions))
    return of_shelf(versions)


def of_task(session: Session, project_id: int, task_version_id: int, *, limit: int = 100) -> Found:
    """The first rows of a frozen task; a reference that is short enough is the expected fact."""
    task = task_versions.get_task(session, project_id, task_version_id)
    _require_room(limit)
    rows = task_versions.list_rows(session, task.id, limit=limit)
    if not rows:
        raise ValueError("task: it holds no rows; choose another.")
    return Found(tuple(_numbered(_of_task_row(row, task.name) for row in rows)))


def _of_task_row(row: TaskRow, slice: str) -> BatchPrompt:
    is_short = len(row.reference) <= expected.MAX_CHARACTERS and "|" not in row.reference
    facts = (row.reference,) if is_short and expected.normal(row.reference) else ()
    return BatchPrompt(
        row.instruction, row.input, key=f"{row.position + 1}", slice=slice[:MAX_LABEL], expected=facts
    )


def _numbered(rows: Iterable[BatchPrompt]) -> list[BatchPrompt]:
    """Each with a key of its own: its number among the rows where it has none. Raises ValueError for none."""
    rows = list(rows)
    if not rows:
        raise ValueError("file: it holds no prompt; write at least one.")
    _require_room(len(rows))
    taken = {row.key for row in rows if row.key}
    named = []
    for number, row in enumerate(rows, start=1):
        key = row.key or (str(number) if str(number) not in taken else f"row {number}")
        named.append(replace(row, key=key))
    return named


def _require_room(rows: int) -> None:
    if rows > MAX_ROWS:
        raise ValueError(f"file: more than {MAX_ROWS:,} prompts; split it.")
