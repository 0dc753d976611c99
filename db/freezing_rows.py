"""The rows of a version that is being planned: chosen from the records, then grouped, split and shuffled."""

import re
from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import ColumnElement, Row, Select, func, select
from sqlalchemy.orm import Session

from db import conversions, unreviewed
from db.canonical import FrozenRow, canonical, content_key
from db.content import FIELDS, content_of
from db.enums import InstructionStatus, Split
from db.recipes import NearOn, Recipe
from db.search import matching
from db.splitting import Item, group_items, shuffle_key, split_groups
from db.tables import Instruction, Revision
from db.unreviewed import AuditedRun

Tell = Callable[[str, int, int], object]
"""Hears how far planning is: the phase, and how many rows of how many; 0 of 0 where it is not counted."""
_PIECE = 2_000  # rows fetched at a time
# A source that points at one document: a DOI, a PubMed or trial number, an address with a path.
_DOCUMENT = re.compile(
    r"\b10\.\d{4,9}/\S+|\bPM(?:ID|C)\s*:?\s*\d+|\bNCT\d{8}\b|https?://[^\s/]+/\S+", re.IGNORECASE
)
_COLLECTION = 0.1  # a source named by a larger share of the rows is a collection, however it looks
_FEW = 20  # rows that any document may have


def eligible(project_id: int, recipe: Recipe) -> list[ColumnElement[bool]]:
    """The conditions under which an instruction's approved revision goes in."""
    return [
        *matching(project_id, recipe.query),
        Instruction.approved_version.is_not(None),
        Instruction.status != InstructionStatus.RETIRED,
    ]


def document_of(source: str) -> str:
    """The one document that a source points at, "" when it names none: a collection, a project, a person."""
    found = _DOCUMENT.search(source)
    return re.sub(r"\s|:(?!//)", "", found[0]).rstrip(".,;)]").casefold() if found else ""


def choose_rows(
    session: Session, project_id: int, recipe: Recipe, runs: Sequence[AuditedRun], tell: Tell
) -> list[tuple[FrozenRow, int]]:
    """The approved texts and the unreviewed ones of these runs, each with the id of its oldest ancestor."""
    approved = (*eligible(project_id, recipe), Revision.number == Instruction.approved_version)
    waiting = [
        (*unreviewed.choosing(project_id, recipe, run), Revision.number == Instruction.version)
        for run in runs
    ]
    total = session.scalar(select(func.count()).select_from(_texts_where(*approved).subquery())) or 0
    rows: list[FrozenRow] = []
    for conditions, is_unreviewed in ((approved, False), *((each, True) for each in waiting)):
        for found in session.execute(_texts_where(*conditions)):
            if len(rows) % _PIECE == 0:
                tell("choosing the rows", len(rows), max(total, len(rows)))
            rows.append(_row_of(found, is_unreviewed=is_unreviewed))
    parents = dict(
        map(
            tuple,
            session.execute(
                select(Instruction.id, Instruction.parent_id).where(
                    Instruction.project_id == project_id, Instruction.parent_id.is_not(None)
                )
            ),
        )
    )
    rows.sort(key=lambda row: row.instruction_id)
    return [(row, _ancestor(row.instruction_id, parents)) for row in rows]


def _texts_where(*conditions: ColumnElement[bool]) -> Select:
    """Columns, not records: those of 200,000 would fill the memory."""
    texts = [getattr(Revision, field) for field in FIELDS]
    head = (Instruction.id, Instruction.origin, Instruction.provenance, Instruction.licence)
    return (
        select(Revision.number, *texts, *head, Instruction.is_restricted)
        .join(Instruction, Instruction.id == Revision.instruction_id)
        .where(*conditions)
        .execution_options(yield_per=_PIECE)
    )


def _row_of(found: Row, *, is_unreviewed: bool) -> FrozenRow:
    return canonical(
        FrozenRow(
            Split.TRAIN,
            content_of(found),
            instruction_id=found.id,
            instruction_version=found.number,
            origin=found.origin.value,
            provenance=found.provenance.value,
            licence=found.licence,
            is_restricted=found.is_restricted,
            is_unreviewed=is_unreviewed,
        )
    )


def _ancestor(id: int, parents: dict[int, int]) -> int:
    seen = {id}
    while (parent := parents.get(id)) is not None and parent not in seen:
        seen.add(parent)
        id = parent
    return id


@dataclass(frozen=True)
class Sources:
    """What the corpora of converted records say of them, by the record's id."""

    splits: dict[int, Split]
    documents: dict[int, tuple[str, str]]


def sources_of(session: Session, project_id: int, recipe: Recipe) -> Sources:
    splits = conversions.source_splits(session, project_id) if recipe.by_source else {}
    return Sources(splits, conversions.source_documents(session, project_id))


def arrange(
    chosen: list[tuple[FrozenRow, int]], recipe: Recipe, sources: Sources, tell: Tell
) -> tuple[list[FrozenRow], int]:
    """The rows grouped, split and shuffled by the recipe's seed; and how many were grouped by a document."""
    pointed_at = [_document(row, sources) for row, _ in chosen]
    documents = Counter(filter(None, pointed_at))
    most = max(_FEW, _COLLECTION * len(chosen))
    families = Counter(ancestor for _, ancestor in chosen)
    items, by_document = [], 0
    for (row, ancestor), document in zip(chosen, pointed_at, strict=True):
        marks: list[Hashable] = [("parent", ancestor)] if families[ancestor] > 1 else []
        if 1 < documents[document] <= most:
            marks.append(("document", document))
            by_document += 1
        items.append(Item(content_key(row), _near_text(row, recipe), row.content.category, tuple(marks)))
    groups = group_items(items, recipe.near, lambda phase, done: tell(phase, done, len(items)))
    shares = {Split.VALIDATION: recipe.validation, Split.TEST: recipe.test}
    given = [sources.splits.get(row.instruction_id) for row, _ in chosen]
    splits = split_groups(items, groups, shares, recipe.seed, given)
    order = sorted(range(len(items)), key=lambda at: shuffle_key(recipe.seed, items[at].key))
    sizes, numbers = Counter(groups), {}
    rows = []
    for at in order:
        alone = sizes[groups[at]] == 1
        number = 0 if alone else numbers.setdefault(groups[at], len(numbers) + 1)
        rows.append(replace(chosen[at][0], split=splits[at], near_group=number))
    return rows, by_document


def _document(row: FrozenRow, sources: Sources) -> Hashable:
    """What a row was made from: the document of its corpus, or the one that its source points at; or ""."""
    return sources.documents.get(row.instruction_id) or document_of(row.content.source)


def _near_text(row: FrozenRow, recipe: Recipe) -> str:
    if recipe.near_on is NearOn.INPUT and row.content.input:
        return row.content.input
    return f"{row.content.instruction}\n{row.content.input}"
