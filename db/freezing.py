"""What a frozen version would hold, worked out before anything is stored: rows, groups, splits, report.

Grouping 200,000 rows takes a minute or two: plan in a `read()`, then freeze the plan in a short `write()`. A
plan is what was approved when it was made, and what a run's sample spoke for (`db.unreviewed`); freezing it
asks again whether each of its texts may still go in.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from db import unreviewed
from db.canonical import FORMAT, FrozenRow, hash_rows
from db.checks.contamination import (
    EvaluationSet,
    Hit,
    Limits,
    Probe,
    Text,
    find_contamination,
    shared_passage,
)
from db.enums import InstructionStatus, Split
from db.freezing_rows import Tell, arrange, choose_rows, eligible, sources_of
from db.recipes import Recipe
from db.tables import DatasetRow, DatasetVersion, Instruction, PrivacyFlag
from db.version_report import (
    describe_contamination,
    describe_duplicates,
    describe_groups,
    describe_privacy,
    describe_rows,
)

MOST_NAMED = 5  # records named in a sentence
MOST_PASSAGES = 200  # hits whose shared words are kept in the report


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

    @cached_property
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
    chosen = choose_rows(session, project_id, recipe, runs, tell)
    if not chosen:
        raise ValueError("filter: it chooses no approved instruction; approve some or widen the filter.")
    texts = [_text_of(row) for row, _ in chosen]
    hits = find_contamination(
        texts,
        screening.against,
        screening.limits,
        lambda done: tell("comparing with the evaluation sets", done, len(texts)),
    )
    passages = _passages(texts, hits, screening.against)
    refusal = _refusal(chosen, hits, screening)
    chosen, held, dropped = _screened(chosen, hits, screening)
    sources = sources_of(session, project_id, recipe)
    rows, by_document = arrange(chosen, recipe, sources, tell)
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
    plan = Plan(project_id, stored, tuple(rows), report, refusal)
    tell("hashing the rows", 0, 0)
    plan.content_hash  # noqa: B018  worked out here, where its time is told
    return plan


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


# The evaluation texts in them ---------------------------------------------------------------------------


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


def _some(ids: Sequence[int]) -> str:
    named = ", ".join(map(str, ids[:MOST_NAMED]))
    return f"{named} and others" if len(ids) > MOST_NAMED else named
