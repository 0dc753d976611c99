"""What a project covers and how its work goes: matrix, targets and gaps, pace, queue, reasons, shares."""

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise
from math import inf

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from db import audit
from db.enums import Category, Decision, InstructionStatus
from db.policy import Actor, Right, require
from db.projects import get_project
from db.tables import AuditLine, Instruction, Project, Review
from db.tables.base import utc_now
from db.text_figures import percentile

# Shares of the 25,005 instructions of BioInstruct (Tran et al., JAMIA 2024), as its paper gives them.
BIOINSTRUCT_SHARES = {Category.IE: 0.338, Category.GEN: 0.335, Category.QA: 0.228, Category.OTHER: 0.100}
_TARGETS = "coverage_targets"  # where a project's settings keep them

S = InstructionStatus
UNDER_WAY = (S.DRAFT, S.IN_REVIEW, S.CHANGES_REQUESTED)
Place = tuple[str, str, int | None]  # task, specialty ("" for all), difficulty (None for all)


# The matrix -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Target:
    """How many approved instructions a cell, or a whole row of cells, should have.

    An empty specialty or difficulty means all of them together. Raises ValueError naming the field.
    """

    task: str
    count: int
    specialty: str = ""
    difficulty: int | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "task", self.task.strip())
        object.__setattr__(self, "specialty", self.specialty.strip())
        if not self.task:
            raise ValueError("task: name the task that the target is for.")
        if (
            isinstance(self.count, bool)
            or not isinstance(self.count, int)
            or not 1 <= self.count <= 1_000_000
        ):
            raise ValueError(f"count: {self.count} is not a number of instructions; give 1 to 1,000,000.")
        if self.difficulty not in (None, 1, 2, 3, 4, 5):
            raise ValueError(f"difficulty: {self.difficulty} is not a whole number from 1 to 5.")

    @property
    def place(self) -> Place:
        return self.task, self.specialty, self.difficulty


@dataclass(frozen=True)
class Cell:
    """One task, specialty and difficulty: how many records in each status."""

    task: str
    specialty: str
    difficulty: int
    counts: dict[InstructionStatus, int]
    target: int | None = None

    @property
    def approved(self) -> int:
        return self.counts.get(S.APPROVED, 0)

    @property
    def gap(self) -> int:
        return max(0, (self.target or 0) - self.approved)


@dataclass(frozen=True)
class Gap:
    """A target that is not reached: what is approved, what is on its way there, what nobody has begun."""

    target: Target
    approved: int
    under_way: int  # drafts, in review, changes requested

    @property
    def missing(self) -> int:
        return self.target.count - self.approved

    @property
    def to_write(self) -> int:
        return max(0, self.missing - self.under_way)


def matrix(session: Session, project_id: int) -> list[Cell]:
    """Every cell with a record in it or a target of its own, by task, specialty and difficulty."""
    targets = {target.place: target.count for target in get_targets(session, project_id)}
    cells: dict[tuple, dict] = {place: {} for place in targets if place[1] and place[2]}
    for *place, status, count in _counted(session, project_id):
        cells.setdefault(tuple(place), {})[status] = count
    return [Cell(*place, counts, targets.get(place)) for place, counts in sorted(cells.items())]


def gaps(session: Session, project_id: int) -> list[Gap]:
    """The targets that are not reached, the widest first."""
    return gaps_in(matrix(session, project_id), get_targets(session, project_id))


def gaps_in(cells: Iterable[Cell], targets: Sequence[Target]) -> list[Gap]:
    """`gaps`, of a matrix that is there already."""
    sums = {target.place: [0, 0] for target in targets}  # approved, under way
    for cell in cells:
        under_way = sum(cell.counts.get(status, 0) for status in UNDER_WAY)
        for place in {(cell.task, s, d) for s in (cell.specialty, "") for d in (cell.difficulty, None)}:
            if place in sums:
                sums[place][0] += cell.approved
                sums[place][1] += under_way
    found = [Gap(target, *sums[target.place]) for target in targets if sums[target.place][0] < target.count]
    return sorted(found, key=lambda gap: (-gap.missing, gap.target.place[:2], gap.target.difficulty or 0))


def get_targets(session: Session, project_id: int) -> list[Target]:
    return [Target(**row) for row in get_project(session, project_id).settings.get(_TARGETS, [])]


def set_targets(session: Session, actor: Actor, project_id: int, targets: Iterable[Target]) -> Project:
    """Put these targets in the place of all there were. Raises ValueError for two of one place."""
    require(actor, Right.MANAGE_PROJECT)
    targets = list(targets)
    twice = [place for place, times in Counter(target.place for target in targets).items() if times > 1]
    if twice:
        raise ValueError(f"targets: {twice[0][0]} has two targets for the same place; keep one.")
    project = get_project(session, project_id)
    project.settings = {**project.settings, _TARGETS: [asdict(target) for target in targets]}
    audit.record(session, actor, "targets_set", project, targets=len(targets))
    return project


def set_target(session: Session, actor: Actor, project_id: int, target: Target) -> Target | None:
    """Set one target and leave the others; returns the one that it takes the place of."""
    return _put(session, actor, project_id, target.place, target)


def remove_target(session: Session, actor: Actor, project_id: int, place: Place) -> Target:
    """Take one target away and return it. Raises LookupError where there is none."""
    removed = _put(session, actor, project_id, place, None)
    if removed is None:
        raise LookupError("There is no target here; somebody may have removed it.")
    return removed


def _put(
    session: Session, actor: Actor, project_id: int, place: Place, target: Target | None
) -> Target | None:
    require(actor, Right.MANAGE_PROJECT)
    targets = {each.place: each for each in get_targets(session, project_id)}
    before = targets.pop(place, None)
    if target is not None:
        targets[place] = target
    if target != before:
        set_targets(session, actor, project_id, targets.values())
    return before


def _counted(session: Session, project_id: int) -> list[tuple]:
    """(task, specialty, difficulty, status, records)."""
    place = (Instruction.task, Instruction.specialty, Instruction.difficulty, Instruction.status)
    query = select(*place, func.count()).where(*_live(project_id)).group_by(*place)
    return [tuple(row) for row in session.execute(query)]


# The work -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Week:
    """What was done in the week that begins on `start`, a Monday (UTC)."""

    start: date
    written: int = 0
    submitted: int = 0
    approved: int = 0
    changes_requested: int = 0
    rejected: int = 0


def throughput(
    session: Session, project_id: int, *, weeks: int = 12, now: datetime | None = None
) -> list[Week]:
    """The last `weeks` weeks, the present one last."""
    today = (now or utc_now()).date()
    monday = today - timedelta(days=today.weekday())
    starts = [monday - timedelta(weeks=back) for back in range(weeks - 1, -1, -1)]
    done: dict[date, Counter] = defaultdict(Counter)
    for what, day, count in _done_by_day(session, project_id):
        day = date.fromisoformat(str(day))
        done[day - timedelta(days=day.weekday())][what] += count
    return [Week(start, **done[start]) for start in starts]


def _done_by_day(session: Session, project_id: int) -> list[tuple]:
    """(what, day, how many)."""
    words = {
        Decision.APPROVE: "approved",
        Decision.REQUEST_CHANGES: "changes_requested",
        Decision.REJECT: "rejected",
    }
    written = (
        select(func.date(Instruction.created_at), func.count())
        .where(Instruction.project_id == project_id)
        .group_by(func.date(Instruction.created_at))
    )
    submitted = (
        select(func.date(AuditLine.at), func.count())
        .join(Instruction, Instruction.id == AuditLine.subject_id)
        .where(
            AuditLine.subject == Instruction.__tablename__,
            AuditLine.action == "submitted",
            Instruction.project_id == project_id,
        )
        .group_by(func.date(AuditLine.at))
    )
    decided = (
        select(Review.decision, func.date(Review.created_at), func.count())
        .join(Instruction, Instruction.id == Review.instruction_id)
        .where(Instruction.project_id == project_id)
        .group_by(Review.decision, func.date(Review.created_at))
    )
    return [
        *(("written", *row) for row in session.execute(written)),
        *(("submitted", *row) for row in session.execute(submitted)),
        *((words[decision], day, count) for decision, day, count in session.execute(decided)),
    ]


@dataclass(frozen=True)
class QueueAge:
    """How long what is in review has waited, in hours; None where nothing waits."""

    waiting: int
    median: float | None = None
    p90: float | None = None
    oldest: float | None = None
    bins: tuple[tuple[float, float, int], ...] = ()  # (from, below, records), hours; the last has no end


# A day, three, a week, two, four: what a team means by "it has been waiting".
_AGES = (0, 24, 72, 168, 336, 672)


def queue_age(session: Session, project_id: int, *, now: datetime | None = None) -> QueueAge:
    waiting = (Instruction.status == S.IN_REVIEW, Instruction.submitted_at.is_not(None))
    times = session.scalars(select(Instruction.submitted_at).where(*_live(project_id), *waiting))
    hours = sorted(((now or utc_now()) - time) / timedelta(hours=1) for time in times)
    if not hours:
        return QueueAge(0)
    edges = (*_AGES, inf)
    counts = Counter(max(0, bisect_right(edges, age) - 1) for age in hours)
    bins = tuple((low, below, counts[n]) for n, (low, below) in enumerate(pairwise(edges)))
    return QueueAge(len(hours), percentile(hours, 0.5), percentile(hours, 0.9), hours[-1], bins)


@dataclass(frozen=True)
class ReasonCount:
    """How many refusals name a reason, and their share of all refusals (one may name several)."""

    reason: str
    reviews: int
    share: float


def refusal_reasons(
    session: Session, project_id: int, *, decisions: tuple[Decision, ...] = (Decision.REJECT,)
) -> list[ReasonCount]:
    """Why records were rejected (or, with REQUEST_CHANGES, sent back), the commonest first."""
    query = (
        select(Review.reasons)
        .join(Instruction, Instruction.id == Review.instruction_id)
        .where(Instruction.project_id == project_id, Review.decision.in_(decisions))
    )
    given = list(session.scalars(query))
    counts = Counter(reason for reasons in given for reason in dict.fromkeys(reasons))
    counts["not said"] = sum(not reasons for reasons in given)
    return [ReasonCount(reason, n, n / len(given)) for reason, n in counts.most_common() if n]


# The shares -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class CategoryShare:
    """A category's records, their share of all, and its share in BioInstruct."""

    category: Category
    records: int
    share: float
    bioinstruct: float


def category_shares(
    session: Session, project_id: int, *, status: InstructionStatus | None = None
) -> list[CategoryShare]:
    """The four categories, of every record or of those with a status."""
    query = select(Instruction.category, func.count()).where(*_live(project_id))
    if status is not None:
        query = query.where(Instruction.status == status)
    counts = dict(session.execute(query.group_by(Instruction.category)).all())
    total = sum(counts.values())
    return [
        CategoryShare(
            category, counts.get(category, 0), counts.get(category, 0) / total if total else 0.0, theirs
        )
        for category, theirs in BIOINSTRUCT_SHARES.items()
    ]


def _live(project_id: int) -> tuple:
    return Instruction.project_id == project_id, Instruction.deleted_at.is_(None)
