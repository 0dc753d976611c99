"""What an import looks for in rows that would be stored: near copies, and what may tell who a person is."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from sqlalchemy.orm import Session

from db import duplicates, privacy
from db.checks.similarity import NearestText, Neighbour
from db.content import Content
from db.duplicates import Kind
from db.exchange.plan import Outcome, PlannedRow
from db.instructions import get_instruction
from db.privacy import Flag
from db.projects import get_project
from db.tables import Instruction

FIRST_ROWS = 20


@dataclass(frozen=True)
class NearCopy:
    """A row too near to a stored record (`id`, with its text), or to an earlier row of the file (`line`)."""

    row: PlannedRow
    score: float  # ROUGE-L F1
    kind: Kind
    id: int | None = None
    line: int | None = None
    theirs: Content | None = None


@dataclass(frozen=True)
class Screened:
    """The numbers of the rows with findings, and the first rows of each to be looked at."""

    near: frozenset[int] = frozenset()
    flags: dict[int, tuple[Flag, ...]] = field(default_factory=dict)  # by the row's number
    first_near: tuple[NearCopy, ...] = ()
    first_flagged: tuple[PlannedRow, ...] = ()


class Screening:
    """One pass over a file's rows, in order: what stops a row is stored, or stood earlier and did not stop.

    Ask in a `read()` scope. A changed row is not held against the record that it changes.
    """

    def __init__(self, session: Session, project_id: int, *, first: int = FIRST_ROWS) -> None:
        self._session = session
        self._project_id = project_id
        self._project = get_project(session, project_id)  # held, or the gate would read it again for each row
        self._rule = duplicates.rule_of(self._project)
        self._passed = NearestText()
        self._rows: dict[int, PlannedRow] = {}  # those that passed, by their number
        self._near: set[int] = set()
        self._flags: dict[int, tuple[Flag, ...]] = {}
        self._first = first
        self._first_near: list[NearCopy] = []
        self._first_flagged: list[PlannedRow] = []

    def look(self, rows: Sequence[PlannedRow]) -> None:
        """Take the next rows of the file in; those that would not be stored are passed over."""
        for row in rows:
            if row.outcome in (Outcome.NEW, Outcome.CHANGED):
                self._look_for_copies(row)
                self._look_for_people(row)

    def result(self) -> Screened:
        return Screened(
            frozenset(self._near), self._flags, tuple(self._first_near), tuple(self._first_flagged)
        )

    def _look_for_copies(self, row: PlannedRow) -> None:
        near = self._stored(row) or self._earlier(row)
        if near is None:
            self._passed.put(row.number, _text(row))
            self._rows[row.number] = row
            return
        self._near.add(row.number)
        if len(self._first_near) < self._first:
            self._first_near.append(near)

    def _stored(self, row: PlannedRow) -> NearCopy | None:
        own = set() if row.outcome is Outcome.NEW else {row.target_id}
        found = duplicates.find_copy(self._session, self._project_id, row.content, except_ids=own)
        if found is None:
            return None
        theirs = self._content(found.id) if len(self._first_near) < self._first else None
        return NearCopy(row, found.score, found.kind, id=found.id, theirs=theirs)

    def _earlier(self, row: PlannedRow) -> NearCopy | None:
        text, rule = _text(row), self._rule

        def search(hidden: set[int]) -> Neighbour | None:
            return self._passed.stopping(text, copy=rule.copy, variant=rule.variant, except_ids=hidden)

        def earlier(number: int) -> Content:
            return self._rows[number].content

        found = duplicates.stopping(search, earlier, row.content, rule, set())
        if found is None:
            return None
        kind = Kind.VARIANT if found.is_variant else Kind.COPY
        return NearCopy(row, found.score, kind, line=self._rows[found.id].line)

    def _content(self, id: int) -> Content:
        stored: Instruction = get_instruction(self._session, id)
        return Content(instruction=stored.instruction, input=stored.input, output=stored.output)

    def _look_for_people(self, row: PlannedRow) -> None:
        if flags := privacy.find_flags(row.content):
            self._flags[row.number] = flags
            if len(self._first_flagged) < self._first:
                self._first_flagged.append(row)


def flagged_parts(content: Content, flags: Sequence[Flag]) -> Iterator[tuple[str, list[dict]]]:
    """(field, parts of its text in order) of each flagged field; a flagged part says its `kind`."""
    for name in dict.fromkeys(flag.field for flag in flags):
        text, parts, at = privacy.text_of(content, name), [], 0
        for flag in sorted((one for one in flags if one.field == name), key=lambda one: one.start):
            parts.append({"text": text[at : flag.start], "kind": ""})
            parts.append({"text": text[flag.start : flag.end], "kind": flag.kind})
            at = flag.end
        yield name, [*(part for part in parts if part["text"]), {"text": text[at:], "kind": ""}]


def _text(row: PlannedRow) -> str:
    return duplicates.text_of(row.content.instruction, row.content.input)
