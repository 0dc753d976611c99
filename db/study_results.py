"""What the arms of a study scored: their evaluations found, and group scores and gains with intervals.

A group's score is the mean of its tasks' headline measures: accuracy of question answering, F1 of extraction,
ROUGE-L of generation, as BioInstruct averages them. Gains pair an arm with the untuned base row by row. The
intervals are BCa bootstraps over documents, those of all tasks of a group drawn together.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from db import evaluations
from db.enums import JobKind, Way
from db.evaluate_spec import EvaluateSpec
from db.evaluations import Counts
from db.metrics import interval, measures
from db.metrics.interval import Interval
from db.metrics.measures import Measure
from db.specs import from_json
from db.studies import adapter_of, evaluate_spec, plan_of, spec_of
from db.study_arms import BASE
from db.study_spec import StudySpec
from db.tables import Evaluation, Job, Study, StudyArm

# What changes the answers or the figures; how they are batched or resumed does not.
_ALIKE = ("cyclic", "max_tokens", "precision")


@dataclass(frozen=True)
class Compared:
    """A group's score for one arm, what the untuned base has, and the gain, absolute and as a share."""

    score: Interval
    base: Interval
    absolute: Interval
    relative: Interval


def evaluations_of(session: Session, study: Study, arm: StudyArm) -> dict[int, Evaluation]:
    """The arm's finished evaluation of each task that has one, asked as the study asks; the newest counts.

    Whoever asked for it: the base's is often there before the study is.
    """
    spec = spec_of(study)
    adapter = adapter_of(session, arm)
    if adapter is None and plan_of(arm).kind != BASE:
        return {}
    query = (
        select(Evaluation, Job.spec)
        .join(Job, Job.id == Evaluation.job_id)
        .where(
            Evaluation.project_id == study.project_id,
            Evaluation.base_model_id == spec.base_model_id,
            Evaluation.adapter_id == adapter.id if adapter else Evaluation.adapter_id.is_(None),
            Evaluation.encoder_id.is_(None),
            Evaluation.task_version_id.in_(spec.tasks),
            Evaluation.way == way_of(spec),
            Evaluation.finished_at.is_not(None),
            Evaluation.deleted_at.is_(None),
        )
        .order_by(Evaluation.id)
    )
    wanted = evaluate_spec(spec, adapter.id if adapter else None)
    return {row.task_version_id: row for row, asked in session.execute(query) if _is_alike(asked, wanted)}


def missing_tasks(session: Session, study: Study, arm: StudyArm) -> tuple[int, ...]:
    """The tasks that the arm is not measured on yet."""
    found = evaluations_of(session, study, arm)
    return tuple(task for task in spec_of(study).tasks if task not in found)


def way_of(spec: StudySpec) -> Way:
    """The way of asking that the figure shows: generation, unless the study asks by likelihood alone."""
    return Way.LIKELIHOOD if spec.evaluation.get("way") == "likelihood" else Way.GENERATION


def group_score(session: Session, scored: Sequence[Evaluation], *, level: float, seed: int) -> Interval:
    """The mean of the evaluations' headline measures, with its interval."""
    key = (_marks(scored), level, seed)
    if key not in _scores:
        _scores[key] = _score(session, scored, level, seed)
    return _scores[key]


def group_gain(
    session: Session,
    scored: Sequence[Evaluation],
    base: Sequence[Evaluation],
    *,
    level: float,
    seed: int,
) -> Compared:
    """An arm's evaluations against the base's of the same tasks, in the same order."""
    key = (_marks(scored), _marks(base), level, seed)
    if key not in _compared:
        _compared[key] = _compare(session, scored, base, level, seed)
    return _compared[key]


# Finished evaluations never change, so what is reckoned from them holds for as long as the process lives.
_compared: dict[tuple, Compared] = {}
_scores: dict[tuple, Interval] = {}


def _marks(scored: Sequence[Evaluation]) -> tuple:
    """What tells finished evaluations apart, those of another database too."""
    return tuple((one.id, one.job_id, one.finished_at) for one in scored)


def _score(session: Session, scored: Sequence[Evaluation], level: float, seed: int) -> Interval:
    blocks = [_block(session, one) for one in scored]
    if len(blocks) == 1:  # as its own page has it
        ((measure, rows),) = blocks
        counts = measures.columns_of(measure, rows.counts)
        return interval.estimate(measure, counts, rows.documents, level=level, seed=seed)
    tables = [measures.columns_of(measure, rows.counts) for measure, rows in blocks]
    return _estimate(
        _mean([(measure, table.shape[1]) for (measure, _), table in zip(blocks, tables, strict=True)]),
        [(table, rows.documents) for (_, rows), table in zip(blocks, tables, strict=True)],
        level,
        seed,
    )


def _compare(
    session: Session, scored: Sequence[Evaluation], base: Sequence[Evaluation], level: float, seed: int
) -> Compared:
    shapes, tables = [], []
    for one, other in zip(scored, base, strict=True):
        (measure, rows), (_, before) = _block(session, one), _block(session, other)
        now, then = measures.tables_of(measure, rows.counts, before.counts)
        shapes.append((measure, now.shape[1]))
        tables.append((np.hstack([now, then]), rows.documents))
    mean_now, mean_then = _mean(shapes, step=2), _mean(shapes, step=2, offset=1)

    def difference(sums: np.ndarray) -> np.ndarray:
        return mean_now(sums) - mean_then(sums)

    def relative(sums: np.ndarray) -> np.ndarray:
        return measures.divided(difference(sums), np.abs(mean_then(sums)))

    settings = {"level": level, "seed": seed}
    before_all = group_score(session, base, **settings)
    share = _estimate(relative, tables, level, seed)
    if not before_all.value:
        share = replace(share, value=None, low=None, high=None, note="The base scores 0: no gain is a share.")
    return Compared(
        group_score(session, scored, **settings),
        before_all,
        _estimate(difference, tables, level, seed),
        share,
    )


def _estimate(
    statistic: interval.Statistic,
    tables: Sequence[tuple[np.ndarray, Sequence[str]]],
    level: float,
    seed: int,
) -> Interval:
    """A statistic of several tasks' sums: each task's columns beside the others', its documents below."""
    width = sum(table.shape[1] for table, _ in tables)
    stacked, at = [], 0
    for table, documents in tables:
        sums = interval.by_document(table, documents)
        placed = np.zeros((len(sums), width))
        placed[:, at : at + sums.shape[1]] = sums
        stacked.append(placed)
        at += sums.shape[1]
    rows = sum(len(table) for table, _ in tables)
    return interval.of_sums(statistic, np.vstack(stacked), rows, level=level, seed=seed)


def _mean(shapes: Sequence[tuple[Measure, int]], *, step: int = 1, offset: int = 0) -> interval.Statistic:
    """The mean of the tasks' measures, given all their columns side by side.

    With `step` 2 each task has its columns twice, the arm's and the base's: `offset` says which are meant.
    """

    def of(sums: np.ndarray) -> np.ndarray:
        values, at = [], 0
        for measure, width in shapes:
            start = at + offset * width
            values.append(measure.of(sums[..., start : start + width]))
            at += step * width
        return np.mean(values, axis=0)

    return of


def _block(session: Session, scored: Evaluation) -> tuple[Measure, Counts]:
    """An evaluation's headline measure and its rows' counts."""
    return measures.get(scored.measure), evaluations.load_counts(session, scored.id)


def _is_alike(asked: Mapping, wanted: EvaluateSpec) -> bool:
    """True when an evaluation was asked with the study's settings."""
    try:
        found = from_json(JobKind.EVALUATE, dict(asked))
    except (ValueError, TypeError):  # an encoder's, or of a version that knew other settings
        return False
    return all(getattr(found, name) == getattr(wanted, name) for name in _ALIKE) and _ways_agree(
        found, wanted
    )


def _ways_agree(found: EvaluateSpec, wanted: EvaluateSpec) -> bool:
    """Auto writes answers too, so either serves where written answers are wanted."""
    return found.way == wanted.way or "likelihood" not in (found.way, wanted.way)
