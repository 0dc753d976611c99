"""Let a model behind an endpoint compare and grade answers, by a rubric of a stated version.

Every verdict is stored as it comes, so a run that stopped goes on with the calls that have none. A call that
was under way when the process died is asked again, with the same idempotency key.
"""

import asyncio
from collections.abc import Iterable, Sequence

from db import endpoints, judge_figures, judgements
from db.asking.client import Client
from db.endpoints import Reach
from db.judge_spec import JudgeSpec
from db.judging import rubrics
from db.judging.calls import Call, drawn, prepare
from db.session import read
from db.tables import Endpoint, Evaluation, Job, TaskVersion
from trainer.context import Cancelled, JobContext
from trainer.generating.ledger import Ledger
from trainer.judging.asking import Asker, Stopped

LOOK = 0.25  # seconds between two looks at whether the run is still wanted


def run(context: JobContext) -> None:
    """Carry the job out. Raises ValueError or LookupError with one sentence; Cancelled."""
    spec: JudgeSpec = context.spec
    rubric = rubrics.get_rubric(spec.rubric)
    with read() as s:
        endpoint, reach = endpoints.get_endpoint(s, spec.endpoint_id), endpoints.reach(s, spec.endpoint_id)
        _require_may_leave(s.get(Evaluation, spec.evaluation_id), s, reach)
        rows = drawn(judgements.rows_to_judge(s, spec), spec)
        asked = judgements.asked_already(s, context.job_id)
        spent = judgements.spent(s, s.get_one(Job, context.job_id))
    if not rows:
        raise ValueError("evaluation id: it has no answers to judge; evaluate first.")
    calls = list(prepare(rows, rubric, spec))
    left = [call for call in calls if (call.position, call.order) not in asked]
    context.log(f"rubric {rubric.label}; {len(rows):,} rows, {len(left):,} of {len(calls):,} calls to make")
    context.progress("judging", len(calls) - len(left), len(calls))
    ledger = Ledger(context.job_id, context.attempt)
    try:
        asker = Asker(context, ledger, spec, rubric, endpoint, spent, total=len(calls), done=len(asked))
        asyncio.run(_ask_all(context, asker, left, reach, endpoint))
    except Stopped as stopped:
        context.log(str(stopped))
        context.fail(str(stopped))
        return
    finally:
        ledger.close()
    with read() as s:
        result = judge_figures.of_job(s, s.get_one(Job, context.job_id))
    context.finish({**result, "rubric": rubric.label, "rubric_hash": rubric.hash})


async def _ask_all(
    context: JobContext, asker: Asker, calls: Sequence[Call], reach: Reach, endpoint: Endpoint
) -> None:
    """Every call, as many at once as the endpoint takes. Raises Cancelled, Stopped, FencedError."""
    asker.client = Client(reach, timeout=context.spec.timeout, at_once=endpoint.concurrency)
    waiting = iter(calls)
    try:
        async with asyncio.TaskGroup() as group:
            workers = [group.create_task(_work(asker, waiting)) for _ in range(endpoint.concurrency)]
            watch = group.create_task(_watch(context))
            await asyncio.gather(*workers)
            watch.cancel()
    except* (Cancelled, Stopped, LookupError) as several:
        raise several.exceptions[0] from None
    finally:
        await asker.client.close()


async def _work(asker: Asker, waiting: Iterable[Call]) -> None:
    for call in waiting:
        await asker.ask(call)


async def _watch(context: JobContext) -> None:
    while True:
        context.require_wanted()
        await asyncio.sleep(LOOK)


def _require_may_leave(evaluation: Evaluation | None, session, reach: Reach) -> None:
    if evaluation is None:
        raise ValueError("evaluation id: there is no such evaluation; choose another.")
    task = session.get_one(TaskVersion, evaluation.task_version_id)
    if task.is_restricted and not reach.private:
        raise ValueError(
            f"endpoint id: the rows of {task.name} are under a data-use agreement and stay here; choose an "
            "endpoint on this machine or network."
        )
