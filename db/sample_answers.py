"""Sample answers: what a model in training said to fixed prompts, look by look."""

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from db import jobs
from db.tables import SampleAnswer


def record(
    session: Session, job_id: int, attempt: int, step: int, number: int, prompt: str, answer: str
) -> SampleAnswer:
    """Keep an answer. A resumed run that comes by a step again says it anew. Raises FencedError."""
    jobs.require_owned(session, job_id, attempt)
    same = (SampleAnswer.job_id == job_id, SampleAnswer.step == step, SampleAnswer.number == number)
    session.execute(delete(SampleAnswer).where(*same))
    row = SampleAnswer(job_id=job_id, attempt=attempt, step=step, number=number, prompt=prompt, answer=answer)
    session.add(row)
    return row


def list_answers(session: Session, job_id: int) -> list[SampleAnswer]:
    """The answers by step and prompt."""
    query = (
        select(SampleAnswer)
        .where(SampleAnswer.job_id == job_id)
        .order_by(SampleAnswer.step, SampleAnswer.number)
    )
    return list(session.scalars(query))


def count(session: Session, job_id: int) -> int:
    return session.scalar(select(func.count()).where(SampleAnswer.job_id == job_id)) or 0
