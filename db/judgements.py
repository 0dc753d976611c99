"""What judges said of answers: stored call by call, read back as wins, grades and what they cost.

A pair is asked in both orders and won only when both name the same answer. Calls are told apart by (row,
order); what is stored is never asked again.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from db import endpoints, jobs, specs
from db.judge_spec import JudgeSpec
from db.judging.calls import ToJudge
from db.judging.rubrics import Rubric
from db.judging.verdicts import Outcome, Reply, Verdict, outcome
from db.tables import Endpoint, Evaluation, Job, Judgement, Prediction, TaskRow

PAIR, ALONE = (0, 1), (2, 3)  # orders: which answer stands first; which one is graded


@dataclass(frozen=True)
class Spent:
    """What the stored calls took. Money is in the endpoint's currency."""

    calls: int
    prompt_tokens: int
    completion_tokens: int
    money: float
    unreadable: int  # calls without a verdict

    @property
    def tokens(self) -> int:
        return self.prompt_tokens + self.completion_tokens


def rows_to_judge(session: Session, spec: JudgeSpec, *, position: int | None = None) -> list[ToJudge]:
    """The rows that both evaluations answered, in order, or the one at a position.

    Raises ValueError where the two do not pair up.
    """
    evaluation = session.get(Evaluation, spec.evaluation_id)
    against = session.get(Evaluation, spec.against_id) if spec.against_id else None
    if evaluation is None or (spec.against_id and against is None):
        raise ValueError("evaluation id: there is no such evaluation; choose another.")
    if against is not None and against.task_version_id != evaluation.task_version_id:
        raise ValueError(
            "against id: it answered another task; choose an evaluation of the same frozen task."
        )
    others = _answers(session, against.id) if against is not None else {}
    query = (
        select(TaskRow, Prediction.answer)
        .join(Prediction, Prediction.position == TaskRow.position)
        .where(
            TaskRow.task_version_id == evaluation.task_version_id, Prediction.evaluation_id == evaluation.id
        )
        .order_by(TaskRow.position)
    )
    if position is not None:
        query = query.where(TaskRow.position == position)
    return [
        ToJudge(
            row.position,
            row.document,
            f"{row.instruction}\n\n{row.input}".strip(),
            row.reference,
            answer,
            others.get(row.position, ""),
        )
        for row, answer in session.execute(query)
        if against is None or row.position in others
    ]


def asked_already(session: Session, job_id: int) -> set[tuple[int, int]]:
    """(row, order) of the calls that are stored."""
    query = select(Judgement.position, Judgement.order).where(Judgement.job_id == job_id)
    return {(position, order) for position, order in session.execute(query)}


def record(
    session: Session,
    job_id: int,
    attempt: int,
    position: int,
    order: int,
    *,
    reply: Reply | None,
    error: str = "",
    prompt_tokens: int = 0,
    completion_tokens: int = 0,
) -> None:
    """Store one call. Raises FencedError once a later attempt owns the job."""
    jobs.require_owned(session, job_id, attempt)
    session.add(
        Judgement(
            job_id=job_id,
            position=position,
            order=order,
            verdict=reply.verdict or "" if reply else "",
            scores=(reply.grades or {}) if reply else {},
            reason=reply.reason if reply else "",
            error=error,
            prompt_tokens=prompt_tokens,
            completion_tokens=completion_tokens,
        )
    )


def spent(session: Session, job: Job) -> Spent:
    """What a run's calls took so far, at the endpoint's present prices."""
    endpoint = session.get(Endpoint, job.spec["endpoint_id"])
    found = _of_job(session, job.id)
    tokens_in = sum(one.prompt_tokens for one in found)
    tokens_out = sum(one.completion_tokens for one in found)
    money = endpoints.price(endpoint, tokens_in, tokens_out) if endpoint else 0.0
    return Spent(len(found), tokens_in, tokens_out, money, sum(bool(one.error) for one in found))


def outcomes(session: Session, job_id: int) -> dict[int, Outcome]:
    """Row -> what both orders together say, of the rows that have both."""
    by_row: dict[int, dict[int, str]] = {}
    for one in _of_job(session, job_id):
        if one.order in PAIR and one.verdict:
            by_row.setdefault(one.position, {})[one.order] = one.verdict
    return {
        position: outcome(Verdict(said[0]), Verdict(said[1]))
        for position, said in by_row.items()
        if len(said) == len(PAIR)
    }


def first_place_wins(session: Session, job_id: int) -> tuple[int, int]:
    """(calls that preferred what stood first, calls that preferred either): the pull of the first place."""
    said = [(one.order, one.verdict) for one in _of_job(session, job_id) if one.order in PAIR]
    first = {0: Verdict.EVALUATION, 1: Verdict.AGAINST}
    decided = [(order, verdict) for order, verdict in said if verdict in tuple(first.values())]
    return sum(first[order] == verdict for order, verdict in decided), len(decided)


def grades(session: Session, job_id: int, order: int, rubric: Rubric) -> dict[int, dict[str, int]]:
    """Row -> criterion -> grade, of the evaluation (order 2) or of the other (order 3)."""
    names = {criterion.name for criterion in rubric.criteria}
    return {
        one.position: one.scores
        for one in _of_job(session, job_id)
        if one.order == order and set(one.scores) == names
    }


def tally(found: Sequence[Outcome]) -> Counter[Outcome]:
    return Counter(found)


def list_judgements(session: Session, job_id: int, position: int) -> list[Judgement]:
    """All that was said of one row, by order."""
    query = select(Judgement).where(Judgement.job_id == job_id, Judgement.position == position)
    return list(session.scalars(query.order_by(Judgement.order)))


def judged_rows(session: Session, job_id: int, *, after: int | None = None, limit: int = 50) -> list[TaskRow]:
    """The rows that have a verdict, in order, those behind the position `after`."""
    job = jobs.get_job(session, job_id)
    evaluation = session.get_one(Evaluation, job.spec["evaluation_id"])
    said = select(Judgement.position).where(Judgement.job_id == job_id)
    query = select(TaskRow).where(
        TaskRow.task_version_id == evaluation.task_version_id, TaskRow.position.in_(said)
    )
    if after is not None:
        query = query.where(TaskRow.position > after)
    return list(session.scalars(query.order_by(TaskRow.position).limit(limit)))


def row_of(session: Session, job: Job, position: int) -> ToJudge | None:
    """One row of a run as the judge saw it, but for what was taken out of its looks."""
    spec = specs.from_json(job.kind, job.spec)
    return next((row for row in rows_to_judge(session, spec, position=position)), None)


def _of_job(session: Session, job_id: int) -> Iterator[Judgement]:
    return session.scalars(
        select(Judgement).where(Judgement.job_id == job_id).order_by(Judgement.position, Judgement.order)
    ).all()


def _answers(session: Session, evaluation_id: int) -> dict[int, str]:
    query = select(Prediction.position, Prediction.answer).where(Prediction.evaluation_id == evaluation_id)
    return dict(session.execute(query).all())
