"""Grow instructions from seeds: ask an endpoint, judge what it replies, hand what is kept to the reviewers.

A run stopped in any way goes on where it was: answers that were stored are judged and never asked for again,
calls that were under way are written off as perhaps paid, and further calls begin with the next number.
"""

import asyncio
import sys
from dataclasses import asdict

from db import endpoints, jobs
from db import generation_calls as calls
from db import generation_runs as runs
from db.asking.client import Client
from db.enums import JobStatus
from db.generate_spec import GenerateSpec
from db.generating.prompts import Mode
from db.session import read, write
from trainer.context import Cancelled, JobContext
from trainer.generating.asking import Asker
from trainer.generating.budget import Budget
from trainer.generating.departures import Departures, departed
from trainer.generating.growing import Growing, Stopped
from trainer.generating.judging import Bench, Judge, ToJudge
from trainer.generating.ledger import Ledger
from trainer.generating.requests import Requests

SWITCH = 0.0005  # seconds that the ledger's thread may keep the loop that asks waiting; Python's own is 0.005


def run(context: JobContext) -> None:
    """Carry the job out. Raises ValueError or LookupError with one sentence; Cancelled when asked to stop."""
    spec: GenerateSpec = context.spec

    context.progress("getting ready", 0, spec.target)
    with write() as s:
        begun = runs.open_run(s, jobs.get_job(s, context.job_id))
        lost = calls.write_off(s, context.job_id, departed(context.folder))
    if lost:
        context.log(f"{lost} calls were under way when the last attempt ended: perhaps paid, not asked again")
    with read() as s:
        endpoint = endpoints.get_endpoint(s, spec.endpoint_id)
        pool, totals = runs.pool_of(s, begun), runs.totals(s, context.job_id)
        requests = Requests(spec, begun, pool, endpoint, context.attempt)
        unjudged = [requests.again(call) for call in calls.list_unjudged(s, context.job_id)]
    context.log(f"{totals.kept:,} of {spec.target:,} kept; call {totals.next_number:,} is next")

    bench = Bench(
        context.settings.url,
        context.job_id,
        context.attempt,
        context.project_id,
        Mode(spec.mode),
        begun.profile,
        against=spec.against,
    )
    budget = Budget.of(spec, totals, begun.seconds)
    ledger = Ledger(context.job_id, context.attempt)
    try:
        with Judge(bench) as judge:
            asyncio.run(_grow(context, requests, ledger, budget, judge, totals, unjudged))
    except Stopped as stopped:
        context.log(str(stopped))
        _summarize(context)
        context.fail(str(stopped), JobStatus.FAILED if stopped.failed else JobStatus.INTERRUPTED)
    except Cancelled:
        _summarize(context)
        raise
    else:
        context.finish(_summary(context))
    finally:
        ledger.close()


async def _grow(
    context: JobContext,
    requests: Requests,
    ledger: Ledger,
    budget: Budget,
    judge: Judge,
    totals: runs.Totals,
    unjudged: list[ToJudge],
) -> None:
    spec, endpoint = requests.spec, requests.endpoint
    usual = sys.getswitchinterval()
    sys.setswitchinterval(SWITCH)
    with read() as s:
        reach = endpoints.reach(s, endpoint.id)
    departures = Departures(context.folder)
    client = Client(reach, timeout=spec.timeout, at_once=endpoint.concurrency, leaving=departures.note)
    asker = Asker(client, endpoint, ledger, budget, job_id=context.job_id, tries=spec.tries)
    try:
        await Growing(context, requests, asker, judge, totals, departures).run(unjudged)
    finally:
        sys.setswitchinterval(usual)
        await client.close()
        departures.close()


def _summarize(context: JobContext) -> None:
    """What a run that stops early has done so far."""
    summary = _summary(context)
    with write() as s:
        jobs.record_result(s, context.job_id, context.attempt, **summary)


def _summary(context: JobContext) -> dict:
    with read() as s:
        totals = runs.totals(s, context.job_id)
        funnel = runs.funnel_counts(s, context.job_id)
        wanted = runs.count_wanted(s, context.job_id)
    return {**asdict(totals), "wanted": wanted, "funnel": [asdict(one) for one in funnel]}
