"""Judge runs: what one would ask and cost at most, and how one is queued."""

from dataclasses import dataclass

from sqlalchemy.orm import Session

from db import endpoints, evaluations, jobs, judgements
from db.enums import JobKind
from db.judge_spec import JudgeSpec
from db.judging import rubrics
from db.judging.calls import drawn, prepare
from db.policy import Actor
from db.tables import Evaluation, Job


@dataclass(frozen=True)
class Estimate:
    """What a run would ask. Tokens and money are bounds from above: bytes are counted as tokens."""

    rows: int
    calls: int
    tokens: int
    money: float


def estimate(session: Session, project_id: int, spec: JudgeSpec) -> Estimate:
    """What the run would ask at most. Raises ValueError or LookupError for what cannot be judged."""
    endpoint, rubric = endpoints.get_endpoint(session, spec.endpoint_id), rubrics.get_rubric(spec.rubric)
    evaluation = session.get(Evaluation, spec.evaluation_id)
    if evaluation is None or evaluation.project_id != project_id:
        raise ValueError("evaluation id: there is no such evaluation in this project; choose another.")
    rows = drawn(judgements.rows_to_judge(session, spec), spec)
    if not rows:
        raise ValueError("evaluation id: it has no answers to judge; evaluate first.")
    calls = list(prepare(rows, rubric, spec))
    tokens_in, tokens_out = sum(call.prompt_tokens for call in calls), spec.max_tokens * len(calls)
    money = endpoints.price(endpoint, tokens_in, tokens_out)
    return Estimate(len(rows), len(calls), tokens_in + tokens_out, money)


def name_for(session: Session, spec: JudgeSpec) -> str:
    """What a run goes by that nobody named: whose answers, against whose."""
    both = [session.get(Evaluation, id) for id in (spec.evaluation_id, spec.against_id) if id]
    return " against ".join(evaluations.title_of(one) for one in both if one) or "Judge"


def start(
    session: Session,
    actor: Actor,
    project_id: int,
    spec: JudgeSpec,
    *,
    name: str,
    request_key: str | None = None,
) -> Job:
    """Queue a run. Raises ValueError or LookupError, PolicyError; nothing is queued then."""
    estimate(session, project_id, spec)
    return jobs.enqueue(
        session, actor, project_id, JobKind.JUDGE, spec, name=name.strip() or "Judge", request_key=request_key
    )
