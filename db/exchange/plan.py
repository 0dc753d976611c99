"""What would become of each row of a file, held against what a project holds.

A row is *new*; *changed*, when its key names a record of the project and its content differs (it becomes a
new revision); a *duplicate*, when its text is stored already or stood earlier in the file; or *invalid*.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from hashlib import sha256
from itertools import islice
from pathlib import Path

from sqlalchemy.orm import Session

from db.content import Content
from db.enums import Category, Provenance
from db.exchange.faults import MAX_FAULTS
from db.exchange.mapping import Given, check_mapping, guess_mapping, read_given
from db.exchange.readers import SourceRow, read_rows
from db.exchange.sniff import Layout, fingerprint_file, sniff
from db.exchange.stored import StoredRecord, StoredTexts, text_hash
from db.imports import fill_labels
from db.policy import Actor, Right

MAX_ROWS = 100_000
_SAMPLE_ROWS = 200
_BATCH = 1_000
_MAX_COLUMNS = 500


class Outcome(StrEnum):
    NEW = "new"
    CHANGED = "changed"
    DUPLICATE = "duplicate"
    INVALID = "invalid"


@dataclass(frozen=True)
class ImportOptions:
    """What the person chose. `mapping` is {field: column}; None takes the guess, as `layout` None does."""

    mapping: dict[str, str] | None = None
    layout: Layout | None = None
    flatten: bool = (
        False  # turns between the first and the last go into the input; else such rows are invalid
    )
    keep_system: bool = False  # a system message goes before the instruction; else it is left out
    category: Category = Category.OTHER  # this and the next two: of rows that name no task
    task: str = ""
    specialty: str = ""
    provenance: Provenance = Provenance.NATIVE
    licence: str = ""
    is_restricted: bool = False  # under a data-use agreement: never leaves


@dataclass(frozen=True)
class PlannedRow:
    """One row and what would become of it. `note` says why; `target_id` is the record it meets."""

    line: int
    number: int
    outcome: Outcome
    content: Content | None = None
    before: Content | None = None
    key: str | None = None
    licence: str = ""
    provenance: Provenance | None = None
    target_id: int | None = None
    target_version: int | None = None
    has_system: bool = False
    note: str = ""


class Plan:
    """One reading of a file against what a project holds; what it counted is known once it is through."""

    def __init__(
        self, session: Session, actor: Actor, project_id: int, path: Path, options: ImportOptions
    ) -> None:
        self.layout = options.layout or sniff(path)
        self._path, self._options, self._actor = path, options, actor
        file_hash = fingerprint_file(path, self.layout)
        sample = [row.values for row in islice(self._rows(), _SAMPLE_ROWS)]
        self.columns = dict.fromkeys(name for values in sample for name in values)
        guessed = guess_mapping(list(self.columns), sample) if options.mapping is None else options.mapping
        self.mapping = dict(guessed)
        if any(sample):
            check_mapping(self.mapping, list(self.columns))
        # Everything but the rows' fate: a preview under other choices is another preview.
        chosen = repr((sorted(self.mapping.items()), self.layout, asdict(replace(options, mapping=None))))
        self.file_hash = sha256((file_hash + chosen).encode()).hexdigest()
        self.counts: Counter[Outcome] = Counter(dict.fromkeys(Outcome, 0))
        self._stored = StoredTexts(session, project_id)
        self._fates = sha256()
        self._texts: dict[bytes, int] = {}  # hash of a text -> the line that had it first
        self._keys: dict[str, tuple[int, bytes]] = {}  # key -> its first line, hash of the content there
        self._systems = 0

    def batches(self) -> Iterator[list[PlannedRow]]:
        """Every row with its outcome, a thousand at a time."""
        rows = self._rows()
        while batch := list(islice(rows, _BATCH)):
            given = [self._given(row) for row in batch]
            self._stored.load({one.key for one in given if isinstance(one, Given) and one.key})
            planned = [self._note(self._planned(row, one)) for row, one in zip(batch, given, strict=True)]
            total = sum(self.counts.values())
            if total > MAX_ROWS:
                raise ValueError(
                    f"file: more than {MAX_ROWS:,} rows; split it into files of at most that many."
                )
            yield planned
            if self.counts[Outcome.INVALID] >= MAX_FAULTS:
                return
        if not sum(self.counts.values()):
            raise ValueError("file: it holds no rows; choose a file with at least one.")

    def fingerprint(self) -> str:
        return f"{self.file_hash}-{self._fates.hexdigest()}"

    def unmapped(self) -> list[str]:
        return [name for name in self.columns if name not in self.mapping.values()]

    def notes(self) -> Iterator[str]:
        if left := self.unmapped():
            yield f"Columns not taken: {', '.join(left[:20])}{' and more' if len(left) > 20 else ''}."
        if "conversation" in self.mapping:
            yield "Of a conversation the first question and the last answer are taken."
        if self._systems:
            fate = "put before the instruction" if self._options.keep_system else "left out"
            yield f"{self._systems:,} rows carry a system message; it is {fate}."

    def _rows(self) -> Iterator[SourceRow]:
        return read_rows(self._path, self.layout)

    def _given(self, row: SourceRow) -> Given | ValueError:
        if row.fault:
            return ValueError(row.fault)
        if len(self.columns) < _MAX_COLUMNS:
            self.columns.update(dict.fromkeys(row.values))
        options = self._options
        try:
            return read_given(
                row.values, self.mapping, flatten=options.flatten, keep_system=options.keep_system
            )
        except ValueError as error:
            return error

    def _planned(self, row: SourceRow, given: Given | ValueError) -> PlannedRow:
        try:
            if isinstance(given, ValueError):
                raise given
            return self._fate(row, given)
        except ValueError as error:
            return PlannedRow(row.line, row.number, Outcome.INVALID, note=str(error))

    def _fate(self, row: SourceRow, given: Given) -> PlannedRow:
        record = self._stored.by_key(given.key) if given.key else None
        content = self._labelled(given.content(record.content if record else None))
        digest = sha256(repr(content).encode()).digest()
        seen = self._keys.get(given.key) if given.key else None
        planned = PlannedRow(
            row.line, row.number, Outcome.NEW, content, key=given.key, licence=given.licence,
            provenance=given.provenance, has_system=given.has_system,
        )  # fmt: skip
        if seen and seen[1] != digest:
            raise ValueError(f"key: line {seen[0]:,} has the same key and other content; keep one of them.")
        if seen:
            return replace(planned, outcome=Outcome.DUPLICATE, note=f"the same as line {seen[0]:,}")
        if given.key:
            self._keys[given.key] = (row.line, digest)
        if record:
            return self._against(record, planned)
        text = text_hash(content.instruction, content.input, content.output)
        if text in self._texts:
            note = f"the same text as line {self._texts[text]:,}"
            return replace(planned, outcome=Outcome.DUPLICATE, note=note)
        self._texts[text] = row.line
        if same := self._stored.with_text(text):
            note = f"the same text as number {same}"
            return replace(planned, outcome=Outcome.DUPLICATE, target_id=same, note=note)
        return planned

    def _against(self, record: StoredRecord, planned: PlannedRow) -> PlannedRow:
        """A row whose key names a record."""
        if record.is_deleted:
            raise ValueError(
                f"key: it is that of number {record.id}, which was deleted; restore that one first."
            )
        met = replace(planned, target_id=record.id, target_version=record.version, before=record.content)
        if planned.content == record.content:
            return replace(met, outcome=Outcome.DUPLICATE, note=f"the same as number {record.id}")
        if record.author_id != self._actor.id and not self._actor.can(Right.REVIEW):
            raise ValueError(
                f"key: number {record.id} is another author's; changing it needs the role reviewer."
            )
        return replace(met, outcome=Outcome.CHANGED, note=f"a new revision of number {record.id}")

    def _labelled(self, content: Content) -> Content:
        options = self._options
        if not options.task.strip():
            return content
        return fill_labels(
            [content],
            category=options.category,
            task=options.task.strip(),
            specialty=options.specialty.strip(),
        )[0]

    def _note(self, row: PlannedRow) -> PlannedRow:
        self.counts[row.outcome] += 1
        self._systems += row.has_system
        fate = f"{row.number}:{row.outcome}:{row.target_id}:{row.target_version}\n"
        self._fates.update(fate.encode())
        return row
