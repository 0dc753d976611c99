"""How far measures, and a judge, agree with people's scores of the same answers.

Each rater's scores are put on a scale of 0 to 1: a measure's as it is for one row, a judge's grades by their
mean. Spearman's rank correlation asks whether both order the answers alike; ICC(2,1) whether they give the
same scores; the weighted kappa (quadratic) whether they put answers into the same of five equal grades.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from db import evaluations, judgements
from db.brought_answers import HUMAN
from db.judging import rubrics
from db.judging.rubrics import GRADES
from db.metrics import measures, raters
from db.metrics.interval import Interval
from db.tables import Evaluation, Job, Prediction

GRADED = 5  # equal grades that a score from 0 to 1 falls into


@dataclass(frozen=True)
class Agreement:
    """One rater beside one human score. `left_out`: rows for which the rater has no score."""

    rater: str
    human: str
    spearman: Interval
    icc: Interval
    kappa: Interval
    left_out: int = 0


def list_brought(session: Session, project_id: int) -> list[Evaluation]:
    """The answers with people's scores that were brought, newest first."""
    found = evaluations.list_evaluations(session, project_id, is_finished=True)
    return [one for one in found if one.job_id is None and one.provenance.get("scores")]


def human_scores(session: Session, evaluation_id: int) -> list[str]:
    """The names of people's scores that came with the answers; those from 0 to 1 alone can be compared."""
    scores = _human(session, evaluation_id)
    names = dict.fromkeys(name for row in scores.values() for name in row)
    return [name for name in names if all(0 <= row.get(name, 0) <= 1 for row in scores.values())]


def agreement(
    session: Session, evaluation_id: int, human: str, *, judges: Sequence[Job] = (), seed: int = 0
) -> list[Agreement]:
    """Every measure of the evaluation's task, and every judge run over it, beside one human score.

    Reads, and reckons for some seconds. Raises ValueError where there is no such score.
    """
    if human not in human_scores(session, evaluation_id):
        raise ValueError(f"human: no score from 0 to 1 is named {human!r}; choose one of the answers'.")
    evaluation = evaluations.find(session, evaluation_id)
    rows = evaluations.load_counts(session, evaluation_id)
    documents = dict(zip(rows.positions, rows.documents, strict=True))
    people = {at: row[human] for at, row in _human(session, evaluation_id).items() if human in row}
    told = {_title(name): _row_values(name, rows) for name in evaluation.figures if _title(name)}
    told |= {f"{job.name} ({job.spec['rubric']})": _judged(session, job, evaluation) for job in judges}
    return [
        _compare(rater, human, scores, people, documents, seed)
        for rater, scores in told.items()
        if len(set(scores.values())) > 1  # one that says the same of all answers agrees with nobody
    ]


def _title(name: str) -> str:
    """What a table calls the measure; "" for what is no score of a row from 0 to 1."""
    try:
        measure = measures.get(name)
    except LookupError:
        return ""
    return measure.title if measure.unit == "share" else ""


def _row_values(name: str, rows: evaluations.Counts) -> dict[int, float]:
    """Row -> the measure of that row alone; rows that leave it undefined are left out."""
    measure = measures.get(name)
    with np.errstate(all="ignore"):
        values = measure.of(measures.columns_of(measure, rows.counts))
    if not measure.higher_is_better:
        values = 1 - values
    return {at: float(value) for at, value in zip(rows.positions, values, strict=True) if np.isfinite(value)}


def _judged(session: Session, job: Job, evaluation: Evaluation) -> dict[int, float]:
    """Row -> the mean of a judge's grades, from 0 to 1."""
    rubric = rubrics.get_rubric(job.spec["rubric"])
    order = 2 if job.spec["evaluation_id"] == evaluation.id else 3
    span = GRADES[-1] - GRADES[0]
    found = judgements.grades(session, job.id, order, rubric)
    return {at: (sum(grades.values()) / len(grades) - GRADES[0]) / span for at, grades in found.items()}


def _compare(
    rater: str,
    human: str,
    scores: Mapping[int, float],
    people: Mapping[int, float],
    documents: Mapping[int, str],
    seed: int,
) -> Agreement:
    both = sorted(set(scores) & set(people))
    theirs, given = [people[at] for at in both], [scores[at] for at in both]
    named = [documents[at] for at in both]
    return Agreement(
        rater,
        human,
        raters.spearman(given, theirs, named, seed=seed),
        raters.icc(list(zip(given, theirs, strict=True))),
        raters.weighted_kappa(_graded(given), _graded(theirs), named, scale=range(GRADED), seed=seed),
        len(people) - len(both),
    )


def _graded(scores: Sequence[float]) -> list[int]:
    return [min(int(score * GRADED), GRADED - 1) for score in scores]


def _human(session: Session, evaluation_id: int) -> dict[int, dict[str, float]]:
    query = select(Prediction.position, Prediction.said).where(Prediction.evaluation_id == evaluation_id)
    return {at: said.get(HUMAN, {}) for at, said in session.execute(query)}
