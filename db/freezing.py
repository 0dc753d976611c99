"""What a frozen version would hold, worked out before anything is stored: rows, groups, splits, report.

Grouping 25,000 rows takes seconds: plan in a `read()`, then freeze the plan in a short `write()`. A plan is
what was approved when it was made, and what a run's sample spoke for (`db.unreviewed`); freezing it asks
again whether each of its texts may still go in.
"""

import re
from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from db import conversions, unreviewed
from db.canonical import FORMAT, FrozenRow, canonical, content_key, hash_rows
from db.checks.contamination import (
    EvaluationSet,
    Hit,
    Limits,
    Probe,
    Text,
    find_contamination,
    shared_passage,
)
from db.content import content_of
from db.enums import InstructionStatus, Split
from db.recipes import NearOn, Recipe
from db.search import matching
from db.splitting import Item, group_items, shuffle_key, split_groups
from db.tables import DatasetRow, DatasetVersion, Instruction, PrivacyFlag, Revision
from db.unreviewed import AuditedRun
from db.version_report import (
    describe_contamination,
    describe_duplicates,
    describe_groups,
    describe_privacy,
    describe_rows,
)

MOST_NAMED = 5  # records named in a sentence
MOST_PASSAGES = 200  # hits whose shared words are kept in the report

Tell = Callable[[str, int, int], object]
"""Hears how far planning is: the phase, and how many rows of how many; 0 of 0 where it is not counted."""
# A source that points at one document: a DOI, a PubMed or trial number, an address with a path.
_DOCUMENT = re.compile(
    r"\b10\.\d{4,9}/\S+|\bPM(?:ID|C)\s*:?\s*\d+|\bNCT\d{8}\b|https?://[^\s/]+/\S+", re.IGNORECASE
)
_COLLECTION = 0.1  # a source named by a larger share of the rows is a collection, however it looks
_FEW = 20  # rows that any document may have


class Contaminated(StrEnum):
    """What to do with rows that hold evaluation texts."""

    REFUSE = "refuse"
    DROP = "drop"
    WAIVE = "waive"


@dataclass(frozen=True)
class Screening:
    """The evaluation sets that rows are compared with, and what happens to rows found in them."""

    against: tuple[EvaluationSet, ...] = ()
    then: Contaminated = Contaminated.REFUSE
    reason: str = ""  # why contaminated rows may stay
    limits: Limits = field(default_factory=Limits)

    def __post_init__(self) -> None:
        if self.then is Contaminated.WAIVE and not self.reason.strip():
            raise ValueError("reason: say why contaminated rows may stay; it is recorded with the version.")
        twice = [name for name, sets in Counter(each.name for each in self.against).items() if sets > 1]
        if twice:
            raise ValueError(f"against: two evaluation sets are named {twice[0]}; choose one, or rename it.")

    def record(self) -> dict:
        """The screening as plain values, to be stored with the recipe."""
        return {
            "against": [{"name": group.name, "texts": len(group.probes)} for group in self.against],
            "then": self.then,
            "reason": self.reason.strip(),
            "run": self.limits.run,
            "near": self.limits.near,
        }


@dataclass(frozen=True)
class Plan:
    """A version that is ready to be frozen."""

    project_id: int
    recipe: dict  # as stored: the filters, the split, the screening, the hash format
    rows: tuple[FrozenRow, ...]
    report: dict
    refusal: str = ""  # why it may be looked at, and not frozen

    @property
    def content_hash(self) -> str:
        return hash_rows(self.rows)


def plan_version(
    session: Session,
    project_id: int,
    recipe: Recipe,
    screening: Screening | None = None,
    *,
    tell: Tell = lambda phase, done, total: None,
) -> Plan:
    """What freezing by `recipe` would store now.

    Raises ValueError when it chooses nothing, when chosen records have open privacy flags, and when a run's
    sample does not let its unreviewed records in. When rows hold evaluation texts and `screening` refuses
    them, the plan has a `refusal` and shows them.
    """
    screening = screening or Screening()
    tell("choosing the rows", 0, 0)
    require_unflagged(session, eligible(project_id, recipe))
    runs = unreviewed.require_accepted(session, project_id, recipe.unreviewed_runs)
    chosen = _chosen(session, project_id, recipe, runs)
    if not chosen:
        raise ValueError("filter: it chooses no approved instruction; approve some or widen the filter.")
    texts = [_text_of(row) for row, _ in chosen]
    if screening.against:
        tell("comparing with the evaluation sets", 0, 0)
    hits = find_contamination(texts, screening.against, screening.limits)
    passages = _passages(texts, hits, screening.against)
    refusal = _refusal(chosen, hits, screening)
    chosen, held, dropped = _screened(chosen, hits, screening)
    sources = _sources_of(session, project_id, recipe)
    rows, by_document = _arranged(chosen, recipe, sources, tell)
    tell("writing the report", 0, 0)
    found = describe_contamination(rows, held, dropped, screening.record(), screening.limits)
    report = {
        **describe_rows(rows),
        "groups": describe_groups(rows, recipe, by_document, sources.splits),
        "unreviewed": unreviewed.describe_unreviewed(session, rows, runs),
        "privacy": describe_privacy(session, rows),
        "duplicates": describe_duplicates(session, rows),
        "contamination": {**found, "passages": passages},
    }
    stored = {**recipe.record(), "screening": screening.record(), "format": FORMAT}
    return Plan(project_id, stored, tuple(rows), report, refusal)


def eligible(project_id: int, recipe: Recipe) -> list[ColumnElement[bool]]:
    """The conditions under which an instruction's approved revision goes in."""
    return [
        *matching(project_id, recipe.query),
        Instruction.approved_version.is_not(None),
        Instruction.status != InstructionStatus.RETIRED,
    ]


def require_unflagged(session: Session, conditions: Sequence[ColumnElement[bool]]) -> None:
    """Raise ValueError when an approved text among these instructions has an open privacy flag."""
    flagged = (
        select(Instruction.id)
        .join(PrivacyFlag, PrivacyFlag.instruction_id == Instruction.id)
        .where(
            *conditions,
            PrivacyFlag.version == Instruction.approved_version,
            PrivacyFlag.cleared_at.is_(None),
        )
        .distinct()
        .order_by(Instruction.id)
    )
    ids = list(session.scalars(flagged))
    if ids:
        have = "1 chosen record has" if len(ids) == 1 else f"{len(ids):,} chosen records have"
        raise ValueError(
            f"privacy: {have} open privacy flags (number {_some(ids)}); open them on the Curate page, then "
            "clear each flag with a reason or take the text out and have it approved again."
        )


def require_standing(session: Session, plan: Plan) -> None:
    """Raise ValueError when the plan is refused, or a text of it is no longer approved, or was flagged.

    So too when a text that nobody had reviewed is not as it was, or the sample that spoke for it.
    """
    if plan.refusal:
        raise ValueError(plan.refusal)
    wanted = {row.instruction_id: row.instruction_version for row in plan.rows if not row.is_unreviewed}
    conditions = [
        Instruction.project_id == plan.project_id,
        Instruction.deleted_at.is_(None),
        Instruction.approved_version.is_not(None),
        Instruction.status != InstructionStatus.RETIRED,
    ]
    now = dict(
        map(tuple, session.execute(select(Instruction.id, Instruction.approved_version).where(*conditions)))
    )
    gone = sorted(id for id, version in wanted.items() if id is not None and now.get(id) != version)
    if gone:
        raise ValueError(
            f"filter: {len(gone):,} of the chosen records were changed or withdrawn while the version was "
            f"being made (number {_some(gone)}); freeze again."
        )
    flagged = select(PrivacyFlag.instruction_id).where(PrivacyFlag.cleared_at.is_(None))
    held = set(session.scalars(flagged)) & wanted.keys()
    if held:
        require_unflagged(session, [Instruction.id.in_(held)])
    if plan.report["unreviewed"]["runs"]:
        unreviewed.require_unchanged(session, plan.project_id, plan.rows, plan.report["unreviewed"])


def evaluation_set(session: Session, version_id: int, split: Split | None = None) -> EvaluationSet:
    """A frozen version, or one split of it, as texts that a model will be measured on.

    Raises LookupError when there is no such version, ValueError when it has no such rows.
    """
    version = session.get(DatasetVersion, version_id)
    if version is None:
        raise LookupError(f"There is no dataset version number {version_id}.")
    query = select(DatasetRow.instruction, DatasetRow.input).where(DatasetRow.version_id == version_id)
    if split is not None:
        query = query.where(DatasetRow.split == split)
    probes = tuple(Probe(*row) for row in session.execute(query.order_by(DatasetRow.position)))
    name = f"{version.dataset.name}, version {version.number}" + (f", {split}" if split else "")
    if not probes:
        raise ValueError(f"against: {name} has no rows; choose another split.")
    return EvaluationSet(name, probes)


def document_of(source: str) -> str:
    """The one document that a source points at, "" when it names none: a collection, a project, a person."""
    found = _DOCUMENT.search(source)
    return re.sub(r"\s|:(?!//)", "", found[0]).rstrip(".,;)]").casefold() if found else ""


# The rows ------------------------------------------------------------------------------------------------


def _chosen(
    session: Session, project_id: int, recipe: Recipe, runs: Sequence[AuditedRun]
) -> list[tuple[FrozenRow, int]]:
    """The approved texts and the unreviewed ones of these runs, each with the id of its oldest ancestor."""
    texts = select(Revision, Instruction).join(Instruction, Instruction.id == Revision.instruction_id)
    approved = texts.where(*eligible(project_id, recipe), Revision.number == Instruction.approved_version)
    rows = [_row_of(*found) for found in session.execute(approved)]
    for run in runs:
        waiting = texts.where(
            *unreviewed.choosing(project_id, recipe, run), Revision.number == Instruction.version
        )
        rows += [_row_of(*found, is_unreviewed=True) for found in session.execute(waiting)]
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


def _row_of(revision: Revision, instruction: Instruction, *, is_unreviewed: bool = False) -> FrozenRow:
    return canonical(
        FrozenRow(
            Split.TRAIN,
            content_of(revision),
            instruction_id=instruction.id,
            instruction_version=revision.number,
            origin=instruction.origin.value,
            provenance=instruction.provenance.value,
            licence=instruction.licence,
            is_restricted=instruction.is_restricted,
            is_unreviewed=is_unreviewed,
        )
    )


def _ancestor(id: int, parents: dict[int, int]) -> int:
    seen = {id}
    while (parent := parents.get(id)) is not None and parent not in seen:
        seen.add(parent)
        id = parent
    return id


def _text_of(row: FrozenRow) -> Text:
    return Text(row.content.instruction, row.content.input, row.content.output)


def _screened(
    chosen: list[tuple[FrozenRow, int]], hits: list[Hit], screening: Screening
) -> tuple[list[tuple[FrozenRow, int]], list[tuple[FrozenRow, Hit]], int]:
    """What is left of the chosen, the hits with their rows, and how many rows were dropped."""
    held = [(chosen[hit.row][0], hit) for hit in hits]
    rows = {hit.row for hit in hits}
    if len(rows) == len(chosen) and screening.then is Contaminated.DROP:
        raise ValueError(
            "contamination: every chosen record holds evaluation texts; nothing is left to freeze."
        )
    if screening.then is Contaminated.DROP:
        return [pair for at, pair in enumerate(chosen) if at not in rows], held, len(rows)
    return chosen, held, 0


def _refusal(chosen: list[tuple[FrozenRow, int]], hits: list[Hit], screening: Screening) -> str:
    """Why rows with evaluation texts keep the version from being frozen; "" when they do not."""
    if not hits or screening.then is not Contaminated.REFUSE:
        return ""
    names = ", ".join(sorted({hit.set_name for hit in hits}))
    ids = sorted({chosen[hit.row][0].instruction_id for hit in hits})
    return (
        f"contamination: {len(ids):,} of {len(chosen):,} chosen records hold texts of {names} (number "
        f"{_some(ids)}); drop them, or let them stay with a reason."
    )


def _passages(texts: Sequence[Text], hits: Sequence[Hit], against: Sequence[EvaluationSet]) -> list[str]:
    """What the first hits share, word for word, in the order of the hits."""
    probes = {(group.name, at): probe for group in against for at, probe in enumerate(group.probes)}
    return [shared_passage(texts[hit.row], probes[hit.set_name, hit.probe]) for hit in hits[:MOST_PASSAGES]]


@dataclass(frozen=True)
class _Sources:
    """What the corpora of converted records say of them, by the record's id."""

    splits: dict[int, Split]
    documents: dict[int, tuple[str, str]]


def _sources_of(session: Session, project_id: int, recipe: Recipe) -> _Sources:
    splits = conversions.source_splits(session, project_id) if recipe.by_source else {}
    return _Sources(splits, conversions.source_documents(session, project_id))


def _arranged(
    chosen: list[tuple[FrozenRow, int]], recipe: Recipe, sources: _Sources, tell: Tell
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
    groups = group_items(items, recipe.near, lambda done: tell("grouping near copies", done, len(items)))
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


def _document(row: FrozenRow, sources: _Sources) -> Hashable:
    """What a row was made from: the document of its corpus, or the one that its source points at; or ""."""
    return sources.documents.get(row.instruction_id) or document_of(row.content.source)


def _near_text(row: FrozenRow, recipe: Recipe) -> str:
    if recipe.near_on is NearOn.INPUT and row.content.input:
        return row.content.input
    return f"{row.content.instruction}\n{row.content.input}"


def _some(ids: Sequence[int]) -> str:
    named = ", ".join(map(str, ids[:MOST_NAMED]))
    return f"{named} and others" if len(ids) > MOST_NAMED else named
