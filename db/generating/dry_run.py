"""What a profile would do to the records that are stored already, as if they came in one after another."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import select
from sqlalchemy.orm import Session

from db.checks.contamination import EvaluationSet
from db.content import content_of
from db.enums import Origin
from db.generating.funnel import Counts, Funnel, Stage, Verdict
from db.generating.profiles import Profile
from db.generating.replies import Item
from db.projects import get_project
from db.tables import Instruction

STEP = 200  # records between two reports
MOST_EXAMPLES = 5  # of each reason


@dataclass(frozen=True)
class Example:
    """A stored record that a filter would stop."""

    id: int
    verdict: Verdict


@dataclass(frozen=True)
class DryRun:
    """What was found so far: `done` of `total` records, the counts, the first of each reason."""

    done: int
    total: int
    counts: Counts
    examples: dict[Stage, tuple[Example, ...]]


def dry_run(
    session: Session,
    project_id: int,
    profile: Profile,
    eval_sets: Sequence[EvaluationSet] = (),
    *,
    origin: Origin | None = None,
) -> Iterator[DryRun]:
    """Judge what is stored, oldest first, and report every 200 records; the last report is the result.

    A copy is one of an older record. Nothing is stored. Raises LookupError when there is no such project.
    """
    project = get_project(session, project_id)
    funnel = Funnel(session, project, profile, eval_sets, against_stored=False)
    chosen = [Instruction.project_id == project_id, Instruction.deleted_at.is_(None)]
    chosen += [Instruction.origin == origin] if origin else []
    ids = list(session.scalars(select(Instruction.id).where(*chosen).order_by(Instruction.id)))
    counts, kept = Counts(), list[int]()
    examples: dict[Stage, dict[str, list[Example]]] = {}
    for start in range(0, max(len(ids), 1), STEP):
        some = ids[start : start + STEP]
        query = select(Instruction).where(Instruction.id.in_(some)).order_by(Instruction.id)
        for row in session.scalars(query):
            [verdict] = funnel.judge([Item(content_of(row))])
            verdict = _named(verdict, kept)
            if verdict.is_kept:
                kept.append(row.id)
            counts.add(verdict)
            _show(examples, Example(row.id, verdict))
        session.expunge_all()
        yield DryRun(min(start + STEP, len(ids)), len(ids), counts, _first(examples))


def _named(verdict: Verdict, kept: Sequence[int]) -> Verdict:
    """The verdict with the stored record's number for the row that was kept earlier."""
    if verdict.near is None or verdict.near.row is None:
        return verdict
    id = kept[verdict.near.row]
    detail = verdict.detail.replace(f"row {verdict.near.row + 1:,} of those kept", f"number {id}")
    return replace(verdict, near=replace(verdict.near, id=id, row=None), detail=detail)


def _show(examples: dict[Stage, dict[str, list[Example]]], example: Example) -> None:
    if not example.verdict.is_kept:
        of_stage = examples.setdefault(example.verdict.stage, {})
        same = of_stage.setdefault(example.verdict.reason, [])
        if len(same) < MOST_EXAMPLES:
            same.append(example)


def _first(examples: dict[Stage, dict[str, list[Example]]]) -> dict[Stage, tuple[Example, ...]]:
    return {stage: tuple(one for some in by.values() for one in some) for stage, by in examples.items()}
