"""What a judge run comes to: how often one answer won over the other, the grades of both, and the cost.

The share won counts a tie, and a pair whose two orders contradict each other, as half. Intervals are BCa
bootstraps over documents; the sign test sets wins against losses, ties left out.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from db import judgements
from db.judging import rubrics
from db.judging.rubrics import Rubric
from db.judging.verdicts import Outcome
from db.metrics import interval, paired
from db.metrics.measures import Measure
from db.tables import Evaluation, Job, TaskRow

_WORTH = {Outcome.WIN: 1.0, Outcome.LOSS: 0.0, Outcome.TIE: 0.5, Outcome.INCONSISTENT: 0.5}


def _mean(sums: np.ndarray) -> np.ndarray:
    return sums[..., 0] / sums[..., 1]


WON = Measure("won", "Share won", ("won", "rows"), _mean, "share", "Pairs won; ties count half.")
GRADE = Measure("grade", "Grade", ("grade", "rows"), _mean, "grade", "Mean grade, 1 to 5.")


def of_job(session: Session, job: Job) -> dict[str, Any]:
    """The result of a run, as JSON: `pairs`, `grades` and `spent`; the first two only where asked for."""
    documents = _documents(session, job)
    result: dict[str, Any] = {"spent": asdict(judgements.spent(session, job))}
    if found := judgements.outcomes(session, job.id):
        result["pairs"] = _pairs(found, documents) | _first_place(session, job.id)
    rubric = rubrics.get_rubric(job.spec["rubric"])
    ours = judgements.grades(session, job.id, 2, rubric)
    theirs = judgements.grades(session, job.id, 3, rubric)
    if ours:
        result["grades"] = _grades(rubric, ours, theirs, documents)
    return result


def _pairs(found: Mapping[int, Outcome], documents: Mapping[int, str]) -> dict[str, Any]:
    from scipy.stats import binomtest  # here: the browser side would pay half a second for it at its start

    counts = judgements.tally(list(found.values()))
    won = np.array([[_WORTH[one], 1.0] for one in found.values()])
    decided = counts[Outcome.WIN] + counts[Outcome.LOSS]
    return {
        "n": len(found),
        **{one.value: counts[one] for one in Outcome},
        "won": asdict(interval.estimate(WON, won, [documents[at] for at in found])),
        "p": float(binomtest(counts[Outcome.WIN], decided).pvalue) if decided else None,
    }


def _first_place(session: Session, job_id: int) -> dict[str, Any]:
    preferred, decided = judgements.first_place_wins(session, job_id)
    return {"first_place": {"preferred": preferred, "decided": decided}}


def _grades(
    rubric: Rubric,
    ours: Mapping[int, Mapping[str, int]],
    theirs: Mapping[int, Mapping[str, int]],
    documents: Mapping[int, str],
) -> list[dict[str, Any]]:
    """One entry a criterion, and one for their mean."""
    both = sorted(set(ours) & set(theirs))
    names = [criterion.name for criterion in rubric.criteria]
    readers: list[tuple[str, Callable]] = [(name, lambda given, name=name: given[name]) for name in names]
    readers.append(("mean of all", lambda given: sum(given[name] for name in names) / len(names)))
    return [
        {
            "criterion": name,
            "evaluation": _grade(ours, sorted(ours), read, documents),
            "against": _grade(theirs, sorted(theirs), read, documents) if theirs else None,
            "gain": _gain(ours, theirs, both, read, documents) if both else None,
        }
        for name, read in readers
    ]


def _grade(graded: Mapping, rows: Sequence[int], read: Callable, documents: Mapping[int, str]) -> dict:
    return asdict(interval.estimate(GRADE, _columns(graded, rows, read), [documents[row] for row in rows]))


def _gain(ours: Mapping, theirs: Mapping, rows: Sequence[int], read: Callable, documents) -> dict:
    gain = paired.compare(
        GRADE, _columns(ours, rows, read), _columns(theirs, rows, read), [documents[row] for row in rows]
    )
    return asdict(gain)


def _columns(graded: Mapping, rows: Sequence[int], read: Callable) -> np.ndarray:
    """(rows, 2): the grade, and 1."""
    return np.array([[float(read(graded[row])), 1.0] for row in rows])


def _documents(session: Session, job: Job) -> dict[int, str]:
    evaluation = session.get_one(Evaluation, job.spec["evaluation_id"])
    query = select(TaskRow.position, TaskRow.document)
    return dict(session.execute(query.where(TaskRow.task_version_id == evaluation.task_version_id)).all())
