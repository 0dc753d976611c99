"""What models scored: one evaluation a job, task version and way, with a prediction a row.

A job begins an evaluation, records rows as they are scored, and finishes it with the figures of all rows.
Each of its writes goes through the attempt's fence. Rows are told apart by their position in the task
version, so recording one again changes nothing, and two evaluations of one version pair row by row.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from sqlalchemy import Select, insert, select
from sqlalchemy.orm import Session, joinedload

from db import audit, jobs, tasks
from db.enums import Way
from db.metrics import interval, measures
from db.policy import Actor, Right, require
from db.session import parts
from db.tables import Adapter, BaseModel, Encoder, Evaluation, Job, Prediction, TaskRow, TaskVersion
from db.tables.base import utc_now
from db.tasks.task import RowScore

WITHOUT_LEAKS = " without leaks"  # behind the key of a figure that leaves out rows found in the train rows
LEVEL = 0.95  # of the intervals, unless told otherwise
OPTION_MEASURES = ("option_accuracy", "option_accuracy_first", "option_accuracy_normalised")


@dataclass(frozen=True)
class Scored:
    """One row's answer and what it counted for."""

    position: int  # of the task row
    answer: str
    score: RowScore
    tokens: int = 0  # of the answer


@dataclass(frozen=True)
class Summary:
    """The figures of an evaluation: `measure` is the headline's key in `figures`."""

    measure: str
    figures: dict[str, dict[str, Any]]  # key -> {value, low, high, n, clusters, note}
    tables: dict[str, Any] = field(default_factory=dict)


# What a job writes ----------------------------------------------------------------------------------


def begin(
    session: Session,
    job_id: int,
    attempt: int,
    task_version_id: int,
    way: Way,
    *,
    base_model_id: int | None = None,
    adapter_id: int | None = None,
    encoder_id: int | None = None,
    provenance: Mapping[str, Any],
) -> Evaluation:
    """The job's evaluation of that task in that way: the one there is, or a new one.

    An attempt that goes on with other facts (another device, other packages) has those that differ kept under
    "later". Raises ValueError where the model is none, or the adapter is of another base; LookupError where
    the task is not the project's; FencedError.
    """
    jobs.require_owned(session, job_id, attempt)
    same = select(Evaluation).where(
        Evaluation.job_id == job_id, Evaluation.task_version_id == task_version_id, Evaluation.way == way
    )
    if (known := session.scalar(same)) is not None:
        known.provenance = _joined(known.provenance, provenance)
        return known
    job = jobs.get_job(session, job_id)
    version = session.get(TaskVersion, task_version_id)
    if version is None or version.project_id != job.project_id:
        raise LookupError(f"This project has no task number {task_version_id}.")
    require_model(session, base_model_id, adapter_id, encoder_id)
    evaluation = Evaluation(
        project_id=job.project_id,
        job_id=job_id,
        task_version_id=task_version_id,
        base_model_id=base_model_id,
        adapter_id=adapter_id,
        encoder_id=encoder_id,
        way=Way(way),
        rows=version.rows,
        provenance=dict(provenance),
    )
    session.add(evaluation)
    session.flush()
    return evaluation


def require_model(
    session: Session, base_model_id: int | None, adapter_id: int | None = None, encoder_id: int | None = None
) -> None:
    """Raise ValueError unless these name a base, an adapter on its own base, or an encoder."""
    if (base_model_id is None) == (encoder_id is None):
        raise ValueError("model: name a base model, with or without an adapter, or else an encoder.")
    if encoder_id is not None:
        if adapter_id is not None:
            raise ValueError("model: an encoder takes no adapter.")
        if session.get(Encoder, encoder_id) is None:
            raise LookupError(f"There is no encoder number {encoder_id}.")
        return
    base = session.get(BaseModel, base_model_id)
    if base is None:
        raise LookupError(f"There is no base model number {base_model_id}.")
    if adapter_id is None:
        return
    adapter = session.get(Adapter, adapter_id)
    if adapter is None or adapter.deleted_at is not None:
        raise LookupError(f"There is no adapter number {adapter_id}.")
    if adapter.base_model_id != base_model_id:
        raise ValueError(
            f"adapter: {adapter.name} was tuned on {adapter.base_model.name}, not on {base.name}; choose its "
            "own base."
        )


def done_positions(session: Session, evaluation_id: int) -> set[int]:
    """The rows that are scored already."""
    return set(session.scalars(select(Prediction.position).where(Prediction.evaluation_id == evaluation_id)))


def record(session: Session, job_id: int, attempt: int, evaluation_id: int, scored: Sequence[Scored]) -> int:
    """Keep scored rows; how many were new. A row that is there stays as it is. Raises FencedError; ValueError
    for a row that the task has not, or an evaluation that is finished.
    """
    return store(session, _owned(session, job_id, attempt, evaluation_id), scored)


def store(session: Session, evaluation: Evaluation, scored: Sequence[Scored]) -> int:
    """`record` without the fence, for answers that no job made."""
    known = _known(session, evaluation.id, [one.position for one in scored])
    new = {one.position: one for one in scored if one.position not in known}
    if not new:
        return 0
    if evaluation.finished_at is not None:
        raise ValueError("evaluation: it is finished; its rows are not added to.")
    if not 0 <= min(new) <= max(new) < evaluation.rows:
        raise ValueError(f"position: the task has rows 0 to {evaluation.rows - 1}, and no other.")
    in_order = [new[position] for position in sorted(new)]  # as the full text takes them fastest
    session.execute(insert(Prediction), [_columns(evaluation.id, one) for one in in_order])
    evaluation.rows_done += len(new)
    return len(new)


def summarise(
    session: Session,
    evaluation_id: int,
    *,
    level: float = LEVEL,
    seed: int = 0,
    without: Collection[int] = (),
) -> Summary:
    """The figures of the rows that are scored, each with its interval, clustered by document.

    With `without`, the positions of rows found among the train rows, each figure stands there twice: of all
    rows, and under its key and WITHOUT_LEAKS of the others. Only reads, and takes a second or more: call it
    in a `read()` scope. Raises ValueError while no row is scored.
    """
    evaluation = find(session, evaluation_id)
    rows = load_counts(session, evaluation_id)
    if not rows.positions:
        raise ValueError("evaluation: no row is scored yet; nothing can be summed up.")
    task = tasks.of_version(evaluation.task_version)
    names = measures_of(task.measures, evaluation.way)
    figures = _figures(names, rows, level, seed)
    left = rows.leave_out(frozenset(without))
    if len(left.positions) < len(rows.positions):
        others = _figures(names, left, level, seed)
        figures |= {name + WITHOUT_LEAKS: value for name, value in others.items()}
    return Summary(names[0], figures, task.tables(list(_row_scores(session, evaluation_id))))


def finish(session: Session, job_id: int, attempt: int, evaluation_id: int, summary: Summary) -> Evaluation:
    """End an evaluation with its figures. Raises ValueError while rows are missing; FencedError."""
    return close(_owned(session, job_id, attempt, evaluation_id), summary)


def close(evaluation: Evaluation, summary: Summary) -> Evaluation:
    """`finish` without the fence, for answers that no job made."""
    if evaluation.rows_done < evaluation.rows:
        raise ValueError(
            f"evaluation: {evaluation.rows_done:,} of {evaluation.rows:,} rows are scored; score the rest "
            "first."
        )
    evaluation.measure = summary.measure
    evaluation.figures, evaluation.tables = summary.figures, summary.tables
    evaluation.finished_at = utc_now()
    return evaluation


# What people look at --------------------------------------------------------------------------------


def get_evaluation(session: Session, project_id: int, evaluation_id: int) -> Evaluation:
    """With its task and model. Raises LookupError where the project has none of that number, or no more."""
    query = _with_model(select(Evaluation)).where(
        Evaluation.id == evaluation_id,
        Evaluation.project_id == project_id,
        Evaluation.deleted_at.is_(None),
    )
    found = session.scalar(query)
    if found is None:
        raise LookupError(f"This project has no evaluation number {evaluation_id}.")
    return found


def list_evaluations(
    session: Session,
    project_id: int,
    *,
    task_version_id: int | None = None,
    job_id: int | None = None,
    base_model_id: int | None = None,
    adapter_id: int | None = None,
    encoder_id: int | None = None,
    way: Way | None = None,
    is_finished: bool | None = None,
    limit: int | None = None,
) -> list[Evaluation]:
    """Those that are not removed, newest first, with their tasks and models. `base_model_id` finds what was
    measured of the base itself and of its adapters.
    """
    query = _with_model(select(Evaluation)).where(
        Evaluation.project_id == project_id, Evaluation.deleted_at.is_(None)
    )
    for column, value in (
        (Evaluation.task_version_id, task_version_id),
        (Evaluation.job_id, job_id),
        (Evaluation.base_model_id, base_model_id),
        (Evaluation.adapter_id, adapter_id),
        (Evaluation.encoder_id, encoder_id),
        (Evaluation.way, way),
    ):
        if value is not None:
            query = query.where(column == value)
    if is_finished is not None:
        query = query.where(Evaluation.finished_at.is_not(None) == is_finished)
    return list(session.scalars(query.order_by(Evaluation.id.desc()).limit(limit)))


def title_of(evaluation: Evaluation) -> str:
    """What a table calls the model."""
    if evaluation.encoder is not None:
        stand_in = " (stand-in, never pretrained)" if evaluation.encoder.is_stand_in else ""
        return f"{evaluation.encoder.name}{stand_in}"
    if evaluation.adapter is not None:
        return evaluation.adapter.name
    if evaluation.base_model is not None:
        return evaluation.base_model.name
    return str(evaluation.provenance.get("answers", "answers of a file"))


def level_of(session: Session, evaluation: Evaluation) -> float:
    """The confidence level of its intervals, as its job was asked."""
    job = session.get(Job, evaluation.job_id) if evaluation.job_id else None
    return (job.spec if job else {}).get("level", LEVEL)


def remove(session: Session, actor: Actor, project_id: int, evaluation_id: int) -> Evaluation:
    """Take an evaluation off the boards. `put_back` undoes it."""
    require(actor, Right.EVALUATE)
    evaluation = get_evaluation(session, project_id, evaluation_id)
    evaluation.deleted_at = utc_now()
    audit.record(session, actor, "deleted", evaluation)
    return evaluation


def put_back(session: Session, actor: Actor, project_id: int, evaluation_id: int) -> Evaluation:
    """Undo `remove`."""
    require(actor, Right.EVALUATE)
    evaluation = session.get(Evaluation, evaluation_id)
    if evaluation is None or evaluation.project_id != project_id:
        raise LookupError(f"This project has no evaluation number {evaluation_id}.")
    evaluation.deleted_at = None
    audit.record(session, actor, "restored", evaluation)
    return evaluation


# What figures are reckoned from -----------------------------------------------------------------------


@dataclass(frozen=True)
class Counts:
    """What the rows of an evaluation counted, in order of their positions."""

    positions: tuple[int, ...]
    documents: tuple[str, ...]
    counts: tuple[Mapping[str, float], ...]

    def leave_out(self, positions: Collection[int]) -> "Counts":
        kept = [at for at, position in enumerate(self.positions) if position not in positions]
        return Counts(*(tuple(column[at] for at in kept) for column in self._columns))

    @property
    def _columns(self) -> tuple[tuple, ...]:
        return self.positions, self.documents, self.counts


def load_counts(session: Session, evaluation_id: int) -> Counts:
    query = (
        select(Prediction.position, TaskRow.document, Prediction.counts)
        .join(Evaluation, Evaluation.id == Prediction.evaluation_id)
        .join(
            TaskRow,
            (TaskRow.task_version_id == Evaluation.task_version_id)
            & (TaskRow.position == Prediction.position),
        )
        .where(Prediction.evaluation_id == evaluation_id)
        .order_by(Prediction.position)
    )
    rows = session.execute(query).all()
    return Counts(*(tuple(column) for column in zip(*rows, strict=True))) if rows else Counts((), (), ())


def measures_of(names: Sequence[str], way: Way) -> tuple[str, ...]:
    """Those of a task's measures that one way of asking gives, the headline first."""
    if way is Way.LIKELIHOOD:
        return tuple(name for name in names if name in OPTION_MEASURES) or OPTION_MEASURES
    return tuple(name for name in names if name not in OPTION_MEASURES)


def find(session: Session, evaluation_id: int) -> Evaluation:
    """By its number alone, removed or not. Raises LookupError."""
    evaluation = session.get(Evaluation, evaluation_id)
    if evaluation is None:
        raise LookupError(f"There is no evaluation number {evaluation_id}.")
    return evaluation


def _figures(names: Iterable[str], rows: Counts, level: float, seed: int) -> dict[str, dict[str, Any]]:
    figures = {}
    for name in names:
        measure = measures.get(name)
        counts = measures.columns_of(measure, rows.counts)
        figures[name] = asdict(interval.estimate(measure, counts, rows.documents, level=level, seed=seed))
    return figures


def _row_scores(session: Session, evaluation_id: int) -> Iterable[RowScore]:
    columns = (Prediction.score, Prediction.is_right, Prediction.counts, Prediction.said)
    query = select(*columns).where(Prediction.evaluation_id == evaluation_id).order_by(Prediction.position)
    return (RowScore(*row) for row in session.execute(query))


def _owned(session: Session, job_id: int, attempt: int, evaluation_id: int) -> Evaluation:
    jobs.require_owned(session, job_id, attempt)
    evaluation = find(session, evaluation_id)
    if evaluation.job_id != job_id:
        raise LookupError(f"Job {job_id} has no evaluation number {evaluation_id}.")
    return evaluation


def _known(session: Session, evaluation_id: int, positions: Sequence[int]) -> set[int]:
    known: set[int] = set()
    for some in parts(positions):
        query = select(Prediction.position).where(
            Prediction.evaluation_id == evaluation_id, Prediction.position.in_(some)
        )
        known |= set(session.scalars(query))
    return known


def _columns(evaluation_id: int, one: Scored) -> dict[str, Any]:
    return {
        "evaluation_id": evaluation_id,
        "position": one.position,
        "answer": one.answer,
        "score": one.score.score,
        "is_right": one.score.is_right,
        "has_faults": one.score.has_faults,
        "counts": one.score.counts,
        "said": one.score.said,
        "tokens": one.tokens,
    }


def _joined(known: dict[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """What was known, and what differs now under "later"."""
    others = {name: value for name, value in given.items() if known.get(name) != value}
    return {**known, "later": {**known.get("later", {}), **others}} if others else known


def _with_model(query: Select) -> Select:
    related = (Evaluation.task_version, Evaluation.base_model, Evaluation.adapter, Evaluation.encoder)
    return query.options(*map(joinedload, related))
