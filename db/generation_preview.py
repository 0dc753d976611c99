"""What a generation run would ask, and what it may cost, before anything is asked.

The prompt is the very one that the run would send: the same draw, the same template, worked out from the
call's number alone. What a run may cost is a range between stated assumptions, never a promise.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from db import endpoints, generation_runs
from db.enums import CallState, JobKind
from db.generate_spec import GenerateSpec
from db.generating import calls
from db.generating.draws import Seed
from db.generating.prompts import Mode, Request
from db.tables import Endpoint, GenerationCall, Job

MOST_BYTES_A_TOKEN = 4.5  # of English prose: gives the fewest tokens
ASKED_FOR_ONE = 3  # records, for one that is kept, where a run goes badly
LONGEST = 1.5  # times as long as the seeds, where the model writes much
_SAMPLE = 12  # draws whose prompts are measured
_EARLIER = 200  # calls whose seconds are looked at


@dataclass(frozen=True)
class Preview:
    """One call as it would be made. `tokens` are estimated, rather too high than too low."""

    number: int  # of the call, from 0
    seeds: tuple[Seed, ...]
    request: Request
    tokens: int
    template: str
    pool: int  # seeds that may be drawn


@dataclass(frozen=True)
class Outlook:
    """What a whole run takes, least and most. `bound` names the budget that may end it before its target."""

    calls: tuple[int, int]
    tokens: tuple[int, int]
    cost: tuple[float, float] | None  # None: the endpoint has no prices
    seconds: tuple[float, float] | None  # None: nothing was asked of the endpoint before
    bound: str = ""


def pool_of(session: Session, project_id: int, spec: GenerateSpec) -> list[Seed]:
    """The seeds that a run may draw now. Raises ValueError when there are too few."""
    pool = generation_runs.seed_pool(session, project_id, Mode(spec.mode))
    generation_runs.require_seeds(pool, spec)
    return pool


def preview(
    session: Session,
    project_id: int,
    spec: GenerateSpec,
    number: int = 0,
    *,
    pool: Sequence[Seed] | None = None,
) -> Preview:
    """Call `number` of the run that the spec describes. Raises ValueError or LookupError."""
    template = generation_runs.template_of(session, project_id, spec)
    pool = pool_of(session, project_id, spec) if pool is None else pool
    seeds = calls.seeds_of(spec, pool, number)
    request = calls.request_of(spec, template, seeds, number)
    named = f"{template.name} {template.number}" if spec.template_id else "the studio's own"
    return Preview(number, seeds, request, tokens_of(request), named, len(pool))


def outlook(
    session: Session, project_id: int, spec: GenerateSpec, *, pool: Sequence[Seed] | None = None
) -> Outlook:
    """What the run may take: at best every record is kept and as long as the seeds; at worst one in three is
    kept, and they are half as long again."""
    endpoint = endpoints.get_endpoint(session, spec.endpoint_id)
    template = generation_runs.template_of(session, project_id, spec)
    pool = pool_of(session, project_id, spec) if pool is None else pool
    wanted = calls.wanted_of(spec, template)
    needed = (math.ceil(spec.target / wanted), math.ceil(ASKED_FOR_ONE * spec.target / wanted))
    sampled = [
        calls.request_of(spec, template, calls.seeds_of(spec, pool, number), number)
        for number in range(_SAMPLE)
    ]
    prompt = _range(sum(map(_bytes_of, sampled)) / _SAMPLE)
    record = _range(sum(_reply_bytes(template.mode, seed) for seed in pool) / len(pool))
    reply = (min(spec.max_tokens, wanted * record[0]), min(spec.max_tokens, wanted * record[1] * LONGEST))
    tokens = tuple(round(needed[end] * (prompt[end] + reply[end])) for end in (0, 1))
    found = Outlook(
        calls=needed,
        tokens=tokens,
        cost=_cost(endpoint, needed, prompt, reply),
        seconds=_seconds(session, endpoint, needed, tokens),
    )
    return replace(found, bound=_bound(spec, found))


def tokens_of(request: Request) -> int:
    """About how many tokens the messages have, rather too many."""
    return calls.most_tokens(*(message["content"] for message in request.messages))


def _bytes_of(request: Request) -> int:
    return sum(len(message["content"].encode()) for message in request.messages)


def _reply_bytes(mode: Mode, seed: Seed) -> int:
    """A record as the model writes it, of the length of a seed."""
    content = seed.content
    texts = {
        Mode.ANSWER_ONLY: (content.output,),
        Mode.FROM_PASSAGE: (content.instruction, content.output),
    }.get(mode, (content.instruction, content.input, content.output))
    return sum(len(text.encode()) for text in texts) + 80  # names of fields, labels, quotation marks


def _range(size: float) -> tuple[float, float]:
    """Tokens of so many bytes, fewest and most."""
    return size / MOST_BYTES_A_TOKEN, size / calls.BYTES_A_TOKEN


def _cost(endpoint: Endpoint, needed, prompt, reply) -> tuple[float, float] | None:
    if endpoint.price_in is None and endpoint.price_out is None:
        return None
    return tuple(needed[end] * endpoints.price(endpoint, prompt[end], reply[end]) for end in (0, 1))


def _seconds(session: Session, endpoint: Endpoint, needed, tokens) -> tuple[float, float] | None:
    """By how long the endpoint took for earlier calls, and by its allowances."""
    recent = (
        select(GenerationCall.seconds)
        .join(Job, Job.id == GenerationCall.job_id)
        .where(
            Job.kind == JobKind.GENERATE,
            Job.spec["endpoint_id"].as_integer() == endpoint.id,
            GenerationCall.state == CallState.ANSWERED,
        )
        .order_by(GenerationCall.id.desc())
        .limit(_EARLIER)
        .subquery()
    )
    usual = session.scalar(select(func.avg(recent.c.seconds)))
    if usual is None:
        return None
    ends = []
    for end in (0, 1):
        waits = [needed[end] * usual / endpoint.concurrency]
        if endpoint.requests_per_minute:
            waits.append(60 * needed[end] / endpoint.requests_per_minute)
        if endpoint.tokens_per_minute:
            waits.append(60 * tokens[end] / endpoint.tokens_per_minute)
        ends.append(max(waits))
    return ends[0], ends[1]


def _bound(spec: GenerateSpec, found: Outlook) -> str:
    """The budgets that the most would pass."""
    passed = [
        ("tokens", spec.budget_tokens, found.tokens[1]),
        ("money", spec.budget_money, found.cost[1] if found.cost else 0),
        ("time", spec.budget_hours * 3600, found.seconds[1] if found.seconds else 0),
    ]
    return ", ".join(name for name, budget, most in passed if budget and most > budget)
