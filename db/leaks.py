"""Which rows of a task stand among the rows that an adapter was tuned on.

By the rule of db.checks.contamination: the same words, a run of 13 (8 in short texts), or a high ROUGE-L.
Words that several rows have for an instruction, each with an input of its own, are the task's wording and no
leak, so they are left out on both sides. Looked for once a pair of task version and dataset version, and
kept: both are frozen.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from db import jobs
from db.checks.contamination import (
    SHORT_RUN,
    EvaluationSet,
    HitKind,
    Limits,
    Probe,
    Text,
    find_contamination,
    shared_passage,
)
from db.enums import Split
from db.evaluations import WITHOUT_LEAKS, find
from db.session import parts
from db.tables import DatasetRow, Evaluation, Leak, LeakCheck, TaskRow

MOST_A_ROW = 10  # train rows kept for one task row, the strongest first
PAGE_ROWS = 50
_STRENGTH = (HitKind.EXACT, HitKind.NGRAM, HitKind.ROUGE_L)


@dataclass(frozen=True)
class Asked:
    """A row of either side, as it is compared."""

    position: int
    instruction: str
    input: str = ""
    output: str = ""  # of a train row; what is right in a task row is not looked for


@dataclass(frozen=True)
class Found:
    """One task row found in one train row; the strongest kind only."""

    position: int  # of the task row
    dataset_position: int  # of the train row
    kind: str  # exact, n-gram, rouge-l
    score: float  # exact: 1; n-gram: share of the row's runs; rouge-l: F1


@dataclass(frozen=True)
class Overlap:
    """A task row and a train row side by side."""

    found: Found
    task_row: TaskRow
    train_row: DatasetRow
    shared: str  # the longest run of words that both have


@dataclass(frozen=True)
class OverlapPage:
    """Overlaps in order of the task's rows. `next` is the `after` of the next page, None at the end."""

    overlaps: list[Overlap]
    next: int | None
    total: int


@dataclass(frozen=True)
class Badge:
    """What is known of leaks into an evaluation, in few words. `found` is None where nobody looked."""

    sentence: str
    found: int | None
    rows: int


def load(session: Session, task_version_id: int, dataset_version_id: int) -> tuple[list[Asked], list[Asked]]:
    """(train rows, task rows) as `check` takes them."""
    train = select(DatasetRow.position, DatasetRow.instruction, DatasetRow.input, DatasetRow.output).where(
        DatasetRow.version_id == dataset_version_id, DatasetRow.split == Split.TRAIN
    )
    asked = select(TaskRow.position, TaskRow.instruction, TaskRow.input).where(
        TaskRow.task_version_id == task_version_id
    )
    return (
        [Asked(*row) for row in session.execute(train.order_by(DatasetRow.position))],
        [Asked(*row) for row in session.execute(asked.order_by(TaskRow.position))],
    )


def check(
    train: Sequence[Asked],
    asked: Sequence[Asked],
    limits: Limits | None = None,
    tell: Callable[[int], object] = lambda done: None,
) -> list[Found]:
    """Every task row found in a train row, at most MOST_A_ROW train rows each, in order of the task's rows.

    `tell` hears now and then how many train rows have been looked at.
    """
    own_train, own_asked = _without_wording(train), _without_wording(asked)
    probes = EvaluationSet("task", tuple(Probe(row.instruction, row.input) for row in own_asked))
    texts = [Text(row.instruction, row.input, row.output) for row in own_train]
    found: dict[int, list[Found]] = defaultdict(list)
    for hit in find_contamination(texts, [probes], limits, tell):
        one = Found(asked[hit.probe].position, train[hit.row].position, hit.kind.value, hit.score)
        found[one.position].append(one)
    return [one for position in sorted(found) for one in sorted(found[position], key=_order)[:MOST_A_ROW]]


def keep(
    session: Session,
    job_id: int,
    attempt: int,
    task_version_id: int,
    dataset_version_id: int,
    found: Sequence[Found],
    limits: Limits | None = None,
) -> LeakCheck:
    """Keep what was found; the check there is, where somebody was faster. Raises FencedError."""
    jobs.require_owned(session, job_id, attempt)
    if (known := find_check(session, task_version_id, dataset_version_id)) is not None:
        return known
    check = LeakCheck(
        task_version_id=task_version_id,
        dataset_version_id=dataset_version_id,
        limits={**asdict(limits or Limits()), "kept": MOST_A_ROW},
        rows_found=len({one.position for one in found}),
    )
    session.add(check)
    session.flush()
    for some in parts(found):
        session.execute(insert(Leak), [{"leak_check_id": check.id, **asdict(one)} for one in some])
    return check


def find_check(session: Session, task_version_id: int, dataset_version_id: int) -> LeakCheck | None:
    """What was found for the pair; None while nobody has looked."""
    query = select(LeakCheck).where(
        LeakCheck.task_version_id == task_version_id, LeakCheck.dataset_version_id == dataset_version_id
    )
    return session.scalar(query)


def positions(session: Session, task_version_id: int, dataset_version_id: int) -> set[int]:
    """The task's rows that were found."""
    check = find_check(session, task_version_id, dataset_version_id)
    if check is None:
        return set()
    return set(session.scalars(select(Leak.position).where(Leak.leak_check_id == check.id).distinct()))


def rows_found(session: Session, task_version_id: int, dataset_version_id: int) -> dict[int, list[Found]]:
    """Position of the task's row -> where it was found, the strongest first."""
    check = find_check(session, task_version_id, dataset_version_id)
    found: dict[int, list[Found]] = defaultdict(list)
    if check is not None:
        query = select(Leak).where(Leak.leak_check_id == check.id).order_by(Leak.position, Leak.id)
        for row in session.scalars(query):
            found[row.position].append(_of_row(row))
    return dict(found)


def page(
    session: Session,
    task_version_id: int,
    dataset_version_id: int,
    *,
    after: int | None = None,
    limit: int = PAGE_ROWS,
) -> OverlapPage:
    """Overlaps behind the one numbered `after`, with both texts and the words they share."""
    check = find_check(session, task_version_id, dataset_version_id)
    if check is None:
        return OverlapPage([], None, 0)
    query = (
        select(Leak, TaskRow, DatasetRow)
        .join(TaskRow, (TaskRow.position == Leak.position) & (TaskRow.task_version_id == task_version_id))
        .join(
            DatasetRow,
            (DatasetRow.position == Leak.dataset_position) & (DatasetRow.version_id == dataset_version_id),
        )
        .where(Leak.leak_check_id == check.id, Leak.id > (after or 0))
        .order_by(Leak.id)  # they were kept in the order of the task's rows
        .limit(limit + 1)
    )
    rows = session.execute(query).all()
    total = session.scalar(select(func.count()).where(Leak.leak_check_id == check.id)) or 0
    following = rows[limit - 1][0].id if len(rows) > limit else None
    return OverlapPage([_overlap(*row) for row in rows[:limit]], following, total)


def badge_of(session: Session, evaluation: Evaluation | int) -> Badge:
    """What is known of leaks into an evaluation's figures."""
    evaluation = find(session, evaluation) if isinstance(evaluation, int) else evaluation
    version_id = evaluation.adapter.dataset_version_id if evaluation.adapter else None
    check = find_check(session, evaluation.task_version_id, version_id) if version_id is not None else None
    return badge(evaluation, check)


def badge(evaluation: Evaluation, check: LeakCheck | None) -> Badge:
    """The same, where the check is at hand. An encoder's own run looks for its train rows, word for word."""
    rows = evaluation.rows
    if evaluation.encoder is not None:
        left = evaluation.figures.get(evaluation.measure + WITHOUT_LEAKS)
        return _badge_of(rows - left["n"] if left else 0, rows)
    if evaluation.adapter is None:
        return Badge("train rows not known", None, rows)
    if check is None:
        return Badge("not looked for", None, rows)
    return _badge_of(check.rows_found, rows)


def _badge_of(found: int, rows: int) -> Badge:
    if not found:
        return Badge("no overlap found", 0, rows)
    return Badge(f"{found:,} of {rows:,} rows overlap the train rows", found, rows)


def _without_wording(rows: Sequence[Asked]) -> list[Asked]:
    """The rows less a task's wording: instructions that several rows with inputs of their own have."""
    shared = Counter(row.instruction for row in rows if row.input.strip())
    return [
        Asked(row.position, "", row.input, row.output)
        if row.input.strip() and shared[row.instruction] > 1
        else row
        for row in rows
    ]


def _order(one: Found) -> tuple:
    return _STRENGTH.index(HitKind(one.kind)), -one.score, one.dataset_position


def _of_row(row: Leak) -> Found:
    return Found(row.position, row.dataset_position, row.kind, row.score)


def _overlap(leak: Leak, task_row: TaskRow, train_row: DatasetRow) -> Overlap:
    return Overlap(_of_row(leak), task_row, train_row, _shared(task_row, train_row))


def _shared(task_row: TaskRow, train_row: DatasetRow) -> str:
    """The longest run that both have; of the wording only where there is none worth the name beside it."""
    if task_row.input.strip():
        run = shared_passage(Text("", train_row.input, train_row.output), Probe("", task_row.input))
        if len(run.split()) >= SHORT_RUN:
            return run
    text = Text(train_row.instruction, train_row.input, train_row.output)
    return shared_passage(text, Probe(task_row.instruction, task_row.input))
